//! Certificates as they come into a store of the world: from PEM, DER and PKCS#12.

use std::sync::Arc;

use bits_world::{Certificate, PrivateKey};
use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error as Pkcs12Error;
use rustls::crypto::ring;
use rustls_pki_types::pem::{Error as PemError, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha1::{Digest, Sha1};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use zeroize::Zeroizing;

use crate::fault;

/// Why no certificate could be made of a text or file: one line, which says what is wrong and, where
/// it is not plain, how to mend it. It never has a word of a key or a password in it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// There is no certificate.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// What looks like PEM is none.
    #[error("the text is no PEM: {0}")]
    NotPem(String),
    /// What looks like a certificate is none.
    #[error("no X.509 certificate: {0}")]
    NotX509(String),
    /// There is more than a certificate.
    #[error("{0} bytes follow the certificate")]
    Trailing(usize),
    /// There is more than one private key.
    #[error("there are several private keys in it: leave the one that fits the certificate")]
    SeveralKeys,
    /// The private key cannot be read, or is of a kind that TLS does not have here.
    #[error("its private key cannot be used: {0}")]
    Key(String),
    /// The private key is encrypted, in PEM.
    #[error(
        "its private key is protected by a password: take that off (openssl pkey -in OLD -out NEW), or put both \
         into a PKCS#12 file"
    )]
    KeyEncrypted,
    /// The private key is another one's.
    #[error("the private key does not go with the certificate")]
    KeyMismatch,
    /// What looks like PKCS#12 is none, or one that is not understood.
    #[error("no PKCS#12 file that can be read: {0}")]
    NotPkcs12(String),
    /// The PKCS#12 file is encrypted in a way that is not understood.
    #[error(
        "the PKCS#12 file is encrypted in a way that is not read here: write it anew (openssl pkcs12 -in OLD -legacy \
         -nodes | openssl pkcs12 -export -out NEW)"
    )]
    Cipher,
    /// The PKCS#12 file has a password, and none was given.
    #[error("the PKCS#12 file has a password, and none was given")]
    PasswordMissing,
    /// The PKCS#12 file has another password.
    #[error("the password is not that of the PKCS#12 file")]
    PasswordWrong,
}

/// The certificates of a PEM text, the one that shows who somebody is first, with the key that is
/// in the text, if there is one.
///
/// # Errors
/// [`Unreadable`].
pub fn from_pem(text: &str) -> Result<Certificate, Unreadable> {
    let (chain, key) = taken_apart(text.as_bytes())?;
    from_der(&chain, key.as_ref())
}

/// The certificate of a PKCS#12 file that its key fits, with what vouches for it; without a key in
/// it, the first. A file without a password has an empty one.
///
/// # Errors
/// [`Unreadable`].
pub fn from_pkcs12(data: &[u8], password: Option<&str>) -> Result<Certificate, Unreadable> {
    let (chain, key) = pkcs12_taken_apart(data, password)?;
    match key {
        Some(key) => from_der(&fitting_first(chain, &key)?, Some(&key)),
        None => from_der(&chain[..chain.len().min(1)], None),
    }
}

/// What is in a file of a certificate store, PEM, DER or PKCS#12: one certificate with its key and
/// those that vouch for it, or any number without keys, each for itself.
///
/// # Errors
/// [`Unreadable`].
pub fn from_file(data: &[u8], password: Option<&str>) -> Result<Vec<Certificate>, Unreadable> {
    let (chain, key) = match Form::of(data) {
        Form::Pem => taken_apart(data)?,
        Form::Pkcs12 => {
            let (chain, key) = pkcs12_taken_apart(data, password)?;
            (if let Some(key) = &key { fitting_first(chain, key)? } else { chain }, key)
        }
        Form::Der => (vec![CertificateDer::from(data.to_vec())], None),
    };
    if key.is_some() {
        return Ok(vec![from_der(&chain, key.as_ref())?]);
    }
    if chain.is_empty() {
        return Err(Unreadable::NoCertificate);
    }
    chain.iter().map(|der| from_der(std::slice::from_ref(der), None)).collect()
}

/// The certificate of one file, PEM or DER, with the key of another, PEM or DER.
///
/// # Errors
/// [`Unreadable`].
pub fn from_files(certificate: &[u8], key: &[u8]) -> Result<Certificate, Unreadable> {
    from_file_and_key(certificate, &key_from(key)?)
}

/// The certificate of a file, PEM or DER, that has no key, with this one.
pub(crate) fn from_file_and_key(certificate: &[u8], key: &PrivateKeyDer<'_>) -> Result<Certificate, Unreadable> {
    let (chain, own) = match Form::of(certificate) {
        Form::Pem => taken_apart(certificate)?,
        Form::Der | Form::Pkcs12 => (vec![CertificateDer::from(certificate.to_vec())], None),
    };
    if own.is_some() {
        return Err(Unreadable::SeveralKeys);
    }
    from_der(&chain, Some(key))
}

/// The private key of a file of its own, PEM or DER.
pub(crate) fn key_from(file: &[u8]) -> Result<PrivateKeyDer<'static>, Unreadable> {
    let key = match Form::of(file) {
        Form::Pem => taken_apart(file)?.1,
        Form::Der | Form::Pkcs12 => {
            Some(PrivateKeyDer::try_from(file).map_err(|error| Unreadable::Key(error.to_owned()))?.clone_key())
        }
    };
    key.ok_or_else(|| Unreadable::Key("there is none where it should be".to_owned()))
}

/// The certificate of a chain of DER, itself first, with its key.
///
/// # Errors
/// [`Unreadable`].
pub fn from_der(chain: &[CertificateDer<'_>], key: Option<&PrivateKeyDer<'_>>) -> Result<Certificate, Unreadable> {
    let leaf = chain.first().ok_or(Unreadable::NoCertificate)?;
    let (rest, parsed) =
        X509Certificate::from_der(leaf).map_err(|error| Unreadable::NotX509(one_line(fault::of_der(&error))))?;
    if !rest.is_empty() {
        return Err(Unreadable::Trailing(rest.len()));
    }
    if let Some(key) = key {
        fit(&parsed, key)?;
    }
    Ok(Certificate {
        hash: hash(leaf),
        subject: simple_name(&parsed),
        for_clients: is_for_clients(&parsed),
        chain: chain.iter().map(|der| Arc::from(der.as_ref())).collect(),
        key: key.map(|key| PrivateKey::new(key.secret_der().to_vec())),
    })
}

/// A certificate as PEM: its own, those that vouch for it, and its key.
///
/// # Errors
/// [`Unreadable::Key`] for a key whose kind is not known.
pub fn to_pem(certificate: &Certificate) -> Result<Zeroizing<String>, Unreadable> {
    let mut text = Zeroizing::new(String::new());
    for der in &certificate.chain {
        text.push_str(&pem::encode(&pem::Pem::new("CERTIFICATE", der.as_ref())));
    }
    if let Some(key) = &certificate.key {
        let label = match PrivateKeyDer::try_from(key.expose()).map_err(|error| Unreadable::Key(error.to_owned()))? {
            PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
            PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
            _ => "PRIVATE KEY",
        };
        text.push_str(&Zeroizing::new(pem::encode(&pem::Pem::new(label, key.expose()))));
    }
    Ok(text)
}

/// The hash by which Windows knows a certificate of this DER: its SHA-1.
pub fn hash(der: &[u8]) -> [u8; 20] {
    Sha1::digest(der).into()
}

/// The forms that the bytes of a file may have.
enum Form {
    Pem,
    Der,
    Pkcs12,
}

impl Form {
    fn of(data: &[u8]) -> Self {
        const SEQUENCE: u8 = 0x30;
        const INTEGER: u8 = 0x02;
        let [SEQUENCE, length, rest @ ..] = data else { return Self::Pem };
        // A long length has so many bytes of its own; then a PKCS#12 file tells its version.
        let own = if *length < 0x80 { 0 } else { usize::from(length & 0x7F) };
        if rest.get(own) == Some(&INTEGER) { Self::Pkcs12 } else { Self::Der }
    }
}

type TakenApart = (Vec<CertificateDer<'static>>, Option<PrivateKeyDer<'static>>);

fn taken_apart(text: &[u8]) -> Result<TakenApart, Unreadable> {
    let told = |error: PemError| Unreadable::NotPem(fault::of_pem(&error).to_owned());
    let chain: Vec<_> = CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(told)?;
    let is_encrypted = |mark: &[u8]| text.windows(mark.len()).any(|found| found == mark);
    if is_encrypted(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") || is_encrypted(b"Proc-Type: 4,ENCRYPTED") {
        return Err(Unreadable::KeyEncrypted);
    }
    let mut keys = PrivateKeyDer::pem_slice_iter(text);
    let key = keys.next().transpose().map_err(told)?;
    if keys.next().is_some() {
        return Err(Unreadable::SeveralKeys);
    }
    Ok((chain, key))
}

fn pkcs12_taken_apart(data: &[u8], password: Option<&str>) -> Result<TakenApart, Unreadable> {
    let archive = Pkcs12Archive::from_pkcs12(data, password.unwrap_or_default()).map_err(|error| match error {
        Pkcs12Error::MacError(_) | Pkcs12Error::Pkcs5Error(_) | Pkcs12Error::UnpadError if password.is_none() => {
            Unreadable::PasswordMissing
        }
        Pkcs12Error::MacError(_) | Pkcs12Error::Pkcs5Error(_) | Pkcs12Error::UnpadError => Unreadable::PasswordWrong,
        Pkcs12Error::UnsupportedEncryptionScheme | Pkcs12Error::UnsupportedMacAlgorithm => Unreadable::Cipher,
        error => Unreadable::NotPkcs12(one_line(error.to_string())),
    })?;
    if archive.keys.len() > 1 {
        return Err(Unreadable::SeveralKeys);
    }
    let chain = archive.certs.iter().map(|bag| CertificateDer::from(bag.cert.as_der().to_vec())).collect();
    let pkcs8 = |der: &[u8]| PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der.to_vec()));
    Ok((chain, archive.keys.first().map(|bag| pkcs8(bag.key.as_der()))))
}

/// The certificate that the key fits, and behind it who has issued it, and so on; a PKCS#12 file has
/// them in any order.
fn fitting_first(
    mut certificates: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'_>,
) -> Result<Vec<CertificateDer<'static>>, Unreadable> {
    let mut place = None;
    for (at, der) in certificates.iter().enumerate() {
        let Ok((_, certificate)) = X509Certificate::from_der(der) else { continue };
        match fit(&certificate, key) {
            Ok(()) => place = place.or(Some(at)),
            Err(Unreadable::KeyMismatch) => {}
            Err(error) => return Err(error),
        }
    }
    let mut chain = match place {
        Some(at) => vec![certificates.swap_remove(at)],
        None if certificates.is_empty() => return Err(Unreadable::NoCertificate),
        None => return Err(Unreadable::KeyMismatch),
    };
    while let Some(next) = chain.last().and_then(|top| issuer_among(&certificates, top)) {
        chain.push(certificates.swap_remove(next));
    }
    Ok(chain)
}

fn issuer_among(certificates: &[CertificateDer<'_>], of: &CertificateDer<'_>) -> Option<usize> {
    let (_, of) = X509Certificate::from_der(of).ok()?;
    certificates.iter().position(|other| {
        X509Certificate::from_der(other).is_ok_and(|(_, other)| other.subject().as_raw() == of.issuer().as_raw())
    })
}

/// What ring signs with; its error does not say what it is about.
const USABLE_KEYS: &str =
    "it is damaged, or none of those that are used here: RSA of 2048 to 4096 bits, ECDSA with P-256 or P-384, Ed25519";

/// Whether this is the certificate's own key.
fn fit(certificate: &X509Certificate<'_>, key: &PrivateKeyDer<'_>) -> Result<(), Unreadable> {
    let signing = ring::default_provider()
        .key_provider
        .load_private_key(key.clone_key())
        .map_err(|_| Unreadable::Key(USABLE_KEYS.to_owned()))?;
    // Asked of rustls itself, a certificate of X.509 v1 fits no key.
    let fits = signing.public_key().is_none_or(|own| own.as_ref() == certificate.public_key().raw);
    if fits { Ok(()) } else { Err(Unreadable::KeyMismatch) }
}

/// What libraries say may have more lines than one.
fn one_line(text: String) -> String {
    if text.contains(char::is_control) { text.split_whitespace().collect::<Vec<_>>().join(" ") } else { text }
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
#[path = "identity_tests.rs"]
mod tests;
