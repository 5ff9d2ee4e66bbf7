//! One machine: the engine, its outbox, the store on a faulty disk, and everything around them.
//!
//! Two things happen to an action. When the engine hands it out it is *seen*: the order of actions
//! is what the engine promises, and is judged there. Later it is *carried out*, as the driver of
//! the service does it: whatever has to be durable first, then the rest.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use bits_api::{Hresult, JobState, Success};
use bits_engine::{
    Action, CallId, CallbackId, Change, Config, Cx, Engine, Event, JobKey, JobRecord, Notification, Reply, Ticket,
};
use bits_store::Store;
use bits_wire::attempt::{AttemptEnd, AttemptId, AttemptReport, Validators};
use bits_world::clock::{Monotonic, Now};
use bits_world::{Decisions, Profile, Sid, Token, World};

use crate::chance::Chance;
use crate::files::Files;
use crate::medium::Disk;
use crate::mover::{Mover, Reach};
use crate::origin::{Origin, server_of};
use crate::plan::Plan;
use crate::restart::End;
use crate::shadow::Shadow;
use crate::trace::{Brief, Trace};
use crate::uploads::Sessions;
use crate::watch::{Job, Turn};

/// How many deadlines may be due at one moment before the engine is taken to spin.
const MOST_AT_ONCE: u32 = 1_000;

/// Which of the users is the administrator.
pub(crate) const ADMINISTRATOR: usize = 2;

/// Which of them is a service account.
pub(crate) const SERVICE: usize = 3;

pub(crate) struct House {
    pub(crate) plan: Plan,
    pub(crate) chance: Chance,
    pub(crate) trace: Trace,
    pub(crate) now: Now,
    pub(crate) world: World,
    /// Who calls.
    pub(crate) users: Vec<Token>,
    pub(crate) origin: Origin,
    pub(crate) files: Files,
    pub(crate) mover: Mover,
    pub(crate) sessions: Sessions,

    pub(crate) engine: Engine,
    pub(crate) store: Store,
    pub(crate) disk: Disk,
    pub(crate) outbox: VecDeque<Action>,
    /// How many actions the engine has handed out, and how many of them were carried out.
    pub(crate) given: Turn,
    pub(crate) done: Turn,

    /// The record as of the last action that was handed out, and of the last that was carried out.
    pub(crate) ordered: Shadow,
    pub(crate) durable: Shadow,
    /// The jobs of the queue.
    pub(crate) jobs: BTreeMap<JobKey, Job>,
    /// Jobs that have left it since the service started, and when.
    pub(crate) ended: BTreeMap<JobKey, (Turn, Job)>,
    /// Cancelled uploads whose servers are still to be told, and their owners.
    pub(crate) giving_up: BTreeMap<JobKey, usize>,
    /// Whose job is being created.
    pub(crate) creating: usize,
    /// Attempts that have not ended.
    pub(crate) attempts: BTreeMap<AttemptId, Live>,
    pub(crate) registrations: BTreeMap<CallbackId, Registration>,
    /// Notifications that have not returned, by whom they go to.
    pub(crate) notified: BTreeMap<Ticket, Notified>,
    /// Those of them that the client has got.
    pub(crate) calling: Vec<Ticket>,
    /// Programs that run.
    pub(crate) programs: Vec<(Ticket, JobKey)>,
    /// Complete and Cancel whose result is to come.
    pub(crate) awaited: BTreeMap<CallId, JobKey>,
    /// Jobs with calls that were put off.
    pub(crate) put_off: Vec<JobKey>,
    /// Handles of jobs that have ended.
    pub(crate) held: Vec<(JobKey, usize, JobState)>,
    pub(crate) numbers: u64,
    /// Whether what is being asked for may give a running attempt something else to fetch.
    pub(crate) is_replanning: bool,
}

/// An attempt from the order to start it until it has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Live {
    pub(crate) job: JobKey,
    pub(crate) told_to_stop: bool,
    /// Whether it is to stop for another that fetches something else: until then it is heard.
    pub(crate) is_replanned: bool,
    /// Which of its job's files it is at.
    pub(crate) place: usize,
    /// How much of that was there that it does not count.
    held: u64,
    /// What it has said last of the remote file.
    pub(crate) told: Option<Validators>,
    /// What clients saw of its job's progress last.
    progress: u64,
}

impl Live {
    /// Whether what it reports of bytes counts.
    fn is_heard(&self) -> bool {
        !self.told_to_stop || self.is_replanned
    }
}

/// How a client's object answers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Manner {
    Works,
    Fails(u32),
    Hangs,
    Dead,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Registration {
    pub(crate) user: usize,
    pub(crate) manner: Manner,
}

#[derive(Clone, Debug)]
pub(crate) struct Notified {
    pub(crate) callback: CallbackId,
    pub(crate) user: usize,
    pub(crate) job: JobKey,
    pub(crate) what: Notification,
}

impl House {
    pub(crate) fn new(mut chance: Chance, trace: Trace) -> Self {
        let plan = Plan::draw(&mut chance);
        let mut world = World::default();
        world.drives.mount('c', "/c");
        let users = vec![
            Token::standard(Sid::of_account(1)),
            Token::standard(Sid::of_account(2)),
            Token::administrator(Sid::of_account(500)),
            Token::service_account(Sid::LOCAL_SERVICE),
        ];
        for user in &users {
            world.log_on(user.user.clone());
        }
        world.policies = plan.policies.clone();
        let disk = Disk::empty();
        let store = disk.open().expect("a new store");
        let now = Now { monotonic: Monotonic::default(), wall: bits_api::FileTime::from_unix_seconds(1_700_000_000) };
        Self {
            engine: Engine::new(plan.config()),
            origin: Origin::new(plan.servers),
            plan,
            chance,
            trace,
            now,
            world,
            users,
            files: Files::default(),
            mover: Mover::default(),
            sessions: Sessions::default(),
            store,
            disk,
            outbox: VecDeque::new(),
            given: 0,
            done: 0,
            ordered: Shadow::default(),
            durable: Shadow::default(),
            jobs: BTreeMap::new(),
            ended: BTreeMap::new(),
            giving_up: BTreeMap::new(),
            creating: 0,
            attempts: BTreeMap::new(),
            registrations: BTreeMap::new(),
            notified: BTreeMap::new(),
            calling: Vec::new(),
            programs: Vec::new(),
            awaited: BTreeMap::new(),
            put_off: Vec::new(),
            held: Vec::new(),
            numbers: 0,
            is_replanning: false,
        }
    }

    pub(crate) fn note(&self, event: fmt::Arguments<'_>) {
        self.trace.note(self.now.monotonic, event);
    }

    /// A number that was never given before.
    pub(crate) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Lets `act` use the engine, and sees what it hands out.
    pub(crate) fn act<T>(&mut self, act: impl FnOnce(&mut Engine, Cx<'_>) -> T) -> T {
        let cx = Cx { now: self.now, world: &self.world, probe: &self.files };
        let result = act(&mut self.engine, cx);
        while let Some(action) = self.engine.poll() {
            self.given += 1;
            self.trace.note(self.now.monotonic, format_args!("  {}", Brief(&action)));
            self.see(&action);
            self.outbox.push_back(action);
        }
        result
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.act(|engine, cx| engine.handle(cx, event));
    }

    pub(crate) fn change_world(&mut self, change: impl FnOnce(&mut World)) {
        change(&mut self.world);
        self.tell(Event::WorldChanged);
    }

    /// Carries out the next actions, so many of them: one transaction, then the rest. False when
    /// the process has died of it.
    pub(crate) fn drive(&mut self, count: usize) -> bool {
        let batch: Vec<Action> = self.outbox.drain(..count.min(self.outbox.len())).collect();
        if !self.commit(&batch) {
            return false;
        }
        self.done += batch.len() as Turn;
        for action in batch {
            let touches_files = matches!(action, Action::Publish { .. } | Action::Delete { .. });
            if touches_files && self.plan.weights.restart > 0 && self.chance.one_in(8) {
                self.die_unheard(action);
                return false;
            }
            self.carry_out(action);
        }
        true
    }

    /// Puts on record whatever of `batch` belongs there.
    pub(crate) fn commit(&mut self, batch: &[Action]) -> bool {
        let changes: Vec<Change> = batch
            .iter()
            .filter_map(|action| match action {
                Action::Persist(change) => Some(change.clone()),
                _ => None,
            })
            .collect();
        if changes.is_empty() {
            return true;
        }
        let before = self.durable.clone();
        for change in &changes {
            self.durable.apply(change);
        }
        let result = self.store.commit(&changes);
        if let Err(error) = result {
            self.trace.note(self.now.monotonic, format_args!("the commit fails: {error}"));
            // Whether it arrived shows at the next start.
            let after = std::mem::replace(&mut self.durable, before);
            self.crash_in_commit(after);
            return false;
        }
        true
    }

    /// A file is renamed or deleted, and the process dies before anybody hears of it.
    fn die_unheard(&mut self, action: Action) {
        self.note(format_args!("unheard: {action:?}"));
        match action {
            Action::Publish { temporary, destination, length, .. } => {
                let outcome = self.files.publish(&temporary, &destination, length);
                self.see_published(&destination, outcome);
            }
            Action::Delete { path, .. } => _ = self.files.delete(&path),
            _ => {}
        }
        self.restart(End::Killed);
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Persist(_) | Action::Trace(..) | Action::Release(_) | Action::Limit(..) => {}
            Action::Activate { .. } => unreachable!("no client asks for it"),
            Action::RunCommand { ticket, job, .. } => self.programs.push((ticket, job)),
            Action::Start(plan) => self.mover.start(*plan),
            Action::Proceed(attempt) => self.mover.proceed(attempt),
            Action::Stop(attempt) => self.mover.stop(attempt),
            Action::Publish { ticket, temporary, destination, length, .. } => {
                let outcome = self.files.publish(&temporary, &destination, length);
                self.trace.note(self.now.monotonic, format_args!("published {}: {outcome:?}", destination.display()));
                self.see_published(&destination, outcome);
                self.tell(Event::Published(ticket, outcome));
            }
            Action::Delete { ticket, path } => {
                let outcome = self.files.delete(&path);
                self.trace.note(self.now.monotonic, format_args!("deleted {}: {outcome:?}", path.display()));
                self.tell(Event::Deleted(ticket, outcome));
            }
            Action::Notify { ticket, .. } => self.calling.push(ticket),
            Action::Forget(callback) => _ = self.registrations.remove(&callback),
            Action::Reply { call, result } => self.replied(call, result),
            Action::Wake(job) => self.put_off.retain(|waiting| *waiting != job),
        }
    }

    /// A call whose result came later has it now.
    fn replied(&mut self, call: CallId, result: Result<Success, Hresult>) {
        let job = self.awaited.remove(&call).expect("a result comes once, to a call that waits");
        assert_eq!(has_ended(self.durable.job(job)), result.is_ok(), "{job:?}: {result:?} before it is on record");
    }

    // Attempts

    /// Takes an attempt a step further.
    pub(crate) fn step_attempt(&mut self, attempt: AttemptId) {
        let reach = Reach {
            origin: &mut self.origin,
            sessions: &mut self.sessions,
            files: &mut self.files,
            chance: &mut self.chance,
            network: self.world.network == bits_world::Network::Connected,
            intruders: self.plan.intruders,
        };
        let Some(report) = self.mover.step(attempt, reach) else { return };
        self.trace.note(self.now.monotonic, format_args!("{attempt:?} reports {report:?}"));
        let Some(live) = self.attempts.get(&attempt).copied() else { panic!("{attempt:?} was never begun") };
        let before = self.progress_of(live.job);
        if let AttemptReport::Ended(_) = report {
            self.attempts.remove(&attempt);
        }
        // The engine looks at the time since the last progress before and after.
        let moved = match &report {
            AttemptReport::Progress { have } => {
                live.is_heard() && before.is_some_and(|(_, _, in_work)| live.held + *have > in_work)
            }
            AttemptReport::Ended(AttemptEnd::Done | AttemptEnd::Uploaded { .. }) => before.is_some(),
            _ => false,
        };
        if let Some(job) = self.jobs.get_mut(&live.job) {
            if moved {
                job.made_progress(self.now);
            }
            let is_activity = moved || (matches!(report, AttemptReport::Progress { .. }) && live.is_heard());
            // One that the policy cancels may have waited for this attempt's end.
            if is_activity && !(live.told_to_stop && job.was_idle) {
                job.touch(self.now);
            }
        }
        let is_written = matches!(report, AttemptReport::Progress { .. }) && live.is_heard();
        self.follow_file(live, &report);
        if let (AttemptReport::Connected { validators, .. }, Some(live)) = (&report, self.attempts.get_mut(&attempt)) {
            live.told = Some(*validators);
        }
        let is_connected = matches!(report, AttemptReport::Connected { .. } | AttemptReport::SessionOpen { .. });
        self.tell(Event::Attempt(attempt, report));
        self.see_progress(attempt, live.job, is_connected);
        if is_written {
            self.see_filled(live.job, live.place);
        }
    }

    /// What a report means for the file in work.
    fn follow_file(&mut self, live: Live, report: &AttemptReport) {
        let (now, turn) = (self.now, self.given);
        let Some(job) = self.jobs.get_mut(&live.job).filter(|job| !job.sends) else { return };
        let Some(file) = job.files.get_mut(live.place) else { return };
        match report {
            // The action that puts it on record comes next.
            AttemptReport::Redirected { url } if !live.told_to_stop && file.moved(turn + 1, url) => job.touch(now),
            AttemptReport::CredentialsJudged { by, .. } => {
                assert_eq!(server_of(by), file.server, "who has told {by} who asks for {}?", file.name());
            }
            AttemptReport::Ended(AttemptEnd::Failed(failure)) if failure.code == Hresult::BG_E_INVALID_RANGE => {
                file.forget_asked();
            }
            _ => {}
        }
    }

    /// Bytes of a job, its files that are there, and the bytes of the file in work.
    fn progress_of(&self, job: JobKey) -> Option<(u64, u32, u64)> {
        let reader = &self.users[ADMINISTRATOR];
        let progress = self.engine.progress(reader, job).ok()?;
        let in_work = bits_engine::FileIndex(progress.files_transferred);
        let file = self.engine.file_progress(reader, job, in_work).map_or(0, |file| file.bytes_transferred);
        Some((progress.bytes_transferred, progress.files_transferred, file))
    }

    /// Progress does not go back within an attempt, but where the server has answered anew.
    fn see_progress(&mut self, attempt: AttemptId, job: JobKey, is_connected: bool) {
        let Some((bytes, ..)) = self.progress_of(job) else { return };
        let Some(live) = self.attempts.get_mut(&attempt) else { return };
        if !is_connected && !live.told_to_stop {
            assert!(bytes >= live.progress, "{attempt:?}: from {} bytes to {bytes}", live.progress);
        }
        live.progress = bytes;
    }

    pub(crate) fn begin_watching(&mut self, attempt: AttemptId, job: JobKey, place: usize, held: u64) {
        let progress = self.progress_of(job).map_or(0, |(bytes, ..)| bytes);
        self.attempts
            .insert(attempt, Live { job, told_to_stop: false, is_replanned: false, place, held, told: None, progress });
    }

    // Time

    /// Lets time pass, from deadline to deadline.
    pub(crate) fn advance_to(&mut self, end: Monotonic) {
        let mut at_once = 0;
        while let Some(due) = self.engine.next_deadline().filter(|due| *due <= end) {
            at_once = if due > self.now.monotonic { 0 } else { at_once + 1 };
            assert!(at_once < MOST_AT_ONCE, "the engine spins at {due}");
            self.step_to(due.max(self.now.monotonic));
            self.trace.note(self.now.monotonic, format_args!("a deadline"));
            for job in self.jobs.values_mut() {
                job.see_idleness(self.now, self.world.policies.job_inactivity_timeout);
            }
            self.tell(Event::Deadline);
        }
        self.step_to(end);
    }

    fn step_to(&mut self, to: Monotonic) {
        self.now.wall = self.now.wall.plus(to.since(self.now.monotonic));
        self.now.monotonic = to.max(self.now.monotonic);
    }

    // Calls

    /// The result of a call that has it at once, or that it comes later.
    pub(crate) fn answered(&mut self, reply: Reply, job: JobKey) -> Option<Result<Success, Hresult>> {
        self.trace.note(self.now.monotonic, format_args!("  gives {reply:?}"));
        match reply {
            Reply::Now(result) => Some(result),
            Reply::Later(call) => {
                self.awaited.insert(call, job);
                None
            }
            Reply::Busy => {
                self.put_off.push(job);
                None
            }
        }
    }
}

/// Whether a job has ended that has this record, or none.
pub(crate) fn has_ended(record: Option<&JobRecord>) -> bool {
    record.is_none_or(|record| record.state == JobState::CANCELLED)
}

impl Plan {
    /// How the engine plays its part.
    pub(crate) fn config(&self) -> Config {
        Config {
            profile: Profile::default(),
            decisions: Decisions::default(),
            seed: self.order,
            scramble: None,
            uploads: true,
        }
    }
}
