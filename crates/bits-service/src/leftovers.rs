//! What a test has not cleaned up.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bits_engine::{Config, Cx, Engine, LeftJob};
use bits_wire::attempt::{Disk, Probe};
use bits_world::Decisions;

use crate::emulator::{Emulator, Inner};
use crate::failure::StartError;

/// Jobs that were neither completed nor cancelled, and temporary files that are still there.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Leftovers {
    /// The jobs of all users, in the order of their creation.
    pub jobs: Vec<LeftJob>,
    /// Temporary files of those jobs, and those that could not be deleted with theirs.
    pub files: Vec<PathBuf>,
}

impl Leftovers {
    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty() && self.files.is_empty()
    }
}

impl fmt::Display for Leftovers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing is left");
        }
        for LeftJob { id, name, owner, state } in &self.jobs {
            writeln!(f, "job {id} ({name:?}) of {owner} is left in {state}")?;
        }
        self.files.iter().try_for_each(|file| writeln!(f, "temporary file {} is left", file.display()))
    }
}

/// Fails its test when it is dropped and something is left: see [`Emulator::no_leftovers`].
#[must_use = "what is left is looked for when this is dropped"]
#[derive(Debug)]
pub struct NoLeftovers<'a>(&'a Emulator);

impl Drop for NoLeftovers<'_> {
    fn drop(&mut self) {
        // A test that fails already says more by its own words.
        if std::thread::panicking() {
            return;
        }
        match self.0.leftovers() {
            Ok(left) if left.is_empty() => {}
            Ok(left) => panic!("the test has not cleaned up:\n{left}"),
            Err(error) => panic!("nobody can tell what is left: {error}"),
        }
    }
}

impl Emulator {
    /// What is left in the queue and beside the destinations, also while the service is stopped.
    ///
    /// # Errors
    /// [`StartError`] when the queue of a stopped service cannot be read.
    pub fn leftovers(&self) -> Result<Leftovers, StartError> {
        self.inner().leftovers()
    }

    /// A guard that panics when it is dropped and something is left, unless its thread panics
    /// already.
    pub fn no_leftovers(&self) -> NoLeftovers<'_> {
        NoLeftovers(self)
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").finish_non_exhaustive()
    }
}

impl Inner {
    pub(crate) fn leftovers(&self) -> Result<Leftovers, StartError> {
        match self.service() {
            Some(service) => {
                let left = service.with_core(|core| (core.engine.left_jobs(), core.engine.temporary_files()));
                let (jobs, files) = left.unwrap_or_default();
                Ok(self.present(jobs, files, &*service.disk))
            }
            None => self.with_stopped_queue(|saved, world, disk| {
                let cx = Cx { now: self.clock().now(), world, probe: disk as &dyn Probe };
                // The test has not asked for a decision by looking.
                let config = Config { decisions: Decisions::default(), ..self.config().clone() };
                let engine = Engine::restore(config, saved, cx);
                self.present(engine.left_jobs(), engine.temporary_files(), disk)
            }),
        }
    }

    /// Of the files only those that are there.
    fn present(&self, jobs: Vec<LeftJob>, files: Vec<PathBuf>, disk: &dyn Disk) -> Leftovers {
        let all: BTreeSet<PathBuf> = files.into_iter().chain(self.undeleted().paths()).collect();
        // One that nobody can look at may well be there.
        let is_there = |path: &PathBuf| !matches!(disk.length(path), Ok(None));
        Leftovers { jobs, files: all.into_iter().filter(is_there).collect() }
    }
}

/// Files that the service was to delete and could not; outlives restarts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Undeleted(Arc<Mutex<BTreeSet<PathBuf>>>);

impl Undeleted {
    pub(crate) fn add(&self, path: PathBuf) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
    }

    fn paths(&self) -> BTreeSet<PathBuf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
