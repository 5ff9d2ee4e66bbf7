//! What is wrong with a file, in words. Libraries tell it with the bytes that they have met, and
//! those may be a private key: nothing of a file is repeated here.

use rustls_pki_types::pem;
use x509_parser::error::X509Error;
use x509_parser::nom;

/// What is wrong with a PEM text, without a word of it.
pub fn of_pem(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a BEGIN line has no END line: are all lines there?",
        pem::Error::IllegalSectionStart { .. } => "a BEGIN line does not end as it should",
        pem::Error::Base64Decode(_) => "what is between BEGIN and END is no Base64",
        pem::Error::SectionTooLarge => "what is between BEGIN and END is too long",
        _ => "it cannot be read",
    }
}

/// What is wrong with DER.
pub(crate) fn of_der(error: &nom::Err<X509Error>) -> String {
    match error {
        nom::Err::Incomplete(_) | nom::Err::Error(X509Error::NomError(nom::error::ErrorKind::Eof)) => {
            "it ends too early".to_owned()
        }
        nom::Err::Error(error) | nom::Err::Failure(error) => error.to_string(),
    }
}
