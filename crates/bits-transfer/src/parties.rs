//! Who we are to those at the other end of a connection: the server, and the proxy before it.

use std::sync::Arc;

use bits_api::AuthTarget;
use bits_auth::{Asked, Manner, Party, Step};
use bits_wire::auth::Logins;
use bits_wire::download::Origin;
use bits_wire::proxy::ProxyServer;
use bits_world::{Decisions, Profile, Switch};
use http::{HeaderMap, HeaderValue, Request};

use uuid::Uuid;

use crate::link::Aim;

/// How a mover that plays this BITS answers.
pub(crate) fn manner(profile: Profile, decisions: &Decisions) -> Manner {
    let knows_sha256 = profile >= Profile::V10_3 && !decisions.is_other(Switch::DigestSha256);
    Manner { nonce: || Uuid::new_v4().simple().to_string(), knows_sha256 }
}

/// Our side towards a proxy and a server, on one connection.
#[derive(Debug)]
pub(crate) struct Parties {
    proxy: Party,
    server: Party,
    manner: Manner,
    /// Who knows us as `server`: behind a proxy, one after the other.
    origin: Origin,
}

impl Parties {
    pub(crate) fn new(aim: &Aim, manner: Manner) -> Self {
        Self {
            proxy: Party::new(AuthTarget::PROXY, &aim.logins, manner),
            server: Party::new(AuthTarget::SERVER, &servers(aim), manner),
            manner,
            origin: aim.origin.clone(),
        }
    }

    /// Turns to the server of `aim`, which need not be the one that knows us.
    pub(crate) fn turn_to(&mut self, aim: &Aim) {
        if self.origin != aim.origin {
            self.server = Party::new(AuthTarget::SERVER, &servers(aim), self.manner);
            self.origin = aim.origin.clone();
        }
    }

    /// The same on another connection.
    pub(crate) fn moved(self) -> Self {
        Self { proxy: self.proxy.moved(), server: self.server.moved(), ..self }
    }

    /// Adds what we say to a request to a proxy.
    pub(crate) fn say_to_proxy<B>(&mut self, proxy: &ProxyServer, request: &mut Request<B>) {
        say(&mut self.proxy, &proxy.host, &request.uri().to_string(), request);
    }

    /// Adds what we say to a request to the server; a proxy may be told the whole URL.
    pub(crate) fn say_to_server<B>(&mut self, request: &mut Request<B>) {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        say(&mut self.server, &self.origin.host, &path, request);
    }

    /// Takes in what the proxy answers.
    pub(crate) fn hear_proxy(&mut self, status: u16, headers: &HeaderMap) -> Step {
        self.proxy.hear(status, headers)
    }

    /// Takes in what the server answers.
    pub(crate) fn hear_server(&mut self, status: u16, headers: &HeaderMap) -> Step {
        self.server.hear(status, headers)
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
