//! Challenges: the values of WWW-Authenticate and Proxy-Authenticate, taken apart (RFC 9110, 11.6).
//!
//! Servers are free to put several challenges into one line, or each into its own; what belongs to
//! which has to be told by the shape of what stands between the commas. Whatever makes no sense is
//! left out: a challenge that nobody understands is one that nobody answers.

use std::borrow::Cow;
use std::ops::Range;

use bits_api::AuthScheme;
use http::HeaderMap;
use http::header::HeaderName;

/// One challenge of a scheme that BITS knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Challenge<'a> {
    /// Whose it is.
    pub scheme: AuthScheme,
    /// What follows the name of the scheme: parameters, a token, or nothing.
    pub rest: &'a str,
}

/// The names that schemes have on the wire.
const NAMES: [(&str, AuthScheme); 5] = [
    ("Basic", AuthScheme::BASIC),
    ("Digest", AuthScheme::DIGEST),
    ("NTLM", AuthScheme::NTLM),
    ("Negotiate", AuthScheme::NEGOTIATE),
    ("Passport1.4", AuthScheme::PASSPORT),
];

/// The challenges in all lines of `name`, in order.
pub fn all<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<Challenge<'a>> {
    headers.get_all(name).iter().flat_map(|line| in_bytes(line.as_bytes())).collect()
}

/// The challenges in one line.
pub fn in_line(line: &str) -> Vec<Challenge<'_>> {
    in_bytes(line.as_bytes())
}

/// The challenges in a line that need not be text; what is none is left out of them.
fn in_bytes(line: &[u8]) -> Vec<Challenge<'_>> {
    let mut found: Vec<Challenge<'_>> = Vec::new();
    // The scheme of the challenge that is being read, and where the rest of it begins.
    let mut open: Option<(Option<AuthScheme>, usize)> = None;
    let mut close = |open: Option<(Option<AuthScheme>, usize)>, end: usize| {
        if let Some((Some(scheme), begin)) = open {
            // A realm in an old character set does not hide whose challenge it is.
            let rest = std::str::from_utf8(&line[begin..end]).unwrap_or_default();
            found.push(Challenge { scheme, rest: rest.trim_matches([' ', '\t', ',']) });
        }
    };
    for item in items(line) {
        let begin = item.start;
        let Some((name, rest)) = opening(&line[item]) else { continue };
        close(open.take(), begin);
        let is_named = |(known, _): &&(&str, AuthScheme)| known.as_bytes().eq_ignore_ascii_case(name);
        let scheme = NAMES.iter().find(is_named).map(|(_, scheme)| *scheme);
        open = Some((scheme, begin + rest));
        if scheme == Some(AuthScheme::PASSPORT) {
            // Its bare words and unquoted addresses look like anything; nothing else follows it.
            break;
        }
    }
    close(open, line.len());
    found
}

/// Where what stands between the commas outside quotes is.
fn items(line: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        (at <= line.len()).then(|| {
            let begin = at;
            let mut quotes = Quotes::default();
            let end = line[begin..].iter().position(|byte| quotes.are_closed_at(*byte) && *byte == b',');
            let end = end.map_or(line.len(), |length| begin + length);
            at = end + 1;
            begin..end
        })
    })
}

/// Follows quoted strings.
#[derive(Default)]
struct Quotes {
    is_open: bool,
    is_escape: bool,
}

impl Quotes {
    fn are_closed_at(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.is_escape => self.is_escape = false,
            b'\\' if self.is_open => self.is_escape = true,
            b'"' => self.is_open = !self.is_open,
            _ => {}
        }
        !self.is_open
    }
}

/// The name of the scheme with which a challenge begins in `item`, and where what follows the name
/// begins; `None` when it is a parameter of the challenge before it.
fn opening(item: &[u8]) -> Option<(&[u8], usize)> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let begin = item.iter().position(|byte| !is_blank(byte))?;
    let length = item[begin..].iter().position(|byte| !is_token(*byte)).unwrap_or(item.len() - begin);
    let (name, rest) = item[begin..].split_at(length);
    let follows = rest.iter().find(|byte| !is_blank(byte));
    let stands_alone = rest.first().is_none_or(is_blank);
    (!name.is_empty() && follows != Some(&b'=') && stands_alone).then_some((name, begin + length))
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The parameters of a challenge, in order: names as they are spelled, values without their quotes.
pub fn parameters(rest: &str) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    items(rest.as_bytes()).filter_map(|item| {
        let (name, value) = rest[item].split_once('=')?;
        let name = name.trim_matches([' ', '\t']);
        // A quote that nobody has closed, or opened, hides what stands around it.
        let is_name = !name.is_empty() && name.bytes().all(is_token);
        is_name.then(|| (name, unquoted(value.trim_matches([' ', '\t']))))
    })
}

/// The value of the first parameter of this name, whatever its case.
pub fn parameter<'a>(rest: &'a str, name: &str) -> Option<Cow<'a, str>> {
    parameters(rest).find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The token of a challenge that has one instead of parameters; `None` for a challenge without.
pub fn token(rest: &str) -> Option<&str> {
    Some(rest.trim_matches([' ', '\t'])).filter(|token| !token.is_empty())
}

fn unquoted(value: &str) -> Cow<'_, str> {
    let Some(inner) = value.strip_prefix('"') else { return Cow::Borrowed(value) };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut plain = String::with_capacity(inner.len());
    let mut is_escape = false;
    for c in inner.chars() {
        if c == '\\' && !is_escape {
            is_escape = true;
        } else {
            is_escape = false;
            plain.push(c);
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::WWW_AUTHENTICATE;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn taken_apart(line: &str) -> Vec<(&'static str, &str)> {
        let name = |scheme| NAMES.iter().find(|(_, known)| *known == scheme).unwrap().0;
        in_line(line).into_iter().map(|challenge| (name(challenge.scheme), challenge.rest)).collect()
    }

    #[test]
    fn several_challenges_may_share_a_line() {
        let line = r#"Negotiate, NTLM , basic realm="a, b", Digest realm="x", nonce="y",qop="auth,auth-int""#;

        assert_eq!(
            taken_apart(line),
            [
                ("Negotiate", ""),
                ("NTLM", ""),
                ("Basic", r#"realm="a, b""#),
                ("Digest", r#"realm="x", nonce="y",qop="auth,auth-int""#),
            ]
        );
    }

    #[test]
    fn a_token_is_no_parameter() {
        assert_eq!(taken_apart("NTLM TlRMTVNTUAACAAAA=="), [("NTLM", "TlRMTVNTUAACAAAA==")]);
        assert_eq!(taken_apart("Negotiate oRQ=, Basic realm=x"), [("Negotiate", "oRQ="), ("Basic", "realm=x")]);
        assert_eq!(token("  oRQ= "), Some("oRQ="));
        assert_eq!(token(""), None);
    }

    #[test]
    fn what_belongs_to_an_unknown_scheme_is_left_out_with_it() {
        let line = r#"Bearer realm="r", error="e", Basic realm="b", Newer abc=="#;

        assert_eq!(taken_apart(line), [("Basic", r#"realm="b""#)]);
        assert_eq!(taken_apart("= , ,,; =x \"Basic\" realm"), []);
    }

    #[test]
    fn all_that_follows_passport_is_its_own() {
        let rest = "id=507,ct=1,prompt,cburl=http://a/?b=c, Basic realm=x";

        assert_eq!(taken_apart(&format!("Passport1.4 {rest}")), [("Passport1.4", rest)]);
    }

    #[test]
    fn parameters_lose_their_quotes() {
        let rest = r#"realm = "a \"b\" \\c", nonce=abc=, stale=TRUE, opaque="", broken="x"#;
        let parameters: Vec<_> = parameters(rest).collect();

        assert_eq!(
            parameters,
            [
                ("realm", r#"a "b" \c"#.into()),
                ("nonce", "abc=".into()),
                ("stale", "TRUE".into()),
                ("opaque", "".into()),
                ("broken", "x".into()),
            ]
        );
        assert_eq!(parameter(rest, "NONCE").as_deref(), Some("abc="));
        assert_eq!(parameter(rest, "qop"), None);
        assert_eq!(parameter(r#"a=b", realm="c", nonce=d"#, "nonce"), None);
    }

    #[test]
    fn a_challenge_is_found_whatever_its_text_is_made_of() {
        let line = |bytes: &[u8]| HeaderMap::from_iter([(WWW_AUTHENTICATE, HeaderValue::from_bytes(bytes).unwrap())]);
        let (new, old) =
            (line("Basic realm=\"Gesch\u{fc}tzt\"".as_bytes()), line(b"Basic realm=\"Gesch\xfctzt\", NTLM"));
        let found = |headers| all(headers, &WWW_AUTHENTICATE);

        assert_eq!(found(&new)[..], [Challenge { scheme: AuthScheme::BASIC, rest: "realm=\"Gesch\u{fc}tzt\"" }]);
        let basic = Challenge { scheme: AuthScheme::BASIC, rest: "" };
        assert_eq!(found(&old)[..], [basic, Challenge { scheme: AuthScheme::NTLM, rest: "" }]);
    }

    /// A challenge that is not Passport's, and what is to be found of it.
    fn challenge() -> impl Strategy<Value = (&'static str, String)> {
        let parameter = ("[a-z]{1,5}", "[ -!#-\\[\\]-~]{0,8}").prop_map(|(name, value)| format!("{name}=\"{value}\""));
        let rest = prop_oneof![
            vec(parameter, 1..4).prop_map(|parameters| parameters.join(", ")),
            "[A-Za-z0-9+/]{1,9}={0,2}",
            Just(String::new()),
        ];
        (select(vec!["Basic", "Digest", "NTLM", "Negotiate"]), rest)
    }

    proptest! {
        #[test]
        fn what_is_put_into_a_line_comes_out_again(challenges in vec(challenge(), 0..6)) {
            let line: Vec<_> = challenges.iter().map(|(name, rest)| format!("{name} {rest}")).collect();
            let line = line.join(",");

            let expected: Vec<_> = challenges.iter().map(|(name, rest)| (*name, &rest[..])).collect();
            prop_assert_eq!(taken_apart(&line), expected);
        }
    }
}
