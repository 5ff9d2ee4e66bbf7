//! What the engine waits for on the monotonic clock.
//!
//! Only the inactivity policy is not here: it counts wall time and has an index of its own
//! ([`crate::idle`]).

use std::collections::{BTreeMap, BTreeSet};

use bits_world::clock::Monotonic;

use crate::JobKey;
use crate::visits::Counted;

/// A timer of a job. When several are due at one moment, the first of this list goes first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Timer {
    /// When a job in TRANSIENT_ERROR may be tried again.
    RetryDelay,
    /// When a job in TRANSIENT_ERROR has made no progress for its no-progress timeout.
    NoProgress,
    /// When the running background job has had its turn.
    SliceEnd,
    /// When an active job has used up the time for CONNECTING and TRANSFERRING.
    DownloadTime,
    /// When a notification that the client has failed is to be repeated.
    NotifyRetry,
    /// When the server of a cancelled upload is to be told again, or has been silent for too long.
    GivingUp,
    /// When the next JobModification or FileRangesTransferred may go.
    NotifyInterval,
}

impl Timer {
    const ALL: [Self; 7] = [
        Self::RetryDelay,
        Self::NoProgress,
        Self::SliceEnd,
        Self::DownloadTime,
        Self::NotifyRetry,
        Self::GivingUp,
        Self::NotifyInterval,
    ];
}

/// The timers that run, at most one of a kind for each job.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<Counted<(Monotonic, JobKey, Timer)>>,
    armed: BTreeMap<Counted<(JobKey, Timer)>, Monotonic>,
}

impl Timers {
    /// Lets `timer` be due at `at`, and at no other time.
    pub(crate) fn arm(&mut self, job: JobKey, timer: Timer, at: Monotonic) {
        if let Some(before) = self.armed.insert(Counted((job, timer)), at) {
            self.due.remove(&Counted((before, job, timer)));
        }
        self.due.insert(Counted((at, job, timer)));
    }

    /// When `timer` is due, if it runs.
    pub(crate) fn due(&self, job: JobKey, timer: Timer) -> Option<Monotonic> {
        self.armed.get(&Counted((job, timer))).copied()
    }

    /// Stops `timer` if it runs.
    pub(crate) fn disarm(&mut self, job: JobKey, timer: Timer) {
        if let Some(at) = self.armed.remove(&Counted((job, timer))) {
            self.due.remove(&Counted((at, job, timer)));
        }
    }

    /// Stops every timer of `job`.
    pub(crate) fn disarm_all(&mut self, job: JobKey) {
        for timer in Timer::ALL {
            self.disarm(job, timer);
        }
    }

    /// When the next timer is due.
    pub(crate) fn next(&self) -> Option<Monotonic> {
        self.due.first().map(|Counted((at, ..))| *at)
    }

    /// Takes out a timer that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: Monotonic) -> Option<(JobKey, Timer)> {
        let Counted((_, job, timer)) = *self.due.first().filter(|Counted((at, ..))| *at <= now)?;
        self.disarm(job, timer);
        Some((job, timer))
    }
}
