//! TLS: whom we trust, and what a refusal means.

use std::sync::{Arc, OnceLock};

use bits_wire::download::{CertificateFault, Fault};
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};

/// The machine's roots, with more that a caller trusts.
pub(crate) struct Trust {
    extra: Vec<CertificateDer<'static>>,
    config: OnceLock<Arc<ClientConfig>>,
}

impl Trust {
    /// Trusts the certificates in `texts`, each a PEM text, beside the machine's own roots.
    pub(crate) fn new(texts: &[String]) -> Result<Self, String> {
        let mut extra = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let number = index + 1;
            let known = extra.len();
            for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
                let certificate = certificate.map_err(|error| format!("trusted certificate {number}: {error}"))?;
                RootCertStore::empty()
                    .add(certificate.clone())
                    .map_err(|error| format!("trusted certificate {number}: {error}"))?;
                extra.push(certificate);
            }
            if extra.len() == known {
                return Err(format!("trusted certificate {number}: there is no PEM certificate in the text"));
            }
        }
        Ok(Self { extra, config: OnceLock::new() })
    }

    /// The settings of every TLS connection, if [`Trust::config`] was called before.
    pub(crate) fn known_config(&self) -> Option<Arc<ClientConfig>> {
        self.config.get().cloned()
    }

    /// The settings of every TLS connection. The machine's roots are read at the first call of the
    /// process, which may block.
    ///
    /// No session is resumed and no early data sent: a certificate is validated on each connection.
    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(self.config.get_or_init(|| {
            let mut roots = native_roots().clone();
            roots.add_parsable_certificates(self.extra.iter().cloned());
            let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
                .with_safe_default_protocol_versions()
                // ring has the cipher suites of both versions.
                .expect("the ring provider speaks TLS 1.2 and 1.3")
                .with_root_certificates(roots)
                .with_no_client_auth();
            config.resumption = Resumption::disabled();
            config.enable_early_data = false;
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            Arc::new(config)
        }))
    }
}

/// The roots that this machine trusts.
fn native_roots() -> &'static RootCertStore {
    static NATIVE: OnceLock<RootCertStore> = OnceLock::new();
    NATIVE.get_or_init(|| {
        let native = rustls_native_certs::load_native_certs();
        for error in &native.errors {
            tracing::warn!(%error, "a root certificate of this machine cannot be read");
        }
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(native.certs);
        roots
    })
}

/// What a TLS error means for a transfer.
pub(crate) fn fault(error: &rustls::Error) -> Fault {
    match error {
        rustls::Error::InvalidCertificate(error) => Fault::Certificate(certificate_fault(error)),
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => Fault::ClientCertificateNeeded,
        _ => Fault::Tls,
    }
}

fn certificate_fault(error: &CertificateError) -> CertificateFault {
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => CertificateFault::Date,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => CertificateFault::Name,
        CertificateError::UnknownIssuer => CertificateFault::Issuer,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => CertificateFault::Usage,
        CertificateError::Revoked => CertificateFault::Revoked,
        CertificateError::UnknownRevocationStatus
        | CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => CertificateFault::RevocationUnknown,
        // webpki's word for a root that is used as a server's own certificate.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => CertificateFault::Issuer,
        _ => CertificateFault::Invalid,
    }
}
