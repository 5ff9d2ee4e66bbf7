//! What counts anew at each connection of an attempt: the stores, the lists, the application.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use bits_api::Hresult;
use bits_wire::attempt::{AttemptEnd, AttemptPlan, Failure, PresentedServer, Vetter, Vetting};
use bits_wire::certificates::{Certificates, Found, Stores};
use bits_world::RevocationLists;
use rcgen::{CertificateRevocationListParams, KeyIdMethod, RevokedCertParams, SerialNumber, date_time_ymd};
use rustls::HandshakeKind;

use crate::support::{Server, Wire, content};
use crate::tls::{Issuer, accept, good, issuer, settings, trusting, url};

/// Counts how often it is asked; each time there are other lists, and then the last ones.
#[derive(Debug, Default)]
struct Counted {
    looks: AtomicUsize,
    vets: AtomicUsize,
    lists: Vec<RevocationLists>,
}

impl Stores for Counted {
    fn look(&self) -> Found {
        let look = self.looks.fetch_add(1, SeqCst);
        let last = self.lists.len().saturating_sub(1);
        Found { revocation: self.lists.get(look.min(last)).cloned().unwrap_or_default(), ..Found::default() }
    }
}

impl Vetter for Counted {
    fn vet(&self, _server: &PresentedServer<'_>) -> Result<(), Failure> {
        self.vets.fetch_add(1, SeqCst);
        Ok(())
    }
}

const SERIAL: u64 = 77;

/// A server that closes each connection after an answer without a word, and how each was made.
fn closing(issuer: &Issuer) -> (Server, Arc<Mutex<Vec<Option<HandshakeKind>>>>) {
    let mut params = good();
    params.serial_number = Some(SerialNumber::from(SERIAL));
    let config = settings(issuer, &params);
    let kinds = Arc::<Mutex<Vec<Option<HandshakeKind>>>>::default();
    let seen = Arc::clone(&kinds);
    let wrap = move |stream| {
        let stream = accept(&config, stream)?;
        seen.lock().unwrap().push(stream.conn.handshake_kind());
        Some(Box::new(stream) as Box<dyn Wire>)
    };
    let server = Server::wrapped(wrap, |mut peer| {
        if let Some(request) = peer.request() {
            peer.answer(&request, &content(1000));
        }
    });
    (server, kinds)
}

/// The list of `issuer` that revokes these.
fn lists(issuer: &Issuer, revoked: &[u64]) -> RevocationLists {
    let entry = |serial: &u64| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2020, 1, 1),
        reason_code: None,
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(3000, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: revoked.iter().map(entry).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let mut lists = RevocationLists::default();
    lists.add(list.signed_by(issuer).unwrap().der().to_vec());
    lists
}

#[test]
fn every_connection_of_an_attempt_looks_into_the_stores_and_asks_the_application() {
    let issuer = issuer();
    let (server, kinds) = closing(&issuer);
    let (mill, counted) = (trusting(&issuer), Arc::new(Counted::default()));
    let stores = Arc::clone(&counted);
    let certificates = Certificates { stores: Some(stores), ..Certificates::default() };
    let vetting = Vetting::By(Arc::<Counted>::clone(&counted));

    let outcome = mill.run(AttemptPlan { certificates, vetting, ..mill.plan(&url(&server)) });

    assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Done, Some(content(1000))));
    assert_eq!(*kinds.lock().unwrap(), [Some(HandshakeKind::Full); 2]);
    assert_eq!((counted.looks.load(SeqCst), counted.vets.load(SeqCst)), (2, 2));
}

#[test]
fn a_server_that_is_revoked_between_two_connections_of_an_attempt_is_refused() {
    let issuer = issuer();
    let (server, _) = closing(&issuer);
    let lists = vec![lists(&issuer, &[]), lists(&issuer, &[SERIAL])];
    let counted = Arc::new(Counted { lists, ..Counted::default() });
    let mill = trusting(&issuer);
    let certificates = Certificates { stores: Some(counted), checks_revocation: true, ..Certificates::default() };

    let outcome = mill.run(AttemptPlan { certificates, ..mill.plan(&url(&server)) });

    assert_eq!(outcome.code(), Hresult::ERROR_WINHTTP_SECURE_CERT_REVOKED);
    assert_eq!(server.asked(), ["HEAD /a"]);
}
