//! Client certificates as they come into a store of the world.

use std::sync::Arc;

use bits_world::{Certificate, PrivateKey};
use rustls::crypto::ring;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha1::{Digest, Sha1};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// The certificates of a PEM text, the one that shows who somebody is first, with the key that is
/// in the text, if there is one.
///
/// # Errors
/// One line that says what is missing or wrong: no certificate, one that cannot be read, two keys,
/// a key that cannot be read.
pub fn from_pem(text: &str) -> Result<Certificate, String> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(text.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the text is no PEM: {error}"))?;
    let mut keys = PrivateKeyDer::pem_slice_iter(text.as_bytes());
    let key = keys.next().transpose().map_err(|error| format!("its private key cannot be read: {error}"))?;
    if keys.next().is_some() {
        return Err("there are several private keys in the text: leave the one that fits the certificate".into());
    }
    from_der(&chain, key.as_ref())
}

/// The certificate of a chain of DER, itself first, with its key.
///
/// # Errors
/// One line that says what is wrong with it.
pub fn from_der(chain: &[CertificateDer<'_>], key: Option<&PrivateKeyDer<'_>>) -> Result<Certificate, String> {
    let leaf = chain.first().ok_or("there is no certificate in it")?;
    let (rest, parsed) = X509Certificate::from_der(leaf).map_err(|error| format!("no X.509 certificate: {error}"))?;
    if !rest.is_empty() {
        return Err(format!("{} bytes follow the certificate", rest.len()));
    }
    if let Some(key) = key {
        let provider = ring::default_provider();
        let chain = chain.iter().map(|der| der.clone().into_owned()).collect();
        CertifiedKey::from_der(chain, key.clone_key(), &provider)
            .map_err(|error| format!("the private key does not go with the certificate: {error}"))?;
    }
    Ok(Certificate {
        hash: hash(leaf),
        subject: simple_name(&parsed),
        for_clients: is_for_clients(&parsed),
        chain: chain.iter().map(|der| Arc::from(der.as_ref())).collect(),
        key: key.map(|key| PrivateKey::new(key.secret_der().to_vec())),
    })
}

/// The hash by which Windows knows a certificate of this DER: its SHA-1.
pub fn hash(der: &[u8]) -> [u8; 20] {
    Sha1::digest(der).into()
}

/// The values of the subject, as Windows' simple names have them.
fn simple_name(certificate: &X509Certificate<'_>) -> String {
    let values = certificate.subject().iter_attributes();
    let texts: Vec<&str> = values.filter_map(|attribute| attribute.as_str().ok()).collect();
    texts.join(", ")
}

fn is_for_clients(certificate: &X509Certificate<'_>) -> bool {
    match certificate.extended_key_usage() {
        Ok(Some(usage)) => usage.value.client_auth || usage.value.any,
        Ok(None) => true,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};

    use super::*;

    fn made(usages: &[ExtendedKeyUsagePurpose]) -> (String, String) {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        for (kind, value) in [
            (DnType::OrganizationName, "name3"),
            (DnType::OrganizationalUnitName, "name2"),
            (DnType::CommonName, "name1"),
        ] {
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
            let error = from_pem(&text).unwrap_err();
            assert!(error.contains(says) && error.lines().count() == 1, "{error}");
        }
    }
}
