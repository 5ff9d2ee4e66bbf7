//! TLS: the origin's own authority, what its certificate is like, and whether it asks for one.

use std::fmt;
use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

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
}

type Authority = CertifiedIssuer<'static, KeyPair>;

/// Who shakes hands, and with which certificate.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) acceptor: TlsAcceptor,
    /// DER.
    pub(crate) certificate: Arc<[u8]>,
}

/// The authority of one origin, and another one that nobody knows.
pub(crate) struct Tls {
    known: Authority,
    unknown: Authority,
    ca_pem: String,
}

impl Tls {
    pub(crate) fn new() -> io::Result<Self> {
        let known = authority()?;
        Ok(Self { ca_pem: known.pem(), known, unknown: authority()? })
    }

    /// What clients have to trust.
    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Who shakes hands like that, for localhost and 127.0.0.1.
    pub(crate) fn acceptor(&self, handshake: &Handshake) -> io::Result<Host> {
        let names = if handshake.flaws.contains(&Flaw::OtherName) {
            vec!["elsewhere.example".to_owned()]
        } else {
            vec!["localhost".to_owned(), "127.0.0.1".to_owned()]
        };
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        params.distinguished_name.push(DnType::CommonName, "localhost");
        let (leaf, key) = self.issue(params, &handshake.flaws, ExtendedKeyUsagePurpose::ServerAuth)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(io::Error::other)?;
        let versions = match handshake.versions {
            TlsVersions::Both => &[&TLS12, &TLS13][..],
            TlsVersions::Only12 => &[&TLS12],
            TlsVersions::Only13 => &[&TLS13],
        };
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .map_err(io::Error::other)?
            .with_client_cert_verifier(self.client_verifier(handshake.clients)?)
            .with_single_cert(vec![leaf.der().clone()], key)
            .map_err(io::Error::other)?;
        Ok(Host { acceptor: Arc::new(config).into(), certificate: Arc::from(leaf.der().as_ref()) })
    }

    /// A certificate and its key for a client of this subject, in the order given, as PEM.
    pub(crate) fn client(&self, subject: &[&str], flaws: &[Flaw]) -> io::Result<String> {
        const KINDS: [DnType; 3] = [DnType::OrganizationName, DnType::OrganizationalUnitName, DnType::CommonName];
        let mut params = CertificateParams::new([]).map_err(io::Error::other)?;
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in KINDS.into_iter().zip(subject) {
            params.distinguished_name.push(kind, *value);
        }
        let (leaf, key) = self.issue(params, flaws, ExtendedKeyUsagePurpose::ClientAuth)?;
        Ok(leaf.pem() + &key.serialize_pem())
    }

    fn issue(
        &self,
        mut params: CertificateParams,
        flaws: &[Flaw],
        usage: ExtendedKeyUsagePurpose,
    ) -> io::Result<(rcgen::Certificate, KeyPair)> {
        params.use_authority_key_identifier_extension = true;
        params.extended_key_usages = match (flaws.contains(&Flaw::OtherUsage), usage) {
            (false, usage) => vec![usage],
            (true, ExtendedKeyUsagePurpose::ServerAuth) => vec![ExtendedKeyUsagePurpose::ClientAuth],
            (true, _) => vec![ExtendedKeyUsagePurpose::ServerAuth],
        };
        if flaws.contains(&Flaw::Expired) {
            (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        }
        let issuer = if flaws.contains(&Flaw::UnknownAuthority) { &self.unknown } else { &self.known };
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params.signed_by(&key, issuer).map_err(io::Error::other)?;
        Ok((certificate, key))
    }

    fn client_verifier(&self, clients: ClientCertificates) -> io::Result<Arc<dyn ClientCertVerifier>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.known.der().clone()).map_err(io::Error::other)?;
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

/// An authority with a key of its own. They all have a different name in each origin: a wrong
/// signature is something else than an authority that nobody knows.
fn authority() -> io::Result<Authority> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let mut params = CertificateParams::new([]).map_err(io::Error::other)?;
    params.distinguished_name.push(DnType::CommonName, format!("bits-origin test authority {}", fingerprint(&key)));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)
}

/// What tells one key from another.
fn fingerprint(key: &KeyPair) -> String {
    let digest = Sha256::digest(key.public_key_raw());
    let number = digest.iter().take(8).fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
    format!("{number:016x}")
}
