//! A look at the TLS of a server: version, certificates, and everything that is wrong with them.
//!
//! The verdict is that of every other connection. Only here, the handshake goes on after a refused
//! certificate, so that the rest of it can be told; nothing is ever sent over such a connection.

use std::sync::{Arc, Mutex, PoisonError};

use bits_certs::{Authorities, Description};
use bits_wire::download::{CertificateFaults, Fault, Origin};
use bits_wire::proxy::Route;
use bits_world::clock::Clock;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, Error, ProtocolVersion};
use tokio_rustls::TlsConnector;

use crate::link::{Network, io_fault};
use crate::tls::{EmulatedTime, provider};
use crate::verifier::{Seen, Then, Verifier};
use crate::way;

/// What a handshake with a server has shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Handshake {
    /// Whether it speaks TLS 1.3; otherwise it is TLS 1.2.
    pub is_tls13: bool,
    /// How many certificates it has sent, its own included.
    pub certificates: usize,
    /// What its own says of itself, where it can be read.
    pub own: Option<Description>,
    /// Everything for which its own is refused.
    pub faults: CertificateFaults,
}

/// Shakes hands with `origin`; with `old`, as a client that knows TLS 1.2 at most.
pub(crate) async fn shake(network: &Network, origin: &Origin, old: bool) -> Result<Handshake, (Fault, String)> {
    let told = |fault: Fault| (fault, String::new());
    let name = ServerName::try_from(origin.host.clone()).map_err(|_| told(Fault::Tls))?;
    let (trust, seen) = (Arc::clone(&network.trust), Arc::<Mutex<Seen>>::default());
    let authorities = tokio::task::spawn_blocking(move || trust.authorities()).await.map_err(|_| told(Fault::Tls))?;
    let config =
        config(authorities, Arc::clone(&seen), &network.clock, old).map_err(|error| (Fault::Tls, error.to_string()))?;
    let route = Route::default();
    let (stream, _) = way::connect(network, origin, &route).await.map_err(told)?;
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let stream = shaken.map_err(|error| (io_fault(&error), in_words(&error)))?;
    let Seen { certificates, own, faults } = std::mem::take(&mut *seen.lock().unwrap_or_else(PoisonError::into_inner));
    let is_tls13 = stream.get_ref().1.protocol_version() == Some(ProtocolVersion::TLSv1_3);
    Ok(Handshake { is_tls13, certificates, own, faults })
}

fn config(
    authorities: Arc<Authorities>,
    seen: Arc<Mutex<Seen>>,
    clock: &Clock,
    old: bool,
) -> Result<ClientConfig, Error> {
    let provider = provider();
    let verifier = Verifier::new(authorities, None, Then::Witness(seen), &provider);
    let versions = if old { &[&TLS12][..] } else { &[&TLS13, &TLS12][..] };
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(EmulatedTime(clock.clone())))
        .with_protocol_versions(versions)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// What broke a handshake off.
fn in_words(error: &std::io::Error) -> String {
    let cause = error.get_ref().map_or_else(|| error.to_string(), ToString::to_string);
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidMessage(_)) => format!("the server does not speak TLS on this port ({cause})"),
        _ => cause,
    }
}
