//! Whether a server is believed: asked by rustls in the middle of each handshake.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bits_certs::{Authorities, Chain, Description, Revocations};
use bits_wire::attempt::Failure;
use bits_wire::download::{CertificateFault, CertificateFaults, Fault};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use crate::vetted::Say;

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
        /// Its say.
        say: Arc<Say>,
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

    /// The application is asked about those alone who have shown that the certificate is theirs.
    fn shown(&self, signed: Result<HandshakeSignatureValid, Error>) -> Result<HandshakeSignatureValid, Error> {
        if let (Then::Ask { say, .. }, Ok(_)) = (&self.then, &signed) {
            say.shown();
        }
        signed
    }

    fn judge(&self, faults: CertificateFaults, chain: Chain<'_>) -> Result<(), Refused> {
        let refuse = |excused| match faults.first_but(excused) {
            Some(fault) => Err(Refused(Fault::Certificate(fault))),
            None => Ok(()),
        };
        match &self.then {
            Then::Refuse(excused) => refuse(*excused),
            Then::Ask { excused, say } => {
                refuse(*excused)?;
                say.judged(std::iter::once(chain.leaf).chain(chain.others).map(|der| der.to_vec()).collect());
                Ok(())
            }
            Then::Witness(seen) => {
                let found = Seen { certificates: 1 + chain.others.len(), own: Description::of(chain.leaf), faults };
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = found;
                Ok(())
            }
        }
    }
}

/// The application has declined the server.
pub(crate) fn declined(failure: Failure) -> Error {
    refusal_of(Refused(Fault::Declined(failure)))
}

fn refusal_of(refused: Refused) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(refused))))
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
            refusal_of(refused)
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.shown(verify_tls12_signature(message, cert, dss, &self.algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.shown(verify_tls13_signature(message, cert, dss, &self.algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
