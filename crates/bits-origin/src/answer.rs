//! What a well-behaved server answers, as a pure function of request and content.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::{Duration, UNIX_EPOCH};

use bits_api::FileTime;
use bytes::Bytes;

use crate::content::{Content, Framing};
use crate::head::Head;
use crate::parts;
use crate::range::{self, Asked};

/// A piece of a body.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Piece {
    Text(Bytes),
    /// A part of the content.
    Part(Range<u64>),
}

impl Piece {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Part(range) => range.end - range.start,
        }
    }
}

/// An answer before anything is sent.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) http10: bool,
    pub(crate) status: u16,
    /// In the order in which they are sent.
    pub(crate) headers: Vec<(String, String)>,
    /// Empty for HEAD.
    pub(crate) body: Vec<Piece>,
    /// The length of the whole file; 0 when the answer carries none of it.
    pub(crate) content_length: u64,
    pub(crate) framing: Framing,
    /// Whether the connection ends with this answer.
    pub(crate) close: bool,
}

impl Answer {
    /// Answers `head`; `content` is what stands at its path.
    pub(crate) fn to(head: &Head, content: Option<&Content>, now: FileTime) -> Self {
        let mut answer = match (head.method.as_str(), content) {
            ("GET" | "HEAD", None) => Self::status(404),
            ("GET", Some(content)) => Self::get(head, content),
            ("HEAD", Some(content)) => content.head_status.map_or_else(|| Self::whole(content), Self::status),
            (method, Some(content)) if content.method.as_deref() == Some(method) => Self::get(head, content),
            _ => Self::status(405).with("Allow", "GET, HEAD"),
        };
        answer.finish(head, content.is_some_and(|content| content.http10), now);
        answer
    }

    /// A bare status, as a fault or an error gives it.
    pub(crate) fn bare(head: &Head, status: u16, http10: bool, now: FileTime) -> Self {
        let mut answer = Self::status(status);
        answer.finish(head, http10, now);
        answer
    }

    fn get(head: &Head, content: &Content) -> Self {
        if !preconditions_hold(head, content) {
            return Self::status(412);
        }
        let asked = match head.header("range") {
            Some(header) if content.ranges && if_range_holds(head, content) => range::select(header, content.length()),
            _ => Asked::Whole,
        };
        match asked {
            Asked::Whole => Self::whole(content),
            Asked::Parts(parts) => match &parts::muddled(parts, &content.muddles)[..] {
                [part] => Self::part(content, part.clone()),
                parts => Self::parts(content, parts),
            },
            Asked::Unsatisfiable => Self::status(416).with("Content-Range", format!("bytes */{}", content.length())),
        }
    }

    fn status(status: u16) -> Self {
        let text = format!("{status} {}\n", reason(status));
        let body = if has_no_body(status) { vec![] } else { vec![Piece::Text(text.into())] };
        Self { http10: false, status, headers: vec![], body, content_length: 0, framing: Framing::Length, close: false }
            .with("Content-Type", "text/plain")
    }

    fn whole(content: &Content) -> Self {
        Self::of(content, 200, vec![Piece::Part(0..content.length())]).with("Content-Type", "application/octet-stream")
    }

    fn part(content: &Content, part: Range<u64>) -> Self {
        Self::of(content, 206, vec![Piece::Part(part.clone())])
            .with("Content-Type", "application/octet-stream")
            .with("Content-Range", content_range(&part, content.length()))
    }

    fn parts(content: &Content, parts: &[Range<u64>]) -> Self {
        let (content_type, body) = parts::body(parts, content.length(), &content.muddles);
        Self::of(content, 206, body).with("Content-Type", content_type)
    }

    fn of(content: &Content, status: u16, body: Vec<Piece>) -> Self {
        let (content_length, framing) = (content.length(), content.framing);
        let mut answer = Self { http10: false, status, headers: vec![], body, content_length, framing, close: false };
        if let Some(stamp) = content.stamp() {
            answer = answer.with("Last-Modified", date(stamp));
        }
        if let Some(etag) = content.etag_value() {
            answer = answer.with("ETag", etag);
        }
        if content.ranges {
            answer = answer.with("Accept-Ranges", "bytes");
        }
        answer
    }

    /// Adds what depends on the connection, and the length; takes the body away from HEAD.
    fn finish(&mut self, head: &Head, http10: bool, now: FileTime) {
        self.http10 = http10;
        if self.framing == Framing::Chunked && (http10 || head.version == "HTTP/1.0") {
            self.framing = Framing::UntilClose;
        }
        let length: u64 = self.body.iter().map(Piece::length).sum();
        match self.framing {
            Framing::Length if has_no_body(self.status) => {}
            Framing::Length => self.set("Content-Length", &length.to_string()),
            Framing::Chunked => self.set("Transfer-Encoding", "chunked"),
            Framing::UntilClose => {}
        }
        if head.method == "HEAD" {
            self.body.clear();
        }
        let endless = self.framing == Framing::UntilClose && head.method != "HEAD";
        self.close = http10 || endless || head.wants_close() || head.has_body();
        if self.close {
            self.set("Connection", "close");
        } else if head.version == "HTTP/1.0" {
            self.set("Connection", "keep-alive");
        }
        self.headers.insert(0, ("Date".into(), date(now)));
        self.headers.insert(1, ("Server".into(), "bits-origin".into()));
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds a line to a header.
    pub(crate) fn add(&mut self, name: &str, value: &str) {
        self.headers.push((name.into(), value.into()));
    }

    /// Sets a header, in place when it is there.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        match self.headers.iter_mut().find(|(header, _)| header.eq_ignore_ascii_case(name)) {
            Some(header) => value.clone_into(&mut header.1),
            None => self.headers.push((name.into(), value.into())),
        }
    }

    /// Takes a header out.
    pub(crate) fn remove(&mut self, name: &str) {
        self.headers.retain(|(header, _)| !header.eq_ignore_ascii_case(name));
    }

    /// Status line and headers as they are sent.
    pub(crate) fn head_bytes(&self) -> Vec<u8> {
        let version = if self.http10 { "1.0" } else { "1.1" };
        let mut text = format!("HTTP/{version} {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("\r\n");
        text.into_bytes()
    }

    /// The parts of the content that the body carries.
    pub(crate) fn served(&self) -> Vec<Range<u64>> {
        let part = |piece: &Piece| match piece {
            Piece::Part(range) if !range.is_empty() => Some(range.clone()),
            _ => None,
        };
        self.body.iter().filter_map(part).collect()
    }
}

pub(crate) fn content_range(part: &Range<u64>, length: u64) -> String {
    format!("bytes {}-{}/{length}", part.start, part.end - 1)
}

/// If-Match and If-Unmodified-Since (RFC 9110, 13.1.1 and 13.1.4).
fn preconditions_hold(head: &Head, content: &Content) -> bool {
    if let Some(wanted) = head.header("if-match") {
        let etag = content.etag_value();
        return wanted.trim() == "*" || wanted.split(',').any(|tag| Some(tag.trim()) == etag.as_deref());
    }
    let Some(limit) = head.header("if-unmodified-since").and_then(|value| httpdate::parse_http_date(value).ok()) else {
        return true;
    };
    content.stamp().is_none_or(|stamp| stamp.unix_seconds() <= FileTime::from(limit).unix_seconds())
}

/// If-Range: the whole file when the validator is another one (RFC 9110, 13.1.5).
fn if_range_holds(head: &Head, content: &Content) -> bool {
    head.header("if-range").is_none_or(|wanted| {
        content.etag_value().as_deref() == Some(wanted) || content.stamp().map(date).as_deref() == Some(wanted)
    })
}

/// The last second that an HTTP date can write: 9999-12-31 23:59:59.
const LAST_DATE: u64 = 253_402_300_799;

/// An HTTP date; times that it cannot write show as the nearest that it can.
fn date(stamp: FileTime) -> String {
    let seconds = u64::try_from(stamp.unix_seconds()).unwrap_or(0).min(LAST_DATE);
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

fn has_no_body(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 304)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        412 => "Precondition Failed",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(request: &str, content: &Content) -> Answer {
        let head = crate::head::parse(format!("{request}\r\n\r\n").as_bytes()).unwrap();
        Answer::to(&head, Some(content), FileTime::from_unix_seconds(0))
    }

    fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
        answer.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn a_file_changed_since_is_refused_and_an_equal_stamp_is_not() {
        let content =
            Content::bytes("abc").last_modified(FileTime::from_unix_seconds(1000).plus(Duration::from_millis(500)));
        let status = |since| {
            let since = date(FileTime::from_unix_seconds(since));
            answer(&format!("GET /a HTTP/1.1\r\nIf-Unmodified-Since: {since}"), &content).status
        };
        assert_eq!([status(999), status(1000), status(1001)], [412, 200, 200]);
    }

    #[test]
    fn if_match_and_if_range_look_at_the_etag() {
        let content = Content::bytes("abc");
        let etag = content.etag_value().unwrap();
        assert_eq!(answer(&format!("GET /a HTTP/1.1\r\nIf-Match: \"x\", {etag}"), &content).status, 200);
        assert_eq!(answer("GET /a HTTP/1.1\r\nIf-Match: \"x\"", &content).status, 412);
        let ranged =
            |tag: &str| answer(&format!("GET /a HTTP/1.1\r\nRange: bytes=1-\r\nIf-Range: {tag}"), &content).status;
        assert_eq!([ranged(&etag), ranged("\"x\"")], [206, 200]);
    }

    #[test]
    fn head_says_the_length_and_sends_nothing() {
        let answer = answer("HEAD /a HTTP/1.1\r\nRange: bytes=0-0", &Content::bytes("abc"));
        assert_eq!((answer.status, header(&answer, "Content-Length"), answer.body.len()), (200, Some("3"), 0));
        assert_eq!(header(&answer, "Last-Modified"), Some("Wed, 01 Jan 2025 00:00:00 GMT"));
    }

    #[test]
    fn several_ranges_come_as_multipart_whose_length_is_right() {
        let answer = answer("GET /a HTTP/1.1\r\nRange: bytes=0-1,-1", &Content::bytes("abcdef"));
        assert_eq!(answer.served(), [0..2, 5..6]);
        let length: u64 = answer.body.iter().map(Piece::length).sum();
        assert_eq!(header(&answer, "Content-Length"), Some(length.to_string().as_str()));
    }

    #[test]
    fn an_http_1_0_server_neither_chunks_nor_keeps_alive() {
        let answer = answer("GET /a HTTP/1.1", &Content::bytes("abc").chunked().http10());
        assert_eq!((answer.framing, answer.close), (Framing::UntilClose, true));
        assert!(answer.head_bytes().starts_with(b"HTTP/1.0 200 OK\r\n"));
    }
}
