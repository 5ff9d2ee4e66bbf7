//! Which way leads to a server: straight, or through which proxies, one after the other.
//!
//! [`Proxying`] is what a job's settings and the world come to when an attempt begins; it tells the
//! [`Route`] to each server that the attempt turns to, also after a redirect. Lists and answers are
//! read here and nowhere else, and nothing in here connects to anybody.

mod bypass;
mod list;
mod requests;

use std::fmt;

use bits_api::{ErrorContext, Hresult, ProxySettings, ProxyUsage};
use bits_world::{Decisions, InternetSettings, Proxies, ProxyScript, Sid};

use crate::attempt::Failure;
use crate::download::Origin;
use bypass::Bypass;
use list::{Grammar, ProxyList};
pub use requests::{address, tunnel_request};

/// A proxy as a list names it.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ProxyServer {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// One way to a server.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Hop {
    /// Straight to it.
    Direct,
    /// Through a proxy.
    Proxy(ProxyServer),
}

/// As the answer of an auto-configuration script has it.
impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("DIRECT"),
            Self::Proxy(ProxyServer { host, port }) if host.contains(':') => write!(f, "PROXY [{host}]:{port}"),
            Self::Proxy(ProxyServer { host, port }) => write!(f, "PROXY {host}:{port}"),
        }
    }
}

/// The ways to a server, in the order in which they are tried: never none. The next one counts
/// where one cannot be reached at all; whoever has been reached has the last word.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route(Vec<Hop>);

impl Route {
    /// The ways in turn.
    pub fn hops(&self) -> &[Hop] {
        &self.0
    }

    fn through(proxies: &[ProxyServer]) -> Self {
        let hops: Vec<_> = proxies.iter().cloned().map(Hop::Proxy).collect();
        if hops.is_empty() { Self::default() } else { Self(hops) }
    }
}

/// Straight to it.
impl Default for Route {
    fn default() -> Self {
        Self(vec![Hop::Direct])
    }
}

/// How an attempt finds its way to each server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Proxying(Means);

#[derive(Clone, Debug, Default, Eq, PartialEq)]
enum Means {
    #[default]
    Straight,
    Lists {
        proxies: ProxyList,
        bypass: Bypass,
    },
    Script(ProxyScript),
}

impl Proxying {
    /// What the settings of a job come to in the world as it is, where the settings of `user` count
    /// as the preconfigured ones.
    ///
    /// # Errors
    /// `BG_E_INVALID_PROXY_INFO`, for good, when the job's own lists are malformed (clauses
    /// `proxy.invalid`, `job.set_proxy_settings.validated_late`); `E_INVALIDARG`, for now, when the
    /// user's are (clause `failure.proxy_name_invalid`).
    pub fn of_job(
        settings: &ProxySettings,
        proxies: &Proxies,
        user: &Sid,
        decisions: &Decisions,
    ) -> Result<Self, Failure> {
        let means = match settings.usage {
            ProxyUsage::PRECONFIG => return Self::of_user(proxies.of(user), proxies.detected.as_ref()),
            ProxyUsage::AUTODETECT => proxies.detected.clone().map_or(Means::Straight, Means::Script),
            ProxyUsage::OVERRIDE => {
                let list = settings.list.as_deref().unwrap_or_default();
                let list = ProxyList::read(list, Grammar::of_job(list, decisions));
                let bypass = Bypass::read(settings.bypass_list.as_deref().unwrap_or_default());
                match (list, bypass) {
                    (Some(proxies), Some(bypass)) => Means::Lists { proxies, bypass },
                    _ => return Err(INVALID_LISTS),
                }
            }
            _ => Means::Straight,
        };
        Ok(Self(means))
    }

    fn of_user(settings: InternetSettings, detected: Option<&ProxyScript>) -> Result<Self, Failure> {
        let detected = detected.filter(|_| settings.detect).cloned();
        if let Some(script) = detected.or(settings.script) {
            return Ok(Self(Means::Script(script)));
        }
        let Some(list) = settings.list else { return Ok(Self::default()) };
        let proxies = ProxyList::read(&list, Grammar::User).ok_or(INVALID_NAME)?;
        let bypass = Bypass::of_user(&settings.bypass_list.unwrap_or_default());
        Ok(Self(Means::Lists { proxies, bypass }))
    }

    /// The way to a server.
    ///
    /// # Errors
    /// `E_INVALIDARG`, for now, when a script answers with something that is no way.
    pub fn route(&self, origin: &Origin) -> Result<Route, Failure> {
        match &self.0 {
            Means::Straight => Ok(Route::default()),
            Means::Lists { bypass, .. } if bypass.spares(origin) => Ok(Route::default()),
            Means::Lists { proxies, .. } => Ok(Route::through(proxies.of(origin.scheme))),
            Means::Script(script) => list::answer(script.answer(&origin.host)).map(Route).ok_or(INVALID_NAME),
        }
    }
}

/// The job's own lists are malformed.
const INVALID_LISTS: Failure =
    Failure { code: Hresult::BG_E_INVALID_PROXY_INFO, context: ErrorContext::GENERAL_TRANSPORT, transient: false };

/// The user's proxies are malformed, which the user can mend.
const INVALID_NAME: Failure =
    Failure { code: Hresult::E_INVALIDARG, context: ErrorContext::GENERAL_TRANSPORT, transient: true };

#[cfg(test)]
mod tests;
