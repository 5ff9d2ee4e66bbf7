//! Local files, and which code stands for what goes wrong with them.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bits_api::{FileTime, Hresult};
use bits_wire::attempt::{Disk, ERROR_FILE_EXISTS, ERROR_FILE_INVALID, Failure, Probe};

/// The files of this machine, with the rights of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalDisk;

impl Probe for LocalDisk {
    /// Whether a file of this name could be made.
    ///
    /// # Errors
    /// `E_INVALIDARG` for a name that cannot be a file's: relative, a folder's or a device's, none at
    /// all, too long; `ERROR_DIRECTORY` (0x8007010B) when its folder is not there; `E_ACCESSDENIED` when
    /// nothing can be made in that folder.
    fn destination(&self, path: &Path) -> Result<(), Hresult> {
        destination(path, check_folder)
    }

    /// Each folder is tried once.
    fn destinations(&self, paths: &[PathBuf]) -> Vec<Result<(), Hresult>> {
        let mut folders = HashMap::new();
        let mut check = |folder: &Path| match folders.get(folder) {
            Some(known) => *known,
            None => *folders.entry(folder.to_owned()).or_insert(check_folder(folder)),
        };
        paths.iter().map(|path| destination(path, &mut check)).collect()
    }

    /// Whether the file of this name can be read.
    ///
    /// # Errors
    /// `E_INVALIDARG` for what is no file; `ERROR_FILE_NOT_FOUND` and `ERROR_PATH_NOT_FOUND` for one
    /// that is not there; `E_ACCESSDENIED` for one that may not be read.
    fn source(&self, path: &Path) -> Result<(), Hresult> {
        let found = fs::metadata(path).map_err(|error| code_at(path, &error))?;
        if !found.is_file() || !path.is_absolute() {
            return Err(Hresult::E_INVALIDARG);
        }
        File::open(path).map(drop).map_err(|error| code_at(path, &error))
    }

    /// The length of a file, or `None` when it is not there.
    ///
    /// # Errors
    /// `ERROR_PATH_NOT_FOUND` when its folder is not there either: a drive that is not mounted
    /// tells nothing of its files.
    fn length(&self, path: &Path) -> Result<Option<u64>, Hresult> {
        match fs::metadata(path) {
            Ok(found) => Ok(found.is_file().then_some(found.len())),
            Err(error) => match code_at(path, &error) {
                Hresult::ERROR_FILE_NOT_FOUND => Ok(None),
                code => Err(code),
            },
        }
    }

    fn is_there(&self, path: &Path) -> bool {
        fs::metadata(path).is_ok_and(|found| found.is_file())
    }
}

impl Disk for LocalDisk {
    fn publish(
        &self,
        temporary: &Path,
        destination: &Path,
        length: u64,
        modified: Option<FileTime>,
    ) -> Result<(), Hresult> {
        let found = length_at(temporary).map_err(|error| code(&error))?;
        if found != length {
            tracing::warn!(?temporary, found, length, "a finished file has another length than it had");
            return Err(ERROR_FILE_INVALID);
        }
        if let Some(time) = modified.and_then(system_time) {
            // The time is set first, so that the file never shows under its name without it.
            match stamp(temporary, time) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Err(code(&error)),
                // A file system may keep no times; that is no reason to withhold the file.
                Err(error) => tracing::warn!(%error, ?temporary, "cannot set the server's time stamp"),
                Ok(()) => {}
            }
        }
        // Not every system minds; a file that somebody has protected is kept on all of them.
        let is_kept = fs::metadata(destination).is_ok_and(|found| found.permissions().readonly());
        if is_kept && temporary != destination {
            return Err(Hresult::ERROR_ACCESS_DENIED);
        }
        fs::rename(temporary, destination).map_err(|error| code_at(destination, &error))
    }

    fn read(&self, path: &Path, length: u64) -> Result<Vec<u8>, Hresult> {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(length).read_to_end(&mut bytes));
        match read.map_err(|error| code_at(path, &error))? {
            read if read as u64 == length => Ok(bytes),
            _ => Err(ERROR_FILE_INVALID),
        }
    }

    fn has(&self, path: &Path) -> bool {
        path.exists()
    }

    fn names_in(&self, folder: &Path) -> Vec<OsString> {
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect()
    }

    fn delete(&self, path: &Path) -> Result<(), Hresult> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(code(&error)),
            _ => Ok(()),
        }
    }
}

/// Sets when a file was written, and where that can be told when it was made (clause
/// `struct.file_info.times_http_download`).
fn stamp(path: &Path, time: SystemTime) -> io::Result<()> {
    let times = fs::FileTimes::new().set_modified(time);
    #[cfg(windows)]
    let times = std::os::windows::fs::FileTimesExt::set_created(times, time);
    #[cfg(target_os = "macos")]
    let times = std::os::macos::fs::FileTimesExt::set_created(times, time);
    open_to_stamp(path)?.set_times(times)
}

/// How long a file is.
pub(crate) fn length_at(path: &Path) -> io::Result<u64> {
    // What Windows tells beside the length it has to ask the file's volume for: that takes longer than
    // to open the file. A handle that can neither read nor write may be refused a place in the file.
    #[cfg(windows)]
    {
        use std::io::{Seek, SeekFrom};
        use std::os::windows::fs::OpenOptionsExt;
        const FILE_READ_ATTRIBUTES: u32 = 0x80;
        let mut file = OpenOptions::new().access_mode(FILE_READ_ATTRIBUTES).open(path)?;
        file.seek(SeekFrom::End(0)).or_else(|_| Ok(file.metadata()?.len()))
    }
    #[cfg(not(windows))]
    Ok(fs::metadata(path)?.len())
}

/// Opens a file to set its times, also one that is protected from writing.
fn open_to_stamp(path: &Path) -> io::Result<File> {
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;
        const FILE_WRITE_ATTRIBUTES: u32 = 0x100;
        OpenOptions::new().access_mode(FILE_WRITE_ATTRIBUTES).open(path)
    }
    #[cfg(not(windows))]
    OpenOptions::new().write(true).open(path).or_else(|error| match error.kind() {
        // Its owner may do it all the same.
        ErrorKind::PermissionDenied => File::open(path),
        _ => Err(error),
    })
}

/// Whether a file of this name could be made, in a folder of which `check_folder` tells.
fn destination(path: &Path, check_folder: impl FnOnce(&Path) -> Result<(), Hresult>) -> Result<(), Hresult> {
    let (Some(folder), Some(_)) = (path.parent(), path.file_name()) else { return Err(Hresult::E_INVALIDARG) };
    if !path.is_absolute() || is_too_long(path) {
        return Err(Hresult::E_INVALIDARG);
    }
    match fs::metadata(path) {
        // A device would be replaced by the file, not written to.
        Ok(found) if !found.is_file() => return Err(Hresult::E_INVALIDARG),
        Err(error) if is_bad_name(&error) => return Err(Hresult::E_INVALIDARG),
        Ok(_) | Err(_) => {}
    }
    check_folder(folder)
}

/// Whether the name itself is longer than file systems of Windows take. What the machine says of it
/// differs, and may be only that there is no such file.
fn is_too_long(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().encode_utf16().count() > 255)
}

/// Whether files can be made in `folder`.
fn check_folder(folder: &Path) -> Result<(), Hresult> {
    let Err(error) = try_folder(folder) else { return Ok(()) };
    Err(match fs::metadata(folder) {
        Ok(found) if !found.is_dir() => Hresult::ERROR_DIRECTORY,
        // The folder is there; what it lacks is the will.
        Ok(_) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ReadOnlyFilesystem) => Hresult::E_ACCESSDENIED,
        Ok(_) => code(&error),
        Err(error) => folder_code(&error),
    })
}

/// Makes a file in `folder` and removes it again.
fn try_folder(folder: &Path) -> io::Result<()> {
    static TRIES: AtomicU64 = AtomicU64::new(0);
    let number = TRIES.fetch_add(1, Ordering::Relaxed);
    let name = folder.join(format!("BIT{:08X}{number:08X}.tmp", std::process::id()));
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;
        const DELETE: u32 = 0x1_0000;
        const FILE_GENERIC_WRITE: u32 = 0x12_0116;
        const FILE_FLAG_DELETE_ON_CLOSE: u32 = 0x400_0000;
        let access = DELETE | FILE_GENERIC_WRITE;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).access_mode(access).custom_flags(FILE_FLAG_DELETE_ON_CLOSE);
        options.open(&name).map(drop)
    }
    #[cfg(not(windows))]
    {
        File::create_new(&name)?;
        fs::remove_file(&name)
    }
}

/// The code when the folder of a destination cannot be looked at.
fn folder_code(error: &io::Error) -> Hresult {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Hresult::ERROR_DIRECTORY,
        _ if is_bad_name(error) => Hresult::E_INVALIDARG,
        _ => code(error),
    }
}

fn is_bad_name(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidFilename | ErrorKind::InvalidInput)
}

/// The failure of a job whose local file `path` cannot be written.
pub(crate) fn failure(path: &Path, error: &io::Error) -> Failure {
    Failure::of_local_file(code_at(path, error))
}

/// The code of an error at `path`: Windows tells a missing folder from a missing file.
pub(crate) fn code_at(path: &Path, error: &io::Error) -> Hresult {
    let folder_is_missing = || path.parent().is_some_and(|folder| !folder.exists());
    match code(error) {
        Hresult::ERROR_FILE_NOT_FOUND if folder_is_missing() => Hresult::ERROR_PATH_NOT_FOUND,
        code => code,
    }
}

/// HRESULT_FROM_WIN32 of the Win32 error that says what `error` says.
fn code(error: &io::Error) -> Hresult {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    #[cfg(windows)]
    if let Some(code) = error.raw_os_error().and_then(|code| u16::try_from(code).ok()) {
        return Hresult::from_win32(code);
    }
    match error.kind() {
        ErrorKind::NotFound => Hresult::ERROR_FILE_NOT_FOUND,
        ErrorKind::PermissionDenied | ErrorKind::IsADirectory => Hresult::ERROR_ACCESS_DENIED,
        ErrorKind::AlreadyExists => ERROR_FILE_EXISTS,
        ErrorKind::StorageFull => Hresult::ERROR_DISK_FULL,
        ErrorKind::ResourceBusy | ErrorKind::ExecutableFileBusy => Hresult::ERROR_SHARING_VIOLATION,
        ErrorKind::NotADirectory => Hresult::ERROR_DIRECTORY,
        ErrorKind::InvalidInput | ErrorKind::InvalidFilename => Hresult::ERROR_INVALID_NAME,
        ErrorKind::QuotaExceeded => DISK_QUOTA_EXCEEDED,
        ErrorKind::FileTooLarge => FILE_TOO_LARGE,
        ErrorKind::ReadOnlyFilesystem => WRITE_PROTECT,
        ErrorKind::CrossesDevices => NOT_SAME_DEVICE,
        ErrorKind::OutOfMemory => OUT_OF_MEMORY,
        _ if matches!(error.raw_os_error(), Some(EMFILE | ENFILE)) => TOO_MANY_OPEN_FILES,
        _ => GENERAL_FAILURE,
    }
}

/// ERROR_TOO_MANY_OPEN_FILES.
const TOO_MANY_OPEN_FILES: Hresult = Hresult::from_win32(4);
/// ERROR_OUTOFMEMORY.
const OUT_OF_MEMORY: Hresult = Hresult::from_win32(14);
/// ERROR_NOT_SAME_DEVICE.
const NOT_SAME_DEVICE: Hresult = Hresult::from_win32(17);
/// ERROR_WRITE_PROTECT.
const WRITE_PROTECT: Hresult = Hresult::from_win32(19);
/// ERROR_GEN_FAILURE.
const GENERAL_FAILURE: Hresult = Hresult::from_win32(31);
/// ERROR_FILE_TOO_LARGE.
const FILE_TOO_LARGE: Hresult = Hresult::from_win32(223);
/// ERROR_DISK_QUOTA_EXCEEDED.
const DISK_QUOTA_EXCEEDED: Hresult = Hresult::from_win32(1295);

/// A FILETIME as this machine keeps it; `None` where it cannot.
fn system_time(time: FileTime) -> Option<SystemTime> {
    let epoch = FileTime::from_unix_seconds(0);
    if time >= epoch {
        UNIX_EPOCH.checked_add(time.since(epoch))
    } else {
        UNIX_EPOCH.checked_sub(epoch.since(time)).filter(|_| time > FileTime::ZERO.plus(Duration::from_secs(1)))
    }
}

#[cfg(test)]
mod tests {
    use bits_api::ErrorContext;
    use tempfile::TempDir;

    use super::*;

    fn folder() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    fn entries(folder: &TempDir) -> usize {
        fs::read_dir(folder.path()).unwrap().count()
    }

    #[test]
    fn a_new_or_existing_file_in_a_folder_is_a_destination_and_nothing_is_left_behind() {
        let folder = folder();
        fs::write(folder.path().join("old"), "x").unwrap();

        assert_eq!(LocalDisk.destination(&folder.path().join("new")), Ok(()));
        assert_eq!(LocalDisk.destination(&folder.path().join("old")), Ok(()));
        assert_eq!(entries(&folder), 1);
    }

    #[test]
    fn what_cannot_be_a_file_is_no_destination() {
        let folder = folder();
        fs::create_dir(folder.path().join("dir")).unwrap();
        fs::write(folder.path().join("file"), "x").unwrap();
        let table = [
            (folder.path().join("missing/a"), Hresult::ERROR_DIRECTORY),
            (folder.path().join("file/a"), Hresult::ERROR_DIRECTORY),
            (folder.path().join("file/dir/a"), Hresult::ERROR_DIRECTORY),
            (folder.path().join("dir"), Hresult::E_INVALIDARG),
            (folder.path().join("dir/.."), Hresult::E_INVALIDARG),
            (folder.path().join("x".repeat(300)), Hresult::E_INVALIDARG),
            (folder.path().join("a\0b"), Hresult::E_INVALIDARG),
            ("/".into(), Hresult::E_INVALIDARG),
            ("".into(), Hresult::E_INVALIDARG),
            ("relative/a".into(), Hresult::E_INVALIDARG),
        ];
        for (path, code) in table {
            assert_eq!(LocalDisk.destination(&path), Err(code), "{}", path.display());
        }
    }

    #[cfg(windows)]
    #[test]
    fn a_drive_that_is_not_there_is_a_folder_that_is_not() {
        let mut drives = ('D'..='Z').map(|letter| PathBuf::from(format!(r"{letter}:\")));
        let missing = drives.find(|drive| fs::metadata(drive).is_err()).unwrap();

        assert_eq!(LocalDisk.destination(&missing.join(r"folder\a")), Err(Hresult::ERROR_DIRECTORY));
        assert_eq!(LocalDisk.destination(&missing.join("a")), Err(Hresult::ERROR_DIRECTORY));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_no_destination() {
        assert_eq!(LocalDisk.destination(Path::new("/dev/null")), Err(Hresult::E_INVALIDARG));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_that_takes_no_files_denies_access() {
        assert_eq!(LocalDisk.destination(Path::new("/proc/self/a")), Err(Hresult::E_ACCESSDENIED));
    }

    #[test]
    fn publishing_replaces_what_was_there_and_gives_the_servers_time() {
        let folder = folder();
        let (temporary, destination) = (folder.path().join("BIT1.tmp"), folder.path().join("a"));
        fs::write(&temporary, "new").unwrap();
        fs::write(&destination, "old").unwrap();
        let stamp = FileTime::from_unix_seconds(784_111_777);

        LocalDisk.publish(&temporary, &destination, 3, Some(stamp)).unwrap();

        assert_eq!(fs::read(&destination).unwrap(), b"new");
        assert_eq!(FileTime::from(fs::metadata(&destination).unwrap().modified().unwrap()), stamp);
        assert_eq!(entries(&folder), 1);
    }

    #[test]
    fn a_destination_that_is_protected_from_writing_is_not_replaced() {
        let folder = folder();
        let (temporary, destination) = (folder.path().join("BIT1.tmp"), folder.path().join("a"));
        fs::write(&temporary, "new").unwrap();
        fs::write(&destination, "old").unwrap();
        let mut permissions = fs::metadata(&destination).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&destination, permissions).unwrap();

        let published = LocalDisk.publish(&temporary, &destination, 3, None);

        assert_eq!(published, Err(Hresult::ERROR_ACCESS_DENIED));
        assert_eq!((fs::read(&destination).unwrap(), LocalDisk.length(&temporary)), (b"old".to_vec(), Ok(Some(3))));
    }

    #[test]
    fn what_cannot_be_published_keeps_its_temporary_file() {
        let folder = folder();
        let (temporary, destination) = (folder.path().join("BIT1.tmp"), folder.path().join("dir"));
        fs::write(&temporary, "new").unwrap();
        fs::create_dir(&destination).unwrap();

        assert!(LocalDisk.publish(&temporary, &destination, 3, None).unwrap_err().is_failure());
        assert_eq!(LocalDisk.length(&temporary), Ok(Some(3)));
    }

    #[test]
    fn a_file_that_was_cut_off_or_grew_is_not_published() {
        let folder = folder();
        let (temporary, destination) = (folder.path().join("BIT1.tmp"), folder.path().join("a"));
        fs::write(&temporary, "new").unwrap();

        for length in [2, 4] {
            let published = LocalDisk.publish(&temporary, &destination, length, None);
            assert_eq!(published, Err(ERROR_FILE_INVALID), "{length}");
        }
        assert_eq!(LocalDisk.length(&temporary), Ok(Some(3)));
        assert_eq!(LocalDisk.length(&destination), Ok(None));
    }

    #[test]
    fn a_file_is_gone_only_where_its_folder_can_be_looked_at() {
        let folder = folder();
        fs::write(folder.path().join("file"), "x").unwrap();
        // Windows does not tell a file where a folder should be from nothing at all.
        let in_a_file = if cfg!(windows) { Hresult::ERROR_PATH_NOT_FOUND } else { Hresult::ERROR_DIRECTORY };
        let table = [
            (folder.path().join("gone"), Ok(None)),
            (folder.path().join("no-folder/gone"), Err(Hresult::ERROR_PATH_NOT_FOUND)),
            (folder.path().join("file/gone"), Err(in_a_file)),
            (folder.path().to_owned(), Ok(None)),
        ];
        for (path, length) in table {
            assert_eq!(LocalDisk.length(&path), length, "{}", path.display());
        }
    }

    #[test]
    fn publishing_a_file_that_is_gone_says_so() {
        let folder = folder();
        let published = LocalDisk.publish(&folder.path().join("gone"), &folder.path().join("a"), 0, None);

        assert_eq!(published, Err(Hresult::ERROR_FILE_NOT_FOUND));
    }

    #[test]
    fn publishing_into_a_folder_that_is_gone_says_so() {
        let folder = folder();
        let temporary = folder.path().join("BIT1.tmp");
        fs::write(&temporary, "new").unwrap();

        let published = LocalDisk.publish(&temporary, &folder.path().join("gone/a"), 3, None);

        assert_eq!(published, Err(Hresult::ERROR_PATH_NOT_FOUND));
    }

    #[test]
    fn only_a_file_that_can_be_read_is_a_source() {
        let folder = folder();
        fs::write(folder.path().join("file"), "x").unwrap();
        let table = [
            (folder.path().join("file"), Ok(())),
            (folder.path().join("gone"), Err(Hresult::ERROR_FILE_NOT_FOUND)),
            (folder.path().join("no-folder/gone"), Err(Hresult::ERROR_PATH_NOT_FOUND)),
            (folder.path().to_owned(), Err(Hresult::E_INVALIDARG)),
        ];
        for (path, source) in table {
            assert_eq!(LocalDisk.source(&path), source, "{}", path.display());
        }
    }

    #[test]
    fn a_file_is_read_up_to_its_length_and_not_beyond() {
        let folder = folder();
        let path = folder.path().join("reply");
        fs::write(&path, "reply").unwrap();

        assert_eq!(LocalDisk.read(&path, 5), Ok(b"reply".to_vec()));
        assert_eq!(LocalDisk.read(&path, 6), Err(ERROR_FILE_INVALID));
        assert_eq!(LocalDisk.read(&folder.path().join("gone"), 0), Err(Hresult::ERROR_FILE_NOT_FOUND));
    }

    #[test]
    fn deleting_a_file_that_is_gone_is_no_error() {
        let folder = folder();
        let path = folder.path().join("BIT1.tmp");
        fs::write(&path, "x").unwrap();

        assert_eq!(LocalDisk.delete(&path), Ok(()));
        assert_eq!(LocalDisk.delete(&path), Ok(()));
        assert_eq!(LocalDisk.length(&path), Ok(None));
        assert!(LocalDisk.delete(folder.path()).is_err());
    }

    #[test]
    fn errors_have_the_codes_that_windows_gives() {
        let table = [
            (ErrorKind::StorageFull, Hresult::ERROR_DISK_FULL),
            (ErrorKind::PermissionDenied, Hresult::ERROR_ACCESS_DENIED),
            (ErrorKind::NotFound, Hresult::ERROR_FILE_NOT_FOUND),
            (ErrorKind::QuotaExceeded, Hresult(0x8007_050F)),
            (ErrorKind::ReadOnlyFilesystem, Hresult(0x8007_0013)),
        ];
        for (kind, code) in table {
            let failure = failure(Path::new("/a"), &io::Error::from(kind));
            assert_eq!((failure.code, failure.context, failure.transient), (code, ErrorContext::LOCAL_FILE, false));
        }
    }

    #[cfg(unix)]
    #[test]
    fn running_out_of_handles_passes_by_itself() {
        let failure = failure(Path::new("/a"), &io::Error::from_raw_os_error(24));

        assert_eq!((failure.code, failure.transient), (Hresult(0x8007_0004), true));
    }

    #[test]
    fn times_of_every_age_are_set_or_left_out() {
        for time in [FileTime::ZERO, FileTime(1), FileTime(u64::MAX), FileTime::from_unix_seconds(0)] {
            if let Some(time) = system_time(time) {
                assert!(FileTime::from(time).0 > 0);
            }
        }
    }
}
