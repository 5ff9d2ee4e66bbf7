//! A disk as the world lets it be: real or simulated files behind the faults of local storage.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use bits_api::{FileTime, Hresult};
use bits_wire::attempt::{Disk, Probe};
use bits_world::{LocalStorage, Touch};

use crate::spelling::{self, find_on_drive};

/// Asks the storage before each touch, then the disk itself.
#[derive(Clone, Debug)]
pub struct GuardedDisk<D> {
    disk: D,
    storage: LocalStorage,
}

impl<D: Disk> GuardedDisk<D> {
    /// `disk`, as `storage` lets it be.
    pub fn new(disk: D, storage: LocalStorage) -> Self {
        Self { disk, storage }
    }

    fn find(&self, path: &Path) -> PathBuf {
        find_on_drive(&self.disk, &self.storage, path.to_owned())
    }

    /// A file that the one of this name replaces, though it spells its name otherwise.
    fn twin(&self, path: &Path) -> Option<PathBuf> {
        self.storage.drive_of(path).and_then(|_| spelling::twin(&self.disk, path))
    }

    fn may_make(&self, path: &Path) -> Result<(), Hresult> {
        self.storage.may(path, Touch::Make).map_err(|code| match code {
            Hresult::ERROR_PATH_NOT_FOUND => Hresult::ERROR_DIRECTORY,
            // Its folder takes nothing that this caller writes.
            _ => Hresult::E_ACCESSDENIED,
        })
    }
}

impl<D: Disk> Probe for GuardedDisk<D> {
    fn destination(&self, path: &Path) -> Result<(), Hresult> {
        let path = &self.find(path);
        self.may_make(path)?;
        self.disk.destination(path)
    }

    fn destinations(&self, paths: &[PathBuf]) -> Vec<Result<(), Hresult>> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| self.find(path)).collect();
        let answers = self.disk.destinations(&paths);
        paths.iter().zip(answers).map(|(path, answer)| self.may_make(path).and(answer)).collect()
    }

    fn source(&self, path: &Path) -> Result<(), Hresult> {
        let path = &self.find(path);
        self.storage.may(path, Touch::Read)?;
        self.disk.source(path)
    }

    fn length(&self, path: &Path) -> Result<Option<u64>, Hresult> {
        let path = &self.find(path);
        match self.storage.may(path, Touch::Look) {
            Ok(()) => self.disk.length(path),
            Err(Hresult::ERROR_FILE_NOT_FOUND) => Ok(None),
            Err(code) => Err(code),
        }
    }

    fn is_there(&self, path: &Path) -> bool {
        self.storage.may(path, Touch::Look).is_ok() && self.disk.is_there(path)
    }
}

impl<D: Disk> Disk for GuardedDisk<D> {
    fn publish(
        &self,
        temporary: &Path,
        destination: &Path,
        length: u64,
        modified: Option<FileTime>,
    ) -> Result<(), Hresult> {
        let (temporary, destination) = (&self.find(temporary), &self.find(destination));
        let twin = self.twin(destination);
        self.storage.may(temporary, Touch::Rename)?;
        self.storage.may(twin.as_ref().unwrap_or(destination), Touch::Rename)?;
        self.disk.publish(temporary, destination, length, modified)?;
        // The file has its name; what had it before is replaced by it.
        if let Some(twin) = twin
            && let Err(code) = self.disk.delete(&twin)
        {
            tracing::warn!(?twin, %code, "a file of the same name in another case stays");
        }
        Ok(())
    }

    fn read(&self, path: &Path, length: u64) -> Result<Vec<u8>, Hresult> {
        let path = &self.find(path);
        self.storage.may(path, Touch::Read)?;
        self.disk.read(path, length)
    }

    fn has(&self, path: &Path) -> bool {
        self.disk.has(&self.find(path))
    }

    fn names_in(&self, folder: &Path) -> Vec<OsString> {
        self.disk.names_in(&self.find(folder))
    }

    fn delete(&self, path: &Path) -> Result<(), Hresult> {
        let path = &self.find(path);
        match self.storage.may(path, Touch::Delete) {
            Err(Hresult::ERROR_FILE_NOT_FOUND) => return Ok(()),
            may => may?,
        }
        let length = if self.storage.is_sound() { None } else { self.disk.length(path).ok().flatten() };
        self.disk.delete(path)?;
        self.storage.give_back(path, length.unwrap_or(0));
        Ok(())
    }
}
