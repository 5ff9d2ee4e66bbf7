//! A sign-in: what the login server is told, and what becomes of it.

use std::fmt;

use bits_wire::Secret;
use bits_wire::auth::Login;
use bits_wire::download::Target;
use http::HeaderMap;
use http::header::{LOCATION, WWW_AUTHENTICATE};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use super::configuration::{Configuration, may_lead};
use super::words::{self, LONGEST};
use super::{AUTHENTICATION_INFO, SCHEME};

/// A sign-in for one request, from the partner's challenge to the token.
#[derive(Debug)]
pub struct SignIn {
    realm: String,
    login: Login,
    /// What the partner was asked for, and its challenge.
    method: String,
    url: Target,
    challenge: String,
    /// The login servers that were turned to, the present one last.
    doors: Vec<Target>,
    /// How many of them lead on to another one.
    most_redirects: u64,
    stage: Stage,
}

/// How much the login server knows.
#[derive(Debug)]
enum Stage {
    /// What was asked for.
    Anonymous,
    /// Name and password too; with what it wants to be told again.
    Known { custom: String },
}

/// What to do about an answer of the login server.
#[derive(Debug)]
#[must_use]
pub enum SignInStep {
    /// The server at [`SignIn::at`] is asked, with [`SignIn::authorization`].
    Ask,
    /// The partner is asked again.
    Granted(Token),
    /// The login server's 401 is the answer: it refuses, or asks for what there is not.
    Refused,
    /// The exchange leads nowhere.
    Unusable(Unusable),
}

/// Why an exchange leads nowhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Unusable {
    /// An answer that is none in terms of Passport.
    Answer,
    /// A redirect that may not be followed: away from HTTPS, to nowhere, in a circle, or one too many.
    Redirect,
    /// A token that is missing, or too long.
    Token,
}

/// What the partner is to be shown.
#[derive(Debug)]
pub struct Token {
    /// The value of Authorization.
    pub authorization: Secret,
    /// The URL that is to be asked for with it, where it is not the one that was asked for.
    pub elsewhere: Option<Target>,
}

/// What stays as it is in the escaped form of URIs (RFC 3986, 2.3).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a challenge of the login server says for itself; all else is to be told again.
const UNDERSTOOD: [&str; 5] = ["da-status", "srealm", "prompt", "cburl", "cbtxt"];

impl SignIn {
    /// A sign-in because of `challenge`, what a partner's challenge says after the name of the
    /// scheme, in answer to a request by `method` for `url`.
    ///
    /// `None` for a challenge that is too long to be one.
    pub fn new(
        configuration: &Configuration,
        login: &Login,
        challenge: &str,
        (method, url): (&str, &Target),
        most_redirects: u64,
    ) -> Option<Self> {
        (challenge.len() <= LONGEST).then(|| Self {
            realm: configuration.realm.clone(),
            login: login.clone(),
            method: method.to_owned(),
            url: url.clone(),
            challenge: challenge.to_owned(),
            doors: vec![configuration.login.clone()],
            most_redirects,
            stage: Stage::Anonymous,
        })
    }

    /// The login server that is asked, by GET.
    pub fn at(&self) -> &Target {
        // The list begins with one entry and never loses it.
        &self.doors[self.doors.len() - 1]
    }

    /// What it is told in Authorization.
    pub fn authorization(&self) -> Secret {
        let asked = format!("OrgVerb={},OrgURL={}", self.method, self.told_url());
        let (asked, challenge) = (asked.as_str(), self.challenge.as_str());
        match &self.stage {
            Stage::Anonymous => Secret::new(&listed(&["tname=", asked, challenge])),
            Stage::Known { custom } => {
                let (user_name, password) =
                    (escaped("sign-in=", &self.login.user_name), escaped("pwd=", &self.login.password));
                // The credentials were entered for this.
                Secret::new(&listed(&[&user_name, &password, "elapsed-time=0", asked, custom, challenge]))
            }
        }
    }

    /// Whether it tells name and password.
    pub fn has_told(&self) -> bool {
        matches!(self.stage, Stage::Known { .. })
    }

    /// The URL as the login server is told it: a comma would end the parameter.
    fn told_url(&self) -> String {
        self.url.to_string().replace(',', "%2C")
    }

    /// Hears the login server's answer.
    pub fn hear(&mut self, status: u16, headers: &HeaderMap) -> SignInStep {
        let info = words::said(headers, &AUTHENTICATION_INFO);
        let is_granted = |info: &&str| says(info, "da-status", &["success"]);
        if let Some(info) = info.filter(is_granted) {
            return self.granted(info);
        }
        match status {
            401 => self.challenged(words::said(headers, &WWW_AUTHENTICATE)),
            301..=303 | 307 | 308 => self.sent_on(headers.get(LOCATION).and_then(|location| location.to_str().ok())),
            _ => SignInStep::Unusable(Unusable::Answer),
        }
    }

    /// Name and password are told once, to a login server of the realm that asks for them.
    fn challenged(&mut self, challenge: Option<&str>) -> SignInStep {
        let Some(challenge) = challenge else { return SignInStep::Refused };
        let may_answer = matches!(self.stage, Stage::Anonymous)
            && says(challenge, "da-status", &["failed"])
            && says(challenge, "srealm", &[&self.realm]);
        if !may_answer {
            return SignInStep::Refused;
        }
        let custom: Vec<_> = words::items(challenge).filter(|item| !words::is_one_of(item, &UNDERSTOOD)).collect();
        self.stage = Stage::Known { custom: custom.join(",") };
        SignInStep::Ask
    }

    fn sent_on(&mut self, location: Option<&str>) -> SignInStep {
        let next = location.and_then(|location| self.at().join(location)).filter(|next| may_lead(self.at(), next));
        match next {
            Some(next) if !self.doors.contains(&next) && self.doors.len() as u64 <= self.most_redirects => {
                self.doors.push(next);
                SignInStep::Ask
            }
            _ => SignInStep::Unusable(Unusable::Redirect),
        }
    }

    fn granted(&self, info: &str) -> SignInStep {
        let token = words::value(info, "from-PP").filter(|token| !token.is_empty());
        let back = words::value(info, "ru").map(words::plain).filter(|back| !back.is_empty());
        let elsewhere = match back {
            None => None,
            Some(back) if back == self.told_url() => None,
            Some(back) => match Target::parse(back) {
                Ok(back) => Some(back).filter(|back| *back != self.url),
                Err(_) => return SignInStep::Unusable(Unusable::Token),
            },
        };
        match token {
            Some(token) => SignInStep::Granted(Token {
                authorization: Secret::new(&listed(&[&format!("from-PP={token}")])),
                elsewhere,
            }),
            None => SignInStep::Unusable(Unusable::Token),
        }
    }
}

/// Whether a parameter has one of these values, whatever their case.
fn says(list: &str, name: &str, values: &[&str]) -> bool {
    let value = words::value(list, name).map(words::plain);
    value.is_some_and(|value| values.iter().any(|known| known.eq_ignore_ascii_case(value)))
}

/// A header of these parameters, but for those that are empty.
fn listed(items: &[&str]) -> Zeroizing<String> {
    let length = SCHEME.len() + items.iter().map(|item| item.len() + 1).sum::<usize>();
    let mut list = Zeroizing::new(String::with_capacity(length));
    list.push_str(SCHEME);
    for item in items.iter().filter(|item| !item.is_empty()) {
        if list.len() > SCHEME.len() {
            list.push(',');
        }
        list.push_str(item);
    }
    list
}

/// A parameter whose value is kept from sight.
fn escaped(name: &str, value: &Secret) -> Zeroizing<String> {
    // A byte becomes three at the most: no copy is left behind by a string that grows.
    let mut parameter = Zeroizing::new(String::with_capacity(name.len() + 3 * value.expose().len()));
    parameter.push_str(name);
    parameter.extend(utf8_percent_encode(value.expose(), ESCAPED));
    parameter
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Answer => "an answer that is none of Passport's",
            Self::Redirect => "a redirect that may not be followed",
            Self::Token => "no token, or no way back with it",
        })
    }
}

#[cfg(test)]
#[path = "sign_in_tests.rs"]
mod tests;
