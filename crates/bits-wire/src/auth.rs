//! What an attempt may answer when it is asked who it is.

use std::collections::BTreeMap;
use std::fmt;

use bits_api::{AuthScheme, AuthTarget};
use bits_world::Passport;

use crate::Secret;

/// Name and password of an account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Login {
    /// The name, perhaps as `DOMAIN\name` or `name@REALM`.
    pub user_name: Secret,
    /// The password.
    pub password: Secret,
}

/// The accounts of an attempt: at most one for each pair of target and scheme (clause
/// `job2.set_credentials.per_pair`).
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Logins {
    accounts: BTreeMap<(AuthTarget, AuthScheme), Login>,
    passport: Passport,
}

impl Logins {
    /// The account of a pair.
    pub fn get(&self, target: AuthTarget, scheme: AuthScheme) -> Option<&Login> {
        self.accounts.get(&(target, scheme))
    }

    /// Those of one target alone.
    #[must_use]
    pub fn of(&self, target: AuthTarget) -> Self {
        self.accounts.iter().filter(|((of, _), _)| *of == target).map(|(pair, login)| (*pair, login.clone())).collect()
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
}

impl FromIterator<((AuthTarget, AuthScheme), Login)> for Logins {
    fn from_iter<I: IntoIterator<Item = ((AuthTarget, AuthScheme), Login)>>(logins: I) -> Self {
        Self { accounts: logins.into_iter().collect(), passport: Passport::default() }
    }
}

/// The pairs alone.
impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.accounts.keys()).finish()
    }
}
