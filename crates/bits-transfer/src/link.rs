//! One connection: made, asked, read from, and asked again.

use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bits_auth::Manner;
use bits_wire::attempt::Vetter;
use bits_wire::auth::Logins;
use bits_wire::certificates::Stores;
use bits_wire::download::{CertificateFault, CertificateFaults, Fault, Origin, Request, Scheme, Target};
use bits_wire::proxy::{self, Hop, ProxyServer, Route};
use bits_world::clock::{Clock, Ends, Monotonic};
use bits_world::{Decisions, LocalStorage};
use bytes::Bytes;
use http::HeaderMap;
use http_body_util::Empty;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::runtime::Handle;

use crate::binding;
use crate::parties::{Judged, Parties};
use crate::socket::{EndlessHead, Layer, Meter, Metered, Stream};
use crate::spares::{self, Spares};
use crate::tls::{self, Session, Trust};
use crate::turns::Turn;
use crate::vetted;
use crate::watchdog::{sleep_until, within};
use crate::way;

/// What every connection of a mover needs.
pub(crate) struct Network {
    pub(crate) clock: Clock,
    /// The file version of BITS' library.
    pub(crate) library: String,
    pub(crate) stall: Duration,
    pub(crate) decisions: Decisions,
    /// How we answer who asks who we are.
    pub(crate) manner: Manner,
    pub(crate) trust: Arc<Trust>,
    pub(crate) storage: LocalStorage,
    /// What jobs have left. A virtual clock has none: on it a connection that lies still would outlast
    /// days, and a test could not tell whose it was.
    pub(crate) spares: Option<Arc<Spares>>,
}

/// HTTP on a connection, as long as somebody polls it.
type Running = Pin<Box<Connection<TokioIo<Stream>, Empty<Bytes>>>>;

/// Why no answer came.
#[derive(Debug)]
pub(crate) struct NoAnswer {
    pub(crate) fault: Fault,
    /// Whether it may be asked again on a new connection: this one was used before, and may have died
    /// meanwhile, or brought what nobody asked for. Nothing came since the request went out, or it did
    /// not; one that may do something twice is not sent twice (RFC 9110, 9.2.2).
    pub(crate) repeatable: bool,
}

/// What a connection is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Aim {
    /// The server.
    pub(crate) origin: Origin,
    /// The way there.
    pub(crate) route: Route,
    /// The faults that its certificate may have.
    pub(crate) excused: CertificateFaults,
    /// Whether it is looked up among the revoked.
    pub(crate) checks_revocation: bool,
    /// The hash of the certificate that it is shown when it asks for one.
    pub(crate) chosen: Option<[u8; 20]>,
    /// What those who ask are told.
    pub(crate) logins: Arc<Logins>,
    /// Whether the server is one of those.
    pub(crate) is_trusted: bool,
    /// Whether requests carry headers of the client, which may say who asks.
    pub(crate) is_personal: bool,
}

impl Aim {
    /// Straight to a server whose certificate has no fault, in nobody's name.
    pub(crate) fn straight_to(origin: &Origin) -> Self {
        Self {
            origin: origin.clone(),
            route: Route::default(),
            excused: CertificateFaults::empty(),
            checks_revocation: false,
            chosen: None,
            logins: Arc::default(),
            is_trusted: false,
            is_personal: false,
        }
    }
}

/// Who is asked while a connection of HTTPS is made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counsel {
    /// Who has a say about the server.
    pub(crate) vetter: Option<Arc<dyn Vetter>>,
    /// When it may be asked.
    pub(crate) turn: Arc<Turn>,
    /// Who looks into the stores of the machine.
    pub(crate) stores: Option<Arc<dyn Stores>>,
}

/// What a connection was used for so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Past {
    Nothing,
    /// Somebody has left it, and nobody has asked on it since.
    OfAnother,
    /// Whoever has it was answered.
    Own,
}

/// A connection to one origin, or to a proxy. It moves only while an attempt polls it: between attempts it lies
/// still, without a task of its own.
pub(crate) struct Link {
    aim: Aim,
    /// The proxy at its end, which is told whole URLs.
    proxy: Option<ProxyServer>,
    parties: Parties,
    meter: Arc<Meter>,
    sender: SendRequest<Empty<Bytes>>,
    /// `None` once the connection is over.
    connection: Option<Running>,
    past: Past,
    /// The worker that has made it.
    home: Handle,
}

impl Link {
    /// So much is read at once: with large files the number of reads and writes is what costs.
    const READ_BUFFER: usize = 1024 * 1024;
    /// What is read of a body that nobody wants, so that the connection can be asked again.
    pub(crate) const SHORT: usize = 64 * 1024;

    /// Connects as one of `parties`; tells `connected` as soon as only the other end is waited for, and
    /// `judged` what a proxy makes of what it was told.
    ///
    /// Certificates are looked up in the stores for each connection, and a server of HTTPS is
    /// judged on each.
    pub(crate) async fn open(
        network: &Network,
        aim: &Aim,
        mut parties: Parties,
        counsel: &Counsel,
        connected: impl Fn(Arc<Meter>),
        judged: Judged<'_>,
    ) -> Result<Self, Fault> {
        let Aim { origin, route, .. } = aim;
        let trust = match origin.scheme {
            Scheme::Http => None,
            Scheme::Https => {
                trusted(network).await?;
                Some(Session::new(&network.trust, aim, counsel)?)
            }
        };
        let (stream, meter, hop) = loop {
            let (stream, hop) = way::connect(network, origin, route).await?;
            let (stream, meter) = metered(network, stream)?;
            connected(Arc::clone(&meter));
            let Hop::Proxy(proxy) = hop else { break (stream, meter, hop) };
            if origin.scheme == Scheme::Http {
                break (stream, meter, hop);
            }
            let tunnel = way::tunnel(network, origin, (proxy, stream), &meter, &mut parties, judged);
            match within(&network.clock, network.stall, tunnel).await? {
                Some(tunnel) => break (tunnel, meter, hop),
                // The proxy wants to hear more, and not on this connection.
                None => parties = parties.moved(),
            }
        };
        parties.bind(None);
        let layer = match trust {
            None => Layer::Plain(stream),
            Some(trust) => {
                let say = trust.say.clone();
                vetted::in_time(&network.clock, network.stall, say, encrypt(trust, origin, stream)).await?
            }
        };
        if let Layer::Tls(stream) = &layer {
            let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
            parties.bind(certificates.first().and_then(|own| binding::end_point(own)));
        }
        let (sender, connection) = http1::Builder::new()
            .title_case_headers(true)
            .max_buf_size(Self::READ_BUFFER)
            .handshake(TokioIo::new(Stream { layer, meter: Arc::clone(&meter) }))
            .await
            .map_err(|error| fault(&error))?;
        let proxy = match hop {
            Hop::Proxy(proxy) if origin.scheme == Scheme::Http => Some(proxy.clone()),
            _ => None,
        };
        let (aim, connection, home) = (aim.clone(), Some(Box::pin(connection)), Handle::current());
        Ok(Self { aim, proxy, parties, meter, sender, connection, past: Past::Nothing, home })
    }

    /// Whether it is as good as a new one.
    pub(crate) fn leads_to(&self, aim: &Aim) -> bool {
        // A proxy is told with each request whom it is for.
        let is_proxys = self.proxy.is_some()
            && aim.origin.scheme == Scheme::Http
            && (&self.aim.route, &self.aim.logins, self.aim.is_personal) == (&aim.route, &aim.logins, aim.is_personal);
        is_proxys || self.aim == *aim
    }

    /// Turns to another server behind the same proxy.
    pub(crate) fn turn_to(&mut self, aim: &Aim) {
        self.parties.turn_to(aim);
    }

    /// Whether the same is to be asked again, with what those at the other end want to hear. Tells
    /// `judged` what they make of what they were told.
    ///
    /// # Errors
    /// They want what the job has a useless record of, or are not who they should be.
    pub(crate) async fn hear(&mut self, status: u16, headers: &HeaderMap, judged: Judged<'_>) -> Result<bool, Fault> {
        let proxys = match &self.proxy {
            Some(proxy) => self.parties.hear_proxy(proxy, status, headers, judged).await?,
            None => false,
        };
        let servers = self.parties.hear_server(status, headers, judged).await?;
        Ok(proxys || servers)
    }

    /// Who we were, for another connection.
    pub(crate) fn into_parties(self) -> Parties {
        self.parties.moved()
    }

    /// What it was made for.
    pub(crate) fn aim(&self) -> &Aim {
        &self.aim
    }

    pub(crate) fn home(&self) -> &Handle {
        &self.home
    }

    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// The same for whoever takes it over.
    pub(crate) fn handed_over(self) -> Self {
        Self { past: Past::OfAnother, ..self }
    }

    /// Whether another request may be sent, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        self.connection.is_some() && !self.sender.is_closed()
    }

    /// Sends a request to `target` and waits for the head of its answer, as long as a server may be
    /// silent: on a connection that somebody else has left, not for long without a byte of it.
    pub(crate) async fn ask(
        &mut self,
        network: &Network,
        request: &Request,
        target: &Target,
    ) -> Result<http::Response<Incoming>, NoAnswer> {
        let (past, meter) = (self.past, Arc::clone(&self.meter));
        let moments = network.clock.now().monotonic.plus(spares::SILENCE.min(network.stall / 2));
        let answer = async { Ok(self.exchange(request, target).await) };
        tokio::select! {
            biased;
            answer = within(&network.clock, network.stall, answer) => {
                let answer = answer.unwrap_or_else(|fault| Err(NoAnswer { fault, repeatable: false }));
                if answer.is_ok() {
                    self.past = Past::Own;
                }
                answer.map_err(|none| NoAnswer { repeatable: none.repeatable && past != Past::Nothing, ..none })
            }
            () = silence(&network.clock, moments, &meter), if past == Past::OfAnother => {
                tracing::debug!(server = %meter.ends.server, "a connection that was left says nothing");
                Err(NoAnswer { fault: Fault::Timeout, repeatable: request.method.is_idempotent() })
            }
        }
    }

    async fn exchange(&mut self, request: &Request, target: &Target) -> Result<http::Response<Incoming>, NoAnswer> {
        let mut outgoing = http::Request::new(Empty::new());
        *outgoing.method_mut() = request.method.clone();
        *outgoing.uri_mut() = http::Uri::from(request.path.clone());
        *outgoing.headers_mut() = request.headers.clone();
        if let Some(proxy) = &self.proxy {
            proxy::address(&mut outgoing, target);
            self.parties.say_to_proxy(proxy, &mut outgoing);
        }
        self.parties.say_to_server(&mut outgoing);
        self.meter.expect_head(&request.spelled);
        self.look().await;
        if self.connection.is_none() {
            // What comes before anything is asked is no answer, and nothing is lost with it.
            let fault = if self.meter.is_silent() { Fault::ConnectionEnded } else { Fault::InvalidResponse };
            return Err(NoAnswer { fault, repeatable: true });
        }
        let answer = self.send(outgoing).await;
        let repeatable = self.meter.is_silent() && request.method.is_idempotent();
        self.meter.head_done();
        answer.map_err(|error| NoAnswer { fault: fault(&error), repeatable })
    }

    /// Looks once what the server has done while the connection lay still.
    async fn look(&mut self) {
        std::future::poll_fn(|cx| {
            drive(&mut self.connection, cx);
            Poll::Ready(())
        })
        .await;
    }

    async fn send(&mut self, request: http::Request<Empty<Bytes>>) -> hyper::Result<http::Response<Incoming>> {
        let Self { sender, connection, .. } = self;
        std::future::poll_fn(|cx| driving(connection, cx, |cx| sender.poll_ready(cx))).await?;
        let mut answer = pin!(sender.send_request(request));
        std::future::poll_fn(|cx| driving(connection, cx, |cx| answer.as_mut().poll(cx))).await
    }

    /// The next bytes of a body, or `None` at its end.
    pub(crate) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        body: &mut Incoming,
    ) -> Poll<Option<Result<Bytes, Fault>>> {
        loop {
            let frame = driving(&mut self.connection, cx, |cx| Pin::new(&mut *body).poll_frame(cx));
            return match frame {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => Poll::Ready(Some(Ok(data))),
                    // Trailers say nothing about a file.
                    Err(_) => continue,
                },
                Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(fault(&error)))),
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            };
        }
    }

    /// Reads a body that nobody wants to its end, if it is short; otherwise the connection cannot
    /// be used again. Returns whether it can.
    pub(crate) async fn drain(&mut self, mut body: Incoming) -> bool {
        let mut seen = 0;
        while let Some(data) = std::future::poll_fn(|cx| self.poll_body(cx, &mut body)).await {
            let Ok(data) = data else { return false };
            seen += data.len();
            if seen > Self::SHORT {
                return false;
            }
        }
        true
    }
}

fn metered(network: &Network, stream: TcpStream) -> Result<(Metered, Arc<Meter>), Fault> {
    // Small requests go out at once; failing that, only slower.
    let _ = stream.set_nodelay(true);
    let (Ok(client), Ok(server)) = (stream.local_addr(), stream.peer_addr()) else {
        return Err(Fault::ConnectionEnded);
    };
    let meter = Meter::new(Ends { client, server }, network.clock.clone());
    Ok((Metered::new(stream, Arc::clone(&meter)), meter))
}

/// Returns when no byte of an answer has come until then; where one has, never.
async fn silence(clock: &Clock, until: Monotonic, meter: &Meter) {
    sleep_until(clock, until).await;
    if !meter.is_silent() {
        std::future::pending::<()>().await;
    }
}

/// Lets the connection do what it can.
fn drive(connection: &mut Option<Running>, cx: &mut Context<'_>) {
    if let Some(running) = connection
        && let Poll::Ready(end) = running.as_mut().poll(cx)
    {
        if let Err(error) = end {
            tracing::debug!(%error, "connection ended");
        }
        *connection = None;
    }
}

/// Polls what waits for the connection, and the connection in between.
fn driving<T>(
    connection: &mut Option<Running>,
    cx: &mut Context<'_>,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    if let Poll::Ready(ready) = poll(cx) {
        return Poll::Ready(ready);
    }
    drive(connection, cx);
    poll(cx)
}

/// Makes known whom we trust; to find that out may take a while.
async fn trusted(network: &Network) -> Result<(), Fault> {
    if network.trust.is_known() {
        return Ok(());
    }
    let trust = Arc::clone(&network.trust);
    tokio::task::spawn_blocking(move || _ = trust.authorities()).await.map_err(|_| Fault::Tls)
}

async fn encrypt(session: Session, origin: &Origin, stream: Metered) -> Result<Layer, Fault> {
    let name = ServerName::try_from(origin.host.clone()).map_err(|_| Fault::Certificate(CertificateFault::Name))?;
    let Session { config, shown, say } = session;
    let connected = vetted::connect(config, say, name, stream).await;
    let fault = connected.as_ref().err().map(io_fault);
    if let Some(refused @ (Fault::Certificate(_) | Fault::Declined(_))) = fault {
        return Err(refused);
    }
    if shown.is_missed() {
        // Whether the server would have gone on without differs by the version of TLS.
        tracing::debug!(host = origin.host, "the server asks for a certificate, and the job has none");
        return Err(Fault::ClientCertificateNeeded);
    }
    connected.map(|stream| Layer::Tls(Box::new(stream))).map_err(|error| {
        tracing::debug!(host = origin.host, %error, "TLS handshake failed");
        fault.unwrap_or(Fault::ConnectionEnded)
    })
}

/// What an error of the HTTP connection means.
pub(crate) fn fault(error: &hyper::Error) -> Fault {
    tracing::debug!(%error, cause = ?std::error::Error::source(error), "no answer, or no end of it");
    if error.is_parse() || error.is_parse_too_large() {
        return Fault::InvalidResponse;
    }
    std::error::Error::source(error)
        .and_then(|cause| cause.downcast_ref::<io::Error>())
        .map_or(Fault::ConnectionEnded, io_fault)
}

pub(crate) fn io_fault(error: &io::Error) -> Fault {
    match error.get_ref() {
        Some(inner) if inner.is::<EndlessHead>() => Fault::InvalidResponse,
        Some(inner) => match inner.downcast_ref::<rustls::Error>() {
            Some(error) => tls::fault(error),
            // Chunks that are none, and more extensions or trailers than hyper takes.
            None if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::InvalidInput) => Fault::InvalidResponse,
            None => Fault::ConnectionEnded,
        },
        None => Fault::ConnectionEnded,
    }
}
