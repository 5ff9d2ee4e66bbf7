//! How a record is written: one byte of version, then postcard.
//!
//! Postcard does not describe itself, so the shape of the engine's record types *is* the format.
//! Whoever changes them raises [`VERSION`], keeps the old shape beside [`crate::v1`] to read it, and
//! adds a sample to `fixtures/stores/`; the test over the samples fails until that is done.

use bits_engine::{CachePreferences, CacheRecord, JobRecord};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::seal::Sealed;

/// The version that this program writes.
pub(crate) const VERSION: u8 = 5;

/// A record, with the shapes that it had in earlier versions.
pub(crate) trait Kept: DeserializeOwned {
    /// The shape of version 1.
    type V1: DeserializeOwned + Into<Self>;
    /// The shape of versions 2 and 3: the third has more secrets only, which are sealed apart.
    type V3: DeserializeOwned + Into<Self>;
    /// The shape of version 4.
    type V4: DeserializeOwned + Into<Self>;
}

impl Kept for CacheRecord {
    // Came with version 2.
    type V1 = Self;
    type V3 = Self;
    type V4 = Self;
}

impl Kept for CachePreferences {
    type V1 = Self;
    type V3 = Self;
    type V4 = Self;
}

/// A job on its way into the file.
#[derive(Serialize)]
pub(crate) struct JobOut<'a> {
    pub(crate) job: &'a JobRecord,
    /// Its secrets, which are no part of the record.
    pub(crate) sealed: Option<Sealed>,
}

/// A job as the file has it.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct JobIn {
    pub(crate) job: JobRecord,
    pub(crate) sealed: Option<Found>,
}

/// How secrets are found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Found {
    /// With a key of their own.
    ByItsOwn(Sealed),
    /// With the key of all, in versions 2 to 4.
    ByOneForAll(Vec<u8>),
}

impl<'de> Deserialize<'de> for JobIn {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Job {
            job: JobRecord,
            sealed: Option<Sealed>,
        }
        let Job { job, sealed } = Job::deserialize(source)?;
        Ok(Self { job, sealed: sealed.map(Found::ByItsOwn) })
    }
}

/// Writes `record` into `buffer`, in place of what was there.
pub(crate) fn encode(record: &impl Serialize, buffer: &mut Vec<u8>) -> Result<(), postcard::Error> {
    buffer.clear();
    buffer.push(VERSION);
    *buffer = postcard::to_extend(record, std::mem::take(buffer))?;
    Ok(())
}

/// Reads a record.
///
/// # Errors
/// In words, how it cannot be one.
pub(crate) fn decode<R: Kept>(bytes: &[u8]) -> Result<R, String> {
    match bytes.split_first() {
        None => Err("it is empty".into()),
        Some((&VERSION, body)) => whole(body),
        Some((4, body)) => whole::<R::V4>(body).map(Into::into),
        Some((2 | 3, body)) => whole::<R::V3>(body).map(Into::into),
        Some((1, body)) => whole::<R::V1>(body).map(Into::into),
        Some((version, _)) => Err(format!("it has version {version}, and {VERSION} is the last one known")),
    }
}

fn whole<R: DeserializeOwned>(body: &[u8]) -> Result<R, String> {
    match postcard::take_from_bytes(body) {
        Ok((record, [])) => Ok(record),
        Ok((_, rest)) => Err(format!("{} bytes too long", rest.len())),
        Err(error) => Err(error.to_string()),
    }
}
