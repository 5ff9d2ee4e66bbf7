use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};

use super::*;

fn made(usages: &[ExtendedKeyUsagePurpose]) -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in
        [(DnType::OrganizationName, "name3"), (DnType::OrganizationalUnitName, "name2"), (DnType::CommonName, "name1")]
    {
        params.distinguished_name.push(kind, value);
    }
    params.extended_key_usages = usages.to_vec();
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[test]
fn a_certificate_is_known_by_its_hash_and_the_values_of_its_subject() {
    let (certificate, key) = made(&[ExtendedKeyUsagePurpose::ClientAuth]);

    let read = from_pem(&format!("{certificate}{key}")).unwrap();

    assert_eq!(read.subject, "name3, name2, name1");
    assert_eq!(read.hash[..], Sha1::digest(&read.chain[0])[..]);
    assert!(read.for_clients && read.key.is_some());
    assert_eq!(from_pem(&certificate).unwrap().key, None);
}

#[test]
fn a_certificate_is_for_clients_unless_it_says_that_it_is_for_something_else() {
    assert!(from_pem(&made(&[]).0).unwrap().for_clients);
    assert!(!from_pem(&made(&[ExtendedKeyUsagePurpose::ServerAuth]).0).unwrap().for_clients);
}

#[test]
fn what_is_no_certificate_is_told_in_one_line() {
    let (certificate, key) = made(&[]);
    let cut: String = certificate.lines().take(3).collect::<Vec<_>>().join("\n");
    let table = [
        (String::new(), "there is no certificate"),
        (key.clone(), "there is no certificate"),
        (cut, "the text is no PEM"),
        (format!("{certificate}{key}{key}"), "several private keys"),
        (format!("{certificate}{}", made(&[]).1), "does not go with the certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_owned(), "no X.509 certificate"),
    ];
    for (text, says) in table {
        let error = from_pem(&text).unwrap_err().to_string();
        assert!(error.contains(says) && error.lines().count() == 1, "{error}");
    }
}

#[test]
fn what_is_wrong_with_a_key_is_told_without_a_byte_of_it() {
    let (certificate, key) = made(&[]);
    // On Windows, lines end in two characters.
    let key = key.replace('\r', "");
    let letters = key.lines().nth(1).unwrap();
    let bytes = format!("{:?}", &letters.as_bytes()[..12]);
    let table = [
        (key.replace('\n', ""), "the text is no PEM: a BEGIN line has no END line: are all lines there?"),
        (key.replace('\n', " "), "the text is no PEM: a BEGIN line has no END line: are all lines there?"),
        (key.replacen("KEY-----\n", "KEY", 1), "the text is no PEM: a BEGIN line does not end as it should"),
        (key.replacen(letters, &letters.replace('M', "%"), 1), "what is between BEGIN and END is no Base64"),
        (key.replacen(letters, "", 1), "its private key cannot be used: it is damaged, or none of those"),
    ];
    for (key, says) in table {
        for error in [from_files(certificate.as_bytes(), key.as_bytes()), from_pem(&format!("{certificate}{key}"))] {
            let error = error.unwrap_err().to_string();
            assert!(error.contains(says) && error.lines().count() == 1, "{error}");
            assert!(!error.contains(letters) && !error.contains(bytes.trim_matches(['[', ']'])), "{error}");
        }
    }
}

#[test]
fn a_certificate_that_was_cut_short_is_told_as_such() {
    let read = from_pem(&made(&[]).0).unwrap();

    let error = from_file(&read.chain[0][..read.chain[0].len() / 2], None).unwrap_err().to_string();

    assert_eq!(error, "no X.509 certificate: it ends too early");
}

fn pkcs12(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../../fixtures/pkcs12/{name}.p12", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn pkcs12_files_of_openssl_are_read_old_and_new() {
    for (name, password, length) in [
        ("modern", Some("sésame"), 2),
        ("legacy", Some("sesame"), 1),
        ("no-mac", Some("sesame"), 1),
        ("no-password", None, 1),
        ("no-password", Some(""), 1),
    ] {
        let read = from_pkcs12(&pkcs12(name), password).unwrap();

        assert_eq!((read.subject.as_str(), read.chain.len()), ("Example, Clients, alice", length), "{name}");
        assert!(read.key.is_some() && read.for_clients, "{name}");
    }
    let authority = from_pkcs12(&pkcs12("no-key"), Some("sesame")).unwrap();
    assert_eq!((authority.subject.as_str(), authority.key), ("Example, Authority", None));
}

#[test]
fn a_pkcs12_file_that_cannot_be_read_says_why() {
    let cut = pkcs12("modern")[..500].to_vec();
    let table = [
        (pkcs12("modern"), Some("Sésame"), Unreadable::PasswordWrong),
        (pkcs12("modern"), None, Unreadable::PasswordMissing),
        (pkcs12("legacy"), Some(""), Unreadable::PasswordWrong),
        (pkcs12("no-mac"), Some("wrong"), Unreadable::PasswordWrong),
        (pkcs12("no-mac"), None, Unreadable::PasswordMissing),
        (pkcs12("md5"), Some("sesame"), Unreadable::Cipher),
    ];
    for (data, password, expected) in table {
        assert_eq!(from_pkcs12(&data, password), Err(expected));
    }
    for data in [cut, Vec::new(), b"text".to_vec()] {
        let error = from_pkcs12(&data, Some("sésame")).unwrap_err();
        assert!(matches!(&error, Unreadable::NotPkcs12(why) if !why.contains('\n')), "{error}");
    }
}

#[test]
fn a_file_of_a_store_is_known_by_its_bytes() {
    let ((one, key), (other, _)) = (made(&[]), made(&[]));
    let der = from_pem(&one).unwrap().chain[0].to_vec();
    let read = |data: &[u8], password| from_file(data, password).unwrap();

    assert_eq!(read(&der, None)[0].hash, hash(&der));
    assert_eq!(read(&pkcs12("modern"), Some("sésame"))[0].chain.len(), 2);
    let with_key = read(format!("{one}{other}{key}").as_bytes(), None);
    assert_eq!((with_key.len(), with_key[0].chain.len()), (1, 2));
    let without = read(format!("{one}{other}").as_bytes(), None);
    assert_eq!((without.len(), without[1].chain.len()), (2, 1));
    assert_eq!(from_file(&[&der[..], b"more"].concat(), None), Err(Unreadable::Trailing(4)));
    assert_eq!(from_file(b"", None), Err(Unreadable::NoCertificate));
}

#[test]
fn what_is_written_as_pem_is_read_as_the_same() {
    for read in [from_pkcs12(&pkcs12("modern"), Some("sésame")).unwrap(), from_pem(&made(&[]).0).unwrap()] {
        assert_eq!(from_pem(&to_pem(&read).unwrap()).unwrap(), read);
    }
}

#[test]
fn an_encrypted_key_is_not_taken_for_none() {
    let (certificate, _) = made(&[]);
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";

    assert_eq!(from_pem(&format!("{certificate}{encrypted}")), Err(Unreadable::KeyEncrypted));
}
