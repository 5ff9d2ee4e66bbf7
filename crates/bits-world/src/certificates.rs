//! The certificate stores of the machine: what is in them, and who may use them.
//!
//! Certificates come here taken apart; whoever reads PEM or PKCS#12 is elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use bits_api::CertStoreLocation;
use zeroize::Zeroizing;

use crate::Sid;

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
/// (clauses `cert_store.*`); others, remote ones among them, are there once something is put in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CertificateStores(BTreeMap<StoreKey, Arc<CertificateStore>>);

/// One store.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct CertificateStore {
    /// In the order in which they were put in.
    certificates: BTreeMap<u64, Arc<Certificate>>,
    places: BTreeMap<[u8; 20], u64>,
    next: u64,
    /// Who may use it, if not everybody who can name it.
    users: Option<BTreeSet<Sid>>,
}

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct StoreKey {
    location: CertStoreLocation,
    /// Whose, in the places that each user has.
    user: Option<Sid>,
    /// In capitals: names differ by more than case.
    name: String,
}

impl StoreKey {
    /// The store that `user` calls so. A user or service that is meant by name comes before a
    /// backslash (a decision, `cert_store.service_or_user_name`).
    fn new(location: CertStoreLocation, name: &str, user: &Sid) -> Self {
        let name = name.to_uppercase();
        match location {
            CertStoreLocation::CURRENT_USER | CertStoreLocation::CURRENT_USER_GROUP_POLICY => {
                Self { location, user: Some(user.clone()), name }
            }
            CertStoreLocation::USERS => match name.split_once('\\') {
                Some((sid, store)) if sid.starts_with("S-1-") => {
                    let user = Some(Sid::new(sid));
                    Self { location: CertStoreLocation::CURRENT_USER, user, name: store.to_owned() }
                }
                _ => Self { location, user: None, name },
            },
            CertStoreLocation::CURRENT_SERVICE => {
                Self { location: CertStoreLocation::SERVICES, user: None, name: format!("BITS\\{name}") }
            }
            location => Self { location, user: None, name },
        }
    }

    fn is_system_store(&self) -> bool {
        let name = self.name.rsplit('\\').next().unwrap_or_default();
        let is_remote = self.name.starts_with("\\\\");
        !is_remote && matches!(name, "CA" | "MY" | "ROOT" | "SPC")
    }
}

impl CertificateStores {
    /// Puts a certificate into the store that `user` calls so, at its end; one that is there is
    /// replaced where it is.
    pub fn add(&mut self, location: CertStoreLocation, name: &str, user: &Sid, certificate: Certificate) {
        self.change(location, name, user, |store| {
            let place = *store.places.entry(certificate.hash).or_insert(store.next);
            store.next = store.next.max(place + 1);
            store.certificates.insert(place, Arc::new(certificate));
        });
    }

    /// Takes a certificate out; returns whether it was there.
    pub fn remove(&mut self, location: CertStoreLocation, name: &str, user: &Sid, hash: &[u8; 20]) -> bool {
        self.change(location, name, user, |store| {
            let place = store.places.remove(hash);
            place.and_then(|place| store.certificates.remove(&place)).is_some()
        })
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
        match self.0.get(&key) {
            Some(store) if store.users.as_ref().is_some_and(|users| !users.contains(reader)) => {
                Err(StoreRefusal::Denied)
            }
            Some(store) => Ok(Arc::clone(store)),
            None if key.is_system_store() => Ok(Arc::default()),
            None => Err(StoreRefusal::Missing),
        }
    }

    fn change<T>(
        &mut self,
        location: CertStoreLocation,
        name: &str,
        user: &Sid,
        change: impl FnOnce(&mut CertificateStore) -> T,
    ) -> T {
        change(Arc::make_mut(self.0.entry(StoreKey::new(location, name, user)).or_default()))
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
        let part = part.to_lowercase();
        self.certificates
            .values()
            .find(|certificate| certificate.for_clients && certificate.subject.to_lowercase().contains(&part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: CertStoreLocation = CertStoreLocation::CURRENT_USER;

    fn certificate(number: u8, subject: &str) -> Certificate {
        Certificate {
            hash: [number; 20],
            subject: subject.to_owned(),
            for_clients: true,
            chain: vec![Arc::from([number])],
            key: None,
        }
    }

    fn user(number: u32) -> Sid {
        Sid::of_account(number)
    }

    #[test]
    fn each_user_has_stores_of_his_own_and_all_share_those_of_the_machine() {
        let mut stores = CertificateStores::default();
        stores.add(HERE, "My", &user(1), certificate(1, "one"));
        stores.add(CertStoreLocation::LOCAL_MACHINE, "app", &user(1), certificate(2, "two"));

        let by_sid = format!("{}\\my", user(1));
        let found = |location, name, number, hash: u8| {
            stores.open(location, name, &user(number)).map(|store| store.by_hash(&[hash; 20]).is_some())
        };
        assert_eq!(found(HERE, "MY", 1, 1), Ok(true));
        assert_eq!(found(HERE, "MY", 2, 1), Ok(false));
        assert_eq!(found(CertStoreLocation::USERS, &by_sid, 2, 1), Ok(true));
        assert_eq!(found(CertStoreLocation::LOCAL_MACHINE, "APP", 2, 2), Ok(true));
        assert_eq!(found(CertStoreLocation::LOCAL_MACHINE, "other", 1, 2), Err(StoreRefusal::Missing));
        assert_eq!(found(CertStoreLocation::LOCAL_MACHINE, r"\\pc\MY", 1, 2), Err(StoreRefusal::Missing));
    }

    #[test]
    fn the_service_has_the_stores_that_carry_its_name() {
        let mut stores = CertificateStores::default();
        stores.add(CertStoreLocation::CURRENT_SERVICE, "MY", &user(1), certificate(1, "one"));

        let store = stores.open(CertStoreLocation::SERVICES, r"bits\my", &user(2)).unwrap();
        assert!(store.by_hash(&[1; 20]).is_some());
    }

    #[test]
    fn a_store_with_a_list_opens_for_those_on_it() {
        let mut stores = CertificateStores::default();
        stores.allow_only(CertStoreLocation::LOCAL_MACHINE, "MY", &user(1), [user(1)]);

        assert!(stores.open(CertStoreLocation::LOCAL_MACHINE, "MY", &user(1)).is_ok());
        assert_eq!(stores.open(CertStoreLocation::LOCAL_MACHINE, "MY", &user(2)), Err(StoreRefusal::Denied));
    }

    #[test]
    fn the_first_of_several_that_is_for_clients_is_found_by_a_part_of_its_subject() {
        let mut stores = CertificateStores::default();
        let for_servers = Certificate { for_clients: false, ..certificate(1, "Org, Unit, Name") };
        for one in [for_servers, certificate(3, "Org, Unit, Name"), certificate(2, "Org, Unit, Name")] {
            stores.add(HERE, "MY", &user(1), one);
        }
        let store = stores.open(HERE, "MY", &user(1)).unwrap();

        assert_eq!(store.by_subject("unit, name").unwrap().hash, [3; 20]);
        assert_eq!(store.by_subject("Org, Name"), None);
        assert!(stores.remove(HERE, "MY", &user(1), &[3; 20]));
        assert!(!stores.remove(HERE, "MY", &user(1), &[3; 20]));
        assert_eq!(stores.open(HERE, "MY", &user(1)).unwrap().by_subject("Name").unwrap().hash, [2; 20]);
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let key = PrivateKey::new(b"hunter2".to_vec());

        assert!(!format!("{key:?}").contains("104"));
        assert_eq!(key.expose(), b"hunter2");
    }
}
