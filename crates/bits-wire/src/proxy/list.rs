//! Lists of proxies, and the answers of auto-configuration scripts.

use bits_world::{Decisions, Switch};
use url::Host;

use super::{Hop, ProxyServer};
use crate::download::Scheme;

/// Whose list it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Grammar {
    /// A job's own: proxies for HTTP and HTTPS alone.
    Job {
        /// Whether commas separate too, as they do for bitsadmin.
        commas: bool,
    },
    /// A user's, who may have set proxies for other protocols too.
    User,
}

impl Grammar {
    /// The grammar of a job's own list.
    pub(super) fn of_job(list: &str, decisions: &Decisions) -> Self {
        Self::Job { commas: list.contains(',') && decisions.is_other(Switch::ProxyListCommas) }
    }

    fn separates(self, c: char) -> bool {
        c.is_whitespace() || c == ';' || (c == ',' && self == Self::Job { commas: true })
    }
}

/// The proxies for each protocol, in the order in which they are tried.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct ProxyList {
    http: Vec<ProxyServer>,
    https: Vec<ProxyServer>,
    /// For protocols without one of their own (clause `job.set_proxy_settings.list_default_entry`).
    others: Vec<ProxyServer>,
}

impl ProxyList {
    /// Reads a list: entries are `[protocol=][protocol://]server[:port]` (clause
    /// `job.set_proxy_settings.list_format`). `None` when one of them is malformed, or none is there.
    pub(super) fn read(text: &str, grammar: Grammar) -> Option<Self> {
        let mut list = Self::default();
        let entries = text.split(|c| grammar.separates(c)).filter(|entry| !entry.is_empty());
        let mut is_empty = true;
        for entry in entries {
            is_empty = false;
            let (protocol, server) = match entry.split_once('=') {
                Some((protocol, server)) => (Some(scheme(protocol)), server),
                None => (None, entry),
            };
            match protocol {
                Some(None) if grammar == Grammar::User => {}
                Some(None) => return None,
                Some(Some(Scheme::Http)) => list.http.push(server_of(server, Scheme::Http)?),
                Some(Some(Scheme::Https)) => list.https.push(server_of(server, Scheme::Https)?),
                None => list.others.push(server_of(server, Scheme::Http)?),
            }
        }
        (!is_empty).then_some(list)
    }

    /// The proxies for a protocol; none where the list has proxies for another one only.
    pub(super) fn of(&self, scheme: Scheme) -> &[ProxyServer] {
        let own = match scheme {
            Scheme::Http => &self.http,
            Scheme::Https => &self.https,
        };
        if own.is_empty() { &self.others } else { own }
    }
}

/// Reads the answer of a script: ways, separated by semicolons. `None` when one is malformed, or
/// BITS can go none of them.
pub(super) fn answer(text: &str) -> Option<Vec<Hop>> {
    let mut hops = Vec::new();
    let mut entries = text.split(';').map(str::trim).filter(|entry| !entry.is_empty()).peekable();
    if entries.peek().is_none() {
        return Some(vec![Hop::Direct]);
    }
    for entry in entries {
        let (kind, server) = entry.split_once(char::is_whitespace).unwrap_or((entry, ""));
        match kind.to_ascii_uppercase().as_str() {
            "DIRECT" if server.is_empty() => hops.push(Hop::Direct),
            "PROXY" | "HTTP" => hops.push(Hop::Proxy(server_of(server.trim(), Scheme::Http)?)),
            // Ways that WinHTTP does not know.
            "HTTPS" | "SOCKS" | "SOCKS4" | "SOCKS5" => {}
            _ => return None,
        }
    }
    (!hops.is_empty()).then_some(hops)
}

pub(super) fn scheme(protocol: &str) -> Option<Scheme> {
    if protocol.eq_ignore_ascii_case("http") {
        Some(Scheme::Http)
    } else if protocol.eq_ignore_ascii_case("https") {
        Some(Scheme::Https)
    } else {
        None
    }
}

/// Reads `[protocol://]server[:port]`, in an entry for this protocol, whose port counts where there
/// is none (clause `job.set_proxy_settings.list_port`).
fn server_of(text: &str, entry_of: Scheme) -> Option<ProxyServer> {
    let (spoken, server) = match text.split_once("://") {
        Some((protocol, server)) => (scheme(protocol)?, server),
        None => (entry_of, text),
    };
    let (host, port) = host_and_port(server)?;
    let usual = match spoken {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    Some(ProxyServer { host: plain_host(host)?, port: port.unwrap_or(usual) })
}

/// Takes `server[:port]` apart; an IPv6 address with a port has brackets.
pub(super) fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, after)) => text.split_at(text.len() - after.len()),
        None if text.matches(':').count() > 1 => (text, ""),
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    match port.strip_prefix(':') {
        None if port.is_empty() => Some((host, None)),
        // `parse` alone would take a sign.
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port > 0).map(|port| (host, Some(port)))
        }
        _ => None,
    }
}

/// A host as [`Origin`](crate::download::Origin) has it.
pub(super) fn plain_host(text: &str) -> Option<String> {
    let is_bare_v6 = text.contains(':') && !text.starts_with('[');
    let bracketed = is_bare_v6.then(|| format!("[{text}]"));
    match Host::parse(bracketed.as_deref().unwrap_or(text)).ok()? {
        // What a list separates its entries by is in no name, although an URL could have it there.
        Host::Domain(name) => {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)).then_some(name)
        }
        Host::Ipv4(address) => Some(address.to_string()),
        Host::Ipv6(address) => Some(address.to_string()),
    }
}
