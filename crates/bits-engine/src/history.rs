//! A job with a past that it has not lived through, for tests that begin in the middle.
//!
//! The past goes on record and comes back from there as after a restart, so that a job is only
//! what a job on record can be; what no job can have been through is refused.

use std::path::PathBuf;
use std::time::Duration;

use bits_api::{ErrorContext, FileTime, Hresult, JobState};
use bits_wire::attempt::Validators;

use crate::engine::take;
use crate::hold::Hold;
use crate::job::State;
use crate::restore::come_back;
use crate::{Cx, Engine, ErrorRecord, FileIndex, FileRecord, FileStage, JobKey, JobRecord, Saved};

/// What a job is to have been through.
#[derive(Clone, Debug)]
pub struct History {
    /// SUSPENDED, QUEUED, TRANSIENT_ERROR, ERROR or TRANSFERRED: the states that are on record.
    pub state: JobState,
    /// How long ago the job was made.
    pub age: Duration,
    /// How long ago bytes last moved or a property last changed.
    pub idle: Duration,
    /// The last error.
    pub error: Option<(Hresult, ErrorContext)>,
    /// How many attempts failed.
    pub error_count: u32,
    /// What the server has told of each file, in order, where it was asked; the temporary files
    /// have the bytes.
    pub known: Vec<Option<Validators>>,
}

impl Engine {
    /// The temporary file of a job's file, drawn now if it has none: for whoever writes what is to
    /// have arrived.
    ///
    /// # Errors
    /// `BG_E_NOT_FOUND` for a job or file that is not there; the code of a local name that leads
    /// nowhere.
    pub fn draw_temporary(&mut self, cx: Cx<'_>, job: JobKey, file: FileIndex) -> Result<PathBuf, Hresult> {
        let place = file.0 as usize;
        let has_it = self.jobs.get(job).is_some_and(|job| place < job.files.len());
        if has_it { self.temporary_file(cx, job, place) } else { Err(Hresult::BG_E_NOT_FOUND) }
    }

    /// Gives a suspended job the past that `history` tells.
    ///
    /// # Errors
    /// One line that says what no job can have been through; the job is as it was.
    pub fn recast(&mut self, cx: Cx<'_>, key: JobKey, history: &History) -> Result<(), String> {
        let Some(job) = self.jobs.get(key).filter(|job| matches!(job.state, State::Suspended)) else {
            return Err("the job is not suspended any more".into());
        };
        if job.stopping.is_some() {
            return Err("an attempt of the job has not ended yet".into());
        }
        let owner = job.owner;
        let mut record = job.record(self.jobs.users.get(owner).sid.as_str());
        let files = job.files.iter().enumerate().map(|(place, file)| {
            let known = history.known.get(place).copied().flatten();
            lived_through(file.record(key, place), known, cx)
        });
        let files: Vec<FileRecord> = files.collect();
        history.check(&files)?;
        history.write(&mut record, &files, cx)?;
        let turn = take(&mut self.numbers.turn);
        let slice = self.config.decisions.time_slice();
        let (mut past, _) = come_back(Saved { job: record, files, lost_secrets: false }, owner, turn, slice, cx);
        let state = std::mem::replace(&mut past.state, State::Suspended);
        self.jobs.replace(key, past);
        self.set_state(cx, key, state);
        self.persist_job(key);
        for place in 0..self.jobs[key].files.len() {
            self.persist_file(key, place);
        }
        self.go_on_waiting(cx, key);
        self.schedule(cx);
        Ok(())
    }
}

/// A file of which the server has told this.
fn lived_through(mut record: FileRecord, known: Option<Validators>, cx: Cx<'_>) -> FileRecord {
    record.validators = known;
    let destination = cx.world.drives.resolve(&record.local_name).ok();
    let arrived = record.temporary.as_ref().zip(destination).and_then(|(name, destination)| {
        let temporary = crate::temporary::Temporary::beside(&destination, name);
        cx.probe.length(temporary.path()).ok().flatten()
    });
    if known.is_some_and(|known| arrived == Some(known.size)) {
        record.stage = FileStage::Transferred;
    }
    record
}

impl History {
    /// Whether a job with these files can have come to the state.
    fn check(&self, files: &[FileRecord]) -> Result<(), String> {
        let is_whole = files.iter().all(|file| file.stage == FileStage::Transferred);
        let has_failed = matches!(self.state, JobState::ERROR | JobState::TRANSIENT_ERROR);
        let code = self.error.map(|(code, _)| code);
        let wrong = match self.state {
            JobState::SUSPENDED => None,
            _ if files.is_empty() => Some("has files"),
            JobState::TRANSFERRED if !is_whole => Some("has the whole of each file"),
            JobState::TRANSFERRED if code.is_some() => Some("has no error left"),
            JobState::TRANSFERRED => None,
            JobState::QUEUED | JobState::TRANSIENT_ERROR if is_whole => Some("has something left to transfer"),
            _ if has_failed && code.is_none() => Some("has an error"),
            // The world says whether a job waits for it.
            JobState::TRANSIENT_ERROR if code.and_then(Hold::of_code).is_some() => {
                Some("has an error that trying again may mend: change the world for one that it may not")
            }
            JobState::QUEUED | JobState::TRANSIENT_ERROR | JobState::ERROR => None,
            _ => Some("is on record as another"),
        };
        match wrong {
            Some(what) => Err(format!("a job in {} {what}", self.state)),
            None if code.is_some_and(|code| !code.is_failure()) => Err("an error has a failure code".into()),
            None if self.idle > self.age => Err("a job is not idle for longer than it is there".into()),
            None => Ok(()),
        }
    }

    fn write(&self, record: &mut JobRecord, files: &[FileRecord], cx: Cx<'_>) -> Result<(), String> {
        let ago = |passed: Duration| {
            let units = u64::try_from(passed.as_nanos() / 100).ok()?;
            cx.now.wall.0.checked_sub(units).map(FileTime)
        };
        let too_old = || "the job is older than the calendar".to_owned();
        record.created = ago(self.age).ok_or_else(too_old)?;
        record.last_activity = ago(self.idle).ok_or_else(too_old)?;
        record.modified = record.last_activity;
        record.state = self.state;
        record.error_count = self.error_count;
        record.was_resumed = self.state != JobState::SUSPENDED || files.iter().any(|file| file.validators.is_some());
        let in_work = files.iter().find(|file| file.stage == FileStage::Pending).map(|file| file.index);
        record.error = self.error.map(|(code, context)| ErrorRecord { code, context, file: in_work });
        match self.state {
            JobState::TRANSIENT_ERROR if record.minimum_retry_delay > record.no_progress_timeout => {
                return Err("a job whose retry delay is above its no-progress timeout is never retried".into());
            }
            JobState::TRANSIENT_ERROR => {
                let delay = Duration::from_secs(record.minimum_retry_delay.into());
                record.failing_since = Some(cx.now.wall);
                record.retry_at = Some(cx.now.wall.plus(delay));
            }
            JobState::TRANSFERRED => record.transfer_completed = record.last_activity,
            _ => {}
        }
        Ok(())
    }
}
