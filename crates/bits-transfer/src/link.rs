//! One connection: made, asked, read from, and asked again.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bits_wire::download::{CertificateFault, CertificateFaults, Fault, Origin, Request, Scheme};
use bits_world::clock::{Clock, Ends};
use bits_world::{Decisions, LocalStorage};
use bytes::Bytes;
use http_body_util::Empty;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use crate::socket::{EndlessHead, Layer, Meter, Metered, Stream};
use crate::tls::{self, Trust};

/// What every connection of a mover needs.
pub(crate) struct Network {
    pub(crate) clock: Clock,
    /// The file version of BITS' library.
    pub(crate) library: String,
    pub(crate) stall: Duration,
    pub(crate) decisions: Decisions,
    pub(crate) trust: Arc<Trust>,
    pub(crate) storage: LocalStorage,
}

/// HTTP on a connection, as long as somebody polls it.
type Running = Pin<Box<Connection<TokioIo<Stream>, Empty<Bytes>>>>;

/// Why no answer came.
#[derive(Debug)]
pub(crate) struct NoAnswer {
    pub(crate) fault: Fault,
    /// Nothing came since the request went out, or it did not: on a connection that was used before,
    /// the server may simply have closed it meanwhile, or sent what nobody asked for.
    pub(crate) silent: bool,
}

/// A connection to one origin. It moves only while an attempt polls it: between attempts it lies
/// still, without a task of its own.
pub(crate) struct Link {
    origin: Origin,
    excused: CertificateFaults,
    meter: Arc<Meter>,
    sender: SendRequest<Empty<Bytes>>,
    /// `None` once the connection is over.
    connection: Option<Running>,
}

impl Link {
    /// So much is read at once: with large files the number of reads and writes is what costs.
    const READ_BUFFER: usize = 1024 * 1024;

    /// Connects to `origin`, whatever of these faults its certificate has; tells `connected` as soon
    /// as only the server is waited for.
    pub(crate) async fn open(
        network: &Network,
        origin: &Origin,
        excused: CertificateFaults,
        connected: impl FnOnce(Arc<Meter>),
    ) -> Result<Self, Fault> {
        let trust = match origin.scheme {
            Scheme::Http => None,
            Scheme::Https => Some(trusted(network, excused).await?),
        };
        let stream = connect(origin).await?;
        // Small requests go out at once; failing that, only slower.
        let _ = stream.set_nodelay(true);
        let (Ok(client), Ok(server)) = (stream.local_addr(), stream.peer_addr()) else {
            return Err(Fault::ConnectionEnded);
        };
        let meter = Meter::new(Ends { client, server }, network.clock.clone());
        let metered = Metered::new(stream, Arc::clone(&meter));
        connected(Arc::clone(&meter));
        let layer = match trust {
            None => Layer::Plain(metered),
            Some(trust) => encrypt(trust, origin, metered).await?,
        };
        let (sender, connection) = http1::Builder::new()
            .title_case_headers(true)
            .max_buf_size(Self::READ_BUFFER)
            .handshake(TokioIo::new(Stream { layer, meter: Arc::clone(&meter) }))
            .await
            .map_err(|error| fault(&error))?;
        Ok(Self { origin: origin.clone(), excused, meter, sender, connection: Some(Box::pin(connection)) })
    }

    /// Whether it leads to this server, which was looked at no less closely.
    pub(crate) fn leads_to(&self, origin: &Origin, excused: CertificateFaults) -> bool {
        self.origin == *origin && self.excused == excused
    }

    pub(crate) fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// Whether another request may be sent, as far as is known.
    pub(crate) fn is_open(&self) -> bool {
        self.connection.is_some() && !self.sender.is_closed()
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn ask(&mut self, request: &Request) -> Result<http::Response<Incoming>, NoAnswer> {
        self.meter.expect_head();
        self.look().await;
        if self.connection.is_none() {
            // What comes before anything is asked is no answer, and nothing is lost with it.
            let fault = if self.meter.is_silent() { Fault::ConnectionEnded } else { Fault::InvalidResponse };
            return Err(NoAnswer { fault, silent: true });
        }
        let answer = self.send(request).await;
        let silent = self.meter.is_silent();
        self.meter.head_done();
        answer.map_err(|error| NoAnswer { fault: fault(&error), silent })
    }

    /// Looks once what the server has done while the connection lay still.
    async fn look(&mut self) {
        std::future::poll_fn(|cx| {
            drive(&mut self.connection, cx);
            Poll::Ready(())
        })
        .await;
    }

    async fn send(&mut self, request: &Request) -> hyper::Result<http::Response<Incoming>> {
        let Self { sender, connection, .. } = self;
        std::future::poll_fn(|cx| driving(connection, cx, |cx| sender.poll_ready(cx))).await?;
        let mut outgoing = http::Request::new(Empty::new());
        *outgoing.method_mut() = request.method.clone();
        *outgoing.uri_mut() = http::Uri::from(request.path.clone());
        *outgoing.headers_mut() = request.headers.clone();
        let mut answer = pin!(sender.send_request(outgoing));
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
        const SHORT: usize = 64 * 1024;
        let mut seen = 0;
        while let Some(data) = std::future::poll_fn(|cx| self.poll_body(cx, &mut body)).await {
            let Ok(data) = data else { return false };
            seen += data.len();
            if seen > SHORT {
                return false;
            }
        }
        true
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

async fn connect(origin: &Origin) -> Result<TcpStream, Fault> {
    let found = lookup_host((origin.host.as_str(), origin.port)).await;
    if let Err(error) = &found {
        tracing::debug!(host = origin.host, %error, "name not resolved");
    }
    connect_to_any(found.into_iter().flatten()).await
}

/// Connects to the first of `addresses` that takes us; a name without any is not resolved.
async fn connect_to_any(addresses: impl Iterator<Item = SocketAddr>) -> Result<TcpStream, Fault> {
    let mut fault = Fault::NameNotResolved;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => {
                tracing::debug!(%address, %error, "cannot connect");
                // Whoever resets a connection has taken it.
                let was_taken = error.kind() == ErrorKind::ConnectionReset;
                fault = if was_taken { Fault::ConnectionEnded } else { Fault::CannotConnect };
            }
        }
    }
    Err(fault)
}

/// Whom we trust; to find that out may take a while.
async fn trusted(network: &Network, excused: CertificateFaults) -> Result<Arc<ClientConfig>, Fault> {
    if let Some(config) = network.trust.known_config(excused) {
        return Ok(config);
    }
    let trust = Arc::clone(&network.trust);
    tokio::task::spawn_blocking(move || trust.config(excused)).await.map_err(|_| Fault::Tls)
}

async fn encrypt(trust: Arc<ClientConfig>, origin: &Origin, stream: Metered) -> Result<Layer, Fault> {
    let name = ServerName::try_from(origin.host.clone()).map_err(|_| Fault::Certificate(CertificateFault::Name))?;
    match TlsConnector::from(trust).connect(name, stream).await {
        Ok(stream) => Ok(Layer::Tls(Box::new(stream))),
        Err(error) => {
            tracing::debug!(host = origin.host, %error, "TLS handshake failed");
            Err(io_fault(&error))
        }
    }
}

/// What an error of the HTTP connection means.
fn fault(error: &hyper::Error) -> Fault {
    tracing::debug!(%error, cause = ?std::error::Error::source(error), "no answer, or no end of it");
    if error.is_parse() || error.is_parse_too_large() {
        return Fault::InvalidResponse;
    }
    std::error::Error::source(error)
        .and_then(|cause| cause.downcast_ref::<io::Error>())
        .map_or(Fault::ConnectionEnded, io_fault)
}

fn io_fault(error: &io::Error) -> Fault {
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use tokio::net::TcpSocket;
    use tokio::runtime::Builder;

    use super::*;

    /// Where connecting to `addresses` ends.
    fn connected_to(addresses: &[SocketAddr]) -> Result<SocketAddr, Fault> {
        let runtime = Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(connect_to_any(addresses.iter().copied())).map(|stream| stream.peer_addr().unwrap())
    }

    #[test]
    fn the_addresses_of_a_name_are_tried_in_turn() {
        // Taken, but nobody listens.
        let taken = TcpSocket::new_v4().unwrap();
        taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let deaf = taken.local_addr().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let listening = listener.local_addr().unwrap();

        assert_eq!(connected_to(&[]), Err(Fault::NameNotResolved));
        assert_eq!(connected_to(&[deaf]), Err(Fault::CannotConnect));
        assert_eq!(connected_to(&[deaf, listening]), Ok(listening));
    }
}
