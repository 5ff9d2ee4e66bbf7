use bits_wire::download::CertificateFault::{Date, Invalid, Issuer, Name, Usage};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};

use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn root(name: &str) -> Authority {
    CertifiedIssuer::self_signed(authority_params(name), KeyPair::generate().unwrap()).unwrap()
}

fn below(root: &Authority, params: CertificateParams) -> Authority {
    CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), root).unwrap()
}

/// What a good server asks for.
fn server() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["server.example".to_owned()]).unwrap();
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn expired(mut params: CertificateParams) -> CertificateParams {
    (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    params
}

fn misnamed(mut params: CertificateParams) -> CertificateParams {
    params.subject_alt_names = vec![rcgen::SanType::DnsName("elsewhere.example".try_into().unwrap())];
    params
}

fn for_clients(mut params: CertificateParams) -> CertificateParams {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn signed(issuer: &Authority, params: &CertificateParams) -> CertificateDer<'static> {
    params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap().der().clone()
}

/// 2026, when all but the expired ones are valid.
const NOW: u64 = 1_790_000_000;

fn faults(trusted: &[&Authority], leaf: &CertificateDer<'_>, others: &[&Authority]) -> CertificateFaults {
    let mut authorities = Authorities::new();
    for authority in trusted {
        authorities.add(authority.der()).unwrap();
    }
    let others: Vec<_> = others.iter().map(|other| other.der().clone()).collect();
    authorities.faults(Chain { leaf, others: &others }, &"server.example".try_into().unwrap(), at(NOW), None)
}

fn set(faults: &[CertificateFault]) -> CertificateFaults {
    faults.iter().copied().collect()
}

#[test]
fn every_subset_of_faults_is_found_with_and_without_an_authority_in_between() {
    let (known, unknown) = (root("known"), root("unknown"));
    for subset in 0..16u32 {
        let has = |bit: u32| subset & (1 << bit) != 0;
        let top = if has(0) { &unknown } else { &known };
        let between = below(top, authority_params("between"));
        let mut params = server();
        let mut expected = CertificateFaults::empty();
        if has(0) {
            expected |= Issuer.into();
        }
        if has(1) {
            (params, expected) = (expired(params), expected | Date.into());
        }
        if has(2) {
            (params, expected) = (misnamed(params), expected | Name.into());
        }
        if has(3) {
            (params, expected) = (for_clients(params), expected | Usage.into());
        }

        assert_eq!(faults(&[&known], &signed(top, &params), &[]), expected, "{subset:04b} alone");
        let leaf = signed(&between, &params);
        // The authority in between is valid from 1975 on.
        assert_eq!(faults(&[&known], &leaf, &[&between]), expected, "{subset:04b} with one");
        assert_eq!(faults(&[&known], &leaf, &[top, &between]), expected, "{subset:04b} with all");
    }
}

#[test]
fn an_authority_on_the_way_has_faults_of_its_own() {
    let known = root("known");
    let mut late = authority_params("expired");
    (late.not_before, late.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2024, 1, 1));
    let late = below(&known, late);
    let clients = below(&known, for_clients(authority_params("clients")));

    assert_eq!(faults(&[&known], &signed(&late, &server()), &[&late]), set(&[Date]));
    assert_eq!(faults(&[&known], &signed(&clients, &server()), &[&clients]), set(&[Usage]));
}

#[test]
fn certificates_that_were_never_valid_together_are_excused_by_nothing() {
    let known = root("known");
    let old = below(&known, expired(authority_params("old")));
    let mut young = server();
    young.not_before = date_time_ymd(2020, 1, 1);

    assert_eq!(faults(&[&known], &signed(&old, &young), &[&old]), set(&[Date, Invalid]));
}

#[test]
fn a_server_that_vouches_for_itself_is_trusted_when_it_is_known() {
    let mut params = server();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let plain_key = KeyPair::generate().unwrap();
    let plain = CertifiedIssuer::self_signed(server(), plain_key).unwrap();

    for own in [&own, &plain] {
        assert_eq!(faults(&[own], own.der(), &[]), CertificateFaults::empty());
        assert_eq!(faults(&[], own.der(), &[]), set(&[Issuer]));
        assert_eq!(faults(&[&root("other")], own.der(), &[own]), set(&[Issuer]));
    }
}

#[test]
fn a_wrong_signature_is_excused_by_nothing() {
    // Two of one name, and only one of them has signed.
    let (known, namesake) = (root("known"), root("known"));
    let leaf = signed(&namesake, &server());
    let own = CertifiedIssuer::self_signed(authority_params("own"), KeyPair::generate().unwrap()).unwrap();
    let mut spoilt = own.der().to_vec();
    *spoilt.last_mut().unwrap() ^= 1;

    assert_eq!(faults(&[&known], &leaf, &[]), set(&[Invalid]));
    assert_eq!(faults(&[], &leaf, &[&known]), set(&[Issuer, Invalid]));
    assert!(faults(&[&own], &spoilt.into(), &[]).contains(Invalid));
}

#[test]
fn what_cannot_be_read_is_invalid() {
    let leaf = signed(&root("known"), &server());
    let cut = CertificateDer::from(leaf[..leaf.len() - 1].to_vec());
    for der in [cut, Vec::new().into(), vec![0x30, 0x80].into(), vec![0xFF; 1 << 20].into()] {
        assert_eq!(faults(&[], &der, &[]), set(&[Invalid]));
    }
}

#[test]
fn a_hundred_certificates_and_a_circle_of_authorities_come_to_an_end() {
    let known = root("known");
    let crowd: Vec<_> = (0..100).map(|n| below(&known, authority_params(&format!("between {n}")))).collect();
    let one = root("one");
    let two = below(&one, authority_params("two"));
    // Each of the two has signed the other.
    let back = CertifiedIssuer::signed_by(authority_params("one"), KeyPair::generate().unwrap(), &two).unwrap();

    let among = faults(&[&known], &signed(&crowd[99], &server()), &crowd.iter().collect::<Vec<_>>());
    assert_eq!(among, CertificateFaults::empty());
    let circle = faults(&[&known], &signed(&two, &server()), &[&two, &back]);
    assert!(circle.contains(Issuer) || circle.contains(Invalid), "{circle:?}");
}

#[test]
fn the_common_name_counts_only_without_alternative_names() {
    let known = root("known");
    let named = |alternatives: Vec<String>, common: &str| {
        let mut params = CertificateParams::new(alternatives).unwrap();
        params.distinguished_name.push(DnType::CommonName, common);
        signed(&known, &params)
    };
    let none = CertificateFaults::empty();

    assert_eq!(faults(&[&known], &named(Vec::new(), "server.example"), &[]), none);
    assert_eq!(faults(&[&known], &named(Vec::new(), "*.example"), &[]), none);
    assert_eq!(faults(&[&known], &named(Vec::new(), "other.example"), &[]), set(&[Name]));
    let elsewhere = vec!["elsewhere.example".to_owned()];
    assert_eq!(faults(&[&known], &named(elsewhere, "server.example"), &[]), set(&[Name]));
}

#[test]
fn a_link_that_is_known_need_not_be_sent_and_is_not_trusted_for_it() {
    let (top, other) = (root("top"), root("other"));
    let middle = below(&top, authority_params("middle"));
    let last = below(&middle, authority_params("last"));
    let leaf = signed(&last, &server());
    let found = |trusted: &Authority, links: &[&Authority]| {
        let mut authorities = Authorities::new();
        authorities.add(trusted.der()).unwrap();
        for link in links {
            authorities.add_link(link.der());
        }
        authorities.faults(Chain { leaf: &leaf, others: &[] }, &"server.example".try_into().unwrap(), at(NOW), None)
    };

    assert_eq!(found(&top, &[&other, &middle, &last]), CertificateFaults::empty());
    assert_eq!(found(&top, &[&middle]), Issuer.into());
    assert_eq!(found(&other, &[&middle, &last, &top]), Issuer.into());
}

#[test]
fn what_openssl_makes_for_a_server_is_trusted_when_it_is_known() {
    // `openssl req -x509` says of every certificate that it is an authority. Two bytes of length come first.
    let kept = include_bytes!("../../../fixtures/fuzz/certificates/vouches-for-itself");
    let own = CertificateDer::from(&kept[2..]);
    let found = |authorities: &Authorities| {
        let chain = Chain { leaf: &own, others: &[] };
        // 2027: it was made in 2026.
        authorities.faults(chain, &"server.example".try_into().unwrap(), at(1_800_000_000), None)
    };
    let mut known = Authorities::new();
    known.add(&own).unwrap();

    assert_eq!(found(&known), CertificateFaults::empty());
    assert_eq!(found(&Authorities::new()), set(&[Issuer]));
}
