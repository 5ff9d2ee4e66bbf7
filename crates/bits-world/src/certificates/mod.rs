//! The certificate stores of the machine: what is in them, and who may use them.
//!
//! Certificates come here taken apart; whoever reads PEM or PKCS#12 is elsewhere.

mod names;
mod place;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use bits_api::CertStoreLocation;
use zeroize::Zeroizing;

use crate::Sid;
use names::NameIndex;
use place::StoreKey;

/// A certificate of a store, as far as the service looks at it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Certificate {
    /// The SHA-1 of its DER.
    pub hash: [u8; 20],
    /// The values of its subject, separated by a comma and a space, in the order of its DER.
    pub subject: String,
    /// Whether it is for client authentication, as far as it says what it is for.
    pub for_clients: bool,
    /// Its DER, and after it that of those that vouch for it.
    pub chain: Vec<Arc<[u8]>>,
    /// Its key; one without is never sent.
    pub key: Option<PrivateKey>,
}

/// The DER of a private key, wiped when nobody has it any more. It does not show itself.
#[derive(Clone, Eq, PartialEq)]
pub struct PrivateKey(Arc<Zeroizing<Vec<u8>>>);

impl PrivateKey {
    /// A key of this DER: PKCS#8, PKCS#1 or SEC1.
    pub fn new(der: Vec<u8>) -> Self {
        Self(Arc::new(Zeroizing::new(der)))
    }

    /// The DER.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(…)")
    }
}

/// Why a store cannot be looked into.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoreRefusal {
    /// There is none of this name.
    Missing,
    /// The user may not use it.
    Denied,
}

/// The certificate stores of the machine. The system stores CA, MY, ROOT and SPC are in every place
/// (clauses `cert_store.*`); others are there once something is put in. `\\computer\store` is a store
/// of another computer: its system stores are there too once the computer is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CertificateStores {
    stores: BTreeMap<StoreKey, Arc<CertificateStore>>,
    /// The names of other computers, in capitals.
    computers: BTreeSet<String>,
    /// Whether the roots of the machine that runs the emulator count for nothing.
    alone: bool,
}

/// One store.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CertificateStore {
    /// In the order in which they were put in.
    certificates: BTreeMap<u64, Arc<Certificate>>,
    places: BTreeMap<[u8; 20], u64>,
    names: NameIndex,
    next: u64,
    /// Who may use it, if not everybody who can name it.
    users: Option<BTreeSet<Sid>>,
}

/// Who vouches for servers, as one user sees it, beside the roots of the machine that runs the
/// emulator.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Vouchers {
    roots: Vec<Arc<CertificateStore>>,
    links: Vec<Arc<CertificateStore>>,
    alone: bool,
}

impl Vouchers {
    /// The DER of those that are trusted.
    pub fn roots(&self) -> impl Iterator<Item = &[u8]> {
        self.roots.iter().flat_map(|store| store.iter()).filter_map(|certificate| certificate.der())
    }

    /// The DER of those that may stand between a server and one that is trusted.
    pub fn links(&self) -> impl Iterator<Item = &[u8]> {
        self.links.iter().flat_map(|store| store.iter()).filter_map(|certificate| certificate.der())
    }

    /// Whether nobody else is trusted.
    pub fn are_alone(&self) -> bool {
        self.alone
    }
}

impl Certificate {
    /// Its DER.
    pub fn der(&self) -> Option<&[u8]> {
        self.chain.first().map(AsRef::as_ref)
    }
}

impl CertificateStores {
    /// Puts a certificate into the store that `user` calls so, at its end; one that is there is
    /// replaced where it is.
    pub fn add(&mut self, location: CertStoreLocation, name: &str, user: &Sid, certificate: Certificate) {
        self.change(location, name, user, |store| store.put(certificate));
    }

    /// Takes a certificate out; returns whether it was there.
    pub fn remove(&mut self, location: CertStoreLocation, name: &str, user: &Sid, hash: &[u8; 20]) -> bool {
        self.change(location, name, user, |store| store.take(hash))
    }

    /// Lets these users alone use the store that `user` calls so.
    pub fn allow_only(
        &mut self,
        location: CertStoreLocation,
        name: &str,
        user: &Sid,
        users: impl IntoIterator<Item = Sid>,
    ) {
        self.change(location, name, user, |store| store.users = Some(users.into_iter().collect()));
    }

    /// Puts another computer into the world, whose stores are called `\\computer\store`.
    pub fn add_computer(&mut self, name: &str) {
        self.computers.insert(name.to_uppercase());
    }

    /// Trusts, of those who vouch for servers, only whom the ROOT stores have: not the roots of the
    /// machine that runs the emulator, nor what its builder was told to trust.
    pub fn trust_only_these(&mut self) {
        self.alone = true;
    }

    /// Who vouches for servers of `user`: those in the ROOT stores of the user and of the machine,
    /// through those in the CA stores (a decision, `certificates.trusted_stores`).
    pub fn vouchers(&self, user: &Sid) -> Vouchers {
        const PLACES: [CertStoreLocation; 5] = [
            CertStoreLocation::CURRENT_USER,
            CertStoreLocation::CURRENT_USER_GROUP_POLICY,
            CertStoreLocation::LOCAL_MACHINE,
            CertStoreLocation::LOCAL_MACHINE_GROUP_POLICY,
            CertStoreLocation::LOCAL_MACHINE_ENTERPRISE,
        ];
        let all = |name| {
            let stores = PLACES.into_iter().filter_map(move |place| self.open(place, name, user).ok());
            stores.filter(|store| !store.is_empty()).collect()
        };
        Vouchers { roots: all("ROOT"), links: all("CA"), alone: self.alone }
    }

    /// The store that `user` calls so, for that user.
    ///
    /// # Errors
    /// [`StoreRefusal`].
    pub fn open(
        &self,
        location: CertStoreLocation,
        name: &str,
        user: &Sid,
    ) -> Result<Arc<CertificateStore>, StoreRefusal> {
        self.open_for(location, name, user, user)
    }

    /// The store that `user` calls so, for somebody else.
    ///
    /// # Errors
    /// [`StoreRefusal`].
    pub fn open_for(
        &self,
        location: CertStoreLocation,
        name: &str,
        user: &Sid,
        reader: &Sid,
    ) -> Result<Arc<CertificateStore>, StoreRefusal> {
        let key = StoreKey::new(location, name, user);
        match self.stores.get(&key) {
            Some(store) if store.users.as_ref().is_some_and(|users| !users.contains(reader)) => {
                Err(StoreRefusal::Denied)
            }
            Some(store) => Ok(Arc::clone(store)),
            None if key.is_system_store() && self.has_computer(&key) => Ok(Arc::default()),
            None => Err(StoreRefusal::Missing),
        }
    }

    fn has_computer(&self, key: &StoreKey) -> bool {
        key.computer().is_none_or(|computer| self.computers.contains(computer))
    }

    fn change<T>(
        &mut self,
        location: CertStoreLocation,
        name: &str,
        user: &Sid,
        change: impl FnOnce(&mut CertificateStore) -> T,
    ) -> T {
        let key = StoreKey::new(location, name, user);
        self.computers.extend(key.computer().map(str::to_owned));
        change(Arc::make_mut(self.stores.entry(key).or_default()))
    }
}

impl CertificateStore {
    /// The certificate of this hash.
    pub fn by_hash(&self, hash: &[u8; 20]) -> Option<&Arc<Certificate>> {
        self.certificates.get(self.places.get(hash)?)
    }

    /// The first certificate for client authentication whose subject has `part` in it, in either
    /// case (a decision, `http_options.certificate_subject`).
    pub fn by_subject(&self, part: &str) -> Option<&Arc<Certificate>> {
        match self.names.places_of(part) {
            Some(places) => first_of(places.filter_map(|place| self.certificates.get(&place)), part),
            None => first_of(self.certificates.values(), part),
        }
    }

    /// The certificates, in the order of the store.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        self.certificates.values()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }

    fn put(&mut self, certificate: Certificate) {
        let place = *self.places.entry(certificate.hash).or_insert(self.next);
        self.next = self.next.max(place + 1);
        let subject = certificate.subject.clone();
        if let Some(old) = self.certificates.insert(place, Arc::new(certificate)) {
            self.names.remove(&old.subject, place);
        }
        self.names.add(&subject, place);
    }

    fn take(&mut self, hash: &[u8; 20]) -> bool {
        let taken = self.places.remove(hash).and_then(|place| Some((place, self.certificates.remove(&place)?)));
        if let Some((place, certificate)) = &taken {
            self.names.remove(&certificate.subject, *place);
        }
        taken.is_some()
    }
}

fn first_of<'a>(
    mut certificates: impl Iterator<Item = &'a Arc<Certificate>>,
    part: &str,
) -> Option<&'a Arc<Certificate>> {
    let part = part.to_lowercase();
    certificates.find(|certificate| certificate.for_clients && certificate.subject.to_lowercase().contains(&part))
}

#[cfg(test)]
mod tests;
