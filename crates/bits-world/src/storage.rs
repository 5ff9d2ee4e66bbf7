//! What is wrong with the local disks of the emulated machine.
//!
//! [`Storage`] is a part of the world: data. [`LocalStorage`] is what everybody asks who is about to
//! touch a local file, real or simulated; nobody else decides whether a touch is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bits_api::Hresult;

use crate::Drives;

/// The faults of local storage, by native paths of folders and files (see
/// [`Drives::resolve`](crate::Drives::resolve)).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Storage(Arc<BTreeMap<PathBuf, StorageFault>>);

/// What is wrong with a file, or with all that is in or below a folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StorageFault {
    /// It is not there: a folder that was removed, a volume that was taken out.
    Missing,
    /// Nobody may do more than look.
    Denied,
    /// It is protected from writing.
    ReadOnly,
    /// So many more bytes can be written, counted from the moment at which the world says so.
    /// What is deleted meanwhile gives its bytes back.
    Full(u64),
    /// Another program has opened the files that are there, and shares them with nobody.
    InUse,
    /// Another program has opened the files that are there: others may read and write them, but
    /// neither rename nor delete.
    Pinned,
}

/// What somebody is about to do to a local file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Touch {
    /// Ask whether it is there, and how long it is.
    Look,
    /// Read it.
    Read,
    /// Make it.
    Make,
    /// Write into it, or cut it off.
    Write,
    /// Rename it, or give its name to another one.
    Rename,
    /// Delete it.
    Delete,
}

impl StorageFault {
    /// The code that refuses `touch`: of the faulty path itself, or of what lies below it.
    fn refuses(self, touch: Touch, is_itself: bool) -> Option<Hresult> {
        let keeps_content = matches!(touch, Touch::Look | Touch::Read);
        match self {
            Self::Missing if is_itself => Some(Hresult::ERROR_FILE_NOT_FOUND),
            Self::Missing => Some(Hresult::ERROR_PATH_NOT_FOUND),
            Self::Denied => (touch != Touch::Look).then_some(Hresult::ERROR_ACCESS_DENIED),
            Self::ReadOnly => (!keeps_content).then_some(ERROR_WRITE_PROTECT),
            Self::Full(_) => None,
            // A new file is open nowhere else.
            Self::InUse => (!matches!(touch, Touch::Look | Touch::Make)).then_some(Hresult::ERROR_SHARING_VIOLATION),
            Self::Pinned => matches!(touch, Touch::Rename | Touch::Delete).then_some(Hresult::ERROR_SHARING_VIOLATION),
        }
    }
}

/// HRESULT_FROM_WIN32(ERROR_WRITE_PROTECT).
const ERROR_WRITE_PROTECT: Hresult = Hresult::from_win32(19);

impl Storage {
    /// Lets this be wrong with `path` and what is below it; the innermost path with a fault counts.
    pub fn set(&mut self, path: impl Into<PathBuf>, fault: StorageFault) {
        Arc::make_mut(&mut self.0).insert(path.into(), fault);
    }

    /// Nothing is wrong with `path` any more.
    pub fn mend(&mut self, path: &Path) {
        Arc::make_mut(&mut self.0).remove(path);
    }
}

/// Local storage as the machine has it now: what the world says of it, and what was written since.
/// Clones share it.
#[derive(Clone, Debug, Default)]
pub struct LocalStorage(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Whether anything is wrong: of a sound disk nobody asks more.
    is_faulty: AtomicBool,
    live: Mutex<Live>,
}

#[derive(Debug, Default)]
struct Live {
    said: Storage,
    /// Bytes that were written since the world said how many can be.
    written: BTreeMap<PathBuf, u64>,
    /// The folders that stand for drives.
    roots: Vec<PathBuf>,
}

impl LocalStorage {
    /// Takes in what the world says. A disk that is as full as before goes on counting.
    pub fn see(&self, storage: &Storage, drives: &Drives) {
        let mut live = self.live();
        let Live { said, written, roots } = &mut *live;
        written.retain(|path, _| said.0.get(path) == storage.0.get(path));
        *said = storage.clone();
        *roots = drives.folders().map(Path::to_owned).collect();
        self.0.is_faulty.store(!said.0.is_empty(), Ordering::SeqCst);
    }

    /// The folder of the drive that `path` is on. On drives names are found in any case.
    pub fn drive_of(&self, path: &Path) -> Option<PathBuf> {
        self.live().roots.iter().find(|root| path.starts_with(root)).cloned()
    }

    /// Whether nothing is wrong anywhere.
    pub fn is_sound(&self) -> bool {
        !self.0.is_faulty.load(Ordering::SeqCst)
    }

    /// Whether `path` can be touched so.
    ///
    /// # Errors
    /// The HRESULT of the fault that keeps it from being touched.
    pub fn may(&self, path: &Path, touch: Touch) -> Result<(), Hresult> {
        if self.is_sound() {
            return Ok(());
        }
        match self.live().fault_of(path).and_then(|(at, fault)| fault.refuses(touch, at == path)) {
            Some(code) => Err(code),
            None => Ok(()),
        }
    }

    /// How many of `bytes` the disk of `path` takes; they count as written.
    ///
    /// # Errors
    /// The HRESULT of the fault that keeps it from being written to.
    pub fn take(&self, path: &Path, bytes: u64) -> Result<u64, Hresult> {
        self.may(path, Touch::Write)?;
        if self.is_sound() {
            return Ok(bytes);
        }
        let mut live = self.live();
        let Some((at, StorageFault::Full(room))) = live.fault_of(path) else { return Ok(bytes) };
        let at = at.to_owned();
        let written = live.written.entry(at).or_default();
        let taken = bytes.min(room.saturating_sub(*written));
        *written += taken;
        Ok(taken)
    }

    /// So many bytes of `path` are no more.
    pub fn give_back(&self, path: &Path, bytes: u64) {
        if self.is_sound() {
            return;
        }
        let mut live = self.live();
        let Some(at) = live.fault_of(path).map(|(at, _)| at.to_owned()) else { return };
        if let Some(written) = live.written.get_mut(&at) {
            *written = written.saturating_sub(bytes);
        }
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.0.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// The innermost fault, and the path that has it.
    fn fault_of<'a>(&self, path: &'a Path) -> Option<(&'a Path, StorageFault)> {
        path.ancestors().find_map(|at| self.said.0.get(at).map(|fault| (at, *fault)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Touch; 6] = [Touch::Look, Touch::Read, Touch::Make, Touch::Write, Touch::Rename, Touch::Delete];

    fn disk(path: &str, fault: StorageFault) -> LocalStorage {
        let mut storage = Storage::default();
        storage.set(path, fault);
        let disk = LocalStorage::default();
        disk.see(&storage, &Drives::default());
        disk
    }

    fn refused(fault: StorageFault) -> Vec<Touch> {
        let disk = disk("/d", fault);
        ALL.into_iter().filter(|touch| disk.may(Path::new("/d/a"), *touch).is_err()).collect()
    }

    #[test]
    fn each_fault_refuses_what_it_must() {
        use Touch::{Delete, Make, Read, Rename, Write};
        assert_eq!(refused(StorageFault::Missing), ALL);
        assert_eq!(refused(StorageFault::Denied), [Read, Make, Write, Rename, Delete]);
        assert_eq!(refused(StorageFault::ReadOnly), [Make, Write, Rename, Delete]);
        assert_eq!(refused(StorageFault::Full(0)), []);
        assert_eq!(refused(StorageFault::InUse), [Read, Write, Rename, Delete]);
        assert_eq!(refused(StorageFault::Pinned), [Rename, Delete]);
    }

    #[test]
    fn what_is_missing_itself_is_a_file_and_what_is_above_it_a_path() {
        let disk = disk("/d", StorageFault::Missing);
        assert_eq!(disk.may(Path::new("/d"), Touch::Look), Err(Hresult::ERROR_FILE_NOT_FOUND));
        assert_eq!(disk.may(Path::new("/d/a/b"), Touch::Look), Err(Hresult::ERROR_PATH_NOT_FOUND));
        assert_eq!(disk.may(Path::new("/e"), Touch::Look), Ok(()));
    }

    #[test]
    fn the_innermost_fault_counts_until_it_is_mended() {
        let mut storage = Storage::default();
        storage.set("/d", StorageFault::ReadOnly);
        storage.set("/d/a", StorageFault::InUse);
        let disk = LocalStorage::default();
        disk.see(&storage, &Drives::default());
        assert_eq!(disk.may(Path::new("/d/a"), Touch::Write), Err(Hresult::ERROR_SHARING_VIOLATION));
        storage.mend(Path::new("/d/a"));
        disk.see(&storage, &Drives::default());
        assert_eq!(disk.may(Path::new("/d/a"), Touch::Write), Err(ERROR_WRITE_PROTECT));
    }

    #[test]
    fn a_full_disk_takes_what_has_room_and_more_once_something_is_deleted() {
        let disk = disk("/d", StorageFault::Full(100));
        let path = Path::new("/d/a");
        assert_eq!(disk.take(path, 80), Ok(80));
        assert_eq!(disk.take(Path::new("/d/b"), 80), Ok(20));
        assert_eq!(disk.take(path, 1), Ok(0));
        disk.give_back(path, 80);
        assert_eq!(disk.take(path, 100), Ok(80));
        assert_eq!(disk.take(Path::new("/e"), 100), Ok(100));
    }

    #[test]
    fn a_disk_counts_on_while_it_is_as_full_as_before() {
        let mut storage = Storage::default();
        storage.set("/d", StorageFault::Full(10));
        let disk = LocalStorage::default();
        disk.see(&storage, &Drives::default());
        assert_eq!(disk.take(Path::new("/d/a"), 10), Ok(10));
        storage.set("/e", StorageFault::Denied);
        disk.see(&storage, &Drives::default());
        assert_eq!(disk.take(Path::new("/d/a"), 10), Ok(0));
        storage.set("/d", StorageFault::Full(11));
        disk.see(&storage, &Drives::default());
        assert_eq!(disk.take(Path::new("/d/a"), 10), Ok(10));
    }
}
