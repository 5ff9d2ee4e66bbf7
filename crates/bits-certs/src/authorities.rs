//! Whom a machine trusts, and what it finds wrong with a server's chain.

use std::collections::BTreeMap;

use bits_wire::download::{CertificateFault, CertificateFaults};
use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, KeyUsage, VerifiedPath};

use crate::certificate::{Certificate, at};
use crate::revocation::Revocations;

/// What a server has presented.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    /// The server's own certificate.
    pub leaf: &'a CertificateDer<'a>,
    /// What came with it, in any order.
    pub others: &'a [CertificateDer<'a>],
}

/// The certificates that a machine trusts to vouch for servers.
#[derive(Clone, Debug, Default)]
pub struct Authorities {
    anchors: Vec<TrustAnchor<'static>>,
    /// What may stand between a server and one who is trusted, by the subject.
    links: BTreeMap<Vec<u8>, Vec<CertificateDer<'static>>>,
}

impl Authorities {
    /// Trusts nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts `certificate` too.
    ///
    /// # Errors
    /// One line that says why it is no certificate to be trusted.
    pub fn add(&mut self, certificate: &CertificateDer<'_>) -> Result<(), String> {
        let anchor =
            webpki::anchor_from_trusted_cert(certificate).map_err(|error| format!("no X.509 certificate: {error}"))?;
        self.anchors.push(anchor.to_owned());
        Ok(())
    }

    /// Knows `certificate`, and does not trust it: a server need not send it. One that cannot be read
    /// is left out.
    pub fn add_link(&mut self, certificate: &CertificateDer<'_>) {
        if let Some(read) = Certificate::read(certificate) {
            let subject = read.parsed().subject().as_raw().to_vec();
            self.links.entry(subject).or_default().push(certificate.clone().into_owned());
        }
    }

    /// Trusts whom `others` trust too.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        self.anchors.extend_from_slice(&others.anchors);
        for (subject, links) in &others.links {
            self.links.entry(subject.clone()).or_default().extend_from_slice(links);
        }
        self
    }

    /// Everything that is wrong with the certificate of a server that was asked for by `name`, as
    /// a Windows of the moment `now` finds it: the dates and the usage of each certificate on the
    /// way, the name of the first, who vouches for the last. With `revocations`, each but the last is
    /// looked up among the revoked as well; where that cannot be done, it is
    /// [`CertificateFault::RevocationUnknown`].
    ///
    /// [`CertificateFault::Invalid`] is what nothing excuses: a certificate that cannot be read, a
    /// signature that is wrong, a limit of an authority that was overstepped. Every signature that
    /// can be checked is checked, whatever else is wrong.
    pub fn faults(
        &self,
        chain: Chain<'_>,
        name: &ServerName<'_>,
        now: UnixTime,
        revocations: Option<&Revocations>,
    ) -> CertificateFaults {
        let completed = self.completed(chain);
        let chain = completed.as_deref().map_or(chain, |others| Chain { others, ..chain });
        let Ok(leaf) = EndEntityCert::try_from(chain.leaf) else { return CertificateFault::Invalid.into() };
        let is_named = leaf.verify_is_valid_for_subject_name(name).is_ok();
        if is_named && let Ok(path) = verify(&leaf, &self.anchors, chain.others, now, KeyUsage::server_auth()) {
            return revocations.map(|lists| lists.faults_of(&path, now)).unwrap_or_default();
        }
        let inquest = Inquest::new(chain, name, now, revocations);
        inquest.map_or(CertificateFault::Invalid.into(), |inquest| inquest.hold(self, &leaf))
    }

    /// What a server has presented beside its own certificate, and what is known that may have
    /// issued any of it; `None` where that is nothing.
    fn completed(&self, chain: Chain<'_>) -> Option<Vec<CertificateDer<'_>>> {
        const LONGEST: usize = 16;
        let issuer_of = |der: &CertificateDer<'_>| Some(Certificate::read(der)?.parsed().issuer().as_raw().to_vec());
        let mut added: Vec<CertificateDer<'_>> = Vec::new();
        let presented = std::iter::once(chain.leaf).chain(chain.others.iter().take(LONGEST));
        let mut wanted: Vec<Vec<u8>> =
            if self.links.is_empty() { Vec::new() } else { presented.filter_map(issuer_of).collect() };
        while let Some(subject) = wanted.pop().filter(|_| added.len() < LONGEST) {
            for link in self.links.get(&subject).into_iter().flatten().take(LONGEST) {
                if !added.contains(link) && !chain.others.contains(link) {
                    wanted.extend(issuer_of(link));
                    added.push(CertificateDer::from(link.as_ref()));
                }
            }
        }
        (!added.is_empty()).then(|| {
            let presented = chain.others.iter().map(|other| CertificateDer::from(other.as_ref().to_vec()));
            presented.chain(added).collect()
        })
    }
}

/// A look at each fault by itself: what was found is mended, and the look goes on.
struct Inquest<'a> {
    leaf: Certificate<'a>,
    /// What vouches for the leaf, one for the other, as far as it was presented.
    issuers: Vec<Certificate<'a>>,
    others: &'a [CertificateDer<'a>],
    now: UnixTime,
    revocations: Option<&'a Revocations>,
    faults: CertificateFaults,
}

impl<'a> Inquest<'a> {
    /// So many presented certificates are looked at, one for the other.
    const LONGEST: usize = 16;

    fn new(
        chain: Chain<'a>,
        name: &ServerName<'_>,
        now: UnixTime,
        revocations: Option<&'a Revocations>,
    ) -> Option<Self> {
        let leaf = Certificate::read(chain.leaf)?;
        let mut faults = CertificateFaults::empty();
        if !leaf.is_for(name) {
            faults |= CertificateFault::Name.into();
        }
        if !leaf.is_for_servers() {
            faults |= CertificateFault::Usage.into();
        }
        if !leaf.is_valid_at(now) {
            faults |= CertificateFault::Date.into();
        }
        let mut inquest = Self { leaf, issuers: Vec::new(), others: chain.others, now, revocations, faults };
        inquest.follow();
        Some(inquest)
    }

    /// Lines up who vouches for whom.
    fn follow(&mut self) {
        let mut left: Vec<Certificate<'a>> =
            self.others.iter().take(Self::LONGEST).filter_map(Certificate::read).collect();
        while let Some(place) = left.iter().position(|other| self.top().names_as_issuer(other)) {
            let issuer = left.swap_remove(place);
            self.issuers.push(issuer);
        }
    }

    fn top(&self) -> &Certificate<'a> {
        self.issuers.last().unwrap_or(&self.leaf)
    }

    fn hold(mut self, authorities: &Authorities, leaf: &EndEntityCert<'_>) -> CertificateFaults {
        let top = self.issuers.last().and_then(|top| webpki::anchor_from_trusted_cert(top.der).ok());
        let presented: Vec<TrustAnchor<'_>> = top.into_iter().collect();
        let mut anchors = &authorities.anchors[..];
        let mut has_looked_further = presented.is_empty();
        let mut time = self.now;
        let mut usage = Usage::Servers;
        loop {
            match verify(leaf, anchors, self.others, time, usage) {
                Ok(path) => return self.faults | self.revoked_on(&path),
                Err(Error::CertExpired { .. } | Error::CertNotValidYet { .. }) if time == self.now => {
                    self.faults |= CertificateFault::Date.into();
                    match self.common_moment() {
                        Some(moment) if moment != time => time = moment,
                        // They were never valid together.
                        _ => return self.faults | CertificateFault::Invalid.into(),
                    }
                }
                Err(Error::RequiredEkuNotFoundContext(_)) if usage == Usage::Servers => {
                    self.faults |= CertificateFault::Usage.into();
                    usage = Usage::Any;
                }
                Err(Error::UnknownIssuer) if !has_looked_further => {
                    has_looked_further = true;
                    self.faults |= CertificateFault::Issuer.into();
                    if !self.top().is_valid_at(self.now) {
                        self.faults |= CertificateFault::Date.into();
                    }
                    anchors = &presented;
                }
                // Nobody is there whose key could have signed it, but perhaps itself.
                Err(Error::UnknownIssuer | Error::CaUsedAsEndEntity) => return self.alone(authorities),
                Err(_) => return self.faults | CertificateFault::Invalid.into(),
            }
        }
    }

    /// What the lists tell of a way. One that ends at somebody for whom another should vouch is not
    /// all there.
    fn revoked_on(&self, path: &VerifiedPath<'_>) -> CertificateFaults {
        let Some(revocations) = self.revocations else { return CertificateFaults::empty() };
        let ends_early = self.faults.contains(CertificateFault::Issuer) && !self.top().names_as_issuer(self.top());
        let unknown = ends_early.then_some(CertificateFault::RevocationUnknown);
        revocations.faults_of(path, self.now) | unknown.into_iter().collect()
    }

    /// The faults of a certificate that nobody vouches for but perhaps itself; one that is trusted
    /// by itself needs nobody.
    fn alone(self, authorities: &Authorities) -> CertificateFaults {
        let leaf = &self.leaf;
        if leaf.names_as_issuer(leaf) && !leaf.has_signed_itself() {
            return self.faults | CertificateFault::Invalid.into();
        }
        let is_trusted = leaf.names_as_issuer(leaf)
            && authorities.anchors.iter().any(|anchor| leaf.is_of(&anchor.subject, &anchor.subject_public_key_info));
        if is_trusted {
            return self.faults;
        }
        // Nobody can have revoked what nobody has signed.
        let can_be_revoked = self.revocations.is_some() && !leaf.names_as_issuer(leaf);
        let unknown = can_be_revoked.then_some(CertificateFault::RevocationUnknown);
        self.faults | [CertificateFault::Issuer].into_iter().chain(unknown).collect()
    }

    /// The moment nearest to now at which everything that was presented is valid.
    fn common_moment(&self) -> Option<UnixTime> {
        let all = || std::iter::once(&self.leaf).chain(&self.issuers).map(Certificate::validity);
        let from = all().map(|(from, _)| from).max()?;
        let to = all().map(|(_, to)| to).min()?;
        (from <= to).then(|| at(self.now.as_secs().clamp(from, to)))
    }
}

/// What the certificates on the way are to be for.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Usage {
    Servers,
    Any,
}

impl ExtendedKeyUsageValidator for Usage {
    fn validate(&self, usages: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        match self {
            Self::Servers => KeyUsage::server_auth().validate(usages),
            Self::Any => Ok(()),
        }
    }
}

/// Whether a way leads from `leaf` to one of `anchors`, by webpki's rules.
fn verify<'p>(
    leaf: &'p EndEntityCert<'p>,
    anchors: &'p [TrustAnchor<'p>],
    others: &'p [CertificateDer<'p>],
    time: UnixTime,
    usage: impl ExtendedKeyUsageValidator,
) -> Result<VerifiedPath<'p>, Error> {
    leaf.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, anchors, others, time, usage, None, None)
}

#[cfg(test)]
#[path = "authorities_tests.rs"]
mod tests;
