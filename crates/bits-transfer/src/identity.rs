//! What a server is shown that asks for a client certificate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bits_wire::download::Fault;
use bits_world::{Certificate, PrivateKey};
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// The client certificate of one connection, and whether the server has asked for it.
#[derive(Debug)]
pub(crate) struct Shown {
    key: Option<Arc<CertifiedKey>>,
    asked: AtomicBool,
}

impl Shown {
    pub(crate) fn new(certificate: Option<&Certificate>, provider: &CryptoProvider) -> Result<Self, Fault> {
        let certified = |certificate: &Certificate, key: &PrivateKey| {
            let chain = certificate.chain.iter().map(|der| CertificateDer::from(der.to_vec())).collect();
            let key = PrivateKeyDer::try_from(key.expose()).ok()?.clone_key();
            // Whether they go together is seen when they come into a store.
            let key = provider.key_provider.load_private_key(key).ok()?;
            Some(Arc::new(CertifiedKey::new(chain, key)))
        };
        let key = match certificate.and_then(|certificate| Some((certificate, certificate.key.as_ref()?))) {
            Some((certificate, key)) => Some(certified(certificate, key).ok_or(Fault::Tls)?),
            None => None,
        };
        Ok(Self { key, asked: AtomicBool::new(false) })
    }

    /// Whether the server has asked for a certificate and there was none to show: BITS goes no
    /// further, though the server might (clause
    /// `http_options.set_client_certificate_by_id.absent_cert_error`).
    pub(crate) fn is_missed(&self) -> bool {
        self.key.is_none() && self.asked.load(Ordering::SeqCst)
    }
}

impl ResolvesClientCert for Shown {
    /// Called exactly when the server asks. Which authorities it names, and what it can verify, is
    /// left to it: a job has one certificate.
    fn resolve(&self, _root_hint_subjects: &[&[u8]], _sigschemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::SeqCst);
        self.key.clone()
    }

    fn has_certs(&self) -> bool {
        self.key.is_some()
    }
}
