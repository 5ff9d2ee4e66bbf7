//! The jobs that a run has made in a queue that outlives it.
//!
//! What is not in here belongs to somebody else, and is never touched.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bits_api::{CreatedJob, EnumJobs, EnumJobsFlags, Guid, Hresult, Job, JobType, LanguageId, Manager};
use bits_api::{PeerCacheAdministration, Success};

/// The jobs of each bench, by its number.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<BTreeMap<u64, Vec<Guid>>>);

impl Ledger {
    /// The jobs of that bench, oldest first.
    pub(crate) fn of(&self, bench: u64) -> Vec<Guid> {
        self.lock().get(&bench).cloned().unwrap_or_default()
    }

    /// Cancels the jobs of that bench, as far as they are still there.
    pub(crate) fn clear(&self, bench: u64, manager: &dyn Manager) {
        let jobs = self.lock().remove(&bench).unwrap_or_default();
        for id in jobs {
            let Ok(job) = manager.job(id) else { continue };
            if let Err(code) = cancel(&*job) {
                eprintln!("bits-conformance: the job {id} stays behind, Cancel gives {code}");
            }
        }
    }

    /// Cancels all jobs that are left.
    pub(crate) fn clear_all(&self, manager: &dyn Manager) {
        let benches: Vec<u64> = self.lock().keys().copied().collect();
        for bench in benches {
            self.clear(bench, manager);
        }
    }

    fn note(&self, bench: u64, job: Guid) {
        self.lock().entry(bench).or_default().push(job);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Vec<Guid>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cancels a job; one that has come to its end already is as good.
pub(crate) fn cancel(job: &dyn Job) -> Result<Success, Hresult> {
    match job.cancel() {
        Err(Hresult::BG_E_INVALID_STATE) => Ok(Success::OK),
        ended => ended,
    }
}

/// A manager that enters what is created through it for one bench.
#[derive(Debug)]
pub(crate) struct Noting {
    pub(crate) manager: Arc<dyn Manager>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) bench: u64,
}

impl Manager for Noting {
    fn create_job(&self, display_name: Option<&str>, job_type: JobType) -> Result<CreatedJob, Hresult> {
        let created = self.manager.create_job(display_name, job_type)?;
        self.ledger.note(self.bench, created.id);
        Ok(created)
    }

    fn job(&self, id: Guid) -> Result<Arc<dyn Job>, Hresult> {
        self.manager.job(id)
    }

    fn enum_jobs(&self, flags: EnumJobsFlags) -> Result<Arc<EnumJobs>, Hresult> {
        self.manager.enum_jobs(flags)
    }

    fn peer_cache_administration(&self) -> Result<Arc<dyn PeerCacheAdministration>, Hresult> {
        self.manager.peer_cache_administration()
    }

    fn error_description(&self, code: Hresult, language: LanguageId) -> Result<String, Hresult> {
        self.manager.error_description(code, language)
    }
}
