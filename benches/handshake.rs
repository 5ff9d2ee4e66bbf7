//! What it costs to judge a server as Windows does and to ask an application about it: whole
//! handshakes of TLS 1.3 in memory, beside those of rustls' own verifier.
//!
//! Run with `cargo bench -p bits-certs --bench handshake`; `BITS_BENCH_ROUNDS` changes how many
//! rounds there are. As in the transfer core, each handshake that asks an application has a thread
//! of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bits_certs::{Authorities, Chain, identity, serialized_store};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, ServerConfig,
    ServerConnection, SignatureScheme,
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
type Authority = CertifiedIssuer<'static, KeyPair>;

/// Handshakes of each kind in a round.
const HANDSHAKES: u32 = 200;
/// As many roots are trusted, as on a usual machine.
const ROOTS: usize = 140;

fn main() -> Result<()> {
    let rounds = match std::env::var("BITS_BENCH_ROUNDS") {
        Ok(text) => text.parse().map_err(|_| format!("BITS_BENCH_ROUNDS is {text:?}, not a number"))?,
        Err(_) => 15,
    };
    let provider = Arc::new(ring::default_provider());
    let roots = (0..ROOTS).map(|number| authority(&format!("root {number}"), None)).collect::<Result<Vec<_>>>()?;
    let between = authority("between", roots.last())?;
    let server = server(&between, &provider)?;
    let asked = Arc::new(AtomicU64::new(0));
    let ours = client(&provider, Arc::new(Judging::new(&roots, &provider, &asked)?))?;
    let theirs = client(&provider, stock(&roots, &provider)?)?;
    let (mut with, mut without, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let plain = timed(|| shake(&theirs, &server))?;
        let judged = timed(|| {
            let (client, server) = (Arc::clone(&ours), Arc::clone(&server));
            let thread = std::thread::spawn(move || shake(&client, &server).map_err(|error| error.to_string()));
            Ok(thread.join().map_err(|_| "a handshake has panicked")??)
        })?;
        with.push(judged);
        without.push(plain);
        ratios.push(judged / plain);
    }
    assert_eq!(
        asked.load(Ordering::Relaxed),
        u64::from(HANDSHAKES) * u64::try_from(rounds)?,
        "each is asked about once"
    );
    println!("handshake, rustls' own verifier: {} µs", spread(&mut without));
    println!("handshake, judged and asked about: {} µs", spread(&mut with));
    println!("ratio: {} (min / median / max of {rounds} rounds)", spread(&mut ratios));
    Ok(())
}

/// How many microseconds one takes.
fn timed(mut shake: impl FnMut() -> Result<()>) -> Result<f64> {
    let begun = Instant::now();
    for _ in 0..HANDSHAKES {
        shake()?;
    }
    Ok(begun.elapsed().as_secs_f64() * 1e6 / f64::from(HANDSHAKES))
}

fn spread(figures: &mut [f64]) -> String {
    figures.sort_by(f64::total_cmp);
    format!("{:.2} / {:.2} / {:.2}", figures[0], figures[figures.len() / 2], figures[figures.len() - 1])
}

/// Both ends of a handshake, to its end.
fn shake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Result<()> {
    let mut client = ClientConnection::new(Arc::clone(client), ServerName::try_from("server.example")?)?;
    let mut server = ServerConnection::new(Arc::clone(server))?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire)?;
        }
        let mut rest = &wire[..];
        while !rest.is_empty() {
            server.read_tls(&mut rest)?;
            server.process_new_packets()?;
        }
        wire.clear();
        while server.wants_write() {
            server.write_tls(&mut wire)?;
        }
        let mut rest = &wire[..];
        while !rest.is_empty() {
            client.read_tls(&mut rest)?;
            client.process_new_packets()?;
        }
    }
    Ok(())
}

fn authority(name: &str, issuer: Option<&Authority>) -> Result<Authority> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate()?;
    Ok(match issuer {
        None => CertifiedIssuer::self_signed(params, key)?,
        Some(issuer) => CertifiedIssuer::signed_by(params, key, issuer)?,
    })
}

fn server(issuer: &Authority, provider: &Arc<CryptoProvider>) -> Result<Arc<ServerConfig>> {
    let mut params = CertificateParams::new(vec!["server.example".to_owned()])?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let chain = vec![params.signed_by(&key, issuer)?.der().clone(), issuer.der().clone()];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::clone(provider)).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_no_client_auth().with_single_cert(chain, key)?))
}

fn client(provider: &Arc<CryptoProvider>, verifier: Arc<dyn ServerCertVerifier>) -> Result<Arc<ClientConfig>> {
    let config = ClientConfig::builder_with_provider(Arc::clone(provider)).with_safe_default_protocol_versions()?;
    let mut config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn stock(roots: &[Authority], provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.der().clone())?;
    }
    Ok(WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider)).build()?)
}

/// Judges a server as BITS has it judged; an application takes every one that has no fault.
#[derive(Debug)]
struct Judging {
    authorities: Authorities,
    provider: Arc<CryptoProvider>,
    asked: Arc<AtomicU64>,
}

impl Judging {
    fn new(roots: &[Authority], provider: &Arc<CryptoProvider>, asked: &Arc<AtomicU64>) -> Result<Self> {
        let mut authorities = Authorities::new();
        for root in roots {
            authorities.add(root.der())?;
        }
        Ok(Self { authorities, provider: Arc::clone(provider), asked: Arc::clone(asked) })
    }
}

impl ServerCertVerifier for Judging {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, Error> {
        let chain = Chain { leaf: end_entity, others: intermediates };
        if !self.authorities.faults(chain, server_name, now, None).is_empty() {
            return Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure));
        }
        // What the application is given, and what is remembered of its answer.
        let all: Vec<&[u8]> = std::iter::once(end_entity).chain(intermediates).map(AsRef::as_ref).collect();
        std::hint::black_box((serialized_store(&all), identity::hash(end_entity)));
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
