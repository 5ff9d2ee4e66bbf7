//! A job of one file, from its creation to its end.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bits_emulator::api::{
    Callback, Hresult, Job, JobError, JobPriority, JobState, JobType, Manager, Success, callback_object,
};

use crate::Result;

/// So long may one job take.
const PATIENCE: Duration = Duration::from_mins(10);

/// A job that is on its way; without its end it is cancelled.
pub(crate) struct Download {
    job: Arc<dyn Job>,
    rung: Receiver<()>,
    is_complete: bool,
}

impl Download {
    pub(crate) fn begin(manager: &Arc<dyn Manager>, url: &str, local: &Path) -> Result<Self> {
        let job = manager.create_job(Some("benchmark"), JobType::DOWNLOAD)?.job;
        let (bell, rung) = Bell::new();
        let download = Self { job, rung, is_complete: false };
        let Self { job, .. } = &download;
        job.set_priority(JobPriority::FOREGROUND)?;
        job.add_file(Some(url), Some(&local.to_string_lossy()))?;
        job.set_notify_interface(Some(callback_object(bell)))?;
        fail_at_once(job)?;
        job.resume()?;
        Ok(download)
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        self.rung.recv_timeout(PATIENCE)?;
        match self.job.state()? {
            JobState::TRANSFERRED => {}
            _ => return Err(self.job.error()?.error()?.1.into()),
        }
        self.job.complete()?;
        self.is_complete = true;
        Ok(())
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        if !self.is_complete {
            // Why it has failed is worth more than that it cannot be taken away either.
            _ = self.job.cancel();
        }
    }
}

/// Makes of a passing error, of which nobody is told, one that ends the job.
fn fail_at_once(job: &Arc<dyn Job>) -> Result<()> {
    match job.set_no_progress_timeout(0) {
        // A BITS without the method is not kept from being measured.
        Ok(_) | Err(Hresult::E_NOTIMPL) => Ok(()),
        Err(code) => Err(code.into()),
    }
}

/// Rings when a job is at its end.
struct Bell(Mutex<Sender<()>>);

impl Bell {
    fn new() -> (Arc<Self>, Receiver<()>) {
        let (sender, receiver) = channel();
        (Arc::new(Self(Mutex::new(sender))), receiver)
    }

    fn ring(&self) -> std::result::Result<Success, Hresult> {
        let sender = self.0.lock().map_err(|_| Hresult::E_UNEXPECTED)?;
        // Whoever waits no longer has given up.
        _ = sender.send(());
        Ok(Success::OK)
    }
}

impl Callback for Bell {
    fn job_transferred(&self, _job: Arc<dyn Job>) -> std::result::Result<Success, Hresult> {
        self.ring()
    }

    fn job_error(&self, _job: Arc<dyn Job>, _error: Arc<dyn JobError>) -> std::result::Result<Success, Hresult> {
        self.ring()
    }

    fn job_modification(&self, _job: Arc<dyn Job>) -> std::result::Result<Success, Hresult> {
        Ok(Success::OK)
    }
}
