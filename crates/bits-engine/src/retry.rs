//! What becomes of a job that failed (clauses `retry.*`).

use std::time::Duration;

use bits_api::{ErrorContext, Hresult};
use bits_wire::attempt::Failure;
use bits_world::{Profile, Switch};

use crate::job::{Failing, State, Wait};
use crate::timers::Timer;
use crate::{Cause, Cx, Engine, ErrorRecord, JobKey};

impl Engine {
    /// The attempt at the file in work has failed.
    pub(crate) fn attempt_failed(&mut self, cx: Cx<'_>, key: JobKey, failure: Failure) {
        if self.tries_again_at_once(cx, key, failure) {
            return;
        }
        let profile = self.config.profile;
        let is_counted = !self.jobs[key].is_connecting() || !self.config.decisions.is_other(Switch::ConnectingCounts);
        let job = &mut self.jobs[key];
        let file = job.file_in_work().filter(|_| concerns_a_file(failure.context));
        job.error = Some(ErrorRecord { code: failure.code, context: failure.context, file });
        // job.get_error_count.retry_old: before 2.0 a retry that fails again counts for nothing.
        if is_counted && (profile >= Profile::V2_0 || !failure.transient || job.failing.is_none()) {
            job.error_count = job.error_count.saturating_add(1);
        }
        let delay = job.minimum_retry_delay;
        // retry.timeout.zero, retry.delay.above_timeout
        let is_patient = job.no_progress_timeout > 0 && delay <= job.no_progress_timeout;
        let is_fatal = !failure.transient || !is_patient || job.own_method().is_some();
        if is_fatal {
            return self.transition(cx, key, State::Error, Cause::Failed(failure));
        }
        job.failing.get_or_insert_with(|| Failing::starting(cx.now));
        let delay = Duration::from_secs(delay.into());
        let wait = Wait::Retry { at: cx.now.monotonic.plus(delay), wall: cx.now.wall.plus(delay) };
        self.transition(cx, key, State::TransientError(wait), Cause::Failed(failure));
        self.judge_progress(cx, key);
    }

    /// Whether a connection that failed is tried again without more ado, which is not usual.
    fn tries_again_at_once(&mut self, cx: Cx<'_>, key: JobKey, failure: Failure) -> bool {
        let is_of_connection = failure.transient && WINHTTP.contains(&failure.code.0);
        let job = &mut self.jobs[key];
        let Some(run) = job.run_mut().filter(|_| is_of_connection) else { return false };
        self.config.decisions.note(Switch::QuickAttempts);
        if run.quick_attempts >= self.config.decisions.count(Switch::QuickAttempts) {
            return false;
        }
        run.quick_attempts += 1;
        self.start_attempt(cx, key);
        true
    }

    /// The retry delay is over: the job gets another turn, unless its time without progress has
    /// passed already.
    pub(crate) fn retry_delay_over(&mut self, cx: Cx<'_>, key: JobKey) {
        let job = &self.jobs[key];
        let timeout = Duration::from_secs(job.no_progress_timeout.into());
        // Strictly: a timeout as long as the delay leaves room for one retry.
        if job.failing.is_some_and(|failing| failing.lasted(cx.now.monotonic) > timeout) {
            self.judge_progress(cx, key);
        } else {
            self.enqueue(cx, key, Cause::RetryDelayOver);
        }
    }

    /// Gives a job in TRANSIENT_ERROR up when it made no progress for its timeout; its error stays
    /// the last one.
    pub(crate) fn judge_progress(&mut self, cx: Cx<'_>, key: JobKey) {
        let job = &self.jobs[key];
        if !matches!(job.state, State::TransientError(_)) {
            return;
        }
        let timeout = Duration::from_secs(job.no_progress_timeout.into());
        if job.failing.is_some_and(|failing| failing.lasted(cx.now.monotonic) >= timeout) {
            if self.config.decisions.is_other(Switch::GivenUpError)
                && let Some(error) = &mut self.jobs[key].error
            {
                (error.code, error.context) = (Hresult::BG_E_NO_PROGRESS, ErrorContext::GENERAL_QUEUE_MANAGER);
            }
            self.transition(cx, key, State::Error, Cause::NoProgress);
        } else {
            self.arm_no_progress(cx, key);
        }
    }

    /// Gives an active job up that has used up its download time already, as when that was made
    /// shorter; whether it has.
    pub(crate) fn judge_download_time(&mut self, cx: Cx<'_>, key: JobKey) -> bool {
        self.arm_download_time(key);
        let is_over = self.timers.due(key, Timer::DownloadTime).is_some_and(|due| due <= cx.now.monotonic);
        if is_over {
            self.download_time_over(cx, key);
        }
        is_over
    }

    /// An active job has used up its download time (clause `lifecycle.edge.max_download_time`).
    pub(crate) fn download_time_over(&mut self, cx: Cx<'_>, key: JobKey) {
        let job = &mut self.jobs[key];
        job.error_count = job.error_count.saturating_add(1);
        job.error = Some(ErrorRecord {
            code: Hresult::BG_E_MAXDOWNLOAD_TIMEOUT,
            context: ErrorContext::GENERAL_QUEUE_MANAGER,
            file: job.file_in_work(),
        });
        self.transition(cx, key, State::Error, Cause::DownloadTimeUsedUp);
    }

    /// A job gets another no-progress timeout; one in TRANSIENT_ERROR is judged by it at once.
    pub(crate) fn set_no_progress_timeout(&mut self, cx: Cx<'_>, key: JobKey, seconds: u32) {
        self.jobs[key].no_progress_timeout = seconds;
        self.timers.disarm(key, Timer::NoProgress);
        self.judge_progress(cx, key);
    }
}

/// The failures of WinHTTP, which are those of connections: ERROR_WINHTTP_BASE and what follows.
const WINHTTP: std::ops::Range<u32> = 0x8007_2EE0..0x8007_3000;

/// Whether an error that arose there is tied to the file in work. One of the queue manager tells
/// which file waits (a job that a policy stops is reported to have one).
fn concerns_a_file(context: ErrorContext) -> bool {
    [
        ErrorContext::LOCAL_FILE,
        ErrorContext::REMOTE_FILE,
        ErrorContext::REMOTE_APPLICATION,
        ErrorContext::GENERAL_QUEUE_MANAGER,
    ]
    .contains(&context)
}
