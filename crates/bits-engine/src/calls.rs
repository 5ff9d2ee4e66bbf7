//! What clients can change.
//!
//! Every call checks in the same order: may the caller touch the job (`E_ACCESSDENIED`), has the
//! job ended (`BG_E_INVALID_STATE`), is it being ended (put off), and only then the arguments.

use std::collections::BTreeSet;
use std::time::Duration;

use bits_api::{
    EnumJobsFlags, FileInfo, Guid, Hresult, JobPriority, JobType, NotifyFlags, Setting, Success, TokenFlags, Value,
    text,
};
use bits_world::{Profile, Switch, Token};

use crate::access::{OwnerRights, may_use};
use crate::engine::take;
use crate::heads::Heads;
use crate::job::{File, Job, Purpose, State, Sums};
use crate::jobs::Shelf;
use crate::ranges::Fetching;
use crate::secrets::Readers;
use crate::settings::{self, Stored};
use crate::temporary::mix;
use crate::upload::Upload;
use crate::{
    CallbackId, CallbackInterface, Cause, CommandLine, Cx, Engine, JobKey, LaterSettings, Reply, names, peer_cache,
};
use bits_api::FileTime;

impl Engine {
    /// CreateJob: a new job, SUSPENDED and without files, that belongs to `caller`.
    ///
    /// `id` is a GUID that was never used before. The key counts no handle: see
    /// [`Engine::retain`]. Since 1.0; clauses `manager.create_job.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for an absent name or one above 256 UTF-16 units; `E_NOTIMPL` for an
    /// undefined type, and for the upload types before 1.5 and where nobody can upload;
    /// `E_ACCESSDENIED` for a restricted token (1.5); `BG_E_REMOTE_NOT_SUPPORTED` for remote use;
    /// `BG_E_TOO_MANY_JOBS_PER_USER` and `BG_E_TOO_MANY_JOBS_PER_MACHINE` when a limit is reached
    /// (3.0); `E_UNEXPECTED` for an identifier that a job of the queue has already.
    pub fn create_job(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        id: Guid,
        display_name: Option<&str>,
        job_type: JobType,
    ) -> Result<JobKey, Hresult> {
        self.look_around(cx);
        self.served(caller)?;
        self.unrestricted(caller)?;
        let display_name = text::required(display_name)?;
        if text::utf16_len(display_name) > settings::MAX_DISPLAY_NAME {
            return Err(Hresult::E_INVALIDARG);
        }
        if !self.has_type(job_type) {
            return Err(self.undefined(Switch::UndefinedType));
        }
        self.check_job_limits(cx, caller)?;
        if self.jobs.find(id).is_some() {
            return Err(Hresult::E_UNEXPECTED);
        }
        let owner = self.user_of(cx, &caller.user);
        let key = JobKey(take(&mut self.numbers.job));
        self.jobs.insert(Box::new(Job {
            key,
            id,
            kind: job_type,
            owner,
            rights: OwnerRights::of(caller),
            helper: None,
            helper_flags: TokenFlags::empty(),
            state: State::Suspended,
            display_name: display_name.into(),
            description: "".into(),
            priority: JobPriority(settings::default_of(Setting::Priority)),
            notify_flags: NotifyFlags::from_bits_retain(settings::default_of(Setting::NotifyFlags)),
            minimum_retry_delay: settings::default_of(Setting::MinimumRetryDelay),
            no_progress_timeout: settings::default_of(Setting::NoProgressTimeout),
            later: LaterSettings::default(),
            proxy: None,
            secrets: None,
            header_readers: Readers::Owner,
            was_resumed: false,
            error_count: 0,
            error: None,
            created: cx.now.wall,
            modified: cx.now.wall,
            last_activity: cx.now.wall,
            transfer_completed: FileTime::ZERO,
            failing: None,
            active: Duration::ZERO,
            files: Vec::new(),
            next: 0,
            work: None,
            fetching: Fetching::default(),
            changes: 0,
            heads: Heads::default(),
            unsaved: BTreeSet::new(),
            sums: Sums::default(),
            stopping: None,
            notices: None,
            notify_command: None,
            end_told: false,
            ended_by: None,
            handles: 0,
            idle_since: cx.now.wall,
            filed: None,
            upload: Upload::of(job_type),
        }));
        self.announce(cx, key, None, Cause::Created, false);
        Ok(key)
    }

    /// Clauses `manager.create_job.type_*`.
    fn has_type(&self, job_type: JobType) -> bool {
        match job_type {
            JobType::DOWNLOAD => true,
            JobType::UPLOAD | JobType::UPLOAD_REPLY => self.config.uploads && self.config.profile >= Profile::V1_5,
            _ => false,
        }
    }

    /// Clauses `policy.max_jobs_per_*`, `policy.pre30_no_limits`.
    fn check_job_limits(&self, cx: Cx<'_>, caller: &Token) -> Result<(), Hresult> {
        if self.config.profile < Profile::V3_0 || caller.is_exempt_from_limits() {
            return Ok(());
        }
        let owned = self.jobs.users.find(&caller.user).map_or(0, |user| self.jobs.users.get(user).jobs);
        let policies = &cx.world.policies;
        if owned >= policies.max_jobs_per_user {
            return Err(Hresult::BG_E_TOO_MANY_JOBS_PER_USER);
        }
        if self.jobs.in_queue() >= policies.max_jobs_per_machine as usize {
            return Err(Hresult::BG_E_TOO_MANY_JOBS_PER_MACHINE);
        }
        Ok(())
    }

    /// GetJob: a job of the queue by its identifier. Since 1.0; clauses `manager.get_job.*`.
    ///
    /// # Errors
    /// `BG_E_NOT_FOUND` when no such job is in the queue; `E_ACCESSDENIED` when the caller is
    /// neither its owner nor an administrator.
    pub fn find_job(&mut self, cx: Cx<'_>, caller: &Token, id: Guid) -> Result<JobKey, Hresult> {
        self.look_around(cx);
        self.served(caller)?;
        let is_listed = |key: &JobKey| !matches!(self.jobs[*key].state, State::GivingUp { .. });
        let key = self.jobs.find(id).filter(is_listed).ok_or(Hresult::BG_E_NOT_FOUND)?;
        self.readable(caller, key)?;
        Ok(key)
    }

    /// EnumJobs: the jobs of the queue that `caller` owns, or of all users. Their order is chosen
    /// by the seed; with seed 0 it is that of their creation. Since 1.0; clauses
    /// `manager.enum_jobs.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for undefined flags (a decision); `E_ACCESSDENIED` for all users without
    /// administrator rights.
    pub fn enum_jobs(&mut self, cx: Cx<'_>, caller: &Token, flags: EnumJobsFlags) -> Result<Vec<JobKey>, Hresult> {
        self.look_around(cx);
        self.served(caller)?;
        if !(flags - EnumJobsFlags::ALL_USERS).is_empty() {
            return Err(self.undefined(Switch::UndefinedEnumFlags));
        }
        let owner = if flags.contains(EnumJobsFlags::ALL_USERS) {
            if !caller.administrator {
                return Err(Hresult::E_ACCESSDENIED);
            }
            None
        } else {
            match self.jobs.users.find(&caller.user) {
                Some(user) => Some(user),
                None => return Ok(Vec::new()),
            }
        };
        let mut keys: Vec<JobKey> = Shelf::LISTED.iter().flat_map(|shelf| self.jobs.on_shelf(*shelf, owner)).collect();
        match self.order_seed() {
            0 => keys.sort_unstable(),
            seed => keys.sort_unstable_by_key(|key| mix(seed ^ mix(key.0))),
        }
        Ok(keys)
    }

    /// Counts another handle of a client. A job that has ended stays readable until its last
    /// handle is released.
    pub fn retain(&mut self, job: JobKey) {
        if let Some(job) = self.jobs.get_mut(job) {
            job.handles += 1;
        }
    }

    /// Takes back what [`Engine::retain`] has counted.
    pub fn release(&mut self, job: JobKey) {
        if let Some(held) = self.jobs.get_mut(job) {
            held.handles = held.handles.saturating_sub(1);
            self.jobs.forget_if_gone(job);
        }
    }

    /// AddFile and AddFileSet: all of `files`, in order, or none. Since 1.0; clauses
    /// `job.add_file.*`, `job.add_file_set.*`, `struct.file_info.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for an empty set (a decision) and for a name that breaks a rule;
    /// `ERROR_DIRECTORY` for a folder or drive that is not there, and whatever else the probe
    /// finds; `ERROR_NOT_LOGGED_ON` for a caller who is not logged on;
    /// `BG_E_TOO_MANY_FILES_IN_JOB` above the limit (3.0), `BG_E_TOO_MANY_FILES` for more than one
    /// file of an upload; `BG_E_INVALID_STATE` in a final state.
    pub fn add_files(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey, files: &[FileInfo<'_>]) -> Reply {
        self.change(cx, caller, job, |engine| {
            if files.is_empty() && engine.config.decisions.is_other(Switch::EmptySet) {
                return Ok(Success::OK);
            }
            engine.check_files(cx, caller, job, files)?;
            engine.take_in(cx, job, files.iter().map(|file| File::new(file.remote_name, file.local_name)));
            Ok(Success::OK)
        })
    }

    /// Adds files that were looked at.
    pub(crate) fn take_in(&mut self, cx: Cx<'_>, job: JobKey, files: impl IntoIterator<Item = File>) {
        let first = self.jobs[job].files.len();
        files.into_iter().for_each(|file| self.jobs[job].add_file(file));
        for place in first..self.jobs[job].files.len() {
            self.persist_file(job, place);
        }
        self.changed(cx, job);
    }

    pub(crate) fn check_files(
        &self,
        cx: Cx<'_>,
        caller: &Token,
        job: JobKey,
        files: &[FileInfo<'_>],
    ) -> Result<(), Hresult> {
        if files.is_empty() {
            return Err(Hresult::E_INVALIDARG);
        }
        // access.not_logged_on of bitsadmin.toml
        if !cx.world.lets_jobs_run(&caller.user, self.config.profile) {
            return Err(Hresult::ERROR_NOT_LOGGED_ON);
        }
        let takes_files = self.jobs[job].takes_files(self.config.profile);
        let checked = files.iter().map(|file| names::check(file, takes_files, &cx.world.drives));
        let paths = checked.collect::<Result<Vec<_>, _>>();
        let paths = paths.map_err(|code| self.missing_folder(code))?;
        self.check_local_names(cx, job, files)?;
        let is_limited = self.config.profile >= Profile::V3_0 && !caller.is_exempt_from_limits();
        let count = self.jobs[job].client_files() + files.len();
        if is_limited && count > cx.world.policies.max_files_per_job as usize {
            return Err(Hresult::BG_E_TOO_MANY_FILES_IN_JOB);
        }
        paths.iter().try_for_each(|path| may_use(cx, &caller.user, path))?;
        if self.jobs[job].is_upload() {
            // job.add_file.upload_max
            return match paths.as_slice() {
                [path] if count == 1 => cx.probe.source(path),
                _ => Err(Hresult::BG_E_TOO_MANY_FILES),
            };
        }
        paths.iter().try_for_each(|path| cx.probe.destination(path)).map_err(|code| self.missing_folder(code))
    }

    /// Whether each local name is there once, where that is asked for.
    fn check_local_names(&self, cx: Cx<'_>, job: JobKey, files: &[FileInfo<'_>]) -> Result<(), Hresult> {
        let new: BTreeSet<&str> = files.iter().map(|file| file.local_name).collect();
        let is_refused = self.config.decisions.count(Switch::DuplicateLocal) == 1;
        let is_double = new.len() < files.len()
            || self.jobs[job].files.iter().any(|file| new.contains(&*file.local_name))
            || is_refused && self.has_local_name_twice(cx, job, files);
        if is_double {
            self.config.decisions.note(Switch::DuplicateLocal);
        }
        if is_double && is_refused { Err(Hresult::E_INVALIDARG) } else { Ok(()) }
    }

    /// Whether two of the names lead to one file, however they are spelled.
    fn has_local_name_twice(&self, cx: Cx<'_>, job: JobKey, files: &[FileInfo<'_>]) -> bool {
        let there = self.jobs[job].files.iter().map(|file| &*file.local_name);
        let mut seen = BTreeSet::new();
        there
            .chain(files.iter().map(|file| file.local_name))
            .any(|name| !seen.insert(names::same_file(name, &cx.world.drives)))
    }

    /// What AddFile gives for a folder that is not there.
    fn missing_folder(&self, code: Hresult) -> Hresult {
        match code {
            Hresult::ERROR_DIRECTORY if self.config.decisions.is_other(Switch::MissingFolder) => {
                Hresult::ERROR_PATH_NOT_FOUND
            }
            other => other,
        }
    }

    /// What an argument gives that no enumeration defines.
    fn undefined(&self, switch: Switch) -> Hresult {
        if self.config.decisions.is_other(switch) { Hresult::E_INVALIDARG } else { Hresult::E_NOTIMPL }
    }

    /// Suspend. Since 1.0; clauses `job.suspend.*`.
    ///
    /// # Errors
    /// `BG_E_INVALID_STATE` in a final state.
    pub fn suspend(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey) -> Reply {
        self.change(cx, caller, job, |engine| {
            let stays = match engine.jobs[job].state {
                State::Suspended => true,
                State::Transferred => engine.config.decisions.is_other(Switch::SuspendTransferred),
                _ => false,
            };
            if stays {
                engine.changed(cx, job);
            } else {
                engine.touch(cx, job);
                engine.transition(cx, job, State::Suspended, Cause::Suspended);
            }
            Ok(Success::OK)
        })
    }

    /// Resume. Since 1.0; clauses `job.resume.*`.
    ///
    /// # Errors
    /// `BG_E_EMPTY` when the job has no files; `BG_E_INVALID_STATE` in a final state.
    pub fn resume(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey) -> Reply {
        self.change(cx, caller, job, |engine| {
            let resumed = &mut engine.jobs[job];
            if resumed.files.is_empty() {
                return Err(Hresult::BG_E_EMPTY);
            }
            resumed.was_resumed = true;
            if engine.may_only_end(job) {
                return Err(Hresult::BG_E_INVALID_STATE);
            }
            engine.save_remote_names(job);
            let decisions = &engine.config.decisions;
            let resumed = &mut engine.jobs[job];
            let is_idle = match resumed.state {
                State::Suspended | State::Error => {
                    // The client has mended what was wrong: its patience begins anew.
                    resumed.failing = None;
                    true
                }
                State::TransientError(_) => true,
                State::Transferred => !resumed.has_all_files() || decisions.is_other(Switch::ResumeTransferred),
                _ => false,
            };
            if is_idle {
                // job4.set_maximum_download_time.resume_resets
                resumed.active = Duration::ZERO;
                engine.touch(cx, job);
                engine.accept_changed_source(job);
                engine.restart_own_method(job);
                engine.enqueue(cx, job, Cause::Resumed);
            } else {
                engine.changed(cx, job);
            }
            Ok(Success::OK)
        })
    }

    /// Cancel. Since 1.0; clauses `job.cancel.*`. The result is `BG_S_UNABLE_TO_DELETE_FILES` when
    /// a temporary file is left.
    ///
    /// # Errors
    /// `BG_E_INVALID_STATE` in a final state.
    pub fn cancel(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey) -> Reply {
        self.end_job(cx, caller, job, Purpose::Cancel(Cause::Cancelled))
    }

    /// Complete. Since 1.0; clauses `job.complete.*`. The result is `BG_S_PARTIAL_COMPLETE` when
    /// not all files had been transferred, `BG_S_UNABLE_TO_DELETE_FILES` when a temporary file is
    /// left.
    ///
    /// # Errors
    /// `BG_E_INVALID_STATE` in a final state, and for an upload in any but TRANSFERRED; the code of
    /// a rename that failed, with the job still in the queue.
    pub fn complete(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey) -> Reply {
        self.end_job(cx, caller, job, Purpose::Complete)
    }

    /// Whether the job can be ended so: a part of an upload cannot be accepted.
    fn may_end(&self, job: JobKey, purpose: Purpose) -> Result<(), Hresult> {
        let job = &self.jobs[job];
        let is_early = job.is_upload() && !matches!(job.state, State::Transferred);
        if purpose == Purpose::Complete && is_early { Err(Hresult::BG_E_INVALID_STATE) } else { Ok(()) }
    }

    fn end_job(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey, purpose: Purpose) -> Reply {
        if let Err(reply) = self.admit(cx, caller, job) {
            return reply;
        }
        if let Err(code) = self.may_end(job, purpose) {
            return Reply::Now(Err(code));
        }
        self.touch(cx, job);
        let by = self.user_of(cx, &caller.user);
        let reply = self.finish(cx, job, purpose, by);
        self.schedule(cx);
        reply
    }

    /// Replaces a setting. Since 1.0; clauses `job.set_*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for a value of the wrong type, an absent string or one with NUL;
    /// `BG_E_STRING_TOO_LONG` above a string's limit; `E_NOTIMPL` for an undefined priority,
    /// undefined notify bits and a setting that this engine does not have; `BG_E_INVALID_STATE` in
    /// a final state and, like the codes of BG_E_READ_ONLY_PROPERTY_*, in those of its row.
    pub fn set(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey, setting: Setting, value: &Value) -> Reply {
        self.change(cx, caller, job, |engine| {
            let value = settings::check(engine.config.profile, setting, value)?;
            if engine.jobs[job].is_default_method(setting, &value) {
                return Ok(Success::OK);
            }
            settings::row_of(engine.config.profile, setting)?.admits(&engine.jobs[job].moment())?;
            engine.jobs[job].goes_together(setting, &value)?;
            engine.jobs[job].goes_with_method(setting, &value)?;
            engine.touch(cx, job);
            engine.apply(cx, job, setting, value);
            engine.changed(cx, job);
            Ok(Success::OK)
        })
    }

    fn apply(&mut self, cx: Cx<'_>, key: JobKey, setting: Setting, value: Stored) {
        let job = &mut self.jobs[key];
        match (setting, value) {
            (Setting::DisplayName, Stored::Text(name)) => job.display_name = name,
            (Setting::Description, Stored::Text(description)) => job.description = description,
            (Setting::Priority, Stored::Number(priority)) => self.set_priority(cx, key, JobPriority(priority)),
            (Setting::NotifyFlags, Stored::Number(bits)) => {
                job.notify_flags = NotifyFlags::from_bits_retain(bits);
                self.flags_changed(key);
            }
            (Setting::MinimumRetryDelay, Stored::Number(seconds)) => job.minimum_retry_delay = seconds,
            (Setting::NoProgressTimeout, Stored::Number(seconds)) => self.set_no_progress_timeout(cx, key, seconds),
            (Setting::NotificationClsid, Stored::Guid(class)) => self.replace_class(key, class),
            (setting, value) => {
                let (peers, checked) = (peer_cache::job_flags(job), job.checks_revocation());
                job.later.set(setting, value);
                if setting == Setting::OnDemandMode {
                    self.replan(key);
                }
                match setting {
                    Setting::MaximumDownloadTime => _ = self.judge_download_time(cx, key),
                    Setting::CostFlags => self.class_changed(cx, key),
                    // http_options2.set_http_method.priority_forced
                    Setting::HttpMethod => self.set_priority(cx, key, JobPriority::FOREGROUND),
                    Setting::PeerCachingFlags => self.job_peer_flags_changed(cx, key, peers),
                    Setting::SecurityFlags if self.jobs[key].checks_revocation() && !checked => {
                        self.revocation_switched_on(cx, key);
                    }
                    _ => {}
                }
            }
        }
    }

    /// SetNotifyInterface: registers `callback`, which the service keeps, or none.
    /// What is due already is delivered. Since 1.0; clauses `job.set_notify_interface.*`.
    ///
    /// # Errors
    /// `BG_E_INVALID_STATE` in a final state; the engine has then not taken the callback.
    pub fn set_callback(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        job: JobKey,
        callback: Option<(CallbackId, CallbackInterface)>,
    ) -> Reply {
        self.change(cx, caller, job, |engine| {
            engine.replace_callback(cx, job, &caller.user, callback);
            Ok(Success::OK)
        })
    }

    /// SetNotifyCmdLine: the program that is run for the job's end, or none for two absent strings.
    /// What is due already is delivered. Since 1.5; clauses `job2.set_notify_cmd_line.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for parameters without a program (a decision) and a string with NUL;
    /// `BG_E_STRING_TOO_LONG` for a program above 260 UTF-16 units or parameters above 4,000;
    /// `BG_E_INVALID_STATE` in a final state.
    pub fn set_command(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        job: JobKey,
        program: Option<&str>,
        parameters: Option<&str>,
    ) -> Reply {
        self.change(cx, caller, job, |engine| {
            let command = CommandLine::check(program, parameters)?;
            engine.replace_command(cx, job, command);
            Ok(Success::OK)
        })
    }

    /// A change that takes effect at once.
    pub(crate) fn change(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        job: JobKey,
        change: impl FnOnce(&mut Self) -> Result<Success, Hresult>,
    ) -> Reply {
        if let Err(reply) = self.admit(cx, caller, job) {
            return reply;
        }
        let result = change(self);
        self.schedule(cx);
        Reply::Now(result)
    }

    /// Every call begins with a look at the world, which may have changed without an event.
    fn look_around(&mut self, cx: Cx<'_>) {
        self.observe(cx);
        self.schedule(cx);
    }

    /// Whether `caller` may change `job` now.
    fn admit(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey) -> Result<(), Reply> {
        self.look_around(cx);
        self.changeable(caller, job).map_err(|code| Reply::Now(Err(code)))?;
        match &mut self.jobs[job].state {
            State::Acknowledged | State::GivingUp { .. } | State::Cancelled => {
                Err(Reply::Now(Err(Hresult::BG_E_INVALID_STATE)))
            }
            State::Finishing(finishing) => {
                finishing.others_wait = true;
                Err(Reply::Busy)
            }
            _ => Ok(()),
        }
    }
}
