//! Resume, Suspend, Cancel and Complete, as calls.

use crate::bench::Bench;
use crate::claims::Outcome;
use bits_api::JobState;

cases![resume_of_an_empty_job_fails];

fn resume_of_an_empty_job_fails(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    c.returns(["core:job.resume.empty", "observed:job.resume.empty", "lifecycle.edge.resume_empty"], job.resume())?;
    c.is("lifecycle.edge.resume_empty", job.state()?, JobState::SUSPENDED)
}
