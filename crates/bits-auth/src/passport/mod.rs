//! Passport 1.4 ([MS-PASS]): who asks for it is not who is told the password.
//!
//! A server that asks for Passport (the *partner*) is answered in four steps. The *nexus* tells
//! which login server there is, and of which realm ([`Configuration`]). The *login server* is told
//! what was asked for, and asks for name and password; it is told those, and answers with a token
//! ([`SignIn`]). The partner is asked again with the token ([`Token`]), and from then on knows the
//! client by its cookies. Name and password go to nobody but the login server.
//!
//! [MS-PASS]: https://learn.microsoft.com/openspecs/windows_protocols/ms-pass/

mod configuration;
mod sign_in;
mod words;

use bits_api::{AuthScheme, AuthTarget};
use bits_wire::auth::{Login, Logins};
use http::HeaderMap;
use http::header::{HeaderName, WWW_AUTHENTICATE};

use crate::{challenge, choice};

pub use configuration::Configuration;
pub use sign_in::{SignIn, SignInStep, Token, Unusable};

/// How the scheme begins in every header.
const SCHEME: &str = "Passport1.4 ";

/// Where servers say what has become of a sign-in.
const AUTHENTICATION_INFO: HeaderName = HeaderName::from_static("authentication-info");

/// What the challenge of a partner says after the name of the scheme, and the account with which it is
/// answered, where Passport is the strongest scheme that is offered and that there is an account for.
/// Only with 302 and 401 it is a challenge.
pub fn wanted<'a>(status: u16, headers: &'a HeaderMap, logins: &'a Logins) -> Option<(&'a str, &'a Login)> {
    let mut challenges = challenge::all(headers, &WWW_AUTHENTICATE);
    match status {
        401 => {}
        // No other scheme asks like that.
        302 => challenges.retain(|challenge| challenge.scheme == AuthScheme::PASSPORT),
        _ => return None,
    }
    let (scheme, login) = choice::choose(&challenges, AuthTarget::SERVER, logins)?;
    (scheme == AuthScheme::PASSPORT).then_some((words::said(headers, &WWW_AUTHENTICATE)?, login))
}

/// Whether a partner's answer says that its cookies stand for the token from now on.
pub fn sets_token(headers: &HeaderMap) -> bool {
    words::said(headers, &AUTHENTICATION_INFO).is_some()
}

#[cfg(test)]
mod tests {
    use bits_wire::Secret;
    use http::HeaderValue;

    use super::*;

    /// What is to be answered, for a job with these records.
    fn challenge(status: u16, lines: &[&'static str], records: &[(AuthTarget, AuthScheme)]) -> Option<String> {
        let login = Login { user_name: Secret::new("user@example.com"), password: Secret::new("password") };
        let logins: Logins = records.iter().map(|record| (*record, login.clone())).collect();
        let line = |line: &&'static str| (WWW_AUTHENTICATE, HeaderValue::from_static(line));
        let headers = lines.iter().map(line).collect();
        wanted(status, &headers, &logins).map(|(challenge, _)| challenge.to_owned())
    }

    #[test]
    fn a_partner_asks_by_302_or_401_and_by_no_other_status() {
        let [passport, ntlm] = [AuthScheme::PASSPORT, AuthScheme::NTLM].map(|scheme| (AuthTarget::SERVER, scheme));
        let lines = ["NTLM", "Passport1.4 id=507,tw=40"];
        let found = Some("id=507,tw=40".to_owned());

        assert_eq!([302, 401].map(|status| challenge(status, &lines, &[passport])), [found.clone(), found.clone()]);
        assert_eq!([200, 301, 307, 403, 407].map(|status| challenge(status, &lines, &[passport])), [const { None }; 5]);
        assert_eq!([302, 401].map(|status| challenge(status, &lines, &[passport, ntlm])), [found, None]);
        assert_eq!(challenge(302, &lines, &[(AuthTarget::PROXY, AuthScheme::PASSPORT)]), None);
    }
}
