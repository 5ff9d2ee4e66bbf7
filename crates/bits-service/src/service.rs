//! One run of the service: the engine and its outbox under one mutex.
//!
//! A call locks, runs the engine, drains it into the outbox and unlocks; mutators then wait until
//! what they changed is on record. One driver executes the outbox in order. Under the lock there
//! is no callback, no drop of a client's object, and no I/O but the engine's read-only questions
//! about local files.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bits_api::{Guid, Hresult, Success, Unknown};
use bits_engine::{Action, CallId, CallbackId, Change, Cx, Engine, Event, Explanation, JobKey, Reply, Ticket};
use bits_store::Store;
use bits_wire::attempt::{AttemptId, AttemptReport, Disk, Probe, Reports};
use bits_world::clock::{Clock, Monotonic, Participant};
use bits_world::{LocalStorage, Profile, World};

use crate::attempts::Attempts;
use crate::bell::Bell;
use crate::callbacks::Registration;
use crate::classes::Classes;
use crate::client::Caller;
use crate::commands::Commands;
use crate::emulator::End;
use crate::faults::FaultLayer;
use crate::guids::Guids;
use crate::leftovers::Undeleted;
use crate::running::Running;
use crate::timeline::{Timeline, What};
use crate::vetting::Accepted;

mod hands;

use hands::Nap;

/// What every method returns once the service is gone.
pub(crate) const UNAVAILABLE: Hresult = Hresult::RPC_S_SERVER_UNAVAILABLE;

/// A running service.
pub(crate) struct Service {
    pub(crate) clock: Clock,
    /// Which BITS is played.
    pub(crate) profile: Profile,
    pub(crate) timeline: Timeline,
    guids: Arc<Guids>,
    pub(crate) commands: Commands,
    pub(crate) classes: Arc<Classes>,
    undeleted: Undeleted,
    storage: LocalStorage,
    pub(crate) mover: FaultLayer,
    pub(crate) disk: Arc<dyn Disk>,
    core: Mutex<Core>,
    /// For callers: something is on record, or there is a result.
    answered: Bell,
    /// For everybody else: the core has changed in any way.
    turned: Bell,
    /// Tells the driver that there is work for it.
    roused: Condvar,
    /// Where the queue is kept; with whoever executes the outbox, one at a time.
    pub(crate) store: Mutex<Option<Store>>,
    this: Weak<Service>,
}

/// What outlives one run of the service.
#[derive(Clone)]
pub(crate) struct Lasting {
    pub(crate) clock: Clock,
    pub(crate) timeline: Timeline,
    pub(crate) guids: Arc<Guids>,
    pub(crate) commands: Commands,
    pub(crate) classes: Arc<Classes>,
    pub(crate) undeleted: Undeleted,
    /// What the world says of local storage, for all that touch it.
    pub(crate) storage: LocalStorage,
}

/// What the mutex guards.
pub(crate) struct Core {
    pub(crate) engine: Engine,
    /// Shared: whoever asks for it takes no copy, and a change brings a new one.
    world: Arc<World>,
    pub(crate) registrations: HashMap<CallbackId, Registration>,
    pub(crate) accepted: Accepted,
    /// Callbacks, objects that are being made, and programs, by ticket.
    pub(crate) running: BTreeMap<u64, Running>,
    attempts: Attempts,
    outbox: VecDeque<Action>,
    /// Changes that are still to be made durable: how many were ever asked for, and made.
    commits: Commits,
    /// Whether somebody works on actions taken from the outbox.
    driving: bool,
    /// Until when the driver sleeps, if it does.
    nap: Option<Nap>,
    replies: HashMap<CallId, Result<Success, Hresult>>,
    wakes: u64,
    stopped: bool,
    crashed: bool,
    numbers: u64,
}

#[derive(Default)]
struct Commits {
    asked: u64,
    made: u64,
}

impl Service {
    pub(crate) fn new(
        lasting: Lasting,
        mover: FaultLayer,
        disk: Arc<dyn Disk>,
        world: World,
        engine: impl FnOnce(Cx<'_>) -> Engine,
    ) -> Arc<Self> {
        let Lasting { clock, timeline, guids, commands, classes, undeleted, storage } = lasting;
        storage.see(&world.storage, &world.drives);
        let cx = Cx { now: clock.now(), world: &world, probe: &*disk };
        let engine = engine(cx);
        let profile = engine.profile();
        let service = Arc::new_cyclic(|this| Self {
            clock,
            profile,
            timeline,
            guids,
            commands,
            classes,
            undeleted,
            storage,
            mover,
            disk,
            core: Mutex::new(Core {
                engine,
                world: Arc::new(world),
                registrations: HashMap::new(),
                accepted: Accepted::default(),
                running: BTreeMap::new(),
                attempts: Attempts::default(),
                outbox: VecDeque::new(),
                commits: Commits::default(),
                // Nobody does anything before the driver comes to work.
                driving: true,
                nap: None,
                replies: HashMap::new(),
                wakes: 0,
                stopped: false,
                crashed: false,
                numbers: 0,
            }),
            answered: Bell::default(),
            turned: Bell::default(),
            roused: Condvar::new(),
            store: Mutex::default(),
            this: Weak::clone(this),
        });
        // A restored engine has things to do that no call and no event has asked for.
        if let Ok(mut core) = service.lock() {
            service.with_engine(&mut core, |_, _| ());
        }
        service
    }

    /// The service behind a handle, while there is one.
    pub(crate) fn of(service: &Weak<Self>) -> Result<Arc<Self>, Hresult> {
        service.upgrade().ok_or(UNAVAILABLE)
    }

    pub(crate) fn weak(&self) -> Weak<Self> {
        Weak::clone(&self.this)
    }

    /// Reads something off the engine.
    pub(crate) fn read<T>(&self, f: impl FnOnce(&Engine) -> Result<T, Hresult>) -> Result<T, Hresult> {
        f(&self.lock()?.engine)
    }

    /// Runs a call that has its result at once, and waits until what it changed, if anything, is
    /// on record.
    pub(crate) fn call<T>(&self, f: impl FnOnce(&mut Engine, Cx<'_>) -> Result<T, Hresult>) -> Result<T, Hresult> {
        let mut core = self.lock()?;
        let before = core.commits.asked;
        let result = self.run_engine(&mut core, &*self.disk, f);
        let mark = core.commits.asked;
        core = self.execute_here(core)?;
        if mark != before {
            self.committed(core, mark)?;
        }
        result
    }

    /// Runs a step that changes nothing on record and waits for nothing: for the driver, for whom
    /// everybody else waits.
    pub(crate) fn step<T>(&self, f: impl FnOnce(&mut Engine, Cx<'_>) -> Result<T, Hresult>) -> Result<T, Hresult> {
        let mut core = self.lock()?;
        self.with_engine(&mut core, f)
    }

    /// Runs a call whose result may come later.
    pub(crate) fn mutate(
        &self,
        caller: &Caller,
        method: &'static str,
        job: JobKey,
        f: impl FnMut(&mut Engine, Cx<'_>) -> Reply,
    ) -> Result<Success, Hresult> {
        self.mutate_probed(caller, method, job, &*self.disk, f)
    }

    /// Runs a call whose questions about local files were asked before the lock was taken.
    pub(crate) fn mutate_probed(
        &self,
        caller: &Caller,
        method: &'static str,
        job: JobKey,
        probe: &dyn Probe,
        mut f: impl FnMut(&mut Engine, Cx<'_>) -> Reply,
    ) -> Result<Success, Hresult> {
        let result = loop {
            let mut core = self.lock()?;
            let reply = self.run_engine(&mut core, probe, &mut f);
            let (mark, wakes) = (core.commits.asked, core.wakes);
            core = self.execute_here(core)?;
            match reply {
                Reply::Now(result) => {
                    self.committed(core, mark)?;
                    break result;
                }
                Reply::Later(call) => break self.answered(core, call)?,
                Reply::Busy => {
                    drop(self.wait(core, |core| core.wakes != wakes)?);
                }
            }
        };
        self.log_call(caller, method, self.guid(job), result.map_or_else(|code| code, Success::hresult));
        result
    }

    pub(crate) fn log_call(&self, caller: &Caller, method: &'static str, job: Option<Guid>, result: Hresult) {
        tracing::debug!(client = %caller.client, method, ?job, %result, "call");
        let what = What::Call { client: Arc::clone(&caller.client), method, result };
        self.timeline.push(self.clock.now(), job, what);
    }

    /// The identifier of a job that somebody holds.
    pub(crate) fn guid(&self, job: JobKey) -> Option<Guid> {
        self.lock().ok().and_then(|core| core.engine.guid(job))
    }

    /// Tells the engine of something that happened.
    pub(crate) fn handle(&self, event: Event) {
        if let Ok(mut core) = self.lock() {
            self.with_engine(&mut core, |engine, cx| engine.handle(cx, event));
        }
    }

    /// Tells the engine what became of a callback, an object or a program, unless it knows already;
    /// tells whether it did not. What ran ceases to run and its outcome takes effect in one step, or
    /// the service would seem settled between.
    pub(crate) fn ended(&self, ticket: Ticket, event: Event) -> bool {
        let Ok(mut core) = self.lock() else { return false };
        let is_news = core.running.remove(&ticket.0).is_some();
        if is_news {
            self.with_engine(&mut core, |engine, cx| engine.handle(cx, event));
            drop(core);
            self.turn();
        }
        is_news
    }

    /// Replaces the world.
    pub(crate) fn set_world(&self, world: World) {
        if let Ok(mut core) = self.lock() {
            self.storage.see(&world.storage, &world.drives);
            core.world = Arc::new(world);
            self.with_engine(&mut core, |engine, cx| engine.handle(cx, Event::WorldChanged));
        }
    }

    /// The wall clock shows another time.
    pub(crate) fn look_at_the_clock(&self) {
        self.handle(Event::WorldChanged);
    }

    /// The world as it is, also once the service has stopped.
    pub(crate) fn world(&self) -> Arc<World> {
        Arc::clone(&self.core.lock().unwrap_or_else(PoisonError::into_inner).world)
    }

    /// Where attempts send their reports.
    pub(crate) fn reports(&self) -> Reports {
        let service = self.weak();
        Arc::new(move |attempt, report| {
            if let Some(service) = service.upgrade() {
                service.report(attempt, report);
            }
        })
    }

    fn report(&self, attempt: AttemptId, report: AttemptReport) {
        let Ok(mut core) = self.lock() else { return };
        if let Some(told) = core.attempts.get(attempt)
            && let Some((what, event)) = told.told(attempt, &report)
        {
            self.timeline.push_event(self.clock.now(), told.job, what, event);
        }
        if let AttemptReport::Ended(end) = &report {
            tracing::debug!(attempt = attempt.0, ?end, "attempt ended");
            let ended = core.attempts.ended(attempt);
            let event = ended.as_ref().and_then(|ended| ended.stopped(end));
            let what = What::AttemptEnded { attempt: attempt.0, end: end.clone() };
            self.timeline.push_event(self.clock.now(), ended.and_then(|ended| ended.job), what, event);
        }
        self.run_engine(&mut core, &*self.disk, |engine, cx| engine.handle(cx, Event::Attempt(attempt, report)));
        // Who stops meanwhile hears nothing more anyway.
        drop(self.execute_here(core));
    }

    /// The job that an attempt belongs to.
    pub(crate) fn job_of(&self, attempt: AttemptId) -> Option<Guid> {
        let core = self.lock().ok()?;
        core.engine.job_of(attempt).and_then(|job| core.engine.guid(job))
    }

    /// Whether the BITS that is played writes into the event log of Windows.
    pub(crate) fn has_event_log(&self) -> bool {
        self.read(|engine| Ok(engine.profile() >= Profile::V3_0)).unwrap_or(false)
    }

    /// Registers a client's object under a number of its own.
    pub(crate) fn register(&self, caller: &Caller, object: Arc<dyn Unknown>) -> Result<CallbackId, Hresult> {
        let mut core = self.lock()?;
        core.numbers += 1;
        let id = CallbackId(core.numbers);
        core.registrations.insert(id, Registration { caller: caller.acting(), object });
        Ok(id)
    }

    /// An identifier that no job has: a seeded sequence may meet the jobs of an earlier process.
    pub(crate) fn new_guid(&self) -> Guid {
        loop {
            let id = self.guids.next();
            if self.lock().map_or(true, |core| core.engine.key(id).is_none()) {
                return id;
            }
        }
    }

    pub(crate) fn explain_job(&self, id: Guid) -> Option<Explanation> {
        let core = self.lock().ok()?;
        core.engine.key(id).map(|key| core.engine.explain(self.clock.now(), key))
    }

    /// Waits for a change of the core, at most for `limit` and a moment: a change between the
    /// caller's last look and this call is not told again.
    pub(crate) fn wait_turn(&self, limit: Duration) {
        const MOMENT: Duration = Duration::from_millis(20);
        if let Ok(core) = self.lock() {
            drop(self.turned.wait(core, limit.min(MOMENT)));
        }
    }

    /// Waits as long as `pending` holds, the service runs, and something may still come of it.
    pub(crate) fn wait_while(&self, pending: impl Fn() -> bool) {
        const PATIENCE: Duration = Duration::from_secs(20);
        let end = Instant::now() + PATIENCE;
        while pending() && !self.is_stopped() && Instant::now() < end {
            self.wait_turn(PATIENCE);
        }
    }

    /// Takes every client's object out of a stopped service.
    pub(crate) fn take_registrations(&self) -> Vec<Registration> {
        self.core
            .lock()
            .map_or_else(|_| Vec::new(), |mut core| core.registrations.drain().map(|(_, left)| left).collect())
    }

    /// A client looks at a server from now on; the ticket is none of the engine's.
    pub(crate) fn begin_look(&self) -> Ticket {
        let begun = self.with_core(|core| {
            core.numbers += 1;
            let ticket = Ticket(u64::MAX - core.numbers);
            core.running.insert(ticket.0, Running::look());
            ticket
        });
        begun.unwrap_or(Ticket(u64::MAX))
    }

    /// Takes an object out of the registry; the caller drops it, outside the lock.
    pub(crate) fn unregister(&self, id: CallbackId) -> Option<Registration> {
        let mut core = self.lock().ok()?;
        core.accepted.forget(id);
        core.registrations.remove(&id)
    }

    pub(crate) fn registered(&self, id: CallbackId) -> Option<Registration> {
        self.lock().ok()?.registrations.get(&id).cloned()
    }

    /// Runs `f` on the core; whoever waits for the core to change looks again.
    pub(crate) fn with_core<T>(&self, f: impl FnOnce(&mut Core) -> T) -> Option<T> {
        let result = f(&mut *self.lock().ok()?);
        self.answered.ring();
        self.turn();
        Some(result)
    }

    /// Takes the changes that a stopped service has not made durable yet.
    pub(crate) fn last_changes(&self) -> Vec<Change> {
        let Ok(mut core) = self.core.lock() else { return Vec::new() };
        // What was to be put on record when the service crashed is lost.
        if core.crashed {
            return Vec::new();
        }
        self.with_engine(&mut core, |engine, cx| engine.handle(cx, Event::Stopping));
        let outbox = std::mem::take(&mut core.outbox);
        outbox
            .into_iter()
            .filter_map(|action| if let Action::Persist(change) = action { Some(change) } else { None })
            .collect()
    }

    /// A temporary file could not be deleted.
    pub(crate) fn left_behind(&self, path: PathBuf) {
        self.undeleted.add(path);
    }

    /// So many more changes are on record.
    pub(crate) fn made_durable(&self, changes: usize) {
        self.with_core(|core| core.commits.made += changes as u64);
    }

    pub(crate) fn reply(&self, call: CallId, result: Result<Success, Hresult>) {
        self.with_core(|core| core.replies.insert(call, result));
    }

    pub(crate) fn wake_callers(&self) {
        self.with_core(|core| core.wakes += 1);
    }

    /// Whether no call and no event gets in any more.
    pub(crate) fn is_stopped(&self) -> bool {
        self.lock().is_err()
    }

    /// No call and no event gets in from now on, nor, after a crash, anything on record.
    pub(crate) fn end(&self, how: End) {
        self.core.lock().unwrap_or_else(PoisonError::into_inner).crashed |= how == End::Crash;
        self.stop();
    }

    /// No call and no event gets in from now on.
    pub(crate) fn stop(&self) {
        self.core.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
        self.commands.stop();
        self.roused.notify_one();
        self.answered.ring();
        self.turn();
    }

    /// Lets everybody who waits look again.
    fn turn(&self) {
        self.turned.ring();
        if let Some(clock) = self.clock.as_virtual() {
            clock.changed();
        }
    }

    /// Runs the engine and leaves what it wants done to the driver.
    fn with_engine<T>(&self, core: &mut Core, f: impl FnOnce(&mut Engine, Cx<'_>) -> T) -> T {
        let result = self.run_engine(core, &*self.disk, f);
        self.rouse(core);
        result
    }

    /// Runs the engine and takes out what it wants done.
    fn run_engine<T>(&self, core: &mut Core, probe: &dyn Probe, f: impl FnOnce(&mut Engine, Cx<'_>) -> T) -> T {
        let _told = ToldOfPanic(self);
        let now = self.clock.now();
        let deadline = core.engine.next_deadline();
        let result = f(&mut core.engine, Cx { now, world: &core.world, probe });
        let mut acted = core.engine.next_deadline() != deadline;
        while let Some(action) = core.engine.poll() {
            match action {
                Action::Trace(transition, event) => {
                    let job = Some(transition.id);
                    tracing::debug!(?job, to = %transition.to, cause = %transition.cause, "state");
                    let what = What::Transition { from: transition.from, to: transition.to, cause: transition.cause };
                    self.timeline.push_event(now, job, what, event.map(|event| *event));
                    continue;
                }
                Action::Start(ref plan) => {
                    let attempt = core.attempts.began(&core.engine, plan);
                    let what = What::AttemptStarted { attempt: plan.attempt.0, url: attempt.url.clone() };
                    self.timeline.push_event(now, attempt.job, what, attempt.started());
                }
                Action::Persist(_) => core.commits.asked += 1,
                _ => {}
            }
            core.outbox.push_back(action);
            acted = true;
        }
        if acted {
            self.turn();
        }
        result
    }

    /// Waits until the first `mark` changes that were ever asked for are on record.
    fn committed(&self, core: MutexGuard<'_, Core>, mark: u64) -> Result<(), Hresult> {
        self.wait(core, |core| core.commits.made >= mark).map(drop)
    }

    fn answered(&self, core: MutexGuard<'_, Core>, call: CallId) -> Result<Result<Success, Hresult>, Hresult> {
        let mut core = self.wait(core, |core| core.replies.contains_key(&call))?;
        core.replies.remove(&call).ok_or(UNAVAILABLE)
    }

    fn wait<'a>(
        &self,
        mut core: MutexGuard<'a, Core>,
        until: impl Fn(&Core) -> bool,
    ) -> Result<MutexGuard<'a, Core>, Hresult> {
        while !until(&core) {
            if core.stopped {
                return Err(UNAVAILABLE);
            }
            core = self.answered.wait(core, Duration::MAX).ok_or(UNAVAILABLE)?;
        }
        Ok(core)
    }

    /// The core, unless the service has stopped or a bug has broken it.
    fn lock(&self) -> Result<MutexGuard<'_, Core>, Hresult> {
        match self.core.lock() {
            Ok(core) if !core.stopped => Ok(core),
            _ => Err(UNAVAILABLE),
        }
    }
}

/// Wakes whoever waits for a service that a panic has broken.
struct ToldOfPanic<'a>(&'a Service);

impl Drop for ToldOfPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.answered.ring();
            self.0.turn();
            self.0.roused.notify_one();
        }
    }
}

impl Participant for Service {
    fn next_deadline(&self) -> Option<Monotonic> {
        self.lock().ok()?.engine.next_deadline()
    }

    fn tick(&self) {
        let Ok(mut core) = self.lock() else { return };
        if core.engine.next_deadline().is_some_and(|due| due <= self.clock.now().monotonic) {
            self.with_engine(&mut core, |engine, cx| engine.handle(cx, Event::Deadline));
        }
    }

    fn running(&self) -> Option<String> {
        let Ok(core) = self.core.lock() else { return Some("the service has panicked; this is a bug".into()) };
        if core.stopped {
            return None;
        }
        if core.driving || !core.outbox.is_empty() {
            return Some("the service has actions to carry out".into());
        }
        if let Some(unrest) = core.running.values().find_map(Running::unrest) {
            return Some(unrest.into());
        }
        drop(core);
        self.mover.running()
    }

    fn explain(&self) -> String {
        self.timeline.newest(200)
    }
}
