//! Whether this machine transfers anything: a plain job, of which nothing else is asked.

use std::sync::Arc;
use std::time::Instant;

use bits_api::{Hresult, Job, JobPriority, JobState};

use super::{Bench, Remote, SOON};
use crate::claims::{Outcome, Stop, failed};
use crate::control;

/// A file in one request, and hardly a moment's work.
const SIZE: u64 = 1_024;

/// Where a plain job stops.
const STOPS: [JobState; 3] = [JobState::TRANSFERRED, JobState::ERROR, JobState::TRANSIENT_ERROR];

impl Bench {
    /// Downloads a small file at that priority. Where that does not work, whatever else is seen tells of the
    /// machine, and of BITS nothing.
    pub(crate) fn transfers(&self, priority: JobPriority) -> Outcome {
        let job = self.new_job()?;
        let file = self.serve("control.bin", SIZE)?;
        begin(&job, &file, priority)
            .map_err(|code| Stop::Failed(format!("a plain download cannot begin, {}", control::in_words(code))))?;
        let began = Instant::now();
        self.until(|| job.state().is_ok_and(|state| STOPS.contains(&state)), SOON)?;
        let state = job.state()?;
        if state != JobState::TRANSFERRED {
            let why = self.hindrance(&job, &file, state);
            job.cancel()?;
            return failed(format!(
                "a plain download of {SIZE} bytes from this machine at {priority} is {state} after {:.0} s{why}",
                began.elapsed().as_secs_f64()
            ));
        }
        job.complete()?;
        match self.local_length("control.bin")? {
            Some(SIZE) => Ok(()),
            length => failed(format!("of a plain download of {SIZE} bytes at {priority} {length:?} are in the file")),
        }
    }

    /// What is known of why the job does not get on, each part after a comma or a colon.
    fn hindrance(&self, job: &Arc<dyn Job>, file: &Remote, state: JobState) -> String {
        let code = job.error().and_then(|error| error.error()).map(|(_, code)| code).ok();
        // What cannot be told apart are requests, too.
        let is_asked =
            self.attempted().map_or_else(|stop| matches!(stop, Stop::Skipped(_)), |all| all.contains(&file.url));
        let told = code.map(|code| format!(", {code}")).unwrap_or_default();
        let asked = if is_asked { "" } else { ", and no request has come to the server" };
        let advice = match code {
            Some(code) => control::advice(code),
            None if state == JobState::QUEUED => Some(control::NO_TURN),
            None => None,
        };
        let advice = advice.or((!is_asked).then_some(control::NO_REQUEST));
        format!("{told}{asked}{}", advice.map(|advice| format!(": {advice}")).unwrap_or_default())
    }
}

fn begin(job: &Arc<dyn Job>, file: &Remote, priority: JobPriority) -> Result<(), Hresult> {
    job.set_priority(priority)?;
    job.add_file(Some(&file.url), Some(&file.local))?;
    job.resume()?;
    Ok(())
}
