//! How a job goes from one state to the next, and what that brings along whatever the cause.
//!
//! Timers, the ready queue, the running attempt and the record of a job follow its state: each is
//! set up on entering a state and taken down on leaving it, here and nowhere else.

use std::time::Duration;

use bits_api::JobState;
use bits_world::{Profile, Switch};

use crate::engine::take;
use crate::job::{Job, State, Stopping, Wait};
use crate::jobs::Shelf;
use crate::table;
use crate::timers::Timer;
use crate::visits::Counted;
use crate::{Action, Cause, Change, Cx, Engine, JobKey, Transition};

impl Engine {
    /// Leads a job along an edge of the life cycle.
    pub(crate) fn transition(&mut self, cx: Cx<'_>, key: JobKey, to: State, cause: Cause) {
        let job = &self.jobs[key];
        let from = job.shown();
        let had_error = job.error.is_some();
        self.set_state(cx, key, to);
        let job = &mut self.jobs[key];
        job.end_told = false;
        match job.state {
            // error.interface.lifetime
            State::Transferring { .. } => job.error = None,
            State::Transferred => {
                job.error = None;
                job.transfer_completed = cx.now.wall;
            }
            _ => {}
        }
        // Neither changes what is on record, where an active job is QUEUED.
        let is_on_record = match cause {
            Cause::Scheduled => true,
            Cause::Connected => !had_error,
            _ => false,
        };
        self.announce(cx, key, Some(from), cause, is_on_record);
    }

    /// Records, traces and notifies of the state that a job has come to.
    pub(crate) fn announce(
        &mut self,
        cx: Cx<'_>,
        key: JobKey,
        from: Option<JobState>,
        cause: Cause,
        is_on_record: bool,
    ) {
        let job = &mut self.jobs[key];
        job.modified = cx.now.wall;
        let (id, to) = (job.id, job.shown());
        debug_assert!(table::allows(from, cause, to), "no edge {from:?} --{cause:?}--> {to}");
        if job.is_final() {
            self.push(Action::Persist(Change::Remove(key)));
        } else if !is_on_record {
            self.persist_job(key);
        }
        let event = self.log_event(&self.jobs[key], cause);
        self.push(Action::Trace(Transition { job: key, id, from, to, cause }, event));
        self.notify_of_state(key);
    }

    /// Replaces the state of a job without telling anyone.
    pub(crate) fn set_state(&mut self, cx: Cx<'_>, key: JobKey, to: State) {
        let stays_active = [Shelf::of(&self.jobs[key].state), Shelf::of(&to)] == [Some(Shelf::Active); 2];
        if !stays_active {
            self.leave_state(cx, key);
        }
        self.jobs.set_state(key, to);
        self.enter_state(cx, key);
    }

    fn leave_state(&mut self, cx: Cx<'_>, key: JobKey) {
        let job = &self.jobs[key];
        match job.state {
            State::Queued { turn, .. } => _ = self.ready.remove(job.priority, turn, key),
            State::Connecting { .. } | State::Transferring { .. } => self.end_run(cx, key),
            State::TransientError(_) => {
                self.timers.disarm(key, Timer::RetryDelay);
                self.timers.disarm(key, Timer::NoProgress);
            }
            _ => {}
        }
    }

    fn enter_state(&mut self, cx: Cx<'_>, key: JobKey) {
        let job = &self.jobs[key];
        match job.state {
            State::Queued { turn, .. } => {
                let (owner, priority) = (job.owner, job.priority);
                if self.jobs.users.get(owner).logged_on {
                    self.ready.insert(priority, turn, key);
                }
            }
            State::TransientError(wait) => {
                if let Wait::Retry { at, .. } = wait {
                    self.timers.arm(key, Timer::RetryDelay, at);
                }
                self.arm_no_progress(cx, key);
            }
            _ => {}
        }
    }

    /// The job stops moving data: its attempt is stopped, or its connection may go.
    fn end_run(&mut self, cx: Cx<'_>, key: JobKey) {
        self.timers.disarm(key, Timer::SliceEnd);
        self.timers.disarm(key, Timer::DownloadTime);
        if self.slot == Some(key) {
            self.slot = None;
        }
        let job = &mut self.jobs[key];
        let Some(run) = job.run() else { return };
        job.active += cx.now.monotonic.since(run.since);
        job.changes = 0;
        job.fetching.replans = false;
        let Some(attempt) = job.attempt() else { return };
        if self.attempts.contains_key(&Counted(attempt)) {
            job.stopping = Some(Stopping { attempt, chain: run.chain });
            self.push(Action::Stop(attempt));
        } else {
            self.push(Action::Release(run.chain));
        }
    }

    /// Lets an active job's download time end when the policy or the job itself says (clauses
    /// `policy.max_download_time.*`, `job4.set_maximum_download_time.*`).
    pub(crate) fn arm_download_time(&mut self, key: JobKey) {
        let job = &self.jobs[key];
        if let Some(run) = job.run()
            && self.config.profile >= Profile::V3_0
        {
            let left = self.maximum_download_time(job).saturating_sub(job.active);
            self.timers.arm(key, Timer::DownloadTime, run.since.plus(left));
        }
    }

    /// Lets a job in TRANSIENT_ERROR wait for progress no longer than its timeout (clauses
    /// `retry.timeout.*`).
    pub(crate) fn arm_no_progress(&mut self, cx: Cx<'_>, key: JobKey) {
        let job = &self.jobs[key];
        // Else the timer would never get further, and be due again at once with a timeout of zero.
        debug_assert!(job.failing.is_some(), "a job in TRANSIENT_ERROR is failing since some moment");
        let lasted = job.failing.map_or(Duration::ZERO, |failing| failing.lasted(cx.now.monotonic));
        let left = Duration::from_secs(job.no_progress_timeout.into()).saturating_sub(lasted);
        self.timers.arm(key, Timer::NoProgress, cx.now.monotonic.plus(left));
    }

    /// Puts a job into the queue, behind the others of its priority.
    ///
    /// One that was preempted keeps its place and the rest of its turn: else jobs that are
    /// interrupted at the wrong moments would never get to run.
    pub(crate) fn enqueue(&mut self, cx: Cx<'_>, key: JobKey, cause: Cause) {
        let whole = self.next_slice();
        let queued = match (cause, self.jobs[key].run()) {
            (Cause::Preempted, Some(run)) if !self.config.decisions.is_other(Switch::PreemptedPlace) => {
                let due = self.timers.due(key, Timer::SliceEnd);
                State::Queued { turn: run.turn, slice: due.map_or(whole, |due| due.since(cx.now.monotonic)) }
            }
            _ => State::Queued { turn: take(&mut self.numbers.turn), slice: whole },
        };
        self.transition(cx, key, queued, cause);
        self.settle_queued(cx, key);
    }

    /// Looks whether something keeps a queued job from waiting for its turn.
    pub(crate) fn settle_queued(&mut self, cx: Cx<'_>, key: JobKey) {
        if self.jobs[key].has_all_files() {
            self.transition(cx, key, State::Transferred, Cause::AllFilesTransferred);
        } else if self.jobs[key].is_exhausted() {
            self.requests_met(cx, key);
        } else if let Some(hold) = self.hold_of(&self.jobs[key]) {
            self.block(cx, key, hold);
        }
    }

    /// Whether a queued job must not wait for its turn: it needs none, or would get nowhere.
    pub(crate) fn is_held(&self, job: &Job) -> bool {
        job.has_all_files() || job.is_exhausted() || self.hold_of(job).is_some()
    }

    /// A client has changed something: that is activity, and goes on record.
    pub(crate) fn changed(&mut self, cx: Cx<'_>, key: JobKey) {
        self.touch(cx, key);
        self.persist_job(key);
        self.notify_of_modification(key);
    }

    /// Renews the times of a job that a client has changed or whose bytes have moved.
    pub(crate) fn touch(&mut self, cx: Cx<'_>, key: JobKey) {
        let job = &mut self.jobs[key];
        job.modified = cx.now.wall;
        job.last_activity = cx.now.wall;
    }
}
