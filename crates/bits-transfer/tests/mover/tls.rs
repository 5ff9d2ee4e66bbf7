//! HTTPS: whom the mover believes, and how it says that it does not.

use std::net::TcpStream;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use bits_api::Hresult;
use bits_transfer::HttpMover;
use bits_wire::attempt::{AttemptEnd, AttemptPlan, ChainId, Failure, Mover, PresentedServer, Vetter, Vetting};
use bits_wire::download::CertificateFault;
use bits_world::Decisions;
use bits_world::clock::Clock;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

use crate::support::{Mill, Outcome, PATIENCE, Peer, Server, Wire, content};

pub(crate) type Issuer = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn issuer() -> Issuer {
    issuer_of("the test's authority", Vec::new())
}

fn issuer_of(name: &str, hosts: Vec<String>) -> Issuer {
    let mut params = CertificateParams::new(hosts).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// What a good server of 127.0.0.1 asks for.
pub(crate) fn good() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// The settings of a server whose certificate `issuer` has signed.
pub(crate) fn settings(issuer: &Issuer, params: &CertificateParams) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, issuer).unwrap().der().clone();
    settings_of(certificate, &key)
}

fn settings_of(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    Arc::new(config)
}

/// The server's side of a handshake; `None` when the client breaks it off.
pub(crate) fn accept(
    config: &Arc<ServerConfig>,
    mut stream: TcpStream,
) -> Option<StreamOwned<ServerConnection, TcpStream>> {
    let mut connection = ServerConnection::new(Arc::clone(config)).ok()?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).ok()?;
    }
    Some(StreamOwned::new(connection, stream))
}

pub(crate) fn server(config: Arc<ServerConfig>, script: impl Fn(Peer) + Send + Sync + 'static) -> Server {
    Server::wrapped(move |stream| Some(Box::new(accept(&config, stream)?) as Box<dyn Wire>), script)
}

pub(crate) fn trusting(issuer: &Issuer) -> Mill {
    Mill::with(Clock::system(), &[issuer.pem()])
}

pub(crate) fn url(server: &Server) -> String {
    format!("https://{}/a", server.address)
}

/// What becomes of a download from a server with such a certificate.
fn get_with_certificate(params: &CertificateParams) -> Outcome {
    let issuer = issuer();
    let server = server(settings(&issuer, params), |peer| peer.serve(&content(1000)));
    trusting(&issuer).get(&url(&server))
}

#[test]
fn a_file_comes_over_https_from_a_server_that_is_trusted() {
    let issuer = issuer();
    let server = server(settings(&issuer, &good()), |peer| peer.serve(&content(3_000_000)));

    let outcome = trusting(&issuer).get(&url(&server));

    assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Done, Some(content(3_000_000))));
    assert_eq!(server.asked(), ["HEAD /a", "GET /a"]);
}

/// Certificates with one fault each, and the code of that fault.
fn faulty() -> [(CertificateParams, CertificateFault, Hresult); 4] {
    let mut elsewhere = good();
    elsewhere.subject_alt_names.clear();
    elsewhere.subject_alt_names.push(rcgen::SanType::DnsName("elsewhere.example".try_into().unwrap()));
    let mut expired = good();
    expired.not_before = date_time_ymd(2001, 1, 1);
    expired.not_after = date_time_ymd(2002, 1, 1);
    let mut early = good();
    early.not_before = date_time_ymd(3001, 1, 1);
    early.not_after = date_time_ymd(3002, 1, 1);
    let mut client = good();
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    [
        (elsewhere, CertificateFault::Name, Hresult::ERROR_WINHTTP_SECURE_CERT_CN_INVALID),
        (expired, CertificateFault::Date, Hresult::ERROR_WINHTTP_SECURE_CERT_DATE_INVALID),
        (early, CertificateFault::Date, Hresult::ERROR_WINHTTP_SECURE_CERT_DATE_INVALID),
        (client, CertificateFault::Usage, Hresult::ERROR_WINHTTP_SECURE_CERT_WRONG_USAGE),
    ]
}

#[test]
fn each_fault_of_a_certificate_has_its_code_and_no_request_is_sent() {
    for (params, _, code) in faulty() {
        let failure = get_with_certificate(&params).failure();
        assert_eq!((failure.code, failure.transient), (code, false));
    }
}

#[test]
fn each_fault_is_excused_by_its_own_flag_alone() {
    const ALL: [CertificateFault; 4] =
        [CertificateFault::Date, CertificateFault::Name, CertificateFault::Issuer, CertificateFault::Usage];
    for (params, fault, code) in faulty() {
        let issuer = issuer();
        let server = server(settings(&issuer, &params), |peer| peer.serve(&content(1000)));
        for excuse in ALL {
            let outcome = trusting(&issuer).get_excusing(&url(&server), excuse.into());
            if excuse == fault {
                assert_eq!(outcome.bytes, Some(content(1000)), "{fault:?}");
            } else {
                assert_eq!(outcome.code(), code, "{fault:?} excused by {excuse:?}");
            }
        }
    }
}

#[test]
fn a_connection_is_used_again_only_by_whoever_excuses_the_same_faults() {
    let (params, fault, code) = faulty().into_iter().next().unwrap();
    let issuer = issuer();
    let server = server(settings(&issuer, &params), |peer| peer.serve(&content(1000)));
    let mill = trusting(&issuer);

    assert_eq!(mill.get_excusing(&url(&server), fault.into()).bytes, Some(content(1000)));
    assert_eq!(mill.get(&url(&server)).code(), code);
}

#[test]
fn a_server_that_nobody_vouches_for_is_refused_before_any_request() {
    let server = server(settings(&issuer(), &good()), |peer| peer.serve(&content(1000)));

    let outcome = trusting(&issuer_of("somebody else", Vec::new())).get(&url(&server));

    assert_eq!(outcome.code(), Hresult::ERROR_WINHTTP_SECURE_INVALID_CA);
    assert!(!outcome.failure().transient);
    assert!(server.requests().is_empty());
}

#[test]
fn a_server_that_vouches_for_itself_is_refused_unless_it_is_trusted_or_that_is_excused() {
    let own = issuer_of("a server", vec!["127.0.0.1".to_owned()]);
    let server = server(settings_of(own.der().clone(), own.key()), |peer| peer.serve(&content(1000)));

    assert_eq!(trusting(&issuer()).get(&url(&server)).code(), Hresult::ERROR_WINHTTP_SECURE_INVALID_CA);
    assert_eq!(trusting(&own).get(&url(&server)).bytes, Some(content(1000)));
    let excused = trusting(&issuer()).get_excusing(&url(&server), CertificateFault::Issuer.into());
    assert_eq!(excused.bytes, Some(content(1000)));
}

#[test]
fn a_server_that_speaks_no_tls_is_a_failure_of_the_channel() {
    let server = Server::start(|mut peer| {
        peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        peer.wait_for_close();
    });

    let failure = Mill::new().get(&url(&server)).failure();

    assert_eq!((failure.code, failure.transient), (Hresult::ERROR_WINHTTP_SECURE_CHANNEL_ERROR, false));
}

#[test]
fn a_handshake_that_breaks_off_is_a_broken_connection() {
    let server = Server::start(drop);

    let failure = Mill::new().get(&url(&server)).failure();

    assert_eq!((failure.code, failure.transient), (Hresult::ERROR_WINHTTP_CONNECTION_ERROR, true));
}

#[test]
fn a_tls_connection_that_was_closed_meanwhile_is_replaced_by_a_full_handshake() {
    let issuer = issuer();
    let config = settings(&issuer, &good());
    let kinds = Arc::<Mutex<Vec<Option<HandshakeKind>>>>::default();
    let seen = Arc::clone(&kinds);
    let wrap = move |stream| {
        let stream = accept(&config, stream)?;
        seen.lock().unwrap().push(stream.conn.handshake_kind());
        Some(Box::new(stream) as Box<dyn Wire>)
    };
    let server = Server::wrapped(wrap, |mut peer| {
        for _ in 0..2 {
            let Some(request) = peer.request() else { return };
            peer.answer(&request, &content(1000));
        }
    });
    let mill = trusting(&issuer);

    for _ in 0..3 {
        assert_eq!(mill.get(&url(&server)).bytes, Some(content(1000)));
    }

    assert_eq!(*kinds.lock().unwrap(), [Some(HandshakeKind::Full); 3]);
}

#[test]
fn a_chain_that_is_released_leaves_its_tls_connection() {
    let issuer = issuer();
    let server = server(settings(&issuer, &good()), |peer| peer.serve(&content(1000)));
    let mill = trusting(&issuer);

    mill.get(&url(&server));
    mill.mover.release(ChainId(1));

    assert_eq!(mill.get(&url(&server)).bytes, Some(content(1000)));
}

#[test]
fn what_is_no_certificate_cannot_be_trusted() {
    let cut = issuer().pem().lines().take(3).collect::<Vec<_>>().join("\n");
    let table = [
        vec![String::new()],
        vec!["not a certificate".to_owned()],
        vec![issuer().pem(), cut],
        vec!["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned()],
    ];
    for trusted in table {
        let made = HttpMover::new(Clock::system(), "7.8", &Decisions::default(), &trusted);
        let error = made.err().unwrap();
        assert!(error.starts_with(&format!("trusted certificate {}: ", trusted.len())), "{error}");
    }
}

/// An application that takes every server.
#[derive(Debug)]
struct Trusting;

impl Vetter for Trusting {
    fn vet(&self, _server: &PresentedServer<'_>) -> Result<(), Failure> {
        Ok(())
    }
}

#[test]
fn a_handshake_in_which_the_application_has_a_say_is_over_when_its_attempt_is() {
    let (tell, told) = channel();
    let server = Server::start(move |mut peer| {
        peer.byte();
        tell.send("it speaks").unwrap();
        // It waits for an answer.
        peer.wait_for_close();
        tell.send("it is gone").unwrap();
    });
    let mill = Mill::new();
    let url = server.url("/a").replace("http:", "https:");
    let running = mill.start(AttemptPlan { vetting: Vetting::By(Arc::new(Trusting)), ..mill.plan(&url) });
    assert_eq!(told.recv_timeout(PATIENCE), Ok("it speaks"));

    running.stop();

    assert_eq!(running.end().end, AttemptEnd::Stopped);
    assert_eq!(told.recv_timeout(PATIENCE), Ok("it is gone"));
}
