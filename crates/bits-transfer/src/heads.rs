//! The heads of an exchange as they are written: hyper gives every header name one spelling, going
//! out and coming in. Nothing in here reads what a header says.

use bits_wire::attempt::ResponseHead;

/// Writes down the head of an answer, byte by byte as it comes; heads of interim answers are
/// forgotten.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    head: Vec<u8>,
    /// Where the line in work begins.
    line: usize,
    is_complete: bool,
}

impl Tape {
    /// Takes in what has come; nothing of a body.
    pub(crate) fn take_in(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.is_complete {
                return;
            }
            self.head.extend_from_slice(part);
            if part.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let is_empty = matches!(&self.head[self.line..], b"\n" | b"\r\n");
        self.line = self.head.len();
        if !is_empty {
            return;
        }
        // Empty lines before an answer count for nothing.
        let is_blank = self.head.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        self.is_complete = !is_blank && !self.is_interim();
        if !self.is_complete {
            (self.line, self.head) = (0, Vec::new());
        }
    }

    /// Whether the status is 1xx, but for 101, after which no other answer comes.
    fn is_interim(&self) -> bool {
        let status = self.head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        status.starts_with(b"1") && !status.starts_with(b"101")
    }

    /// The head, as far as it has come: each byte is a character of Latin-1.
    pub(crate) fn text(&self) -> ResponseHead {
        ResponseHead(self.head.iter().copied().map(char::from).collect::<String>().into())
    }
}

/// Gives the names of headers in the head of a request the spelling of `names`; what comes behind
/// the head stays as it is. A name that two writes share may keep hyper's spelling.
pub(crate) fn respell(request: &mut [u8], names: &[Box<str>]) {
    for line in request.split_mut(|byte| *byte == b'\n') {
        if line.trim_ascii().is_empty() {
            return;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = &mut line[..colon];
        if let Some(spelled) = names.iter().find(|spelled| spelled.as_bytes().eq_ignore_ascii_case(name)) {
            name.copy_from_slice(spelled.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "HTTP/1.1 200 Fine\r\nconTent-Length:5\r\nX-\u{e9}: \u{fc}\r\n\r\n";

    fn latin1(text: &str) -> Vec<u8> {
        text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
    }

    fn taped<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Tape {
        let mut tape = Tape::default();
        parts.into_iter().for_each(|part| tape.take_in(part));
        tape
    }

    #[test]
    fn a_head_is_written_down_as_it_came_and_nothing_of_the_body() {
        let tape = taped([&latin1(HEAD)[..], b"hello\n\n"]);

        assert_eq!(&*tape.text().0, HEAD);
    }

    #[test]
    fn lines_may_end_without_cr() {
        assert_eq!(&*taped([&b"HTTP/1.0 200\nA: b\n\nbody"[..]]).text().0, "HTTP/1.0 200\nA: b\n\n");
    }

    #[test]
    fn interim_heads_and_empty_lines_before_are_forgotten() {
        let all = format!("\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n{HEAD}");

        assert_eq!(&*taped([&latin1(&all)[..]]).text().0, HEAD);
    }

    #[test]
    fn names_are_respelled_and_nothing_else() {
        let text = "GET /x:1 HTTP/1.1\r\nHost: myheader_1: 2\r\nMyheader_1: myheader_1\r\n\r\nmyheader_1: body\n";
        let mut request = text.as_bytes().to_vec();

        respell(&mut request, &["MyHeader_1".into(), "absent".into()]);

        assert_eq!(String::from_utf8(request).unwrap(), text.replace("Myheader_1", "MyHeader_1"));
    }

    #[test]
    fn it_does_not_matter_where_the_bytes_are_cut() {
        let all = latin1(&format!("HTTP/1.1 102 Wait\r\n\r\n{HEAD}body\r\n\r\n"));
        for first in 0..=all.len() {
            for second in first..=all.len() {
                let tape = taped([&all[..first], &all[first..second], &all[second..]]);
                assert_eq!(&*tape.text().0, HEAD, "{first}, {second}");
            }
        }
    }
}
