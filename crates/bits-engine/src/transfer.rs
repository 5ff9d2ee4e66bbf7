//! The attempts of an active job: one file after another, in the order in which they were added
//! (clause `sched.files.sequential`).

use std::path::PathBuf;
use std::sync::Arc;

use bits_api::{ErrorContext, Hresult, JobPriority};
use bits_wire::attempt::{
    AttemptEnd, AttemptId, AttemptPlan, AttemptReport, Begin, ERROR_FILE_EXISTS, Failure, Fetch, Identities, Urgency,
    Validators,
};

use crate::access::may_use;
use crate::engine::take;
use crate::job::{Failing, State, Stopping};
use crate::visits::Counted;
use crate::{Action, Cause, Cx, Engine, JobKey};

impl Engine {
    /// Begins an attempt at the file in work, unless something holds it.
    pub(crate) fn start_attempt(&mut self, cx: Cx<'_>, key: JobKey) {
        if let Some(hold) = self.hold_of(&self.jobs[key]) {
            return self.block(cx, key, hold);
        }
        if self.judge_download_time(cx, key) {
            return;
        }
        let Some(place) = self.choose_file(key) else { return self.requests_met(cx, key) };
        // A file of a share is not looked for on the internet.
        if !self.facts.gates.has_gateway() && self.jobs[key].file_name(place).is_none() {
            return self.attempt_failed(cx, key, NO_GATEWAY);
        }
        let (identities, local) = match self.prepare(cx, key) {
            Ok(prepared) => prepared,
            Err((code, context)) => {
                return self.attempt_failed(cx, key, Failure { code, context, transient: false });
            }
        };
        let proxying = match self.proxying(cx, key, &self.jobs[key].files[place].remote_name, &identities) {
            Ok(proxying) => proxying,
            Err(failure) => return self.attempt_failed(cx, key, failure),
        };
        let source = match self.source_of(cx, key, place, &identities) {
            Ok(source) => source,
            Err(failure) => return self.attempt_failed(cx, key, failure),
        };
        let layout = self.plan_layout(key, place);
        let logins = Arc::new(self.logins(cx, key, &self.jobs[key].files[place].remote_name, &identities.network));
        let limit = self.rate_of(&self.jobs[key]);
        let job = &mut self.jobs[key];
        let Some(run) = job.run_mut() else { return };
        run.limit = limit;
        let chain = run.chain;
        let attempt = AttemptId(take(&mut self.numbers.attempt));
        match &mut job.state {
            State::Connecting { attempt: current, .. } => *current = Some(attempt),
            State::Transferring { attempt: current, .. } => *current = attempt,
            _ => return,
        }
        let file = &job.files[place];
        let plan = AttemptPlan {
            attempt,
            chain,
            work: job.work(),
            url: file.remote_name.to_string(),
            local,
            identities,
            fetch: Fetch {
                begin: if layout.is_fresh() { Begin::Anew } else { file.begin },
                layout,
                direct: job.is_direct(),
                dynamic: job.is_dynamic() || job.own_method().is_some(),
                method: job.own_method().map(str::to_owned),
                most: job.limit(place),
                redirects: job.redirect_policy(),
                named_server: file.named_server.as_deref().map(str::to_owned),
                source,
            },
            urgency: match job.priority {
                JobPriority::FOREGROUND => Urgency::Foreground,
                _ => Urgency::Background,
            },
            proxying,
            limit,
            custom_headers: job.custom_headers().cloned(),
            logins,
            certificates: job.certificates(),
            vetting: job.vetting(),
            known: file.validators,
        };
        self.attempts.insert(Counted(attempt), key);
        self.push(Action::Start(Box::new(plan)));
    }

    /// In whose name an attempt at the file in work is made, and with which local file.
    fn prepare(&mut self, cx: Cx<'_>, key: JobKey) -> Result<(Identities, PathBuf), (Hresult, ErrorContext)> {
        let identities = self.identities(key).map_err(|code| (code, ErrorContext::GENERAL_QUEUE_MANAGER))?;
        let local = self.local_file(cx, key);
        let local = local.and_then(|path| may_use(cx, &identities.local, &path).map(|()| path));
        Ok((identities, local.map_err(|code| (code, ErrorContext::LOCAL_FILE))?))
    }

    /// An attempt reports; only `Ended` is heard of one that was told to stop.
    pub(crate) fn attempt_reports(&mut self, cx: Cx<'_>, attempt: AttemptId, report: AttemptReport) {
        let Some(key) = self.attempts.get(&Counted(attempt)).copied() else { return };
        let job = &self.jobs[key];
        let is_current = job.attempt() == Some(attempt);
        let stopping = job.stopping.filter(|stopping| stopping.attempt == attempt);
        match report {
            AttemptReport::Connected { validators, have } if is_current => {
                self.connected(cx, key, attempt, validators, have);
            }
            AttemptReport::SessionOpen { session, source, have } => {
                self.session_opened(cx, key, attempt, session, (source, have));
            }
            AttemptReport::Progress { have } if is_current => self.progressed(cx, key, have),
            AttemptReport::Answered(head) if is_current => self.answered(key, head),
            AttemptReport::Redirected { url } if is_current => self.redirected(cx, key, &url),
            AttemptReport::Connected { .. }
            | AttemptReport::Progress { .. }
            | AttemptReport::Answered(_)
            | AttemptReport::Redirected { .. }
            // For the event log alone.
            | AttemptReport::CredentialsJudged { .. } => {}
            AttemptReport::Ended(end) => {
                self.attempts.remove(&Counted(attempt));
                if matches!(self.jobs[key].state, State::GivingUp { .. }) {
                    return self.give_up_ended(cx, key, &end);
                }
                let draws_again = is_name_taken(&end) && self.lose_name(key);
                let replans = is_current && self.jobs[key].fetching.replans;
                self.keep_scattered(key, &end);
                match (stopping, end) {
                    (Some(stopping), end) => self.stopped(cx, key, stopping, end),
                    (None, _) if draws_again => self.start_attempt(cx, key),
                    (None, AttemptEnd::Done) => self.file_done(cx, key, attempt),
                    (None, _) if replans => self.start_attempt(cx, key),
                    (None, AttemptEnd::Changed) => self.start_over(cx, key),
                    (None, AttemptEnd::Uploaded { reply }) => self.upload_done(cx, key, attempt, reply),
                    (None, AttemptEnd::Failed(failure)) => self.attempt_failed(cx, key, failure),
                    // Nobody told it to: as if the connection had been closed.
                    (None, AttemptEnd::Stopped) => self.attempt_failed(cx, key, UNASKED_STOP),
                }
            }
        }
    }

    /// The server has answered. What it said of the file goes on record before a byte is written.
    fn connected(&mut self, cx: Cx<'_>, key: JobKey, attempt: AttemptId, validators: Validators, have: u64) {
        let job = &mut self.jobs[key];
        let place = job.place_in_work();
        let began = std::mem::take(&mut job.files[place].begin);
        let is_news = job.set_validators(place, validators) || began != Begin::GoOn;
        self.begin_counting(key, place, validators.size, have);
        if is_news {
            self.persist_file(key, place);
        }
        self.begin_transferring(cx, key, attempt);
        self.push(Action::Proceed(attempt));
    }

    pub(crate) fn begin_transferring(&mut self, cx: Cx<'_>, key: JobKey, attempt: AttemptId) {
        if let State::Connecting { run, .. } = self.jobs[key].state {
            self.transition(cx, key, State::Transferring { run, attempt }, Cause::Connected);
        }
    }

    /// Puts on record what the length of a temporary file cannot tell.
    fn keep_scattered(&mut self, key: JobKey, end: &AttemptEnd) {
        let job = &mut self.jobs[key];
        let place = job.fetching.place;
        let Some(file) = job.files.get_mut(place) else { return };
        let Some(access) = &mut file.access else { return };
        if matches!(end, AttemptEnd::Failed(failure) if failure.code == Hresult::BG_E_INVALID_RANGE) {
            // Else every later attempt would fail as well.
            access.requested.clear();
        }
        if *end == AttemptEnd::Changed {
            self.throw_away(key, place);
        }
        self.persist_file(key, place);
    }

    /// Puts on record what running attempts have brought so far of scattered files.
    pub(crate) fn keep_all_scattered(&mut self) {
        let running: Vec<_> = self.attempts.values().copied().collect();
        for key in running {
            let place = self.jobs[key].fetching.place;
            if self.jobs[key].files.get(place).is_some_and(|file| file.access.is_some()) {
                self.persist_file(key, place);
            }
        }
    }

    /// The remote file is another one than what is there of it, which was thrown away.
    fn start_over(&mut self, cx: Cx<'_>, key: JobKey) {
        /// How often in one run.
        const MOST: u32 = 3;
        let job = &mut self.jobs[key];
        job.changes += 1;
        if job.changes > MOST { self.attempt_failed(cx, key, NEVER_THE_SAME) } else { self.start_attempt(cx, key) }
    }

    /// Bytes have moved. They are not put on record, where the temporary file's length tells of
    /// them; of a scattered file, what was asked for is once it is there.
    fn progressed(&mut self, cx: Cx<'_>, key: JobKey, have: u64) {
        let place = self.jobs[key].place_in_work();
        let pending =
            |engine: &Self| engine.jobs[key].files[place].access.as_ref().map(|access| access.requested.len());
        let before = pending(self);
        if self.count(key, place, have) {
            self.made_progress(cx, key);
        }
        if pending(self) != before {
            self.persist_file(key, place);
        }
        self.touch(cx, key);
        self.notify_of_modification(key);
    }

    /// The no-progress period is over (clause `retry.timeout.reset`). In TRANSIENT_ERROR, where an
    /// attempt may still have been quicker than the order to stop, the next one begins.
    fn made_progress(&mut self, cx: Cx<'_>, key: JobKey) {
        let job = &mut self.jobs[key];
        let waits = matches!(job.state, State::TransientError(_));
        let before = std::mem::replace(&mut job.failing, waits.then(|| Failing::starting(cx.now)));
        if before.is_some() {
            self.persist_job(key);
        }
        if waits {
            self.arm_no_progress(cx, key);
        }
    }

    /// The file in work is all there: the next one's turn, or the job is done.
    fn file_done(&mut self, cx: Cx<'_>, key: JobKey, attempt: AttemptId) {
        self.begin_transferring(cx, key, attempt);
        self.take_fetched(cx, key);
        self.go_on(cx, key);
    }

    /// The server has the file of an upload: the reply's turn, or the job is done.
    fn upload_done(&mut self, cx: Cx<'_>, key: JobKey, attempt: AttemptId, reply: Option<String>) {
        self.begin_transferring(cx, key, attempt);
        match self.take_upload(cx, key, reply) {
            Ok(()) => self.go_on(cx, key),
            Err(failure) => self.attempt_failed(cx, key, failure),
        }
    }

    fn go_on(&mut self, cx: Cx<'_>, key: JobKey) {
        if self.jobs[key].has_all_files() {
            self.transition(cx, key, State::Transferred, Cause::AllFilesTransferred);
        } else {
            self.start_attempt(cx, key);
        }
    }

    /// Takes down that everything is there that the attempt was to fetch.
    fn take_fetched(&mut self, cx: Cx<'_>, key: JobKey) {
        let place = self.jobs[key].fetching.place;
        if self.count_all(key, place) {
            self.take_file(cx, key, place);
        } else {
            self.made_progress(cx, key);
            self.touch(cx, key);
            self.persist_file(key, place);
            self.notify_of_modification(key);
        }
    }

    /// Takes down that the file at this place is all there.
    pub(crate) fn take_file(&mut self, cx: Cx<'_>, key: JobKey, place: usize) {
        let job = &mut self.jobs[key];
        let (is_sent, is_reply) = (job.sends(place), job.is_reply(place));
        let file = &job.files[place];
        let known = file.validators.unwrap_or(Validators { size: file.have, last_modified: None });
        job.set_validators(place, known);
        let size = job.files[place].size();
        job.set_have(place, size);
        job.file_arrived(place);
        job.files[place].access = None;
        self.jobs.refile(key);
        self.made_progress(cx, key);
        self.touch(cx, key);
        self.persist_file(key, place);
        if self.jobs[key].is_direct() && self.jobs[key].has_all_files() {
            // Nothing of them was on record before.
            (0..self.jobs[key].files.len()).for_each(|place| self.persist_file(key, place));
        }
        self.cache_file(cx, key, place);
        if is_reply {
            self.forget_session(key);
        }
        // callback2.file_transferred.job_types
        if !is_sent {
            self.notify_of_file(key, place);
        }
        // The last file makes the job TRANSFERRED, which is told as that alone (clause
        // `callback.job_modification.not_for_end_states`).
        if !self.jobs[key].has_all_files() {
            self.notify_of_modification(key);
        }
    }

    /// An attempt that was told to stop has ended: who waited for it goes on.
    fn stopped(&mut self, cx: Cx<'_>, key: JobKey, stopping: Stopping, end: AttemptEnd) {
        self.jobs[key].stopping = None;
        self.push(Action::Release(stopping.chain));
        match end {
            // It was quicker than the order to stop.
            AttemptEnd::Done => self.take_fetched(cx, key),
            // Without its reply the upload is asked for again.
            AttemptEnd::Uploaded { reply } => _ = self.take_upload(cx, key, reply),
            AttemptEnd::Changed | AttemptEnd::Stopped | AttemptEnd::Failed(_) => {}
        }
        let job = &self.jobs[key];
        match job.state {
            State::Connecting { run, attempt: None } if job.has_all_files() => {
                let attempt = stopping.attempt;
                self.transition(cx, key, State::Transferring { run, attempt }, Cause::Connected);
                self.transition(cx, key, State::Transferred, Cause::AllFilesTransferred);
            }
            State::Connecting { attempt: None, .. } => self.start_attempt(cx, key),
            State::Queued { .. } => self.settle_queued(cx, key),
            // A file that has arrived after all may have been the only one on a locked volume.
            State::TransientError(_) => self.class_changed(cx, key),
            State::Finishing(_) => _ = self.use_files(cx, key),
            _ => {}
        }
    }
}

/// Whether somebody else has made a file of the temporary file's name.
fn is_name_taken(end: &AttemptEnd) -> bool {
    let taken = (ERROR_FILE_EXISTS, ErrorContext::LOCAL_FILE);
    matches!(end, AttemptEnd::Failed(failure) if (failure.code, failure.context) == taken)
}

const NEVER_THE_SAME: Failure =
    Failure { code: Hresult::BG_E_REMOTE_FILE_CHANGED, context: ErrorContext::REMOTE_FILE, transient: true };

const UNASKED_STOP: Failure =
    Failure { code: Hresult::BG_E_CONNECTION_CLOSED, context: ErrorContext::GENERAL_TRANSPORT, transient: true };

/// No way leads to a server (clause `failure.no_default_gateway`).
const NO_GATEWAY: Failure =
    Failure { code: Hresult::ERROR_CAN_NOT_COMPLETE, context: ErrorContext::GENERAL_TRANSPORT, transient: true };
