//! What is in the stores, for a person and for a program.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bits_certs::Description;
use bits_certs::folder::{self, Store, StoreFolder};
use bits_world::Certificate;
use serde::Serialize;

use super::{StoreName, known, say};
use crate::{Doing, Failure, date};

#[derive(Serialize)]
struct Object {
    stores: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    location: String,
    store: String,
    /// Who may use it; null is everybody.
    users: Option<Vec<String>>,
    certificates: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    thumbprint: String,
    subject: String,
    issuer: Option<String>,
    /// In seconds since 1970.
    not_before: Option<u64>,
    not_after: Option<u64>,
    has_key: bool,
    for_clients: bool,
    /// How many certificates come with it.
    others: usize,
    file: String,
}

pub(super) fn print(stores: &StoreFolder<'_>, only: Option<&StoreName>, json: bool) -> Result<(), Failure> {
    let failed = |error: folder::FolderError| Failure::Failed(super::unreadable(&error));
    let found = match only {
        Some(store) => {
            known(stores, store)?;
            stores.store(store.location, &store.name).map_err(failed)?.into_iter().collect()
        }
        None => stores.stores().map_err(failed)?,
    };
    if json {
        let object = Object { stores: found.iter().map(shown).collect() };
        return say(&serde_json::to_string(&object).doing("cannot print")?);
    }
    for store in &found {
        for (file, certificate) in &store.certificates {
            say(&line(store, &entry(file, certificate)))?;
        }
    }
    Ok(())
}

fn line(store: &Store, entry: &Entry) -> String {
    let key = if entry.has_key { "with key" } else { "no key  " };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let dates = match (entry.not_before, entry.not_after) {
        (Some(from), Some(to)) => {
            let now = if now > to {
                ", which is over"
            } else if now < from {
                ", which is to come"
            } else {
                ""
            };
            format!("valid from {} to {}{now}", date(from), date(to))
        }
        _ => "cannot be read".to_owned(),
    };
    format!("{}  {key}  {}  {}  {dates}", entry.thumbprint, name_of(store), entry.subject)
}

fn shown(store: &Store) -> Shown {
    Shown {
        location: folder::location_name(store.location),
        store: store.name.clone(),
        users: store.users.as_ref().map(|users| users.iter().map(ToString::to_string).collect()),
        certificates: store.certificates.iter().map(|(file, certificate)| entry(file, certificate)).collect(),
    }
}

fn entry(file: &Path, certificate: &Certificate) -> Entry {
    let described = certificate.der().and_then(|der| Description::of(&der.into()));
    Entry {
        thumbprint: folder::thumbprint(&certificate.hash),
        subject: certificate.subject.clone(),
        issuer: described.as_ref().map(|own| own.issuer.clone()),
        not_before: described.as_ref().map(|own| own.not_before),
        not_after: described.as_ref().map(|own| own.not_after),
        has_key: certificate.key.is_some(),
        for_clients: certificate.for_clients,
        others: certificate.chain.len().saturating_sub(1),
        file: file.display().to_string(),
    }
}

fn name_of(store: &Store) -> String {
    format!("{}/{}", folder::location_name(store.location), store.name)
}
