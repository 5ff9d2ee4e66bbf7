//! The Range header, read by the book (RFC 9110, 14.2).

use std::ops::Range;

/// What a Range header asks of a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Asked {
    /// No range, or none that a server has to understand: the whole file.
    Whole,
    /// These parts, in the order asked, clipped to the file; at least one.
    Parts(Vec<Range<u64>>),
    /// None of the parts lies within the file.
    Unsatisfiable,
}

/// Reads a Range header for a file of `length` bytes.
pub(crate) fn select(header: &str, length: u64) -> Asked {
    let Some(specs) = specs(header) else { return Asked::Whole };
    let parts: Vec<_> = specs.iter().filter_map(|spec| spec.within(length)).collect();
    if parts.is_empty() { Asked::Unsatisfiable } else { Asked::Parts(parts) }
}

#[derive(Clone, Copy)]
enum Spec {
    Between(u64, u64),
    From(u64),
    Last(u64),
}

impl Spec {
    fn within(self, length: u64) -> Option<Range<u64>> {
        let range = match self {
            Self::Between(first, last) => first..last.saturating_add(1).min(length),
            Self::From(first) => first..length,
            Self::Last(count) => length.saturating_sub(count)..length,
        };
        (range.start < range.end).then_some(range)
    }
}

/// The parts of a well-formed header; `None` for anything else, which a server ignores.
fn specs(header: &str) -> Option<Vec<Spec>> {
    let (unit, set) = header.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let specs = set.split(',').map(str::trim).filter(|spec| !spec.is_empty()).map(spec).collect::<Option<Vec<_>>>()?;
    (!specs.is_empty()).then_some(specs)
}

fn spec(text: &str) -> Option<Spec> {
    let (first, last) = text.split_once('-')?;
    match (first, last) {
        ("", count) => Some(Spec::Last(number(count)?)),
        (first, "") => Some(Spec::From(number(first)?)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Spec::Between(first, last))
        }
    }
}

/// Digits only: `parse` alone would let a sign through.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a list of one range is what is meant")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_form_of_a_range_is_understood() {
        assert_eq!(select("bytes=0-99", 1000), Asked::Parts(vec![0..100]));
        assert_eq!(select("bytes=900-", 1000), Asked::Parts(vec![900..1000]));
        assert_eq!(select("bytes=-100", 1000), Asked::Parts(vec![900..1000]));
        assert_eq!(select("bytes=-5000", 1000), Asked::Parts(vec![0..1000]));
        assert_eq!(select("Bytes = 5-5 , 7-7,", 1000), Asked::Parts(vec![5..6, 7..8]));
        assert_eq!(select("bytes=0-18446744073709551615", 10), Asked::Parts(vec![0..10]));
    }

    #[test]
    fn parts_outside_the_file_are_left_out_and_refused_when_none_remains() {
        assert_eq!(select("bytes=5-9,1000-", 1000), Asked::Parts(vec![5..10]));
        assert_eq!(select("bytes=1000-", 1000), Asked::Unsatisfiable);
        assert_eq!(select("bytes=-0", 1000), Asked::Unsatisfiable);
        assert_eq!(select("bytes=0-0", 0), Asked::Unsatisfiable);
    }

    #[test]
    fn what_is_no_range_is_ignored() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "lines=1-2",
            "bytes=9-5",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=-",
            "bytes=1-2,x",
        ] {
            assert_eq!(select(header, 1000), Asked::Whole, "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_what_is_left_of_it_within_the_file(length in 1_u64..500, first in 0_u64..600, extra in 0_u64..600) {
            let asked = select(&format!("bytes={first}-{}", first + extra), length);
            let inside: Vec<u64> = (first..=first + extra).filter(|byte| *byte < length).collect();
            match asked {
                Asked::Parts(parts) => prop_assert_eq!(parts.into_iter().flatten().collect::<Vec<_>>(), inside),
                Asked::Unsatisfiable => prop_assert!(inside.is_empty()),
                Asked::Whole => prop_assert!(false, "a well-formed range was ignored"),
            }
        }

        #[test]
        fn no_header_makes_it_panic_or_reach_outside(header in ".*", length in 0_u64..1000) {
            if let Asked::Parts(parts) = select(&header, length) {
                prop_assert!(parts.iter().all(|part| part.start < part.end && part.end <= length));
            }
        }
    }
}
