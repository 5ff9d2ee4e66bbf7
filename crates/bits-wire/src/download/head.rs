//! Reading the headers of an answer that say how long and how old a file is.

use bits_api::FileTime;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, LAST_MODIFIED, TRANSFER_ENCODING};

/// What the headers say about the length of the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Length {
    /// Content-Length gives it.
    Known(u64),
    /// No Content-Length; possibly chunked.
    Missing,
    /// Content-Length is no number, or several that disagree.
    Malformed,
    /// Content-Length together with Transfer-Encoding: two ways of ending a body that may disagree.
    /// Or a Transfer-Encoding that nobody asked for.
    Ambiguous,
}

/// What Content-Range says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct ContentRange {
    /// First and last byte; `None` in an answer that refuses the range.
    pub(super) bytes: Option<(u64, u64)>,
    /// The size of the file, where it is given.
    pub(super) size: Option<u64>,
}

/// The length of the body.
pub(super) fn length(headers: &HeaderMap) -> Length {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter().peekable();
    if headers.get_all(TRANSFER_ENCODING).iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked")) {
        return Length::Ambiguous;
    }
    if lengths.peek().is_none() {
        return Length::Missing;
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        return Length::Ambiguous;
    }
    let mut parts = lengths.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let first = parts.next().and_then(number);
    match first {
        Some(length) if parts.all(|part| number(part) == first) => Length::Known(length),
        _ => Length::Malformed,
    }
}

/// Whether the content is coded, as by gzip: nobody has asked for that.
pub(super) fn is_coded(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_ENCODING).iter();
    values.any(|value| !value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"))
}

/// Last-Modified, where it is a date.
pub(super) fn last_modified(headers: &HeaderMap) -> Option<FileTime> {
    let date = headers.get(LAST_MODIFIED)?.to_str().ok()?;
    httpdate::parse_http_date(date).ok().map(FileTime::from)
}

/// Content-Range, where it is one of bytes. Several that differ say nothing.
pub(super) fn content_range(headers: &HeaderMap) -> Option<ContentRange> {
    let value = headers.get(CONTENT_RANGE)?;
    let agree = headers.get_all(CONTENT_RANGE).iter().all(|other| other == value);
    if agree { content_range_of(value.to_str().ok()?) } else { None }
}

/// The value of a Content-Range, where it is one of bytes.
pub(super) fn content_range_of(value: &str) -> Option<ContentRange> {
    let (unit, range) = value.trim().split_once(' ')?;
    let (bytes, size) = range.trim().split_once('/')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    let bytes = match bytes {
        "*" => None,
        bytes => {
            let (first, last) = bytes.split_once('-')?;
            let (first, last) = (number(first.as_bytes())?, number(last.as_bytes())?);
            (first <= last).then_some(())?;
            Some((first, last))
        }
    };
    let size = match size {
        "*" => None,
        size => Some(number(size.as_bytes())?),
    };
    Some(ContentRange { bytes, size })
}

/// A decimal number that can be the length of a file.
fn number(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii();
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    i64::try_from(number).ok().map(i64::cast_unsigned)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn content_length_is_a_decimal_number_that_a_file_can_have() {
        let table = [
            ("0", Length::Known(0)),
            (" 12 ", Length::Known(12)),
            ("9223372036854775807", Length::Known(i64::MAX.cast_unsigned())),
            ("9223372036854775808", Length::Malformed),
            ("99999999999999999999999", Length::Malformed),
            ("12, 12", Length::Known(12)),
            ("12, 13", Length::Malformed),
            ("", Length::Malformed),
            ("-1", Length::Malformed),
            ("+1", Length::Malformed),
            ("0x10", Length::Malformed),
        ];
        for (value, expected) in table {
            assert_eq!(length(&headers(&[("content-length", value)])), expected, "{value:?}");
        }
    }

    #[test]
    fn several_content_lengths_must_agree() {
        assert_eq!(length(&headers(&[("content-length", "5"), ("content-length", "5")])), Length::Known(5));
        assert_eq!(length(&headers(&[("content-length", "5"), ("content-length", "6")])), Length::Malformed);
    }

    #[test]
    fn chunked_gives_no_length_and_spoils_one() {
        assert_eq!(length(&headers(&[("transfer-encoding", "chunked")])), Length::Missing);
        let both = [("transfer-encoding", "chunked"), ("content-length", "5")];
        assert_eq!(length(&headers(&both)), Length::Ambiguous);
    }

    #[test]
    fn a_transfer_coding_that_nobody_asked_for_is_no_way_to_end_a_body() {
        for coding in ["gzip", "gzip, chunked", "chunked, chunked", "identity", ""] {
            assert_eq!(length(&headers(&[("transfer-encoding", coding)])), Length::Ambiguous, "{coding}");
        }
        assert_eq!(length(&headers(&[("transfer-encoding", "Chunked")])), Length::Missing);
    }

    #[test]
    fn several_content_ranges_must_agree() {
        let twice = |one, other| {
            let both = [one, other].map(|value| (CONTENT_RANGE, HeaderValue::from_static(value)));
            let mut headers = HeaderMap::new();
            for (name, value) in both {
                headers.append(name, value);
            }
            content_range(&headers).is_some()
        };
        assert!(twice("bytes 0-9/10", "bytes 0-9/10"));
        assert!(!twice("bytes 0-9/10", "bytes 5-14/20"));
    }

    #[test]
    fn any_coding_but_identity_counts() {
        for (values, coded) in
            [(&[][..], false), (&["Identity"], false), (&["gzip"], true), (&["identity", "br"], true)]
        {
            let lines: Vec<_> = values.iter().map(|value| ("content-encoding", *value)).collect();
            assert_eq!(is_coded(&headers(&lines)), coded, "{values:?}");
        }
    }

    #[test]
    fn content_range_is_read_in_all_its_forms() {
        let table = [
            ("bytes 0-99/100", Some((Some((0, 99)), Some(100)))),
            ("Bytes 5-5/*", Some((Some((5, 5)), None))),
            ("bytes */100", Some((None, Some(100)))),
            ("bytes 9-5/100", None),
            ("bytes 0-99", None),
            ("bytes=0-99/100", None),
            ("items 0-9/10", None),
            ("bytes a-b/c", None),
            ("bytes 0-99/9223372036854775808", None),
            ("", None),
        ];
        for (value, expected) in table {
            let expected = expected.map(|(bytes, size)| ContentRange { bytes, size });
            assert_eq!(content_range(&headers(&[("content-range", value)])), expected, "{value:?}");
        }
    }

    #[test]
    fn last_modified_is_a_date_or_nothing() {
        let stamp = last_modified(&headers(&[("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")]));
        assert_eq!(stamp, Some(FileTime::from_unix_seconds(784_111_777)));
        assert_eq!(last_modified(&headers(&[("last-modified", "yesterday")])), None);
    }

    proptest! {
        #[test]
        fn any_value_is_read_without_panic(value in "[ -~\u{80}-\u{ff}]{0,60}") {
            let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) else { return Ok(()) };
            let mut headers = HeaderMap::new();
            for name in [CONTENT_LENGTH, CONTENT_RANGE, LAST_MODIFIED] {
                headers.insert(name, value.clone());
            }
            if let Some(ContentRange { bytes: Some((first, last)), .. }) = content_range(&headers) {
                prop_assert!(first <= last);
            }
            let _ = (length(&headers), last_modified(&headers));
        }
    }
}
