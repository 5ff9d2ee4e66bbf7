//! What ties credentials to a connection of TLS: the certificate of the server at its other end
//! (RFC 5929, tls-server-end-point). Whoever passes credentials on to another server, passes on
//! whose they were for.

use ring::digest::{Algorithm, SHA256, SHA384, SHA512, digest};
use x509_parser::prelude::{FromDer, X509Certificate};

/// The binding to the server of this certificate (DER); `None` for what is no certificate.
pub(crate) fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
    let hash = hash_of(&parsed.signature_algorithm.algorithm.to_id_string());
    Some([b"tls-server-end-point:", digest(hash, certificate).as_ref()].concat())
}

/// The hash of a signature's algorithm; MD5, SHA-1 and those that have none of their own count as
/// SHA-256.
fn hash_of(signature: &str) -> &'static Algorithm {
    match signature {
        // RSA (PKCS#1), ECDSA.
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => &SHA384,
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => &SHA512,
        _ => &SHA256,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, SignatureAlgorithm};

    use super::*;

    fn bound_to(algorithm: &'static SignatureAlgorithm) -> (Vec<u8>, Vec<u8>) {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let der = CertificateParams::new([]).unwrap().self_signed(&key).unwrap().der().to_vec();
        (end_point(&der).unwrap(), der)
    }

    #[test]
    fn the_certificate_is_hashed_as_its_signature_was() {
        for (algorithm, hash) in [(&PKCS_ECDSA_P256_SHA256, &SHA256), (&PKCS_ECDSA_P384_SHA384, &SHA384)] {
            let (binding, der) = bound_to(algorithm);

            assert_eq!(binding.strip_prefix(b"tls-server-end-point:"), Some(digest(hash, &der).as_ref()));
        }
        assert_eq!(end_point(b"none"), None);
    }
}
