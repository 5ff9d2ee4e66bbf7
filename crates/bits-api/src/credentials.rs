//! The credentials of a job.

use std::fmt;

use crate::{AuthScheme, AuthTarget};

/// BG_AUTH_CREDENTIALS with its BG_BASIC_CREDENTIALS, which every scheme takes its names from
/// (1.5; clauses `auth.credentials.*`, `auth.basic_credentials.*`).
///
/// Debug shows neither name nor password.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct AuthCredentials<'a> {
    /// Who asks for them.
    pub target: AuthTarget,
    /// How they are shown.
    pub scheme: AuthScheme,
    /// At most 300 UTF-16 units; `None` is the user whom the job belongs to.
    pub user_name: Option<&'a str>,
    /// At most 65,535 UTF-16 units; `None` only together with the name.
    pub password: Option<&'a str>,
}

impl fmt::Debug for AuthCredentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthCredentials")
            .field("target", &self.target)
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}
