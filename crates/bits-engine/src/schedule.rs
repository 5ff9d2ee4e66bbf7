//! Whose turn it is (clauses `sched.*`).
//!
//! All foreground jobs run at once; the others share one place, by priority and then by turns.
//! Before BITS 2.0 foreground jobs share that place too.

use std::collections::BTreeSet;
use std::time::Duration;

use bits_api::JobPriority;
use bits_world::{Profile, Switch};

use crate::engine::take;
use crate::job::{Run, State};
use crate::timers::Timer;
use crate::visits::Counted;
use crate::{Action, Cause, Cx, Engine, JobKey};
use bits_wire::attempt::ChainId;

/// Queued jobs that may run, in the order in which they get their turn.
#[derive(Debug, Default)]
pub(crate) struct Ready(BTreeSet<Counted<(JobPriority, u64, JobKey)>>);

impl Ready {
    pub(crate) fn insert(&mut self, priority: JobPriority, turn: u64, job: JobKey) {
        self.0.insert(Counted((priority, turn, job)));
    }

    /// Takes a job out; whether it was there.
    pub(crate) fn remove(&mut self, priority: JobPriority, turn: u64, job: JobKey) -> bool {
        self.0.remove(&Counted((priority, turn, job)))
    }

    /// The job whose turn is next.
    pub(crate) fn first(&self) -> Option<(JobPriority, JobKey)> {
        self.0.first().map(|Counted((priority, _, job))| (*priority, *job))
    }

    /// The jobs that get their turn before another would, in that order.
    pub(crate) fn before(
        &self,
        priority: JobPriority,
        turn: u64,
        job: JobKey,
    ) -> impl DoubleEndedIterator<Item = JobKey> {
        self.0.range(..Counted((priority, turn, job))).map(|Counted((_, _, job))| *job)
    }
}

/// Sorting once is quicker than finding each place.
impl FromIterator<(JobPriority, u64, JobKey)> for Ready {
    fn from_iter<I: IntoIterator<Item = (JobPriority, u64, JobKey)>>(jobs: I) -> Self {
        Self(jobs.into_iter().map(Counted).collect())
    }
}

impl Engine {
    /// Gives turns until nobody who is ready may run.
    pub(crate) fn schedule(&mut self, cx: Cx<'_>) {
        while let Some((priority, next)) = self.ready.first() {
            match self.slot {
                _ if !self.shares_slot(priority) => self.start_run(cx, next),
                None => self.start_run(cx, next),
                // sched.preempt
                Some(running) if priority < self.jobs[running].priority => {
                    self.enqueue(cx, running, Cause::Preempted);
                }
                Some(_) => break,
            }
        }
        // Of the jobs that limits are for, one runs at a time. Others may have come or gone that
        // it yields to.
        if let Some(running) = self.slot {
            self.tell_limit(running);
        }
    }

    /// Whether jobs of this priority run one at a time (clauses `sched.foreground.concurrent`,
    /// `sched.background.one`, `sched.bits15.one_job`).
    fn shares_slot(&self, priority: JobPriority) -> bool {
        priority != JobPriority::FOREGROUND || self.config.profile < Profile::V2_0
    }

    fn start_run(&mut self, cx: Cx<'_>, key: JobKey) {
        let State::Queued { turn, slice } = self.jobs[key].state else { unreachable!("only queued jobs are ready") };
        let run = Run {
            turn,
            chain: ChainId(take(&mut self.numbers.chain)),
            since: cx.now.monotonic,
            limit: None,
            quick_attempts: 0,
        };
        self.transition(cx, key, State::Connecting { run, attempt: None }, Cause::Scheduled);
        if self.shares_slot(self.jobs[key].priority) {
            self.take_slot(cx, key, slice);
        }
        if self.jobs[key].stopping.is_none() {
            self.start_attempt(cx, key);
        } else {
            // An attempt that is still being stopped holds the temporary file; the time counts.
            self.judge_download_time(cx, key);
        }
    }

    fn take_slot(&mut self, cx: Cx<'_>, key: JobKey, slice: Duration) {
        self.slot = Some(key);
        self.timers.arm(key, Timer::SliceEnd, cx.now.monotonic.plus(slice));
    }

    /// The running job has had its turn: the next of its priority gets one, if there is any
    /// (clause `sched.round_robin`).
    pub(crate) fn slice_end(&mut self, cx: Cx<'_>, key: JobKey) {
        let priority = self.jobs[key].priority;
        match self.ready.first() {
            Some((waiting, _)) if waiting <= priority => {
                self.config.decisions.note(Switch::TimeSlice);
                self.enqueue(cx, key, Cause::SliceEnded);
            }
            _ => {
                let slice = self.next_slice();
                self.take_slot(cx, key, slice);
            }
        }
    }

    /// Gives a job another priority, and the place that goes with it (clause
    /// `job.set_priority.any_state`).
    pub(crate) fn set_priority(&mut self, cx: Cx<'_>, key: JobKey, priority: JobPriority) {
        let job = &mut self.jobs[key];
        let before = std::mem::replace(&mut job.priority, priority);
        match job.state {
            State::Queued { turn, .. } => {
                let was_ready = self.ready.remove(before, turn, key);
                if was_ready {
                    self.ready.insert(priority, turn, key);
                }
            }
            State::Connecting { .. } | State::Transferring { .. } => self.replace_running(cx, key),
            _ => {}
        }
        self.class_changed(cx, key);
        self.tell_limit(key);
    }

    /// Tells the attempt of an active job how fast it may be, if that is another rate than it knows
    /// (clauses `policy.max_bandwidth.scope`, `policy.bandwidth_limits.scope`).
    pub(crate) fn tell_limit(&mut self, key: JobKey) {
        let limit = self.rate_of(&self.jobs[key]);
        let job = &mut self.jobs[key];
        let Some(attempt) = job.attempt() else { return };
        let known = job.run_mut().map(|run| std::mem::replace(&mut run.limit, limit));
        if known != Some(limit) {
            self.push(Action::Limit(attempt, limit));
        }
    }

    /// Finds the place of an active job whose priority has changed.
    fn replace_running(&mut self, cx: Cx<'_>, key: JobKey) {
        let job = &self.jobs[key];
        let shares = self.shares_slot(job.priority);
        if self.slot == Some(key) {
            if !shares {
                self.slot = None;
                self.timers.disarm(key, Timer::SliceEnd);
            }
        } else if shares {
            match self.slot {
                None => {
                    let slice = self.next_slice();
                    self.take_slot(cx, key, slice);
                }
                Some(_) => self.enqueue(cx, key, Cause::Preempted),
            }
        }
    }
}
