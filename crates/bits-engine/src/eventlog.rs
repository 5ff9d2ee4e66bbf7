//! What BITS writes into the event log of Windows: the events of the provider
//! Microsoft-Windows-Bits-Client (3.0; clauses `event.*` of support.toml).

use std::fmt;

use bits_api::{Guid, Hresult};
use bits_world::{Profile, Sid};

use crate::job::Job;
use crate::{Cause, Engine};

/// An event with what it carries.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum LogEvent {
    /// A job was resumed.
    JobResumed {
        /// Its display name.
        name: String,
        /// Its identifier.
        job: Guid,
    },
    /// A job was suspended.
    JobSuspended {
        /// Its display name.
        name: String,
        /// Its identifier.
        job: Guid,
    },
    /// A job was made.
    JobCreated {
        /// Its display name.
        name: String,
        /// Whose it is.
        owner: Sid,
    },
    /// A job was completed.
    JobCompleted(JobEnd),
    /// A job was cancelled.
    JobCancelled(JobEnd),
    /// The transfer of a file has begun.
    TransferStarted {
        /// The display name of the job.
        name: String,
        /// The remote name, without its credentials.
        url: String,
    },
    /// The transfer of a file has ended, or was interrupted.
    TransferStopped {
        /// The display name of the job.
        name: String,
        /// The remote name, without its credentials.
        url: String,
        /// `S_OK` without an error.
        status: Hresult,
    },
    /// Credentials of a job were sent because somebody asked for them, and accepted.
    CredentialsAccepted(Judged),
    /// Credentials of a job were sent because somebody asked for them, and not accepted.
    CredentialsRefused(Judged),
    /// A notification program has returned an error.
    CommandFailed {
        /// The job.
        job: Guid,
        /// Whose it is.
        owner: Sid,
        /// The program.
        program: String,
        /// The exit code.
        error: u32,
    },
    /// A notification program could not be started.
    CommandNotLaunched {
        /// The job.
        job: Guid,
        /// Whose it is.
        owner: Sid,
        /// The program.
        program: String,
        /// Why.
        error: Hresult,
    },
}

/// What the events about credentials carry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Judged {
    /// The host of the server, or of the proxy, that has asked.
    pub server: String,
    /// The display name of the job.
    pub name: String,
    /// The remote name, without its credentials.
    pub url: String,
}

/// What the events of a job's end carry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JobEnd {
    /// Who ended it: LocalSystem when it was a policy.
    pub user: Sid,
    /// Its display name.
    pub name: String,
    /// Its identifier.
    pub job: Guid,
    /// Whose it is.
    pub owner: Sid,
    /// How many files it has.
    pub files: u32,
}

impl LogEvent {
    /// The number by which people know it.
    pub fn id(&self) -> u16 {
        match self {
            Self::JobResumed { .. } => 1,
            Self::JobSuspended { .. } => 2,
            Self::JobCreated { .. } => 3,
            Self::JobCompleted(_) => 4,
            Self::JobCancelled(_) => 5,
            Self::TransferStarted { .. } => 59,
            Self::TransferStopped { status, .. } if !status.is_failure() => 60,
            Self::TransferStopped { .. } => 61,
            Self::CommandFailed { .. } => 63,
            Self::CommandNotLaunched { .. } => 64,
            Self::CredentialsAccepted(_) => 203,
            Self::CredentialsRefused(_) => 204,
        }
    }
}

impl fmt::Display for LogEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {}", self.id())
    }
}

impl Engine {
    /// The event that a job's change of state is, if it is one: what the scheduler does by itself
    /// is none.
    pub(crate) fn log_event(&self, job: &Job, cause: Cause) -> Option<Box<LogEvent>> {
        if self.config.profile < Profile::V3_0 {
            return None;
        }
        let name = || job.display_name.to_string();
        let owner = || self.jobs.users.get(job.owner).sid.clone();
        let end = || JobEnd {
            user: job.ended_by.map_or_else(|| Sid::new(Sid::LOCAL_SYSTEM), |by| self.jobs.users.get(by).sid.clone()),
            name: name(),
            job: job.id,
            owner: owner(),
            files: u32::try_from(job.client_files()).unwrap_or(u32::MAX),
        };
        Some(Box::new(match cause {
            Cause::Created => LogEvent::JobCreated { name: name(), owner: owner() },
            Cause::Resumed => LogEvent::JobResumed { name: name(), job: job.id },
            Cause::Suspended => LogEvent::JobSuspended { name: name(), job: job.id },
            Cause::Completed => LogEvent::JobCompleted(end()),
            Cause::Cancelled | Cause::Inactive => LogEvent::JobCancelled(end()),
            _ => return None,
        }))
    }
}
