//! Whether the parts of an answer are those that were asked for (decision `http.multipart_answers`).

use std::collections::VecDeque;

use bits_api::Hresult;

use super::{Found, Multipart, fatal};
use crate::attempt::Failure;
use crate::layout::Piece;

/// The parts that were asked for in one request, while their answer comes in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Parts {
    reader: Multipart,
    /// Those that have not begun.
    missing: VecDeque<Piece>,
    /// The size of the file.
    size: u64,
}

/// What stands next in the body of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Arrival<'a> {
    /// What follows belongs to this place of the local file.
    Place(u64),
    /// Bytes of the file; never none.
    Data(&'a [u8]),
    /// The file has another size than before: the rest of the body is worth nothing.
    OtherSize,
    /// All that was asked for has come.
    End,
}

/// Not the parts that were asked for, or not well written.
const REFUSED: Failure = fatal(Hresult::BG_E_INVALID_SERVER_RESPONSE);

impl Parts {
    /// The answer to a request for `pieces` of a file of that size.
    pub(super) fn new(reader: Multipart, pieces: impl IntoIterator<Item = Piece>, size: u64) -> Self {
        Self { reader, missing: pieces.into_iter().collect(), size }
    }

    /// Reads from the front of `input`, which comes one behind the other; `None` when more must come.
    ///
    /// # Errors
    /// `BG_E_INVALID_SERVER_RESPONSE` for a body that is not well written or beyond the documented
    /// bounds, and for parts that are not those asked for in the order asked: put together (clause
    /// `job3.add_file_with_ranges.err_server_merges`), repeated, exchanged, too few or too many.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Arrival<'a>>, Failure> {
        let found = self.reader.next(input).map_err(|_| REFUSED)?;
        Ok(Some(match found {
            None => return Ok(None),
            Some(Found::Data(data)) => Arrival::Data(data),
            Some(Found::Part { size: Some(size), .. }) if size != self.size => Arrival::OtherSize,
            Some(Found::Part { bytes, .. }) => {
                let asked = self.missing.pop_front().ok_or(REFUSED)?;
                if bytes != (asked.remote.start, asked.remote.end - 1) {
                    return Err(REFUSED);
                }
                Arrival::Place(asked.local)
            }
            Some(Found::End) if self.missing.is_empty() => Arrival::End,
            Some(Found::End) => return Err(REFUSED),
        }))
    }

    /// The body is over before its last boundary.
    pub const CUT_OFF: Failure = REFUSED;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spans::Span;

    /// Reads a body of these parts, of a file of nine bytes of which 0-2 and 5-6 were asked for.
    fn read(parts: &[(&str, &str)]) -> Result<Vec<(u64, String)>, Failure> {
        let part = |(range, data): &(&str, &str)| format!("--B\r\nContent-Range: bytes {range}\r\n\r\n{data}\r\n");
        let body = parts.iter().map(part).collect::<Vec<_>>().concat() + "--B--";
        let pieces = [Piece { remote: Span::new(0, 3), local: 40 }, Piece { remote: Span::new(5, 7), local: 43 }];
        let reader = Multipart::of_type("multipart/byteranges; boundary=B").unwrap();
        let mut parts = Parts::new(reader, pieces, 9);
        let mut read = Vec::new();
        let mut input = body.as_bytes();
        loop {
            match parts.next(&mut input)?.unwrap() {
                Arrival::Place(place) => read.push((place, String::new())),
                Arrival::Data(data) => read.last_mut().unwrap().1 += std::str::from_utf8(data).unwrap(),
                Arrival::OtherSize => return Ok(vec![(0, "other size".to_owned())]),
                Arrival::End => return Ok(read),
            }
        }
    }

    #[test]
    fn the_parts_that_were_asked_for_go_to_their_places() {
        let expected = vec![(40, "abc".to_owned()), (43, "fg".to_owned())];

        assert_eq!(read(&[("0-2/9", "abc"), ("5-6/9", "fg")]), Ok(expected.clone()));
        assert_eq!(read(&[("0-2/*", "abc"), ("5-6/*", "fg")]), Ok(expected));
    }

    #[test]
    fn other_parts_are_refused() {
        let table: [&[(&str, &str)]; 8] = [
            &[],
            &[("0-2/9", "abc")],
            &[("5-6/9", "fg"), ("0-2/9", "abc")],
            &[("0-6/9", "abcdefg")],
            &[("0-2/9", "abc"), ("2-6/9", "cdefg")],
            &[("0-2/9", "abc"), ("0-2/9", "abc"), ("5-6/9", "fg")],
            &[("0-2/9", "abc"), ("5-6/9", "fg"), ("7-8/9", "hi")],
            &[("0-1/9", "ab"), ("2-2/9", "c"), ("5-6/9", "fg")],
        ];
        for parts in table {
            assert_eq!(read(parts), Err(REFUSED), "{parts:?}");
        }
    }

    #[test]
    fn a_part_of_a_file_of_another_size_says_so() {
        assert_eq!(read(&[("0-2/9", "abc"), ("5-6/8", "fg")]), Ok(vec![(0, "other size".to_owned())]));
    }
}
