//! Why a job is not further: what the engine knows, and what only the timeline remembers.

use bits_api::{Guid, Hresult, JobState};
use bits_engine::{Cause, Explanation, Reason, Suspender};

use crate::emulator::Inner;
use crate::timeline::{Timeline, What};

impl Inner {
    pub(crate) fn explain(&self, job: Guid) -> Explanation {
        let Some(service) = self.service() else { return Explanation::without_job(Reason::ServiceStopped) };
        let Some(mut told) = service.explain_job(job) else { return ended(self.timeline(), job) };
        if let Reason::Suspended { by: by @ Suspender::Unknown } = &mut told.reason {
            *by = suspender(self.timeline(), job);
        }
        told
    }
}

/// A job that has left the queue.
fn ended(timeline: &Timeline, job: Guid) -> Explanation {
    let mut told = Explanation::without_job(Reason::Unknown);
    if let Some((to @ (JobState::ACKNOWLEDGED | JobState::CANCELLED), cause)) = timeline.last_transition(job) {
        (told.state, told.reason) = (Some(to), Reason::Ended { cause: Some(cause) });
    }
    told
}

/// Who has called the last Suspend, if that has suspended the job.
fn suspender(timeline: &Timeline, job: Guid) -> Suspender {
    match timeline.last_transition(job) {
        Some((_, Cause::Suspended)) => {}
        // A seeded job has a past, and nobody has suspended it in the sight of the timeline.
        Some((_, Cause::Created)) => return Suspender::Unknown,
        Some((JobState::SUSPENDED, cause)) => return Suspender::Service(cause),
        _ => return Suspender::Unknown,
    }
    let called = timeline.of_job(job).into_iter().rev().find_map(|entry| match entry.what {
        What::Call { client, method: "Suspend", result: Hresult::S_OK } => Some(client),
        _ => None,
    });
    called.map_or(Suspender::Unknown, Suspender::Client)
}
