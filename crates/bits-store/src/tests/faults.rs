//! A disk that fails, and a process that dies, at every single write.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use bits_engine::{Change, JobKey};
use redb::StorageBackend;

use super::{Queue, added, try_queue_of};
use crate::buffered::Buffered;
use crate::disk::{Disk, initialise};
use crate::{Kind, Store, StoreError};

/// What happens at the write whose turn it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fault {
    /// This write fails; later ones do not.
    Once,
    /// This write and all after it fail: the disk is gone, or the process died.
    Dead,
    /// Half of this write arrives, and nothing after it.
    Torn,
}

/// A disk in memory, whose content outlives the store on it.
#[derive(Clone, Debug, Default)]
pub(super) struct MemoryDisk {
    bytes: Arc<Mutex<Vec<u8>>>,
    line: Arc<Mutex<Line>>,
}

/// What writes pass on their way to the disk.
#[derive(Debug, Default)]
struct Line {
    writes: u64,
    fault: Option<(Fault, u64)>,
}

impl MemoryDisk {
    pub(super) fn holding(bytes: Vec<u8>) -> Self {
        Self { bytes: Arc::new(Mutex::new(bytes)), line: Arc::default() }
    }

    /// Another disk, which fails when this one does: the writes to both are counted as one.
    pub(super) fn beside(&self, bytes: Vec<u8>) -> Self {
        Self { bytes: Arc::new(Mutex::new(bytes)), line: Arc::clone(&self.line) }
    }

    /// What has arrived on the disk.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }

    pub(super) fn open(&self) -> Result<Store, StoreError> {
        self.disk().map(|disk| Store(Kind::Disk(Box::new(disk))))
    }

    pub(super) fn disk(&self) -> Result<Disk, StoreError> {
        Disk::on(Buffered(self.clone()), PathBuf::from("queue.redb"))
    }

    pub(super) fn initialise(&self) -> Result<(), StoreError> {
        initialise(Buffered(self.clone()), Path::new("queue.redb"))
    }

    pub(super) fn fail(&self, fault: Fault, write: u64) {
        self.line().fault = Some((fault, write));
    }

    pub(super) fn writes(&self) -> u64 {
        self.line().writes
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap()
    }
}

impl Line {
    /// Counts a write; how much of its `len` bytes arrives, and whether it succeeds.
    fn admit(&mut self, len: usize) -> (usize, io::Result<()>) {
        self.writes += 1;
        let failure = || Err(io::Error::other("the disk failed"));
        match self.fault {
            Some((Fault::Torn, write)) if self.writes == write => (len / 2, failure()),
            Some((Fault::Dead | Fault::Torn, write)) if self.writes >= write => (0, failure()),
            Some((Fault::Once, write)) if self.writes == write => (0, failure()),
            _ => (len, Ok(())),
        }
    }
}

impl StorageBackend for MemoryDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.bytes.lock().unwrap();
        let start = usize::try_from(offset).unwrap();
        let read = bytes.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(read);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        // A file is made longer as a whole or not at all.
        let (_, admitted) = self.line().admit(0);
        admitted.map(|()| self.bytes.lock().unwrap().resize(usize::try_from(len).unwrap(), 0))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.line().admit(0).1
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let (arrives, admitted) = self.line().admit(data.len());
        let start = usize::try_from(offset).unwrap();
        self.bytes.lock().unwrap()[start..start + arrives].copy_from_slice(&data[..arrives]);
        admitted
    }
}

/// Commits of all kinds, one after another.
fn commits() -> Vec<Vec<Change>> {
    let mut commits: Vec<_> = [1, 9, 2, 3].map(|key| added(key, &"a long name, ".repeat(99), 3)).into();
    commits.push(vec![Change::Remove(JobKey(2))]);
    commits.push(added(3, "renamed", 3));
    commits
}

/// The queue before the first commit, and after each.
fn stages() -> Vec<Queue> {
    let mut store = Store::memory();
    let mut stages = vec![Vec::new()];
    for changes in commits() {
        store.commit(&changes).unwrap();
        stages.push(try_queue_of(&store).unwrap());
    }
    stages
}

fn empty_disk() -> MemoryDisk {
    let disk = MemoryDisk::default();
    disk.initialise().unwrap();
    MemoryDisk::holding(disk.bytes())
}

/// Opens the disk and makes all commits, until something fails; how many succeeded.
fn work_on(disk: &MemoryDisk) -> Result<usize, (usize, StoreError)> {
    let mut store = disk.open().map_err(|error| (0, error))?;
    for (done, changes) in commits().iter().enumerate() {
        store.commit(changes).map_err(|error| (done, error))?;
    }
    Ok(commits().len())
}

/// Fails each write in turn. Whatever was committed is there afterwards, whole commits only.
fn survive_each(fault: Fault) {
    let (fresh, stages) = (empty_disk().bytes(), stages());
    let healthy = MemoryDisk::holding(fresh.clone());
    assert_eq!(work_on(&healthy).unwrap(), commits().len());
    assert!(healthy.writes() > 50, "there is something to fail");

    for write in 1..=healthy.writes() {
        let disk = MemoryDisk::holding(fresh.clone());
        disk.fail(fault, write);
        let (done, failed) = match work_on(&disk) {
            Ok(done) => (done, false),
            Err((done, error)) => {
                assert!(matches!(error, StoreError::Storage { .. }), "{fault:?} {write}: {error}");
                (done, true)
            }
        };

        let reopened = MemoryDisk::holding(disk.bytes());
        let store = reopened.open().unwrap_or_else(|error| panic!("{fault:?} {write}: {error}"));
        let found = try_queue_of(&store).unwrap();

        let last = if failed { done + 1 } else { done };
        let allowed = &stages[done..=last.min(stages.len() - 1)];
        assert!(allowed.contains(&found), "{fault:?} {write}: {done} commits succeeded, found {found:#?}");
    }
}

#[test]
fn a_write_that_fails_once_loses_no_commit() {
    survive_each(Fault::Once);
}

#[test]
fn a_process_that_dies_at_any_write_loses_no_commit() {
    survive_each(Fault::Dead);
}

#[test]
fn a_torn_write_loses_no_commit() {
    survive_each(Fault::Torn);
}

#[test]
fn a_store_that_failed_takes_no_more_commits() {
    let disk = empty_disk();
    let mut store = disk.open().unwrap();
    disk.fail(Fault::Once, disk.writes() + 1);
    store.commit(&added(1, "lost", 1)).unwrap_err();

    let error = store.commit(&added(2, "refused", 1)).unwrap_err();

    assert!(matches!(error, StoreError::Storage { .. }), "{error}");
}

#[test]
fn a_queue_whose_making_fails_at_any_write_is_an_error() {
    let whole = MemoryDisk::default();
    whole.initialise().unwrap();

    for write in 1..=whole.writes() {
        let disk = MemoryDisk::default();
        disk.fail(Fault::Dead, write);
        // The last writes close the file; without them it is whole but unclean.
        if disk.initialise().is_ok() {
            assert_eq!(try_queue_of(&MemoryDisk::holding(disk.bytes()).open().unwrap()).unwrap(), []);
        }
    }
}
