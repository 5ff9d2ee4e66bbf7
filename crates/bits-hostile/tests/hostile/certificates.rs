//! Servers that show what no authority has made.

use std::time::Duration;

use bits_api::{ErrorContext, Hresult, JobState};
use bits_hostile::house::House;
use bits_origin::Handshake;
use bits_servers::{At, Server};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType, string::Ia5String};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn authority(name: &str) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn server(issuer: &Authority, host: &str) -> Vec<u8> {
    let mut params = params("server");
    params.subject_alt_names = vec![SanType::DnsName(Ia5String::try_from(host).unwrap())];
    params.signed_by(&key(), issuer).unwrap().der().to_vec()
}

/// Two authorities, each signed by the other, and a server of theirs.
fn circle() -> Vec<Vec<u8>> {
    let one = CertifiedIssuer::self_signed(authority("one"), key()).unwrap();
    let two = CertifiedIssuer::signed_by(authority("two"), key(), &one).unwrap();
    let back =
        CertifiedIssuer::signed_by(authority("one"), KeyPair::try_from(one.key().serialize_der()).unwrap(), &two);
    vec![server(&two, "localhost"), two.der().to_vec(), back.unwrap().der().to_vec()]
}

/// A server behind a hundred authorities, each signed by the next.
fn ladder() -> Vec<Vec<u8>> {
    let mut last = CertifiedIssuer::self_signed(authority("authority 0"), key()).unwrap();
    let mut chain = vec![last.der().to_vec()];
    for number in 1..100 {
        last = CertifiedIssuer::signed_by(authority(&format!("authority {number}")), key(), &last).unwrap();
        chain.insert(0, last.der().to_vec());
    }
    chain.insert(0, server(&last, "localhost"));
    chain
}

/// A hundred authorities of one name, none of which has signed anything.
fn crowd() -> Vec<Vec<u8>> {
    let issuer = CertifiedIssuer::self_signed(authority("crowd"), key()).unwrap();
    let of_that_name = || CertifiedIssuer::self_signed(authority("crowd"), key()).unwrap().der().to_vec();
    std::iter::once(server(&issuer, "localhost")).chain((0..100).map(|_| of_that_name())).collect()
}

/// The authority of a server that is called `host`.
fn named(host: &str) -> Vec<Vec<u8>> {
    vec![server(&CertifiedIssuer::self_signed(authority("somebody"), key()).unwrap(), host)]
}

/// A certificate of as many bytes, of which most are names.
fn large(bytes: usize) -> Vec<Vec<u8>> {
    let issuer = CertifiedIssuer::self_signed(authority("somebody"), key()).unwrap();
    let mut params = params("server");
    let name = |number| SanType::DnsName(Ia5String::try_from(format!("{number:0100}.example")).unwrap());
    params.subject_alt_names = (0..bytes / 110).map(name).collect();
    vec![params.signed_by(&key(), &issuer).unwrap().der().to_vec()]
}

#[test]
fn every_strange_chain_is_refused_with_its_code_and_no_request_is_sent() {
    const UNTRUSTED: Hresult = Hresult::ERROR_WINHTTP_SECURE_INVALID_CA;
    const BAD: Hresult = Hresult::ERROR_WINHTTP_SECURE_FAILURE;
    const NO_HANDSHAKE: Hresult = Hresult::ERROR_WINHTTP_SECURE_CHANNEL_ERROR;
    let whole = named("localhost").remove(0);
    let cut = whole[..whole.len() / 2].to_vec();
    let longer_than_it_is = [&[0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF][..], &whole[4..]].concat();
    let table = [
        ("none at all", vec![], NO_HANDSHAKE),
        ("an empty one", vec![vec![]], BAD),
        ("what is no DER", vec![vec![0xFF; 1000]], BAD),
        ("one that is cut", vec![cut.clone()], BAD),
        ("one that says it is longer", vec![longer_than_it_is], BAD),
        ("one with bytes behind it", vec![[&whole[..], &[0]].concat()], BAD),
        ("a good one behind which is rubbish", vec![whole, cut, vec![], vec![0x30, 0x80]], BAD),
        ("a circle of authorities", circle(), UNTRUSTED),
        ("a hundred authorities in a row", ladder(), BAD),
        ("a hundred authorities of one name", crowd(), BAD),
        ("a name with NUL", named("127.0.0.1\0.example"), UNTRUSTED),
        ("one of forty thousand bytes", large(40_000), UNTRUSTED),
        ("one of a mebibyte", large(1 << 20), NO_HANDSHAKE),
    ];
    let house = House::new();
    let good = Server::good().spoken_to(At::Https);
    let mut wrong = Vec::new();
    for (name, chain, code) in table {
        house.origin.shake_hands(&Handshake { shown_instead: Some(chain), ..Handshake::default() }).unwrap();
        let job = house.job(&good, "/file");

        let ending = house.run(&job, "/file", Duration::from_hours(1));

        if ending != (JobState::ERROR, Some((ErrorContext::REMOTE_FILE, code))) {
            wrong.push((name, ending));
        }
        job.cancel().unwrap();
    }
    assert_eq!(wrong, []);
    assert!(house.origin.journal().is_empty());
}
