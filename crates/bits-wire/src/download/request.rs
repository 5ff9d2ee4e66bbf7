//! What is sent: the choice between HEAD, GET and GET by Range, and the headers.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bits_api::FileTime;
use bits_world::{Decisions, Switch};
use http::header::{ACCEPT, ACCEPT_ENCODING, CONNECTION, HOST, IF_UNMODIFIED_SINCE, RANGE, USER_AGENT};
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method};

use super::Target;
use crate::CustomHeaders;
use crate::spans::Span;

/// From this size on even a foreground job asks by Range, and no range is longer (clauses
/// `callback2.example.foreground_remedy`, `callback2.example.two_gb_ranges`): 2 GB.
pub const RANGE_LIMIT: u64 = 1 << 31;

/// What a request asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ask {
    /// Size and time stamp, by HEAD.
    Size,
    /// Size and time stamp, by GET with a Range of one byte, where HEAD is refused.
    FirstByte,
    /// The whole file, by GET without Range.
    Whole,
    /// Part of the file, by GET with Range.
    Range {
        /// The first byte.
        first: u64,
        /// The last byte.
        last: u64,
        /// The time stamp that the file must still have, where one is known.
        unmodified_since: Option<FileTime>,
    },
    /// Several parts of the file, by one GET with Range.
    Ranges {
        /// The parts, in ascending order; none touches the next.
        spans: Vec<Span>,
        /// The time stamp that the file must still have, where one is known.
        unmodified_since: Option<FileTime>,
    },
}

impl Ask {
    /// The condition and the value of the Range header; `None` for what is asked for without.
    fn range(&self) -> Option<(Option<FileTime>, String)> {
        match self {
            Self::Size | Self::Whole => None,
            Self::FirstByte => Some((None, "bytes=0-0".to_owned())),
            Self::Range { first, last, unmodified_since } => Some((*unmodified_since, format!("bytes={first}-{last}"))),
            Self::Ranges { spans, unmodified_since } => {
                let parts: Vec<_> = spans.iter().map(|span| format!("{}-{}", span.start, span.end - 1)).collect();
                Some((*unmodified_since, format!("bytes={}", parts.join(","))))
            }
        }
    }
}

/// A request as it goes out; it never has a body.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// HEAD, GET or a client's own.
    pub method: Method,
    /// Path and query.
    pub path: PathAndQuery,
    /// The headers, in the order in which BITS sends them.
    pub headers: HeaderMap,
    /// The names that the client has spelled; all others are in title case.
    pub spelled: Arc<[Box<str>]>,
}

impl Request {
    /// The request for `ask` at `target` (clause `http.open.request_headers`). BITS names itself by
    /// the file version of its library, such as `7.8` (clause `version.dll_versions`).
    pub fn new(ask: &Ask, target: &Target, library: &str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION, HeaderValue::from_static("Keep-Alive"));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some((unmodified_since, range)) = ask.range() {
            if let Some(date) = unmodified_since.and_then(http_date) {
                headers.insert(IF_UNMODIFIED_SINCE, date);
            }
            if let Ok(range) = HeaderValue::try_from(range) {
                headers.insert(RANGE, range);
            }
        }
        if let Ok(agent) = HeaderValue::try_from(format!("Microsoft BITS/{library}")) {
            headers.insert(USER_AGENT, agent);
        }
        if let Ok(host) = HeaderValue::try_from(target.host_header()) {
            headers.insert(HOST, host);
        }
        let method = if *ask == Ask::Size { Method::HEAD } else { Method::GET };
        Self { method, path: target.path_and_query().clone(), headers, spelled: Arc::default() }
    }

    /// The request by the client's own method, where BITS would ask for content by GET.
    #[must_use]
    pub fn by(mut self, method: Option<&str>) -> Self {
        let own = method.and_then(|method| Method::from_bytes(method.as_bytes()).ok());
        if let Some(own) = own.filter(|_| self.method == Method::GET) {
            self.method = own;
        }
        self
    }

    /// The request with the client's own headers after those of BITS (clause
    /// `http_options.set_custom_headers.appended`).
    #[must_use]
    pub fn with_custom(mut self, custom: &CustomHeaders, decisions: &Decisions) -> Self {
        let repeats = custom.has_own() && decisions.is_other(Switch::OwnHeaders);
        custom.add_to(&mut self.headers, repeats);
        self.spelled = Arc::clone(custom.spelled());
        self
    }
}

/// A time stamp as HTTP writes it; `None` outside the years that it can write.
fn http_date(time: FileTime) -> Option<HeaderValue> {
    const YEAR_10000: u64 = 253_402_300_800;
    let seconds = u64::try_from(time.unix_seconds()).ok().filter(|seconds| *seconds < YEAR_10000)?;
    HeaderValue::try_from(httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(ask: &Ask) -> Request {
        Request::new(ask, &Target::parse("http://origin:81/dir/a.bin?v=1").unwrap(), "7.8")
    }

    fn lines(request: &Request) -> Vec<String> {
        request.headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect()
    }

    #[test]
    fn the_size_is_asked_for_by_head_without_conditions() {
        let request = request(&Ask::Size);

        assert_eq!((request.method.as_str(), request.path.as_str()), ("HEAD", "/dir/a.bin?v=1"));
        assert_eq!(
            lines(&request),
            [
                "connection: Keep-Alive",
                "accept: */*",
                "accept-encoding: identity",
                "user-agent: Microsoft BITS/7.8",
                "host: origin:81"
            ]
        );
    }

    #[test]
    fn a_range_is_asked_for_on_condition_that_the_stamp_is_the_same() {
        let stamp = Some(FileTime::from_unix_seconds(784_111_777));
        let request = request(&Ask::Range { first: 10, last: 99, unmodified_since: stamp });

        assert_eq!(request.method, Method::GET);
        assert_eq!(request.headers[RANGE], "bytes=10-99");
        assert_eq!(request.headers[IF_UNMODIFIED_SINCE], "Sun, 06 Nov 1994 08:49:37 GMT");
        assert!(!request.headers.contains_key(http::header::IF_RANGE));
    }

    #[test]
    fn several_ranges_go_into_one_header() {
        let spans = vec![Span::new(0, 10), Span::new(20, 21)];
        let request = request(&Ask::Ranges { spans, unmodified_since: None });

        assert_eq!(request.headers[RANGE], "bytes=0-9,20-20");
    }

    #[test]
    fn a_whole_file_is_asked_for_without_range_and_condition() {
        let request = request(&Ask::Whole);

        assert_eq!(request.method, Method::GET);
        assert!(!request.headers.contains_key(RANGE));
        assert!(!request.headers.contains_key(IF_UNMODIFIED_SINCE));
    }

    #[test]
    fn stamps_that_http_cannot_write_are_left_out() {
        for stamp in [FileTime::ZERO, FileTime(u64::MAX)] {
            let request = request(&Ask::Range { first: 0, last: 0, unmodified_since: Some(stamp) });
            assert!(!request.headers.contains_key(IF_UNMODIFIED_SINCE), "{stamp:?}");
        }
    }
}
