//! The records of version 1, from the time when there were only downloads.
//!
//! Nothing here is ever changed: stores of that version exist.

use bits_api::{FileTime, Guid, JobState, JobType};
use bits_engine::{
    ErrorRecord, FileDetails, FileIndex, FileRecord, FileStage, JobKey, JobRecord, LaterSettings, OwnerRights,
};
use bits_wire::attempt::Validators;
use serde::Deserialize;

use crate::record::{JobIn, Kept};

#[derive(Deserialize)]
pub(crate) struct Job {
    key: JobKey,
    id: Guid,
    kind: JobType,
    owner: String,
    state: JobState,
    display_name: String,
    description: String,
    priority: u32,
    notify_flags: u32,
    minimum_retry_delay: u32,
    no_progress_timeout: u32,
    error_count: u32,
    error: Option<ErrorRecord>,
    created: FileTime,
    modified: FileTime,
    last_activity: FileTime,
    transfer_completed: FileTime,
    failing_since: Option<FileTime>,
    retry_at: Option<FileTime>,
    active_ms: u64,
}

impl From<Job> for JobRecord {
    fn from(old: Job) -> Self {
        Self {
            key: old.key,
            id: old.id,
            job_type: old.kind,
            owner: old.owner,
            rights: OwnerRights::default(),
            helper_flags: 0,
            state: old.state,
            display_name: old.display_name,
            description: old.description,
            priority: old.priority,
            notify_flags: old.notify_flags,
            minimum_retry_delay: old.minimum_retry_delay,
            no_progress_timeout: old.no_progress_timeout,
            later: LaterSettings::default(),
            proxy: None,
            write_only_headers: false,
            secrets: None,
            // Only a job that nobody has resumed has no state but SUSPENDED and no time spent.
            was_resumed: old.state != JobState::SUSPENDED || old.active_ms > 0 || old.error_count > 0,
            notify_command: None,
            end_told: false,
            error_count: old.error_count,
            error: old.error,
            created: old.created,
            modified: old.modified,
            last_activity: old.last_activity,
            transfer_completed: old.transfer_completed,
            failing_since: old.failing_since,
            retry_at: old.retry_at,
            active_ms: old.active_ms,
            upload: None,
        }
    }
}

impl From<Job> for JobIn {
    fn from(old: Job) -> Self {
        Self { job: old.into(), sealed: None }
    }
}

impl Kept for JobIn {
    type V1 = Job;
    type V3 = crate::v4::Job;
    type V4 = crate::v4::Job;
}

#[derive(Deserialize)]
pub(crate) struct File {
    job: JobKey,
    index: FileIndex,
    remote_name: String,
    local_name: String,
    temporary: Option<String>,
    validators: Option<Validators>,
    stage: FileStage,
}

impl From<File> for FileRecord {
    fn from(old: File) -> Self {
        Self {
            job: old.job,
            index: old.index,
            remote_name: old.remote_name,
            local_name: old.local_name,
            temporary: old.temporary,
            validators: old.validators,
            stage: old.stage,
            details: FileDetails::default(),
        }
    }
}

impl Kept for FileRecord {
    type V1 = File;
    type V3 = crate::v3::File;
    type V4 = Self;
}
