//! An emulator among the servers.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bits_emulator::Emulator;
use bits_emulator::api::{CertStoreLocation, ErrorContext, Hresult, Job, JobState, JobType};
use bits_emulator::world::{Certificate, World};
use tempfile::TempDir;

use super::servers::Servers;

pub(crate) const HOUR: Duration = Duration::from_hours(1);

/// What every server serves.
pub(crate) const LARGE: &str = "1m.bin";
pub(crate) const SMALL: &str = "text.txt";

/// The account that all of them know.
pub(crate) const NAME: &str = "alice";
pub(crate) const PASSWORD: &str = "Secr3t!pw";
pub(crate) const REALM: &str = "BITS.TEST";

/// An emulator that trusts the servers' authority, and drive C in a folder of its own.
pub(crate) struct Setup<'a> {
    pub(crate) emulator: Emulator,
    servers: &'a Servers,
    folder: TempDir,
}

impl<'a> Setup<'a> {
    pub(crate) fn new(servers: &'a Servers) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ca = fs::read_to_string(servers.ca()).expect("the authority");
        let world = |world: &mut World| {
            world.drives.mount('C', folder.path());
            world.kdcs.set(REALM, servers.host("KDC").parse().expect("a KDC"));
        };
        let emulator = Emulator::builder().trust(ca).world(world).start().expect("an emulator");
        Self { emulator, servers, folder }
    }

    /// A suspended job for these files of a server.
    pub(crate) fn job(&self, base: &str, files: &[&str]) -> Arc<dyn Job> {
        let manager = self.emulator.client("updater.exe").manager().expect("a manager");
        let job = manager.create_job(Some("peers"), JobType::DOWNLOAD).expect("a job").job;
        for file in files {
            job.add_file(Some(&format!("{base}/{file}")), Some(&format!(r"C:\{file}"))).expect("a file");
        }
        job
    }

    /// Lets the job run: what stops it, if anything does.
    pub(crate) fn run(&self, job: &Arc<dyn Job>) -> Result<(), (ErrorContext, Hresult)> {
        job.resume().expect("a job that can be resumed");
        let has_ended = || {
            let state = job.state().expect("a state");
            matches!(state, JobState::TRANSFERRED | JobState::ERROR | JobState::TRANSIENT_ERROR)
        };
        self.emulator.run_until(has_ended, HOUR).expect("the servers answer");
        match job.state().expect("a state") {
            JobState::TRANSFERRED => Ok(()),
            _ => Err(job.error().and_then(|error| error.error()).expect("an error")),
        }
    }

    /// Lets the job run, and see whether it ends as `expected`: with its files, or with this code.
    pub(crate) fn ends(&self, job: &Arc<dyn Job>, files: &[&str], expected: Result<(), Hresult>) -> Result<(), String> {
        let expected = expected.map_err(|code| (ErrorContext::REMOTE_FILE, code));
        match self.run(job) {
            ended if ended != expected => {
                // It would count towards what a user may have.
                _ = job.cancel();
                Err(format!("ends with {ended:?}, not {expected:?}"))
            }
            Ok(()) => self.complete(job, files),
            Err(_) => job.cancel().map(|_| ()).map_err(|code| format!("Cancel: {code}")),
        }
    }

    /// Puts a certificate into the personal store of the jobs' owner.
    pub(crate) fn put_certificate(&self, location: CertStoreLocation, certificate: Certificate) {
        let owner = self.emulator.user(Emulator::DEFAULT_USER).user;
        self.emulator.change_world(|world| world.certificates.add(location, "MY", &owner, certificate));
    }

    /// Completes the job and holds its files against the servers'.
    pub(crate) fn complete(&self, job: &Arc<dyn Job>, files: &[&str]) -> Result<(), String> {
        job.complete().map_err(|code| format!("Complete: {code}"))?;
        for file in files {
            let local = self.folder.path().join(file);
            if !same(&local, &self.servers.file("www").join(file)) {
                return Err(format!("{file} is not the server's"));
            }
            fs::remove_file(local).map_err(|error| format!("{file}: {error}"))?;
        }
        Ok(())
    }
}

fn same(one: &Path, other: &Path) -> bool {
    fs::read(one).is_ok_and(|bytes| fs::read(other).is_ok_and(|others| bytes == others))
}
