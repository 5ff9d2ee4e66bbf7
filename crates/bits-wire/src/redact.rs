//! Remote names as they may be shown.
//!
//! A URL may carry a user name and a password. They belong to the server alone: no log, timeline,
//! error or explanation shows a remote name but through here.

use std::borrow::Cow;

/// `url` with `***` in place of its user name and password, which need not be well-formed.
///
/// Only what a URL parser could take for them is replaced: an `@` in the path stays.
///
/// ```
/// use bits_wire::redacted;
///
/// assert_eq!(redacted("http://user:secret@host/a@b"), "http://***@host/a@b");
/// ```
pub fn redacted(url: &str) -> Cow<'_, str> {
    let Some(colon) = url.find(':') else { return Cow::Borrowed(url) };
    // Parsers pass over line ends and tabs, and take any number of slashes of either kind.
    let is_slash = |c: char| matches!(c, '/' | '\\' | '\t' | '\r' | '\n');
    let begin = url.len() - url[colon + 1..].trim_start_matches(is_slash).len();
    // A backslash ends the name of a host where it counts as a slash, as in URLs of HTTP.
    let ends: &[char] = if has_backslashes(&url[..colon]) { &['/', '\\', '?', '#'] } else { &['/', '?', '#'] };
    let end = url[begin..].find(ends).map_or(url.len(), |length| begin + length);
    match url[begin..end].rfind('@') {
        Some(at) => Cow::Owned(format!("{}***{}", &url[..begin], &url[begin + at..])),
        None => Cow::Borrowed(url),
    }
}

/// Whether parsers take a backslash for a slash in URLs of this scheme.
fn has_backslashes(scheme: &str) -> bool {
    let scheme: String = scheme.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    ["http", "https", "ftp", "file", "ws", "wss"].iter().any(|special| scheme.eq_ignore_ascii_case(special))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::redacted;

    #[test]
    fn whatever_a_parser_takes_for_credentials_is_not_shown() {
        for given in [
            "http://user:hunter2@host/a",
            "http://hunter2@host/a",
            "http://:hunter2@host",
            "http://user:p@hunter2@host?q",
            "http:user:hunter2@host/a",
            "http:\\\\user:hunter2@host\\a",
            "ht\ntp:/\t/user:hunter2@host#f",
            "http:////user:hunter2@host/a",
            "p:/\t/user\\:hunter2@host",
        ] {
            let parsed = Url::parse(given).expect(given);
            assert!(parsed.as_str().contains("hunter2"), "{given:?} is {parsed}");
            let shown = redacted(given);
            assert!(!shown.contains("hunter2") && !shown.contains("user") && shown.contains("***@host"), "{shown}");
        }
    }

    #[test]
    fn a_name_without_credentials_is_shown_as_it_is() {
        for given in ["http://host/a@b", "http://host?q=a:b@c", "http://host:80#a@b", "https://[::1]:8/", "host@a", ""]
        {
            assert_eq!(redacted(given), given);
        }
    }
}
