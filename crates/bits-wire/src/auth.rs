//! What an attempt may answer when it is asked who it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bits_api::{AuthScheme, AuthTarget};
use bits_world::{Kdcs, Passport};
use percent_encoding::percent_decode_str;
use url::Url;
use zeroize::Zeroizing;

use crate::Secret;

/// Name and password of an account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Login {
    /// The name, perhaps as `DOMAIN\name` or `name@REALM`.
    pub user_name: Secret,
    /// The password.
    pub password: Secret,
}

impl Login {
    /// User name and password of a URL, percent-decoded; `None` where it has none, or no text.
    ///
    /// ```
    /// use bits_wire::auth::Login;
    ///
    /// let login = Login::of_url("http://user:pass%40word@host/").unwrap();
    /// assert_eq!((login.user_name.expose(), login.password.expose()), ("user", "pass@word"));
    /// ```
    pub fn of_url(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        if url.username().is_empty() && url.password().is_none() {
            return None;
        }
        let decoded = |text: &str| {
            let text = percent_decode_str(text).decode_utf8().ok()?;
            Some(Secret::new(&Zeroizing::new(text.into_owned())))
        };
        let login =
            Self { user_name: decoded(url.username())?, password: decoded(url.password().unwrap_or_default())? };
        Some(login)
    }
}

type Pair = (AuthTarget, AuthScheme);

/// The accounts of an attempt: at most one for each pair of target and scheme (clause
/// `job2.set_credentials.per_pair`), and those that stand in where none of these fits.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Logins {
    given: BTreeMap<Pair, Login>,
    stand_ins: BTreeMap<Pair, Login>,
    /// Pairs whose record lacks its name or its password.
    incomplete: BTreeSet<Pair>,
    passport: Passport,
    kdcs: Kdcs,
}

impl Logins {
    /// Whether nobody is told anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.given.is_empty() && self.stand_ins.is_empty()
    }

    /// The same with accounts that stand in: for a target that offers no scheme that one was given
    /// for.
    #[must_use]
    pub fn or(mut self, stand_ins: impl IntoIterator<Item = (Pair, Login)>) -> Self {
        for (pair, login) in stand_ins {
            self.stand_ins.entry(pair).or_insert(login);
        }
        self
    }

    /// The same with records that cannot be used.
    #[must_use]
    pub fn with_incomplete(self, incomplete: impl IntoIterator<Item = Pair>) -> Self {
        Self { incomplete: incomplete.into_iter().collect(), ..self }
    }

    /// Those of one target alone.
    #[must_use]
    pub fn of(&self, target: AuthTarget) -> Self {
        let of = |logins: &BTreeMap<Pair, Login>| {
            logins.iter().filter(|((of, _), _)| *of == target).map(|(pair, login)| (*pair, login.clone())).collect()
        };
        let incomplete = self.incomplete.iter().filter(|(of, _)| *of == target).copied().collect();
        let (given, stand_ins) = (of(&self.given), of(&self.stand_ins));
        Self { given, stand_ins, incomplete, passport: Passport::default(), kdcs: self.kdcs.clone() }
    }

    /// The same, where Passport signs in with the help of these servers.
    #[must_use]
    pub fn signing_in_at(self, passport: &Passport) -> Self {
        Self { passport: passport.clone(), ..self }
    }

    /// The servers with whose help Passport signs in.
    pub fn passport(&self) -> &Passport {
        &self.passport
    }

    /// The same, with tickets of Kerberos from these.
    #[must_use]
    pub fn with_tickets_of(self, kdcs: &Kdcs) -> Self {
        Self { kdcs: kdcs.clone(), ..self }
    }

    /// Who has tickets for the accounts.
    pub fn kdcs(&self) -> &Kdcs {
        &self.kdcs
    }

    /// The account of a pair.
    pub fn get(&self, target: AuthTarget, scheme: AuthScheme) -> Option<&Login> {
        let pair = (target, scheme);
        self.given.get(&pair).or_else(|| self.stand_ins.get(&pair))
    }

    /// The first of these schemes with an account: with one that was given, or else one that stands
    /// in.
    pub fn first_of(&self, target: AuthTarget, schemes: &[AuthScheme]) -> Option<(AuthScheme, &Login)> {
        [&self.given, &self.stand_ins]
            .into_iter()
            .find_map(|logins| schemes.iter().find_map(|scheme| Some((*scheme, logins.get(&(target, *scheme))?))))
    }

    /// Whether the record of a pair lacks its name or its password.
    pub fn is_incomplete(&self, target: AuthTarget, scheme: AuthScheme) -> bool {
        self.incomplete.contains(&(target, scheme))
    }
}

impl FromIterator<(Pair, Login)> for Logins {
    fn from_iter<I: IntoIterator<Item = (Pair, Login)>>(logins: I) -> Self {
        Self { given: logins.into_iter().collect(), ..Self::default() }
    }
}

/// The pairs alone.
impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.given.keys().chain(self.stand_ins.keys()).chain(&self.incomplete)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: AuthTarget = AuthTarget::SERVER;

    fn login(user_name: &str) -> Login {
        Login { user_name: Secret::new(user_name), password: Secret::new("hunter2") }
    }

    #[test]
    fn what_stands_in_comes_after_what_was_given() {
        let given: Logins = [((SERVER, AuthScheme::BASIC), login("given"))].into_iter().collect();
        let logins =
            given.or([AuthScheme::BASIC, AuthScheme::NTLM].map(|scheme| ((SERVER, scheme), login("stand-in"))));
        let first = |schemes: &[AuthScheme]| {
            logins.first_of(SERVER, schemes).map(|(scheme, login)| (scheme, login.user_name.expose().to_owned()))
        };

        assert_eq!(first(&[AuthScheme::NTLM, AuthScheme::BASIC]), Some((AuthScheme::BASIC, "given".into())));
        assert_eq!(first(&[AuthScheme::NTLM, AuthScheme::DIGEST]), Some((AuthScheme::NTLM, "stand-in".into())));
        assert_eq!(first(&[AuthScheme::DIGEST]), None);
        assert_eq!(logins.get(SERVER, AuthScheme::BASIC).unwrap().user_name.expose(), "given");
        assert!(logins.get(AuthTarget::PROXY, AuthScheme::BASIC).is_none());
    }

    #[test]
    fn accounts_do_not_show_themselves() {
        let logins: Logins = [((SERVER, AuthScheme::BASIC), login("alice"))].into_iter().collect();

        let shown = format!("{logins:?} {:?}", login("alice"));

        assert!(shown.contains("BASIC") && !shown.contains("alice") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_url_may_name_an_account() {
        let of = |url| Login::of_url(url).map(|login| [login.user_name, login.password].map(|s| s.expose().to_owned()));
        let pair = |name: &str, password: &str| Some([name.to_owned(), password.to_owned()]);

        assert_eq!(of("http://al%69ce:p%3Aw%C3%A9@host/a@b"), pair("alice", "p:wé"));
        assert_eq!(of("https://alice@host/"), pair("alice", ""));
        assert_eq!(of("http://:secret@host/"), pair("", "secret"));
        for none in ["http://host/a:b@c", "http://@host/", "http://alice:%FF@host/", "no url"] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
