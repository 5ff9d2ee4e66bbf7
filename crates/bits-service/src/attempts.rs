//! The attempts that run, for the timeline and the event log of Windows.

use std::collections::HashMap;

use bits_api::{Guid, Hresult};
use bits_engine::{Engine, LogEvent};
use bits_wire::attempt::{AttemptEnd, AttemptId, AttemptPlan};
use bits_wire::redacted;
use bits_world::Profile;

/// Attempts that have not ended.
#[derive(Default)]
pub(crate) struct Attempts(HashMap<AttemptId, Attempt>);

/// What is told of an attempt.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) job: Option<Guid>,
    /// Without its credentials.
    pub(crate) url: String,
    name: String,
    /// Whether this BITS has an event log.
    is_logged: bool,
}

impl Attempts {
    pub(crate) fn began(&mut self, engine: &Engine, plan: &AttemptPlan) -> Attempt {
        let job = engine.job_of(plan.attempt);
        let attempt = Attempt {
            job: job.and_then(|job| engine.guid(job)),
            url: redacted(&plan.url).into_owned(),
            name: job.and_then(|job| engine.name(job)).unwrap_or_default().to_owned(),
            is_logged: engine.profile() >= Profile::V3_0,
        };
        self.0.insert(plan.attempt, attempt.clone());
        attempt
    }

    /// The job of an attempt that has not ended.
    pub(crate) fn job(&self, attempt: AttemptId) -> Option<Guid> {
        self.0.get(&attempt)?.job
    }

    pub(crate) fn ended(&mut self, attempt: AttemptId) -> Option<Attempt> {
        self.0.remove(&attempt)
    }
}

impl Attempt {
    /// The event of its beginning.
    pub(crate) fn started(&self) -> Option<LogEvent> {
        let Self { name, url, .. } = self.clone();
        self.is_logged.then_some(LogEvent::TransferStarted { name, url })
    }

    /// The event of its end.
    pub(crate) fn stopped(&self, end: &AttemptEnd) -> Option<LogEvent> {
        let Self { name, url, .. } = self.clone();
        let status = match end {
            AttemptEnd::Failed(failure) => failure.code,
            _ => Hresult::S_OK,
        };
        self.is_logged.then_some(LogEvent::TransferStopped { name, url, status })
    }
}
