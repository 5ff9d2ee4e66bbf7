use bits_wire::download::CertificateFault::{Date, Issuer, RevocationUnknown, Revoked};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, CrlDistributionPoint,
    CrlIssuingDistributionPoint, CrlScope, DnType, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams,
    SerialNumber, date_time_ymd,
};

use super::*;
use crate::certificate::at;
use crate::{Authorities, Chain};

type Authority = CertifiedIssuer<'static, KeyPair>;

/// 2026.
const NOW: u64 = 1_790_000_000;

const LEAF: u64 = 7;
const BETWEEN: u64 = 8;

fn authority_params(name: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(SerialNumber::from(serial));
    params
}

fn root(name: &str) -> Authority {
    CertifiedIssuer::self_signed(authority_params(name, 1), KeyPair::generate().unwrap()).unwrap()
}

fn between(root: &Authority) -> Authority {
    CertifiedIssuer::signed_by(authority_params("between", BETWEEN), KeyPair::generate().unwrap(), root).unwrap()
}

fn server() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["server.example".to_owned()]).unwrap();
    params.serial_number = Some(SerialNumber::from(LEAF));
    params
}

fn signed(issuer: &Authority, params: &CertificateParams) -> CertificateDer<'static> {
    params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap().der().clone()
}

/// A list of 2026 that revokes these.
fn params(revoked: &[u64]) -> CertificateRevocationListParams {
    let entry = |serial: &u64| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2026, 1, 1),
        reason_code: None,
        invalidity_date: None,
    };
    CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 1, 1),
        next_update: date_time_ymd(2027, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: revoked.iter().map(entry).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    }
}

fn list(issuer: &Authority, params: &CertificateRevocationListParams) -> Vec<u8> {
    params.signed_by(issuer).unwrap().der().to_vec()
}

/// What is wrong with a leaf of `issuer` behind `others`, by these lists.
fn faults(known: &Authority, leaf: &CertificateDer<'_>, others: &[&Authority], lists: &[Vec<u8>]) -> CertificateFaults {
    let mut authorities = Authorities::new();
    authorities.add(known.der()).unwrap();
    let mut revocations = Revocations::new();
    for list in lists {
        revocations.add(list).unwrap();
    }
    let others: Vec<_> = others.iter().map(|other| other.der().clone()).collect();
    let chain = Chain { leaf, others: &others };
    authorities.faults(chain, &"server.example".try_into().unwrap(), at(NOW), Some(&revocations))
}

fn set(faults: &[CertificateFault]) -> CertificateFaults {
    faults.iter().copied().collect()
}

#[test]
fn each_certificate_but_the_root_is_looked_up_on_the_list_of_its_issuer() {
    let known = root("known");
    let between = between(&known);
    let leaf = signed(&between, &server());
    let table: [(&[u64], &[u64], &[CertificateFault]); 4] =
        [(&[], &[], &[]), (&[LEAF], &[], &[Revoked]), (&[], &[BETWEEN], &[Revoked]), (&[BETWEEN], &[LEAF, 1], &[])];
    for (by_between, by_root, expected) in table {
        let lists = [list(&between, &params(by_between)), list(&known, &params(by_root))];
        assert_eq!(faults(&known, &leaf, &[&between], &lists), set(expected), "{by_between:?} {by_root:?}");
    }
}

#[test]
fn without_the_list_of_each_issuer_nothing_is_known() {
    let known = root("known");
    let between = between(&known);
    let leaf = signed(&between, &server());
    let (lower, upper) = (list(&between, &params(&[])), list(&known, &params(&[])));

    assert_eq!(faults(&known, &leaf, &[&between], &[]), set(&[RevocationUnknown]));
    assert_eq!(faults(&known, &leaf, &[&between], &[lower]), set(&[RevocationUnknown]));
    assert_eq!(faults(&known, &leaf, &[&between], std::slice::from_ref(&upper)), set(&[RevocationUnknown]));
    // What is known is told as well.
    let revoked = list(&between, &params(&[LEAF]));
    assert_eq!(faults(&known, &leaf, &[&between], &[revoked]), set(&[Revoked, RevocationUnknown]));
}

#[test]
fn a_list_that_cannot_be_relied_on_is_as_good_as_none() {
    let (known, namesake, other) = (root("known"), root("known"), root("other"));
    let leaf = signed(&known, &server());
    let mut old = params(&[LEAF]);
    (old.this_update, old.next_update) = (date_time_ymd(2025, 1, 1), date_time_ymd(2026, 1, 1));
    let mut early = params(&[LEAF]);
    (early.this_update, early.next_update) = (date_time_ymd(2027, 1, 1), date_time_ymd(2028, 1, 1));
    let mut of_authorities = params(&[LEAF]);
    let place = || CrlDistributionPoint { uris: vec!["http://a.example/crl".to_owned()] };
    of_authorities.issuing_distribution_point =
        Some(CrlIssuingDistributionPoint { distribution_point: place(), scope: Some(CrlScope::CaCertsOnly) });
    let mut elsewhere = params(&[LEAF]);
    elsewhere.issuing_distribution_point =
        Some(CrlIssuingDistributionPoint { distribution_point: place(), scope: None });
    let mut spoilt = list(&known, &params(&[LEAF]));
    *spoilt.last_mut().unwrap() ^= 1;
    let table = [
        ("expired", list(&known, &old)),
        ("not yet valid", list(&known, &early)),
        ("of authorities", list(&known, &of_authorities)),
        ("of certificates that name another place", list(&known, &elsewhere)),
        ("signed by a namesake", list(&namesake, &params(&[LEAF]))),
        ("of another issuer", list(&other, &params(&[LEAF]))),
        ("spoilt", spoilt),
    ];
    for (name, useless) in table {
        assert_eq!(faults(&known, &leaf, &[], std::slice::from_ref(&useless)), set(&[RevocationUnknown]), "{name}");
        let good = list(&known, &params(&[]));
        assert_eq!(faults(&known, &leaf, &[], &[useless, good]), set(&[]), "{name}, beside a good one");
    }
}

#[test]
fn a_list_of_a_place_is_about_the_certificates_that_name_it() {
    let known = root("known");
    let mut place = params(&[LEAF]);
    let uris = vec!["http://a.example/crl".to_owned()];
    place.issuing_distribution_point = Some(CrlIssuingDistributionPoint {
        distribution_point: CrlDistributionPoint { uris: uris.clone() },
        scope: Some(CrlScope::UserCertsOnly),
    });
    let mut named = server();
    named.crl_distribution_points = vec![CrlDistributionPoint { uris }];

    let lists = [list(&known, &place)];

    assert_eq!(faults(&known, &signed(&known, &named), &[], &lists), set(&[Revoked]));
}

#[test]
fn an_authority_that_must_not_sign_lists_revokes_nothing() {
    let known = root("known");
    let mut silent = authority_params("between", BETWEEN);
    silent.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let silent = CertifiedIssuer::signed_by(silent, KeyPair::generate().unwrap(), &known).unwrap();
    let key = KeyPair::try_from(silent.key().serialize_der()).unwrap();
    let loud = CertifiedIssuer::self_signed(authority_params("between", 2), key).unwrap();
    let leaf = signed(&silent, &server());

    let lists = [list(&loud, &params(&[LEAF])), list(&known, &params(&[]))];

    assert_eq!(faults(&known, &leaf, &[&silent], &lists), set(&[RevocationUnknown]));
}

#[test]
fn what_is_wrong_otherwise_keeps_nobody_from_the_lists() {
    let (known, unknown) = (root("known"), root("unknown"));
    let mut expired = server();
    (expired.not_before, expired.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    let revoked = |issuer: &Authority| [list(issuer, &params(&[LEAF]))];
    let clean = |issuer: &Authority| [list(issuer, &params(&[]))];

    let old = signed(&known, &expired);
    assert_eq!(faults(&known, &old, &[], &revoked(&known)), set(&[Date, Revoked]));
    assert_eq!(faults(&known, &old, &[], &clean(&known)), set(&[Date]));
    let strange = signed(&unknown, &server());
    assert_eq!(faults(&known, &strange, &[&unknown], &revoked(&unknown)), set(&[Issuer, Revoked]));
    assert_eq!(faults(&known, &strange, &[&unknown], &clean(&unknown)), set(&[Issuer]));
    // Its issuer is not there to be asked.
    assert_eq!(faults(&known, &strange, &[], &clean(&unknown)), set(&[Issuer, RevocationUnknown]));
    let between = between(&unknown);
    let far = signed(&between, &server());
    assert_eq!(faults(&known, &far, &[&between], &clean(&between)), set(&[Issuer, RevocationUnknown]));
}

#[test]
fn nobody_revokes_a_certificate_that_vouches_for_itself() {
    let mut params = server();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();

    assert_eq!(faults(&own, own.der(), &[], &[]), set(&[]));
    assert_eq!(faults(&root("other"), own.der(), &[], &[]), set(&[Issuer]));
}

#[test]
fn lists_come_from_pem_and_from_der() {
    let known = root("known");
    let made = params(&[LEAF]).signed_by(&known).unwrap();
    let pem = made.pem().unwrap();

    let der = made.der().to_vec();
    assert_eq!(lists_from(&der), Ok(vec![der.clone()]));
    assert_eq!(lists_from(format!("{}{pem}{pem}", known.pem()).as_bytes()), Ok(vec![der.clone(), der.clone()]));
    let table = [
        (Vec::new(), "there is no list"),
        (known.pem().into_bytes(), "there is no list"),
        (der[..der.len() - 1].to_vec(), "no list of revoked"),
        ([&der[..], &[0]].concat(), "1 bytes follow it"),
        (known.der().to_vec(), "no list of revoked"),
        (b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n".to_vec(), "no list of revoked"),
        (pem.as_bytes()[..pem.len() / 2].to_vec(), "no PEM"),
    ];
    for (file, says) in table {
        let error = lists_from(&file).unwrap_err();
        assert!(error.contains(says) && error.lines().count() == 1, "{error}");
    }
}
