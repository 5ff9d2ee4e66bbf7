//! Schemes of authentication, at servers and at proxies: the right password for two files over one
//! connection and for a file that goes on after a cut, a wrong one, none, and one for another scheme.

use std::sync::Arc;

use bits_emulator::api::{AuthCredentials, AuthScheme, AuthTarget, Hresult, Job, ProxyUsage};

use super::Report;
use super::logs::Visit;
use super::relay::Relay;
use super::servers::{Servers, protocol};
use super::setup::{LARGE, NAME, PASSWORD, SMALL, Setup};

/// Credentials, and what comes of them.
#[derive(Clone, Copy)]
struct Login {
    name: &'static str,
    /// The schemes that the job has them for, and under which name.
    schemes: &'static [(AuthScheme, &'static str)],
    /// How many requests of a connection are refused until the right password is known.
    challenges: usize,
    /// How many are refused in all with a wrong one.
    refusals: usize,
    /// Part of the name by which a log knows the user.
    known_as: &'static str,
}

const NAME_IN_DOMAIN: &str = r"BITSDOM\alice";
const NAME_IN_REALM: &str = "alice@BITS.TEST";

const BASIC: Login =
    Login { name: "Basic", schemes: &[(AuthScheme::BASIC, NAME)], challenges: 1, refusals: 2, known_as: NAME };
const DIGEST: Login =
    Login { name: "Digest", schemes: &[(AuthScheme::DIGEST, NAME)], challenges: 1, refusals: 2, known_as: NAME };
const NTLM: Login =
    Login { name: "NTLM", schemes: &[(AuthScheme::NTLM, NAME_IN_DOMAIN)], challenges: 2, refusals: 3, known_as: NAME };
/// It is the KDC that refuses a wrong password.
const KERBEROS: Login = Login {
    name: "Negotiate",
    schemes: &[(AuthScheme::NEGOTIATE, NAME_IN_REALM)],
    challenges: 1,
    refusals: 1,
    known_as: NAME_IN_REALM,
};
const NTLM_INSIDE: Login = Login {
    name: "Negotiate with NTLM inside",
    schemes: &[(AuthScheme::NEGOTIATE, NAME_IN_DOMAIN)],
    challenges: 2,
    refusals: 3,
    known_as: NAME,
};
/// The strongest is taken.
const EVERY: Login = Login {
    name: "every scheme",
    schemes: &[
        (AuthScheme::BASIC, NAME),
        (AuthScheme::DIGEST, NAME),
        (AuthScheme::NTLM, NAME_IN_DOMAIN),
        (AuthScheme::NEGOTIATE, NAME_IN_REALM),
    ],
    ..KERBEROS
};

/// A server and perhaps a proxy before it, and what they ask for.
struct Row {
    /// The name of its port, and a folder.
    server: &'static str,
    server_asks: Option<Login>,
    proxy: Option<(&'static str, Login)>,
}

const fn at(server: &'static str, login: Login) -> Row {
    Row { server, server_asks: Some(login), proxy: None }
}

const fn through(proxy: &'static str, login: Login, server: &'static str) -> Row {
    Row { server, server_asks: None, proxy: Some((proxy, login)) }
}

const fn both(proxy: &'static str, at_proxy: Login, server: &'static str, at_server: Login) -> Row {
    Row { server, server_asks: Some(at_server), proxy: Some((proxy, at_proxy)) }
}

const ROWS: &[Row] = &[
    at("NGINX_HTTP/basic", BASIC),
    at("NGINX_TLS/basic", BASIC),
    at("CADDY_HTTP/basic", BASIC),
    at("CADDY_TLS/basic", BASIC),
    at("APACHE_HTTP/basic", BASIC),
    at("APACHE_TLS/basic", BASIC),
    at("APACHE_HTTP/any", BASIC),
    through("SQUID", BASIC, "NGINX_HTTP"),
    through("SQUID", BASIC, "NGINX_TLS"),
    through("APACHE_PROXY_BASIC", BASIC, "NGINX_HTTP"),
    through("APACHE_PROXY_BASIC", BASIC, "NGINX_TLS"),
    both("SQUID", BASIC, "APACHE_HTTP/basic", BASIC),
    both("SQUID", BASIC, "APACHE_TLS/basic", BASIC),
    at("APACHE_HTTP/digest", DIGEST),
    at("APACHE_TLS/digest", DIGEST),
    through("SQUID", DIGEST, "NGINX_HTTP"),
    through("SQUID", DIGEST, "NGINX_TLS"),
    through("APACHE_PROXY_DIGEST", DIGEST, "NGINX_HTTP"),
    through("APACHE_PROXY_DIGEST", DIGEST, "NGINX_TLS"),
    both("SQUID", DIGEST, "APACHE_HTTP/digest", DIGEST),
    both("SQUID", DIGEST, "APACHE_TLS/digest", DIGEST),
    at("APACHE_HTTP/ntlm", NTLM),
    at("APACHE_TLS/ntlm", NTLM),
    at("APACHE_HTTP/any", NTLM),
    through("SQUID", NTLM, "NGINX_HTTP"),
    through("SQUID", NTLM, "NGINX_TLS"),
    through("APACHE_PROXY_NTLM", NTLM, "NGINX_HTTP"),
    through("APACHE_PROXY_NTLM", NTLM, "NGINX_TLS"),
    both("SQUID", NTLM, "APACHE_TLS/ntlm", NTLM),
    // squid keeps a connection to the server for ours.
    both("SQUID", BASIC, "APACHE_HTTP/ntlm", NTLM),
    at("APACHE_HTTP/negotiate", KERBEROS),
    at("APACHE_TLS/negotiate", KERBEROS),
    at("APACHE_HTTP/negotiate-ntlm", NTLM_INSIDE),
    at("APACHE_TLS/negotiate-ntlm", NTLM_INSIDE),
    at("APACHE_HTTP/any", EVERY),
    through("SQUID", KERBEROS, "NGINX_HTTP"),
    through("SQUID", KERBEROS, "NGINX_TLS"),
    through("APACHE_PROXY_NEGOTIATE", KERBEROS, "NGINX_HTTP"),
    through("APACHE_PROXY_NEGOTIATE", KERBEROS, "NGINX_TLS"),
    through("SQUID", EVERY, "NGINX_HTTP"),
    both("APACHE_PROXY_NEGOTIATE", KERBEROS, "APACHE_TLS/negotiate", KERBEROS),
];

impl Row {
    fn name(&self) -> String {
        let server = self.server_asks.map(|login| format!(" by {}", login.name)).unwrap_or_default();
        match self.proxy {
            Some((proxy, login)) => format!("{proxy} by {} to {}{server}", login.name, self.server),
            None => format!("{}{server}", self.server),
        }
    }

    /// Who asks first.
    fn asks_first(&self) -> (&'static str, AuthTarget, Login) {
        match (self.proxy, self.server_asks) {
            (Some((proxy, login)), _) => (proxy, AuthTarget::PROXY, login),
            (None, Some(login)) => (self.server, AuthTarget::SERVER, login),
            (None, None) => unreachable!("somebody asks"),
        }
    }

    fn has_both(&self) -> bool {
        self.proxy.is_some() && self.server_asks.is_some()
    }

    fn protocol(&self) -> &'static str {
        protocol(self.server.split('/').next().expect("the name of a port"))
    }

    fn credentials(&self, password: &'static str) -> Vec<AuthCredentials<'static>> {
        let of = |target, login: Option<Login>| {
            let schemes = login.map(|login| login.schemes).unwrap_or_default();
            schemes.iter().map(move |(scheme, name)| credentials(target, *scheme, name, password))
        };
        let at_proxy = of(AuthTarget::PROXY, self.proxy.map(|(_, login)| login));
        at_proxy.chain(of(AuthTarget::SERVER, self.server_asks)).collect()
    }

    /// Where connections to whoever asks first are logged, if that tells of them alone.
    fn log(&self) -> Option<&'static str> {
        let (asks, ..) = self.asks_first();
        let log = [("NGINX", "nginx"), ("APACHE", "apache"), ("SQUID", "squid")];
        let log = log.into_iter().find(|(port, _)| asks.starts_with(port)).map(|(_, log)| log);
        // Without a tunnel a proxy has the refusals of the server in its log.
        log.filter(|_| !self.has_both() || self.protocol() == "https")
    }
}

fn credentials(
    target: AuthTarget,
    scheme: AuthScheme,
    name: &'static str,
    password: &'static str,
) -> AuthCredentials<'static> {
    AuthCredentials { target, scheme, user_name: Some(name), password: Some(password) }
}

/// The way of a row's jobs, where it can be watched and cut.
struct Road<'a> {
    setup: &'a Setup<'a>,
    relay: Relay,
    base: String,
    has_proxy: bool,
}

impl<'a> Road<'a> {
    fn new(setup: &'a Setup<'a>, servers: &Servers, row: &Row) -> Self {
        let (port, folder) = row.server.split_once('/').unwrap_or((row.server, ""));
        let relay = Relay::to(servers.host(row.proxy.map_or(port, |(proxy, _)| proxy)));
        // Kerberos knows the host by its name.
        let at = if row.proxy.is_some() { servers.port(port) } else { relay.port() };
        let base = format!("{}://localhost:{at}/{folder}", row.protocol());
        Self { setup, relay, base: base.trim_end_matches('/').into(), has_proxy: row.proxy.is_some() }
    }

    fn job(&self, files: &[&str], credentials: &[AuthCredentials<'_>]) -> Result<Arc<dyn Job>, Hresult> {
        let job = self.setup.job(&self.base, files);
        if self.has_proxy {
            let list = format!("localhost:{}", self.relay.port());
            job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&list), None)?;
        }
        let job2 = job.clone().job2()?;
        for credentials in credentials {
            job2.set_credentials(credentials)?;
        }
        Ok(job)
    }

    fn ends(
        &self,
        files: &[&str],
        credentials: &[AuthCredentials<'_>],
        expected: Result<(), Hresult>,
    ) -> Result<(), String> {
        let job = self.job(files, credentials).map_err(|code| code.to_string())?;
        self.setup.ends(&job, files, expected)
    }

    fn connections(&self, expected: usize) -> Result<(), String> {
        match self.relay.connections().len() {
            found if found == expected => Ok(()),
            found => Err(format!("over {found} connections, not {expected}")),
        }
    }
}

fn two_files(row: &Row, road: &Road<'_>) -> Result<(), String> {
    road.ends(&[SMALL, LARGE], &row.credentials(PASSWORD), Ok(()))?;
    road.connections(1)
}

fn resumed(row: &Row, road: &Road<'_>) -> Result<(), String> {
    const SIZE: u64 = 1024 * 1024;
    let job = road.job(&[LARGE], &row.credentials(PASSWORD)).map_err(|code| code.to_string())?;
    road.relay.cut_after(SIZE / 2);
    let first = road.setup.run(&job);
    if !road.relay.was_cut() {
        _ = job.cancel();
        return Err(format!("ends with {first:?} before it is cut"));
    }
    road.setup.ends(&job, &[LARGE], Ok(()))?;
    road.connections(2)?;
    // What came before the cut is not fetched again.
    let carried = road.relay.carried();
    if carried > SIZE * 5 / 4 { Err(format!("{carried} bytes for a file of {SIZE}")) } else { Ok(()) }
}

fn refused(row: &Row, road: &Road<'_>, credentials: &[AuthCredentials<'_>]) -> Result<(), String> {
    let (_, target, _) = row.asks_first();
    let code = if target == AuthTarget::PROXY { Hresult::BG_E_HTTP_ERROR_407 } else { Hresult::BG_E_HTTP_ERROR_401 };
    road.ends(&[SMALL], credentials, Err(code))
}

/// Tries every row; what the logs are to say of them is left to those who read them.
pub(crate) fn show(servers: &Servers, report: &mut Report) -> Vec<Visit> {
    let setup = Setup::new(servers);
    let mut visits = Vec::new();
    for row in ROWS {
        let (_, target, login) = row.asks_first();
        let mut try_it = |what: &str, refusals, known_as, run: &dyn Fn(&Road<'_>) -> Result<(), String>| {
            let road = Road::new(&setup, servers, row);
            let name = format!("{}: {what}", row.name());
            report.row(&name, run(&road));
            let connections = road.relay.connections();
            visits.extend(row.log().map(|log| Visit { name, log, connections, refusals, known_as }));
        };
        try_it("two files", login.challenges, Some(login.known_as), &|road| two_files(row, road));
        try_it("resumed after a cut", login.challenges, Some(login.known_as), &|road| resumed(row, road));
        if row.has_both() {
            continue;
        }
        try_it("wrong password", login.refusals, None, &|road| refused(row, road, &row.credentials("wrong")));
        try_it("no password", 1, None, &|road| refused(row, road, &[]));
        let other = [credentials(target, AuthScheme::PASSPORT, NAME, PASSWORD)];
        try_it("a scheme that is not offered", 1, None, &|road| refused(row, road, &other));
    }
    visits
}
