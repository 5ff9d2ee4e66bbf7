//! The servers of Passport, and what they get out of us.

use bits_auth::passport::{Configuration, SignIn, SignInStep};
use bits_wire::Secret;
use bits_wire::auth::Login;
use bits_wire::download::{Scheme, Target};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::first_line;

const USER_NAME: &str = "zaphod@example.com";
/// What is never sent as it is.
const PASSWORD: &str = "Xy7!kept, to ourselves";
/// How the password may be sent.
const TOLD: &str = "pwd=Xy7%21kept%2C%20to%20ourselves";
const MOST_REDIRECTS: u64 = 3;

/// What the nexus says, what a partner asks for after the name of the scheme, and then answers of the
/// login server, a line each: the status, a blank, and the value of the header that challenges, sends
/// on or grants. Blanks before the first line make the nexus one of plain HTTP.
///
/// # Panics
/// When something other than a sign-in goes out, to anybody who does not ask for it, more openly than
/// before, or for ever.
pub fn passport(data: &[u8]) {
    let (urls, rest) = first_line(data);
    let (challenge, mut answers) = first_line(rest);
    let scheme = if urls.starts_with(b" ") { "http" } else { "https" };
    let nexus = Target::parse(&format!("{scheme}://nexus.example/rdr/pprdr.asp")).expect("a URL");
    let Some(headers) = header("passporturls", urls) else { return };
    let Some(configuration) = Configuration::read(&headers, &nexus) else { return };
    assert!(is_no_worse(&nexus, &configuration.login), "{}", configuration.login);
    let Ok(challenge) = std::str::from_utf8(challenge) else { return };
    let login = Login { user_name: Secret::new(USER_NAME), password: Secret::new(PASSWORD) };
    let asked = Target::parse("https://partner.example/file,1?a=b").expect("a URL");
    let Some(mut sign_in) = SignIn::new(&configuration, &login, challenge, ("GET", &asked), MOST_REDIRECTS) else {
        return;
    };
    let mut asks = 0;
    while !answers.is_empty() {
        let (line, rest) = first_line(answers);
        answers = rest;
        let Some((status, headers)) = head(line) else { continue };
        let (before, had_told) = (sign_in.at().clone(), sign_in.has_told());
        match sign_in.hear(status, &headers) {
            SignInStep::Ask => asks += 1,
            SignInStep::Granted(token) => {
                let said = token.authorization.expose().to_owned();
                assert!(said.starts_with("Passport1.4 from-PP=") && !said.contains(PASSWORD) && !said.contains(TOLD));
                return;
            }
            _ => return,
        }
        assert!(asks <= MOST_REDIRECTS + 1, "asked for ever");
        assert!(is_no_worse(&before, sign_in.at()), "{before} leads to {}", sign_in.at());
        assert!(had_told || status == 401 || !sign_in.has_told(), "told by {status}");
        assert_is_a_sign_in(&sign_in, challenge);
    }
}

fn assert_is_a_sign_in(sign_in: &SignIn, challenge: &str) {
    let authorization = sign_in.authorization();
    let said = authorization.expose();
    assert!(said.starts_with("Passport1.4 ") && said.ends_with(challenge), "{said}");
    // All of it but the partner's challenge, which came in a header.
    let own = &said[..said.len() - challenge.len()];
    assert!(HeaderValue::from_str(own).is_ok(), "{own:?} is no line");
    assert_eq!(own.contains(TOLD), sign_in.has_told(), "{own}");
    assert!(!own.contains(PASSWORD) && own.len() < 32 * 1024, "{own}");
}

fn is_no_worse(from: &Target, to: &Target) -> bool {
    from.origin().scheme == Scheme::Http || to.origin().scheme == Scheme::Https
}

/// The status and the headers of an answer.
fn head(line: &[u8]) -> Option<(u16, HeaderMap)> {
    let status: u16 = std::str::from_utf8(line.get(..3)?).ok()?.parse().ok()?;
    let name = match status {
        401 => "www-authenticate",
        300..=399 => "location",
        _ => "authentication-info",
    };
    Some((status, header(name, line.get(4..)?)?))
}

fn header(name: &'static str, value: &[u8]) -> Option<HeaderMap> {
    let value = HeaderValue::from_bytes(value).ok()?;
    Some(HeaderMap::from_iter([(HeaderName::from_static(name), value)]))
}
