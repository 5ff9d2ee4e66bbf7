//! What clients do.

use std::path::Path;

use bits_api::{
    CostFlags, EnumJobsFlags, FileInfo, FileRange, Guid, Hresult, JobPriority, JobState, JobType, SecurityFlags,
    Setting, Success, TokenFlags, Value,
};
use bits_engine::{CallbackId, CallbackInterface, Cx, Engine, JobKey, Reply};
use bits_world::Token;

use crate::house::{ADMINISTRATOR, House, Manner, Registration, SERVICE};
use crate::view::{SETTINGS, place_of, values};
use crate::wanted::Wanted;
use crate::watch::{Job, Passwords, Turn};

impl House {
    pub(crate) fn some_call(&mut self) {
        let user = if self.plan.has_crowd { 0 } else { self.chance.below(self.users.len()) };
        let Some(job) = self.some_job() else { return self.create(user) };
        let owner = self.jobs[&job].owner;
        let register = if self.plan.has_crowd { 12 } else { 6 };
        match self.chance.weighted(&[6, 8, 10, 3, 3, 2, 10, register, 3, 2, 1, 1, 1, 1, 5, 3, 1]) {
            0 => self.create(user),
            1 => self.add_files(owner, job),
            2 => self.resume(owner, job),
            3 => self.suspend(owner, job),
            4 => _ = self.complete(owner, job),
            5 => _ = self.cancel(owner, job),
            6 => self.set_something(owner, job),
            7 => self.register(owner, job),
            8 => self.look(user, job),
            9 => self.let_go(),
            10 => self.take_ownership(job),
            11 => self.set_program(owner, job),
            12 => self.lend(owner, job),
            13 => self.use_helper(owner, job),
            14 => self.request_ranges(owner, job),
            15 => self.some_credentials(owner, job),
            _ => self.remove_credentials(owner, job),
        }
    }

    fn some_job(&mut self) -> Option<JobKey> {
        let count = self.jobs.len();
        if count == 0 || (count < self.plan.most_jobs && self.chance.one_in(8)) {
            return None;
        }
        let place = self.chance.below(count);
        self.jobs.keys().nth(place).copied()
    }

    fn create(&mut self, user: usize) {
        let id = Guid::from_u64_pair(self.chance.number(), self.number());
        let caller = self.users[user].clone();
        // Those whose servers are still to be told count.
        let leaving = self.giving_up.values().filter(|owner| **owner == user).count();
        let owned = self.jobs.values().filter(|job| job.owner == user).count() + leaving;
        let in_queue = self.jobs.len() + self.giving_up.len();
        let policies = &self.world.policies;
        let may = caller.is_exempt_from_limits()
            || (owned < policies.max_jobs_per_user as usize && in_queue < policies.max_jobs_per_machine as usize);
        let job_type = match self.chance.below(6) {
            0 => JobType::UPLOAD,
            1 => JobType::UPLOAD_REPLY,
            _ => JobType::DOWNLOAD,
        };
        self.note(format_args!("user {user} creates {id}, {job_type}"));
        self.creating = user;
        let made = self.act(|engine, cx| engine.create_job(cx, &caller, id, Some("some job"), job_type));
        assert_eq!(made.is_ok(), may, "the limits: {made:?}");
        if let Ok(key) = made {
            self.engine.retain(key);
            self.jobs.get_mut(&key).expect("the new job").sends = job_type != JobType::DOWNLOAD;
            if job_type == JobType::DOWNLOAD && self.chance.one_in(3) {
                let place = place_of(Setting::SecurityFlags);
                let value = self.some_value(Setting::SecurityFlags);
                self.set(user, key, place, &value);
            }
        }
    }

    fn add_files(&mut self, user: usize, job: JobKey) {
        if self.jobs[&job].sends {
            return self.add_source(user, job);
        }
        let caller = self.users[user].clone();
        let parts = if self.chance.one_in(5) { self.some_parts() } else { Vec::new() };
        let count = if parts.is_empty() { 1 + self.chance.below(2) } else { 1 };
        let least = parts.iter().map(|part| part.initial_offset + part.length).max().unwrap_or(0);
        let files: Vec<(String, String)> = (0..count)
            .map(|_| {
                let url = self.origin.serve(least, &mut self.chance);
                (url, format!(r"C:\user{user}\file{}.bin", self.number()))
            })
            .collect();
        let infos: Vec<FileInfo<'_>> =
            files.iter().map(|(url, path)| FileInfo { remote_name: url, local_name: path }).collect();
        let has = self.jobs[&job].files.len();
        let expected = if !self.world.is_logged_on(&caller.user) {
            Err(Hresult::ERROR_NOT_LOGGED_ON)
        } else if !caller.is_exempt_from_limits() && has + count > self.world.policies.max_files_per_job as usize {
            Err(Hresult::BG_E_TOO_MANY_FILES_IN_JOB)
        } else {
            Ok(Success::OK)
        };
        self.note(format_args!("user {user} adds {count} files to {job:?}, parts: {parts:?}"));
        let reply = self.act(|engine, cx| match &parts[..] {
            [] => engine.add_files(cx, &caller, job, &infos),
            parts => engine.add_file_with_ranges(cx, &caller, job, &infos[0], parts),
        });
        if let Some(result) = self.answered(reply, job) {
            assert_eq!(result, expected);
            if result.is_ok() {
                let turn = self.given;
                let added = files.iter().map(|(url, _)| Wanted::new(turn, url, &parts));
                self.touched(job).files.extend(added);
            }
        }
    }

    /// Parts of a file, which do not overlap.
    fn some_parts(&mut self) -> Vec<FileRange> {
        let mut parts: Vec<FileRange> = (0..self.chance.between(1, 3))
            .map(|place| {
                let length = self.chance.between(1, 40);
                FileRange { initial_offset: 60 * place + self.chance.between(0, 20), length }
            })
            .collect();
        if self.chance.one_in(2) {
            parts.reverse();
        }
        parts
    }

    /// Gives an upload job its one file.
    fn add_source(&mut self, user: usize, job: JobKey) {
        let local_name = format!(r"C:\user{user}\source{}.bin", self.number());
        self.write_source(&self.path_of(&local_name, None));
        let url = self.origin.some_url(&mut self.chance);
        let file = FileInfo { remote_name: &url, local_name: &local_name };
        let expected = if !self.world.is_logged_on(&self.users[user].user) {
            Err(Hresult::ERROR_NOT_LOGGED_ON)
        } else if self.jobs[&job].files.is_empty() {
            Ok(Success::OK)
        } else {
            Err(Hresult::BG_E_TOO_MANY_FILES)
        };
        self.note(format_args!("user {user} lets {job:?} send {local_name}"));
        let add = |engine: &mut Engine, cx: Cx<'_>, caller: &Token| engine.add_files(cx, caller, job, &[file]);
        if let Some(result) = self.change(user, job, add) {
            assert_eq!(result, expected);
            if result.is_ok() {
                let file = Wanted::new(self.given, &url, &[]);
                self.touched(job).files.push(file);
            }
        }
    }

    pub(crate) fn write_source(&mut self, path: &Path) {
        let size = self.chance.between(0, 300);
        let bytes = (0..size).map(|_| self.chance.number().to_le_bytes()[0]).collect();
        self.files.write(path, bytes);
    }

    pub(crate) fn resume(&mut self, user: usize, job: JobKey) {
        let expected = if self.jobs[&job].files.is_empty() { Err(Hresult::BG_E_EMPTY) } else { Ok(Success::OK) };
        self.note(format_args!("user {user} resumes {job:?}"));
        if let Some(result) = self.change(user, job, |engine, cx, caller| engine.resume(cx, caller, job)) {
            assert_eq!(result, expected);
        }
    }

    fn suspend(&mut self, user: usize, job: JobKey) {
        self.note(format_args!("user {user} suspends {job:?}"));
        if let Some(result) = self.change(user, job, |engine, cx, caller| engine.suspend(cx, caller, job)) {
            assert_eq!(result, Ok(Success::OK));
            assert_eq!(self.jobs[&job].state, JobState::SUSPENDED);
        }
    }

    /// Completes a job; its result, unless it comes later.
    pub(crate) fn complete(&mut self, user: usize, job: JobKey) -> Option<Result<Success, Hresult>> {
        self.end(user, job, true)
    }

    pub(crate) fn cancel(&mut self, user: usize, job: JobKey) -> Option<Result<Success, Hresult>> {
        self.end(user, job, false)
    }

    fn end(&mut self, user: usize, job: JobKey, completes: bool) -> Option<Result<Success, Hresult>> {
        let caller = self.users[user].clone();
        self.note(format_args!("user {user} ends {job:?}, completing: {completes}"));
        let before = self.jobs[&job].clone();
        self.touched(job).is_ending = true;
        let reply =
            self.act(
                |engine, cx| {
                    if completes { engine.complete(cx, &caller, job) } else { engine.cancel(cx, &caller, job) }
                },
            );
        match reply {
            Reply::Busy => _ = self.jobs.insert(job, before.clone()),
            // Whatever it still shows, it moves nothing any more.
            Reply::Later(_) => self.jobs.get_mut(&job).expect("a job that ends later").stop_counting(self.now),
            Reply::Now(_) => {}
        }
        let result = self.answered(reply, job);
        if let Some(result) = result
            && let Some(job) = self.jobs.get_mut(&job)
        {
            assert!(result.is_err(), "it has ended");
            // Not every call that fails is activity.
            (job.is_ending, job.was_idle, job.touched) = (false, before.was_idle, before.touched);
        }
        if self.ended.contains_key(&job) && self.chance.one_in(2) {
            let state = if completes { JobState::ACKNOWLEDGED } else { JobState::CANCELLED };
            self.held.push((job, user, state));
        }
        result
    }

    pub(crate) fn set_something(&mut self, user: usize, job: JobKey) {
        let place = self.chance.below(SETTINGS.len());
        let value = self.some_value(SETTINGS[place]);
        self.set(user, job, place, &value);
    }

    fn some_value(&mut self, setting: Setting) -> Value {
        match setting {
            Setting::Priority => Value::Number(self.chance.pick(&[
                JobPriority::FOREGROUND.0,
                JobPriority::HIGH.0,
                JobPriority::NORMAL.0,
                JobPriority::LOW.0,
            ])),
            Setting::NotifyFlags => Value::Number(u32::try_from(self.chance.below(0x40)).unwrap_or(0)),
            Setting::MinimumRetryDelay => Value::Number(self.chance.pick(&[5, 60, 600, 3_600])),
            Setting::NoProgressTimeout => Value::Number(self.chance.pick(&[0, 60, 600, 3_600, 86_400])),
            Setting::MaximumDownloadTime => Value::Number(self.chance.pick(&[60, 600, 3_600, 86_400])),
            Setting::MinimumNotificationInterval => Value::Number(self.chance.pick(&[0, 500, 5_000])),
            Setting::SecurityFlags => {
                let policies = [
                    SecurityFlags::empty(),
                    SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT,
                    SecurityFlags::REDIRECT_POLICY_DISALLOW,
                ];
                Value::Number(self.chance.pick(&policies).bits())
            }
            Setting::CostFlags => {
                let flags = [CostFlags::TRANSFER_ALWAYS, CostFlags::UNRESTRICTED, CostFlags::from_bits_retain(0x0F)];
                Value::Number(self.chance.pick(&flags).bits())
            }
            _ => Value::Text(Some(format!("text {}", self.number()))),
        }
    }

    fn set(&mut self, user: usize, job: JobKey, place: usize, value: &Value) {
        let setting = SETTINGS[place];
        self.note(format_args!("user {user} sets {setting:?} of {job:?} to {value:?}"));
        // What the engine does at once it does by the new value, and this is seen by it.
        let watched = self.jobs.get_mut(&job).expect("a job");
        let mut values = watched.values.last().expect("settings").1.clone();
        values[place].clone_from(value);
        watched.values.push((Turn::MAX, values));
        let result = self.change(user, job, |engine, cx, caller| engine.set(cx, caller, job, setting, value));
        let watched = self.jobs.get_mut(&job).expect("a job");
        let at = watched.values.iter().position(|(turn, _)| *turn == Turn::MAX).expect("the new values");
        watched.values.remove(at);
        if let Some(result) = result {
            assert_eq!(result, Ok(Success::OK));
            assert_eq!(self.engine.get(&self.users[ADMINISTRATOR], job, setting).as_ref(), Ok(value));
        }
    }

    /// Makes a call that changes a job and has its result at once, unless the job is being ended.
    pub(crate) fn change(
        &mut self,
        user: usize,
        job: JobKey,
        call: impl FnOnce(&mut Engine, Cx<'_>, &Token) -> Reply,
    ) -> Option<Result<Success, Hresult>> {
        let caller = self.users[user].clone();
        let reply = self.act(|engine, cx| call(engine, cx, &caller));
        let result = self.answered(reply, job)?;
        if result.is_ok() {
            // A setting may depend on another, and a new owner has others.
            let found = values(&self.engine, &self.users[ADMINISTRATOR], job).expect("the settings of a job");
            let turn = self.given;
            self.touched(job).values.push((turn, found));
        }
        Some(result)
    }

    fn take_ownership(&mut self, job: JobKey) {
        self.note(format_args!("user {ADMINISTRATOR} takes {job:?}"));
        // uac.integrity: an administrator's level is below that of a service account.
        let expected = if self.jobs[&job].owner == SERVICE { Err(Hresult::E_ACCESSDENIED) } else { Ok(Success::OK) };
        let before = self.jobs[&job].owner;
        if expected.is_ok() {
            let job = self.jobs.get_mut(&job).expect("a job");
            job.owner = ADMINISTRATOR;
            // What was meant for another is told to nobody.
            job.credentials.push((Turn::MAX, Passwords::new()));
        }
        let result = self.change(ADMINISTRATOR, job, |engine, cx, caller| engine.take_ownership(cx, caller, job));
        let turn = self.given;
        let credentials = &mut self.jobs.get_mut(&job).expect("a job").credentials;
        credentials.retain(|(turn, _)| *turn != Turn::MAX);
        if result == Some(Ok(Success::OK)) {
            credentials.push((turn, Passwords::new()));
        }
        match result {
            Some(result) => {
                assert_eq!(result, expected);
                if before != self.jobs[&job].owner {
                    self.jobs.get_mut(&job).expect("a job").owned = turn;
                }
            }
            None => self.jobs.get_mut(&job).expect("a job").owner = before,
        }
    }

    fn set_program(&mut self, user: usize, job: JobKey) {
        let program = (!self.chance.one_in(4)).then(|| format!(r"C:\tools\tool{}.exe", self.number()));
        self.note(format_args!("user {user} lets {program:?} run for {job:?}"));
        let set = |engine: &mut Engine, cx: Cx<'_>, caller: &Token| {
            engine.set_command(cx, caller, job, program.as_deref(), None)
        };
        if let Some(result) = self.change(user, job, set) {
            assert_eq!(result, Ok(Success::OK));
        }
    }

    /// Somebody lends a token to a job.
    fn lend(&mut self, user: usize, job: JobKey) {
        let helper = self.chance.below(2);
        let token = self.users[helper].clone();
        self.note(format_args!("user {helper} helps {job:?}"));
        let set = |engine: &mut Engine, cx: Cx<'_>, caller: &Token| engine.set_helper_token(cx, caller, job, &token);
        if let Some(result) = self.change(user, job, set) {
            assert_eq!(result, Ok(Success::OK));
            self.jobs.get_mut(&job).expect("a job").helper = Some(helper);
        }
    }

    fn use_helper(&mut self, user: usize, job: JobKey) {
        let flags = TokenFlags::from_bits_retain(u32::try_from(self.chance.below(4)).unwrap_or(0));
        self.help_with(user, job, flags);
    }

    pub(crate) fn help_with(&mut self, user: usize, job: JobKey, flags: TokenFlags) {
        self.note(format_args!("{job:?} uses its helper for {flags:?}"));
        let set =
            |engine: &mut Engine, cx: Cx<'_>, caller: &Token| engine.set_helper_token_flags(cx, caller, job, flags);
        if let Some(result) = self.change(user, job, set) {
            assert_eq!(result, Ok(Success::OK));
        }
    }

    /// A user has logged off who was logged on: whoever that helped, or was helped, is alone.
    pub(crate) fn lose_helpers(&mut self, user: usize) {
        for job in self.jobs.values_mut().filter(|job| job.helper == Some(user) || job.owner == user) {
            job.helper = None;
        }
    }

    fn register(&mut self, user: usize, job: JobKey) {
        let caller = self.users[user].clone();
        let manner = match self.chance.below(6) {
            0 => Manner::Fails(u32::try_from(self.chance.between(1, 4)).unwrap_or(1)),
            1 => Manner::Hangs,
            2 => Manner::Dead,
            _ => Manner::Works,
        };
        let callback = (!self.chance.one_in(6)).then(|| CallbackId(self.number()));
        let interface = self.chance.pick(&[CallbackInterface::Callback, CallbackInterface::Callback2]);
        self.note(format_args!("user {user} registers {callback:?} for {job:?}: {manner:?}"));
        let before = self.jobs[&job].callback;
        self.jobs.get_mut(&job).expect("a job").callback = callback;
        if let Some(callback) = callback {
            self.registrations.insert(callback, Registration { user, manner });
        }
        let reply = self
            .act(|engine, cx| engine.set_callback(cx, &caller, job, callback.map(|callback| (callback, interface))));
        if let Some(result) = self.answered(reply, job) {
            assert_eq!(result, Ok(Success::OK));
            self.touched(job).was_told = false;
        } else {
            self.jobs.get_mut(&job).expect("a job").callback = before;
            if let Some(callback) = callback {
                self.registrations.remove(&callback);
            }
        }
    }

    /// Somebody looks at a job: an administrator and its owner see it, others do not.
    fn look(&mut self, user: usize, job: JobKey) {
        let caller = self.users[user].clone();
        let may = caller.administrator || self.jobs[&job].owner == user;
        let id = self.jobs[&job].id;
        let expected = if may { Ok(job) } else { Err(Hresult::E_ACCESSDENIED) };
        assert_eq!(self.act(|engine, cx| engine.find_job(cx, &caller, id)), expected, "user {user} and {job:?}");
        assert_eq!(self.engine.get(&caller, job, Setting::DisplayName).is_ok(), may);
        if !may {
            let reply = self.act(|engine, cx| engine.cancel(cx, &caller, job));
            assert_eq!(reply, Reply::Now(Err(Hresult::E_ACCESSDENIED)));
        }
        let own = self.act(|engine, cx| engine.enum_jobs(cx, &caller, EnumJobsFlags::empty())).expect("the jobs");
        let mut expected: Vec<JobKey> =
            self.jobs.iter().filter(|(_, job)| job.owner == user).map(|(key, _)| *key).collect();
        let mut found = own;
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "the jobs of user {user}");
    }

    /// A client reads a job that has ended once more, and lets go of it.
    fn let_go(&mut self) {
        let Some((job, user, state)) = self.held.pop() else { return };
        assert_eq!(self.engine.state(&self.users[user], job), Ok(state), "a kept pointer to {job:?}");
        self.engine.release(job);
        // One whose server is still to be told stays in the queue.
        if !self.giving_up.contains_key(&job) {
            assert_eq!(self.engine.state(&self.users[user], job), Err(Hresult::BG_E_NOT_FOUND));
        }
    }

    fn touched(&mut self, job: JobKey) -> &mut Job {
        let now = self.now;
        let job = self.jobs.get_mut(&job).expect("a job of the queue");
        job.touch(now);
        job
    }
}
