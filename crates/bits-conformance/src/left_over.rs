//! What a run that was ended has left on this machine: a folder, and the jobs that are written down in it.
//!
//! A run locks the record in its folder for as long as it lives. What is locked belongs to somebody,
//! and is never touched, nor is a job that no record tells of, by its id or by its name: a CreateJob that
//! has not come back when its run was ended may have made a job whose id nobody has seen. (Of the one case
//! that wants a job without a name, it would not be found.)

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use bits_api::Manager;
use tempfile::TempDir;

use crate::ledger::{PREFIX, Recorded};

/// The file in such a folder that its run locks, with what it has written down of its jobs.
const RECORD: &str = "jobs";

/// How often a folder is made anew when another run takes it for left over before it is locked.
const TRIES: usize = 10;

/// A folder in `parent` for the files of a run, which goes with the value, and the record in it, locked.
///
/// # Errors
/// Those of making a folder.
pub(crate) fn new_folder(parent: &Path) -> io::Result<(TempDir, File)> {
    for _ in 0..TRIES {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        let path = folder.path().join(RECORD);
        let record = match open(&path, true) {
            Err(_) if !folder.path().is_dir() => continue,
            opened => opened?,
        };
        if record.try_lock().is_ok() && path.exists() {
            return Ok((folder, record));
        }
    }
    Err(io::Error::other("other runs delete it"))
}

/// Cancels the jobs, and deletes the files, that runs have left in `parent` which live no more. `tell`
/// is told of each.
pub(crate) fn clear_away(parent: &Path, manager: &dyn Manager, mut tell: impl FnMut(String)) {
    for folder in folders(parent) {
        match clear_folder(&folder, manager, &mut tell) {
            Ok(true) => tell(format!("deleted {}, which an earlier run has left", folder.display())),
            Ok(false) => {}
            Err(error) => tell(format!("{}, which an earlier run has left, stays: {error}", folder.display())),
        }
    }
}

/// Whether the folder was left over, and is gone.
fn clear_folder(folder: &Path, manager: &dyn Manager, tell: &mut impl FnMut(String)) -> io::Result<bool> {
    let mut record = match open(&folder.join(RECORD), false) {
        // Of a run that has not come so far, or was ended there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // One that has come so far since keeps its own.
            contents(folder)?.iter().filter(|path| !is_record(path)).try_for_each(|path| remove(path))?;
            return std::fs::remove_dir(folder).map(|()| true);
        }
        opened => opened?,
    };
    match record.try_lock() {
        Err(TryLockError::WouldBlock) => return Ok(false),
        locked => locked?,
    }
    let stays = Recorded::read(&mut record)?.cancel(manager);
    if !stays.is_empty() {
        stays.into_iter().for_each(tell);
        return Err(io::Error::other("its jobs do"));
    }
    // A folder cannot be deleted everywhere while a file in it is open.
    drop(record);
    delete(folder).map(|()| true)
}

/// Deletes the folder of a run; the record goes last, so that the next run finds what could not be deleted.
///
/// # Errors
/// Those of deleting.
pub(crate) fn delete(folder: &Path) -> io::Result<()> {
    contents(folder)?.iter().try_for_each(|path| remove(path))?;
    std::fs::remove_dir(folder)
}

fn remove(path: &Path) -> io::Result<()> {
    if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }
}

/// What is in the folder, the record last.
fn contents(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<io::Result<Vec<_>>>()?;
    paths.sort_by_key(|path| is_record(path));
    Ok(paths)
}

fn is_record(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == RECORD)
}

fn open(path: &Path, create: bool) -> io::Result<File> {
    File::options().read(true).append(true).create(create).open(path)
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let is_folder = |entry: &std::fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    let is_ours = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().starts_with(PREFIX);
    entries.filter(|entry| is_folder(entry) && is_ours(entry)).map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use bits_api::{Guid, Hresult};

    use super::*;
    use crate::ledger::tests::Jobless;

    /// The folder of a run that has ended without clearing up, with one job on record.
    fn ended_run(parent: &Path, id: Guid) -> PathBuf {
        let (folder, mut record) = new_folder(parent).expect("a folder");
        writeln!(record, "{id}").expect("the job is written down");
        folder.keep()
    }

    #[test]
    fn only_what_no_run_holds_is_cleared_away() {
        let parent = tempfile::tempdir().expect("a folder");
        let (living, mut record) = new_folder(parent.path()).expect("a folder");
        writeln!(record, "{}", Guid::from_u128(1)).expect("the job is written down");
        let ended = ended_run(parent.path(), Guid::from_u128(2));
        let file = parent.path().join(format!("{PREFIX}notes.txt"));
        std::fs::write(&file, "mine").expect("a file");
        let other = parent.path().join("other");
        std::fs::create_dir(&other).expect("a folder");
        let manager = Jobless::with(Hresult::BG_E_NOT_FOUND);

        clear_away(parent.path(), &manager, |_| {});

        assert_eq!(*manager.asked.lock().expect("one asks"), [Guid::from_u128(2)]);
        assert!(living.path().is_dir() && file.is_file() && other.is_dir() && !ended.exists());
    }

    #[test]
    fn a_folder_whose_record_is_gone_goes_with_what_is_in_it() {
        let parent = tempfile::tempdir().expect("a folder");
        let ended = ended_run(parent.path(), Guid::from_u128(2));
        std::fs::create_dir(ended.join("0")).expect("a folder");
        std::fs::write(ended.join("0").join("download.bin"), "left").expect("a file");
        std::fs::remove_file(ended.join(RECORD)).expect("the record");

        clear_away(parent.path(), &Jobless::with(Hresult::BG_E_NOT_FOUND), |_| {});

        assert!(!ended.exists());
    }

    #[test]
    fn the_record_is_deleted_last() {
        let parent = tempfile::tempdir().expect("a folder");
        let ended = ended_run(parent.path(), Guid::from_u128(2));
        for name in ["0", "17", "later"] {
            std::fs::create_dir(ended.join(name)).expect("a folder");
        }

        let paths = contents(&ended).expect("the folder");

        assert_eq!((paths.len(), paths.last()), (4, Some(&ended.join(RECORD))));
        delete(&ended).expect("the folder is deleted");
        assert!(!ended.exists());
    }

    #[test]
    fn the_record_of_a_job_that_stays_does_too() {
        let parent = tempfile::tempdir().expect("a folder");
        let id = Guid::from_u128(2);
        let ended = ended_run(parent.path(), id);
        let mut told = Vec::new();

        clear_away(parent.path(), &Jobless::with(Hresult::E_ACCESSDENIED), |line| told.push(line));

        assert!(ended.is_dir() && told.iter().any(|line| line.contains(&id.to_string())), "{told:?}");
    }
}
