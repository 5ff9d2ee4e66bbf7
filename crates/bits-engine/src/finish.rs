//! Complete and Cancel (clauses `job.complete.*`, `job.cancel.*`).
//!
//! Both stop the attempt, wait for its end, rename or delete files, and only then change the
//! state. Until then clients see the state of before, and other calls that would change the job
//! are put off.

use std::path::PathBuf;

use bits_api::{Hresult, JobState, Success, TokenFlags};
use bits_wire::attempt::ERROR_FILE_EXISTS;
use bits_world::Switch;

use crate::access::may_use;
use crate::engine::{Awaited, take};
use crate::job::{Failing, Finishing, Purpose, State, Step, file_index};
use crate::temporary::code_of;
use crate::users::UserNo;
use crate::visits::Counted;
use crate::{Action, CallId, Cause, Cx, Engine, FileIndex, FileStage, JobKey, Reply};

/// Who waits for the end of a Complete or Cancel.
struct Waiters {
    purpose: Purpose,
    call: Option<CallId>,
    others: bool,
}

impl Engine {
    /// Begins to end a job for a caller.
    pub(crate) fn finish(&mut self, cx: Cx<'_>, key: JobKey, purpose: Purpose, by: UserNo) -> Reply {
        if let Some(result) = self.begin_finishing(cx, key, purpose, Some(by)) {
            return Reply::Now(result);
        }
        let call = CallId(take(&mut self.numbers.call));
        if let Some(finishing) = self.finishing(key) {
            finishing.call = Some(call);
        }
        Reply::Later(call)
    }

    /// Begins to end a job, for a user or by a policy; gives the result if nothing has to be waited for.
    pub(crate) fn begin_finishing(
        &mut self,
        cx: Cx<'_>,
        key: JobKey,
        purpose: Purpose,
        by: Option<UserNo>,
    ) -> Option<Result<Success, Hresult>> {
        self.jobs[key].ended_by = by;
        let shown = self.jobs[key].shown();
        let finishing = Finishing { shown, purpose, step: Step::Stopping, call: None, others_wait: false };
        self.set_state(cx, key, State::Finishing(finishing));
        if self.jobs[key].stopping.is_some() { None } else { self.use_files(cx, key) }
    }

    /// The attempt has ended: the files are the job's own now.
    pub(crate) fn use_files(&mut self, cx: Cx<'_>, key: JobKey) -> Option<Result<Success, Hresult>> {
        match self.finishing(key)?.purpose {
            Purpose::Complete => self.publish(cx, key),
            Purpose::Cancel(_) => self.delete(cx, key),
        }
    }

    /// The outcome of a rename.
    pub(crate) fn published(&mut self, cx: Cx<'_>, key: JobKey, file: FileIndex, outcome: Result<(), Hresult>) {
        let place = file.0 as usize;
        if outcome.is_ok() {
            self.named(key, place);
        } else {
            self.jobs[key].files[place].stage = FileStage::Transferred;
            self.persist_file(key, place);
        }
        if let Some(Finishing { step: Step::Publishing { awaited, failed }, .. }) = self.finishing(key) {
            *awaited -= 1;
            *failed = failed.or(outcome.err());
            self.after_publishing(cx, key);
        }
    }

    /// The outcome of a deletion.
    pub(crate) fn deleted(&mut self, cx: Cx<'_>, key: JobKey, file: FileIndex, outcome: Result<(), Hresult>) {
        self.forget_temporary(key, file.0 as usize);
        if let Some(Finishing { step: Step::Deleting { awaited, failed }, .. }) = self.finishing(key) {
            *awaited -= 1;
            *failed |= outcome.is_err();
            self.after_deleting(cx, key);
        }
    }

    fn finishing(&mut self, key: JobKey) -> Option<&mut Finishing> {
        match &mut self.jobs[key].state {
            State::Finishing(finishing) => Some(finishing),
            _ => None,
        }
    }

    /// Gives every finished file its name.
    fn publish(&mut self, cx: Cx<'_>, key: JobKey) -> Option<Result<Success, Hresult>> {
        let mut awaited = 0;
        let mut failed = None;
        for place in 0..self.jobs[key].files.len() {
            match self.unnamed(cx, key, place) {
                Ok(Some((temporary, destination))) => {
                    let file = &mut self.jobs[key].files[place];
                    file.stage = FileStage::Renaming;
                    let (length, modified) = (file.have, file.validators.and_then(|known| known.last_modified));
                    self.persist_file(key, place);
                    let ticket = self.ticket(Awaited::Publish(key, file_index(place)));
                    self.push(Action::Publish { ticket, temporary, destination, length, modified });
                    awaited += 1;
                }
                Ok(None) => {}
                Err(code) => failed = failed.or(Some(code)),
            }
        }
        self.finishing(key)?.step = Step::Publishing { awaited, failed };
        self.after_publishing(cx, key)
    }

    /// The temporary file of a finished file and the name that it is to get; `None` for a file
    /// that is not finished, or has its name.
    fn unnamed(&mut self, cx: Cx<'_>, key: JobKey, place: usize) -> Result<Option<(PathBuf, PathBuf)>, Hresult> {
        let stage = self.jobs[key].files[place].stage;
        if !matches!(stage, FileStage::Transferred | FileStage::Renaming) {
            return Ok(None);
        }
        let destination = cx.world.drives.resolve(&self.jobs[key].files[place].local_name).map_err(code_of)?;
        // A direct file has its name already, but not the server's time.
        let placed = self.placed_temporary(cx, key, place)?.or(self.jobs[key].is_direct().then(|| destination.clone()));
        let temporary = placed.ok_or(Hresult::ERROR_FILE_NOT_FOUND)?;
        may_use(cx, &self.identity(key, TokenFlags::LOCAL_FILE)?, &temporary)?;
        // Begun before a restart that could not tell how far it came.
        if stage == FileStage::Renaming && cx.probe.length(&temporary)?.is_none() {
            self.named(key, place);
            return Ok(None);
        }
        // High performance has written there itself.
        if temporary != destination
            && cx.probe.is_there(&destination)
            && self.config.decisions.is_other(Switch::DestinationExists)
        {
            return Err(ERROR_FILE_EXISTS);
        }
        Ok(Some((temporary, destination)))
    }

    /// A finished file has got its name.
    fn named(&mut self, key: JobKey, place: usize) {
        let file = &mut self.jobs[key].files[place];
        file.stage = FileStage::Completed;
        // file3.set_validation_state.complete_implies_true
        file.validation = Some(true);
        self.forget_temporary(key, place);
        self.persist_file(key, place);
    }

    fn after_publishing(&mut self, cx: Cx<'_>, key: JobKey) -> Option<Result<Success, Hresult>> {
        match self.finishing(key)?.step {
            Step::Publishing { awaited: 0, failed: None } => self.delete(cx, key),
            Step::Publishing { awaited: 0, failed: Some(code) } => Some(self.stay(cx, key, code)),
            _ => None,
        }
    }

    /// Deletes the temporary files that nobody wants any more.
    fn delete(&mut self, cx: Cx<'_>, key: JobKey) -> Option<Result<Success, Hresult>> {
        let mut awaited = 0;
        let mut failed = false;
        for place in 0..self.jobs[key].files.len() {
            if self.jobs[key].files[place].validators.is_none() {
                // No attempt has made it: whoever has a file of that name, it is not ours.
                self.forget_temporary(key, place);
                continue;
            }
            match self.placed_temporary(cx, key, place) {
                Ok(Some(path)) => {
                    let ticket = self.ticket(Awaited::Delete(key, file_index(place)));
                    self.push(Action::Delete { ticket, path });
                    awaited += 1;
                }
                Ok(None) => {}
                Err(_) => failed = true,
            }
        }
        self.finishing(key)?.step = Step::Deleting { awaited, failed };
        self.after_deleting(cx, key)
    }

    fn after_deleting(&mut self, cx: Cx<'_>, key: JobKey) -> Option<Result<Success, Hresult>> {
        match self.finishing(key)?.step {
            Step::Deleting { awaited: 0, failed } => Some(self.end(cx, key, failed)),
            _ => None,
        }
    }

    /// The job has reached its final state.
    fn end(&mut self, cx: Cx<'_>, key: JobKey, some_left: bool) -> Result<Success, Hresult> {
        let waiters = self.waiters(key);
        let is_whole = self.jobs[key].has_all_files();
        let (state, cause) = match waiters.purpose {
            Purpose::Complete => (State::Acknowledged, Cause::Completed),
            // Clause job.cancel.server_temp: the server is told first.
            Purpose::Cancel(cause) if self.jobs[key].session().is_some() => {
                // For how long the server is silent counts from now.
                self.jobs[key].failing = Some(Failing::starting(cx.now));
                (State::GivingUp { attempt: None }, cause)
            }
            Purpose::Cancel(cause) => (State::Cancelled, cause),
        };
        let is_given_up = matches!(state, State::GivingUp { .. });
        let result = Ok(match waiters.purpose {
            _ if some_left => Success::UNABLE_TO_DELETE_FILES,
            Purpose::Complete if !is_whole && !self.nothing_is_success(key) => Success::PARTIAL_COMPLETE,
            _ => Success::OK,
        });
        self.timers.disarm_all(key);
        self.cache_job_ends(key, matches!(state, State::Acknowledged));
        self.transition(cx, key, state, cause);
        self.answer(key, &waiters, result);
        self.forget_notices(key);
        self.forget_vetting_object(key);
        if is_given_up {
            self.give_up_session(cx, key);
        } else {
            self.jobs.forget_if_gone(key);
        }
        result
    }

    /// Whether Complete of a job of which nothing was transferred says nothing of that.
    fn nothing_is_success(&self, key: JobKey) -> bool {
        let has_none = self.jobs[key].files.iter().all(|file| file.stage == FileStage::Pending);
        has_none && self.config.decisions.is_other(Switch::NothingTransferred)
    }

    /// A file could not be renamed: the job stays in the queue, and nothing of it moves (clause
    /// `job.complete.rename_failed_stays`).
    fn stay(&mut self, cx: Cx<'_>, key: JobKey, code: Hresult) -> Result<Success, Hresult> {
        let waiters = self.waiters(key);
        let unchanged = match self.jobs[key].shown() {
            JobState::SUSPENDED => Some(State::Suspended),
            JobState::ERROR => Some(State::Error),
            JobState::TRANSFERRED => Some(State::Transferred),
            _ => None,
        };
        match unchanged {
            Some(state) => {
                self.set_state(cx, key, state);
                self.changed(cx, key);
            }
            None => self.transition(cx, key, State::Suspended, Cause::RenameFailed),
        }
        self.answer(key, &waiters, Err(code));
        self.pump_notices(key);
        Err(code)
    }

    fn waiters(&mut self, key: JobKey) -> Waiters {
        match &self.jobs[key].state {
            State::Finishing(Finishing { purpose, call, others_wait, .. }) => {
                Waiters { purpose: *purpose, call: *call, others: *others_wait }
            }
            _ => Waiters { purpose: Purpose::Complete, call: None, others: false },
        }
    }

    fn answer(&mut self, key: JobKey, waiters: &Waiters, result: Result<Success, Hresult>) {
        if let Some(call) = waiters.call {
            self.push(Action::Reply { call, result });
        }
        if waiters.others {
            self.push(Action::Wake(key));
        }
    }

    pub(crate) fn forget_temporary(&mut self, key: JobKey, place: usize) {
        if let Some(temporary) = self.jobs[key].files[place].temporary.take() {
            self.temporaries.remove(&Counted(temporary));
        }
    }
}
