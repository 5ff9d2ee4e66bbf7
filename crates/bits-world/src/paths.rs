//! Windows paths on a machine that may not be Windows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::shares::below;

/// Which folder of this machine stands for each drive letter, and which volumes a disk check has
/// locked.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Drives {
    /// Nothing for a drive that was taken away: it is gone, also where the machine has one of that letter.
    mounts: Arc<BTreeMap<Volume, Option<Mount>>>,
    locked: BTreeSet<Volume>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Mount {
    folder: PathBuf,
    serial: u32,
}

/// A volume, by its drive letter.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Volume(char);

impl Volume {
    /// The volume of this drive letter, in either case.
    pub fn new(letter: char) -> Self {
        Self(letter.to_ascii_uppercase())
    }

    /// The volume that a local name leads to; native absolute paths and network paths lead to none.
    pub fn of(local_name: &str) -> Option<Self> {
        drive_path(local_name).map(|(letter, _)| Self(letter))
    }
}

/// Why a local name leads nowhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LocalPathError {
    /// Not a full path.
    NotFull,
    /// No folder stands for the drive letter.
    NoSuchDrive,
}

impl Drives {
    /// Lets `folder` stand for the drive `letter`. It is the volume that was there before, if any:
    /// see [`Drives::exchange`].
    pub fn mount(&mut self, letter: char, folder: impl Into<PathBuf>) {
        self.put(Volume::new(letter), folder.into(), 0);
    }

    /// Puts another volume, with its own `folder`, in the place of the one that has the letter
    /// (clause `files.volume_changed`). Serial numbers tell volumes apart; [`Drives::mount`] gives 0.
    pub fn exchange(&mut self, letter: char, folder: impl Into<PathBuf>, serial: u32) {
        self.put(Volume::new(letter), folder.into(), serial);
    }

    fn put(&mut self, volume: Volume, folder: PathBuf, serial: u32) {
        Arc::make_mut(&mut self.mounts).insert(volume, Some(Mount { folder, serial }));
    }

    /// Takes the volume of a drive away. On Windows, a drive of the machine with this letter is not
    /// there either.
    pub fn unmount(&mut self, letter: char) {
        Arc::make_mut(&mut self.mounts).insert(Volume::new(letter), None);
    }

    fn mounted(&self, volume: Volume) -> Option<&Mount> {
        self.mounts.get(&volume)?.as_ref()
    }

    /// The folders that stand for drives.
    pub(crate) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.mounts.values().flatten().map(|mount| &*mount.folder)
    }

    /// Whether a local name leads to a drive that a folder stands for.
    pub fn is_mounted(&self, local_name: &str) -> bool {
        Volume::of(local_name).is_some_and(|volume| self.mounted(volume).is_some())
    }

    /// The serial number of a volume, while it is there.
    pub fn serial(&self, volume: Volume) -> Option<u32> {
        self.mounted(volume).map(|mount| mount.serial)
    }

    /// Locks a volume, as a disk check does, or lets go of it (clause `files.volume_locked`).
    pub fn set_locked(&mut self, volume: Volume, is_locked: bool) {
        if is_locked {
            self.locked.insert(volume);
        } else {
            self.locked.remove(&volume);
        }
    }

    /// The volumes that are locked.
    pub fn locked(&self) -> impl Iterator<Item = Volume> {
        self.locked.iter().copied()
    }

    /// Where the full path `local_name` leads: through a drive's folder for `C:\…` where one is
    /// mounted, as it stands for a native absolute path. On Windows, drives that the world does not
    /// speak of are those of the machine.
    ///
    /// # Errors
    /// [`LocalPathError`] for a relative path and for a drive that is not there.
    pub fn resolve(&self, local_name: &str) -> Result<PathBuf, LocalPathError> {
        let path = Path::new(local_name);
        match drive_path(local_name) {
            Some((letter, rest)) => match self.mounts.get(&Volume(letter)) {
                Some(Some(mount)) => Ok(below(&mount.folder, rest)),
                None if path.is_absolute() => Ok(below(Path::new(&format!(r"{letter}:\")), rest)),
                Some(None) | None => Err(LocalPathError::NoSuchDrive),
            },
            None if path.is_absolute() => Ok(path.to_owned()),
            None => Err(LocalPathError::NotFull),
        }
    }
}

/// Takes `C:\rest` apart.
pub(crate) fn drive_path(name: &str) -> Option<(char, &str)> {
    let mut chars = name.chars();
    let letter = chars.next().filter(char::is_ascii_alphabetic)?;
    let rest = chars.as_str().strip_prefix(':')?;
    rest.starts_with(['\\', '/']).then(|| (letter.to_ascii_uppercase(), &rest[1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drives() -> Drives {
        let mut drives = Drives::default();
        drives.mount('c', "/tmp/c");
        drives
    }

    #[test]
    fn a_windows_path_leads_into_its_drives_folder() {
        assert_eq!(drives().resolve(r"C:\dir\a.bin"), Ok(PathBuf::from("/tmp/c/dir/a.bin")));
    }

    #[test]
    fn slashes_of_both_kinds_separate_and_ends_of_dots_and_spaces_are_dropped() {
        for name in ["c:/dir/a.bin", r"C:\dir\\a.bin", r"C:\dir.\a.bin. .", r"C:\dir \a.bin "] {
            assert_eq!(drives().resolve(name), Ok(PathBuf::from("/tmp/c/dir/a.bin")), "{name}");
        }
    }

    #[test]
    fn a_drive_has_the_volume_that_was_put_there_last() {
        let mut drives = drives();
        assert_eq!(drives.serial(Volume::new('c')), Some(0));
        drives.exchange('C', "/tmp/other", 7);
        assert_eq!(drives.serial(Volume::new('c')), Some(7));
        assert_eq!(drives.resolve(r"C:\a"), Ok(PathBuf::from("/tmp/other/a")));
        drives.unmount('c');
        assert_eq!(
            (drives.serial(Volume::new('c')), drives.resolve(r"C:\a")),
            (None, Err(LocalPathError::NoSuchDrive))
        );
    }

    #[test]
    fn a_drive_that_was_taken_away_leads_nowhere() {
        let mut drives = drives();
        drives.unmount('D');
        assert_eq!(drives.resolve(r"D:\a.bin"), Err(LocalPathError::NoSuchDrive));
        assert!(!drives.is_mounted(r"D:\a.bin"));
    }

    #[cfg(not(windows))]
    #[test]
    fn a_drive_that_is_not_mounted_leads_nowhere() {
        assert_eq!(drives().resolve(r"D:\a.bin"), Err(LocalPathError::NoSuchDrive));
    }

    #[cfg(windows)]
    #[test]
    fn a_drive_that_is_not_mounted_is_the_machines_own() {
        for name in [r"D:\dir\a.bin", "d:/dir//a.bin. "] {
            assert_eq!(drives().resolve(name), Ok(PathBuf::from(r"D:\dir\a.bin")), "{name}");
        }
    }

    #[test]
    fn a_volume_is_known_by_its_letter_in_either_case() {
        assert_eq!(Volume::of(r"c:\dir\a.bin"), Some(Volume::new('C')));
        assert_eq!(Volume::of("/tmp/a.bin"), None);
        assert_eq!(Volume::of(r"\\server\share\a.bin"), None);
    }

    #[test]
    fn a_locked_volume_is_locked_until_it_is_let_go() {
        let mut drives = drives();
        drives.set_locked(Volume::new('c'), true);
        assert_eq!(drives.locked().collect::<Vec<_>>(), [Volume::new('C')]);
        drives.set_locked(Volume::new('C'), false);
        assert_eq!(drives.locked().count(), 0);
    }

    #[test]
    fn relative_names_are_not_full_paths() {
        for name in ["a.bin", r"dir\a.bin", "C:a.bin", ""] {
            assert_eq!(drives().resolve(name), Err(LocalPathError::NotFull), "{name}");
        }
    }
}
