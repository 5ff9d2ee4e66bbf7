//! Names on drives, which Windows finds in any case (decision
//! `struct.file_info.local_case`).

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use bits_wire::attempt::Disk;
use bits_world::LocalStorage;

/// Where `path` is: on a drive of `storage`, with its folders as `disk` spells them.
pub fn find_on_drive(disk: &impl Disk, storage: &LocalStorage, path: PathBuf) -> PathBuf {
    match storage.drive_of(&path) {
        Some(root) => of_folders(disk, &root, &path),
        None => path,
    }
}

/// `path`, which lies in `root`, with each of its folders as the disk spells it: the one of just
/// this name, or else the first that has it in another case. What nothing has stays as it is.
fn of_folders(disk: &impl Disk, root: &Path, path: &Path) -> PathBuf {
    let Some((folder, name)) = path.parent().zip(path.file_name()) else { return path.to_owned() };
    let Ok(parts) = folder.strip_prefix(root) else { return path.to_owned() };
    let found = parts.iter().fold(root.to_owned(), |folder, part| folder.join(of(disk, &folder, part)));
    found.join(name)
}

/// A file with the name of `path` in another case, unless there is one of just this name.
pub(crate) fn twin(disk: &impl Disk, path: &Path) -> Option<PathBuf> {
    let (folder, name) = path.parent().zip(path.file_name())?;
    let spelled = folder.join(of(disk, folder, name));
    (spelled != path).then_some(spelled)
}

fn of(disk: &impl Disk, folder: &Path, name: &OsStr) -> PathBuf {
    if disk.has(&folder.join(name)) {
        return name.into();
    }
    let wanted = name.to_string_lossy().to_lowercase();
    let mut names = disk.names_in(folder);
    names.sort_unstable();
    let found = names.into_iter().find(|found| found.to_string_lossy().to_lowercase() == wanted);
    found.map_or_else(|| name.into(), PathBuf::from)
}
