//! Why a job is not moving: one structured answer, and the same in words.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bits_api::{ErrorContext, FileTime, Guid, Hresult, JobPriority, JobState};
use bits_wire::redacted;
use bits_world::Sid;
use bits_world::clock::{Monotonic, Now};

use crate::hold::Hold;
use crate::job::{Job, Purpose, State, Step, Wait};
use crate::{Cause, Engine, JobKey};

/// What a job does, or waits for. In words by its `Display`.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The job's state; `None` when nobody knows the job.
    pub state: Option<JobState>,
    /// Its last error, while it is available.
    pub error: Option<(Hresult, ErrorContext)>,
    /// Why it is not further.
    pub reason: Reason,
}

/// Why a job is not further.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// The service does not run.
    ServiceStopped,
    /// There is no such job, or it has ended and nobody holds it any more.
    Unknown,
    /// SUSPENDED, and there is nothing to transfer.
    Empty,
    /// SUSPENDED until Resume.
    Suspended {
        /// By whom.
        by: Suspender,
    },
    /// QUEUED: the owner is not logged on.
    OwnerAway {
        /// The owner.
        owner: Sid,
    },
    /// QUEUED behind others.
    InLine {
        /// How many jobs get their turn before, with the one that has it now.
        ahead: usize,
        /// The one right before.
        behind: Guid,
        /// Its display name.
        name: String,
        /// Its priority.
        priority: JobPriority,
    },
    /// QUEUED, and next.
    Next,
    /// CONNECTING in name: an earlier attempt has not ended yet.
    AttemptStopping,
    /// An attempt runs at this file: the server's, or the mover's, turn.
    Moving(FileInWork),
    /// An attempt runs at the reply of an upload, which is not one of the job's files.
    MovingReply {
        /// Where the reply is, without what may be secret.
        url: String,
    },
    /// TRANSIENT_ERROR until the retry delay is over.
    Retry {
        /// When, by the wall clock.
        at: FileTime,
        /// How long until then.
        within: Duration,
        /// How long until the job is given up without progress.
        given_up_in: Duration,
    },
    /// TRANSIENT_ERROR as long as something outside holds it.
    Held {
        /// What does.
        by: Hold,
        /// How long until the job is given up without progress.
        given_up_in: Duration,
    },
    /// ERROR, until Resume or Cancel.
    Failed,
    /// TRANSFERRED, until Complete.
    AwaitsComplete,
    /// TRANSFERRED, with files that were added since, until Resume.
    AwaitsResume,
    /// In the middle of Complete or Cancel.
    Ending {
        /// Whether it is Complete.
        completes: bool,
        /// What it waits for.
        awaits: Ending,
    },
    /// CANCELLED, and the server of its upload is still to be told.
    GivingUp,
    /// ACKNOWLEDGED or CANCELLED.
    Ended {
        /// Why, where that is known.
        cause: Option<Cause>,
    },
}

/// Who has suspended a job.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Suspender {
    /// Nobody: the job is new and was never resumed.
    Nobody,
    /// The client of this name.
    Client(Arc<str>),
    /// BITS itself.
    Service(Cause),
    /// Somebody, before what is remembered.
    Unknown,
}

/// The file that a job moves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileInWork {
    /// Its number, from 1.
    pub number: usize,
    /// How many files the job has.
    pub of: usize,
    /// Its remote name without credentials.
    pub url: String,
    /// How fast policies, and who else uses the network, let it be, in kilobits a second.
    pub limit: Option<u32>,
}

/// What a Complete or Cancel waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// The end of the attempt.
    Attempt,
    /// So many renames.
    Renames(u32),
    /// So many deletions.
    Deletions(u32),
}

impl Explanation {
    /// An explanation about a job that the engine does not know.
    pub fn without_job(reason: Reason) -> Self {
        Self { state: None, error: None, reason }
    }
}

impl Engine {
    /// Why a job is not further. Costs a step for each job that is ahead of it in the queue: for
    /// people and tests, not for calls of clients.
    pub fn explain(&self, now: Now, key: JobKey) -> Explanation {
        let Some(job) = self.jobs.get(key) else { return Explanation::without_job(Reason::Unknown) };
        Explanation {
            state: Some(job.shown()),
            error: job.error.map(|error| (error.code, error.context)),
            reason: self.reason(now.monotonic, job),
        }
    }

    fn reason(&self, now: Monotonic, job: &Job) -> Reason {
        match &job.state {
            State::Suspended if job.files.is_empty() => Reason::Empty,
            State::Suspended if !job.was_resumed => Reason::Suspended { by: Suspender::Nobody },
            State::Suspended => Reason::Suspended { by: Suspender::Unknown },
            State::Queued { turn, .. } => self.place_in_line(job, *turn),
            State::Connecting { attempt: None, .. } => Reason::AttemptStopping,
            State::Connecting { .. } | State::Transferring { .. } => {
                let place = job.place_in_work();
                let url =
                    job.files.get(place).map_or_else(String::new, |file| redacted(&file.remote_name).into_owned());
                if job.is_reply(place) {
                    Reason::MovingReply { url }
                } else {
                    Reason::Moving(FileInWork {
                        number: place + 1,
                        of: job.client_files(),
                        url,
                        limit: job.run().and_then(|run| run.limit),
                    })
                }
            }
            State::TransientError(wait) => waiting(now, job, *wait),
            State::Error => Reason::Failed,
            State::Transferred if job.has_all_files() => Reason::AwaitsComplete,
            State::Transferred => Reason::AwaitsResume,
            State::Finishing(finishing) => Reason::Ending {
                completes: finishing.purpose == Purpose::Complete,
                awaits: match finishing.step {
                    Step::Stopping => Ending::Attempt,
                    Step::Publishing { awaited, .. } => Ending::Renames(awaited),
                    Step::Deleting { awaited, .. } => Ending::Deletions(awaited),
                },
            },
            State::GivingUp { .. } => Reason::GivingUp,
            State::Acknowledged | State::Cancelled => Reason::Ended { cause: None },
        }
    }

    fn place_in_line(&self, job: &Job, turn: u64) -> Reason {
        let owner = self.jobs.users.get(job.owner);
        if !owner.logged_on {
            return Reason::OwnerAway { owner: owner.sid.clone() };
        }
        let before = || self.ready.before(job.priority, turn, job.key);
        let Some(behind) = before().next_back().or(self.slot).and_then(|key| self.jobs.get(key)) else {
            return Reason::Next;
        };
        Reason::InLine {
            ahead: before().count() + usize::from(self.slot.is_some()),
            behind: behind.id,
            name: behind.display_name.to_string(),
            priority: behind.priority,
        }
    }
}

/// Why a job is in TRANSIENT_ERROR, and for how long.
fn waiting(now: Monotonic, job: &Job, wait: Wait) -> Reason {
    let failing = job.failing.map_or(Duration::ZERO, |failing| failing.lasted(now));
    let given_up_in = Duration::from_secs(job.no_progress_timeout.into()).saturating_sub(failing);
    match wait {
        Wait::Retry { at, wall } => Reason::Retry { at: wall, within: at.since(now), given_up_in },
        Wait::Held(by) => Reason::Held { by, given_up_in },
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = || self.error.map_or("an unknown error".into(), |(code, context)| format!("{code} ({context})"));
        let does = if self.state == Some(JobState::CONNECTING) { "connecting for" } else { "transferring" };
        let given_up = |in_: &Duration| format!("and is given up in {} without progress", Spelt(*in_));
        match &self.reason {
            Reason::ServiceStopped => f.write_str("the service does not run"),
            Reason::Unknown => f.write_str("there is no such job, or it has ended and nobody holds it any more"),
            Reason::Empty => f.write_str("the job is suspended and has no files"),
            Reason::Suspended { by } => write!(f, "the job is suspended{by} and waits for Resume"),
            Reason::OwnerAway { owner } => write!(f, "the job waits for its owner {owner} to log on"),
            Reason::InLine { ahead, behind, name, priority } => {
                let many = if *ahead == 1 { "job" } else { "jobs" };
                write!(f, "the job waits behind {ahead} {many}, right after {behind} ({name:?}, {priority})")
            }
            Reason::Next => f.write_str("the job is ready and gets its turn next"),
            Reason::AttemptStopping => f.write_str("the job has its turn and waits for an earlier attempt to stop"),
            Reason::Moving(file) => {
                write!(f, "the job is {does} file {} of {}, {}", file.number, file.of, file.url)?;
                file.limit.map_or(Ok(()), |limit| write!(f, ", at {limit} kbit/s at most"))
            }
            Reason::MovingReply { url } => write!(f, "the job is {does} the reply to its upload, {url}"),
            Reason::Retry { within, given_up_in, .. } => {
                write!(
                    f,
                    "the job failed with {}; it is retried in {}, {}",
                    error(),
                    Spelt(*within),
                    given_up(given_up_in)
                )
            }
            Reason::Held { by, given_up_in } => {
                write!(f, "the job failed with {}; it {}, {}", error(), by.awaited(), given_up(given_up_in))
            }
            Reason::Failed => write!(f, "the job has failed with {}", error()),
            Reason::AwaitsComplete => f.write_str("every file has been transferred; the job waits for Complete"),
            Reason::AwaitsResume => f.write_str("files were added after the job was transferred; it waits for Resume"),
            Reason::Ending { completes, awaits } => {
                write!(f, "the job is being {}: {awaits}", if *completes { "completed" } else { "cancelled" })
            }
            Reason::GivingUp => f.write_str("the job was cancelled; the server of its upload is to be told"),
            Reason::Ended { cause: Some(cause) } => write!(f, "the job has ended: {cause}"),
            Reason::Ended { cause: None } => f.write_str("the job has ended"),
        }
    }
}

/// A time as people say it, to the second: `13d 23h 50min`.
struct Spelt(Duration);

impl fmt::Display for Spelt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        if seconds == 0 {
            return write!(f, "{:?}", self.0);
        }
        let units =
            [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
        let parts = units.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}"));
        f.write_str(&parts.collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Display for Suspender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str(", for it is new,"),
            Self::Client(client) => write!(f, " by {client}"),
            Self::Service(cause) => write!(f, " ({cause})"),
            Self::Unknown => Ok(()),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attempt => f.write_str("its attempt has not ended yet"),
            Self::Renames(awaited) => write!(f, "{awaited} files are being renamed"),
            Self::Deletions(awaited) => write!(f, "{awaited} temporary files are being deleted"),
        }
    }
}
