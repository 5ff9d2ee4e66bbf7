//! An engine with everything around it in memory: clock, disk, store, attempts, clients.
//!
//! Time moves when a test says so. Renames and deletions happen at once unless a test holds them;
//! an attempt that is told to stop ends at once unless a test holds that; what attempts report
//! otherwise, and what callbacks return, is the test's affair.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bits_api::{
    EnumJobsFlags, ErrorContext, FileInfo, FileRange, FileTime, Guid, Hresult, JobPriority, JobState, JobType,
    NotifyFlags, Setting, Success, TokenFlags, Value,
};
use bits_wire::attempt::{
    AttemptEnd, AttemptId, AttemptPlan, AttemptReport, ChainId, ERROR_FILE_INVALID, Failure, Probe, Validators, Work,
};
use bits_world::clock::{Monotonic, Now};
use bits_world::{Decisions, InternetBandwidth, Network, Profile, Sid, Token, World};

use crate::{
    Action, CallId, CallbackId, CallbackInterface, Change, CommandLine, Config, Cx, Engine, ErrorRecord, Event,
    FileIndex, FileRecord, JobKey, JobRecord, Notification, NotifyOutcome, Reply, Saved, Ticket, Transition,
};

/// The time slice of a house.
pub(crate) const SLICE: Duration = Duration::from_mins(5);

/// The files of the machine: their lengths, and what refuses to be touched.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) files: RefCell<BTreeMap<PathBuf, u64>>,
    pub(crate) missing_folders: BTreeSet<PathBuf>,
    pub(crate) locked: BTreeSet<PathBuf>,
    /// Why no file can be looked at.
    pub(crate) unreadable: Option<Hresult>,
}

impl Probe for Disk {
    fn destination(&self, path: &Path) -> Result<(), Hresult> {
        match path.parent() {
            Some(folder) if self.missing_folders.contains(folder) => Err(Hresult::ERROR_DIRECTORY),
            _ => Ok(()),
        }
    }

    fn source(&self, path: &Path) -> Result<(), Hresult> {
        self.files.borrow().get(path).map(|_| ()).ok_or(Hresult::ERROR_FILE_NOT_FOUND)
    }

    fn length(&self, path: &Path) -> Result<Option<u64>, Hresult> {
        self.unreadable.map_or_else(|| Ok(self.files.borrow().get(path).copied()), Err)
    }
}

impl Disk {
    fn publish(&self, temporary: &Path, destination: &Path, length: u64) -> Result<(), Hresult> {
        if self.locked.contains(destination) {
            return Err(Hresult::ERROR_SHARING_VIOLATION);
        }
        let mut files = self.files.borrow_mut();
        if *files.get(temporary).ok_or(Hresult::ERROR_FILE_NOT_FOUND)? != length {
            return Err(ERROR_FILE_INVALID);
        }
        files.remove(temporary);
        files.insert(destination.to_owned(), length);
        Ok(())
    }

    fn delete(&self, path: &Path) -> Result<(), Hresult> {
        if self.locked.contains(path) {
            return Err(Hresult::ERROR_SHARING_VIOLATION);
        }
        self.files.borrow_mut().remove(path);
        Ok(())
    }
}

/// A call to a client's callback that has not returned.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) ticket: Ticket,
    pub(crate) callback: CallbackId,
    pub(crate) job: JobKey,
    pub(crate) what: Notification,
}

pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) config: Config,
    pub(crate) world: World,
    pub(crate) now: Now,
    pub(crate) disk: Disk,
    /// What is on record.
    pub(crate) store: BTreeMap<JobKey, (JobRecord, BTreeMap<u32, FileRecord>)>,
    /// Attempts that run.
    pub(crate) running: BTreeMap<AttemptId, AttemptPlan>,
    /// Attempts that were told to stop and have not, while `holds_stops`.
    pub(crate) stopping: Vec<AttemptId>,
    pub(crate) holds_stops: bool,
    /// Renames and deletions that have not happened, while `holds_files`.
    pub(crate) files_held: Vec<Action>,
    pub(crate) holds_files: bool,
    pub(crate) told: Vec<Told>,
    pub(crate) forgotten: Vec<CallbackId>,
    /// Objects of classes that are to be made.
    pub(crate) activations: Vec<(Ticket, Guid)>,
    /// Programs that run.
    pub(crate) commands: Vec<(Ticket, CommandLine)>,
    pub(crate) proceeded: Vec<AttemptId>,
    pub(crate) released: Vec<ChainId>,
    pub(crate) transitions: Vec<Transition>,
    pub(crate) replies: BTreeMap<CallId, Result<Success, Hresult>>,
    pub(crate) woken: Vec<JobKey>,
    /// Every action, as text.
    pub(crate) actions: Vec<String>,
    owners: BTreeMap<JobKey, Token>,
    jobs_made: u128,
}

/// The first ordinary user.
pub(crate) fn alice() -> Token {
    Token::standard(Sid::of_account(1))
}

/// The second.
pub(crate) fn bob() -> Token {
    Token::standard(Sid::of_account(2))
}

pub(crate) fn administrator() -> Token {
    Token::administrator(Sid::of_account(500))
}

pub(crate) const SERVER_BUSY: Failure =
    Failure { code: Hresult::BG_E_HTTP_ERROR_503, context: ErrorContext::REMOTE_FILE, transient: true };

pub(crate) const NOT_FOUND: Failure =
    Failure { code: Hresult::BG_E_HTTP_ERROR_404, context: ErrorContext::REMOTE_FILE, transient: false };

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Ranges by first byte and length.
pub(crate) fn ranges_of(ranges: &[(u64, u64)]) -> Vec<FileRange> {
    ranges
        .iter()
        .map(|(initial_offset, length)| FileRange { initial_offset: *initial_offset, length: *length })
        .collect()
}

/// A config for `profile` with the slices of a house.
pub(crate) fn config(profile: Profile) -> Config {
    let mut decisions = Decisions::default();
    decisions.set("sched.slice_length", &SLICE.as_secs().to_string()).unwrap();
    Config { profile, decisions, seed: 0, scramble: None, uploads: true }
}

impl House {
    /// A house where alice, bob and the administrator are logged on.
    pub(crate) fn new() -> Self {
        Self::with(config(Profile::default()))
    }

    pub(crate) fn with(config: Config) -> Self {
        let mut world = World::default();
        world.drives.mount('c', "/c");
        for token in [alice(), bob(), administrator()] {
            world.log_on(token.user);
        }
        Self {
            engine: Engine::new(config.clone()),
            config,
            world,
            now: Now { monotonic: Monotonic(seconds(1)), wall: FileTime::from_unix_seconds(1_700_000_000) },
            disk: Disk::default(),
            store: BTreeMap::new(),
            running: BTreeMap::new(),
            stopping: Vec::new(),
            holds_stops: false,
            files_held: Vec::new(),
            holds_files: false,
            told: Vec::new(),
            forgotten: Vec::new(),
            activations: Vec::new(),
            commands: Vec::new(),
            proceeded: Vec::new(),
            released: Vec::new(),
            transitions: Vec::new(),
            replies: BTreeMap::new(),
            woken: Vec::new(),
            actions: Vec::new(),
            owners: BTreeMap::new(),
            jobs_made: 0,
        }
    }

    /// Lets `act` use the engine, then carries out what the engine wants done.
    pub(crate) fn act<T>(&mut self, act: impl FnOnce(&mut Engine, Cx<'_>) -> T) -> T {
        let cx = Cx { now: self.now, world: &self.world, probe: &self.disk };
        let result = act(&mut self.engine, cx);
        while let Some(action) = self.engine.poll() {
            self.carry_out(action);
        }
        result
    }

    /// Tells the engine of an event.
    pub(crate) fn tell(&mut self, event: Event) {
        self.act(|engine, cx| engine.handle(cx, event));
    }

    fn carry_out(&mut self, action: Action) {
        self.actions.push(format!("{action:?}"));
        match action {
            Action::Persist(change) => self.persist(change),
            Action::Start(plan) => {
                let writes = |plan: &AttemptPlan| matches!(plan.work, Work::Download | Work::Reply { .. });
                let same_file = self.running.values().any(|other| writes(other) && other.local == plan.local);
                assert!(!(writes(&plan) && same_file), "two attempts write {:?}", plan.local);
                _ = self.running.insert(plan.attempt, *plan);
            }
            Action::Limit(attempt, limit) => {
                if let Some(plan) = self.running.get_mut(&attempt) {
                    plan.limit = limit;
                }
            }
            Action::Proceed(attempt) => self.proceeded.push(attempt),
            Action::Stop(attempt) => {
                self.stopping.push(attempt);
                if !self.holds_stops {
                    self.let_stop(&AttemptEnd::Stopped);
                }
            }
            Action::Release(chain) => self.released.push(chain),
            Action::Publish { .. } | Action::Delete { .. } => {
                self.files_held.push(action);
                if !self.holds_files {
                    self.let_files_go();
                }
            }
            Action::Notify { ticket, callback, job, notification } => {
                self.told.push(Told { ticket, callback, job, what: notification });
            }
            Action::Activate { ticket, class, .. } => self.activations.push((ticket, class)),
            Action::RunCommand { ticket, command, .. } => self.commands.push((ticket, command)),
            Action::Forget(callback) => self.forgotten.push(callback),
            Action::Reply { call, result } => _ = self.replies.insert(call, result),
            Action::Wake(job) => self.woken.push(job),
            Action::Trace(transition, _) => self.transitions.push(transition),
        }
    }

    fn persist(&mut self, change: Change) {
        match change {
            Change::Job(record) => match self.store.get_mut(&record.key) {
                Some((job, _)) => *job = *record,
                None => _ = self.store.insert(record.key, (*record, BTreeMap::new())),
            },
            Change::File(record) => {
                let (_, files) = self.store.get_mut(&record.job).expect("a file of a job on record");
                files.insert(record.index.0, *record);
            }
            Change::Remove(job) => _ = self.store.remove(&job),
            Change::Cached(_) | Change::Uncached(_) | Change::CachePreferences(_) => {}
        }
    }

    /// Lets attempts that were told to stop end like this.
    pub(crate) fn let_stop(&mut self, end: &AttemptEnd) {
        for attempt in std::mem::take(&mut self.stopping) {
            self.running.remove(&attempt);
            self.tell(Event::Attempt(attempt, AttemptReport::Ended(end.clone())));
        }
    }

    /// Carries out the renames and deletions that were held.
    pub(crate) fn let_files_go(&mut self) {
        for action in std::mem::take(&mut self.files_held) {
            match action {
                Action::Publish { ticket, temporary, destination, length, .. } => {
                    let outcome = self.disk.publish(&temporary, &destination, length);
                    self.tell(Event::Published(ticket, outcome));
                }
                Action::Delete { ticket, path } => {
                    let outcome = self.disk.delete(&path);
                    self.tell(Event::Deleted(ticket, outcome));
                }
                _ => {}
            }
        }
    }

    /// Carries out the renames that were held; the service ends before it hears of them.
    pub(crate) fn let_files_go_unheard(&mut self) {
        for action in std::mem::take(&mut self.files_held) {
            if let Action::Publish { temporary, destination, length, .. } = action {
                assert_eq!(self.disk.publish(&temporary, &destination, length), Ok(()));
            }
        }
    }

    // Clients

    /// A new job without files.
    pub(crate) fn empty_job(&mut self, owner: &Token) -> JobKey {
        self.create(owner).expect("a job")
    }

    pub(crate) fn create(&mut self, owner: &Token) -> Result<JobKey, Hresult> {
        self.create_typed(owner, JobType::DOWNLOAD)
    }

    pub(crate) fn create_typed(&mut self, owner: &Token, job_type: JobType) -> Result<JobKey, Hresult> {
        self.jobs_made += 1;
        let id = Guid::from_u128(self.jobs_made);
        let name = format!("job {}", self.jobs_made);
        let job = self.act(|engine, cx| engine.create_job(cx, owner, id, Some(&name), job_type))?;
        self.engine.retain(job);
        self.owners.insert(job, owner.clone());
        Ok(job)
    }

    /// A job of alice with this many files.
    pub(crate) fn job(&mut self, files: u32) -> JobKey {
        self.job_of(&alice(), files)
    }

    pub(crate) fn job_of(&mut self, owner: &Token, files: u32) -> JobKey {
        let job = self.empty_job(owner);
        for _ in 0..files {
            assert_eq!(self.add_file(job), Ok(Success::OK));
        }
        job
    }

    /// A resumed job of alice with one file and this priority.
    pub(crate) fn resumed_job(&mut self, priority: JobPriority) -> JobKey {
        let job = self.job(1);
        assert_eq!(self.set(job, Setting::Priority, priority.0), Ok(Success::OK));
        assert_eq!(self.resume(job), Ok(Success::OK));
        job
    }

    pub(crate) fn add_file(&mut self, job: JobKey) -> Result<Success, Hresult> {
        let place = self.engine.file_count(&administrator(), job).unwrap_or(0);
        let remote_name = format!("https://example.org/{}/{place}", job.0);
        let local_name = format!(r"C:\job{}_{place}.bin", job.0);
        self.add(job, &[FileInfo { remote_name: &remote_name, local_name: &local_name }])
    }

    pub(crate) fn add(&mut self, job: JobKey, files: &[FileInfo<'_>]) -> Result<Success, Hresult> {
        let owner = self.owners[&job].clone();
        self.now_result(|engine, cx| engine.add_files(cx, &owner, job, files))
    }

    pub(crate) fn resume(&mut self, job: JobKey) -> Result<Success, Hresult> {
        let owner = self.owners[&job].clone();
        self.now_result(|engine, cx| engine.resume(cx, &owner, job))
    }

    pub(crate) fn suspend(&mut self, job: JobKey) -> Result<Success, Hresult> {
        let owner = self.owners[&job].clone();
        self.now_result(|engine, cx| engine.suspend(cx, &owner, job))
    }

    pub(crate) fn cancel(&mut self, job: JobKey) -> Result<Success, Hresult> {
        let owner = self.owners[&job].clone();
        self.now_result(|engine, cx| engine.cancel(cx, &owner, job))
    }

    pub(crate) fn complete(&mut self, job: JobKey) -> Result<Success, Hresult> {
        let owner = self.owners[&job].clone();
        self.now_result(|engine, cx| engine.complete(cx, &owner, job))
    }

    pub(crate) fn set(&mut self, job: JobKey, setting: Setting, value: u32) -> Result<Success, Hresult> {
        let owner = self.owners[&job].clone();
        self.now_result(|engine, cx| engine.set(cx, &owner, job, setting, &Value::Number(value)))
    }

    pub(crate) fn switch_on(&mut self, job: JobKey, setting: Setting) -> Result<Success, Hresult> {
        let owner = self.owners[&job].clone();
        self.now_result(|engine, cx| engine.set(cx, &owner, job, setting, &Value::Enable(true)))
    }

    /// Says whether the content of a file is valid.
    pub(crate) fn judge(&mut self, job: JobKey, file: u32, valid: bool) -> Result<Success, Hresult> {
        let owner = self.owners[&job].clone();
        self.now_result(|engine, cx| engine.set_validation_state(cx, &owner, job, FileIndex(file), valid))
    }

    /// Asks for ranges of a file, each as its first byte and its length.
    pub(crate) fn request(&mut self, job: JobKey, file: u32, ranges: &[(u64, u64)]) -> Result<Success, Hresult> {
        let owner = self.owners[&job].clone();
        let ranges = ranges_of(ranges);
        self.now_result(|engine, cx| engine.request_file_ranges(cx, &owner, job, FileIndex(file), &ranges))
    }

    /// The stretches of a file that are there, each as its first byte and its length.
    pub(crate) fn filled(&self, job: JobKey, file: u32) -> Vec<(u64, u64)> {
        let filled = self.engine.filled_file_ranges(&administrator(), job, FileIndex(file)).expect("filled ranges");
        filled.iter().map(|range| (range.initial_offset, range.length)).collect()
    }

    pub(crate) fn set_callback(&mut self, job: JobKey, callback: Option<u64>) -> Result<Success, Hresult> {
        let callback = callback.map(|id| (CallbackId(id), CallbackInterface::Callback3));
        let owner = self.owners[&job].clone();
        self.now_result(|engine, cx| engine.set_callback(cx, &owner, job, callback))
    }

    /// Registers callback 1 for these events.
    pub(crate) fn listen(&mut self, job: JobKey, flags: NotifyFlags) {
        assert_eq!(self.set(job, Setting::NotifyFlags, flags.bits()), Ok(Success::OK));
        assert_eq!(self.set_callback(job, Some(1)), Ok(Success::OK));
    }

    /// The result of a call, of one that comes later too.
    pub(crate) fn now_result(&mut self, call: impl FnOnce(&mut Engine, Cx<'_>) -> Reply) -> Result<Success, Hresult> {
        match self.act(call) {
            Reply::Now(result) => result,
            Reply::Later(call) => self.replies.remove(&call).expect("the result has come"),
            Reply::Busy => panic!("the job is being ended"),
        }
    }

    pub(crate) fn state(&self, job: JobKey) -> JobState {
        self.engine.state(&administrator(), job).expect("the state of a job")
    }

    pub(crate) fn states(&self, jobs: &[JobKey]) -> Vec<JobState> {
        jobs.iter().map(|job| self.state(*job)).collect()
    }

    pub(crate) fn error(&self, job: JobKey) -> Result<ErrorRecord, Hresult> {
        self.engine.error(&administrator(), job)
    }

    pub(crate) fn in_queue(&mut self) -> Vec<JobKey> {
        self.act(|engine, cx| engine.enum_jobs(cx, &administrator(), EnumJobsFlags::ALL_USERS)).expect("the jobs")
    }

    // Attempts

    /// The plan of the attempt that runs for a job.
    pub(crate) fn plan(&self, job: JobKey) -> AttemptPlan {
        let attempt = self.engine.jobs[job].attempt().expect("an attempt of the job");
        self.running[&attempt].clone()
    }

    pub(crate) fn report(&mut self, job: JobKey, report: AttemptReport) {
        let attempt = self.plan(job).attempt;
        if matches!(report, AttemptReport::Ended(_)) {
            self.running.remove(&attempt);
        }
        self.tell(Event::Attempt(attempt, report));
    }

    /// The server answers with a file of this size.
    pub(crate) fn connected(&mut self, job: JobKey, size: u64) {
        let plan = self.plan(job);
        let validators = Validators { size, last_modified: Some(FileTime::from_unix_seconds(1_600_000_000)) };
        let have =
            if plan.known == Some(validators) { self.disk.length(&plan.local).ok().flatten().unwrap_or(0) } else { 0 };
        self.disk.files.get_mut().insert(plan.local, have);
        self.report(job, AttemptReport::Connected { validators, have });
    }

    /// The file in work has grown to this length.
    pub(crate) fn progress(&mut self, job: JobKey, have: u64) {
        let temporary = self.plan(job).local;
        self.disk.files.get_mut().insert(temporary, have);
        self.report(job, AttemptReport::Progress { have });
    }

    /// The file in work arrives as a whole.
    pub(crate) fn transfer_file(&mut self, job: JobKey) {
        if self.state(job) == JobState::CONNECTING || self.plan(job).known.is_none() {
            self.connected(job, 100);
        }
        self.progress(job, 100);
        self.report(job, AttemptReport::Ended(AttemptEnd::Done));
    }

    pub(crate) fn fail(&mut self, job: JobKey, failure: Failure) {
        self.report(job, AttemptReport::Ended(AttemptEnd::Failed(failure)));
    }

    // Callbacks

    /// Takes the one notification that has not returned.
    pub(crate) fn take_told(&mut self) -> Told {
        assert_eq!(self.told.len(), 1, "one notification: {:?}", self.told);
        self.told.remove(0)
    }

    pub(crate) fn returns(&mut self, told: &Told, code: Hresult) {
        self.tell(Event::Notified(told.ticket, NotifyOutcome::Returned(code)));
    }

    // World and time

    pub(crate) fn change_world(&mut self, change: impl FnOnce(&mut World)) {
        change(&mut self.world);
        self.tell(Event::WorldChanged);
    }

    pub(crate) fn lose_network(&mut self) {
        self.change_world(|world| world.network = Network::Disconnected);
    }

    pub(crate) fn restore_network(&mut self) {
        self.change_world(|world| world.network = Network::Connected);
    }

    pub(crate) fn block_background(&mut self, blocked: bool) {
        self.change_world(|world| {
            world.policies.max_internet_bandwidth = blocked.then(|| InternetBandwidth::all_day(0));
        });
    }

    /// The administrator takes the job over.
    pub(crate) fn take_over(&mut self, job: JobKey) -> Result<Success, Hresult> {
        self.owners.insert(job, administrator());
        self.now_result(|engine, cx| engine.take_ownership(cx, &administrator(), job))
    }

    /// The owner lets the job use `helper`'s token.
    pub(crate) fn lend(&mut self, job: JobKey, helper: &Token, flags: TokenFlags) {
        let owner = self.owners[&job].clone();
        assert_eq!(self.now_result(|engine, cx| engine.set_helper_token(cx, &owner, job, helper)), Ok(Success::OK));
        assert_eq!(
            self.now_result(|engine, cx| engine.set_helper_token_flags(cx, &owner, job, flags)),
            Ok(Success::OK)
        );
    }

    pub(crate) fn log_off(&mut self, token: &Token) {
        self.change_world(|world| world.log_off(&token.user));
    }

    pub(crate) fn log_on(&mut self, token: &Token) {
        self.change_world(|world| world.log_on(token.user.clone()));
    }

    /// Lets time pass, from deadline to deadline.
    pub(crate) fn advance(&mut self, by: Duration) {
        let end = self.now.monotonic.plus(by);
        while let Some(deadline) = self.engine.next_deadline().filter(|deadline| *deadline <= end) {
            self.step_to(deadline.max(self.now.monotonic));
            self.tell(Event::Deadline);
        }
        self.step_to(end);
    }

    /// The machine sleeps: time passes, and nobody looks at a deadline before its end.
    pub(crate) fn sleep(&mut self, by: Duration) {
        self.step_to(self.now.monotonic.plus(by));
        self.tell(Event::Deadline);
    }

    fn step_to(&mut self, to: Monotonic) {
        self.now.wall = self.now.wall.plus(to.since(self.now.monotonic));
        self.now.monotonic = to;
    }

    /// Ends the service and starts it again after `pause`; the monotonic clock starts anew.
    pub(crate) fn restart(&mut self, pause: Duration) {
        self.running.clear();
        self.stopping.clear();
        self.files_held.clear();
        self.told.clear();
        self.activations.clear();
        self.commands.clear();
        self.now.wall = self.now.wall.plus(pause);
        self.now.monotonic = Monotonic::default();
        let saved: Vec<Saved> = self
            .store
            .values()
            .map(|(job, files)| Saved {
                job: job.clone(),
                files: files.values().cloned().collect(),
                lost_secrets: false,
            })
            .collect();
        let config = self.config.clone();
        let fresh = self.act(|_, cx| Engine::restore(config, saved, cx));
        self.engine = fresh;
        self.act(|_, _| ());
    }
}
