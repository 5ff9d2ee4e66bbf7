//! What every file of cases needs.

pub(super) use std::sync::Arc;
pub(super) use std::time::Duration;

pub(super) use bits_api::{
    CreatedJob, EnumJobsFlags, ErrorContext, File, FileInfo, FileTime, Guid, Hresult, Job, JobPriority, JobProgress,
    JobState, JobType, LanguageId, NotifyFlags, SIZE_UNKNOWN, Success,
};

pub(super) use bits_world::StorageFault;

pub(super) use crate::bench::{Bench, Recorder, SOON, Told, Trouble, job_name, new_job};
pub(super) use crate::bench::{pairs, ranges};
pub(super) use crate::claims::{Outcome, Stop, failed};
pub(super) use crate::provider::Capability;

/// The states that a job can leave.
pub(super) const LIVING: [JobState; 7] = [
    JobState::SUSPENDED,
    JobState::QUEUED,
    JobState::CONNECTING,
    JobState::TRANSFERRING,
    JobState::TRANSIENT_ERROR,
    JobState::ERROR,
    JobState::TRANSFERRED,
];

/// The states that a job never leaves.
pub(super) const FINAL: [JobState; 2] = [JobState::ACKNOWLEDGED, JobState::CANCELLED];

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_mins(1);
pub(super) const DAY: Duration = Duration::from_hours(24);

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

/// The URLs of a job's files.
pub(super) fn urls(job: &Arc<dyn Job>) -> Result<Vec<String>, Stop> {
    files(job)?.iter().map(|file| Ok(file.remote_name()?)).collect()
}

/// Context and code of the error that stopped a job.
pub(super) fn error_of(job: &Arc<dyn Job>) -> Result<(ErrorContext, Hresult), Stop> {
    Ok(job.error()?.error()?)
}
