//! Why a job is not moving, in a sentence for people.

use std::time::Duration;

use bits_wire::redacted;

use crate::job::{Job, Purpose, State, Step, Wait};
use crate::{Engine, JobKey};

impl Engine {
    /// One sentence on what a job does, or waits for. Times are durations from the last moment
    /// that the engine was told.
    pub fn explain(&self, key: JobKey) -> String {
        let Some(job) = self.jobs.get(key) else {
            return "the job has ended and nobody holds it any more".to_owned();
        };
        match &job.state {
            State::Suspended if job.files.is_empty() => "the job is suspended and has no files".to_owned(),
            State::Suspended => "the job is suspended until Resume".to_owned(),
            State::Queued { turn, .. } => self.explain_queued(job, *turn),
            State::Connecting { attempt: None, .. } => {
                "the job has its turn and waits for an earlier attempt to stop".to_owned()
            }
            State::Connecting { .. } => format!("the job is connecting for {}", file(job)),
            State::Transferring { .. } => format!("the job is transferring {}", file(job)),
            State::TransientError(wait) => self.explain_wait(job, *wait),
            State::Error => format!("the job has failed with {}", error(job)),
            State::Transferred if job.has_all_files() => {
                "every file has been transferred; the job waits for Complete".to_owned()
            }
            State::Transferred => "files were added after the job was transferred; it waits for Resume".to_owned(),
            State::Finishing(finishing) => {
                let purpose = match finishing.purpose {
                    Purpose::Complete => "completed",
                    Purpose::Cancel(_) => "cancelled",
                };
                let step = match finishing.step {
                    Step::Stopping => "its attempt has not ended yet".to_owned(),
                    Step::Publishing { awaited, .. } => format!("{awaited} files are being renamed"),
                    Step::Deleting { awaited, .. } => format!("{awaited} temporary files are being deleted"),
                };
                format!("the job is being {purpose}: {step}")
            }
            State::GivingUp => "the job was cancelled; the server of its upload is to be told".to_owned(),
            State::Acknowledged => "the job was completed".to_owned(),
            State::Cancelled => "the job was cancelled".to_owned(),
        }
    }

    fn explain_queued(&self, job: &Job, turn: u64) -> String {
        let owner = self.jobs.users.get(job.owner);
        if !owner.logged_on {
            return format!("the job waits for its owner {} to log on", owner.sid);
        }
        let ahead = self.ready.before(job.priority, turn, job.key).or(self.slot);
        match ahead {
            Some(key) => {
                let other = &self.jobs[key];
                format!("the job waits behind job {} ({:?}, {})", other.id, other.display_name, other.priority)
            }
            None => "the job is ready and gets its turn next".to_owned(),
        }
    }

    fn explain_wait(&self, job: &Job, wait: Wait) -> String {
        let patience = Duration::from_secs(job.no_progress_timeout.into())
            .saturating_sub(job.failing.map_or(Duration::ZERO, |failing| failing.lasted(self.facts.now.monotonic)));
        let waits = match wait {
            Wait::Retry { at, .. } => format!("is retried in {:?}", at.since(self.facts.now.monotonic)),
            Wait::Held(hold) => hold.awaited().to_owned(),
        };
        format!("the job failed with {}; it {waits}, and is given up in {patience:?} without progress", error(job))
    }
}

fn file(job: &Job) -> String {
    match job.files.get(job.next) {
        Some(file) => format!("file {} of {}, {}", job.next + 1, job.files.len(), redacted(&file.remote_name)),
        None => "no file".to_owned(),
    }
}

fn error(job: &Job) -> String {
    job.error.map_or_else(|| "an unknown error".to_owned(), |error| format!("{} ({})", error.code, error.context))
}
