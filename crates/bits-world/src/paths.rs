//! Windows paths on a machine that may not be Windows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which folder of this machine stands for each drive letter.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Drives(BTreeMap<char, PathBuf>);

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
    /// Lets `folder` stand for the drive `letter`.
    pub fn mount(&mut self, letter: char, folder: impl Into<PathBuf>) {
        self.0.insert(letter.to_ascii_uppercase(), folder.into());
    }

    /// Where the full path `local_name` leads: through a drive's folder for `C:\…` where one is
    /// mounted, as it stands for a native absolute path.
    ///
    /// # Errors
    /// [`LocalPathError`] for a relative path and for a drive that is not there.
    pub fn resolve(&self, local_name: &str) -> Result<PathBuf, LocalPathError> {
        if let Some((letter, rest)) = drive_path(local_name)
            && let Some(folder) = self.0.get(&letter)
        {
            return Ok(rest
                .split(['\\', '/'])
                .filter(|part| !part.is_empty())
                .fold(folder.clone(), |p, part| p.join(part)));
        }
        let path = Path::new(local_name);
        match (path.is_absolute(), drive_path(local_name)) {
            (true, _) => Ok(path.to_owned()),
            (false, Some(_)) => Err(LocalPathError::NoSuchDrive),
            (false, None) => Err(LocalPathError::NotFull),
        }
    }
}

/// Takes `C:\rest` apart.
fn drive_path(name: &str) -> Option<(char, &str)> {
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
    fn a_drive_that_is_not_mounted_leads_nowhere() {
        assert_eq!(drives().resolve(r"D:\a.bin"), Err(LocalPathError::NoSuchDrive));
    }

    #[test]
    fn relative_names_are_not_full_paths() {
        for name in ["a.bin", r"dir\a.bin", "C:a.bin", ""] {
            assert_eq!(drives().resolve(name), Err(LocalPathError::NotFull), "{name}");
        }
    }
}
