//! Servers that the application has a say about: it is asked in the middle of the handshake, after
//! the system's own checks and before our Finished.

use std::fmt;
use std::sync::Arc;
use std::thread;

use bits_wire::attempt::{Failure, PresentedServer, Vetter};
use bits_wire::download::Fault;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::socket::Metered;

/// The system's verifier first, the application after it.
#[derive(Debug)]
pub(crate) struct Vetted {
    system: Arc<dyn ServerCertVerifier>,
    vetter: Arc<dyn Vetter>,
    endpoint: String,
}

/// The application that is not there.
#[derive(Debug)]
pub(crate) struct Nobody;

impl Vetter for Nobody {
    fn vet(&self, _server: &PresentedServer<'_>) -> Result<(), Failure> {
        Err(Failure::NO_VETTER)
    }
}

/// The application does not take the server.
#[derive(Debug)]
pub(crate) struct Declined(pub(crate) Failure);

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the application does not take the server: {}", self.0.code)
    }
}

impl std::error::Error for Declined {}

impl Vetted {
    pub(crate) fn new(system: Arc<dyn ServerCertVerifier>, vetter: Arc<dyn Vetter>, endpoint: String) -> Self {
        Self { system, vetter, endpoint }
    }
}

impl ServerCertVerifier for Vetted {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.system.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        let chain: Vec<&[u8]> = std::iter::once(end_entity).chain(intermediates).map(AsRef::as_ref).collect();
        let server = PresentedServer { endpoint: &self.endpoint, chain: &chain };
        match self.vetter.vet(&server) {
            Ok(()) => Ok(verified),
            Err(failure) => {
                Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(Declined(failure))))))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.system.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.system.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.system.supported_verify_schemes()
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

/// What it means that a handshake was refused from within, if it was the application.
pub(crate) fn declined(other: &OtherError) -> Option<Fault> {
    other.0.downcast_ref::<Declined>().map(|declined| Fault::Declined(declined.0))
}
