//! Which users may use which local folders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::Sid;

/// The access control lists of the emulated machine: a folder without one is open to everybody.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Permissions(BTreeMap<PathBuf, BTreeSet<Sid>>);

impl Permissions {
    /// Lets these users alone use what is in or below `folder`, a native path (see
    /// [`Drives::resolve`](crate::Drives::resolve)). The innermost folder with a list counts.
    pub fn allow_only(&mut self, folder: impl Into<PathBuf>, users: impl IntoIterator<Item = Sid>) {
        self.0.insert(folder.into(), users.into_iter().collect());
    }

    /// Takes the list of `folder` away.
    pub fn allow_everybody(&mut self, folder: &Path) {
        self.0.remove(folder);
    }

    /// Whether `user` may make, write and rename the file `path`.
    pub fn allow(&self, user: &Sid, path: &Path) -> bool {
        let list = || path.ancestors().find_map(|folder| self.0.get(folder));
        self.0.is_empty() || list().is_none_or(|users| users.contains(user))
    }
}
