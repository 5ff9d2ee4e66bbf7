//! The headers that a client adds to the requests of its job.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers of `text`: `Name: value`, each ended by CR LF, which may be missing after the last
/// one; empty lines count for nothing (a decision, `http_options.custom_headers.format`).
///
/// `None` when a line is no header. The values do not show themselves.
pub fn custom_headers(text: &str) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in text.split("\r\n").filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let mut value = HeaderValue::from_str(value.trim_matches([' ', '\t'])).ok()?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Option<Vec<String>> {
        let headers = custom_headers(text)?;
        Some(headers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect())
    }

    #[test]
    fn each_line_is_a_header() {
        let found = lines("MyHeader_1: Header One Value\r\nb:2\r\nc:\r\n").unwrap();

        assert_eq!(found, ["myheader_1=Header One Value", "b=2", "c="]);
    }

    #[test]
    fn the_last_line_end_may_be_missing_and_a_line_be_empty() {
        assert_eq!(lines("a: 1\r\nb: 2").unwrap(), ["a=1", "b=2"]);
        assert_eq!(lines("\r\n").unwrap(), Vec::<String>::new());
        assert_eq!(lines("").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_line_that_is_no_header_spoils_all() {
        for text in ["no colon\r\n", ": nameless\r\n", "two words: 1\r\n", "a: 1\nb: 2\r\n", "a: 1\r\n b: 2\r\n"] {
            assert_eq!(lines(text), None, "{text:?}");
        }
    }

    #[test]
    fn values_do_not_show_themselves() {
        let headers = custom_headers("X-Token: hunter2").unwrap();

        assert!(!format!("{headers:?}").contains("hunter2"));
    }
}
