//! Answers in several parts: multipart/byteranges (RFC 9110, 14.6), and how a server may muddle them.

use std::ops::Range;

use crate::answer::{Piece, content_range};

/// Separates the parts.
const BOUNDARY: &str = "bits-origin-part";

/// What a server makes of a request for several ranges, other than what it should.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Muddle {
    /// Puts the parts together to one, with all that lies between them.
    Merged,
    /// Sends the parts in reverse order.
    Reversed,
    /// Sends the first part twice.
    Repeated,
    /// Leaves the last part out.
    Dropped,
    /// Answers with the first range alone, as a server does that knows no others.
    FirstOnly,
    /// Gives each part another header.
    Header(String, String),
    /// Sends so many empty lines before the first boundary; usually it is one.
    EmptyLines(u8),
}

/// What is sent of `parts`: one alone is not sent as a body of several parts.
pub(crate) fn muddled(mut parts: Vec<Range<u64>>, muddles: &[Muddle]) -> Vec<Range<u64>> {
    let [first, .., last] = &parts[..] else { return parts };
    let (first, end) = (first.clone(), last.end);
    for muddle in muddles {
        match muddle {
            Muddle::Merged => {
                parts.truncate(1);
                if let Some(part) = parts.first_mut() {
                    part.end = end;
                }
            }
            Muddle::FirstOnly => parts.truncate(1),
            Muddle::Reversed => parts.reverse(),
            Muddle::Repeated => parts.insert(0, first.clone()),
            Muddle::Dropped => drop(parts.pop()),
            Muddle::Header(..) | Muddle::EmptyLines(_) => {}
        }
    }
    parts
}

/// The Content-Type and the body for these parts of a file of `length` bytes.
pub(crate) fn body(parts: &[Range<u64>], length: u64, muddles: &[Muddle]) -> (String, Vec<Piece>) {
    let mut lines = 1;
    let mut headers = String::from("Content-Type: application/octet-stream\r\n");
    for muddle in muddles {
        match muddle {
            Muddle::EmptyLines(count) => lines = usize::from(*count),
            Muddle::Header(name, value) => headers.extend([name, ": ", value, "\r\n"]),
            _ => {}
        }
    }
    let mut lead = "\r\n".repeat(lines);
    let mut body = Vec::new();
    for part in parts {
        let range = content_range(part, length);
        let text = format!("{lead}--{BOUNDARY}\r\n{headers}Content-Range: {range}\r\n\r\n");
        body.extend([Piece::Text(text.into()), Piece::Part(part.clone())]);
        "\r\n".clone_into(&mut lead);
    }
    body.push(Piece::Text(format!("\r\n--{BOUNDARY}--\r\n").into()));
    (format!("multipart/byteranges; boundary={BOUNDARY}"), body)
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a list of one range is what is meant")]
mod tests {
    use super::*;

    #[test]
    fn each_muddle_changes_what_is_sent() {
        let table = [
            (Muddle::Merged, vec![0..10]),
            (Muddle::Reversed, vec![8..10, 4..6, 0..2]),
            (Muddle::Repeated, vec![0..2, 0..2, 4..6, 8..10]),
            (Muddle::Dropped, vec![0..2, 4..6]),
            (Muddle::FirstOnly, vec![0..2]),
            (Muddle::EmptyLines(3), vec![0..2, 4..6, 8..10]),
        ];
        for (muddle, expected) in table {
            assert_eq!(muddled(vec![0..2, 4..6, 8..10], std::slice::from_ref(&muddle)), expected, "{muddle:?}");
            assert_eq!(muddled(vec![0..2], std::slice::from_ref(&muddle)).len(), 1, "{muddle:?}");
        }
    }

    #[test]
    fn lines_and_headers_of_parts_are_sent_as_told() {
        let muddles = [Muddle::EmptyLines(3), Muddle::Header("X".into(), "y".into())];
        let (_, body) = body(&[0..2, 4..6], 9, &muddles);

        let Piece::Text(first) = &body[0] else { panic!("no text before the first part") };
        assert!(first.starts_with(b"\r\n\r\n\r\n--bits-origin-part\r\n"), "{first:?}");
        let Piece::Text(second) = &body[2] else { panic!("no text between the parts") };
        assert!(second.starts_with(b"\r\n--bits-origin-part\r\n") && second.windows(6).any(|text| text == b"X: y\r\n"));
    }
}
