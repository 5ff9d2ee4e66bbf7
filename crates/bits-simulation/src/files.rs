//! The local files of the simulated machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bits_api::{FileTime, Hresult};
use bits_wire::attempt::{ERROR_FILE_INVALID, Probe, Validators};

use crate::chance::Chance;

/// A file, and how much of it a loss of power leaves for certain.
#[derive(Clone, Debug, Default)]
pub(crate) struct Local {
    pub(crate) bytes: Vec<u8>,
    pub(crate) synced: usize,
    /// When it was written, by whoever has not downloaded it.
    stamp: Option<FileTime>,
}

impl Local {
    /// Writes bytes at their place; what lies between it and the end is zeros.
    pub(crate) fn write(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[at..end].copy_from_slice(bytes);
    }
}

/// Every file, and what refuses to be touched.
#[derive(Debug, Default)]
pub(crate) struct Files {
    pub(crate) there: BTreeMap<PathBuf, Local>,
    /// Folders in which nothing can be renamed or deleted.
    pub(crate) locked: BTreeSet<PathBuf>,
    /// Files of somebody else, which nobody here may change.
    foreign: BTreeSet<PathBuf>,
    /// Files that got their final names.
    published: BTreeSet<PathBuf>,
    written: u64,
    /// Temporary files that could not be deleted.
    pub(crate) left: BTreeSet<PathBuf>,
}

impl Files {
    pub(crate) fn publish(&mut self, temporary: &Path, destination: &Path, length: u64) -> Result<(), Hresult> {
        if self.is_locked(destination) {
            return Err(Hresult::ERROR_SHARING_VIOLATION);
        }
        let found = self.there.get(temporary).ok_or(Hresult::ERROR_FILE_NOT_FOUND)?;
        if found.bytes.len() as u64 != length {
            return Err(ERROR_FILE_INVALID);
        }
        let file = self.there.remove(temporary).unwrap_or_default();
        self.there.insert(destination.to_owned(), file);
        self.published.insert(destination.to_owned());
        Ok(())
    }

    pub(crate) fn delete(&mut self, path: &Path) -> Result<(), Hresult> {
        assert!(!self.foreign.contains(path), "{} is somebody else's and was to be deleted", path.display());
        if self.there.contains_key(path) && self.is_locked(path) {
            self.left.insert(path.to_owned());
            return Err(Hresult::ERROR_SHARING_VIOLATION);
        }
        self.there.remove(path);
        Ok(())
    }

    /// Somebody writes a file that is to be uploaded. Each time it is another version.
    pub(crate) fn write(&mut self, path: &Path, bytes: Vec<u8>) {
        self.written += 1;
        let stamp = FileTime::from_unix_seconds(1_400_000_000 + self.written);
        self.there.insert(path.to_owned(), Local { synced: bytes.len(), bytes, stamp: Some(stamp) });
    }

    /// Files that somebody has written.
    pub(crate) fn sources(&self) -> Vec<PathBuf> {
        self.there.iter().filter(|(_, file)| file.stamp.is_some()).map(|(path, _)| path.clone()).collect()
    }

    /// The version of a file that is to be uploaded, if it is there.
    pub(crate) fn version(&self, path: &Path) -> Option<Validators> {
        let file = self.there.get(path)?;
        Some(Validators { size: file.bytes.len() as u64, last_modified: file.stamp })
    }

    /// Somebody else makes a file of this name.
    pub(crate) fn intrude(&mut self, path: &Path) {
        self.there.insert(path.to_owned(), Local { bytes: b"somebody else's".to_vec(), synced: 15, stamp: None });
        self.foreign.insert(path.to_owned());
    }

    /// Files that are nobody's any more: neither final, nor somebody else's, nor left behind for
    /// a reason.
    pub(crate) fn forgotten(&self) -> Vec<&PathBuf> {
        let is_temporary = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "tmp");
        self.there.keys().filter(is_temporary).filter(|path| !self.is_excused(path)).collect()
    }

    pub(crate) fn is_excused(&self, path: &Path) -> bool {
        self.foreign.contains(path) || self.left.contains(path) || self.published.contains(path)
    }

    /// What was written and not synced is lost, or a part of it.
    pub(crate) fn lose_power(&mut self, chance: &mut Chance) {
        for Local { bytes, synced, .. } in self.there.values_mut() {
            let unsynced = bytes.len().saturating_sub(*synced);
            bytes.truncate(*synced + chance.below(unsynced + 1));
        }
    }

    fn is_locked(&self, path: &Path) -> bool {
        path.parent().is_some_and(|folder| self.locked.contains(folder))
    }
}

impl Probe for Files {
    fn destination(&self, _path: &Path) -> Result<(), Hresult> {
        Ok(())
    }

    fn source(&self, path: &Path) -> Result<(), Hresult> {
        if self.there.contains_key(path) { Ok(()) } else { Err(Hresult::ERROR_FILE_NOT_FOUND) }
    }

    fn length(&self, path: &Path) -> Result<Option<u64>, Hresult> {
        Ok(self.there.get(path).map(|file| file.bytes.len() as u64))
    }
}
