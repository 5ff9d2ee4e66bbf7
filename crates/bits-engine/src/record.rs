//! What outlives a restart of the service.

use bits_api::{ErrorContext, FileRange, FileTime, Guid, Hresult, JobState, JobType, ProxySettings};
use bits_wire::attempt::{Begin, UploadSession, Validators};
use serde::{Deserialize, Serialize};

use crate::{
    Access, CachePreferences, CacheRecord, CommandLine, FileIndex, JobKey, LaterSettings, OwnerRights, Secrets,
};

/// A change of what is on record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// A job is new or another now.
    Job(Box<JobRecord>),
    /// A file is new or another now.
    File(Box<FileRecord>),
    /// A job has left the queue, with its files.
    Remove(JobKey),
    /// A file is new in the peer cache or another now.
    Cached(Box<CacheRecord>),
    /// A file has left the peer cache.
    Uncached(Guid),
    /// The preferences of the peer cache are others now.
    CachePreferences(CachePreferences),
}

/// A job on record. Times are wall times: the monotonic clock does not outlive the machine.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct JobRecord {
    /// The job.
    pub key: JobKey,
    /// Its identifier.
    pub id: Guid,
    /// Its type.
    pub job_type: JobType,
    /// The owner's SID.
    pub owner: String,
    /// What the owner's token was like.
    pub rights: OwnerRights,
    /// What the helper token, which is not on record, is used for: BG_TOKEN bits.
    pub helper_flags: u32,
    /// SUSPENDED, QUEUED, TRANSIENT_ERROR, ERROR or TRANSFERRED: an active job is on record as
    /// QUEUED. CANCELLED while the server is still to be told that an upload is given up.
    pub state: JobState,
    /// The display name.
    pub display_name: String,
    /// The description.
    pub description: String,
    /// The priority.
    pub priority: u32,
    /// The notify flags.
    pub notify_flags: u32,
    /// Seconds.
    pub minimum_retry_delay: u32,
    /// Seconds.
    pub no_progress_timeout: u32,
    /// The later settings that the job has set.
    pub later: LaterSettings,
    /// The proxies, unless they are the user's own.
    pub proxy: Option<ProxySettings>,
    /// Whether nobody reads the custom headers any more.
    pub write_only_headers: bool,
    /// What is for the owner alone. Never a part of the record as it is written: a store seals it.
    #[serde(skip)]
    pub secrets: Option<Box<Secrets>>,
    /// Whether Resume was ever called.
    pub was_resumed: bool,
    /// The program to run for the job's end.
    pub notify_command: Option<CommandLine>,
    /// Whether the program, or an object of the job's class, was told of the end.
    pub end_told: bool,
    /// How many attempts failed.
    pub error_count: u32,
    /// The last error, while it is available.
    pub error: Option<ErrorRecord>,
    /// When the job was made.
    pub created: FileTime,
    /// When it last changed.
    pub modified: FileTime,
    /// When bytes last moved or a property last changed, which is what the inactivity policy counts
    /// from: a state that changes by itself is no activity.
    pub last_activity: FileTime,
    /// When it last became TRANSFERRED.
    pub transfer_completed: FileTime,
    /// When the first transient error since the last progress happened.
    pub failing_since: Option<FileTime>,
    /// When the next attempt is due, in TRANSIENT_ERROR.
    pub retry_at: Option<FileTime>,
    /// Milliseconds spent CONNECTING and TRANSFERRING.
    pub active_ms: u64,
    /// What an upload job has beside others.
    pub upload: Option<UploadRecord>,
}

/// What is on record of an upload job beside what every job has.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct UploadRecord {
    /// The session that the server keeps, while it is of use.
    pub session: Option<UploadSession>,
    /// The name of the reply file, when a client has set one.
    pub reply_file_name: Option<String>,
}

/// A file on record.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FileRecord {
    /// Its job.
    pub job: JobKey,
    /// Its place in the job; the reply of an upload comes second.
    pub index: FileIndex,
    /// The URL as it was given.
    pub remote_name: String,
    /// The path as it was given.
    pub local_name: String,
    /// The name of the temporary file in the folder of the destination, once a transfer began.
    pub temporary: Option<String>,
    /// The remote file that the temporary file holds a part of.
    pub validators: Option<Validators>,
    /// How far it has come.
    pub stage: FileStage,
    /// What most files have not.
    pub details: FileDetails,
}

/// What is on record of a file that was not simply fetched from front to back.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct FileDetails {
    /// The parts that AddFileWithRanges has named; none for a whole file.
    pub ranges: Vec<FileRange>,
    /// What becomes of what is there.
    pub begin: Begin,
    /// What is there and what was asked for, once parts were asked for.
    pub access: Option<Access>,
    /// What the client thinks of the content.
    pub validation: Option<bool>,
    /// The head of the server's last answer.
    pub head: Option<String>,
    /// The server that the client has named, as a URL, where a redirect has given the file a name on
    /// another one.
    pub named_server: Option<String>,
}

impl FileRecord {
    /// As if nothing had been fetched (clause `job5.high_performance.no_progress_persist`).
    pub(crate) fn forget_progress(&mut self) {
        (self.validators, self.stage) = (None, FileStage::Pending);
        if let Some(access) = &mut self.details.access {
            access.lose();
        }
    }
}

/// How far a file has come.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum FileStage {
    /// Not all there.
    Pending,
    /// All there, in its temporary file.
    Transferred,
    /// Complete has begun to rename it. On record before the rename: after a crash, a temporary
    /// file that is gone then was renamed, not lost.
    Renaming,
    /// Has its final name.
    Completed,
}

/// Why a job stopped.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ErrorRecord {
    /// The code.
    pub code: Hresult,
    /// Where it arose.
    pub context: ErrorContext,
    /// The file in work.
    pub file: Option<FileIndex>,
}

/// A job as the store gives it back.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The job.
    pub job: JobRecord,
    /// Its files, in order.
    pub files: Vec<FileRecord>,
    /// Whether it had secrets that nobody can open any more.
    pub lost_secrets: bool,
}
