//! Who we are to those at the other end of a connection: the server, and the proxy before it.

use std::sync::Arc;

use bits_api::AuthTarget;
use bits_auth::{Asked, Party, Step};
use bits_wire::auth::Logins;
use bits_wire::download::Origin;
use bits_wire::proxy::ProxyServer;
use http::{HeaderMap, HeaderValue, Request};

use crate::link::Aim;

/// Our side towards a proxy and a server, on one connection.
#[derive(Debug)]
pub(crate) struct Parties {
    proxy: Party,
    server: Party,
    /// Who knows us as `server`: behind a proxy, one after the other.
    origin: Origin,
}

impl Parties {
    pub(crate) fn new(aim: &Aim) -> Self {
        Self {
            proxy: Party::new(AuthTarget::PROXY, &aim.logins),
            server: Party::new(AuthTarget::SERVER, &servers(aim)),
            origin: aim.origin.clone(),
        }
    }

    /// Turns to the server of `aim`, which need not be the one that knows us.
    pub(crate) fn turn_to(&mut self, aim: &Aim) {
        if self.origin != aim.origin {
            self.server = Party::new(AuthTarget::SERVER, &servers(aim));
            self.origin = aim.origin.clone();
        }
    }

    /// The same on another connection.
    pub(crate) fn moved(self) -> Self {
        Self { proxy: self.proxy.moved(), server: self.server.moved(), origin: self.origin }
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
    if let Ok(mut value) = HeaderValue::from_str(value.expose()) {
        value.set_sensitive(true);
        request.headers_mut().insert(header, value);
    }
}
