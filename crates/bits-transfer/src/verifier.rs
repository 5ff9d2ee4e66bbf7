//! Whether a server is believed: asked by rustls in the middle of each handshake.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bits_certs::{Authorities, Chain, Description, Revocations};
use bits_wire::attempt::{PresentedServer, Vetter};
use bits_wire::download::{CertificateFault, CertificateFaults, Fault};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

/// Finds what is wrong with a server's certificate; signatures are never excused.
#[derive(Debug)]
pub(crate) struct Verifier {
    authorities: Arc<Authorities>,
    /// Where servers are looked up among the revoked; without, nobody is.
    revocations: Option<Arc<Revocations>>,
    then: Then,
    algorithms: WebPkiSupportedAlgorithms,
}

/// What becomes of what was found.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// A fault that is not among these refuses the server.
    Refuse(CertificateFaults),
    /// The same, and then the application has its say.
    Ask {
        /// What counts for nothing.
        excused: CertificateFaults,
        /// Who asks it.
        vetter: Arc<dyn Vetter>,
        /// Name and port of the server.
        endpoint: String,
    },
    /// It is written down, and the handshake goes on; nothing is ever sent after it.
    Witness(Arc<Mutex<Seen>>),
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// How many certificates came.
    pub(crate) certificates: usize,
    /// What the server's own says of itself, where it can be read.
    pub(crate) own: Option<Description>,
    /// What is wrong with it.
    pub(crate) faults: CertificateFaults,
}

impl Verifier {
    pub(crate) fn new(
        authorities: Arc<Authorities>,
        revocations: Option<Arc<Revocations>>,
        then: Then,
        provider: &CryptoProvider,
    ) -> Self {
        Self { authorities, revocations, then, algorithms: provider.signature_verification_algorithms }
    }

    fn judge(&self, faults: CertificateFaults, chain: Chain<'_>) -> Result<(), Refused> {
        let refuse = |excused| match faults.first_but(excused) {
            Some(fault) => Err(Refused(Fault::Certificate(fault))),
            None => Ok(()),
        };
        match &self.then {
            Then::Refuse(excused) => refuse(*excused),
            Then::Ask { excused, vetter, endpoint } => {
                refuse(*excused)?;
                let chain: Vec<&[u8]> = std::iter::once(chain.leaf).chain(chain.others).map(AsRef::as_ref).collect();
                let server = PresentedServer { endpoint, chain: &chain };
                vetter.vet(&server).map_err(|failure| Refused(Fault::Declined(failure)))
            }
            Then::Witness(seen) => {
                let found = Seen { certificates: 1 + chain.others.len(), own: Description::of(chain.leaf), faults };
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = found;
                Ok(())
            }
        }
    }
}

/// Why a server was refused, for whoever has asked for the handshake.
#[derive(Debug)]
struct Refused(Fault);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server is refused: {:?}", self.0)
    }
}

impl std::error::Error for Refused {}

/// What it means that a certificate was not taken.
pub(crate) fn refusal(error: &CertificateError) -> Fault {
    let told = match error {
        CertificateError::Other(other) => other.0.downcast_ref::<Refused>().map(|refused| refused.0),
        // What a handshake signs is not what the certificate says, or the other way round.
        _ => None,
    };
    told.unwrap_or(Fault::Certificate(CertificateFault::Invalid))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = Chain { leaf: end_entity, others: intermediates };
        let faults = self.authorities.faults(chain, server_name, now, self.revocations.as_deref());
        self.judge(faults, chain).map(|()| ServerCertVerified::assertion()).map_err(|refused| {
            tracing::debug!(?server_name, ?faults, %refused, "server refused");
            Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refused))))
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
