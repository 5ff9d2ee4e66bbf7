//! Hosts that are reached without a proxy.

use bits_world::host_matches;

use super::list::{host_and_port, plain_host, scheme};
use crate::download::{Origin, Scheme};

/// The hosts that proxies are not for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Bypass(Vec<Spared>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Spared {
    /// Every host whose name has no period (clause `job.set_proxy_settings.bypass_local`).
    Local,
    Host {
        scheme: Option<Scheme>,
        pattern: String,
        port: Option<u16>,
    },
}

impl Bypass {
    /// Reads a job's list: entries are `[protocol://]host[:port]` and `<local>`, separated as
    /// proxies are; a wildcard comes first in a host or not at all (clauses
    /// `job.set_proxy_settings.bypass_format`, `job.set_proxy_settings.bypass_wildcard`). `None` when
    /// one is malformed.
    pub(super) fn read(text: &str) -> Option<Self> {
        entries(text).map(|entry| spared(entry).filter(Spared::has_leading_wildcard)).collect::<Option<_>>().map(Self)
    }

    /// Reads a user's list, in which wildcards may be anywhere and what is malformed spares nobody.
    pub(super) fn of_user(text: &str) -> Self {
        Self(entries(text).filter_map(spared).collect())
    }

    /// Whether a server is reached without a proxy.
    pub(super) fn spares(&self, origin: &Origin) -> bool {
        self.0.iter().any(|spared| match spared {
            Spared::Local => !origin.host.contains(['.', ':']),
            Spared::Host { scheme, pattern, port } => {
                scheme.is_none_or(|scheme| scheme == origin.scheme)
                    && port.is_none_or(|port| port == origin.port)
                    && host_matches(pattern, &origin.host)
            }
        })
    }
}

impl Spared {
    fn has_leading_wildcard(&self) -> bool {
        match self {
            Self::Local => true,
            Self::Host { pattern, .. } => !pattern.get(1..).is_some_and(|rest| rest.contains('*')),
        }
    }
}

fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_whitespace() || c == ';').filter(|entry| !entry.is_empty())
}

fn spared(entry: &str) -> Option<Spared> {
    if entry.eq_ignore_ascii_case("<local>") {
        return Some(Spared::Local);
    }
    let (protocol, rest) = match entry.split_once("://") {
        Some((protocol, rest)) => (Some(scheme(protocol)?), rest),
        None => (None, entry),
    };
    let (host, port) = host_and_port(rest)?;
    Some(Spared::Host { scheme: protocol, pattern: pattern_of(host)?, port })
}

/// A host, or what stands for several.
fn pattern_of(host: &str) -> Option<String> {
    if !host.contains('*') {
        return plain_host(host);
    }
    let is_of_a_name = |c: char| c.is_alphanumeric() || "*.-_".contains(c);
    host.chars().all(is_of_a_name).then(|| host.to_lowercase())
}
