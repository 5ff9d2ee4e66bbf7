//! What probes need: they ask where a job goes, instead of saying where it must go.

use std::sync::Arc;
use std::time::Duration;

use bits_api::{Job, JobState};

use super::Bench;
use crate::claims::Stop;

/// How long a probe waits for a job to come to rest.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a job stays for longer than a probe looks.
const AT_REST: [JobState; 6] = [
    JobState::SUSPENDED,
    JobState::ERROR,
    JobState::TRANSIENT_ERROR,
    JobState::TRANSFERRED,
    JobState::ACKNOWLEDGED,
    JobState::CANCELLED,
];

impl Bench {
    /// Where the job comes to rest, or the state in which it still is after ten seconds.
    pub(crate) fn rest(&self, job: &Arc<dyn Job>) -> Result<JobState, Stop> {
        self.until(|| job.state().is_ok_and(|state| AT_REST.contains(&state)), PATIENCE)?;
        Ok(job.state()?)
    }

    /// A full local name on a drive.
    pub(crate) fn on_drive(&self, name: &str) -> String {
        format!(r"C:\{name}")
    }

    /// Waits until `reached`, at most for `within`; tells whether it came so far.
    pub(crate) fn until(&self, reached: impl FnMut() -> bool, within: Duration) -> Result<bool, Stop> {
        self.may_wait(within)?;
        self.emulator()?.run_until(reached, within).map_err(|error| Stop::Failed(format!("{error:?}")))
    }
}
