//! A certificate in words that its owner knows.

use rustls_pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;

use crate::certificate::Certificate;

/// What a certificate says of itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Description {
    /// The names and addresses that it is made out to; the common name where there are none.
    pub names: Vec<String>,
    /// Who has issued it.
    pub issuer: String,
    /// The first moment at which it is valid, in seconds since 1970.
    pub not_before: u64,
    /// The last one.
    pub not_after: u64,
    /// Whether it has issued itself, going by the names.
    pub is_self_issued: bool,
}

impl Description {
    /// Reads a certificate; `None` for one that cannot be read.
    pub fn of(der: &CertificateDer<'_>) -> Option<Self> {
        let certificate = Certificate::read(der)?;
        let (not_before, not_after) = certificate.validity();
        let is_self_issued = certificate.names_as_issuer(&certificate);
        let parsed = certificate.parsed();
        let alternatives = parsed.subject_alternative_name().ok().flatten();
        let mut names: Vec<_> =
            alternatives.iter().flat_map(|names| &names.value.general_names).filter_map(host).collect();
        if names.is_empty() {
            names.extend(parsed.subject().iter_common_name().filter_map(|name| name.as_str().ok()).map(str::to_owned));
        }
        Some(Self { names, issuer: parsed.issuer().to_string(), not_before, not_after, is_self_issued })
    }
}

fn host(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress([a, b, c, d]) => Some(std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string()),
        GeneralName::IPAddress(bytes) => {
            <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::Ipv6Addr::from(bytes).to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, date_time_ymd};

    use super::*;

    fn described(names: &[&str]) -> Description {
        let mut params =
            CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "common.example");
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        Description::of(certificate.der()).unwrap()
    }

    #[test]
    fn names_and_addresses_are_told_or_the_common_name() {
        assert_eq!(described(&["a.example", "127.0.0.1", "::1"]).names, ["a.example", "127.0.0.1", "::1"]);
        assert_eq!(described(&[]).names, ["common.example"]);
    }

    #[test]
    fn issuer_and_dates_are_told() {
        let described = described(&["a.example"]);

        assert_eq!(described.issuer, "CN=common.example");
        assert_eq!((described.not_before, described.not_after), (1_577_836_800, 1_609_459_200));
        assert!(described.is_self_issued);
    }

    #[test]
    fn what_cannot_be_read_is_not_described() {
        assert_eq!(Description::of(&vec![0x30, 3, 1, 2, 3].into()), None);
    }
}
