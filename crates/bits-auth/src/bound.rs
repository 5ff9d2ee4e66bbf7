//! NTLM and Negotiate as one: exchanges of several messages whose proof is worth something on one
//! connection alone.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bits_api::AuthScheme;
use bits_wire::Secret;
use bits_wire::auth::Login;
use bits_world::Kdcs;
use zeroize::Zeroizing;

use crate::negotiate::{Negotiate, Turn};
use crate::ntlm::Ntlm;
use crate::package::{Broken, Token};
use crate::party::Step;

/// One exchange on one connection.
pub(crate) struct Bound {
    mechanism: Mechanism,
    /// What goes along with the next request.
    next: Option<Secret>,
    /// Whether anything was said on this connection.
    has_spoken: bool,
}

enum Mechanism {
    Ntlm(Ntlm),
    Negotiate(Negotiate),
}

/// What an exchange is about, beside the account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances<'a> {
    /// The name of the server or the proxy.
    pub(crate) host: &'a str,
    pub(crate) kdcs: &'a Kdcs,
    /// What ties the exchange to its channel.
    pub(crate) binding: Option<&'a [u8]>,
}

impl Bound {
    /// Begins; `None` where the scheme is another one or the account is none of it.
    pub(crate) fn begin(scheme: AuthScheme, login: &Login, about: &Circumstances<'_>) -> Option<(Self, Step)> {
        let (user, password) = (login.user_name.expose(), login.password.expose());
        let Circumstances { host, kdcs, binding } = *about;
        let mechanism = match scheme {
            AuthScheme::NTLM => Ntlm::new(user, password, binding).map(Mechanism::Ntlm),
            AuthScheme::NEGOTIATE => Negotiate::new(user, password, host, kdcs, binding).map(Mechanism::Negotiate),
            _ => return None,
        };
        let mechanism = mechanism.inspect_err(|broken| tracing::debug!(?scheme, %broken, "cannot begin")).ok()?;
        let mut exchange = Self { mechanism, next: None, has_spoken: false };
        let turn = match &mut exchange.mechanism {
            Mechanism::Ntlm(ntlm) => ntlm.begin().map(Turn::Send),
            Mechanism::Negotiate(negotiate) => negotiate.answer(&[]),
        };
        match exchange.take(turn) {
            Step::Stand => None,
            step => Some((exchange, step)),
        }
    }

    /// Answers what the other end has said to our last message, in Base64.
    pub(crate) fn go_on(&mut self, said: Option<&str>) -> Step {
        let turn = match said.and_then(decoded) {
            Some(said) => match &mut self.mechanism {
                Mechanism::Ntlm(ntlm) => ntlm.answer(&said).map(Turn::Send),
                Mechanism::Negotiate(negotiate) => negotiate.answer(&said),
            },
            None => Err(Broken::new("they have nothing more to say")),
        };
        self.take(turn)
    }

    /// Goes on with the answer of a KDC.
    pub(crate) fn heard(&mut self, answer: Option<Vec<u8>>) -> Step {
        let turn = match &mut self.mechanism {
            Mechanism::Negotiate(negotiate) => negotiate.heard(answer),
            Mechanism::Ntlm(_) => Err(Broken::new("NTLM knows no KDC")),
        };
        self.take(turn)
    }

    /// What goes along with the next request: once, as the connection is known by it afterwards.
    pub(crate) fn say(&mut self) -> Option<Secret> {
        self.has_spoken |= self.next.is_some();
        self.next.take()
    }

    /// Whether nothing of it is bound to a connection yet.
    pub(crate) fn is_unsaid(&self) -> bool {
        !self.has_spoken && self.next.is_some()
    }

    /// Whether they are who they should be, by what they have said at the end; who says nothing is
    /// believed (a decision, `auth.negotiate.mutual`).
    pub(crate) fn is_confirmed(&mut self, said: Option<&str>) -> bool {
        let (Mechanism::Negotiate(negotiate), Some(said)) = (&mut self.mechanism, said) else { return true };
        let confirmed = decoded(said).ok_or_else(|| Broken::new("no Base64")).and_then(|said| negotiate.confirm(&said));
        confirmed.inspect_err(|broken| tracing::debug!(%broken, "the other end is somebody else")).is_ok()
    }

    pub(crate) fn scheme(&self) -> AuthScheme {
        match self.mechanism {
            Mechanism::Ntlm(_) => AuthScheme::NTLM,
            Mechanism::Negotiate(_) => AuthScheme::NEGOTIATE,
        }
    }

    fn take(&mut self, turn: Result<Turn, Broken>) -> Step {
        match turn {
            Ok(Turn::Ask(request)) => Step::Ask(request),
            Ok(Turn::Send(token)) if !token.is_empty() => {
                self.next = Some(self.written(&token));
                Step::Again
            }
            Ok(Turn::Send(_)) => Step::Stand,
            Err(broken) => {
                tracing::debug!(scheme = ?self.scheme(), %broken, "the exchange ends");
                Step::Stand
            }
        }
    }

    fn written(&self, token: &Token) -> Secret {
        let name = match self.mechanism {
            Mechanism::Ntlm(_) => "NTLM ",
            Mechanism::Negotiate(_) => "Negotiate ",
        };
        let mut value = Zeroizing::new(String::with_capacity(name.len() + token.len().div_ceil(3) * 4));
        value.push_str(name);
        BASE64_STANDARD.encode_string(&**token, &mut value);
        Secret::new(&value)
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("scheme", &self.scheme()).finish_non_exhaustive()
    }
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}
