//! Digest: a password that is proven without being shown (RFC 2617, RFC 7616).
//!
//! Quality of protection `auth`, or none as in RFC 2069; algorithms MD5 and SHA-256, and their
//! sessions. Nothing here is chance: the nonce of the client comes from outside.

mod demand;
mod hash;
#[cfg(test)]
mod tests;

use std::fmt::{self, Write as _};

use bits_wire::Secret;
use bits_wire::auth::Login;
use zeroize::Zeroizing;

use crate::challenge::{self, Challenge};
use crate::party::{Asked, Manner};
use demand::{Demand, Naming};

/// A challenge that was taken up, and what answers it with one request after the other.
pub(crate) struct Digest {
    demand: Demand,
    login: Login,
    manner: Manner,
    client_nonce: String,
    /// What stands for user, realm and password in every answer.
    proof: Zeroizing<String>,
    /// How many answers have gone out to this nonce.
    answers: u32,
    /// Whether the server has called an answer stale since it has accepted one.
    was_stale: bool,
}

impl Digest {
    /// Takes up the first of the challenges that can be answered: a server lists them as it prefers
    /// them (RFC 7616, 3.7).
    pub(crate) fn begin(challenges: &[Challenge<'_>], login: &Login, manner: Manner) -> Option<Self> {
        Demand::first(challenges, manner.knows_sha256).map(|demand| Self::taking_up(demand, login.clone(), manner))
    }

    fn taking_up(demand: Demand, login: Login, manner: Manner) -> Self {
        let client_nonce = (manner.nonce)();
        let Demand { hash, realm, nonce, is_session, .. } = &demand;
        let mut proof = Zeroizing::new(hash.of(&[login.user_name.expose(), realm, login.password.expose()]));
        if *is_session {
            proof = Zeroizing::new(hash.of(&[&proof, nonce, &client_nonce]));
        }
        Self { demand, login, manner, client_nonce, proof, answers: 0, was_stale: false }
    }

    /// Takes up the challenge that comes in place of what was asked for, if it only says that the nonce
    /// is too old. Once: a server that finds each of its own nonces stale would go on for ever (a
    /// decision, `auth.digest.stale`).
    pub(crate) fn renew(&mut self, challenges: &[Challenge<'_>]) -> bool {
        let demand = Demand::first(challenges, self.manner.knows_sha256);
        let is_the_same = |demand: &Demand| demand.is_stale && demand.realm == self.demand.realm;
        let Some(demand) = demand.filter(is_the_same).filter(|_| !self.was_stale) else { return false };
        *self = Self { was_stale: true, ..Self::taking_up(demand, self.login.clone(), self.manner) };
        true
    }

    /// The value of the header that goes with a request; `None` for a name that no header can hold.
    pub(crate) fn answer(&mut self, asked: &Asked<'_>) -> Option<Secret> {
        let Demand { hash, realm, nonce, opaque, named, is_counted, .. } = &self.demand;
        let answers = self.answers.checked_add(1)?;
        let count = format!("{answers:08x}");
        let request = hash.of(&[asked.method, asked.target]);
        let response = if *is_counted {
            hash.of(&[&self.proof, nonce, &count, &self.client_nonce, "auth", &request])
        } else {
            hash.of(&[&self.proof, nonce, &request])
        };
        let mut text = Zeroizing::new("Digest ".to_owned());
        self.name_user(&mut text)?;
        for (name, value) in [("realm", &realm[..]), ("nonce", nonce), ("uri", asked.target), ("response", &response)] {
            let _ = write!(text, ", {name}={}", quoted(value)?);
        }
        if let Some(named) = named {
            let _ = write!(text, ", algorithm={named}");
        }
        if let Some(opaque) = opaque {
            let _ = write!(text, ", opaque={}", quoted(opaque)?);
        }
        if *is_counted {
            let _ = write!(text, ", qop=auth, nc={count}, cnonce=\"{}\"", self.client_nonce);
        }
        if self.demand.naming == Naming::Hash {
            text.push_str(", userhash=true");
        }
        self.answers = answers;
        Some(Secret::new(&text))
    }

    /// Writes the name of the user as the server wants it.
    fn name_user(&self, text: &mut String) -> Option<()> {
        let Demand { hash, realm, naming, .. } = &self.demand;
        let name = self.login.user_name.expose();
        let _ = match naming {
            Naming::Hash => write!(text, "username=\"{}\"", hash.of(&[name, realm])),
            Naming::Utf8 if !name.is_ascii() => write!(text, "username*=UTF-8''{}", percent_encoded(name)),
            Naming::Utf8 | Naming::Plain => write!(text, "username={}", quoted(name)?),
        };
        Some(())
    }

    /// Whether the server has said that it will want the same password for this (RFC 7616, 3.3).
    pub(crate) fn covers(&self, asked: &Asked<'_>) -> bool {
        let places = &self.demand.places;
        let (_, path) = host_and_path(asked.target);
        let shares = |place: &String| {
            let (host, prefix) = host_and_path(place);
            path.starts_with(prefix) && host.is_none_or(|host| host.eq_ignore_ascii_case(asked.host))
        };
        places.is_empty() || places.iter().any(shares)
    }

    /// The server has accepted an answer, and says so, perhaps with the nonce that it wants next
    /// (Authentication-Info; RFC 7616, 3.5).
    pub(crate) fn accepted(&mut self, info: &str) {
        self.was_stale = false;
        if let Some(nonce) = challenge::parameter(info, "nextnonce").filter(|nonce| Demand::may_be_nonce(nonce)) {
            self.demand.nonce = nonce.into_owned();
            self.answers = 0;
        }
    }
}

/// Nothing that another could take up.
impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").field("realm", &self.demand.realm).finish_non_exhaustive()
    }
}

/// A value between quotes; `None` for one that no quotes can hold.
fn quoted(value: &str) -> Option<String> {
    if value.contains(char::is_control) {
        return None;
    }
    Some(format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// A value as RFC 8187 writes it after the name of its character set.
fn percent_encoded(value: &str) -> String {
    value.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

/// The host of a URL, without its port, and the path; what is no URL is a path.
fn host_and_path(url: &str) -> (Option<&str>, &str) {
    let Some((_, rest)) = url.split_once("://").filter(|_| !url.starts_with('/')) else { return (None, url) };
    let (authority, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    let host = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    (Some(host.map_or(authority, |(host, _)| host)), path)
}
