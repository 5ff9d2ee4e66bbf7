//! Where a store is.

use bits_api::CertStoreLocation;

use crate::Sid;

/// What tells a store from every other one.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct StoreKey {
    /// Another computer's, in capitals.
    computer: Option<String>,
    location: CertStoreLocation,
    /// Whose, in the places that each user has.
    user: Option<Sid>,
    /// In capitals: names differ by more than case.
    name: String,
}

impl StoreKey {
    /// The store that `user` calls so. Another computer comes first, after two backslashes, then a
    /// user or service that is meant by name, before a backslash (decisions,
    /// `cert_store.remote_name`, `cert_store.service_or_user_name`).
    pub(super) fn new(location: CertStoreLocation, name: &str, user: &Sid) -> Self {
        let name = name.to_uppercase();
        let (computer, name) = match name.strip_prefix(r"\\").and_then(|rest| rest.split_once('\\')) {
            Some((computer, store)) => (Some(computer.to_owned()), store.to_owned()),
            None => (None, name),
        };
        let key = |location, user, name| Self { computer, location, user, name };
        match location {
            CertStoreLocation::CURRENT_USER | CertStoreLocation::CURRENT_USER_GROUP_POLICY => {
                key(location, Some(user.clone()), name)
            }
            CertStoreLocation::USERS => match name.split_once('\\') {
                Some((sid, store)) if sid.starts_with("S-1-") => {
                    key(CertStoreLocation::CURRENT_USER, Some(Sid::new(sid)), store.to_owned())
                }
                _ => key(location, None, name),
            },
            CertStoreLocation::CURRENT_SERVICE => key(CertStoreLocation::SERVICES, None, format!("BITS\\{name}")),
            location => key(location, None, name),
        }
    }

    /// The computer whose it is, if it is another one.
    pub(super) fn computer(&self) -> Option<&str> {
        self.computer.as_deref()
    }

    pub(super) fn is_system_store(&self) -> bool {
        let name = match self.name.split_once('\\') {
            Some((_, store)) if self.location == CertStoreLocation::SERVICES => store,
            _ => &self.name,
        };
        matches!(name, "CA" | "MY" | "ROOT" | "SPC")
    }
}
