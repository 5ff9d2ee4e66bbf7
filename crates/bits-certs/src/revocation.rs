//! Lists of revoked certificates, and whether a certificate is on the one of its issuer.

use std::collections::{BTreeMap, BTreeSet};

use bits_wire::download::{CertificateFault, CertificateFaults};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, TrustAnchor, UnixTime};
use webpki::VerifiedPath;
use x509_parser::extensions::{DistributionPointName, IssuingDistributionPoint, ParsedExtension, X509Extension};
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::{CertificateRevocationList, RevokedCertificate};
use x509_parser::x509::AlgorithmIdentifier;

use crate::certificate::{Certificate, contents};
use crate::fault;

/// The lists of a file: PEM, in which everything else is passed over, or the DER of one.
///
/// # Errors
/// One line that says why there is none, or which one cannot be read.
pub fn lists_from(file: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let lists: Vec<Vec<u8>> = if file.first() == Some(&SEQUENCE) {
        vec![file.to_vec()]
    } else {
        let found = CertificateRevocationListDer::pem_slice_iter(file).collect::<Result<Vec<_>, _>>();
        let found =
            found.map_err(|error| format!("the list of revoked certificates is no PEM: {}", fault::of_pem(&error)))?;
        found.iter().map(|list| list.to_vec()).collect()
    };
    if lists.is_empty() {
        return Err("there is no list of revoked certificates in it (BEGIN X509 CRL)".to_owned());
    }
    for list in &lists {
        List::read(list).map_err(|error| format!("no list of revoked certificates: {error}"))?;
    }
    Ok(lists)
}

/// The lists that can be had, by who has issued them.
#[derive(Clone, Debug, Default)]
pub struct Revocations(BTreeMap<Vec<u8>, Vec<List>>);

impl Revocations {
    /// No list can be had.
    pub fn new() -> Self {
        Self::default()
    }

    /// A list can be had, as DER.
    ///
    /// # Errors
    /// One line that says why it is none.
    pub fn add(&mut self, der: &[u8]) -> Result<(), String> {
        let list = List::read(der)?;
        self.0.entry(list.issuer.clone()).or_default().push(list);
        Ok(())
    }

    /// What the lists tell of the certificates on a way, but for the one at its end, which nobody
    /// revokes.
    pub(crate) fn faults_of(&self, path: &VerifiedPath<'_>, now: UnixTime) -> CertificateFaults {
        let own = std::iter::once(path.end_entity().der());
        let way: Vec<CertificateDer<'_>> = own.chain(path.intermediate_certificates().map(webpki::Cert::der)).collect();
        let read: Option<Vec<Certificate<'_>>> = way.iter().map(Certificate::read).collect();
        let Some(way) = read else { return CertificateFault::RevocationUnknown.into() };
        let signers = way.iter().skip(1).map(Signer::of).chain([Signer::at_the_end(path.anchor())]);
        way.iter().zip(signers).filter_map(|(certificate, signer)| self.fault_of(certificate, &signer, now)).collect()
    }

    /// Every list counts that can be relied on; where there is none, nothing is known.
    fn fault_of(&self, certificate: &Certificate<'_>, signer: &Signer<'_>, now: UnixTime) -> Option<CertificateFault> {
        let lists = self.0.get(certificate.issuer()).into_iter().flatten();
        let mut reliable = lists.filter(|list| list.is_about(certificate) && list.holds(signer, now)).peekable();
        if reliable.peek().is_none() {
            return Some(CertificateFault::RevocationUnknown);
        }
        let serial = bare(certificate.parsed().raw_serial());
        reliable.any(|list| list.revoked.contains(serial)).then_some(CertificateFault::Revoked)
    }
}

/// The tag with which the DER of a list begins.
const SEQUENCE: u8 = 0x30;

/// Who has signed a certificate, and so has to sign the list.
struct Signer<'a> {
    /// DER, without its outermost tag.
    key: &'a [u8],
    signs_lists: bool,
}

impl<'a> Signer<'a> {
    fn of(certificate: &'a Certificate<'_>) -> Self {
        let usage = certificate.parsed().key_usage().ok().flatten();
        let signs_lists = usage.is_none_or(|usage| usage.value.crl_sign());
        Self { key: contents(certificate.parsed().public_key().raw).unwrap_or_default(), signs_lists }
    }

    /// What is said of the use of a key that is trusted does not count.
    fn at_the_end(anchor: &'a TrustAnchor<'_>) -> Self {
        Self { key: &anchor.subject_public_key_info, signs_lists: true }
    }
}

/// One list, taken apart.
#[derive(Clone, Debug)]
struct List {
    issuer: Vec<u8>,
    /// The first and the last moment at which it counts, in seconds since 1970.
    valid: (u64, u64),
    scope: Scope,
    /// Serial numbers, without zeros in front.
    revoked: BTreeSet<Vec<u8>>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

/// Of which certificates of its issuer a list tells.
#[derive(Clone, Debug, Default)]
struct Scope {
    authorities: bool,
    others: bool,
    /// The places where it is found; certificates have to name one of them.
    places: Option<Vec<String>>,
}

impl List {
    fn read(der: &[u8]) -> Result<Self, String> {
        let (rest, list) = CertificateRevocationList::from_der(der).map_err(|error| fault::of_der(&error))?;
        if !rest.is_empty() {
            return Err(format!("{} bytes follow it", rest.len()));
        }
        if list.iter_revoked_certificates().any(has_unknown_condition) {
            return Err("an entry has a condition that is not known".to_owned());
        }
        let seconds = |time: i64| u64::try_from(time).unwrap_or_default();
        let to = list.next_update().map_or(u64::MAX, |time| seconds(time.timestamp()));
        let revoked = list.iter_revoked_certificates().map(|entry| bare(entry.raw_serial()).to_vec()).collect();
        Ok(Self {
            issuer: list.issuer().as_raw().to_vec(),
            valid: (seconds(list.last_update().timestamp()), to),
            scope: Scope::of(list.extensions())?,
            revoked,
            message: list.tbs_cert_list.as_ref().to_vec(),
            signature: list.signature_value.data.to_vec(),
        })
    }

    fn is_about(&self, certificate: &Certificate<'_>) -> bool {
        let parsed = certificate.parsed();
        let is_covered = if parsed.is_ca() { self.scope.authorities } else { self.scope.others };
        let is_found = |places: &Vec<String>| places_of(certificate).iter().any(|place| places.contains(place));
        is_covered && self.scope.places.as_ref().is_none_or(is_found)
    }

    /// Whether it can be relied on: it is neither old nor early, and the right one has signed it.
    fn holds(&self, signer: &Signer<'_>, now: UnixTime) -> bool {
        let (from, to) = self.valid;
        (from..=to).contains(&now.as_secs()) && signer.signs_lists && self.is_signed_by(signer.key)
    }

    fn is_signed_by(&self, key: &[u8]) -> bool {
        let Ok((bits, _)) = AlgorithmIdentifier::from_der(key) else { return false };
        let algorithm = contents(&key[..key.len() - bits.len()]);
        // The first byte tells how many bits at the end are none: a key has no such.
        let Some([0, bits @ ..]) = contents(bits) else { return false };
        // One of them is the algorithm that the list names; another cannot fit by chance.
        let fitting = webpki::ALL_VERIFICATION_ALGS.iter().filter(|alg| Some(&*alg.public_key_alg_id()) == algorithm);
        fitting.into_iter().any(|alg| alg.verify_signature(bits, &self.message, &self.signature).is_ok())
    }
}

impl Scope {
    fn of(extensions: &[X509Extension<'_>]) -> Result<Self, String> {
        let mut scope = Self { authorities: true, others: true, places: None };
        for extension in extensions {
            match extension.parsed_extension() {
                ParsedExtension::IssuingDistributionPoint(point) => scope.narrow(point)?,
                _ if extension.critical => {
                    return Err(format!("it has a condition, {}, that is not known", extension.oid));
                }
                _ => {}
            }
        }
        Ok(scope)
    }

    fn narrow(&mut self, point: &IssuingDistributionPoint<'_>) -> Result<(), String> {
        if point.indirect_crl || point.only_some_reasons.is_some() || point.only_contains_attribute_certs {
            return Err("it is not about all that its issuer has revoked".to_owned());
        }
        self.authorities &= !point.only_contains_user_certs;
        self.others &= !point.only_contains_ca_certs;
        self.places = point.distribution_point.as_ref().map(places_in);
        Ok(())
    }
}

/// Whether an entry counts only for somebody else, or in a way that is not known.
fn has_unknown_condition(entry: &RevokedCertificate<'_>) -> bool {
    entry.extensions().iter().any(|extension| {
        let is_known =
            matches!(extension.parsed_extension(), ParsedExtension::ReasonCode(_) | ParsedExtension::InvalidityDate(_));
        extension.critical && !is_known
    })
}

/// Where `certificate` says that the lists of its issuer are.
fn places_of(certificate: &Certificate<'_>) -> Vec<String> {
    let points = certificate.parsed().extensions().iter().filter_map(|extension| match extension.parsed_extension() {
        ParsedExtension::CRLDistributionPoints(points) => Some(points),
        _ => None,
    });
    points
        .flat_map(|points| points.iter())
        .filter_map(|point| point.distribution_point.as_ref())
        .flat_map(places_in)
        .collect()
}

fn places_in(name: &DistributionPointName<'_>) -> Vec<String> {
    match name {
        DistributionPointName::FullName(names) => names.iter().map(ToString::to_string).collect(),
        DistributionPointName::NameRelativeToCRLIssuer(_) => Vec::new(),
    }
}

/// A serial number without the zeros in front.
fn bare(serial: &[u8]) -> &[u8] {
    let zeros = serial.iter().take_while(|byte| **byte == 0).count();
    &serial[zeros..]
}

#[cfg(test)]
#[path = "revocation_tests.rs"]
mod tests;
