//! Keeps secrets from whoever reads the file of a queue, and from everybody once they are removed.
//!
//! What is for a job's owner alone goes through here on its way into the file: AES-256-GCM with a
//! key of its own and a fresh nonce for each sealing, bound to the job it belongs to. As long as a
//! job's secrets stay what they are, so does their sealing. When others take their place, and when
//! they or the job are removed, the key is destroyed as soon as that is on record ([`crate::keys`]):
//! what lies on in free pages of the queue opens for nobody any more. A key is written before
//! anything that it seals is on record, so a process may die at any moment: keys of nothing are
//! destroyed when the queue is opened again.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use bits_engine::{JobKey, Secrets};
use postcard::experimental::serialized_size;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::keys::{Keys, Place};
use crate::{StoreError, v2};

/// Secrets as the file has them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Sealed {
    /// Where their key lies.
    pub(crate) place: Place,
    pub(crate) bytes: Vec<u8>,
}

/// Seals the secrets of one queue, and opens them again.
#[derive(Debug)]
pub(crate) struct Sealer {
    /// What errors call the file of the keys.
    file: PathBuf,
    keys: Keys,
    /// Where the key of each job's secrets lies.
    of: BTreeMap<JobKey, Place>,
    turn: Turn,
}

/// What a transaction changes that is not on record yet.
#[derive(Debug, Default)]
struct Turn {
    made: Vec<Place>,
    /// Where the keys of these jobs will lie.
    of: BTreeMap<JobKey, Option<Place>>,
}

impl Sealer {
    /// With the keys that lie in `folder`, if there are any.
    pub(crate) fn of(folder: &Path) -> Result<Self, StoreError> {
        let file = folder.join("queue.keys");
        let keys = Keys::of(file.clone());
        Self::with(keys, file)
    }

    /// With the keys that lie in `medium`, which may be empty.
    pub(crate) fn on(medium: Box<dyn redb::StorageBackend>) -> Result<Self, StoreError> {
        Self::with(Keys::begun_on(medium), PathBuf::from("queue.keys"))
    }

    /// For a queue that lies in no folder.
    pub(crate) fn without_folder() -> Self {
        Self { file: PathBuf::new(), keys: Keys::in_memory(), of: BTreeMap::new(), turn: Turn::default() }
    }

    fn with(keys: io::Result<Keys>, file: PathBuf) -> Result<Self, StoreError> {
        let keys = keys.map_err(|source| StoreError::Key { file: file.clone(), source })?;
        Ok(Self { file, keys, ..Self::without_folder() })
    }

    /// Takes up what is on record: `sealed_with` tells in which place the key of a job lies, or that
    /// it cannot be known. Keys of nothing are destroyed.
    pub(crate) fn take_up(
        &mut self,
        mut sealed_with: impl FnMut(JobKey) -> Result<OnRecord, StoreError>,
    ) -> Result<(), StoreError> {
        let mut of_nothing = Vec::new();
        for (place, job) in self.keys.iter() {
            match sealed_with(job)? {
                OnRecord::SealedWith(found) if found == place => _ = self.of.insert(job, place),
                OnRecord::Unreadable => {}
                OnRecord::SealedWith(_) | OnRecord::Nothing => of_nothing.push(place),
            }
        }
        self.keys.destroy(&of_nothing).map_err(|source| self.failed(source))
    }

    /// Whether `job` has secrets on record, or had until this transaction.
    pub(crate) fn knows(&self, job: JobKey) -> bool {
        self.place_of(job).is_some()
    }

    /// The secrets of `job` for its record, in which `before` was sealed.
    pub(crate) fn seal(
        &mut self,
        job: JobKey,
        secrets: &Secrets,
        before: Option<Sealed>,
    ) -> Result<Sealed, StoreError> {
        if let Some(before) = before.filter(|before| self.open(job, before).as_ref() == Some(secrets)) {
            return Ok(before);
        }
        let (place, key) = self.keys.add(job).map_err(|source| self.failed(source))?;
        self.turn.made.push(place);
        self.turn.of.insert(job, Some(place));
        let bytes = seal(job, secrets, key.expose()).map_err(|source| self.failed(source))?;
        Ok(Sealed { place, bytes })
    }

    /// `job` is on record without secrets from this transaction on, or no more.
    pub(crate) fn remove(&mut self, job: JobKey) {
        if self.knows(job) {
            self.turn.of.insert(job, None);
        }
    }

    /// The transaction is on record: what it has removed opens for nobody when this returns.
    pub(crate) fn done(&mut self) -> Result<(), StoreError> {
        let Turn { mut made, of } = std::mem::take(&mut self.turn);
        let mut of_nothing = Vec::new();
        for (job, place) in of {
            let before = match place {
                Some(place) => self.of.insert(job, place),
                None => self.of.remove(&job),
            };
            of_nothing.extend(before);
            made.retain(|made| Some(*made) != place);
        }
        // What was sealed and replaced within the transaction.
        of_nothing.extend(made);
        self.keys.destroy(&of_nothing).map_err(|source| self.failed(source))
    }

    /// The transaction will never be on record.
    pub(crate) fn undone(&mut self) -> Result<(), StoreError> {
        let Turn { made, .. } = std::mem::take(&mut self.turn);
        self.keys.destroy(&made).map_err(|source| self.failed(source))
    }

    /// Waits until the disk has all keys.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.keys.sync().map_err(|source| self.failed(source))
    }

    /// Opens the secrets of `job`; `None` when their key is gone, or they are another job's.
    pub(crate) fn open(&self, job: JobKey, sealed: &Sealed) -> Option<Secrets> {
        open(job, &sealed.bytes, self.keys.get(sealed.place, job)?.expose())
    }

    fn place_of(&self, job: JobKey) -> Option<Place> {
        self.turn.of.get(&job).copied().unwrap_or_else(|| self.of.get(&job).copied())
    }

    fn failed(&self, source: io::Error) -> StoreError {
        StoreError::Key { file: self.file.clone(), source }
    }
}

/// What is on record of a job that has a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum OnRecord {
    SealedWith(Place),
    Nothing,
    Unreadable,
}

/// Seals the secrets of `job`.
pub(crate) fn seal(job: JobKey, secrets: &Secrets, key: &[u8]) -> io::Result<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    let no_chance = |_| io::Error::other("the system gives no random numbers");
    SystemRandom::new().fill(&mut nonce).map_err(no_chance)?;
    // Room for all of it at once: a vector that grows leaves copies behind.
    let size = serialized_size(secrets).map_err(io::Error::other)?;
    let mut text = Zeroizing::new(vec![0; size]);
    postcard::to_slice(secrets, &mut text).map_err(io::Error::other)?;
    let tag = key_of(key)?
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound_to(job)), &mut text)
        .map_err(|_| io::Error::other("it seals nothing of that length"))?;
    Ok([&nonce[..], &text[..], tag.as_ref()].concat())
}

/// Opens the secrets of `job`; `None` when another key has sealed them, or they are another job's.
pub(crate) fn open(job: JobKey, sealed: &[u8], key: &[u8]) -> Option<Secrets> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let plain = key_of(key).ok()?.open_in_place(nonce, Aad::from(bound_to(job)), &mut sealed).ok()?;
    postcard::from_bytes(plain).or_else(|_| postcard::from_bytes::<v2::Secrets>(plain).map(Into::into)).ok()
}

/// What ties sealed secrets to their place.
fn bound_to(job: JobKey) -> [u8; 8] {
    job.0.to_le_bytes()
}

fn key_of(text: &[u8]) -> io::Result<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, text).map(LessSafeKey::new).map_err(|_| io::ErrorKind::InvalidData.into())
}
