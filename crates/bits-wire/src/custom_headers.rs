//! The headers that a client adds to the requests of its job.

use std::sync::Arc;

use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, IF_RANGE, IF_UNMODIFIED_SINCE, RANGE, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue};

/// What says where a request goes, which part of the file it asks for, and where it ends: BITS'
/// own affair.
const RESERVED: [HeaderName; 13] = [
    HOST,
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    TE,
    TRAILER,
    UPGRADE,
    EXPECT,
    RANGE,
    IF_RANGE,
    IF_UNMODIFIED_SINCE,
];

/// What BITS says of itself, and a client may say better.
const OWN: [HeaderName; 3] = [ACCEPT, ACCEPT_ENCODING, USER_AGENT];

/// Custom headers. The values do not show themselves.
#[derive(Clone, Debug, Default)]
pub struct CustomHeaders {
    lines: HeaderMap,
    spelled: Arc<[Box<str>]>,
}

impl CustomHeaders {
    /// The headers of `text`: `Name: value`, each ended by CR LF, which may be missing after the
    /// last one; empty lines count for nothing (a decision, `http_options.custom_headers.format`).
    ///
    /// `None` when a line is no header.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = HeaderMap::new();
        let mut spelled = Vec::new();
        for line in text.split("\r\n").filter(|line| !line.is_empty()) {
            let (given, value) = line.split_once(':')?;
            let name = HeaderName::from_bytes(given.as_bytes()).ok()?;
            let mut value = HeaderValue::from_str(value.trim_matches([' ', '\t'])).ok()?;
            value.set_sensitive(true);
            lines.append(name, value);
            spelled.push(given.into());
        }
        Some(Self { lines, spelled: spelled.into() })
    }

    /// Whether there is one among them that BITS does not let a client send (a decision,
    /// `http_options.custom_headers.reserved`).
    pub fn has_reserved(&self) -> bool {
        RESERVED.iter().any(|name| self.lines.contains_key(name))
    }

    /// Whether one of them has this name, in any case.
    pub fn contains(&self, name: &str) -> bool {
        self.lines.contains_key(name)
    }

    /// The names as the client has spelled them.
    pub fn spelled(&self) -> &Arc<[Box<str>]> {
        &self.spelled
    }

    /// Whether the client says something of its own in place of BITS.
    pub(crate) fn has_own(&self) -> bool {
        OWN.iter().any(|name| self.lines.contains_key(name))
    }

    /// Puts the headers behind those that are there, but for the reserved ones. What BITS says of
    /// itself stays beside the client's word only where it `repeats` (a decision,
    /// `http_options.custom_headers.own`).
    pub(crate) fn add_to(&self, headers: &mut HeaderMap, repeats: bool) {
        for name in self.lines.keys().filter(|name| !RESERVED.contains(name)) {
            let mut values = self.lines.get_all(name).iter().cloned();
            if OWN.contains(name) && !repeats {
                // It keeps its place among the others.
                _ = values.next().map(|first| headers.insert(name, first));
            }
            for value in values {
                headers.append(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(headers: &HeaderMap) -> Vec<String> {
        headers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect()
    }

    fn parsed(text: &str) -> Option<Vec<String>> {
        CustomHeaders::parse(text).map(|headers| lines(&headers.lines))
    }

    fn added(text: &str, repeats: bool) -> Vec<String> {
        let own = [(USER_AGENT, "bits"), (HOST, "origin"), (RANGE, "bytes=0-9")];
        let mut headers = own.map(|(name, value)| (name, HeaderValue::from_static(value))).into_iter().collect();
        CustomHeaders::parse(text).unwrap().add_to(&mut headers, repeats);
        lines(&headers)
    }

    #[test]
    fn each_line_is_a_header() {
        let found = parsed("MyHeader_1: Header One Value\r\nb:2\r\nc:\r\n").unwrap();

        assert_eq!(found, ["myheader_1=Header One Value", "b=2", "c="]);
    }

    #[test]
    fn the_last_line_end_may_be_missing_and_a_line_be_empty() {
        assert_eq!(parsed("a: 1\r\nb: 2").unwrap(), ["a=1", "b=2"]);
        assert_eq!(parsed("\r\n").unwrap(), Vec::<String>::new());
        assert_eq!(parsed("").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_line_that_is_no_header_spoils_all() {
        for text in ["no colon\r\n", ": nameless\r\n", "two words: 1\r\n", "a: 1\nb: 2\r\n", "a: 1\r\n b: 2\r\n"] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }

    #[test]
    fn names_are_known_as_they_were_spelled() {
        let headers = CustomHeaders::parse("MyHeader_1: 1\r\nx-lower: 2\r\nETag: 3").unwrap();

        assert_eq!(headers.spelled().iter().map(|name| &**name).collect::<Vec<_>>(), ["MyHeader_1", "x-lower", "ETag"]);
    }

    #[test]
    fn a_name_has_no_case() {
        let headers = CustomHeaders::parse("X-Token: 1").unwrap();

        assert_eq!(
            ["x-token", "X-TOKEN", "X-Other", "not a name"].map(|name| headers.contains(name)),
            [true, true, false, false]
        );
    }

    #[test]
    fn values_do_not_show_themselves() {
        let headers = CustomHeaders::parse("X-Token: hunter2").unwrap();

        assert!(!format!("{headers:?}").contains("hunter2"));
    }

    #[test]
    fn headers_come_behind_those_of_bits() {
        let expected = ["user-agent=bits", "host=origin", "range=bytes=0-9", "x=1", "x=2", "y=3"];
        assert_eq!(added("X: 1\r\nX: 2\r\nY: 3", false), expected);
    }

    #[test]
    fn what_a_client_says_of_itself_takes_the_place_of_bits_own_or_stands_beside_it() {
        let usual = ["user-agent=mine", "user-agent=too", "host=origin", "range=bytes=0-9"];
        assert_eq!(added("User-Agent: mine\r\nuser-agent: too", false), usual);
        let other = ["user-agent=bits", "user-agent=mine", "host=origin", "range=bytes=0-9"];
        assert_eq!(added("User-Agent: mine", true), other);
    }

    #[test]
    fn what_is_reserved_is_not_sent() {
        let text: Vec<String> = RESERVED.iter().map(|name| format!("{name}: 1")).collect();

        assert_eq!(added(&text.join("\r\n"), true), ["user-agent=bits", "host=origin", "range=bytes=0-9"]);
        assert!(text.iter().all(|line| CustomHeaders::parse(line).unwrap().has_reserved()));
        assert!(!CustomHeaders::parse("X-Host: 1\r\nAuthorization: 2\r\nCookie: 3").unwrap().has_reserved());
    }
}
