//! What it costs to judge a server as Windows does and to ask an application about it: whole
//! handshakes of TLS 1.3 in memory, beside those of rustls' own verifier.
//!
//! Run with `cargo bench -p bits-certs --bench handshake`; `BITS_BENCH_ROUNDS` changes how many
//! rounds there are. The handshakes that ask an application are those of the transfer core itself;
//! both kinds take turns, and both ends of each run on one thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bits_certs::{Authorities, identity, serialized_store};
use bits_transfer::bench::shake_hands;
use bits_wire::attempt::{Failure, PresentedServer, Vetter};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{DuplexStream, duplex};
use tokio::runtime::Builder;
use tokio_rustls::{TlsAcceptor, TlsConnector};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
type Authority = CertifiedIssuer<'static, KeyPair>;

/// Handshakes of each kind in a round.
const HANDSHAKES: u32 = 200;
/// More than either end ever has on its way.
const ON_ITS_WAY: usize = 64 * 1024;
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
    let runtime = Builder::new_current_thread().build()?;
    let stock = Arc::new(client(&provider, stock(&roots, &provider)?)?);
    let (authorities, application) = (authorities(&roots)?, Arc::new(Application::default()));
    let vetter: Arc<dyn Vetter> = Arc::<Application>::clone(&application);
    let satisfied: Arc<dyn Vetter> = Arc::new(Application { has_taken: true, ..Application::default() });
    let name = ServerName::try_from("server.example")?;
    let (mut with, mut without, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let mut known_ratios = Vec::new();
    for _ in 0..rounds {
        let (mut plain, mut judged, mut known) = (0.0, 0.0, 0.0);
        for _ in 0..HANDSHAKES {
            plain += runtime.block_on(timed(&server, async |stream| {
                TlsConnector::from(Arc::clone(&stock)).connect(name.clone(), stream).await
            }))?;
            judged += runtime.block_on(timed(&server, async |stream| {
                shake_hands(&stock, &authorities, &vetter, name.clone(), stream).await
            }))?;
            known += runtime.block_on(timed(&server, async |stream| {
                shake_hands(&stock, &authorities, &satisfied, name.clone(), stream).await
            }))?;
        }
        known_ratios.push(known / plain);
        with.push(judged / f64::from(HANDSHAKES));
        without.push(plain / f64::from(HANDSHAKES));
        ratios.push(judged / plain);
    }
    let asked = application.asked.load(Ordering::Relaxed);
    assert_eq!(asked, u64::from(HANDSHAKES) * u64::try_from(rounds)?, "each is asked about once");
    println!("handshake, rustls' own verifier: {} µs", spread(&mut without));
    println!("handshake, judged and asked about: {} µs", spread(&mut with));
    println!("ratio: {} (min / median / max of {rounds} rounds)", spread(&mut ratios));
    println!("ratio, of a server that was taken before: {}", spread(&mut known_ratios));
    Ok(())
}

/// How many microseconds both ends take.
async fn timed<S>(
    server: &Arc<ServerConfig>,
    connect: impl AsyncFnOnce(DuplexStream) -> std::io::Result<S>,
) -> Result<f64> {
    let (ours, theirs) = duplex(ON_ITS_WAY);
    let begun = Instant::now();
    let accept = TlsAcceptor::from(Arc::clone(server)).accept(theirs);
    let (connected, accepted) = tokio::join!(connect(ours), accept);
    let took = begun.elapsed().as_secs_f64() * 1e6;
    connected?;
    accepted?;
    Ok(took)
}

fn spread(figures: &mut [f64]) -> String {
    figures.sort_by(f64::total_cmp);
    format!("{:.2} / {:.2} / {:.2}", figures[0], figures[figures.len() / 2], figures[figures.len() - 1])
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

fn client(provider: &Arc<CryptoProvider>, verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig> {
    let config = ClientConfig::builder_with_provider(Arc::clone(provider)).with_safe_default_protocol_versions()?;
    let mut config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn stock(roots: &[Authority], provider: &Arc<CryptoProvider>) -> Result<Arc<WebPkiServerVerifier>> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.der().clone())?;
    }
    Ok(WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider)).build()?)
}

fn authorities(roots: &[Authority]) -> Result<Arc<Authorities>> {
    let mut authorities = Authorities::new();
    for root in roots {
        authorities.add(root.der())?;
    }
    Ok(Arc::new(authorities))
}

/// Takes every server.
#[derive(Debug, Default)]
struct Application {
    asked: AtomicU64,
    /// Whether it took all of them before; else each is a new one.
    has_taken: bool,
}

impl Vetter for Application {
    fn has_taken(&self, _server: &PresentedServer<'_>) -> bool {
        self.has_taken
    }

    fn vet(&self, server: &PresentedServer<'_>) -> std::result::Result<(), Failure> {
        // What the application is given, and what is remembered of its answer.
        std::hint::black_box((serialized_store(server.chain), identity::hash(server.chain[0])));
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
