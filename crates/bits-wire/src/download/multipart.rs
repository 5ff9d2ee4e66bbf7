//! A body of type multipart/byteranges, read as it comes (RFC 9110, 14.6; RFC 2046, 5.1.1).
//!
//! It looks at each byte once and keeps at most one line: the bytes of the file are passed on from
//! where they lie. What is between them has the bounds that BITS documents (clauses
//! `http.ranges.headers`, `http.ranges.crlf`). Which parts were asked for is not known here.

use super::head::{ContentRange, content_range_of};

/// So many empty lines may come before the first boundary.
const MOST_EMPTY_LINES: u32 = 2;
/// So many bytes may the other headers of a part have, the ends of their lines included.
const MOST_OTHER_HEADERS: usize = 180;
/// So many bytes may a line have; a Content-Type has room.
const MOST_LINE: usize = 1024;
/// So many characters may a boundary have.
const MOST_BOUNDARY: usize = 70;

/// What stands next in the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Found<'a> {
    /// A part begins.
    Part {
        /// Its first and its last byte.
        bytes: (u64, u64),
        /// The size of the file, where it is given.
        size: Option<u64>,
    },
    /// Bytes of the part that has begun; never none.
    Data(&'a [u8]),
    /// The last part is over; what follows is nothing to us.
    End,
}

/// The body is not what it says, or beyond the bounds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Malformed;

/// A reader of such a body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Multipart {
    /// Two hyphens and the boundary.
    delimiter: Vec<u8>,
    state: State,
    /// The line that has begun.
    line: Vec<u8>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum State {
    /// Before the first boundary, after so many empty lines.
    Before(u32),
    /// Among the headers of a part.
    Headers(Headers),
    /// So many bytes of a part are to come.
    Data(u64),
    /// After the bytes of a part, before the end of their line.
    Behind,
    /// Before a boundary.
    Delimiter,
    Over,
}

/// What was read of the headers of a part.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Headers {
    range: Option<((u64, u64), Option<u64>)>,
    has_type: bool,
    others: usize,
}

impl Multipart {
    /// A reader for a body of that Content-Type; `None` when it is another type, or has no boundary
    /// that can be one.
    pub fn of_type(content_type: &str) -> Option<Self> {
        let boundary = boundary(content_type)?;
        let delimiter = [b"--", boundary.as_bytes()].concat();
        Some(Self { delimiter, state: State::Before(0), line: Vec::new() })
    }

    /// Whether a Content-Type is that of such a body.
    pub(super) fn is_type(content_type: &str) -> bool {
        content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("multipart/byteranges"))
    }

    /// Reads from the front of `input` up to what stands next; `None` when that has not come yet,
    /// and `input` is empty then. After the end nothing is read any more.
    ///
    /// # Errors
    /// [`Malformed`]; then the reader is of no more use.
    pub fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Found<'a>>, Malformed> {
        while !input.is_empty() {
            match &mut self.state {
                State::Over => return Ok(None),
                State::Data(missing) => {
                    let length = usize::try_from(*missing).map_or(input.len(), |missing| missing.min(input.len()));
                    let (data, rest) = input.split_at(length);
                    (*input, *missing) = (rest, *missing - length as u64);
                    if *missing == 0 {
                        self.state = State::Behind;
                    }
                    return Ok(Some(Found::Data(data)));
                }
                _ => {
                    let is_line = self.read_line(input)?;
                    let found = if is_line { self.take_line()? } else { self.take_end() };
                    if found.is_some() {
                        return Ok(found);
                    }
                }
            }
        }
        Ok(None)
    }

    /// Reads on in a line; returns whether that is complete.
    fn read_line(&mut self, input: &mut &[u8]) -> Result<bool, Malformed> {
        while let Some((byte, rest)) = input.split_first() {
            *input = rest;
            match (byte, self.line.last()) {
                (b'\n', Some(b'\r')) => {
                    self.line.pop();
                    return Ok(true);
                }
                (b'\n', _) | (_, Some(b'\r')) => return Err(Malformed),
                _ if self.line.len() == MOST_LINE => return Err(Malformed),
                _ => self.line.push(*byte),
            }
            if self.is_last_delimiter() {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// The end of the last delimiter is the end of the parts: no end of a line has to follow.
    fn take_end(&mut self) -> Option<Found<'static>> {
        self.is_last_delimiter().then(|| {
            self.state = State::Over;
            Found::End
        })
    }

    /// Takes the line that has come to its end.
    fn take_line(&mut self) -> Result<Option<Found<'static>>, Malformed> {
        let line = std::mem::take(&mut self.line);
        let next = match std::mem::replace(&mut self.state, State::Over) {
            State::Before(empty) if line.is_empty() && empty < MOST_EMPTY_LINES => State::Before(empty + 1),
            State::Behind if line.is_empty() => State::Delimiter,
            State::Before(_) | State::Delimiter if self.is_delimiter(&line) => State::Headers(Headers::default()),
            State::Headers(headers) if line.is_empty() => {
                let (bytes, size) = headers.range.ok_or(Malformed)?;
                // The range was read from a first byte that is not behind the last.
                self.state = State::Data((bytes.1 - bytes.0).saturating_add(1));
                return Ok(Some(Found::Part { bytes, size }));
            }
            State::Headers(mut headers) => {
                headers.take(&line)?;
                State::Headers(headers)
            }
            _ => return Err(Malformed),
        };
        // What was allocated serves the next line.
        self.line = line;
        self.line.clear();
        self.state = next;
        Ok(None)
    }

    /// Whether a line is a boundary between parts; spaces may follow it.
    fn is_delimiter(&self, line: &[u8]) -> bool {
        line.strip_prefix(&self.delimiter[..]).is_some_and(|rest| rest.trim_ascii().is_empty())
    }

    fn is_last_delimiter(&self) -> bool {
        matches!(self.state, State::Before(_) | State::Delimiter)
            && self.line.strip_suffix(b"--").is_some_and(|line| line == self.delimiter)
    }
}

impl Headers {
    fn take(&mut self, line: &[u8]) -> Result<(), Malformed> {
        let colon = line.iter().position(|byte| *byte == b':').ok_or(Malformed)?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        if name.eq_ignore_ascii_case(b"content-range") {
            let value = std::str::from_utf8(value).map_err(|_| Malformed)?;
            let Some(ContentRange { bytes: Some(bytes), size }) = content_range_of(value) else {
                return Err(Malformed);
            };
            return if self.range.replace((bytes, size)).is_none() { Ok(()) } else { Err(Malformed) };
        }
        if name.eq_ignore_ascii_case(b"content-type") {
            return if std::mem::replace(&mut self.has_type, true) { Err(Malformed) } else { Ok(()) };
        }
        self.others += line.len() + b"\r\n".len();
        if self.others <= MOST_OTHER_HEADERS { Ok(()) } else { Err(Malformed) }
    }
}

/// The boundary that a Content-Type of multipart/byteranges gives.
fn boundary(content_type: &str) -> Option<&str> {
    if !Multipart::is_type(content_type) {
        return None;
    }
    let fields = content_type.split(';').skip(1);
    let (_, value) = fields
        .filter_map(|field| field.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let is_boundary = (1..=MOST_BOUNDARY).contains(&value.len())
        && value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
        && !value.ends_with(' ');
    is_boundary.then_some(value)
}

#[cfg(test)]
#[path = "multipart_tests.rs"]
mod tests;
