//! The jobs of a run: made or taken up, led to their end, or cancelled.

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bits_api::{
    Callback, EnumJobsFlags, Guid, Hresult, Job, JobError, JobState, JobType, Manager, Success, Unknown,
    callback_object,
};

use super::claim::Claim;
use super::downloads::Download;
use super::service::Service;
use super::settings::Settings;
use super::watch::{Look, Watch};
use crate::{Doing, Failure, told};

/// What its jobs are called.
const NAME: &str = "bitsd get";

/// So often a person is shown how far it is.
const LOOK: Duration = Duration::from_millis(100);

/// The jobs of this run.
pub(super) struct Jobs<'a> {
    service: &'a Service,
    settings: &'a Settings<'a>,
    open: Vec<Open<'a>>,
    complete: Vec<Arc<dyn Job>>,
}

/// A job that is not at its end.
struct Open<'a> {
    job: Arc<dyn Job>,
    share: &'a [Download],
    /// Known when the service does not answer any more, too.
    id: Guid,
    /// Where other runs have jobs in the same queue.
    _claim: Option<Claim>,
}

impl<'a> Jobs<'a> {
    /// A job for each share: one that an earlier run has left, or a new one. In a queue of their own all
    /// that earlier runs have left stands still, what is not of this run until a run names it.
    pub(super) fn new(
        service: &'a Service,
        manager: &Arc<dyn Manager>,
        shares: &[&'a [Download]],
        settings: &'a Settings<'a>,
    ) -> Result<Self, Failure> {
        let mut left = left_jobs(service, manager).doing("cannot read the queue")?;
        let mut open = Vec::new();
        for share in shares {
            let found = left.iter().position(|left| is_for(&left.files, share));
            open.push(match found.map(|place| left.swap_remove(place)) {
                Some(Left { job, id, claim, .. }) => Open { job, share, id, _claim: claim },
                None => new_job(service, manager, share)?,
            });
        }
        if service.is_own() {
            for job in open.iter().map(|open| &open.job).chain(left.iter().map(|left| &left.job)) {
                stand_still(job).doing("cannot read the queue")?;
            }
        }
        service.open();
        Ok(Self { service, settings, open, complete: Vec::new() })
    }

    /// Leads every job to its end; the first that fails ends it all.
    pub(super) fn download(&mut self, watch: Watch<'_>) -> Result<(), Failure> {
        let (sender, ended) = channel();
        let callback = callback_object(Arc::new(Bell(Mutex::new(sender))));
        for Open { job, share, .. } in &self.open {
            self.begin(job, share, &callback)?;
        }
        let mut look = Look::new(watch);
        while !self.open.is_empty() {
            let rung = ended.recv_timeout(LOOK).ok();
            look.check()?;
            if let Some(id) = rung {
                self.end(|job| job.id() == Ok(id) && is_over(job))?;
            } else {
                // Of a service that has gone nobody is told.
                self.end(is_over)?;
                look.show(self.service, self.open.iter().map(|open| &open.job), &self.complete);
            }
        }
        Ok(())
    }

    /// Cancels what is not complete; returns what refuses, and why.
    pub(super) fn cancel(&mut self) -> Vec<(Guid, Hresult)> {
        self.open.drain(..).filter_map(|open| Some((open.id, open.job.cancel().err()?))).collect()
    }

    fn begin(&self, job: &Arc<dyn Job>, share: &[Download], callback: &Arc<dyn Unknown>) -> Result<(), Failure> {
        let failed = |code| self.failed(&share[0], code);
        if job.enum_files().and_then(|files| files.count()).map_err(failed)? == 0 {
            add(job, share)?;
        }
        if self.settings.concern(job) {
            // One of a shared queue goes on already: what it is given counts from its next attempt on.
            stand_still(job).map_err(failed)?;
            self.settings.give(job)?;
        }
        job.set_priority(self.settings.priority).map_err(failed)?;
        // Every error is final: a person waits in front of this program, not a service for weeks.
        job.set_no_progress_timeout(0).map_err(failed)?;
        job.set_notify_interface(Some(Arc::clone(callback))).map_err(failed)?;
        job.resume().map_err(failed)?;
        Ok(())
    }

    /// Completes those that are at their end and that `is_meant`.
    fn end(&mut self, is_meant: impl Fn(&Arc<dyn Job>) -> bool) -> Result<(), Failure> {
        let mut place = 0;
        while let Some(Open { job, share, .. }) = self.open.get(place) {
            if is_meant(job) {
                self.give_names(job, share)?;
                self.complete.push(self.open.swap_remove(place).job);
            } else {
                place += 1;
            }
        }
        Ok(())
    }

    fn give_names(&self, job: &Arc<dyn Job>, share: &[Download]) -> Result<(), Failure> {
        let failed = |code| self.failed(&share[0], code);
        if job.state().map_err(failed)? != JobState::TRANSFERRED {
            let error = match job.error() {
                Err(Hresult::BG_E_ERROR_INFORMATION_UNAVAILABLE) => return Err(share[0].failed_silently()),
                error => error.map_err(failed)?,
            };
            let (context, code) = error.error().map_err(failed)?;
            // A redirect may have changed the remote name.
            let local = error.file().and_then(|file| file.local_name()).ok();
            let culprit = share.iter().find(|download| Some(&download.local) == local.as_ref()).unwrap_or(&share[0]);
            let mend = self.settings.mend(code).map(|mend| format!("; {mend}")).unwrap_or_default();
            return Err(culprit.failed(format!("{} ({context}){mend}", told(code))));
        }
        if let Err(code) = job.complete() {
            return Err(share[0].failed(format!("the file has arrived but cannot be given its name: {}", told(code))));
        }
        // Whoever has taken the place of BITS may say so without doing it.
        let missing = share.iter().find(|download| !Path::new(&download.local).is_file());
        missing.map_or(Ok(()), |download| Err(download.is_missing()))
    }

    fn failed(&self, download: &Download, code: Hresult) -> Failure {
        download.failed(self.service.why_unavailable(code).unwrap_or_else(|| download.told_of(code)))
    }
}

fn new_job<'a>(service: &Service, manager: &Arc<dyn Manager>, share: &'a [Download]) -> Result<Open<'a>, Failure> {
    let created = manager.create_job(Some(NAME), JobType::DOWNLOAD);
    let (job, id) = created.map(|created| (created.job, created.id)).map_err(|code| share[0].failed(told(code)))?;
    let claim = if service.is_own() { None } else { Claim::to(id).doing("cannot claim a job")? };
    Ok(Open { job, share, id, _claim: claim })
}

fn add(job: &Arc<dyn Job>, share: &[Download]) -> Result<(), Failure> {
    if let [one] = share
        && !one.ranges.is_empty()
    {
        let added = job.job3().and_then(|job| job.add_file_with_ranges(Some(&one.url), Some(&one.local), &one.ranges));
        return added.map(drop).map_err(|code| one.refused(code));
    }
    let names: Vec<_> = share.iter().map(Download::names).collect();
    let Err(code) = job.add_file_set(&names) else { return Ok(()) };
    // Which of them it was, one by one.
    for download in share {
        job.add_file(Some(&download.url), Some(&download.local)).map_err(|code| download.refused(code))?;
    }
    Err(share[0].failed(told(code)))
}

/// A job of an earlier run, with what it downloads.
struct Left {
    job: Arc<dyn Job>,
    id: Guid,
    files: Vec<Download>,
    claim: Option<Claim>,
}

/// What earlier runs have left, with what each job downloads. Where other programs have jobs beside
/// them, those that cannot be read are none of them, nor are those of runs that go on.
fn left_jobs(service: &Service, manager: &Arc<dyn Manager>) -> Result<Vec<Left>, Hresult> {
    let jobs = manager.enum_jobs(EnumJobsFlags::empty())?;
    let jobs = jobs.next(jobs.count()?)?.items;
    if service.is_own() {
        let left = |job: Arc<dyn Job>| Ok(Left { id: job.id()?, files: files_of(&job)?, job, claim: None });
        return jobs.into_iter().map(left).collect();
    }
    let own = jobs.into_iter().filter(|job| job.display_name().is_ok_and(|name| name == NAME));
    let left = |job: Arc<dyn Job>| {
        let (id, files) = (job.id().ok()?, files_of(&job).ok()?);
        Some(Left { claim: Some(Claim::to(id).ok()??), id, files, job })
    };
    Ok(own.filter_map(left).collect())
}

fn files_of(job: &Arc<dyn Job>) -> Result<Vec<Download>, Hresult> {
    let files = job.enum_files()?;
    let files = files.next(files.count()?)?.items;
    let download = |file: &Arc<dyn bits_api::File>| {
        let ranges = match file.file2() {
            Ok(file) => file.file_ranges()?.value,
            // There are no parts of files before BITS 2.0.
            Err(Hresult::E_NOINTERFACE) => Vec::new(),
            Err(code) => return Err(code),
        };
        Ok(Download::of_job(file.remote_name()?, file.local_name()?, ranges))
    };
    files.iter().map(download).collect()
}

fn is_for(files: &[Download], share: &[Download]) -> bool {
    let names = |download: &Download| (download.url.clone(), download.local.clone(), download.ranges.clone());
    files.len() == share.len() && files.iter().map(names).eq(share.iter().map(names))
}

fn stand_still(job: &Arc<dyn Job>) -> Result<(), Hresult> {
    let is_active = matches!(
        job.state()?,
        JobState::QUEUED | JobState::CONNECTING | JobState::TRANSFERRING | JobState::TRANSIENT_ERROR
    );
    if is_active { job.suspend().map(drop) } else { Ok(()) }
}

fn is_over(job: &Arc<dyn Job>) -> bool {
    matches!(job.state(), Ok(JobState::TRANSFERRED | JobState::ERROR) | Err(_))
}

/// Tells of jobs that are at their end, good or bad.
struct Bell(Mutex<Sender<Guid>>);

impl Bell {
    fn ring(&self, job: &Arc<dyn Job>) -> Result<Success, Hresult> {
        // Once nobody listens, nobody needs to be told.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).send(job.id()?);
        Ok(Success::OK)
    }
}

impl Callback for Bell {
    fn job_transferred(&self, job: Arc<dyn Job>) -> Result<Success, Hresult> {
        self.ring(&job)
    }

    fn job_error(&self, job: Arc<dyn Job>, _error: Arc<dyn JobError>) -> Result<Success, Hresult> {
        self.ring(&job)
    }

    fn job_modification(&self, _job: Arc<dyn Job>) -> Result<Success, Hresult> {
        Ok(Success::OK)
    }
}
