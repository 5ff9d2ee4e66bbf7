//! What happens at random.

use std::time::Duration;

use bits_api::{EnumJobsFlags, FileInfo, Guid, Hresult, JobPriority, JobState, JobType, Setting, Success, Value};
use bits_engine::{CallbackId, CallbackInterface, Event, JobKey, Notification, NotifyOutcome};
use bits_world::Network;

use crate::house::{House, Manner, Registration};
use crate::origin::Mood;
use crate::restart::End;
use crate::view::SETTINGS;

impl House {
    /// Takes one step.
    pub(crate) fn step(&mut self) {
        let weights = self.plan.weights;
        let kinds = [
            weights.call,
            weights.drive,
            weights.attempt,
            weights.callback,
            weights.time,
            weights.world,
            weights.origin,
            weights.restart,
        ];
        match self.chance.weighted(&kinds) {
            0 => self.some_call(),
            1 => self.some_driving(),
            2 => self.some_attempt(),
            3 => self.some_return(),
            4 => self.some_time(),
            5 => self.some_change(),
            6 => self.some_server(),
            _ => self.some_restart(),
        }
        self.see_everything();
        if self.outbox.is_empty() && self.chance.one_in(8) {
            self.rehearse();
        }
    }

    fn some_driving(&mut self) {
        let all = self.outbox.len();
        if all == 0 {
            return;
        }
        let count = if self.plan.small_batches || self.chance.one_in(2) { 1 + self.chance.below(all) } else { all };
        self.drive(count);
    }

    fn some_attempt(&mut self) {
        if !self.mover.attempts.is_empty() {
            let place = self.chance.below(self.mover.attempts.len());
            let attempt = *self.mover.attempts.keys().nth(place).expect("an attempt");
            self.step_attempt(attempt);
        }
    }

    // Clients

    fn some_call(&mut self) {
        let user = self.chance.below(self.users.len());
        let Some(job) = self.some_job() else { return self.create(user) };
        let owner = self.jobs[&job].owner;
        match self.chance.weighted(&[6, 8, 10, 3, 3, 2, 10, 6, 3, 2]) {
            0 => self.create(user),
            1 => self.add_files(owner, job),
            2 => self.resume(owner, job),
            3 => self.suspend(owner, job),
            4 => _ = self.complete(owner, job),
            5 => _ = self.cancel(owner, job),
            6 => self.set_something(owner, job),
            7 => self.register(owner, job),
            8 => self.look(user, job),
            _ => self.let_go(),
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
        let owned = self.jobs.values().filter(|job| job.owner == user).count();
        let policies = &self.world.policies;
        let may = caller.is_exempt_from_limits()
            || (owned < policies.max_jobs_per_user as usize
                && self.jobs.len() < policies.max_jobs_per_machine as usize);
        self.trace.note(self.now.monotonic, format_args!("user {user} creates {id}"));
        self.creating = user;
        let made = self.act(|engine, cx| engine.create_job(cx, &caller, id, Some("some job"), JobType::DOWNLOAD));
        assert_eq!(made.is_ok(), may, "the limits: {made:?}");
        if let Ok(key) = made {
            self.engine.retain(key);
        }
    }

    fn add_files(&mut self, user: usize, job: JobKey) {
        let caller = self.users[user].clone();
        let count = 1 + self.chance.below(2);
        let files: Vec<(String, String)> = (0..count)
            .map(|_| {
                let url = self.origin.serve(&mut self.chance);
                (url, format!(r"C:\user{user}\file{}.bin", self.number()))
            })
            .collect();
        let files: Vec<FileInfo<'_>> =
            files.iter().map(|(url, path)| FileInfo { remote_name: url, local_name: path }).collect();
        let has = self.jobs[&job].files.len();
        let expected = if !self.world.is_logged_on(&caller.user) {
            Err(Hresult::ERROR_NOT_LOGGED_ON)
        } else if !caller.is_exempt_from_limits() && has + count > self.world.policies.max_files_per_job as usize {
            Err(Hresult::BG_E_TOO_MANY_FILES_IN_JOB)
        } else {
            Ok(Success::OK)
        };
        self.trace.note(self.now.monotonic, format_args!("user {user} adds {count} files to {job:?}"));
        let reply = self.act(|engine, cx| engine.add_files(cx, &caller, job, &files));
        if let Some(result) = self.answered(reply, job) {
            assert_eq!(result, expected);
            if result.is_ok() {
                let turn = self.given;
                self.touched(job).files.extend((0..count).map(|_| turn));
            }
        }
    }

    pub(crate) fn resume(&mut self, user: usize, job: JobKey) {
        let caller = self.users[user].clone();
        let expected = if self.jobs[&job].files.is_empty() { Err(Hresult::BG_E_EMPTY) } else { Ok(Success::OK) };
        self.trace.note(self.now.monotonic, format_args!("user {user} resumes {job:?}"));
        let reply = self.act(|engine, cx| engine.resume(cx, &caller, job));
        if let Some(result) = self.answered(reply, job) {
            assert_eq!(result, expected);
            if result.is_ok() {
                self.touched(job);
            }
        }
    }

    fn suspend(&mut self, user: usize, job: JobKey) {
        let caller = self.users[user].clone();
        self.trace.note(self.now.monotonic, format_args!("user {user} suspends {job:?}"));
        let reply = self.act(|engine, cx| engine.suspend(cx, &caller, job));
        if let Some(result) = self.answered(reply, job) {
            assert_eq!(result, Ok(Success::OK));
            assert_eq!(self.touched(job).state, JobState::SUSPENDED);
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
        self.trace.note(self.now.monotonic, format_args!("user {user} ends {job:?}, completing: {completes}"));
        let before = self.jobs[&job].clone();
        self.touched(job).is_ending = true;
        let reply =
            self.act(
                |engine, cx| {
                    if completes { engine.complete(cx, &caller, job) } else { engine.cancel(cx, &caller, job) }
                },
            );
        if reply == bits_engine::Reply::Busy {
            self.jobs.insert(job, before);
        } else if let Some(job) = self.jobs.get_mut(&job).filter(|job| job.is_ending) {
            job.stop_counting(self.now);
        }
        let result = self.answered(reply, job);
        if let Some(result) = result
            && let Some(job) = self.jobs.get_mut(&job)
        {
            assert!(result.is_err(), "it has ended");
            job.is_ending = false;
        }
        if self.ended.contains_key(&job) && self.chance.one_in(2) {
            let state = if completes { JobState::ACKNOWLEDGED } else { JobState::CANCELLED };
            self.held.push((job, user, state));
        }
        result
    }

    fn set_something(&mut self, user: usize, job: JobKey) {
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
            Setting::NotifyFlags => Value::Number(u32::try_from(self.chance.below(0x20)).unwrap_or(0)),
            Setting::MinimumRetryDelay => Value::Number(self.chance.pick(&[5, 60, 600, 3_600])),
            Setting::NoProgressTimeout => Value::Number(self.chance.pick(&[0, 60, 600, 3_600, 86_400])),
            _ => Value::Text(Some(format!("text {}", self.number()))),
        }
    }

    pub(crate) fn set(&mut self, user: usize, job: JobKey, place: usize, value: &Value) {
        let caller = self.users[user].clone();
        let setting = SETTINGS[place];
        self.trace.note(self.now.monotonic, format_args!("user {user} sets {setting:?} of {job:?} to {value:?}"));
        // What the engine does at once it does by the new value, and this is seen by it.
        let watched = self.jobs.get_mut(&job).expect("a job");
        let mut values = watched.values.last().expect("settings").1.clone();
        values[place].clone_from(value);
        watched.values.push((u64::MAX, values));
        let reply = self.act(|engine, cx| engine.set(cx, &caller, job, setting, value));
        let result = self.answered(reply, job);
        let turn = self.given;
        let watched = self.jobs.get_mut(&job).expect("a job");
        match result {
            Some(result) => {
                assert_eq!(result, Ok(Success::OK));
                watched.values.last_mut().expect("settings").0 = turn;
                self.touched(job);
            }
            None => _ = watched.values.pop(),
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
        self.trace.note(self.now.monotonic, format_args!("user {user} registers {callback:?} for {job:?}: {manner:?}"));
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
            assert_eq!(reply, bits_engine::Reply::Now(Err(Hresult::E_ACCESSDENIED)));
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
        assert_eq!(self.engine.state(&self.users[user], job), Err(Hresult::BG_E_NOT_FOUND));
    }

    fn touched(&mut self, job: JobKey) -> &mut crate::watch::Job {
        let now = self.now;
        let job = self.jobs.get_mut(&job).expect("a job of the queue");
        job.touch(now);
        job
    }

    // Callbacks

    fn some_return(&mut self) {
        if !self.calling.is_empty() {
            let place = self.chance.below(self.calling.len());
            self.call_back(place, true);
        }
    }

    /// A client's object has been called, and answers; or not.
    pub(crate) fn call_back(&mut self, place: usize, is_wild: bool) {
        let ticket = self.calling[place];
        let notified = self.notified[&ticket].clone();
        let registration = self.registrations.get_mut(&notified.callback);
        let outcome = match registration.map(|registration| &mut registration.manner) {
            Some(Manner::Hangs) => return,
            Some(Manner::Dead) => NotifyOutcome::Disconnected,
            Some(Manner::Fails(0) | Manner::Works) | None => NotifyOutcome::Returned(Hresult::S_OK),
            Some(Manner::Fails(times)) => {
                *times -= 1;
                NotifyOutcome::Returned(Hresult::E_FAIL)
            }
        };
        if is_wild && self.chance.one_in(3) {
            self.answer(&notified.what, notified.job);
        }
        self.trace
            .note(self.now.monotonic, format_args!("{:?} gives {outcome:?} to {:?}", notified.callback, notified.what));
        self.calling.retain(|other| *other != ticket);
        self.notified.remove(&ticket);
        if let Some(job) = self.jobs.get_mut(&notified.job).filter(|job| job.callback == Some(notified.callback)) {
            match outcome {
                NotifyOutcome::Disconnected => job.callback = None,
                NotifyOutcome::Returned(code) => {
                    job.was_told |= notified.what == Notification::JobTransferred && code == Hresult::S_OK;
                }
            }
        }
        self.tell(Event::Notified(ticket, outcome));
    }

    /// What clients do inside a callback.
    fn answer(&mut self, what: &Notification, key: JobKey) {
        let Some(job) = self.jobs.get(&key) else { return };
        let owner = job.owner;
        match what {
            Notification::JobTransferred => _ = self.complete(owner, key),
            Notification::JobError(_) => self.resume(owner, key),
            _ => self.set_something(owner, key),
        }
    }

    // Time and world

    fn some_time(&mut self) {
        let next = self.engine.next_deadline();
        let to = match (next, self.chance.below(4)) {
            (Some(next), 0 | 1) if next.since(self.now.monotonic) < Duration::from_hours(200) => next,
            (_, 2) => self.now.monotonic.plus(Duration::from_millis(self.chance.between(1, 5_000))),
            _ => self.now.monotonic.plus(Duration::from_secs(self.chance.between(1, 1_000))),
        };
        self.advance_to(to);
    }

    fn some_change(&mut self) {
        let user = self.chance.below(2);
        let sid = self.users[user].user.clone();
        let is_on = self.world.is_logged_on(&sid);
        match self.chance.below(6) {
            0 | 1 => {
                self.trace.note(self.now.monotonic, format_args!("user {user} logs on or off; was on: {is_on}"));
                self.change_world(|world| if is_on { world.log_off(&sid) } else { world.log_on(sid) });
            }
            2 | 3 => {
                let network = match self.world.network {
                    Network::Connected => Network::Disconnected,
                    _ => Network::Connected,
                };
                self.trace.note(self.now.monotonic, format_args!("the network is {network:?}"));
                self.change_world(|world| world.network = network);
            }
            4 => self.some_lock(user),
            _ => self.some_jump(),
        }
    }

    fn some_lock(&mut self, user: usize) {
        let folder = self.path_of(&format!(r"C:\user{user}"), None);
        if !self.files.locked.remove(&folder) {
            self.files.locked.insert(folder);
        }
    }

    /// Somebody sets the wall clock.
    fn some_jump(&mut self) {
        let by = Duration::from_secs(self.chance.between(1, 40_000));
        let wall = self.now.wall;
        self.now.wall = if self.chance.one_in(2) {
            wall.plus(by)
        } else {
            bits_api::FileTime(
                wall.0 - wall.since(bits_api::FileTime(wall.0 / 2)).as_secs().min(by.as_secs()) * 10_000_000,
            )
        };
        self.trace.note(self.now.monotonic, format_args!("the wall clock is set to {:?}", self.now.wall));
        self.tell(Event::WorldChanged);
    }

    fn some_server(&mut self) {
        if self.chance.one_in(3) {
            let url = self.origin.change_some(&mut self.chance);
            self.trace.note(self.now.monotonic, format_args!("{url:?} is another file now"));
            return;
        }
        let server = self.chance.below(self.origin.moods.len());
        let moods = [Mood::Good, Mood::Good, Mood::Flaky, Mood::Flaky, Mood::Busy, Mood::Gone, Mood::Silent];
        self.origin.moods[server] = self.chance.pick(&moods);
        self.trace.note(self.now.monotonic, format_args!("server {server} is {:?}", self.origin.moods[server]));
    }

    fn some_restart(&mut self) {
        match self.chance.below(4) {
            0 => self.restart(End::Stopped),
            1 => self.restart(End::Killed),
            2 => self.restart(End::PowerLost),
            // It dies at one of the next writes, if there are any.
            _ => self.medium.die_after(self.chance.between(0, 40)),
        }
    }
}
