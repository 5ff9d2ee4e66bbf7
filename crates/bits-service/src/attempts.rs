//! The attempts that run, for the timeline and the event log of Windows.

use std::collections::HashMap;

use bits_api::{Guid, Hresult};
use bits_engine::{Engine, Judged, LogEvent};
use bits_wire::attempt::{AttemptEnd, AttemptId, AttemptPlan, AttemptReport};
use bits_wire::redacted;
use bits_world::Profile;

use crate::timeline::What;

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

    /// An attempt that has not ended.
    pub(crate) fn get(&self, attempt: AttemptId) -> Option<&Attempt> {
        self.0.get(&attempt)
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

    /// What is told of a report that neither begins nor ends it, with its event.
    pub(crate) fn told(&self, attempt: AttemptId, report: &AttemptReport) -> Option<(What, Option<LogEvent>)> {
        let attempt = attempt.0;
        match report {
            AttemptReport::Redirected { url } => {
                Some((What::Redirected { attempt, url: redacted(url).into_owned() }, None))
            }
            AttemptReport::CredentialsJudged { by, accepted } => {
                let event = if *accepted { LogEvent::CredentialsAccepted } else { LogEvent::CredentialsRefused };
                let judged = Judged { server: by.clone(), name: self.name.clone(), url: self.url.clone() };
                let what = What::CredentialsJudged { attempt, by: by.clone(), accepted: *accepted };
                Some((what, self.is_logged.then(|| event(judged))))
            }
            _ => None,
        }
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
