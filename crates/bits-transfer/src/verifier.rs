//! Whether a server is believed: asked by rustls in the middle of each handshake.

use std::fmt;
use std::sync::Arc;

use bits_certs::{Authorities, Chain};
use bits_wire::download::{CertificateFault, CertificateFaults};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

/// Refuses a certificate with a fault that is not excused; signatures are never excused.
#[derive(Debug)]
pub(crate) struct Verifier {
    authorities: Arc<Authorities>,
    excused: CertificateFaults,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(crate) fn new(authorities: Arc<Authorities>, excused: CertificateFaults, provider: &CryptoProvider) -> Self {
        Self { authorities, excused, algorithms: provider.signature_verification_algorithms }
    }
}

/// The fault for which a certificate was refused.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) CertificateFault);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server certificate is refused: {:?}", self.0)
    }
}

impl std::error::Error for Refused {}

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
        let faults = self.authorities.faults(chain, server_name, now);
        let Some(fault) = faults.first_but(self.excused) else { return Ok(ServerCertVerified::assertion()) };
        tracing::debug!(?server_name, ?faults, excused = ?self.excused, "server certificate refused");
        Err(Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(Refused(fault))))))
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
