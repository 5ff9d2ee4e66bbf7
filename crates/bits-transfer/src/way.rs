//! The way to a server: straight, or through the proxies of a route, one after the other.

use std::future::poll_fn;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bits_wire::download::{Fault, Origin};
use bits_wire::proxy::{Hop, ProxyServer, Route, tunnel_request};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1::{self, Connection};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};

use crate::link::{Link, Network, fault};
use crate::parties::{Judged, Parties};
use crate::socket::{Layer, Meter, Metered, Stream};
use crate::watchdog::within;

/// Connects to whoever is first on the first way of `route` that is open.
pub(crate) async fn connect<'r>(
    network: &Network,
    origin: &Origin,
    route: &'r Route,
) -> Result<(TcpStream, &'r Hop), Fault> {
    let mut last = Fault::CannotConnect;
    for hop in route.hops() {
        let (host, port) = match hop {
            Hop::Direct => (&origin.host, origin.port),
            Hop::Proxy(proxy) => (&proxy.host, proxy.port),
        };
        match within(&network.clock, network.stall, reach(host, port)).await {
            Ok(stream) => return Ok((stream, hop)),
            Err(fault) => last = fault,
        }
    }
    Err(last)
}

async fn reach(host: &str, port: u16) -> Result<TcpStream, Fault> {
    let found = lookup_host((host, port)).await;
    if let Err(error) = &found {
        tracing::debug!(host, %error, "name not resolved");
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

/// Asks the proxy at the other end of `stream` for a tunnel to `origin`; `None` when it is to be asked
/// again, on another connection. Tells `judged` what the proxy makes of what it was told.
pub(crate) async fn tunnel(
    network: &Network,
    origin: &Origin,
    (proxy, stream): (&ProxyServer, Metered),
    meter: &Arc<Meter>,
    parties: &mut Parties,
    judged: Judged<'_>,
) -> Result<Option<Metered>, Fault> {
    let stream = TokioIo::new(Stream { layer: Layer::Plain(stream), meter: Arc::clone(meter) });
    let handshake = http1::Builder::new().title_case_headers(true).handshake::<_, Empty<Bytes>>(stream);
    let (mut sender, connection) = handshake.await.map_err(|error| fault(&error))?;
    let mut way = Way { connection, is_over: false };
    let mut is_used = false;
    loop {
        let mut request = tunnel_request(origin, &network.library).map(|()| Empty::new());
        parties.say_to_proxy(proxy, &mut request);
        meter.expect_head(&Arc::default());
        let answer = match way.drive(sender.send_request(request)).await {
            Ok(answer) => answer,
            // It has hung up in the middle of an exchange.
            Err(_) if is_used && meter.is_silent() => return Ok(None),
            Err(error) => return Err(fault(&error)),
        };
        is_used = true;
        meter.head_done();
        let status = answer.status();
        if !parties.hear_proxy(proxy, status.as_u16(), answer.headers(), judged).await? {
            if !status.is_success() {
                tracing::debug!(host = origin.host, %status, "the proxy refuses a tunnel");
                return Err(Fault::ProxyRefused(status.as_u16()));
            }
            break;
        }
        let body = Limited::new(answer.into_body(), Link::SHORT).collect();
        let is_read = way.drive(body).await.is_ok();
        if !is_read || way.is_over || way.drive(sender.ready()).await.is_err() {
            return Ok(None);
        }
    }
    // Nothing more is asked, also where hyper does not take the answer for a tunnel (204).
    drop(sender);
    way.into_tunnel().await.map(Some)
}

/// The connection to a proxy, before it is a tunnel.
struct Way {
    connection: Connection<TokioIo<Stream>, Empty<Bytes>>,
    is_over: bool,
}

impl Way {
    /// Waits for what comes by the connection.
    async fn drive<T>(&mut self, what: impl Future<Output = T>) -> T {
        let mut what = pin!(what);
        poll_fn(|cx| {
            if let Poll::Ready(ready) = what.as_mut().poll(cx) {
                return Poll::Ready(ready);
            }
            if !self.is_over {
                // Its error is told by the answer.
                self.is_over = self.connection.poll_without_shutdown(cx).is_ready();
            }
            what.as_mut().poll(cx)
        })
        .await
    }

    async fn into_tunnel(mut self) -> Result<Metered, Fault> {
        if !self.is_over {
            poll_fn(|cx| self.connection.poll_without_shutdown(cx)).await.map_err(|error| fault(&error))?;
        }
        let parts = self.connection.into_parts();
        match parts.io.into_inner().layer {
            Layer::Plain(stream) if parts.read_buf.is_empty() => Ok(stream),
            // In TLS it is the client who speaks first.
            _ => Err(Fault::InvalidResponse),
        }
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
