//! The words of Passport: lists of parameters, taken apart.
//!
//! A parameter is a name with a value, or a bare word. Values are mostly not quoted and hold
//! whatever but a comma; one that begins with a quotation mark goes on to the next one like it.

use http::HeaderMap;
use http::header::HeaderName;

use crate::challenge;

/// The longest list that is listened to, in bytes: some hundred times what was seen of any server.
pub(super) const LONGEST: usize = 16 * 1024;

/// What a server says in Passport's terms in headers of that name, without the name of the scheme.
pub(super) fn said<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let challenges = challenge::all(headers, name);
    let said = challenges.into_iter().find(|challenge| challenge.scheme == bits_api::AuthScheme::PASSPORT)?.rest;
    (said.len() <= LONGEST).then_some(said)
}

/// The parameters of a list, in order, as they are spelled.
pub(super) fn items(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(list);
    std::iter::from_fn(move || {
        let list = rest?;
        let end = quoted(list) + list[quoted(list)..].find(',').unwrap_or(list.len() - quoted(list));
        rest = list.get(end + 1..);
        Some(list[..end].trim_matches([' ', '\t']))
    })
    .filter(|item| !item.is_empty())
}

/// Where the quoted value of the first parameter of a list ends; 0 if it has none.
fn quoted(list: &str) -> usize {
    let Some(begin) = list.find(['=', ',']).filter(|at| list[*at..].starts_with('=')).map(|at| at + 1) else {
        return 0;
    };
    let Some(mark) = list[begin..].chars().next().filter(|mark| matches!(mark, '\'' | '"')) else { return 0 };
    list[begin + 1..].find(mark).map_or(0, |length| begin + 1 + length + 1)
}

/// The value of the first parameter of that name, whatever its case, as it is spelled.
pub(super) fn value<'a>(list: &'a str, name: &str) -> Option<&'a str> {
    items(list).find_map(|item| {
        let (found, value) = item.split_once('=')?;
        found.trim_end().eq_ignore_ascii_case(name).then(|| value.trim_start())
    })
}

/// A value without the marks around it.
pub(super) fn plain(value: &str) -> &str {
    let mark = value.chars().next().filter(|mark| matches!(mark, '\'' | '"'));
    mark.and_then(|mark| value.strip_prefix(mark)?.strip_suffix(mark)).unwrap_or(value)
}

/// Whether a parameter has one of these names, whatever its case; bare words are names too.
pub(super) fn is_one_of(item: &str, names: &[&str]) -> bool {
    let name = item.split('=').next().unwrap_or_default().trim_end();
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken_apart(list: &str) -> Vec<&str> {
        items(list).collect()
    }

    #[test]
    fn a_list_is_taken_apart_at_its_commas() {
        let list = "da-status=failed,srealm=Passport.NET, ts=-2 ,prompt,,cburl=http://a/?b=c";

        assert_eq!(
            taken_apart(list),
            ["da-status=failed", "srealm=Passport.NET", "ts=-2", "prompt", "cburl=http://a/?b=c"]
        );
        assert_eq!(value(list, "SREALM"), Some("Passport.NET"));
        assert_eq!((value(list, "prompt"), value(list, "b")), (None, None));
    }

    #[test]
    fn a_quoted_value_keeps_its_commas() {
        let list = r#"from-PP='t=a,b&p=c"',ru="http://a/,b",cbtxt='open, x=1"#;

        assert_eq!(taken_apart(list), [r#"from-PP='t=a,b&p=c"'"#, r#"ru="http://a/,b""#, "cbtxt='open", "x=1"]);
        assert_eq!(value(list, "from-pp"), Some(r#"'t=a,b&p=c"'"#));
        assert_eq!(value(list, "ru").map(plain), Some("http://a/,b"));
    }

    proptest! {
        #[test]
        fn whatever_is_taken_apart_was_there(list in r#"[a-z='", é]{0,60}"#) {
            for item in items(&list) {
                prop_assert!(list.contains(item) && !item.is_empty());
                prop_assert!(item.len() >= item.split_once('=').map_or("", |(_, value)| plain(value)).len());
            }
        }
    }
}
