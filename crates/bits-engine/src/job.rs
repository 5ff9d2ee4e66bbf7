//! One job: its settings, its files, and the state it is in.
//!
//! Data and its sums only. What leads from one state to the next is in [`crate::change`] and the
//! modules that call it.

use std::collections::BTreeSet;
use std::time::Duration;

use bits_api::{
    CostFlags, FileRange, FileTime, Guid, Hresult, JobPriority, JobState, JobType, NotifyFlags, ProxySettings,
    SIZE_UNKNOWN, Setting, TokenFlags,
};
use bits_wire::attempt::{AttemptId, Begin, ChainId, ResponseHead, Validators};
use bits_world::clock::{Monotonic, Now};

use crate::access::OwnerRights;
use crate::heads::Heads;
use crate::helper::HelperToken;
use crate::hold::{Class, Hold};
use crate::jobs::Standing;
use crate::notify::{CommandLine, Notices};
use crate::ranges::{Access, Fetching};
use crate::secrets::{Readers, Secrets};
use crate::settings::{LaterSettings, Moment};
use crate::temporary::Temporary;
use crate::upload::Upload;
use crate::users::UserNo;
use crate::{CallId, Cause, ErrorRecord, FileDetails, FileIndex, FileRecord, FileStage, JobKey, JobRecord};

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) key: JobKey,
    pub(crate) id: Guid,
    pub(crate) kind: JobType,
    pub(crate) owner: UserNo,
    pub(crate) rights: OwnerRights,
    pub(crate) helper: Option<HelperToken>,
    pub(crate) helper_flags: TokenFlags,
    pub(crate) state: State,
    pub(crate) display_name: Box<str>,
    pub(crate) description: Box<str>,
    pub(crate) priority: JobPriority,
    pub(crate) notify_flags: NotifyFlags,
    /// Seconds.
    pub(crate) minimum_retry_delay: u32,
    /// Seconds.
    pub(crate) no_progress_timeout: u32,
    pub(crate) later: LaterSettings,
    /// `None` is PRECONFIG.
    pub(crate) proxy: Option<Box<ProxySettings>>,
    pub(crate) secrets: Option<Box<Secrets>>,
    /// Who reads the custom headers.
    pub(crate) header_readers: Readers,
    /// Whether Resume was ever called.
    pub(crate) was_resumed: bool,
    pub(crate) error_count: u32,
    pub(crate) error: Option<ErrorRecord>,
    pub(crate) created: FileTime,
    pub(crate) modified: FileTime,
    pub(crate) last_activity: FileTime,
    pub(crate) transfer_completed: FileTime,
    pub(crate) failing: Option<Failing>,
    /// Time spent CONNECTING and TRANSFERRING before the present run.
    pub(crate) active: Duration,
    pub(crate) files: Vec<File>,
    /// How many files at the beginning have been transferred: the place of the next one.
    pub(crate) next: usize,
    /// The place of the file in work, where that is not the next.
    pub(crate) work: Option<usize>,
    /// What the running attempt fetches.
    pub(crate) fetching: Fetching,
    /// How often in this run a remote file was another one than before.
    pub(crate) changes: u32,
    /// Which files have heads of answers.
    pub(crate) heads: Heads,
    /// Files whose remote name is not on record yet.
    pub(crate) unsaved: BTreeSet<usize>,
    pub(crate) sums: Sums,
    /// An attempt that was told to stop and has not ended yet.
    pub(crate) stopping: Option<Stopping>,
    pub(crate) notices: Option<Box<Notices>>,
    pub(crate) notify_command: Option<Box<CommandLine>>,
    /// Whether the client was told of the state, TRANSFERRED or ERROR, that the job is in.
    pub(crate) end_told: bool,
    /// Who has begun to complete or cancel the job.
    pub(crate) ended_by: Option<UserNo>,
    /// How many client handles keep the job readable.
    pub(crate) handles: u32,
    /// Where the job stands in the index of idle jobs.
    pub(crate) idle_since: FileTime,
    /// Where the job stands in the index of what may hold it.
    pub(crate) filed: Option<(Standing, Class)>,
    /// Present in jobs that upload.
    pub(crate) upload: Option<Box<Upload>>,
}

/// What a job is doing.
#[derive(Debug)]
pub(crate) enum State {
    Suspended,
    Queued {
        /// The place among jobs of its priority.
        turn: u64,
        /// How long the turn lasts.
        slice: Duration,
    },
    Connecting {
        run: Run,
        /// Absent while an earlier attempt of the job is still being stopped.
        attempt: Option<AttemptId>,
    },
    Transferring {
        run: Run,
        attempt: AttemptId,
    },
    TransientError(Wait),
    Error,
    Transferred,
    /// In the middle of Complete or Cancel; clients still see the state of before.
    Finishing(Finishing),
    Acknowledged,
    /// Cancelled for its clients, and still in the queue: the server of its upload is to be told.
    GivingUp {
        /// The attempt to tell it, with a chain of its own, unless the next one is waited for.
        attempt: Option<(AttemptId, ChainId)>,
    },
    Cancelled,
}

/// A stretch of time in which a job moves data without a pause.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// The place that the job had in the queue.
    pub(crate) turn: u64,
    /// Its attempts may share a connection.
    pub(crate) chain: ChainId,
    pub(crate) since: Monotonic,
    /// The limit that its attempt knows of, in kilobits a second.
    pub(crate) limit: Option<u32>,
    /// How often a connection that failed was tried again at once.
    pub(crate) quick_attempts: u64,
}

/// What a job in TRANSIENT_ERROR waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wait {
    /// The end of the retry delay.
    Retry { at: Monotonic, wall: FileTime },
    /// The end of what holds it.
    Held(Hold),
}

/// Since when a job has been failing without progress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Failing {
    /// When the first transient error happened, for the record.
    pub(crate) first: FileTime,
    /// From when this engine counts.
    from: Monotonic,
    /// What had passed before that.
    before: Duration,
}

impl Failing {
    /// From this moment on.
    pub(crate) fn starting(now: Now) -> Self {
        Self { first: now.wall, from: now.monotonic, before: Duration::ZERO }
    }

    /// As it is on record: what has passed is told by the wall clock.
    pub(crate) fn since(first: FileTime, now: Now) -> Self {
        Self { first, from: now.monotonic, before: now.wall.since(first) }
    }

    /// How long it has been.
    pub(crate) fn lasted(&self, now: Monotonic) -> Duration {
        self.before + now.since(self.from)
    }
}

/// An attempt that is being stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopping {
    pub(crate) attempt: AttemptId,
    pub(crate) chain: ChainId,
}

/// A Complete or Cancel that waits for something.
#[derive(Debug)]
pub(crate) struct Finishing {
    /// The state that clients see until the end.
    pub(crate) shown: JobState,
    pub(crate) purpose: Purpose,
    pub(crate) step: Step,
    /// Who waits for the result.
    pub(crate) call: Option<CallId>,
    /// Whether other calls wait for the end.
    pub(crate) others_wait: bool,
}

/// How a job ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    Complete,
    /// For this cause: Cancel, or the inactivity policy.
    Cancel(Cause),
}

/// How far a Complete or Cancel has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// The attempt has not ended yet.
    Stopping,
    /// Finished files are given their names.
    Publishing { awaited: u32, failed: Option<Hresult> },
    /// Temporary files are deleted.
    Deleting { awaited: u32, failed: bool },
}

/// A file.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) remote_name: Box<str>,
    pub(crate) local_name: Box<str>,
    /// The temporary file, from the first attempt until it is renamed or deleted.
    pub(crate) temporary: Option<Temporary>,
    /// The name on record of the temporary file, while the drive of its folder is not there.
    pub(crate) unplaced: Option<Box<str>>,
    /// The serial number of the volume that the temporary file was made on, where it is known.
    pub(crate) volume: Option<u32>,
    /// How many temporary names somebody else took before the file was made.
    pub(crate) lost_names: u32,
    pub(crate) validators: Option<Validators>,
    /// Bytes that are there.
    pub(crate) have: u64,
    pub(crate) stage: FileStage,
    /// The parts that are to be fetched; the whole file without.
    pub(crate) ranges: Option<Box<[FileRange]>>,
    /// What the next attempt makes of what is there.
    pub(crate) begin: Begin,
    /// Once parts of the file were asked for.
    pub(crate) access: Option<Box<Access>>,
    /// What the client thinks of the content.
    pub(crate) validation: Option<bool>,
    /// The head of the server's last answer.
    pub(crate) head: Option<ResponseHead>,
    /// The server that the client has named, where a redirect has led to another one for good.
    pub(crate) named_server: Option<Box<str>>,
}

impl File {
    pub(crate) fn new(remote_name: &str, local_name: &str) -> Self {
        Self {
            remote_name: remote_name.into(),
            local_name: local_name.into(),
            temporary: None,
            unplaced: None,
            volume: None,
            lost_names: 0,
            validators: None,
            have: 0,
            stage: FileStage::Pending,
            ranges: None,
            begin: Begin::GoOn,
            access: None,
            validation: None,
            head: None,
            named_server: None,
        }
    }

    pub(crate) fn record(&self, job: JobKey, index: usize) -> FileRecord {
        let name = self.temporary.as_ref().and_then(|temporary| temporary.path().file_name());
        let name = name.map(|name| name.to_string_lossy().into_owned());
        FileRecord {
            job,
            index: file_index(index),
            remote_name: self.remote_name.to_string(),
            local_name: self.local_name.to_string(),
            temporary: name.or_else(|| self.unplaced.as_deref().map(str::to_owned)),
            validators: self.validators,
            stage: self.stage,
            details: FileDetails {
                ranges: self.ranges.as_deref().map_or_else(Vec::new, <[_]>::to_vec),
                begin: self.begin,
                access: self.access.as_deref().cloned(),
                validation: self.validation,
                head: self.head.as_ref().map(|head| head.0.to_string()),
                named_server: self.named_server.as_deref().map(str::to_owned),
            },
        }
    }
}

/// Sums over the files of a job, so that its progress costs no walk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    /// Bytes of the files whose size is known.
    pub(crate) known_bytes: u64,
    /// How many files have no known size.
    pub(crate) unknown_files: u32,
    /// How many files have been transferred.
    pub(crate) transferred_files: u32,
    pub(crate) bytes_transferred: u64,
}

impl Sums {
    fn count_size(&mut self, size: u64) {
        match size {
            SIZE_UNKNOWN => self.unknown_files += 1,
            size => self.known_bytes = self.known_bytes.saturating_add(size),
        }
    }

    fn discount_size(&mut self, size: u64) {
        match size {
            SIZE_UNKNOWN => self.unknown_files -= 1,
            size => self.known_bytes = self.known_bytes.saturating_sub(size),
        }
    }
}

/// The place of a file; a job has fewer than 2^32, since each was given in a slice of its own.
pub(crate) fn file_index(place: usize) -> FileIndex {
    FileIndex(u32::try_from(place).unwrap_or(u32::MAX))
}

impl Job {
    /// The state that clients see.
    pub(crate) fn shown(&self) -> JobState {
        match &self.state {
            State::Suspended => JobState::SUSPENDED,
            State::Queued { .. } => JobState::QUEUED,
            State::Connecting { .. } => JobState::CONNECTING,
            State::Transferring { .. } => JobState::TRANSFERRING,
            State::TransientError(_) => JobState::TRANSIENT_ERROR,
            State::Error => JobState::ERROR,
            State::Transferred => JobState::TRANSFERRED,
            State::Finishing(finishing) => finishing.shown,
            State::Acknowledged => JobState::ACKNOWLEDGED,
            State::GivingUp { .. } | State::Cancelled => JobState::CANCELLED,
        }
    }

    /// The state that goes on record.
    pub(crate) fn recorded(&self) -> JobState {
        match self.shown() {
            JobState::CONNECTING | JobState::TRANSFERRING => JobState::QUEUED,
            other => other,
        }
    }

    pub(crate) fn is_final(&self) -> bool {
        matches!(self.state, State::Acknowledged | State::Cancelled)
    }

    /// On which networks the job transfers when nobody said so (a decision,
    /// `job5.cost_flags.default`).
    pub(crate) fn default_cost_flags(&self) -> CostFlags {
        match self.priority {
            JobPriority::FOREGROUND => CostFlags::TRANSFER_ALWAYS,
            JobPriority::HIGH => CostFlags::TRANSFER_NO_SURCHARGE,
            _ => CostFlags::TRANSFER_UNRESTRICTED,
        }
    }

    /// On which networks the job transfers.
    pub(crate) fn cost_flags(&self) -> CostFlags {
        let own = self.later.number(Setting::CostFlags);
        own.map_or_else(|| self.default_cost_flags(), CostFlags::from_bits_retain)
    }

    /// What decides whether a setting may be set.
    pub(crate) fn moment(&self) -> Moment {
        Moment {
            job_type: self.kind,
            state: self.shown(),
            has_files: !self.files.is_empty(),
            was_resumed: self.was_resumed,
        }
    }

    /// Whether every file has been transferred.
    pub(crate) fn has_all_files(&self) -> bool {
        self.next == self.files.len()
    }

    /// The file in work, or the next one to be.
    pub(crate) fn file_in_work(&self) -> Option<FileIndex> {
        (!self.has_all_files()).then(|| file_index(self.place_in_work()))
    }

    /// Its place, or that behind the last file.
    pub(crate) fn place_in_work(&self) -> usize {
        self.work.unwrap_or(self.next)
    }

    /// The run that the job is in.
    pub(crate) fn run(&self) -> Option<Run> {
        match self.state {
            State::Connecting { run, .. } | State::Transferring { run, .. } => Some(run),
            _ => None,
        }
    }

    pub(crate) fn run_mut(&mut self) -> Option<&mut Run> {
        match &mut self.state {
            State::Connecting { run, .. } | State::Transferring { run, .. } => Some(run),
            _ => None,
        }
    }

    pub(crate) fn is_connecting(&self) -> bool {
        matches!(self.state, State::Connecting { .. })
    }

    /// The attempt whose reports count.
    pub(crate) fn attempt(&self) -> Option<AttemptId> {
        match self.state {
            State::Connecting { attempt, .. } => attempt,
            State::Transferring { attempt, .. } => Some(attempt),
            _ => None,
        }
    }

    pub(crate) fn add_file(&mut self, file: File) {
        if !self.is_reply(self.files.len()) {
            self.sums.count_size(file.size());
            self.sums.transferred_files += u32::from(file.stage != FileStage::Pending);
            self.sums.bytes_transferred = self.sums.bytes_transferred.saturating_add(file.have);
        }
        self.files.push(file);
        self.count_head(self.files.len() - 1);
        self.skip_transferred();
    }

    /// Takes down what the server has told about a file; whether that was new.
    pub(crate) fn set_validators(&mut self, place: usize, validators: Validators) -> bool {
        let file = &mut self.files[place];
        if file.validators == Some(validators) {
            return false;
        }
        let is_reply = self.is_reply(place);
        let file = &mut self.files[place];
        let before = file.size();
        file.validators = Some(validators);
        if !is_reply {
            self.sums.discount_size(before);
            self.sums.count_size(file.size());
        }
        true
    }

    /// Forgets what the server has told about a file that is not finished, and what is there of it.
    pub(crate) fn begin_anew(&mut self, place: usize) {
        let is_reply = self.is_reply(place);
        let file = &mut self.files[place];
        let before = file.size();
        file.validators = None;
        if !is_reply {
            self.sums.discount_size(before);
            self.sums.count_size(file.size());
        }
        self.set_have(place, 0);
    }

    /// Takes down how much of a file is there; whether that is more than before.
    pub(crate) fn set_have(&mut self, place: usize, have: u64) -> bool {
        let before = std::mem::replace(&mut self.files[place].have, have);
        if !self.is_reply(place) {
            self.sums.bytes_transferred = self.sums.bytes_transferred.saturating_sub(before).saturating_add(have);
        }
        have > before
    }

    /// Marks a file as transferred and goes to the next. One that was sent needs nothing more
    /// (clause `struct.file_progress.completed_upload`).
    pub(crate) fn file_arrived(&mut self, place: usize) {
        self.files[place].stage = if self.sends(place) { FileStage::Completed } else { FileStage::Transferred };
        self.sums.transferred_files += u32::from(!self.is_reply(place));
        self.work = None;
        self.skip_transferred();
    }

    /// Takes back that a file was transferred.
    pub(crate) fn file_refused(&mut self, place: usize) {
        self.files[place].stage = FileStage::Pending;
        self.sums.transferred_files -= 1;
        self.next = self.next.min(place);
    }

    fn skip_transferred(&mut self) {
        while self.files.get(self.next).is_some_and(|file| file.stage != FileStage::Pending) {
            self.next += 1;
        }
    }

    pub(crate) fn record(&self, owner: &str) -> JobRecord {
        let retry_at = match self.state {
            State::TransientError(Wait::Retry { wall, .. }) => Some(wall),
            _ => None,
        };
        JobRecord {
            key: self.key,
            id: self.id,
            job_type: self.kind,
            owner: owner.to_owned(),
            rights: self.rights,
            helper_flags: self.helper_flags.bits(),
            state: self.recorded(),
            display_name: self.display_name.to_string(),
            description: self.description.to_string(),
            priority: self.priority.0,
            notify_flags: self.notify_flags.bits(),
            minimum_retry_delay: self.minimum_retry_delay,
            no_progress_timeout: self.no_progress_timeout,
            later: self.later.clone(),
            proxy: self.proxy.as_deref().cloned(),
            write_only_headers: self.header_readers == Readers::Nobody,
            secrets: self.secrets.clone(),
            was_resumed: self.was_resumed,
            notify_command: self.notify_command.as_deref().cloned(),
            end_told: self.end_told,
            error_count: self.error_count,
            error: self.error,
            created: self.created,
            modified: self.modified,
            last_activity: self.last_activity,
            transfer_completed: self.transfer_completed,
            failing_since: self.failing.map(|failing| failing.first),
            retry_at,
            active_ms: u64::try_from(self.active.as_millis()).unwrap_or(u64::MAX),
            upload: self.upload.as_ref().map(|upload| upload.record()),
        }
    }
}
