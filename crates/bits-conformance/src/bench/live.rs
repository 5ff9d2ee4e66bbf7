//! BITS in real time: waiting for what happens by itself, and leaving nothing behind.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bits_api::{EnumJobsFlags, Guid, Hresult, Job, JobPriority, JobState, JobType, Manager};

use super::real::{Held, Real};
use super::{Bench, GivenUp, Limits, Outside};
use crate::claims::{Outcome, Stop, failed};
use crate::ledger::Noting;
use crate::provider::{Capability, Provider};

/// Between two looks at a job. Nobody tells that it has moved.
pub(super) const LOOK: Duration = Duration::from_millis(10);

/// Without any change for so long, nothing will change.
const STANDSTILL: Duration = Duration::from_secs(3);

/// Time enough for a cancelled job to leave the queue.
const LEAVING: Duration = Duration::from_secs(1);

/// Time enough to come to rest for what nothing holds up.
const REST: Duration = Duration::from_secs(10);

/// What of the run is this bench's own. Dropped, it cancels the jobs of the bench
/// and deletes its files.
pub(super) struct Own {
    provider: Arc<Provider>,
    given_up: GivenUp,
    number: u64,
    folder: PathBuf,
}

impl Own {
    pub(super) fn new(limits: &Limits) -> Self {
        let (number, folder) = limits.provider.number();
        Self { provider: Arc::clone(&limits.provider), given_up: limits.given_up.clone(), number, folder }
    }

    /// A path for files; nothing is there yet.
    pub(super) fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// That manager, each of whose new jobs is entered as this bench's own.
    pub(super) fn noting(&self, manager: Arc<dyn Manager>) -> Arc<dyn Manager> {
        let (ledger, given_up) = (Arc::clone(&self.provider.ledger), self.given_up.clone());
        Arc::new(Noting { manager, ledger, bench: self.number, given_up })
    }

    fn jobs(&self) -> Vec<Guid> {
        self.provider.ledger.of(self.number)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // One that has ended cancels nothing: its jobs are left to the next run.
        if let Some(manager) = self.provider.manager.as_ref().filter(|_| self.provider.lost().is_none()) {
            self.provider.ledger.clear(self.number, &**manager);
        }
        // What cannot be deleted now goes with the folder of the run.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Bench {
    /// The manager, as long as the jobs of other programs are not among those that it lists.
    pub(crate) fn queue(&self) -> Result<Arc<dyn Manager>, Stop> {
        let manager = self.manager()?;
        let began = Instant::now();
        // Cancelled jobs of the case before may be on their way out.
        while self.is_live() && self.lists_others(&*manager)? {
            self.limits.given_up.check()?;
            if began.elapsed() > LEAVING {
                return Err(Stop::Skipped(
                    "the queue lists jobs of other programs, or jobs that have ended".to_owned(),
                ));
            }
            thread::sleep(LOOK);
        }
        Ok(manager)
    }

    fn lists_others(&self, manager: &dyn Manager) -> Result<bool, Stop> {
        let own = self.own.jobs();
        for job in manager.enum_jobs(EnumJobsFlags::empty())?.next(u32::MAX)?.items {
            if !own.contains(&job.id()?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Really waits until `job` is in `state`; not for a state that it can no longer come to by itself.
    pub(super) fn wait_live(&self, job: &Arc<dyn Job>, state: JobState, within: Duration) -> Outcome {
        let began = Instant::now();
        // What takes no time at all in BITS' own time takes some here.
        let within = within.max(REST);
        let (mut held_since, mut count) = (None, Count::default());
        loop {
            self.limits.given_up.check()?;
            let now = job.state()?;
            self.can_go_on(&**job, now)?;
            let holding = if now == state && is_active(state) { self.holding(&**job)? } else { Holding::Held };
            if now == state && count.is_done(&holding, Instant::now()) {
                return Ok(());
            }
            // A job that is over has no callback any more: it may have ended since the look at it.
            if now != state && stays(now) && !has_callback(&**job) && job.state()? == now {
                return failed(format!("the job is {now}, which it does not leave by itself, and never {state}"));
            }
            if now == state || !is_active(now) || !self.is_held(&**job)? {
                held_since = None;
            } else if held_since.get_or_insert_with(Instant::now).elapsed() > STANDSTILL {
                return failed(format!("the job is {now} where it is held, and never {state}"));
            }
            if began.elapsed() > within {
                return failed(if now == state {
                    format!("the job is {state}, but after {within:?} {holding}")
                } else {
                    format!("the job is not {state} within {within:?}, but {now}")
                });
            }
            thread::sleep(LOOK);
        }
    }

    /// Whether the origin holds the job.
    fn is_held(&self, job: &dyn Job) -> Result<bool, Stop> {
        match &self.outside {
            Outside::Simulated(_) => Ok(false),
            Outside::Real(real) => Ok(Holding::of(job, real, &mut real.held())? != Holding::Free),
        }
    }

    /// How far the job is of what the bench lets it have; one that the bench lets have all is as far as that.
    fn holding(&self, job: &dyn Job) -> Result<Holding, Stop> {
        let Outside::Real(real) = &self.outside else { return Ok(Holding::Held) };
        for file in job.enum_files()?.next(u32::MAX)?.items {
            if real.has_gate(&file.remote_name()?)? {
                return Holding::of(job, real, &mut real.held());
            }
        }
        Ok(Holding::Held)
    }

    /// Really waits until no job of the bench goes on by itself. Skips the case where that cannot
    /// be seen from outside.
    pub(super) fn settle_live(&self) -> Outcome {
        let manager = self.manager()?;
        let began = Instant::now();
        let mut last = (Busy::default(), began);
        while let Some(busy) = self.what_goes_on(&*manager)? {
            self.limits.given_up.check()?;
            if last.0 != busy {
                last = (busy, Instant::now());
            }
            let (Busy { what, is_counting }, since) = &last;
            let stands_still = since.elapsed() > STANDSTILL;
            if *is_counting && stands_still {
                return Ok(());
            }
            if began.elapsed() > REST || stands_still {
                return failed(format!("after {:?} of real time, {what}", began.elapsed()));
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Something that is not at rest; what does not only count comes first.
    fn what_goes_on(&self, manager: &dyn Manager) -> Result<Option<Busy>, Stop> {
        let Outside::Real(real) = &self.outside else { return Ok(None) };
        let mut held = real.held();
        let mut queued = Vec::new();
        // The least urgent of those that have their turn and are held there.
        let mut turn: Option<JobPriority> = None;
        let mut counting = Vec::new();
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
                JobState::QUEUED => queued.push(priority(&*job)?),
                _ if is_active(state) => match Holding::of(&*job, real, &mut held)? {
                    Holding::Free => return Ok(Some(Busy::with(format!("a job in {state} still goes on")))),
                    holding => {
                        turn = turn.max(priority(&*job)?);
                        if let Holding::OnTheWay { counted, sent } = holding {
                            counting.push(format!("a job has counted {counted} bytes of {sent}"));
                        }
                    }
                },
                _ => {}
            }
        }
        if let Some(held) = held.first() {
            return Ok(Some(Busy::with(format!("a request for {} is not over, whose job is", held.url))));
        }
        // A job waits for its turn behind one that is as urgent.
        let waits = |priority: Option<JobPriority>| {
            let is_behind = |priority| priority != JobPriority::FOREGROUND && turn.is_some_and(|turn| turn <= priority);
            priority.is_some_and(is_behind)
        };
        if queued.into_iter().any(|priority| !waits(priority)) {
            return Ok(Some(Busy::with("a job is still in the queue".to_owned())));
        }
        Ok((!counting.is_empty()).then(|| Busy { what: counting.join(", "), is_counting: true }))
    }

    /// Skips the case where an upload would need a server that there is not.
    fn can_go_on(&self, job: &dyn Job, state: JobState) -> Outcome {
        if state == JobState::SUSPENDED {
            return Ok(());
        }
        if job.job_type()? == JobType::DOWNLOAD { Ok(()) } else { self.can(Capability::Uploads) }
    }
}

/// How urgent the job is; none where that is not told, as Wine's BITS does.
fn priority(job: &dyn Job) -> Result<Option<JobPriority>, Stop> {
    match job.priority() {
        Err(Hresult::E_NOTIMPL) => Ok(None),
        told => Ok(Some(told?)),
    }
}

/// Whether the job has its turn.
fn is_active(state: JobState) -> bool {
    [JobState::CONNECTING, JobState::TRANSFERRING].contains(&state)
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

/// Something that is not at rest.
#[derive(Debug, Default, Eq, PartialEq)]
struct Busy {
    /// What it is, in words.
    what: String,
    /// Whether all that it has to do is to count what was sent. Not every BITS tells of each byte: one that
    /// counts no further is at rest.
    is_counting: bool,
}

impl Busy {
    fn with(what: String) -> Self {
        Self { what, is_counting: false }
    }
}

/// What a job has counted so far, while somebody waits for more.
#[derive(Default)]
struct Count(Option<(u64, Instant)>);

impl Count {
    /// Whether a job that is in the state that is waited for has come as far as it will: it has counted all
    /// that was sent, or, as BITS may count by buffers, has counted no more for a while.
    fn is_done(&mut self, holding: &Holding, now: Instant) -> bool {
        let Holding::OnTheWay { counted, .. } = *holding else {
            self.0 = None;
            return *holding == Holding::Held;
        };
        match self.0 {
            Some((last, since)) if last == counted => now.duration_since(since) > STANDSTILL,
            _ => {
                self.0 = Some((counted, now));
                false
            }
        }
    }
}

/// Whether a job that has its turn can move.
#[derive(Debug, Eq, PartialEq)]
enum Holding {
    /// Nothing holds it.
    Free,
    /// It is held, and has not yet counted all that was sent.
    OnTheWay { counted: u64, sent: u64 },
    /// It is held, and has counted all that was sent.
    Held,
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Free => f.write_str("no server holds it there"),
            Self::OnTheWay { counted, sent } => {
                write!(f, "it has counted {counted} bytes of {sent}, and more all the time")
            }
            Self::Held => f.write_str("its server holds it there"),
        }
    }
}

impl Holding {
    /// What of `held` is for the job, which is taken out there.
    fn of(job: &dyn Job, real: &Real, held: &mut Vec<Held>) -> Result<Self, Stop> {
        for file in job.enum_files()?.next(u32::MAX)?.items {
            let url = file.remote_name()?;
            let Some(place) = held.iter().position(|held| held.url == url) else { continue };
            let held = held.swap_remove(place);
            // Of a file in parts, the bytes of its parts are counted.
            let ranges = file.clone().file2().and_then(|file| file.file_ranges()).map(|ranges| ranges.value);
            let is_whole = ranges.map_or(true, |ranges| ranges.is_empty());
            let sent = match (real.sent(&held.path), held.reached) {
                // As much as that only where nothing was left out.
                (Ok(sent), Some(reached)) if is_whole => sent.min(reached),
                (Err(_), Some(reached)) if is_whole => reached,
                (sent, _) => sent?,
            };
            // Until the answer has been looked at, what is counted is of the one before.
            let is_unread = held.has_begun && job.state()? == JobState::CONNECTING;
            let counted = file.progress()?.bytes_transferred;
            return Ok(if counted < sent || is_unread { Self::OnTheWay { counted, sent } } else { Self::Held });
        }
        Ok(Self::Free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_counts_by_buffers_is_waited_for_until_it_counts_no_more() {
        let mut count = Count::default();
        let began = Instant::now();
        let mut is_done = |counted, after| {
            let holding = Holding::OnTheWay { counted, sent: 400 };
            count.is_done(&holding, began + after)
        };

        assert!(!is_done(0, Duration::ZERO));
        assert!(!is_done(0, STANDSTILL), "it may still count");
        assert!(!is_done(256, STANDSTILL + LOOK), "it has counted more");
        assert!(!is_done(256, STANDSTILL * 2 + LOOK));
        assert!(is_done(256, STANDSTILL * 2 + LOOK * 2), "it has stood still");
    }

    #[test]
    fn a_job_that_is_not_yet_held_is_waited_for_and_one_that_has_counted_all_is_not() {
        let mut count = Count::default();
        let began = Instant::now();

        assert!(!count.is_done(&Holding::OnTheWay { counted: 0, sent: 400 }, began));
        assert!(!count.is_done(&Holding::Free, began + STANDSTILL * 2));
        assert!(!count.is_done(&Holding::OnTheWay { counted: 0, sent: 400 }, began + STANDSTILL * 2), "it begins anew");
        assert!(count.is_done(&Holding::Held, began + STANDSTILL * 2));
    }
}
