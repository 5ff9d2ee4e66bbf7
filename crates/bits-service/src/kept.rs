//! The queue while no service runs.

use std::path::PathBuf;

use bits_store::{Store, StoreError};

/// What the next start of the service opens.
pub(crate) enum Kept {
    /// The queue as it was left.
    Memory(Store),
    /// The queue is closed and lies in this folder, where others may open it meanwhile.
    Folder(PathBuf),
}

impl Kept {
    /// Opens the queue. A folder that cannot be opened can be tried again; a queue in memory is
    /// handed over.
    pub(crate) fn open(&mut self) -> Result<Store, StoreError> {
        match self {
            Self::Memory(store) => Ok(std::mem::replace(store, Store::memory())),
            Self::Folder(folder) => Store::open(folder),
        }
    }
}
