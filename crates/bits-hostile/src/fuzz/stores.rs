//! Names and thumbprints of certificate stores, and stores as Windows writes them down.

use std::path::Path;

use bits_api::CertStoreLocation;
use bits_certs::folder::{StoreFolder, hash_of, thumbprint};
use bits_certs::{certificates_of, serialized_store};
use bits_world::{CertificateStores, Sid};

use super::first_line;

/// The name of a store, or a thumbprint, in the first line; then a serialized store.
///
/// # Panics
/// When what was read does not read the same again, or a name leads out of the folder of stores.
pub fn certificate_stores(data: &[u8]) {
    let (name, store) = first_line(data);
    if let Some(chain) = certificates_of(store) {
        let written = serialized_store(&chain);
        assert_eq!(certificates_of(&written), Some(chain));
    }
    let Ok(name) = std::str::from_utf8(name) else { return };
    if let Some(hash) = hash_of(name) {
        assert_eq!(hash_of(&thumbprint(&hash)), Some(hash));
    }
    let (user, stores) = (Sid::of_account(1), CertificateStores::default());
    // There is nothing in this folder, nor above it, that such a name could find.
    let folder = StoreFolder::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("no such folder"));
    for number in 0..8 {
        let location = CertStoreLocation(number);
        let opened = stores.open(location, name, &user);
        assert!(opened.is_err() || opened.is_ok_and(|store| store.is_empty()));
        assert!(!matches!(folder.store(location, name), Ok(Some(_))), "{name:?} leads elsewhere");
    }
}
