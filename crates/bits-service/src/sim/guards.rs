//! Simulated servers and proxies that want to know who asks.
//!
//! When somebody is told who we are, by which scheme, and what a refusal comes to, is decided by
//! [`Party`], as over HTTP. A guard stands in for the other end: it looks at the account that a proof
//! is made of, not at the proof.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bits_api::{AuthScheme, AuthTarget};
use bits_auth::{Asked, Manner, Party, Step, Verdict};
use bits_wire::Secret;
use bits_wire::attempt::{AttemptReport, Failure, ResponseHead, Work};
use bits_wire::auth::{Login, Logins};
use bits_wire::download::{Fault, Origin, Scheme, status_failure};
use bits_wire::proxy::{Hop, ProxyServer};
use http::header::{HeaderName, PROXY_AUTHENTICATE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};

use uuid::Uuid;

use super::redirects::Journey;
use super::{Attempt, Remote, Simulation};

/// Whom a simulated server or proxy lets pass, and how it asks who somebody is.
///
/// ```
/// use bits_service::{SimGuard, SimScheme, Simulation};
///
/// let network = Simulation::new();
/// network.serve("http://server/secret", 100);
/// let guard = SimGuard::new().offers(SimScheme::Basic).knows("alice", "correct horse");
/// network.guard("http://server/secret", guard.clone());
/// network.guard_proxy("proxy", 3128, guard);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[must_use]
pub struct SimGuard {
    schemes: Vec<SimScheme>,
    accounts: Vec<Login>,
}

/// How somebody proves to a simulated server or proxy who he is. Passport, which signs in at a server of
/// its own, shows over HTTP only.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SimScheme {
    /// BG_AUTH_SCHEME_BASIC.
    Basic,
    /// BG_AUTH_SCHEME_DIGEST, with MD5.
    Digest,
    /// BG_AUTH_SCHEME_NTLM.
    Ntlm,
    /// BG_AUTH_SCHEME_NEGOTIATE, without Kerberos.
    Negotiate,
}

impl SimScheme {
    fn scheme(self) -> AuthScheme {
        match self {
            Self::Basic => AuthScheme::BASIC,
            Self::Digest => AuthScheme::DIGEST,
            Self::Ntlm => AuthScheme::NTLM,
            Self::Negotiate => AuthScheme::NEGOTIATE,
        }
    }

    fn challenge(self) -> &'static str {
        match self {
            Self::Basic => "Basic realm=\"simulation\"",
            Self::Digest => "Digest realm=\"simulation\", nonce=\"simulation\", qop=\"auth\"",
            Self::Ntlm => "NTLM",
            Self::Negotiate => "Negotiate",
        }
    }
}

impl SimGuard {
    /// A guard that offers nothing and knows nobody: it lets nobody pass.
    pub fn new() -> Self {
        Self::default()
    }

    /// Offers a scheme, beside those that it offers already.
    pub fn offers(mut self, scheme: SimScheme) -> Self {
        self.schemes.push(scheme);
        self
    }

    /// Lets somebody pass who proves by a scheme that is offered that he has this name, perhaps as
    /// `DOMAIN\name`, and this password. Windows, asked by NTLM and Negotiate, does not look at the
    /// case of a name.
    pub fn knows(mut self, user_name: &str, password: &str) -> Self {
        self.accounts.push(Login { user_name: Secret::new(user_name), password: Secret::new(password) });
        self
    }

    /// Whether somebody passes who has told this much on his connection, or does so with his request.
    fn lets_pass(&self, party: &Party, is_told: bool) -> bool {
        let Some((scheme, login)) = party.account() else { return false };
        let is_windows = [AuthScheme::NTLM, AuthScheme::NEGOTIATE].contains(&scheme);
        let is_named =
            |name: &str, other: &str| name == other || (is_windows && name.to_lowercase() == other.to_lowercase());
        let is_known =
            |own: &Login| own.password == login.password && is_named(own.user_name.expose(), login.user_name.expose());
        // By these a connection is known afterwards, and nothing goes along with its requests.
        (is_told || is_windows)
            && self.schemes.iter().any(|own| own.scheme() == scheme)
            && self.accounts.iter().any(is_known)
    }

    fn challenges(&self, header: &HeaderName) -> HeaderMap {
        let line = |scheme: &SimScheme| (header.clone(), HeaderValue::from_static(scheme.challenge()));
        self.schemes.iter().map(line).collect()
    }
}

impl Simulation {
    /// Lets the server of `url` want to know who asks for it, or sends something there: whoever does
    /// not say so gets status 401. `None` lets everybody pass again. Connections that know somebody
    /// forget him with the job's last file.
    pub fn guard(&self, url: &str, guard: impl Into<Option<SimGuard>>) {
        self.lock().remote.entry(url.into()).or_default().guard = guard.into();
    }

    /// Lets a proxy want to know who goes through it: whoever does not say so gets status 407. `None`
    /// lets everybody pass again.
    pub fn guard_proxy(&self, host: &str, port: u16, guard: impl Into<Option<SimGuard>>) {
        let proxy = ProxyServer { host: host.to_owned(), port };
        let guards = &mut self.lock().proxies;
        match guard.into() {
            Some(guard) => _ = guards.insert(proxy, guard),
            None => _ = guards.remove(&proxy),
        }
    }
}

/// How we answer: to challenges of Digest, by MD5 alone.
const MANNER: Manner = Manner { nonce: || Uuid::new_v4().simple().to_string(), knows_sha256: false };

/// A connection of a chain of attempts, and whom those at its other end know.
#[derive(Debug)]
pub(super) struct Line {
    hop: Hop,
    origin: Origin,
    is_trusted: bool,
    logins: Arc<Logins>,
    proxy: Party,
    server: Party,
    /// Whether the proxy has let it through to a server of HTTPS: it hears no more of it.
    is_through: bool,
}

impl Line {
    fn new(hop: &Hop, origin: &Origin, is_trusted: bool, logins: &Arc<Logins>) -> Self {
        Self {
            hop: hop.clone(),
            origin: origin.clone(),
            is_trusted,
            logins: Arc::clone(logins),
            proxy: Party::new(AuthTarget::PROXY, logins, MANNER),
            server: server(is_trusted, logins),
            is_through: false,
        }
    }

    /// A connection that leads there: this one where it does, or where its proxy does.
    fn turned_to(self, hop: &Hop, origin: &Origin, is_trusted: bool, logins: &Arc<Logins>) -> Self {
        let is_same_way = self.hop == *hop && self.logins == *logins;
        if is_same_way && (&self.origin, self.is_trusted) == (origin, is_trusted) {
            return self;
        }
        let fresh = Self::new(hop, origin, is_trusted, logins);
        let is_told_of_each = |origin: &Origin| *hop != Hop::Direct && origin.scheme == Scheme::Http;
        // Whatever the server, a proxy is told with each request of HTTP.
        if is_same_way && is_told_of_each(&self.origin) && is_told_of_each(origin) {
            return Self { proxy: self.proxy, ..fresh };
        }
        fresh
    }
}

/// Our side towards a server, which is told who we are only where it is the one that is meant.
fn server(is_trusted: bool, logins: &Arc<Logins>) -> Party {
    let nobody = Arc::default();
    Party::new(AuthTarget::SERVER, if is_trusted { logins } else { &nobody }, MANNER)
}

/// Who asks who we are.
#[derive(Clone, Copy)]
enum Post {
    Server,
    Proxy,
}

impl Post {
    fn status(self) -> StatusCode {
        match self {
            Self::Server => StatusCode::UNAUTHORIZED,
            Self::Proxy => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        }
    }

    fn header(self) -> HeaderName {
        match self {
            Self::Server => WWW_AUTHENTICATE,
            Self::Proxy => PROXY_AUTHENTICATE,
        }
    }

    /// The answer of a guard who lets nobody pass who says no more than that.
    fn refusal(self, guard: &SimGuard) -> ResponseHead {
        let line = |scheme: &SimScheme| format!("{}: {}\r\n", self.header(), scheme.challenge());
        let lines: String = guard.schemes.iter().map(line).collect();
        ResponseHead(format!("HTTP/1.1 {}\r\n{lines}\r\n", self.status()).into())
    }
}

/// Passes those who guard the way of an attempt's request to its server, and adds to the attempt's news
/// what they make of it.
///
/// # Errors
/// What the attempt ends with when one of them does not let it pass.
pub(super) fn pass(
    attempt: &mut Attempt,
    remote: &Remote,
    proxies: &HashMap<ProxyServer, SimGuard>,
) -> Result<(), Failure> {
    let Attempt { plan, journey, news, hop: Some(hop), line, .. } = attempt else { return Ok(()) };
    let Some(redirects) = journey.redirects() else { return Ok(()) };
    let (origin, is_trusted) = (&redirects.target().origin().clone(), redirects.is_trusted());
    let place = journey.place().to_owned();
    let turned = match line.take() {
        Some(line) => line.turned_to(hop, origin, is_trusted, &plan.logins),
        None => Line::new(hop, origin, is_trusted, &plan.logins),
    };
    let line = line.insert(turned);
    let method = if matches!(plan.work, Work::Download | Work::Reply { .. }) { "HEAD" } else { "BITS_POST" };
    let is_tunnel = origin.scheme == Scheme::Https;
    if let Hop::Proxy(proxy) = &*hop
        && let Some(guard) = proxies.get(proxy)
        && !line.is_through
    {
        let method = if is_tunnel { "CONNECT" } else { method };
        let asked = Asked { method, target: &place, host: &proxy.host };
        match talk(&mut line.proxy, guard, &asked, Post::Proxy, news)? {
            true => {}
            // That is no answer of the server's.
            false if is_tunnel => return Err(Fault::ProxyRefused(407).failure()),
            false => return Err(stands(Post::Proxy, guard, journey, news)),
        }
    }
    line.is_through = is_tunnel;
    let asked = Asked { method, target: &place, host: &origin.host };
    match &remote.guard {
        Some(guard) if !talk(&mut line.server, guard, &asked, Post::Server, news)? => {
            Err(stands(Post::Server, guard, journey, news))
        }
        _ => Ok(()),
    }
}

/// Says who we are as often as that leads on; whether the request passes.
fn talk(
    party: &mut Party,
    guard: &SimGuard,
    asked: &Asked<'_>,
    post: Post,
    news: &mut VecDeque<AttemptReport>,
) -> Result<bool, Failure> {
    loop {
        let is_told = party.say(asked).is_some();
        let passes = guard.lets_pass(party, is_told);
        let (status, headers) =
            if passes { (StatusCode::OK, HeaderMap::new()) } else { (post.status(), guard.challenges(&post.header())) };
        let mut step = party.hear(status.as_u16(), &headers);
        while let Step::Ask(_) = step {
            // No KDC is simulated.
            step = party.heard(None);
        }
        if let Some(verdict) = party.take_verdict() {
            let (by, accepted) = (asked.host.to_owned(), verdict == Verdict::Accepted);
            news.push_back(AttemptReport::CredentialsJudged { by, accepted });
        }
        if party.lacks(status.as_u16(), &headers) {
            return Err(Fault::IncompleteCredentials.failure());
        }
        if passes || step != Step::Again {
            return Ok(passes);
        }
    }
}

/// The answer of a guard stands; redirects end with it as with any other.
fn stands(post: Post, guard: &SimGuard, journey: &mut Journey, news: &mut VecDeque<AttemptReport>) -> Failure {
    news.push_back(AttemptReport::Answered(post.refusal(guard)));
    // It is no redirect, and refuses none.
    let _ = journey.follow(post.status().as_u16(), None, news);
    status_failure(post.status())
}
