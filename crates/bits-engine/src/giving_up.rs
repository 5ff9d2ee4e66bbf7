//! The end of a cancelled upload: its server is told, and told again while it does not answer
//! (clauses `job.cancel.upload_server_down*`, `job.set_no_progress_timeout.cancel_upload`).
//!
//! For its clients the job is CANCELLED; it leaves the queue when the server has answered, or when
//! nobody may wait for that any longer. The time counts from Cancel, over restarts too.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bits_wire::attempt::{AttemptEnd, AttemptId, AttemptPlan, ChainId, Fetch, Urgency, Work};

use crate::engine::take;
use crate::job::{Failing, State};
use crate::timers::Timer;
use crate::visits::Counted;
use crate::{Action, Change, Cx, Engine, JobKey};

/// How long a server may be silent, unless the job's no-progress timeout is shorter.
const PATIENCE: Duration = Duration::from_hours(24);

impl Engine {
    /// Tells the server that nobody wants more of the session of a cancelled job.
    pub(crate) fn give_up_session(&mut self, cx: Cx<'_>, key: JobKey) {
        let job = &self.jobs[key];
        let (Some(session), Some(file)) = (job.session().cloned(), job.files.first()) else {
            return self.session_given_up(key);
        };
        let attempt = AttemptId(take(&mut self.numbers.attempt));
        let chain = ChainId(take(&mut self.numbers.chain));
        // A helper who has left cannot say good-bye.
        let identities = self.identities(key).unwrap_or_else(|_| self.owners(key));
        let logins = Arc::new(self.logins(cx, key, &file.remote_name, &identities.network));
        let plan = AttemptPlan {
            attempt,
            chain,
            work: Work::GiveUp { session },
            url: file.remote_name.to_string(),
            local: PathBuf::new(),
            proxying: self.proxying(cx, key, &file.remote_name, &identities).unwrap_or_default(),
            identities,
            urgency: Urgency::Background,
            limit: None,
            custom_headers: job.custom_headers().cloned(),
            logins,
            certificates: job.certificates(),
            vetting: job.vetting(),
            fetch: Fetch::default(),
            known: None,
        };
        self.jobs[key].state = State::GivingUp { attempt: Some((attempt, chain)) };
        self.attempts.insert(Counted(attempt), key);
        self.push(Action::Start(Box::new(plan)));
        // Without patience there is one try, which ends by itself.
        if !self.patience_left(cx, key).is_zero() {
            self.arm_giving_up(cx, key, PATIENCE);
        }
    }

    /// The server has answered, or it has not.
    pub(crate) fn give_up_ended(&mut self, cx: Cx<'_>, key: JobKey, end: &AttemptEnd) {
        if let State::GivingUp { attempt: Some((_, chain)) } = self.jobs[key].state {
            self.push(Action::Release(chain));
        }
        let is_silent = matches!(end, AttemptEnd::Failed(failure) if failure.transient);
        if is_silent && !self.patience_left(cx, key).is_zero() {
            self.jobs[key].state = State::GivingUp { attempt: None };
            let delay = self.jobs[key].minimum_retry_delay;
            self.arm_giving_up(cx, key, Duration::from_secs(delay.into()));
        } else {
            self.session_given_up(key);
        }
    }

    /// The server is to be told again, or has been silent for too long.
    pub(crate) fn give_up_due(&mut self, cx: Cx<'_>, key: JobKey) {
        let State::GivingUp { attempt } = self.jobs[key].state else { return };
        if !self.patience_left(cx, key).is_zero() {
            return self.give_up_session(cx, key);
        }
        if let Some((attempt, chain)) = attempt {
            self.attempts.remove(&Counted(attempt));
            self.push(Action::Stop(attempt));
            self.push(Action::Release(chain));
        }
        self.session_given_up(key);
    }

    /// Looks at the job again in `within`, and not later than its patience is over.
    fn arm_giving_up(&mut self, cx: Cx<'_>, key: JobKey, within: Duration) {
        let within = within.min(self.patience_left(cx, key));
        self.timers.arm(key, Timer::GivingUp, cx.now.monotonic.plus(within));
    }

    fn patience_left(&mut self, cx: Cx<'_>, key: JobKey) -> Duration {
        let job = &mut self.jobs[key];
        let patience = PATIENCE.min(Duration::from_secs(job.no_progress_timeout.into()));
        let since = job.failing.get_or_insert_with(|| Failing::starting(cx.now));
        patience.saturating_sub(since.lasted(cx.now.monotonic))
    }

    /// The cancelled job leaves the queue.
    fn session_given_up(&mut self, key: JobKey) {
        self.timers.disarm_all(key);
        self.jobs.set_state(key, State::Cancelled);
        self.push(Action::Persist(Change::Remove(key)));
        self.jobs.forget_if_gone(key);
    }
}
