//! Who asks us who we are, and what he gets out of us.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bits_api::{AuthScheme, AuthTarget};
use bits_auth::challenge::{self, Challenge};
use bits_auth::{Asked, Manner, Party, Step};
use bits_wire::Secret;
use bits_wire::auth::{Login, Logins};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::first_line;

const USER_NAME: &str = "DOMAIN\\Zaphod";
/// Nothing that a server would say of itself.
const PASSWORD: &str = "Xy7!kept-to-ourselves";

const ASKED: Asked<'_> = Asked { method: "GET", target: "/file?a=b", host: "host" };

const MANNER: Manner = Manner { nonce: || "0a4f113b".to_owned(), knows_sha256: true };

/// The most that a server may make us say about one request: a greeting that has grown stale, NTLM
/// inside of Negotiate, and the three messages of either.
const MOST_WORDS: usize = 6;

/// A line that a server may send with a status of 401.
///
/// # Panics
/// When what is taken apart was not there, or a challenge would be found twice.
pub fn challenges(data: &[u8]) {
    let Ok(line) = std::str::from_utf8(data) else { return };
    let found = challenge::in_line(line);
    let mut beyond = line;
    for Challenge { rest, .. } in &found {
        // Each stands behind the one before.
        let at = beyond.find(rest).expect("what was in the line");
        beyond = &beyond[at + rest.len()..];
        for (name, value) in challenge::parameters(rest) {
            assert!(rest.contains(name) && value.len() <= rest.len(), "{name}");
            assert!(!name.contains([',', '=']), "{name}");
        }
        if let Some(token) = challenge::token(rest) {
            assert!(!token.is_empty() && rest.contains(token));
        }
    }
    // Two lines hold what one would, but for what has an open end.
    let ends_well = line.matches('"').count() % 2 == 0 && !line.contains(['\\', '/']);
    if ends_well && !found.iter().any(|challenge| challenge.scheme == AuthScheme::PASSPORT) {
        let twice = format!("{line}, Basic realm=\"x\"");
        let schemes = |found: &[Challenge<'_>]| found.iter().map(|challenge| challenge.scheme).collect::<Vec<_>>();
        let mut expected = schemes(&found);
        expected.push(AuthScheme::BASIC);
        assert_eq!(schemes(&challenge::in_line(&twice)), expected);
    }
}

/// The letters of the schemes that the job has an account for in the first line (`b`, `d`, `n`, `g`,
/// `p`; `x` for a proxy); then answers, a line each: the status, a blank, and the value of the header
/// that challenges, or of the one that accepts.
///
/// # Panics
/// When something is said before anybody asks, for ever, in more than a line, or for a scheme without
/// an account; or when the password is.
pub fn parties(data: &[u8]) {
    let (letters, mut answers) = first_line(data);
    let target = if letters.contains(&b'x') { AuthTarget::PROXY } else { AuthTarget::SERVER };
    let accounts = schemes(letters);
    let mut party = Party::new(target, &logins(target, &accounts), MANNER);
    assert!(party.say(&ASKED).is_none(), "said before anybody has asked");
    let mut words = 0;
    while !answers.is_empty() {
        let (line, rest) = first_line(answers);
        answers = rest;
        let Some((status, headers)) = head(target, line) else { continue };
        match party.hear(status, &headers) {
            Step::Again => words += 1,
            _ => words = 0,
        }
        assert!(words <= MOST_WORDS, "they make us talk for ever");
        if let Some((_, said)) = party.say(&ASKED) {
            assert_is_no_secret(said.expose(), &accounts);
        }
    }
}

/// The letter of NTLM or Negotiate, `n` or `g`; then the message with which a server answers our first.
///
/// # Panics
/// When a message of ours has our password in it, or grows with what was said.
pub fn tokens(data: &[u8]) {
    let Some((letter, message)) = data.split_first() else { return };
    let accounts = schemes(&[*letter]);
    let name = if *letter == b'g' { "Negotiate" } else { "NTLM" };
    let mut party = Party::new(AuthTarget::SERVER, &logins(AuthTarget::SERVER, &accounts), MANNER);
    let challenges = [name.to_owned(), format!("{name} {}", BASE64_STANDARD.encode(message))];
    for challenge in &challenges {
        let value = HeaderValue::from_str(challenge).expect("text");
        let _ = party.hear(401, &HeaderMap::from_iter([(WWW_AUTHENTICATE, value)]));
        let Some((_, said)) = party.say(&ASKED) else { return };
        assert_is_no_secret(said.expose(), &accounts);
        let said = BASE64_STANDARD.decode(&said.expose()[name.len() + 1..]).expect("a token");
        let wide: Vec<u8> = PASSWORD.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for secret in [PASSWORD.as_bytes(), &wide] {
            assert!(!said.windows(secret.len()).any(|part| part == secret), "the password is said");
        }
        assert!(said.len() <= message.len() + 4096, "{} bytes for {}", said.len(), message.len());
    }
}

fn schemes(letters: &[u8]) -> BTreeSet<AuthScheme> {
    let known = [
        (b'b', AuthScheme::BASIC),
        (b'd', AuthScheme::DIGEST),
        (b'n', AuthScheme::NTLM),
        (b'g', AuthScheme::NEGOTIATE),
        (b'p', AuthScheme::PASSPORT),
    ];
    known.into_iter().filter(|(letter, _)| letters.contains(letter)).map(|(_, scheme)| scheme).collect()
}

fn logins(target: AuthTarget, accounts: &BTreeSet<AuthScheme>) -> Arc<Logins> {
    let login = Login { user_name: Secret::new(USER_NAME), password: Secret::new(PASSWORD) };
    Arc::new(accounts.iter().map(|scheme| ((target, *scheme), login.clone())).collect())
}

/// The status and the headers of an answer.
fn head(target: AuthTarget, line: &[u8]) -> Option<(u16, HeaderMap)> {
    let status: u16 = std::str::from_utf8(line.get(..3)?).ok()?.parse().ok()?;
    let name = match (status, target) {
        (401 | 407, _) if status == 407 => "proxy-authenticate",
        (401, _) => "www-authenticate",
        (_, AuthTarget::PROXY) => "proxy-authentication-info",
        _ => "authentication-info",
    };
    let value = HeaderValue::from_bytes(line.get(4..)?).ok()?;
    Some((status, HeaderMap::from_iter([(HeaderName::from_static(name), value)])))
}

fn assert_is_no_secret(said: &str, accounts: &BTreeSet<AuthScheme>) {
    assert!(!said.contains(char::is_control), "{said:?} is no line");
    let (name, _) = said.split_once(' ').unwrap_or((said, ""));
    let scheme = match name {
        "Basic" => AuthScheme::BASIC,
        "Digest" => AuthScheme::DIGEST,
        "NTLM" => AuthScheme::NTLM,
        "Negotiate" => AuthScheme::NEGOTIATE,
        _ => AuthScheme::PASSPORT,
    };
    assert!(accounts.contains(&scheme), "{name} without an account for it");
    assert!(scheme == AuthScheme::PASSPORT || !said.contains(PASSWORD), "{said}");
    assert!(said.len() < 64 * 1024, "{} bytes", said.len());
}
