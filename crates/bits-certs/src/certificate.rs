//! One certificate, as far as webpki does not tell.

use std::time::Duration;

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::EndEntityCert;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

/// A certificate that could be read.
pub(crate) struct Certificate<'a> {
    pub(crate) der: &'a CertificateDer<'a>,
    parsed: X509Certificate<'a>,
}

impl<'a> Certificate<'a> {
    pub(crate) fn read(der: &'a CertificateDer<'a>) -> Option<Self> {
        X509Certificate::from_der(der).ok().map(|(_, parsed)| Self { der, parsed })
    }

    pub(crate) fn parsed(&self) -> &X509Certificate<'a> {
        &self.parsed
    }

    /// Who has issued it, as DER.
    pub(crate) fn issuer(&self) -> &[u8] {
        self.parsed.issuer().as_raw()
    }

    /// Whether `other` may have issued this one, going by the names.
    pub(crate) fn names_as_issuer(&self, other: &Self) -> bool {
        self.parsed.issuer().as_raw() == other.parsed.subject().as_raw()
    }

    /// Whether `subject` and `key`, DER without the outer tag, are this certificate's own.
    pub(crate) fn is_of(&self, subject: &[u8], key: &[u8]) -> bool {
        contents(self.parsed.subject().as_raw()) == Some(subject) && contents(self.parsed.public_key().raw) == Some(key)
    }

    /// The first and the last moment at which it is valid, in seconds since 1970.
    pub(crate) fn validity(&self) -> (u64, u64) {
        let seconds = |time: i64| u64::try_from(time).unwrap_or_default();
        let validity = self.parsed.validity();
        (seconds(validity.not_before.timestamp()), seconds(validity.not_after.timestamp()))
    }

    pub(crate) fn is_valid_at(&self, time: UnixTime) -> bool {
        let (from, to) = self.validity();
        (from..=to).contains(&time.as_secs())
    }

    /// Whether its own key has signed it.
    pub(crate) fn has_signed_itself(&self) -> bool {
        let Ok(own) = EndEntityCert::try_from(self.der) else { return false };
        let message = self.parsed.tbs_certificate.as_ref();
        let signature = &self.parsed.signature_value.data;
        // One of them is the algorithm that the certificate names; another cannot fit by chance.
        webpki::ALL_VERIFICATION_ALGS.iter().any(|alg| own.verify_signature(*alg, message, signature).is_ok())
    }

    /// Whether it is for servers, as far as it says what it is for.
    pub(crate) fn is_for_servers(&self) -> bool {
        match self.parsed.extended_key_usage() {
            Ok(Some(usage)) => usage.value.server_auth || usage.value.any,
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Whether it is made out to `name`. The common name counts where there is no name of a host
    /// among the alternative ones, as on Windows (a decision, `certificates.common_name`).
    pub(crate) fn is_for(&self, name: &ServerName<'_>) -> bool {
        let listed = EndEntityCert::try_from(self.der)
            .is_ok_and(|certificate| certificate.verify_is_valid_for_subject_name(name).is_ok());
        listed || self.common_name_is(name)
    }

    fn common_name_is(&self, name: &ServerName<'_>) -> bool {
        let ServerName::DnsName(wanted) = name else { return false };
        let alternatives = self.parsed.subject_alternative_name().ok().flatten();
        if alternatives.is_some_and(|names| names.value.general_names.iter().any(is_host)) {
            return false;
        }
        let last = self.parsed.subject().iter_common_name().last().and_then(|name| name.as_str().ok());
        last.is_some_and(|given| matches_host(given, wanted.as_ref()))
    }
}

fn is_host(name: &GeneralName<'_>) -> bool {
    matches!(name, GeneralName::DNSName(_))
}

/// Whether `given`, which may begin with one wildcard label, stands for `host`.
fn matches_host(given: &str, host: &str) -> bool {
    match given.strip_prefix("*.") {
        Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)),
        None => given.eq_ignore_ascii_case(host),
    }
}

/// What is inside of the outermost tag.
pub(crate) fn contents(der: &[u8]) -> Option<&[u8]> {
    let (first, rest) = der.get(1..)?.split_first()?;
    match usize::from(*first) {
        short @ 0..0x80 => rest.get(..short),
        long => {
            let (length, content) = rest.split_at_checked(long & 0x7F)?;
            let length = length.iter().try_fold(0usize, |n, byte| n.checked_mul(256)?.checked_add((*byte).into()))?;
            content.get(..length)
        }
    }
}

/// That many seconds since 1970.
pub(crate) fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_one_label() {
        let table = [
            ("a.example", "A.example", true),
            ("*.example", "a.example", true),
            ("*.example", "a.b.example", false),
            ("*.example", "example", false),
            ("", "a.example", false),
        ];
        for (given, host, matches) in table {
            assert_eq!(matches_host(given, host), matches, "{given} {host}");
        }
    }

    #[test]
    fn contents_of_what_is_no_der_are_nothing() {
        assert_eq!(contents(&[0x30, 2, 7, 8]), Some(&[7, 8][..]));
        assert_eq!(contents(&[0x30, 0x81, 1, 7]), Some(&[7][..]));
        for der in [&[][..], &[0x30], &[0x30, 5, 1], &[0x30, 0x82, 1], &[0x30, 0xFF], &[0x30, 0x88, 1, 2]] {
            assert_eq!(contents(der), None, "{der:?}");
        }
    }
}
