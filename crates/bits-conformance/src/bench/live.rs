//! BITS in real time: waiting for what happens by itself, and leaving nothing behind.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bits_api::{EnumJobsFlags, Guid, Hresult, Job, JobPriority, JobState, JobType, Manager};

use super::{Bench, Outside};
use crate::claims::{Outcome, Stop, failed};
use crate::ledger::Noting;
use crate::provider::{Capability, Provider};

/// Between two looks at a job. Nobody tells that it has moved.
pub(super) const LOOK: Duration = Duration::from_millis(10);

/// Time enough to come to rest for what nothing holds up.
const REST: Duration = Duration::from_secs(10);

/// What of the run is this bench's own. Dropped, it cancels the jobs of the bench.
pub(super) struct Own {
    provider: Arc<Provider>,
    number: u64,
    folder: PathBuf,
}

impl Own {
    pub(super) fn new(provider: Arc<Provider>) -> Self {
        let (number, folder) = provider.number();
        Self { provider, number, folder }
    }

    /// A path for files; nothing is there yet.
    pub(super) fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// That manager, each of whose new jobs is entered as this bench's own.
    pub(super) fn noting(&self, manager: Arc<dyn Manager>) -> Arc<dyn Manager> {
        Arc::new(Noting { manager, ledger: Arc::clone(&self.provider.ledger), bench: self.number })
    }

    fn jobs(&self) -> Vec<Guid> {
        self.provider.ledger.of(self.number)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(manager) = &self.provider.manager {
            self.provider.ledger.clear(self.number, &**manager);
        }
    }
}

impl Bench {
    /// The manager, as long as the jobs of other programs are not among those that it lists.
    pub(crate) fn queue(&self) -> Result<Arc<dyn Manager>, Stop> {
        let manager = self.manager()?;
        if self.is_live() {
            let own = self.own.jobs();
            for job in manager.enum_jobs(EnumJobsFlags::empty())?.next(u32::MAX)?.items {
                if !own.contains(&job.id()?) {
                    return Err(Stop::Skipped("the queue holds jobs of other programs".to_owned()));
                }
            }
        }
        Ok(manager)
    }

    /// Really waits until `job` is in `state`; not for a state that it can no longer come to by itself.
    pub(super) fn wait_live(&self, job: &Arc<dyn Job>, state: JobState, within: Duration) -> Outcome {
        let began = Instant::now();
        loop {
            let now = job.state()?;
            if now == state {
                return Ok(());
            }
            self.can_go_on(&**job, now)?;
            if stays(now) && !has_callback(&**job) {
                return failed(format!("the job is {now}, which it does not leave by itself, and never {state}"));
            }
            if began.elapsed() > within {
                return failed(format!("the job is not {state} within {within:?}, but {now}"));
            }
            thread::sleep(LOOK);
        }
    }

    /// Really waits until no job of the bench goes on by itself. Skips the case where that cannot
    /// be seen from outside.
    pub(super) fn settle_live(&self) -> Outcome {
        let manager = self.manager()?;
        let began = Instant::now();
        loop {
            let Some(busy) = self.busy_job(&*manager)? else { return Ok(()) };
            if began.elapsed() > REST {
                return failed(format!("after {REST:?} of real time, {busy} still goes on"));
            }
            thread::sleep(LOOK);
        }
    }

    /// A job that goes on, in words.
    fn busy_job(&self, manager: &dyn Manager) -> Result<Option<String>, Stop> {
        let held = self.held()?;
        let mut queued = Vec::new();
        // The least urgent of those that have their turn and are held there.
        let mut turn: Option<JobPriority> = None;
        for id in self.own.jobs() {
            let job = match manager.job(id) {
                Ok(job) => job,
                Err(Hresult::BG_E_NOT_FOUND) => continue,
                Err(code) => return Err(code.into()),
            };
            if has_callback(&*job) {
                return Err(Stop::Skipped("whether each callback has come cannot be seen".to_owned()));
            }
            let state = job.state()?;
            self.can_go_on(&*job, state)?;
            match state {
                JobState::QUEUED => queued.push(job.priority()?),
                JobState::CONNECTING | JobState::TRANSFERRING => {
                    if !is_held(&*job, &held)? {
                        return Ok(Some(format!("a job in {state}")));
                    }
                    turn = turn.max(Some(job.priority()?));
                }
                _ => {}
            }
        }
        // A job waits for its turn behind one that is as urgent.
        let waits =
            |priority: JobPriority| priority != JobPriority::FOREGROUND && turn.is_some_and(|turn| turn <= priority);
        Ok(queued.into_iter().any(|priority| !waits(priority)).then(|| "a job in QUEUED".to_owned()))
    }

    /// Skips the case where an upload would need a server that there is not.
    fn can_go_on(&self, job: &dyn Job, state: JobState) -> Outcome {
        if state == JobState::SUSPENDED || job.job_type()? == JobType::DOWNLOAD {
            return Ok(());
        }
        self.can(Capability::Uploads)
    }

    /// What the origin holds.
    fn held(&self) -> Result<Vec<super::real::Held>, Stop> {
        match &self.outside {
            Outside::Simulated(_) => Ok(Vec::new()),
            Outside::Real(real) => real.held(),
        }
    }
}

/// Whether a job leaves that state only when it is told to.
fn stays(state: JobState) -> bool {
    [JobState::SUSPENDED, JobState::ERROR, JobState::TRANSFERRED, JobState::ACKNOWLEDGED, JobState::CANCELLED]
        .contains(&state)
}

/// Whether somebody is told of what happens to the job, and may do something about it.
fn has_callback(job: &dyn Job) -> bool {
    job.notify_interface().is_ok_and(|callback| callback.is_some())
}

/// Whether one of its files is held, and all that was sent of it has been counted.
fn is_held(job: &dyn Job, held: &[super::real::Held]) -> Result<bool, Stop> {
    for file in job.enum_files()?.next(u32::MAX)?.items {
        let url = file.remote_name()?;
        let Some(held) = held.iter().find(|held| held.url == url) else { continue };
        // Of a file in parts, the bytes of its parts are counted.
        let ranges = file.clone().file2().and_then(|file| file.file_ranges()).map(|ranges| ranges.value);
        let is_whole = ranges.map_or(true, |ranges| ranges.len() == 1 && ranges[0].initial_offset == 0);
        let sent = if is_whole { held.reached } else { held.sent };
        if file.progress()?.bytes_transferred >= sent {
            return Ok(true);
        }
    }
    Ok(false)
}
