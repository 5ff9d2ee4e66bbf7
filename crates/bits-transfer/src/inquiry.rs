//! Single questions to a server, for whoever wants to know how it answers.
//!
//! The connections are those of an attempt: the same look-up, the same TLS, the same bounds on a
//! head. What an answer means is for the caller to say. Never waits for longer than it was told,
//! and never reads more of a body than it was asked for.

use std::net::SocketAddr;
use std::time::Duration;

use bits_wire::download::{Fault, Origin, Request, Target};
use bits_world::clock::Clock;
use bits_world::{Decisions, LocalStorage, Profile};
use http::{HeaderMap, StatusCode, Version};
use hyper::body::Incoming;
use tokio::net::{TcpStream, lookup_host};
use tokio::runtime::{Builder, Runtime};

use crate::handshake::{self, Handshake};
use crate::link::{Aim, Counsel, Link, Network};
use crate::parties::{self, Parties};
use crate::tls::Trust;
use crate::watchdog::within;

/// Asks servers one question after the other, over one connection while the server keeps it, as an
/// attempt does.
///
/// Each method blocks its thread, and must not be called from async code.
pub struct Inquirer {
    network: Network,
    runtime: Runtime,
    /// The connection of the last answer, while it can be asked again.
    link: Option<Link>,
}

/// What came for an answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP version that the server speaks.
    pub version: Version,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The beginning of the body.
    pub body: Vec<u8>,
    /// What followed.
    pub rest: Rest,
}

/// What follows the beginning of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rest {
    /// Nothing: this was all of it.
    Nothing,
    /// More, which was not read.
    Unread,
    /// The end of the connection before the end of the body, or another fault.
    Broken(Fault),
}

/// Whether one address of a host takes connections.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tried {
    /// The address.
    pub address: SocketAddr,
    /// Why not, in the system's words.
    pub refusal: Option<String>,
}

impl Inquirer {
    /// For servers that prove themselves by the machine's roots or by the certificates in
    /// `trusted`, PEM texts. A connection, an answer's head and what is read of its body may take
    /// `patience` each.
    ///
    /// # Errors
    /// One line that names the entry of `trusted` that holds no certificate, or says what the
    /// system refuses.
    pub fn new(decisions: &Decisions, trusted: &[String], patience: Duration) -> Result<Self, String> {
        let (clock, decisions) = (Clock::system(), decisions.clone());
        let trust = Trust::new(trusted, &clock)?.into();
        let runtime = Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
        // Requests come with their headers: nobody asks this network for the name of a library, or for a file.
        let (library, storage) = (String::new(), LocalStorage::default());
        let manner = parties::manner(Profile::default(), &decisions);
        let network = Network { clock, library, stall: patience, decisions, manner, trust, storage, spares: None };
        Ok(Self { network, runtime, link: None })
    }

    /// Sends `request` to the server of `target`, and reads at most `most` bytes of the body.
    ///
    /// # Errors
    /// The fault that an attempt would have seen.
    pub fn ask(&mut self, target: &Target, request: &Request, most: usize) -> Result<Reply, Fault> {
        let aim = Aim::straight_to(target.origin());
        let used = self.link.take().filter(|link| link.is_open() && link.leads_to(&aim));
        let (network, runtime) = (&self.network, &self.runtime);
        let (reply, link) = runtime.block_on(async {
            let (mut link, answer) = answered(network, used, &aim, target, request).await?;
            let (head, mut body) = answer.into_parts();
            let mut begin = Vec::new();
            let read = async { Ok(read(&mut link, &mut body, most, &mut begin).await) };
            let rest = within(&network.clock, network.stall, read).await.unwrap_or_else(Rest::Broken);
            let reply = Reply { version: head.version, status: head.status, headers: head.headers, body: begin, rest };
            Ok((reply, (rest == Rest::Nothing).then_some(link)))
        })?;
        self.link = link;
        Ok(reply)
    }

    /// Closes the connection that the last answer came over.
    pub fn hang_up(&mut self) {
        self.link = None;
    }

    /// Looks the host of `origin` up and tries each of its addresses.
    ///
    /// # Errors
    /// Why the host has no address, in the system's words.
    pub fn try_addresses(&self, origin: &Origin) -> Result<Vec<Tried>, String> {
        self.runtime.block_on(async {
            let work = async { Ok(lookup_host((origin.host.as_str(), origin.port)).await) };
            let found = match within(&self.network.clock, self.network.stall, work).await {
                Ok(found) => found.map_err(|error| error.to_string())?,
                Err(_) => return Err(self.too_long("the look-up takes")),
            };
            let mut tried = Vec::new();
            for address in found {
                let work = async { Ok(TcpStream::connect(address).await) };
                let refusal = match within(&self.network.clock, self.network.stall, work).await {
                    Ok(connected) => connected.err().map(|error| error.to_string()),
                    Err(_) => Some(self.too_long("no answer for")),
                };
                tried.push(Tried { address, refusal });
            }
            Ok(tried)
        })
    }

    fn too_long(&self, what: &str) -> String {
        format!("{what} more than {} s", self.network.stall.as_secs_f64())
    }

    /// Shakes hands with the server of `origin` over TLS, on a connection of its own over which
    /// nothing is asked: whatever certificate it shows, the handshake goes on, to see all of it.
    /// With `old`, a client that knows TLS 1.2 at most is tried.
    ///
    /// # Errors
    /// The fault that keeps the handshake from its end, and what is known of it in words.
    pub fn shake_hands(&self, origin: &Origin, old: bool) -> Result<Handshake, (Fault, String)> {
        let Network { clock, stall, .. } = &self.network;
        let shaken = async { Ok(handshake::shake(&self.network, origin, old).await) };
        let result = self.runtime.block_on(within(clock, *stall, shaken));
        result.unwrap_or_else(|fault| Err((fault, self.too_long("no end of the handshake for"))))
    }
}

/// The head of the answer to `request`, over `used` or a new connection. A connection that has died
/// since its last answer is replaced once.
async fn answered(
    network: &Network,
    mut used: Option<Link>,
    aim: &Aim,
    target: &Target,
    request: &Request,
) -> Result<(Link, http::Response<Incoming>), Fault> {
    loop {
        let mut link = if let Some(link) = used.take() {
            link
        } else {
            let parties = Parties::new(aim, network.manner);
            Link::open(network, aim, parties, &Counsel::default(), |_| (), &|_, _| ()).await?
        };
        match link.ask(network, request, target).await {
            Ok(answer) => return Ok((link, answer)),
            Err(none) if none.repeatable => {}
            Err(none) => return Err(none.fault),
        }
    }
}

/// Reads up to `most` bytes of a body into `begin`.
async fn read(link: &mut Link, body: &mut Incoming, most: usize, begin: &mut Vec<u8>) -> Rest {
    loop {
        let room = most - begin.len();
        match std::future::poll_fn(|cx| link.poll_body(cx, body)).await {
            None => return Rest::Nothing,
            Some(Err(fault)) => return Rest::Broken(fault),
            Some(Ok(data)) if data.len() > room => {
                begin.extend_from_slice(&data[..room]);
                return Rest::Unread;
            }
            Some(Ok(data)) => begin.extend_from_slice(&data),
        }
    }
}
