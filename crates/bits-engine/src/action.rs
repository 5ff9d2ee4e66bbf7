//! What the engine wants done.

use std::fmt;
use std::path::PathBuf;

use bits_api::{FileRange, FileTime, Guid, Hresult, JobState, Success};
use bits_wire::attempt::{AttemptId, AttemptPlan, ChainId, Failure};
use bits_world::Sid;

use crate::record::Change;
use crate::{CallId, CallbackId, CommandLine, FileIndex, JobKey, LogEvent, Ticket};

/// Something to be done, in the order in which it comes.
#[derive(Clone, Debug)]
pub enum Action {
    /// Make a change durable.
    Persist(Change),
    /// Begin an attempt.
    Start(Box<AttemptPlan>),
    /// What the attempt has learned is on record.
    Proceed(AttemptId),
    /// An attempt may be that fast from now on, in kilobits a second; `None` is as fast as it can.
    Limit(AttemptId, Option<u32>),
    /// Stop an attempt; its `Ended` is awaited.
    Stop(AttemptId),
    /// The job moves nothing for now: its connection may go.
    Release(ChainId),
    /// Give a finished file its name; answered by [`Event::Published`](crate::Event::Published).
    Publish {
        /// For the answer.
        ticket: Ticket,
        /// The finished file.
        temporary: PathBuf,
        /// Its name.
        destination: PathBuf,
        /// Its size in bytes; a file of another size is not given the name.
        length: u64,
        /// The server's time stamp.
        modified: Option<FileTime>,
    },
    /// Remove a temporary file; answered by [`Event::Deleted`](crate::Event::Deleted).
    Delete {
        /// For the answer.
        ticket: Ticket,
        /// The file.
        path: PathBuf,
    },
    /// Call the client back; answered by [`Event::Notified`](crate::Event::Notified).
    Notify {
        /// For the answer.
        ticket: Ticket,
        /// Whom.
        callback: CallbackId,
        /// On which job.
        job: JobKey,
        /// With what.
        notification: Notification,
    },
    /// Make an object of a class; answered by [`Event::Activated`](crate::Event::Activated).
    Activate {
        /// For the answer.
        ticket: Ticket,
        /// For which job.
        job: JobKey,
        /// On whose behalf: the owner.
        user: Sid,
        /// The class.
        class: Guid,
    },
    /// Run a program; answered by [`Event::CommandEnded`](crate::Event::CommandEnded).
    RunCommand {
        /// For the answer.
        ticket: Ticket,
        /// For which job.
        job: JobKey,
        /// On whose behalf: the owner.
        user: Sid,
        /// What to run.
        command: CommandLine,
    },
    /// A registered or made object is needed no more.
    Forget(CallbackId),
    /// The result of a call that gave [`Reply::Later`](crate::Reply::Later).
    Reply {
        /// Which call.
        call: CallId,
        /// Its result.
        result: Result<Success, Hresult>,
    },
    /// Calls that met [`Reply::Busy`](crate::Reply::Busy) on this job are to be made again.
    Wake(JobKey),
    /// For the timeline, with what goes into the event log of Windows; changes nothing.
    Trace(Transition, Option<Box<LogEvent>>),
}

/// A method of the client's callback.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notification {
    /// JobTransferred.
    JobTransferred,
    /// JobError, with the error.
    JobError(crate::ErrorRecord),
    /// JobModification.
    JobModification,
    /// FileTransferred (3.0).
    FileTransferred(FileIndex),
    /// FileRangesTransferred, with what has arrived: in order, neither touching nor overlapping
    /// (10.1).
    FileRangesTransferred(FileIndex, Vec<FileRange>),
}

/// A job went from one state to another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Transition {
    /// Which job.
    pub job: JobKey,
    /// Its identifier: a job that has ended may be known by nothing else any more.
    pub id: Guid,
    /// From where; `None` when the job was made.
    pub from: Option<JobState>,
    /// To where.
    pub to: JobState,
    /// Why.
    pub cause: Cause,
}

impl Transition {
    /// Whether the life cycle has such an edge.
    pub fn is_documented(&self) -> bool {
        crate::table::allows(self.from, self.cause, self.to)
    }
}

/// Why a job changed its state: one for each edge of the documented life cycle.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Cause {
    /// CreateJob.
    Created,
    /// Resume.
    Resumed,
    /// Suspend.
    Suspended,
    /// Complete.
    Completed,
    /// An early Complete could not give a finished file its name.
    RenameFailed,
    /// Cancel.
    Cancelled,
    /// The scheduler gave the job its turn.
    Scheduled,
    /// The server answered.
    Connected,
    /// The last file has arrived.
    AllFilesTransferred,
    /// The time slice is over.
    SliceEnded,
    /// A job of higher priority took its place.
    Preempted,
    /// An attempt failed.
    Failed(Failure),
    /// The retry delay is over.
    RetryDelayOver,
    /// No progress for the whole no-progress timeout.
    NoProgress,
    /// The time for CONNECTING and TRANSFERRING is used up.
    DownloadTimeUsedUp,
    /// The client has refused the content of a file.
    ValidationFailed,
    /// Everything that was asked for is there, but not every file as a whole.
    RequestsMet,
    /// No activity for the policy's time.
    Inactive,
    /// The owner logged off.
    OwnerLoggedOff,
    /// TakeOwnership.
    OwnerChanged,
    /// A helper token is gone that the job used.
    TokenLost,
    /// The network went away.
    NetworkLost,
    /// The network came back.
    NetworkBack,
    /// The computer or the job wants something else of peers.
    PeersChanged,
    /// The servers of the job are to be looked up among the revoked, and what is there of a file came
    /// from one that was not.
    RevocationChecked,
    /// A policy stops background transfers.
    PolicyBlocked,
    /// The policy stops them no more.
    PolicyUnblocked,
    /// The network costs more than the job may spend.
    CostBlocked,
    /// The network costs no more than the job may spend.
    CostUnblocked,
    /// Standby or the battery saver stops transfers.
    PowerBlocked,
    /// They stop them no more.
    PowerUnblocked,
    /// A game has the machine for itself.
    GameBegun,
    /// The game has ended.
    GameOver,
    /// A disk check has locked the volume of the file in work.
    VolumeLocked,
    /// The volume is unlocked.
    VolumeUnlocked,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "CreateJob was called",
            Self::Resumed => "Resume was called",
            Self::Suspended => "Suspend was called",
            Self::Completed => "Complete was called",
            Self::RenameFailed => "a finished file could not get its name",
            Self::Cancelled => "Cancel was called",
            Self::Scheduled => "it is this job's turn",
            Self::Connected => "the server answered",
            Self::AllFilesTransferred => "every file is there",
            Self::SliceEnded => "the time slice is over",
            Self::Preempted => "a job of higher priority goes first",
            Self::Failed(failure) => return write!(f, "{} in {}", failure.code, failure.context),
            Self::RetryDelayOver => "the retry delay is over",
            Self::NoProgress => "no progress for the no-progress timeout",
            Self::DownloadTimeUsedUp => "the maximum download time is used up",
            Self::ValidationFailed => "a file's content was declared invalid",
            Self::RequestsMet => "every range requested until then was there",
            Self::Inactive => "no activity for the inactivity timeout",
            Self::OwnerLoggedOff => "the owner logged off",
            Self::OwnerChanged => "TakeOwnership was called",
            Self::TokenLost => "the helper token is gone with its session",
            Self::NetworkLost => "the network is gone",
            Self::NetworkBack => "the network is back",
            Self::PeersChanged => "where content may come from has changed",
            Self::RevocationChecked => "revoked certificates are looked for from now on",
            Self::PolicyBlocked => "a policy stops background transfers",
            Self::PolicyUnblocked => "the policy stops background transfers no more",
            Self::CostBlocked => "the network costs more than the job may spend",
            Self::CostUnblocked => "the network costs no more than the job may spend",
            Self::PowerBlocked => "standby or the battery saver stops transfers",
            Self::PowerUnblocked => "neither standby nor the battery saver stops transfers",
            Self::GameBegun => "a game has the machine for itself",
            Self::GameOver => "the game has ended",
            Self::VolumeLocked => "the volume is locked",
            Self::VolumeUnlocked => "the volume is unlocked",
        })
    }
}
