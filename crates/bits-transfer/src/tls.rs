//! TLS: whom we trust, and what a refusal means.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bits_certs::Authorities;
use bits_wire::attempt::Vetter;
use bits_wire::download::{CertificateFaults, Fault};
use bits_world::Vouchers;
use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{AlertDescription, ClientConfig};

use crate::identity::Shown;
use crate::link::Aim;
use crate::verifier::{Then, Verifier, refusal};

/// The machine's roots, with more that a caller trusts.
pub(crate) struct Trust {
    extra: Authorities,
    all: OnceLock<Arc<Authorities>>,
    /// The settings of TLS by the faults that they excuse.
    configs: Mutex<BTreeMap<CertificateFaults, Arc<ClientConfig>>>,
    /// Whom the stores of a world have added last: most jobs see the same.
    added: Mutex<Option<(Vouchers, Arc<Authorities>)>>,
}

impl Trust {
    /// Trusts the certificates in `texts`, each a PEM text, beside the machine's own roots.
    pub(crate) fn new(texts: &[String]) -> Result<Self, String> {
        let mut extra = Authorities::new();
        for (index, text) in texts.iter().enumerate() {
            let number = index + 1;
            let mut found = false;
            for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
                let certificate = certificate.map_err(|error| format!("trusted certificate {number}: {error}"))?;
                extra.add(&certificate).map_err(|error| format!("trusted certificate {number}: {error}"))?;
                found = true;
            }
            if !found {
                return Err(format!("trusted certificate {number}: there is no PEM certificate in the text"));
            }
        }
        Ok(Self { extra, all: OnceLock::new(), configs: Mutex::default(), added: Mutex::default() })
    }

    /// Whom we trust. The machine's roots are read at the first call of the process, which may
    /// block.
    pub(crate) fn authorities(&self) -> Arc<Authorities> {
        Arc::clone(self.all.get_or_init(|| Arc::new(native_roots().clone().and(&self.extra))))
    }

    /// Whom we trust where the stores of a world have these.
    fn authorities_with(&self, vouchers: &Vouchers) -> Arc<Authorities> {
        if *vouchers == Vouchers::default() {
            return self.authorities();
        }
        let mut added = self.added.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, authorities)) = added.as_ref().filter(|(known, _)| known == vouchers) {
            return Arc::clone(authorities);
        }
        let mut all = if vouchers.are_alone() { Authorities::new() } else { self.authorities().as_ref().clone() };
        for root in vouchers.roots() {
            if let Err(error) = all.add(&root.into()) {
                tracing::debug!(error, "a certificate of a ROOT store is none to be trusted");
            }
        }
        vouchers.links().for_each(|link| all.add_link(&link.into()));
        let all = Arc::new(all);
        *added = Some((vouchers.clone(), Arc::clone(&all)));
        all
    }

    /// The settings of TLS that excuse these faults, if [`Trust::config`] was called for them before.
    pub(crate) fn known_config(&self, excused: CertificateFaults) -> Option<Arc<ClientConfig>> {
        self.configs.lock().unwrap_or_else(PoisonError::into_inner).get(&excused).cloned()
    }

    /// The settings of TLS that excuse these faults. The machine's roots are read at the first call
    /// of the process, which may block.
    ///
    /// No session is resumed and no early data sent: a certificate is validated on each connection.
    pub(crate) fn config(&self, excused: CertificateFaults) -> Arc<ClientConfig> {
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new(self.authorities(), Then::Refuse(excused), &provider);
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            // ring has the cipher suites of both versions.
            .expect("the ring provider speaks TLS 1.2 and 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.enable_early_data = false;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(configs.entry(excused).or_insert(Arc::new(config)))
    }
}

/// The roots that this machine trusts.
fn native_roots() -> &'static Authorities {
    static NATIVE: OnceLock<Authorities> = OnceLock::new();
    NATIVE.get_or_init(|| {
        let native = rustls_native_certs::load_native_certs();
        for error in &native.errors {
            tracing::warn!(%error, "a root certificate of this machine cannot be read");
        }
        let mut roots = Authorities::new();
        for certificate in &native.certs {
            if let Err(error) = roots.add(certificate) {
                tracing::debug!(error, "a root certificate of this machine is none");
            }
        }
        roots
    })
}

/// The settings for one connection of a job, with what is known of it afterwards.
pub(crate) struct Session {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) shown: Arc<Shown>,
    /// Whether the handshake asks somebody who may take his time.
    pub(crate) may_block: bool,
}

impl Session {
    /// A session for `aim`, in which `vetter` has a say about the server.
    ///
    /// # Errors
    /// [`Fault::Tls`] for a key that does not fit its certificate.
    pub(crate) fn new(
        trust: &Trust,
        base: &ClientConfig,
        aim: &Aim,
        vetter: Option<Arc<dyn Vetter>>,
    ) -> Result<Self, Fault> {
        let shown = Arc::new(Shown::new(aim.certificate.as_deref(), base)?);
        let mut config = base.clone();
        config.client_auth_cert_resolver = Arc::<Shown>::clone(&shown);
        let may_block = vetter.is_some();
        if may_block || aim.vouchers != Vouchers::default() {
            let endpoint = format!("{}:{}", aim.origin.host, aim.origin.port);
            let then = match vetter {
                Some(vetter) => Then::Ask { excused: aim.excused, vetter, endpoint },
                None => Then::Refuse(aim.excused),
            };
            let authorities = trust.authorities_with(&aim.vouchers);
            let verifier = Verifier::new(authorities, then, base.crypto_provider());
            config.dangerous().set_certificate_verifier(Arc::new(verifier));
        }
        Ok(Self { config: Arc::new(config), shown, may_block })
    }
}

/// What a TLS error means for a transfer.
pub(crate) fn fault(error: &rustls::Error) -> Fault {
    match error {
        rustls::Error::InvalidCertificate(error) => refusal(error),
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => Fault::ClientCertificateNeeded,
        _ => Fault::Tls,
    }
}
