//! File servers, and the remote names that lead to files instead of to the web.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Drives, Sid};

/// The file servers that the machine can reach, by their names in any case.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Shares(Arc<BTreeMap<String, FileServer>>);

/// A file server: a new one is online, knows every user, and has no shares.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileServer {
    /// Whether anybody answers.
    pub online: bool,
    /// Who can log on; `None` is everybody.
    pub accounts: Option<BTreeSet<Sid>>,
    /// By their names in lower case.
    shares: BTreeMap<String, Share>,
}

/// A folder that a server shares.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Share {
    folder: PathBuf,
    /// Who may read; `None` is everybody.
    readers: Option<BTreeSet<Sid>>,
}

impl Default for FileServer {
    fn default() -> Self {
        Self { online: true, accounts: None, shares: BTreeMap::new() }
    }
}

/// Why a file of a server cannot be had.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ShareError {
    /// Nobody answers to the name of the server.
    NoSuchServer,
    /// The server has no share of that name.
    NoSuchShare,
    /// The server does not know the user.
    UnknownUser,
    /// The user may not use the share.
    Denied,
    /// The drive is not there.
    NoSuchDrive,
}

impl Shares {
    /// Lets `folder`, a native path, be the share `\\server\share`.
    pub fn share(&mut self, server: &str, share: &str, folder: impl Into<PathBuf>) {
        let share = (share.to_lowercase(), Share { folder: folder.into(), readers: None });
        self.server(server).shares.extend([share]);
    }

    /// The server of that name, which is there from now on.
    pub fn server(&mut self, name: &str) -> &mut FileServer {
        Arc::make_mut(&mut self.0).entry(name.to_lowercase()).or_default()
    }

    /// Where a file of a share is, as `user` finds it.
    ///
    /// # Errors
    /// [`ShareError`]
    pub fn resolve(&self, user: &Sid, name: &UncName<'_>) -> Result<PathBuf, ShareError> {
        let server = self.0.get(&name.server.to_lowercase()).filter(|server| server.online);
        let server = server.ok_or(ShareError::NoSuchServer)?;
        if !allows(server.accounts.as_ref(), user) {
            return Err(ShareError::UnknownUser);
        }
        let share = server.shares.get(&name.share.to_lowercase()).ok_or(ShareError::NoSuchShare)?;
        if !allows(share.readers.as_ref(), user) {
            return Err(ShareError::Denied);
        }
        Ok(below(&share.folder, name.path))
    }
}

impl FileServer {
    /// Lets these users alone read a share.
    pub fn allow_only(&mut self, share: &str, users: impl IntoIterator<Item = Sid>) {
        if let Some(share) = self.shares.get_mut(&share.to_lowercase()) {
            share.readers = Some(users.into_iter().collect());
        }
    }
}

fn allows(list: Option<&BTreeSet<Sid>>, user: &Sid) -> bool {
    list.is_none_or(|users| users.contains(user))
}

/// `folder` with the parts of a Windows path behind it.
pub(crate) fn below(folder: &Path, path: &str) -> PathBuf {
    parts(path).fold(folder.to_owned(), |folder, part| folder.join(part))
}

/// The parts of a Windows path as files have them: without the dots and spaces at their ends,
/// which Windows drops.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split(['\\', '/']).map(|part| part.trim_end_matches([' ', '.'])).filter(|part| !part.is_empty())
}

/// `\\server\share\path`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UncName<'a> {
    /// The server.
    pub server: &'a str,
    /// The share.
    pub share: &'a str,
    /// The file in it.
    pub path: &'a str,
}

impl<'a> UncName<'a> {
    /// Takes a full name apart, without a look at the characters in it.
    pub fn parse(name: &'a str) -> Option<Self> {
        Self::of(name.strip_prefix(r"\\")?)
    }

    fn of(rest: &'a str) -> Option<Self> {
        let (server, rest) = rest.split_once(['\\', '/'])?;
        let (share, path) = rest.split_once(['\\', '/'])?;
        // Names of devices, and what is there for other programs than file services.
        let is_file = !["?", ".", ""].contains(&server) && !["", "pipe", "mailslot"].contains(&&*share.to_lowercase());
        is_file.then_some(Self { server, share, path })
    }
}

/// A remote name that leads to a file: of a share, or of a drive of this machine (clauses
/// `struct.file_info.remote_smb_forms`, `job.addfile.local-path-remote`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FileName<'a> {
    /// Of a share.
    Unc(UncName<'a>),
    /// Of a drive, as a full path.
    Drive(&'a str),
}

impl<'a> FileName<'a> {
    /// The file that a remote name leads to: a UNC name, a full path on a drive, or either behind
    /// `file://`; `None` for any other name.
    pub fn parse(name: &'a str) -> Option<Self> {
        const SCHEME: &str = "file://";
        let rest = match name.get(..SCHEME.len()) {
            Some(scheme) if scheme.eq_ignore_ascii_case(SCHEME) => &name[SCHEME.len()..],
            _ => return UncName::parse(name).map(Self::Unc).or_else(|| drive(name)),
        };
        drive(rest)
            .or_else(|| drive(rest.strip_prefix('/')?))
            .or_else(|| UncName::parse(rest).or_else(|| UncName::of(rest)).map(Self::Unc))
    }

    /// What follows the server or the drive letter.
    pub fn path(&self) -> &'a str {
        match self {
            Self::Unc(name) => name.path,
            Self::Drive(path) => &path[3..],
        }
    }

    /// Where the file is, as `user` finds it.
    ///
    /// # Errors
    /// [`ShareError`]
    pub fn resolve(&self, user: &Sid, shares: &Shares, drives: &Drives) -> Result<PathBuf, ShareError> {
        match self {
            Self::Unc(name) => shares.resolve(user, name),
            Self::Drive(path) => drives.resolve(path).map_err(|_| ShareError::NoSuchDrive),
        }
    }
}

fn drive(name: &str) -> Option<FileName<'_>> {
    crate::paths::drive_path(name).map(|_| FileName::Drive(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares() -> Shares {
        let mut shares = Shares::default();
        shares.share("Files", "Public", "/srv/public");
        shares
    }

    fn find(shares: &Shares, name: &str) -> Result<PathBuf, ShareError> {
        shares.resolve(&Sid::of_name("user"), &UncName::parse(name).unwrap())
    }

    #[test]
    fn a_name_leads_into_the_folder_of_its_share_in_any_case() {
        assert_eq!(find(&shares(), r"\\FILES\public\dir\a.bin"), Ok(PathBuf::from("/srv/public/dir/a.bin")));
        assert_eq!(find(&shares(), r"\\files/Public/dir/a. "), Ok(PathBuf::from("/srv/public/dir/a")));
    }

    #[test]
    fn servers_and_shares_that_are_not_there_lead_nowhere() {
        let mut shares = shares();
        assert_eq!(find(&shares, r"\\other\public\a"), Err(ShareError::NoSuchServer));
        assert_eq!(find(&shares, r"\\files\other\a"), Err(ShareError::NoSuchShare));
        shares.server("files").online = false;
        assert_eq!(find(&shares, r"\\files\public\a"), Err(ShareError::NoSuchServer));
    }

    #[test]
    fn only_users_who_are_known_and_allowed_get_in() {
        let (user, other) = (Sid::of_name("user"), Sid::of_name("other"));
        let mut shares = shares();
        shares.server("files").allow_only("public", [other.clone()]);
        assert_eq!(find(&shares, r"\\files\public\a"), Err(ShareError::Denied));
        shares.server("files").accounts = Some([other].into());
        assert_eq!(find(&shares, r"\\files\public\a"), Err(ShareError::UnknownUser));
        shares.server("files").accounts = Some([user.clone()].into());
        shares.server("files").allow_only("public", [user]);
        assert!(find(&shares, r"\\files\public\a").is_ok());
    }

    #[test]
    fn every_form_of_a_file_is_known_and_nothing_else() {
        let unc = |server, share, path| Some(FileName::Unc(UncName { server, share, path }));
        let table = [
            (r"\\server\share\dir\a", unc("server", "share", r"dir\a")),
            ("file://server/share/a", unc("server", "share", "a")),
            (r"FILE://\\server\share\a", unc("server", "share", "a")),
            (r"C:\dir\a", Some(FileName::Drive(r"C:\dir\a"))),
            (r"file://C:\dir\a", Some(FileName::Drive(r"C:\dir\a"))),
            ("file:///C:/dir/a", Some(FileName::Drive("C:/dir/a"))),
            (r"\\server\share", None),
            (r"\\?\C:\a", None),
            (r"\\.\PhysicalDrive0\a\b", None),
            (r"\\server\pipe\a", None),
            ("file:///a", None),
            ("file:///dir/a/b", None),
            ("C:a", None),
            ("/a/b/c", None),
            ("http://server/share/a", None),
            ("", None),
        ];
        for (name, expected) in table {
            assert_eq!(FileName::parse(name), expected, "{name}");
        }
    }
}
