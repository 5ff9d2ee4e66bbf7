//! The secrets of versions 2 to 4, from the time when one key sealed all of a queue.
//!
//! What was removed could be opened for as long as that key was there, `queue.key` beside the
//! queue. So when a queue of those versions is opened, each sealing gets a key of its own, and the
//! old key is destroyed. A process that dies in between begins again: the old key goes last.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use bits_engine::{JobKey, JobRecord, Secrets};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::keys::KEY_LEN;
use crate::record::{Found, JobIn};
use crate::{StoreError, seal};

/// A job as files of versions 2 to 4 have it.
#[derive(Deserialize)]
pub(crate) struct Job {
    job: JobRecord,
    sealed: Option<Vec<u8>>,
}

impl From<Job> for JobIn {
    fn from(old: Job) -> Self {
        Self { job: old.job, sealed: old.sealed.map(Found::ByOneForAll) }
    }
}

/// The key that sealed all secrets of a queue.
pub(crate) struct OneForAll {
    file: PathBuf,
    key: Zeroizing<[u8; KEY_LEN + 1]>,
}

impl OneForAll {
    /// The one that lies in `folder`, if there is one.
    pub(crate) fn of(folder: &Path) -> Result<Option<Self>, StoreError> {
        let file = folder.join("queue.key");
        let key = read(&file).map_err(|source| StoreError::Key { file: file.clone(), source })?;
        Ok(key.map(|key| Self { file, key }))
    }

    /// Opens the secrets of `job`; `None` when another key has sealed them.
    pub(crate) fn open(&self, job: JobKey, sealed: &[u8]) -> Option<Secrets> {
        seal::open(job, sealed, &self.key[..KEY_LEN])
    }

    /// Destroys it: nothing is sealed with it any more.
    pub(crate) fn destroy(self) -> Result<(), StoreError> {
        let overwritten = || {
            let mut file = OpenOptions::new().write(true).open(&self.file)?;
            file.write_all(&[0; KEY_LEN])?;
            file.sync_all()?;
            fs::remove_file(&self.file)
        };
        overwritten().map_err(|source| StoreError::Key { file: self.file.clone(), source })
    }
}

fn read(file: &Path) -> io::Result<Option<Zeroizing<[u8; KEY_LEN + 1]>>> {
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
    Ok(Some(text))
}
