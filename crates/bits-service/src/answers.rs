//! Questions about local files, asked before the service's lock is taken.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bits_api::{FileInfo, Hresult};
use bits_wire::attempt::{Disk, Probe};
use bits_world::World;

/// The answers to what AddFile asks: a slow or hanging folder holds up its caller alone.
pub(crate) struct Answers<'a> {
    disk: &'a dyn Disk,
    destinations: HashMap<PathBuf, Result<(), Hresult>>,
}

impl<'a> Answers<'a> {
    /// Asks for the destination of each file that has one.
    pub(crate) fn about(files: &[FileInfo<'_>], world: &World, disk: &'a dyn Disk) -> Self {
        let paths = files.iter().filter_map(|file| world.drives.resolve(file.local_name).ok());
        let destinations = paths.map(|path| {
            let answer = disk.destination(&path);
            (path, answer)
        });
        Self { disk, destinations: destinations.collect() }
    }
}

impl Probe for Answers<'_> {
    fn destination(&self, path: &Path) -> Result<(), Hresult> {
        match self.destinations.get(path) {
            Some(answer) => *answer,
            // The world has changed between question and call.
            None => self.disk.destination(path),
        }
    }

    fn length(&self, path: &Path) -> Result<Option<u64>, Hresult> {
        self.disk.length(path)
    }
}
