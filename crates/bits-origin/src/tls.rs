//! TLS: the origin's own authority, what its certificate is like, and whether it asks for one.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bits_api::FileTime;
use bits_world::clock::Clock;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::issuer::{Issuer, ListFlaw, expire, since_1970};

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Flaw {
    /// It was valid in 2001.
    Expired,
    /// It is made out to `elsewhere.example`.
    OtherName,
    /// An authority has signed it that nobody knows.
    UnknownAuthority,
    /// It is for clients where it is a server's, and for servers where it is a client's.
    OtherUsage,
    /// Its authority has revoked it; see [`Origin::revocation_lists`](crate::Origin::revocation_lists).
    Revoked,
    /// The authority in between is revoked, where there is one.
    RevokedBetween,
    /// The authority in between was valid in 2001, where there is one.
    ExpiredBetween,
    /// It names `localhost` as its common name alone, and no alternative names.
    CommonNameOnly,
}

/// Whether a client is asked for a certificate, which the origin's own authority has to have signed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum ClientCertificates {
    /// Nobody is asked.
    #[default]
    Unasked,
    /// Clients are asked, and served without one too.
    Optional,
    /// Clients without one are turned away.
    Required,
}

/// The versions of TLS that are spoken.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum TlsVersions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    /// 1.2 alone.
    Only12,
    /// 1.3 alone.
    Only13,
}

/// How the origin shakes hands; by default it does so well.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Handshake {
    /// What is wrong with the certificate that it shows.
    pub flaws: Vec<Flaw>,
    /// Whether it asks for one.
    pub clients: ClientCertificates,
    /// In which versions.
    pub versions: TlsVersions,
    /// Whether an authority in between has signed the certificate, whose own comes along.
    pub between: bool,
    /// When its certificate begins and ends to be valid, if that matters.
    pub valid: Option<(FileTime, FileTime)>,
    /// What is shown in place of its certificates, whatever that is; the key is that of the
    /// certificate which is not shown.
    pub shown_instead: Option<Vec<Vec<u8>>>,
}

/// Who shakes hands, and with which certificate.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) acceptor: TlsAcceptor,
    /// DER.
    pub(crate) certificate: Arc<[u8]>,
    issuer: Arc<Issuer>,
    serial: u64,
}

impl Host {
    /// Its authority revokes the certificate.
    pub(crate) fn revoke(&self) {
        self.issuer.revoke(self.serial);
    }
}

/// The authority of one origin, another one that nobody knows, and those in between.
pub(crate) struct Tls {
    clock: Clock,
    known: Arc<Issuer>,
    unknown: Arc<Issuer>,
    between: Mutex<Vec<Arc<Issuer>>>,
    serials: AtomicU64,
    ca_pem: String,
}

impl Tls {
    pub(crate) fn new(clock: Clock) -> io::Result<Self> {
        let (known, unknown) = (Issuer::new()?, Issuer::new()?);
        let ca_pem = known.authority.pem();
        Ok(Self { clock, known, unknown, between: Mutex::default(), serials: AtomicU64::new(1), ca_pem })
    }

    /// What each authority has revoked, as DER.
    pub(crate) fn revocation_lists(&self, flaw: Option<ListFlaw>) -> io::Result<Vec<Vec<u8>>> {
        let between = self.between.lock().unwrap_or_else(PoisonError::into_inner);
        let all = [&self.known, &self.unknown].into_iter().chain(&*between);
        all.map(|issuer| issuer.list(&self.clock, flaw)).collect()
    }

    /// What clients have to trust.
    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Who shakes hands like that, for localhost and 127.0.0.1.
    pub(crate) fn acceptor(&self, handshake: &Handshake) -> io::Result<Host> {
        let names = if handshake.flaws.contains(&Flaw::OtherName) {
            vec!["elsewhere.example".to_owned()]
        } else if handshake.flaws.contains(&Flaw::CommonNameOnly) {
            Vec::new()
        } else {
            vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
        };
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        params.distinguished_name.push(DnType::CommonName, "localhost");
        if let Some((from, to)) = handshake.valid {
            let begin = date_time_ymd(1970, 1, 1);
            (params.not_before, params.not_after) = (begin + since_1970(from), begin + since_1970(to));
        }
        let issuer = self.issuer(handshake)?;
        let (leaf, key, serial) = self.issue(&issuer, params, &handshake.flaws, ExtendedKeyUsagePurpose::ServerAuth)?;
        let mut chain = vec![leaf.der().clone()];
        if handshake.between {
            chain.push(issuer.authority.der().clone());
        }
        if let Some(instead) = &handshake.shown_instead {
            chain = instead.iter().cloned().map(CertificateDer::from).collect();
        }
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
        let key = ring::sign::any_supported_type(&key).map_err(io::Error::other)?;
        let versions = match handshake.versions {
            TlsVersions::Both => &[&TLS12, &TLS13][..],
            TlsVersions::Only12 => &[&TLS12],
            TlsVersions::Only13 => &[&TLS13],
        };
        let time = Arc::new(Time(self.clock.clone()));
        let config = ServerConfig::builder_with_details(Arc::new(ring::default_provider()), time)
            .with_protocol_versions(versions)
            .map_err(io::Error::other)?
            .with_client_cert_verifier(self.client_verifier(handshake.clients)?)
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))));
        let certificate = Arc::from(leaf.der().as_ref());
        Ok(Host { acceptor: Arc::new(config).into(), certificate, issuer, serial })
    }

    /// Who signs the certificate for such handshakes.
    fn issuer(&self, handshake: &Handshake) -> io::Result<Arc<Issuer>> {
        let top = self.top(&handshake.flaws);
        if !handshake.between {
            return Ok(top);
        }
        let serial = self.serial();
        let between = Issuer::below(&top, serial, handshake.flaws.contains(&Flaw::ExpiredBetween))?;
        if handshake.flaws.contains(&Flaw::RevokedBetween) {
            top.revoke(serial);
        }
        self.between.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&between));
        Ok(between)
    }

    fn top(&self, flaws: &[Flaw]) -> Arc<Issuer> {
        Arc::clone(if flaws.contains(&Flaw::UnknownAuthority) { &self.unknown } else { &self.known })
    }

    fn serial(&self) -> u64 {
        self.serials.fetch_add(1, Ordering::Relaxed)
    }

    /// A certificate and its key for a client of this subject, in the order given, as PEM.
    pub(crate) fn client(&self, subject: &[&str], flaws: &[Flaw]) -> io::Result<String> {
        const KINDS: [DnType; 3] = [DnType::OrganizationName, DnType::OrganizationalUnitName, DnType::CommonName];
        let mut params = CertificateParams::new([]).map_err(io::Error::other)?;
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in KINDS.into_iter().zip(subject) {
            params.distinguished_name.push(kind, *value);
        }
        let (leaf, key, _) = self.issue(&self.top(flaws), params, flaws, ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(leaf.pem() + &key.serialize_pem())
    }

    fn issue(
        &self,
        issuer: &Issuer,
        mut params: CertificateParams,
        flaws: &[Flaw],
        usage: ExtendedKeyUsagePurpose,
    ) -> io::Result<(rcgen::Certificate, KeyPair, u64)> {
        let serial = self.serial();
        params.serial_number = Some(serial.into());
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages = match (flaws.contains(&Flaw::OtherUsage), usage) {
            (false, usage) => vec![usage],
            (true, ExtendedKeyUsagePurpose::ServerAuth) => vec![ExtendedKeyUsagePurpose::ClientAuth],
            (true, _) => vec![ExtendedKeyUsagePurpose::ServerAuth],
        };
        if flaws.contains(&Flaw::Expired) {
            expire(&mut params);
        }
        if flaws.contains(&Flaw::Revoked) {
            issuer.revoke(serial);
        }
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.signed_by(&key, &issuer.authority).map_err(io::Error::other)?;
        Ok((certificate, key, serial))
    }

    fn client_verifier(&self, clients: ClientCertificates) -> io::Result<Arc<dyn ClientCertVerifier>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.known.authority.der().clone()).map_err(io::Error::other)?;
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = match clients {
            ClientCertificates::Unasked => return Ok(WebPkiClientVerifier::no_client_auth()),
            ClientCertificates::Optional => verifier.allow_unauthenticated(),
            ClientCertificates::Required => verifier,
        };
        verifier.build().map_err(io::Error::other)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// The time of the origin's clock.
#[derive(Debug)]
struct Time(Clock);

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(since_1970(self.0.now().wall)))
    }
}
