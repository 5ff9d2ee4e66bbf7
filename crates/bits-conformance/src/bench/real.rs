//! Real bytes: an origin on loopback and a folder of this machine.

use std::path::PathBuf;
use std::sync::Arc;

use bits_api::{Job, JobPriority, JobState};
use bits_origin::{Content, Fault, Origin, Rule, Script};
use bits_world::clock::Clock;

use super::{Bench, Outside, SOON};
use crate::claims::{Outcome, Stop, failed};
use crate::provider::Capability;

/// An origin, and the folder that downloads go to.
pub(super) struct Real {
    folder: tempfile::TempDir,
    /// What a file server shares.
    shared: tempfile::TempDir,
    origin: Arc<Origin>,
    is_trusted: bool,
}

impl Bench {
    /// An origin with its clock; from now on files have bytes. Comes before the first call.
    pub(crate) fn origin(&mut self) -> Result<Arc<Origin>, Stop> {
        self.before_start("the origin")?;
        let impossible = |error: std::io::Error| Stop::Failed(format!("no origin or no folder for it: {error}"));
        let folder = tempfile::tempdir().map_err(impossible)?;
        let shared = tempfile::tempdir().map_err(impossible)?;
        let origin = Arc::new(Origin::start(Clock::Virtual(Arc::clone(&self.clock))).map_err(impossible)?);
        self.outside = Outside::Real(Real { folder, shared, origin: Arc::clone(&origin), is_trusted: false });
        Ok(origin)
    }

    /// The machine trusts the authority of the origin's certificate.
    pub(crate) fn trust_origin(&mut self) -> Outcome {
        self.can(Capability::TrustedRoot)?;
        self.before_start("a trusted root")?;
        match &mut self.outside {
            Outside::Real(real) => {
                real.is_trusted = true;
                Ok(())
            }
            Outside::Simulated(_) => failed("there is no origin to trust"),
        }
    }

    /// Another origin on the same clock, which stands by as a proxy.
    pub(crate) fn proxy(&self) -> Result<Arc<Origin>, Stop> {
        let impossible = |error: std::io::Error| Stop::Failed(format!("no proxy: {error}"));
        Ok(Arc::new(Origin::start(Clock::Virtual(Arc::clone(&self.clock))).map_err(impossible)?))
    }

    /// Lets `fault` befall the requests with `method` to `path`.
    pub(crate) fn fault(&self, method: &str, path: &str, fault: Fault) -> Outcome {
        self.follow(Rule::on(path).method(method).fault(fault))
    }

    /// Lets `fault` befall the next so many requests with `method` to `path`.
    pub(crate) fn fault_times(&self, method: &str, path: &str, fault: Fault, times: u64) -> Outcome {
        self.follow(Rule::on(path).method(method).times(times).fault(fault))
    }

    /// Lets the origin follow a rule; of several, the first that matches a request counts.
    pub(crate) fn follow(&self, rule: Rule) -> Outcome {
        let Outside::Real(real) = &self.outside else { return failed("there is no origin with faults") };
        real.origin.script(Script::new().rule(rule));
        Ok(())
    }

    /// Lets the origin send whoever asks for `path` to `location`.
    pub(crate) fn redirect(&self, path: &str, status: u16, location: &str) -> Outcome {
        let header = Fault::Header("Location".to_owned(), location.to_owned());
        self.follow(Rule::on(path).fault(Fault::Status { code: status, retry_after: None }).fault(header))
    }

    /// A suspended job of that priority for one file of the origin.
    pub(crate) fn job_for(&self, url: &str, priority: JobPriority) -> Result<Arc<dyn Job>, Stop> {
        let job = self.new_job()?;
        job.set_priority(priority)?;
        job.add_file(Some(url), Some(&self.local("download.bin")))?;
        Ok(job)
    }

    /// Serves `content` at `/file`, downloads it at that priority, and waits for `state`.
    pub(crate) fn download(
        &self,
        origin: &Origin,
        content: Content,
        priority: JobPriority,
        state: JobState,
    ) -> Result<Arc<dyn Job>, Stop> {
        origin.put("/file", content);
        let job = self.job_for(&origin.url("/file"), priority)?;
        job.resume()?;
        self.wait(&job, state, SOON)?;
        Ok(job)
    }

    /// The bytes of the downloaded file.
    pub(crate) fn downloaded(&self) -> Result<Vec<u8>, Stop> {
        let path = self.data_folder().join("download.bin");
        std::fs::read(&path).map_err(|error| Stop::Failed(format!("{}: {error}", path.display())))
    }
}

impl Real {
    pub(super) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub(super) fn shared(&self) -> PathBuf {
        self.shared.path().to_owned()
    }

    /// PEM certificates that the machine trusts beside its own.
    pub(super) fn trusted(&self) -> Vec<String> {
        self.is_trusted.then(|| self.origin.ca_pem().to_owned()).into_iter().collect()
    }

    /// Names and lengths of the files in the folder.
    pub(super) fn files(&self) -> Result<Vec<(String, u64)>, Stop> {
        let unreadable = |error: std::io::Error| Stop::Failed(format!("the local folder cannot be read: {error}"));
        let mut files = Vec::new();
        for entry in std::fs::read_dir(self.folder.path()).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            files.push((entry.file_name().to_string_lossy().into_owned(), entry.metadata().map_err(unreadable)?.len()));
        }
        files.sort();
        Ok(files)
    }
}
