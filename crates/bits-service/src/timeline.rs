//! What happened, in order: for tests to assert on and for people to read.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bits_api::{Guid, Hresult, JobState};
use bits_engine::{Cause, CommandOutcome, LogEvent};
use bits_wire::attempt::AttemptEnd;
use bits_world::clock::Now;

/// The log of an emulator; outlives restarts of the service.
///
/// Keeps the newest [`Timeline::CAPACITY`] entries.
#[derive(Clone, Default)]
pub struct Timeline(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    kept: VecDeque<Entry>,
    dropped: u64,
}

/// One line of the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When.
    pub at: Now,
    /// The job, where one is concerned.
    pub job: Option<Guid>,
    /// What happened.
    pub what: What,
    /// What BITS writes into the event log of Windows about it (3.0; clauses `event.*`).
    pub event: Option<LogEvent>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum What {
    /// A client called a method.
    Call {
        /// The client's name.
        client: Arc<str>,
        /// The method, as in `Resume`.
        method: &'static str,
        /// What it returned.
        result: Hresult,
    },
    /// A job changed its state.
    Transition {
        /// From where; `None` when it was made.
        from: Option<JobState>,
        /// To where.
        to: JobState,
        /// Why.
        cause: Cause,
    },
    /// A job was given a past that ends in this state.
    Seeded {
        /// Where it stands.
        state: JobState,
    },
    /// An attempt began.
    AttemptStarted {
        /// Its number.
        attempt: u64,
        /// The remote name, without its credentials.
        url: String,
    },
    /// A redirect has given a file another remote name, or was refused and would have.
    Redirected {
        /// The attempt's number.
        attempt: u64,
        /// Where the file is from then on.
        url: String,
    },
    /// Credentials of a job were sent because somebody asked for them.
    CredentialsJudged {
        /// The attempt's number.
        attempt: u64,
        /// The host that has asked.
        by: String,
        /// Whether it has accepted them.
        accepted: bool,
    },
    /// An attempt ended.
    AttemptEnded {
        /// Its number.
        attempt: u64,
        /// How.
        end: AttemptEnd,
    },
    /// A callback of a client was called.
    Callback {
        /// The method, as in `JobTransferred`.
        method: &'static str,
    },
    /// A callback came back.
    CallbackReturned {
        /// The method.
        method: &'static str,
        /// What it returned; `None` when the client is gone.
        result: Option<Hresult>,
    },
    /// An object of a job's notification class was made, or not.
    ObjectMade {
        /// The class.
        class: Guid,
        /// `S_OK`, or why there is none.
        result: Hresult,
    },
    /// A notification program was run.
    Command {
        /// The program.
        program: String,
    },
    /// A notification program has ended, or could not be started.
    CommandEnded {
        /// The program.
        program: String,
        /// How.
        outcome: CommandOutcome,
    },
    /// An origin saw a request.
    Request {
        /// Method, target and answer in a few words.
        line: String,
    },
    /// The service started, stopped, or a client came to its end.
    Service(String),
}

impl Timeline {
    /// How many entries are kept.
    pub const CAPACITY: usize = 100_000;

    /// Every entry that is kept, oldest first.
    pub fn entries(&self) -> Vec<Entry> {
        self.with(|entries| entries.kept.iter().cloned().collect())
    }

    /// The entries of one job, oldest first.
    pub fn of_job(&self, job: Guid) -> Vec<Entry> {
        self.with(|entries| entries.kept.iter().filter(|entry| entry.job == Some(job)).cloned().collect())
    }

    /// The states that `job` went through, oldest first.
    pub fn states(&self, job: Guid) -> Vec<JobState> {
        let entries = self.of_job(job).into_iter();
        let state = |entry: Entry| match entry.what {
            What::Transition { to: state, .. } | What::Seeded { state } => Some(state),
            _ => None,
        };
        entries.filter_map(state).collect()
    }

    /// The state that a job went to last, and why.
    pub(crate) fn last_transition(&self, job: Guid) -> Option<(JobState, Cause)> {
        self.with(|entries| {
            entries.kept.iter().rev().filter(|entry| entry.job == Some(job)).find_map(|entry| match entry.what {
                What::Transition { to, cause, .. } => Some((to, cause)),
                _ => None,
            })
        })
    }

    /// The newest entries as lines of text, at most `count` of them.
    pub(crate) fn newest(&self, count: usize) -> String {
        self.with(|entries| {
            let left_out = entries.kept.len().saturating_sub(count);
            let older = (left_out > 0).then(|| format!("(the newest {count} entries of the timeline)\n"));
            let lines = entries.kept.iter().skip(left_out).map(|entry| format!("{entry}\n"));
            older.into_iter().chain(lines).collect()
        })
    }

    /// Adds a request that an origin saw.
    pub fn request(&self, at: Now, line: String) {
        self.push(at, None, What::Request { line });
    }

    /// What stands in the event log of Windows, oldest first.
    pub fn events(&self) -> Vec<LogEvent> {
        self.with(|entries| entries.kept.iter().filter_map(|entry| entry.event.clone()).collect())
    }

    pub(crate) fn push(&self, at: Now, job: Option<Guid>, what: What) {
        self.push_event(at, job, what, None);
    }

    pub(crate) fn push_event(&self, at: Now, job: Option<Guid>, what: What, event: Option<LogEvent>) {
        self.with(|entries| {
            if entries.kept.len() == Self::CAPACITY {
                entries.kept.pop_front();
                entries.dropped += 1;
            }
            entries.kept.push_back(Entry { at, job, what, event });
        });
    }

    fn with<T>(&self, f: impl FnOnce(&mut Entries) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dropped, entries) =
            self.with(|entries| (entries.dropped, entries.kept.iter().cloned().collect::<Vec<_>>()));
        if dropped > 0 {
            writeln!(f, "({dropped} older entries were dropped)")?;
        }
        entries.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>16}  ", self.at.monotonic)?;
        match self.job {
            Some(job) => write!(f, "{}  ", &job.to_string()[..8])?,
            None => write!(f, "{:10}", "")?,
        }
        write!(f, "{}", self.what)?;
        match &self.event {
            Some(event) => write!(f, " ({event})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { client, method, result } => write!(f, "{client}: {method} → {result}"),
            Self::Transition { from: None, to, .. } => write!(f, "{}", short(*to)),
            Self::Transition { from: Some(from), to, cause } => {
                write!(f, "{} → {}: {cause}", short(*from), short(*to))
            }
            Self::Seeded { state } => write!(f, "is seeded in {}", short(*state)),
            Self::AttemptStarted { attempt, url } => write!(f, "attempt {attempt} begins: {url}"),
            Self::Redirected { attempt, url } => write!(f, "attempt {attempt} is redirected: {url}"),
            Self::CredentialsJudged { attempt, by, accepted } => {
                let verdict = if *accepted { "accepts" } else { "refuses" };
                write!(f, "attempt {attempt}: {by} {verdict} the credentials")
            }
            Self::AttemptEnded { attempt, end: AttemptEnd::Done } => write!(f, "attempt {attempt} ends: file is there"),
            Self::AttemptEnded { attempt, end: AttemptEnd::Uploaded { .. } } => {
                write!(f, "attempt {attempt} ends: the server has the file")
            }
            Self::AttemptEnded { attempt, end: AttemptEnd::Changed } => {
                write!(f, "attempt {attempt} ends: the remote file is another one")
            }
            Self::AttemptEnded { attempt, end: AttemptEnd::Stopped } => write!(f, "attempt {attempt} ends: stopped"),
            Self::AttemptEnded { attempt, end: AttemptEnd::Failed(failure) } => {
                write!(f, "attempt {attempt} ends: {} in {}", failure.code, failure.context)
            }
            Self::Callback { method } => write!(f, "callback {method}"),
            Self::CallbackReturned { method, result: Some(result) } => write!(f, "callback {method} returned {result}"),
            Self::CallbackReturned { method, result: None } => write!(f, "callback {method}: the client is gone"),
            Self::ObjectMade { class, result } => write!(f, "an object of class {class}: {result}"),
            Self::Command { program } => write!(f, "command {program}"),
            Self::CommandEnded { program, outcome: CommandOutcome::Exited(code) } => {
                write!(f, "command {program} exited with {code}")
            }
            Self::CommandEnded { program, outcome: CommandOutcome::NotStarted(code) } => {
                write!(f, "command {program} could not be started: {code}")
            }
            Self::Request { line } => write!(f, "origin: {line}"),
            Self::Service(text) => f.write_str(text),
        }
    }
}

/// `BG_JOB_STATE_` says nothing in a table of states.
pub(crate) fn short(state: JobState) -> &'static str {
    state.name().map_or("?", |name| name.trim_start_matches("BG_JOB_STATE_"))
}
