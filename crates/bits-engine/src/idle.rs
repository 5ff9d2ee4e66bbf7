//! The policy JobInactivityTimeout: a job that nobody touches is cancelled (clauses
//! `lifecycle.edge.inactivity`, `policy.job_inactivity_timeout.*`).
//!
//! It counts wall time from the last activity and so spans restarts. The index behind it holds for
//! each job a moment that is not after its last activity, and is brought up to date when that
//! moment's turn comes: progress costs it nothing, and neither does another policy.

use bits_world::clock::Monotonic;

use crate::job::{Purpose, State};
use crate::{Cause, Cx, Engine};

impl Engine {
    /// When the job that is idle for longest may be due.
    pub(crate) fn idle_deadline(&self) -> Option<Monotonic> {
        let (since, _) = self.jobs.most_idle()?;
        let now = self.facts.now;
        let due = since.plus(self.facts.job_inactivity_timeout());
        Some(now.monotonic.plus(due.since(now.wall)))
    }

    /// Cancels every job whose time has come.
    pub(crate) fn cancel_inactive(&mut self, cx: Cx<'_>) {
        let timeout = self.facts.job_inactivity_timeout();
        while let Some((since, key)) = self.jobs.most_idle() {
            if since.plus(timeout) > cx.now.wall {
                break;
            }
            let job = &self.jobs[key];
            if matches!(job.state, State::Finishing(_)) {
                // It ends anyway, or is looked at again if it does not.
                self.jobs.set_idle_since(key, cx.now.wall);
                if timeout.is_zero() {
                    break;
                }
            } else if job.last_activity > since {
                let last_activity = job.last_activity;
                self.jobs.set_idle_since(key, last_activity);
            } else {
                self.begin_finishing(cx, key, Purpose::Cancel(Cause::Inactive), None);
            }
        }
    }
}
