//! Keeps the queue: what the engine puts on record outlives a restart of the service.
//!
//! A [`Store`] takes the changes of [`bits_engine::Action::Persist`], one transaction per
//! [`Store::commit`], and gives the queue back by [`Store::load`]. It never decides what is worth
//! keeping, and never looks into a record beyond its key.
//!
//! # Durability
//! - [`Store::memory`] keeps the queue for as long as the store lives.
//! - [`Store::open`] is *buffered*: what was committed survives the death of the process at any
//!   moment (`kill -9`), since every commit hands its pages to the operating system in order. It
//!   does not wait for the disk, so the loss of power can damage the file; that is noticed at the
//!   next start, never read as a queue.
//!
//! # Secrets
//! Credentials and custom headers lie in the file sealed, with keys that lie in `queue.keys` of the
//! same folder and that only its owner may read: who gets hold of the queue alone reads none of
//! them. When its key is gone or another, a job comes back without its secrets, and
//! [`bits_engine::Saved`] says so. A file of keys that is there and cannot be read is an error.
//!
//! Secrets that are removed or replaced, and those of a job that ends, are gone for whoever has the
//! whole folder: each sealing has a key of its own, which is overwritten with zeros and synced before
//! [`Store::commit`] returns; one that a process left behind when it died goes when the store is
//! opened again. Commits without secrets know nothing of it. What this cannot promise: a file system
//! that writes beside the old place (btrfs, ZFS, snapshots), a journal that keeps data, and an SSD
//! that spreads its wear may hold the old bytes of a key for a while, out of reach of ordinary reads;
//! so may a backup. After a loss of power, a job may come back from before the removal, and then
//! without its secrets.
//!
//! # Format
//! Before version 1.0 the format of the file is not promised: a version may refuse, by
//! [`StoreError::Damaged`], what an earlier one has written. From then on each format gets a
//! number, and every version reads all that came before its own.

mod buffered;
mod disk;
mod error;
mod keys;
mod memory;
mod record;
mod seal;
#[cfg(test)]
mod tests;
mod v1;
mod v2;
mod v3;
mod v4;

use std::path::{Path, PathBuf};

use bits_engine::{Change, Saved, SavedCache};

use disk::Disk;
pub use error::StoreError;
use memory::Memory;
pub use redb::StorageBackend;
use seal::Sealer;

/// The queue on record.
#[derive(Debug)]
pub struct Store(Kind);

#[derive(Debug)]
enum Kind {
    Memory(Memory),
    Disk(Box<Disk>),
}

impl Store {
    /// An empty store that touches no disk. It can serve one service after another.
    pub fn memory() -> Self {
        Self(Kind::Memory(Memory::default()))
    }

    /// The store in the state folder `folder`, which is made when it is missing. One store at a
    /// time holds a folder, until it is dropped or its process ends.
    ///
    /// # Errors
    /// [`StoreError::Folder`] when the folder cannot be used, [`StoreError::InUse`] when another
    /// store holds it, [`StoreError::NotAStore`], [`StoreError::Newer`] and
    /// [`StoreError::Damaged`] for a file that cannot be read as a queue, [`StoreError::Key`] for a
    /// key that cannot be read, [`StoreError::Storage`]
    /// when the system fails.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Disk::open(folder).map(|disk| Self(Kind::Disk(Box::new(disk))))
    }

    /// The store on another medium than a file, an empty one or one that holds a store. What a
    /// commit survives is what the medium's writes and syncs survive: every commit is synced.
    /// Clones of `medium` are the same medium.
    ///
    /// # Errors
    /// As [`Store::open`]; the errors call the medium `queue.redb`.
    pub fn on(medium: impl StorageBackend + Clone) -> Result<Self, StoreError> {
        let name = PathBuf::from("queue.redb");
        let is_empty =
            medium.len().map_err(|error| StoreError::Storage { file: name.clone(), source: error.into() })? == 0;
        if is_empty {
            disk::initialise(medium.clone(), &name)?;
        }
        Disk::on(medium, name).map(|disk| Self(Kind::Disk(Box::new(disk))))
    }

    /// The same with the keys of its secrets on a medium of their own, an empty one or one that holds
    /// keys of this store. Without it a store on a medium keeps them in memory, and they end with it.
    ///
    /// # Errors
    /// [`StoreError::Key`] when the keys cannot be read or written, [`StoreError::Damaged`] and
    /// [`StoreError::Storage`] when the queue cannot be read.
    pub fn with_keys_on(mut self, medium: impl StorageBackend) -> Result<Self, StoreError> {
        if let Kind::Disk(disk) = &mut self.0 {
            disk.take_up(Sealer::on(Box::new(medium))?)?;
        }
        Ok(self)
    }

    /// Puts `changes` on record in their order, all or none.
    ///
    /// # Errors
    /// [`StoreError::FileWithoutJob`] for a file whose job is not on record; what the store holds
    /// is then as before. [`StoreError::Storage`] and [`StoreError::Key`] when the system fails: whether the changes are
    /// on record shows when the store is opened again, and this one takes no more.
    pub fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        match &mut self.0 {
            Kind::Memory(memory) => memory.commit(changes),
            Kind::Disk(disk) => disk.commit(changes),
        }
    }

    /// The peer cache.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] and [`StoreError::Storage`].
    pub fn load_cache(&self) -> Result<SavedCache, StoreError> {
        match &self.0 {
            Kind::Memory(memory) => Ok(memory.load_cache()),
            Kind::Disk(disk) => disk.load_cache(),
        }
    }

    /// The queue, in order of creation.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] and [`StoreError::Storage`], here or from the iterator.
    pub fn load(&self) -> Result<impl Iterator<Item = Result<Saved, StoreError>>, StoreError> {
        Ok(match &self.0 {
            Kind::Memory(memory) => Loaded::Memory(memory.load()),
            Kind::Disk(disk) => Loaded::Disk(disk.load()?),
        })
    }
}

enum Loaded<M, D> {
    Memory(M),
    Disk(D),
}

impl<M, D> Iterator for Loaded<M, D>
where
    M: Iterator<Item = Saved>,
    D: Iterator<Item = Result<Saved, StoreError>>,
{
    type Item = Result<Saved, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Memory(saved) => saved.next().map(Ok),
            Self::Disk(saved) => saved.next(),
        }
    }
}
