//! What every file of probes needs.

pub(super) use std::sync::Arc;

pub(super) use bits_api::{
    CreatedJob, EnumJobsFlags, ErrorContext, File, FileTime, Hresult, Job, JobPriority, JobState, JobType, LanguageId,
    NotifyFlags, Success,
};

pub(super) use super::Seen;
pub(super) use super::seen::{Tell, Words, code, seen};
pub(super) use crate::bench::{Bench, Recorder, Remote, SOON, Told, job_name, new_job, pairs, ranges};
pub(super) use crate::claims::{Stop, failed};

/// What a probe gives.
pub(super) type Answer = Result<Seen, Stop>;

/// The files of a job, in the order of its enumerator.
pub(super) fn files(job: &Arc<dyn Job>) -> Result<Vec<Arc<dyn File>>, Stop> {
    Ok(job.enum_files()?.next(u32::MAX)?.items)
}

/// The first file of a job.
pub(super) fn first_file(job: &Arc<dyn Job>) -> Result<Arc<dyn File>, Stop> {
    match files(job)?.into_iter().next() {
        Some(file) => Ok(file),
        None => failed("the job has no file"),
    }
}

/// What a step in the local folder gave.
pub(super) fn done<T>(step: std::io::Result<T>) -> Result<T, Stop> {
    step.map_err(|error| Stop::Failed(format!("the local folder cannot be worked on: {error}")))
}

/// Context and code of a job's error, or what the question comes to.
pub(super) fn error_of(job: &Arc<dyn Job>) -> Result<(ErrorContext, Hresult), Hresult> {
    job.error()?.error()
}

/// The code of CreateJob, whose job is cancelled at once: nobody finds it by its name.
pub(super) fn made(created: Result<CreatedJob, Hresult>) -> Result<Hresult, Stop> {
    let code = code(&created);
    if let Ok(created) = created {
        created.job.cancel()?;
    }
    Ok(code)
}
