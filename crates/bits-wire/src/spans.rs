//! Sets of bytes of a file, as stretches that neither touch nor overlap.

use bits_api::{FileRange, LENGTH_TO_EOF};
use serde::{Deserialize, Serialize};

/// A stretch of bytes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Span {
    /// The first byte.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
}

impl Span {
    /// From `start` up to, not including, `end`; empty when that lies before.
    pub const fn new(start: u64, end: u64) -> Self {
        Self { start, end: if end < start { start } else { end } }
    }

    /// How many bytes.
    pub const fn length(self) -> u64 {
        self.end - self.start
    }

    /// The bytes of `range` in a file of `size` bytes; `None` when it does not lie wholly inside
    /// (clauses `job3.file_range.*`). An empty file has one range to its end, which is empty.
    pub fn of(range: FileRange, size: u64) -> Option<Self> {
        let FileRange { initial_offset: start, length } = range;
        let end = if length == LENGTH_TO_EOF { size } else { start.checked_add(length)? };
        let is_inside = end <= size && (start < size || (start, size) == (0, 0));
        is_inside.then_some(Self { start, end })
    }

    /// The same as BITS hands it out.
    pub const fn range(self) -> FileRange {
        FileRange { initial_offset: self.start, length: self.length() }
    }
}

/// A set of bytes.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Spans(Vec<Span>);

impl Spans {
    /// Whether no byte is in the set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The stretches, in order.
    pub fn iter(&self) -> impl Iterator<Item = Span> + '_ {
        self.0.iter().copied()
    }

    /// How many bytes are in the set.
    pub fn total(&self) -> u64 {
        self.iter().map(Span::length).sum()
    }

    /// The byte after the last one in the set.
    pub fn end(&self) -> u64 {
        self.0.last().map_or(0, |span| span.end)
    }

    /// Takes bytes into the set, joining stretches that touch.
    pub fn add(&mut self, span: Span) {
        if span.length() == 0 {
            return;
        }
        let first = self.0.partition_point(|other| other.end < span.start);
        let behind = self.0.partition_point(|other| other.start <= span.end);
        let joined = self.0[first..behind]
            .iter()
            .fold(span, |joined, other| Span { start: joined.start.min(other.start), end: joined.end.max(other.end) });
        self.0.splice(first..behind, [joined]);
    }

    /// The parts of `span` that are not in the set, in order.
    pub fn gaps(&self, span: Span) -> Vec<Span> {
        let mut gaps = Vec::new();
        let mut start = span.start;
        let first = self.0.partition_point(|other| other.end <= span.start);
        for held in self.0[first..].iter().take_while(|held| held.start < span.end) {
            if start < held.start {
                gaps.push(Span { start, end: held.start });
            }
            start = held.end;
        }
        if start < span.end {
            gaps.push(Span { start, end: span.end });
        }
        gaps
    }

    /// Whether every byte of `span` is in the set.
    pub fn has_all(&self, span: Span) -> bool {
        self.gaps(span).is_empty()
    }
}

impl FromIterator<Span> for Spans {
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        let mut all = Self::default();
        spans.into_iter().for_each(|span| all.add(span));
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set(spans: &[(u64, u64)]) -> Spans {
        spans.iter().map(|(start, end)| Span::new(*start, *end)).collect()
    }

    #[test]
    fn stretches_that_touch_or_overlap_are_joined() {
        let joined = set(&[(10, 20), (30, 40), (20, 25), (24, 31), (50, 50)]);

        assert_eq!(joined.iter().collect::<Vec<_>>(), [Span::new(10, 40)]);
        assert_eq!((joined.total(), joined.end()), (30, 40));
    }

    #[test]
    fn gaps_are_what_is_missing_of_a_stretch() {
        let held = set(&[(10, 20), (30, 40)]);

        assert_eq!(held.gaps(Span::new(5, 35)), [Span::new(5, 10), Span::new(20, 30)]);
        assert_eq!(held.gaps(Span::new(12, 18)), []);
        assert_eq!(held.gaps(Span::new(40, 45)), [Span::new(40, 45)]);
        assert!(held.has_all(Span::new(30, 40)) && !held.has_all(Span::new(30, 41)));
    }

    #[test]
    fn a_range_must_lie_inside_its_file() {
        let of = |initial_offset, length, size| Span::of(FileRange { initial_offset, length }, size);
        let table = [
            (of(0, 10, 10), Some(Span::new(0, 10))),
            (of(0, 11, 10), None),
            (of(4, LENGTH_TO_EOF, 10), Some(Span::new(4, 10))),
            (of(10, LENGTH_TO_EOF, 10), None),
            (of(0, LENGTH_TO_EOF, 0), Some(Span::new(0, 0))),
            (of(u64::MAX, 2, 10), None),
        ];
        for (got, expected) in table {
            assert_eq!(got, expected);
        }
    }

    proptest! {
        #[test]
        fn a_set_of_stretches_is_a_set_of_bytes(
            spans in prop::collection::vec((0_u64..60, 0_u64..20), 0..12),
            (from, length) in (0_u64..70, 0_u64..30),
        ) {
            let spans: Vec<_> = spans.into_iter().map(|(start, length)| Span::new(start, start + length)).collect();
            let bytes: BTreeSet<u64> = spans.iter().flat_map(|span| span.start..span.end).collect();
            let set: Spans = spans.into_iter().collect();
            let asked = Span::new(from, from + length);

            prop_assert_eq!(set.total(), bytes.len() as u64);
            prop_assert!(set.0.windows(2).all(|pair| pair[0].end < pair[1].start));
            let missing: Vec<u64> = set.gaps(asked).iter().flat_map(|gap| gap.start..gap.end).collect();
            let expected: Vec<u64> = (asked.start..asked.end).filter(|byte| !bytes.contains(byte)).collect();
            prop_assert_eq!(missing, expected);
        }
    }
}
