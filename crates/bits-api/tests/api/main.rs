//! The interface against the clauses: what can be checked without a provider.

mod callbacks;
mod enums;
mod hresults;
mod settings;
mod strings;
mod times;

use std::path::Path;

use bits_api::{EnumFiles, EnumJobs, File, Job, JobError, Manager, Unknown};
use serde::de::DeserializeOwned;

/// Reads one file of `fixtures/spec/`.
fn spec<T: DeserializeOwned>(name: &str) -> T {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/spec").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every interface is object-safe, or this does not compile.
type Objects =
    (Box<dyn Manager>, Box<dyn Job>, Box<dyn File>, Box<dyn JobError>, Box<EnumJobs>, Box<EnumFiles>, Box<dyn Unknown>);

/// Every interface may be called from any thread, or this does not compile.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Objects>();
};
