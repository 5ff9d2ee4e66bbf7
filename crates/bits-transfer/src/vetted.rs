//! Handshakes in which an application has its say, after the system's own checks and before our
//! Finished.

use std::sync::Arc;
use std::thread;

use bits_wire::attempt::{Failure, PresentedServer, Vetter};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::socket::Metered;

/// The application that is not there.
#[derive(Debug)]
pub(crate) struct Nobody;

impl Vetter for Nobody {
    fn vet(&self, _server: &PresentedServer<'_>) -> Result<(), Failure> {
        Err(Failure::NO_VETTER)
    }
}

/// Shakes hands where a client that sleeps holds nobody up: on a thread of its own, however many do.
/// Whoever ceases to wait for it ends the handshake, but not the client.
pub(crate) async fn connect(
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    stream: Metered,
) -> std::io::Result<TlsStream<Metered>> {
    let (mut tell, shaken) = oneshot::channel();
    let here = Handle::current();
    let shake = async move {
        let connected = tokio::select! {
            biased;
            connected = TlsConnector::from(config).connect(name, stream) => connected,
            () = tell.closed() => return,
        };
        // Nobody may wait any more.
        let _ = tell.send(connected);
    };
    thread::Builder::new().name("bits-handshake".into()).spawn(move || here.block_on(shake))?;
    shaken.await.map_err(std::io::Error::other)?
}
