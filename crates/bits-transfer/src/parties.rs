//! Who we are to those at the other end of a connection: the server, and the proxy before it.

use std::sync::Arc;

use bits_api::AuthTarget;
use bits_auth::{Asked, Manner, Party, Step, Verdict};
use bits_wire::auth::Logins;
use bits_wire::download::{Fault, Origin};
use bits_wire::proxy::ProxyServer;
use bits_world::{Decisions, Profile, Switch};
use http::{HeaderMap, HeaderValue, Request};

use uuid::Uuid;

use crate::kdc;
use crate::link::Aim;

/// How a mover that plays this BITS answers.
pub(crate) fn manner(profile: Profile, decisions: &Decisions) -> Manner {
    let knows_sha256 = profile >= Profile::V10_3 && !decisions.is_other(Switch::DigestSha256);
    Manner { nonce: || Uuid::new_v4().simple().to_string(), knows_sha256 }
}

/// Who hears, by the name of its host, what somebody makes of what he was told.
pub(crate) type Judged<'a> = &'a (dyn Fn(&str, Verdict) + Sync);

/// Our side towards a proxy and a server, on one connection.
#[derive(Debug)]
pub(crate) struct Parties {
    proxy: Party,
    /// Who knows us as `proxy`: another one of the route may stand in for the first.
    through: Option<ProxyServer>,
    server: Party,
    manner: Manner,
    /// Who knows us as `server`: behind a proxy, one after the other.
    origin: Origin,
    is_trusted: bool,
}

impl Parties {
    pub(crate) fn new(aim: &Aim, manner: Manner) -> Self {
        Self {
            proxy: Party::new(AuthTarget::PROXY, &aim.logins, manner),
            through: None,
            server: Party::new(AuthTarget::SERVER, &servers(aim), manner),
            manner,
            origin: aim.origin.clone(),
            is_trusted: aim.is_trusted,
        }
    }

    /// Turns to the server of `aim`, which need not be the one that knows us, nor as we are to be
    /// known now.
    pub(crate) fn turn_to(&mut self, aim: &Aim) {
        if (&self.origin, self.is_trusted) != (&aim.origin, aim.is_trusted) {
            self.server = Party::new(AuthTarget::SERVER, &servers(aim), self.manner);
            (self.origin, self.is_trusted) = (aim.origin.clone(), aim.is_trusted);
        }
    }

    /// The same on another connection.
    pub(crate) fn moved(self) -> Self {
        Self { proxy: self.proxy.moved(), server: self.server.moved(), ..self }
    }

    /// Adds what we say to a request to a proxy.
    pub(crate) fn say_to_proxy<B>(&mut self, proxy: &ProxyServer, request: &mut Request<B>) {
        if self.through.as_ref() != Some(proxy) {
            self.proxy.turn();
            self.through = Some(proxy.clone());
        }
        say(&mut self.proxy, &proxy.host, &request.uri().to_string(), request);
    }

    /// Adds what we say to a request to the server; a proxy may be told the whole URL.
    pub(crate) fn say_to_server<B>(&mut self, request: &mut Request<B>) {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        say(&mut self.server, &self.origin.host, &path, request);
    }

    /// Ties what the server is told to the channel that leads to it.
    pub(crate) fn bind(&mut self, binding: Option<Vec<u8>>) {
        self.server.bind(binding);
    }

    /// Takes in what a proxy answers, and tells `judged` what it makes of what it was told. Returns
    /// whether it is to be asked again.
    ///
    /// # Errors
    /// The proxy wants what the job has a useless record of, or is not who it should be.
    pub(crate) async fn hear_proxy(
        &mut self,
        proxy: &ProxyServer,
        status: u16,
        headers: &HeaderMap,
        judged: Judged<'_>,
    ) -> Result<bool, Fault> {
        hear(&mut self.proxy, &proxy.host, status, headers, judged).await
    }

    /// Takes in what the server answers, and tells `judged` what it makes of what it was told. Returns
    /// whether it is to be asked again.
    ///
    /// # Errors
    /// The server wants what the job has a useless record of, or is not who it should be.
    pub(crate) async fn hear_server(
        &mut self,
        status: u16,
        headers: &HeaderMap,
        judged: Judged<'_>,
    ) -> Result<bool, Fault> {
        hear(&mut self.server, &self.origin.host, status, headers, judged).await
    }
}

async fn hear(
    party: &mut Party,
    host: &str,
    status: u16,
    headers: &HeaderMap,
    judged: Judged<'_>,
) -> Result<bool, Fault> {
    let step = party.hear(status, headers);
    let is_again = taken(party, step).await?;
    if let Some(verdict) = party.take_verdict() {
        judged(host, verdict);
    }
    if party.lacks(status, headers) { Err(Fault::IncompleteCredentials) } else { Ok(is_again) }
}

/// More than a KDC is asked for one exchange: it would go on for ever.
const MOST_QUESTIONS: usize = 8;

/// Takes a step, with all that a KDC is asked on the way; returns whether there is more to say.
async fn taken(party: &mut Party, mut step: Step) -> Result<bool, Fault> {
    let mut left = MOST_QUESTIONS;
    loop {
        step = match step {
            Step::Again => return Ok(true),
            Step::Doubt => return Err(Fault::Impostor),
            Step::Ask(request) if left > 0 => {
                left -= 1;
                party.heard(kdc::ask(&request).await)
            }
            Step::Stand | Step::Ask(_) => return Ok(false),
        };
    }
}

/// What the server of `aim` may be told.
fn servers(aim: &Aim) -> Arc<Logins> {
    if aim.is_trusted { Arc::clone(&aim.logins) } else { Arc::default() }
}

fn say<B>(party: &mut Party, host: &str, target: &str, request: &mut Request<B>) {
    let asked = Asked { method: request.method().as_str(), target, host };
    let Some((header, value)) = party.say(&asked) else { return };
    if let Ok(mut value) = HeaderValue::from_bytes(value.expose().as_bytes()) {
        value.set_sensitive(true);
        request.headers_mut().insert(header, value);
    }
}
