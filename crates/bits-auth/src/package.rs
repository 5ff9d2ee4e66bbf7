//! The library that speaks NTLM and SPNEGO, as far as both need it.
//!
//! It is never heard: at its finest level it tells names, messages and keys of sessions.

use std::fmt;

use sspi::ntlm::NTLM_HASH_PREFIX;
use sspi::{AuthIdentity, BufferType, SecurityBuffer, Username};
use tracing::subscriber::{NoSubscriber, with_default};
use zeroize::Zeroizing;

/// A message of a scheme, before it is written as text.
pub(crate) type Token = Zeroizing<Vec<u8>>;

/// An exchange that cannot go on: what has come is no message that belongs here, or the login is
/// none of this scheme.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Broken(String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Broken {
    pub(crate) fn new(why: &str) -> Self {
        Self(why.to_owned())
    }
}

impl From<sspi::Error> for Broken {
    fn from(error: sspi::Error) -> Self {
        // The rest of it may quote the message.
        Self(format!("{:?}", error.error_type))
    }
}

/// Runs a step of the library unheard, whoever listens.
pub(crate) fn unheard<T>(step: impl FnOnce() -> T) -> T {
    with_default(NoSubscriber::default(), step)
}

/// Somebody, by the name that the scheme is to know.
///
/// # Errors
/// [`Broken`] for a login that cannot be one: no name, or a password that the library takes for
/// something else.
pub(crate) fn identity(name: Username, password: &str) -> Result<AuthIdentity, Broken> {
    if name.account_name().is_empty() {
        return Err(Broken::new("the user has no name"));
    }
    if password.starts_with(NTLM_HASH_PREFIX) {
        return Err(Broken::new("the password begins as the hash of one does"));
    }
    Ok(AuthIdentity { username: name, password: password.to_owned().into() })
}

/// Room for a message to come.
pub(crate) fn room() -> [SecurityBuffer; 1] {
    [SecurityBuffer::new(Vec::new(), BufferType::Token)]
}

/// A message that has come, for the library.
pub(crate) fn holding(message: &[u8]) -> [SecurityBuffer; 1] {
    [SecurityBuffer::new(message.to_vec(), BufferType::Token)]
}

/// What the library has put into a room.
pub(crate) fn taken([buffer]: [SecurityBuffer; 1]) -> Token {
    Zeroizing::new(buffer.buffer)
}
