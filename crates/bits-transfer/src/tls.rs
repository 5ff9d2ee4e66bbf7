//! TLS: whom we trust, and what a refusal means.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bits_certs::{Authorities, Revocations};
use bits_wire::download::{CertificateFaults, Fault};

use bits_world::clock::Clock;
use bits_world::{RevocationLists, Vouchers};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{AlertDescription, ClientConfig};

use crate::identity::Shown;
use crate::link::{Aim, Counsel};
use crate::verifier::{Then, Verifier, refusal};
use crate::vetted::Say;

/// Whom a mover trusts: the roots of the machine that it runs on, what a caller trusts, and what is
/// in the stores of the emulated machine.
pub(crate) struct Trust {
    extra: Authorities,
    all: OnceLock<Arc<Authorities>>,
    /// Whom the stores of a world have added last.
    added: Last<Vouchers, Authorities>,
    /// What its lists of revoked certificates have told last.
    listed: Last<RevocationLists, Revocations>,
    /// What the settings of all connections have in common; it believes nobody.
    base: ClientConfig,
}

impl Trust {
    /// Trusts the certificates in `texts`, each a PEM text, beside the machine's own roots.
    pub(crate) fn new(texts: &[String], clock: &Clock) -> Result<Self, String> {
        let mut extra = Authorities::new();
        for (index, text) in texts.iter().enumerate() {
            let number = index + 1;
            let mut found = false;
            for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
                let certificate = certificate
                    .map_err(|error| format!("trusted certificate {number}: {}", bits_certs::fault_of_pem(&error)))?;
                extra.add(&certificate).map_err(|error| format!("trusted certificate {number}: {error}"))?;
                found = true;
            }
            if !found {
                return Err(format!("trusted certificate {number}: there is no PEM certificate in the text"));
            }
        }
        let base = base(clock);
        Ok(Self { extra, all: OnceLock::new(), added: Last::default(), listed: Last::default(), base })
    }

    /// Whether [`Trust::authorities`] was called before.
    pub(crate) fn is_known(&self) -> bool {
        self.all.get().is_some()
    }

    /// Whom we trust whatever is in the stores. The machine's roots are read at the first call of
    /// the process, which may block.
    pub(crate) fn authorities(&self) -> Arc<Authorities> {
        Arc::clone(self.all.get_or_init(|| Arc::new(native_roots().clone().and(&self.extra))))
    }

    /// Whom we trust where the stores of a world have these.
    fn authorities_with(&self, vouchers: &Vouchers) -> Arc<Authorities> {
        if *vouchers == Vouchers::default() {
            return self.authorities();
        }
        made(&self.added, vouchers, || {
            let mut all = if vouchers.are_alone() { Authorities::new() } else { self.authorities().as_ref().clone() };
            for root in vouchers.roots() {
                if let Err(error) = all.add(&root.into()) {
                    tracing::debug!(error, "a certificate of a ROOT store is none to be trusted");
                }
            }
            vouchers.links().for_each(|link| all.add_link(&link.into()));
            all
        })
    }

    /// What can be known of revoked certificates.
    fn revocations(&self, lists: &RevocationLists) -> Arc<Revocations> {
        made(&self.listed, lists, || {
            let mut all = Revocations::new();
            for list in lists.iter() {
                if let Err(error) = all.add(list) {
                    tracing::debug!(error, "a list of revoked certificates cannot be used");
                }
            }
            all
        })
    }
}

/// What was made last, and of what.
type Last<K, V> = Mutex<Option<(K, Arc<V>)>>;

/// What was made of `key` last, or is made now: most jobs see the same, and certificates are dear to
/// read.
fn made<K: Clone + PartialEq, V>(last: &Last<K, V>, key: &K, make: impl FnOnce() -> V) -> Arc<V> {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, value)) = last.as_ref().filter(|(known, _)| known == key) {
        return Arc::clone(value);
    }
    let value = Arc::new(make());
    *last = Some((key.clone(), Arc::clone(&value)));
    value
}

/// The settings of TLS of a client that believes nobody.
///
/// No session is resumed and no early data sent: a certificate is validated on each connection.
/// Dates are judged by the clock of the emulated machine.
fn base(clock: &Clock) -> ClientConfig {
    let provider = provider();
    let nobody = Verifier::new(Arc::default(), None, Then::Refuse(CertificateFaults::empty()), &provider);
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(EmulatedTime(clock.clone())))
        .with_safe_default_protocol_versions()
        // ring has the cipher suites of both versions.
        .expect("the ring provider speaks TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(nobody))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// The time that the emulated machine shows.
#[derive(Debug)]
pub(crate) struct EmulatedTime(pub(crate) Clock);

impl TimeProvider for EmulatedTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = self.0.now().wall.unix_seconds();
        Some(UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap_or_default())))
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
    /// What the application says to the server, if it is asked.
    pub(crate) say: Option<Arc<Say>>,
}

impl Session {
    /// A session for `aim`: what is in the stores now counts, and whoever has a say about servers
    /// has it.
    ///
    /// # Errors
    /// [`Fault::Tls`] for a key that cannot be read.
    pub(crate) fn new(trust: &Trust, aim: &Aim, counsel: &Counsel) -> Result<Self, Fault> {
        let found = counsel.stores.as_ref().map(|stores| stores.look()).unwrap_or_default();
        let provider = trust.base.crypto_provider();
        let shown = Arc::new(Shown::new(found.client.as_deref().filter(|_| aim.chosen.is_some()), provider)?);
        let endpoint = || format!("{}:{}", aim.origin.host, aim.origin.port);
        let say = counsel.vetter.clone().map(|vetter| Say::new(vetter, endpoint(), Arc::clone(&counsel.turn)));
        let then = match say.clone() {
            Some(say) => Then::Ask { excused: aim.excused, say },
            None => Then::Refuse(aim.excused),
        };
        let revocations = aim.checks_revocation.then(|| trust.revocations(&found.revocation));
        let verifier = Verifier::new(trust.authorities_with(&found.vouchers), revocations, then, provider);
        let mut config = trust.base.clone();
        config.dangerous().set_certificate_verifier(Arc::new(verifier));
        config.client_auth_cert_resolver = Arc::<Shown>::clone(&shown);
        Ok(Self { config: Arc::new(config), shown, say })
    }
}

/// The cryptography of every connection.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(ring::default_provider())))
}

/// What a TLS error means for a transfer.
pub(crate) fn fault(error: &rustls::Error) -> Fault {
    match error {
        rustls::Error::InvalidCertificate(error) => refusal(error),
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => Fault::ClientCertificateNeeded,
        _ => Fault::Tls,
    }
}
