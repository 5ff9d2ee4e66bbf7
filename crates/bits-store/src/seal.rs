//! Keeps secrets from whoever reads the file of a queue.
//!
//! What is for a job's owner alone goes through here on its way into the file: AES-256-GCM with a
//! fresh nonce each time, bound to the job it belongs to. The key is `queue.key` beside the queue,
//! which only its owner may read; it is made when the first secret is sealed. Without it, or with
//! another one, the secrets are lost and everything else is there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bits_engine::{JobKey, Secrets};
use postcard::experimental::serialized_size;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::{StoreError, v2};

const KEY_LEN: usize = 32;

/// Seals the secrets of one queue, and opens them again.
#[derive(Clone, Debug)]
pub(crate) struct Sealer {
    /// Where the key lies; a queue without a folder has one of its own for as long as it is open.
    file: Option<PathBuf>,
    key: Option<Arc<LessSafeKey>>,
}

impl Sealer {
    /// With the key that lies in `folder`, if there is one.
    pub(crate) fn of(folder: &Path) -> Result<Self, StoreError> {
        let file = folder.join("queue.key");
        let key = read_key(&file).map_err(|source| StoreError::Key { file: file.clone(), source })?;
        Ok(Self { file: Some(file), key: key.map(Arc::new) })
    }

    /// For a queue that lies in no folder.
    pub(crate) fn without_folder() -> Self {
        Self { file: None, key: None }
    }

    /// Seals the secrets of `job`.
    pub(crate) fn seal(&mut self, job: JobKey, secrets: &Secrets) -> Result<Vec<u8>, StoreError> {
        let failed = |source| StoreError::Key { file: self.file.clone().unwrap_or_default(), source };
        let key = match &self.key {
            Some(key) => key,
            None => self.key.insert(Arc::new(make_key(self.file.as_deref()).map_err(failed)?)),
        };
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| failed(no_chance()))?;
        // Room for all of it at once: a vector that grows leaves copies behind.
        let size = serialized_size(secrets).map_err(|error| failed(io::Error::other(error)))?;
        let mut text = Zeroizing::new(vec![0; size]);
        postcard::to_slice(secrets, &mut text).map_err(|error| failed(io::Error::other(error)))?;
        let tag = key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound_to(job)), &mut text)
            .map_err(|_| failed(io::Error::other("it seals nothing of that length")))?;
        Ok([&nonce[..], &text[..], tag.as_ref()].concat())
    }

    /// Opens the secrets of `job`; `None` when another key has sealed them, or they are another
    /// job's.
    pub(crate) fn open(&self, job: JobKey, sealed: &[u8]) -> Option<Secrets> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self.key.as_ref()?.open_in_place(nonce, Aad::from(bound_to(job)), &mut sealed).ok()?;
        postcard::from_bytes(plain).or_else(|_| postcard::from_bytes::<v2::Secrets>(plain).map(Into::into)).ok()
    }
}

/// What ties sealed secrets to their place.
fn bound_to(job: JobKey) -> [u8; 8] {
    job.0.to_le_bytes()
}

fn no_chance() -> io::Error {
    io::Error::other("the system gives no random numbers")
}

fn read_key(file: &Path) -> io::Result<Option<LessSafeKey>> {
    let mut text = Zeroizing::new([0; KEY_LEN + 1]);
    let mut opened = match File::open(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut length = 0;
    loop {
        match opened.read(&mut text[length..])? {
            0 => break,
            read => length += read,
        }
    }
    if length != KEY_LEN {
        return Err(io::Error::new(ErrorKind::InvalidData, format!("a key has {KEY_LEN} bytes")));
    }
    key_of(&text[..KEY_LEN]).map(Some)
}

/// A new key; it lies in `file`, whole or not at all, before anything is sealed with it.
fn make_key(file: Option<&Path>) -> io::Result<LessSafeKey> {
    let mut text = Zeroizing::new([0; KEY_LEN]);
    SystemRandom::new().fill(&mut *text).map_err(|_| no_chance())?;
    if let Some(file) = file {
        let unfinished = file.with_extension("key.new");
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut made = for_the_owner().write(true).create_new(true).open(&unfinished)?;
        made.write_all(&*text)?;
        made.sync_all()?;
        fs::rename(&unfinished, file)?;
    }
    key_of(&*text)
}

fn key_of(text: &[u8]) -> io::Result<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, text).map(LessSafeKey::new).map_err(|_| ErrorKind::InvalidData.into())
}

/// Makes files that nobody else may read, from their first moment on. Where there are no modes, the
/// folder's access list holds.
pub(crate) fn for_the_owner() -> OpenOptions {
    #[cfg_attr(not(unix), allow(unused_mut))]
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
