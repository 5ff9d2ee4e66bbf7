//! Questions about local files, asked before the service's lock is taken.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bits_api::{FileInfo, Hresult, JobType};
use bits_wire::attempt::{Disk, Probe};
use bits_world::World;

/// The answers to what AddFile asks: a slow or hanging folder holds up its caller alone.
pub(crate) struct Answers<'a> {
    disk: &'a dyn Disk,
    destinations: HashMap<PathBuf, Result<(), Hresult>>,
    sources: HashMap<PathBuf, Result<(), Hresult>>,
}

impl<'a> Answers<'a> {
    /// Asks whether each file with a local name could be made, or read if the job uploads.
    pub(crate) fn about(files: &[FileInfo<'_>], job_type: JobType, world: &World, disk: &'a dyn Disk) -> Self {
        let names = files.iter().map(|file| file.local_name);
        if job_type == JobType::DOWNLOAD {
            return Self { disk, destinations: destinations(names, world, disk), sources: HashMap::new() };
        }
        let sources = paths(names, world).map(|path| (path.clone(), disk.source(&path))).collect();
        Self { disk, destinations: HashMap::new(), sources }
    }

    /// Asks whether a file of this name could be made.
    pub(crate) fn about_destination(name: &str, world: &World, disk: &'a dyn Disk) -> Self {
        let destinations = destinations(std::iter::once(name), world, disk);
        Self { disk, destinations, sources: HashMap::new() }
    }
}

/// The names that lead somewhere.
fn paths<'n>(names: impl Iterator<Item = &'n str>, world: &World) -> impl Iterator<Item = PathBuf> {
    names.filter_map(|name| world.drives.resolve(name).ok())
}

fn destinations<'n>(
    names: impl Iterator<Item = &'n str>,
    world: &World,
    disk: &dyn Disk,
) -> HashMap<PathBuf, Result<(), Hresult>> {
    let paths: Vec<PathBuf> = paths(names, world).collect();
    let answers = disk.destinations(&paths);
    paths.into_iter().zip(answers).collect()
}

impl Probe for Answers<'_> {
    fn destination(&self, path: &Path) -> Result<(), Hresult> {
        match self.destinations.get(path) {
            Some(answer) => *answer,
            // The world has changed between question and call.
            None => self.disk.destination(path),
        }
    }

    fn source(&self, path: &Path) -> Result<(), Hresult> {
        match self.sources.get(path) {
            Some(answer) => *answer,
            None => self.disk.source(path),
        }
    }

    fn length(&self, path: &Path) -> Result<Option<u64>, Hresult> {
        self.disk.length(path)
    }

    fn is_there(&self, path: &Path) -> bool {
        self.disk.is_there(path)
    }
}
