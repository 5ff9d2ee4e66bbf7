//! The emulator as a test holds it: starts and stops the service, moves the time, changes the
//! world.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bits_api::{Guid, Hresult, Job, JobState};
use bits_engine::{Change, Config, Engine, Explanation, Saved};
use bits_store::{Store, StoreError};
use bits_wire::attempt::Disk;
use bits_world::clock::{Clock, Participant};
use bits_world::{LocalStorage, Sid, Token, World};

use crate::accounts::Accounts;
use crate::builder::{Builder, ClientCode, Outside};
use crate::callbacks;
use crate::classes::Classes;
use crate::client::Client;
use crate::commands::Commands;
use crate::driver;
use crate::failure::{StartError, TimeError};
use crate::faults::{Fault, FaultLayer, Faults, Hold};
use crate::guids::Guids;
use crate::kept::Kept;
use crate::leftovers::Undeleted;
use crate::peer_cache::PeerRead;
use crate::running;
use crate::service::{Lasting, Service};
use crate::timeline::{Timeline, What};
use crate::verbs::Programs;
use crate::world_turn::WorldTurns;

/// A BITS of its own, in this process: queue, users, world and clock.
///
/// Dropping it stops the service and closes the store; handles that are still around then return
/// `RPC_S_SERVER_UNAVAILABLE`. The drop never waits for client code.
pub struct Emulator {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    lasting: Lasting,
    config: Config,
    outside: Outside,
    /// Where the queue is kept, if it is not in memory.
    state: Option<PathBuf>,
    faults: Faults,
    programs: Programs,
    disabled: AtomicBool,
    accounts: Mutex<Accounts>,
    world_turns: WorldTurns,
    run: Mutex<Run>,
}

/// The service, or what waits for its next start.
enum Run {
    Up {
        service: Arc<Service>,
        driver: JoinHandle<Option<Store>>,
    },
    Down {
        kept: Kept,
        world: Box<World>,
    },
    /// The queue in memory was lost with its driver.
    Broken,
}

/// How a run of the service ends.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum End {
    /// As the service control manager asks for it: what is still to be put on record is.
    Orderly,
    /// Without a last word.
    Crash,
}

impl Emulator {
    /// An emulator that is still to be started: in memory, on a virtual clock, as BITS 10.3.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn start_with(
        clock: Clock,
        config: Config,
        outside: Outside,
        guids: Guids,
        clients: ClientCode,
        state: Option<PathBuf>,
        world: World,
    ) -> Result<Self, StartError> {
        let kept = state.clone().map_or_else(|| Kept::Memory(Store::memory()), Kept::Folder);
        let emulator = Self {
            inner: Arc::new_cyclic(|this| Inner {
                lasting: Lasting {
                    clock,
                    timeline: Timeline::default(),
                    guids: Arc::new(guids),
                    commands: clients.commands,
                    classes: Arc::new(Classes { factories: clients.factories, emulator: Weak::clone(this) }),
                    undeleted: Undeleted::default(),
                    storage: LocalStorage::default(),
                },
                config,
                outside,
                state,
                faults: Faults::default(),
                programs: Programs::default(),
                disabled: AtomicBool::new(false),
                accounts: Mutex::default(),
                world_turns: WorldTurns::default(),
                run: Mutex::new(Run::Down { kept, world: Box::new(world) }),
            }),
        };
        // Whether the default user is logged on has been settled.
        emulator.inner.accounts().sid(Self::DEFAULT_USER);
        emulator.start()?;
        Ok(emulator)
    }

    /// How many lines of the timeline an error tells.
    const TOLD: usize = 200;

    /// Who calls when nobody else is named: a standard user, logged on unless
    /// [`Builder::before_logon`] was asked for.
    pub const DEFAULT_USER: &str = "user";

    /// A program of the default user.
    pub fn client(&self, name: &str) -> Client {
        self.client_as(name, self.user(Self::DEFAULT_USER))
    }

    /// A program with that token.
    pub fn client_as(&self, name: &str, token: Token) -> Client {
        Client::new(Arc::downgrade(&self.inner), name, token)
    }

    /// A standard user of that name; a new one is logged on.
    pub fn user(&self, name: &str) -> Token {
        Token::standard(self.inner.account(name))
    }

    /// A user of that name who acts with administrator rights; a new one is logged on.
    pub fn administrator(&self, name: &str) -> Token {
        Token::administrator(self.inner.account(name))
    }

    /// Changes the world while the service runs, or before its next start. `change` may use the
    /// emulator and its jobs; what it does to the world takes effect when it returns.
    ///
    /// # Panics
    /// When it is called from `change`: both changes belong into one.
    pub fn change_world(&self, change: impl FnOnce(&mut World)) {
        self.inner.change_world(change);
    }

    /// Lets a peer ask this computer for a URL of its peer cache (BITS 3.0). While the peer reads,
    /// the record is in use; `None` when it would not be served. Clauses
    /// `peer_cache.v3.served_after_validation`, `peer_cache.admin.delete_record.busy`.
    pub fn peer_read(&self, url: &str) -> Option<PeerRead> {
        PeerRead::begin(&*self.inner.service()?, url)
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.inner.lasting.clock
    }

    /// What has happened so far.
    pub fn timeline(&self) -> &Timeline {
        &self.inner.lasting.timeline
    }

    /// The entries of `fixtures/decisions.toml` with a switch that something hung on so far: where
    /// a result may be another on real Windows, if the guess is wrong.
    pub fn decisions_touched(&self) -> Vec<&'static str> {
        self.inner.config.decisions.touched()
    }

    /// The notification programs: what ran of them, and what they come to.
    pub fn commands(&self) -> &Commands {
        &self.inner.lasting.commands
    }

    /// Starts the service; one that runs is left alone.
    ///
    /// # Errors
    /// [`StartError`] when the queue cannot be read or there is no thread.
    pub fn start(&self) -> Result<(), StartError> {
        self.inner.start()
    }

    /// Stops the service as the service control manager does: attempts stop, the queue is on
    /// record, handles and callbacks are lost.
    pub fn stop(&self) {
        self.inner.stop(End::Orderly);
    }

    /// Stops the service and starts it again.
    ///
    /// # Errors
    /// Those of [`Emulator::start`].
    pub fn restart(&self) -> Result<(), StartError> {
        self.stop();
        self.start()
    }

    /// Waits until nothing runs any more: no action is pending, no callback runs, and each
    /// attempt has ended or is parked. Never moves the time.
    ///
    /// # Errors
    /// [`TimeError`]
    pub fn settle(&self) -> Result<(), TimeError> {
        self.virtual_clock()?.settle().map_err(TimeError::Stuck)
    }

    /// Lets `duration` pass on the virtual clock, deadline by deadline.
    ///
    /// # Errors
    /// [`TimeError`]
    pub fn advance(&self, duration: Duration) -> Result<(), TimeError> {
        self.virtual_clock()?.advance(duration).map_err(TimeError::Stuck)
    }

    /// Waits until `predicate` holds, at most for `limit`; tells whether it held. Virtual time
    /// jumps from deadline to deadline, on the system clock real time passes.
    ///
    /// # Errors
    /// [`TimeError`]
    pub fn run_until(&self, predicate: impl FnMut() -> bool, limit: Duration) -> Result<bool, TimeError> {
        match &self.inner.lasting.clock {
            Clock::Virtual(_) => self.virtual_clock()?.run_until(predicate, limit).map_err(TimeError::Stuck),
            Clock::System(_) => self.inner.wait_real(predicate, limit),
        }
    }

    /// Waits until `job` is in `state`, at most for `within`, as [`Emulator::run_until`] does.
    ///
    /// # Errors
    /// [`TimeError::NotReached`] with the reason why the job is where it is and the timeline.
    pub fn wait_state(&self, job: &Arc<dyn Job>, state: JobState, within: Duration) -> Result<(), TimeError> {
        let is_dead = |now| matches!(now, Err(Hresult::RPC_S_SERVER_UNAVAILABLE | Hresult::RPC_E_DISCONNECTED));
        // A handle that is dead stays so.
        self.run_until(|| job.state() == Ok(state) || is_dead(job.state()), within)?;
        if job.state() == Ok(state) {
            return Ok(());
        }
        Err(TimeError::NotReached(self.not_reached(job, state, within)))
    }

    /// Lets the next attempt that `fault` means fail, whether transfers are real or simulated; no
    /// server is needed. Several faults are used up in order; one whose attempt is stopped before it
    /// has come so far waits for the next.
    pub fn fail_next(&self, fault: Fault) {
        self.inner.faults.add(fault);
    }

    /// Lets a seeded job that stands still in CONNECTING or TRANSFERRING go on, from now on over the
    /// real or simulated network.
    pub fn let_go(&self, job: Guid) {
        match self.inner.service() {
            Some(service) => service.mover.let_go(job),
            None => _ = self.inner.faults.let_go(job),
        }
    }

    /// Why `job` is not further: as data, and in words by `to_string()`.
    pub fn explain(&self, job: Guid) -> Explanation {
        self.inner.explain(job)
    }

    fn not_reached(&self, job: &Arc<dyn Job>, state: JobState, within: Duration) -> String {
        let (now, why) = match (job.state(), job.id()) {
            (Ok(now), Ok(id)) => (now.to_string(), self.explain(id).to_string()),
            (Err(code), _) | (_, Err(code)) => {
                let why = "its handle is from before a restart, or its client has ended: get the job again";
                (code.to_string(), why.to_owned())
            }
        };
        format!(
            "the job is not {state} within {within:?}, but {now}: {why}\n{}",
            self.inner.lasting.timeline.newest(Self::TOLD)
        )
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    pub(crate) fn virtual_clock(&self) -> Result<&bits_world::clock::VirtualClock, TimeError> {
        if running::is_in_callback(&self.inner.lasting.clock) {
            return Err(TimeError::InCallback);
        }
        self.inner.lasting.clock.as_virtual().map(|clock| &**clock).ok_or(TimeError::NotVirtual)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.inner.stop(End::Orderly);
    }
}

impl Inner {
    /// The service, while it runs.
    pub(crate) fn service(&self) -> Option<Arc<Service>> {
        match &*self.run() {
            Run::Up { service, .. } if !service.is_stopped() => Some(Arc::clone(service)),
            Run::Up { .. } | Run::Down { .. } | Run::Broken => None,
        }
    }

    pub(crate) fn timeline(&self) -> &Timeline {
        &self.lasting.timeline
    }

    pub(crate) fn hold(&self, job: Guid, hold: Hold) {
        self.faults.hold(job, hold);
    }

    /// Writes a local file where the transfers of this emulator write theirs.
    pub(crate) fn write_file(&self, path: &Path, content: &[u8]) -> std::io::Result<()> {
        self.outside.write(path, content)
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.lasting.clock
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn undeleted(&self) -> &Undeleted {
        &self.lasting.undeleted
    }

    /// Shows the queue of a service that does not run.
    pub(crate) fn with_stopped_queue<T>(
        &self,
        show: impl FnOnce(Vec<Saved>, &World, &dyn Disk) -> T,
    ) -> Result<T, StartError> {
        // A service that has stopped by itself still holds its store.
        self.stop(End::Orderly);
        let mut run = self.run();
        let Run::Down { kept, world } = &mut *run else { return Err(StartError::Broken) };
        let store = kept.open()?;
        let saved = store.load().and_then(Iterator::collect);
        *kept = self.put_away(store);
        let (_, disk) =
            self.outside.open(&self.lasting.clock, &self.config, &self.lasting.storage).map_err(StartError::Trust)?;
        Ok(show(saved?, world, &*disk))
    }

    /// Empties the queue of a service that does not run; the files of its jobs stay.
    pub(crate) fn lose_queue(&self) -> Result<(), StartError> {
        for path in self.leftovers()?.files {
            self.undeleted().add(path);
        }
        let mut run = self.run();
        let Run::Down { kept, .. } = &mut *run else { return Err(StartError::Broken) };
        let mut store = kept.open()?;
        let jobs: Result<Vec<Change>, StoreError> =
            store.load()?.map(|saved| saved.map(|saved| Change::Remove(saved.job.key))).collect();
        let emptied = jobs.and_then(|jobs| store.commit(&jobs));
        *kept = self.put_away(store);
        Ok(emptied?)
    }

    pub(crate) fn programs(&self) -> &Programs {
        &self.programs
    }

    pub(crate) fn set_disabled(&self, disabled: bool) {
        self.disabled.store(disabled, Ordering::SeqCst);
    }

    /// The service, for a client that connects to it.
    pub(crate) fn activate(&self) -> Result<Arc<Service>, Hresult> {
        if self.disabled.load(Ordering::SeqCst) {
            return Err(Hresult::ERROR_SERVICE_DISABLED);
        }
        self.service().ok_or(Hresult::RPC_S_SERVER_UNAVAILABLE)
    }

    fn start(&self) -> Result<(), StartError> {
        if self.disabled.load(Ordering::SeqCst) {
            return Err(StartError::Disabled);
        }
        // A world that is being changed must not be started with in its old form.
        let _turn = self.world_turns.take();
        if self.service().is_none() {
            // A service that has stopped by itself still holds its store.
            self.stop(End::Orderly);
        }
        let mut run = self.run();
        let (mut kept, world) = match std::mem::replace(&mut *run, Run::Broken) {
            Run::Down { kept, world } => (kept, world),
            up @ Run::Up { .. } => {
                *run = up;
                return Ok(());
            }
            Run::Broken => return Err(StartError::Broken),
        };
        let store = match kept.open() {
            Ok(store) => store,
            Err(error) => {
                *run = Run::Down { kept, world };
                return Err(error.into());
            }
        };
        match self.open(&store, World::clone(&world)) {
            Ok(service) => {
                let driver = driver::start(&service, store)?;
                *run = Run::Up { service, driver };
                Ok(())
            }
            Err(error) => {
                *run = Run::Down { kept: self.put_away(store), world };
                Err(error)
            }
        }
    }

    /// A service over what is on record.
    fn open(&self, store: &Store, world: World) -> Result<Arc<Service>, StartError> {
        let (mover, disk) =
            self.outside.open(&self.lasting.clock, &self.config, &self.lasting.storage).map_err(StartError::Trust)?;
        let cache = store.load_cache()?;
        let mut unreadable = None;
        let mut without_secrets = Vec::new();
        let saved = store
            .load()?
            .map_while(|saved| saved.map_err(|error| unreadable = Some(error)).ok())
            .inspect(|saved| without_secrets.extend(saved.lost_secrets.then_some(saved.job.id)));
        // Before the queue begins to move, which it does by itself.
        self.log("the service starts");
        let mover = FaultLayer::new(mover, self.faults.clone());
        let service = Service::new(self.lasting.clone(), mover, disk, world, |cx| {
            let mut engine = Engine::restore(self.config.clone(), saved, cx);
            engine.restore_cache(cx, cache);
            engine
        });
        if let Some(error) = unreadable {
            return Err(error.into());
        }
        for job in without_secrets {
            self.log_loss(job);
        }
        if let Some(clock) = self.lasting.clock.as_virtual() {
            clock.join(Arc::downgrade(&service) as Weak<dyn Participant>);
        }
        Ok(service)
    }

    /// Closes a store that lies in a folder, so that others may open it.
    fn put_away(&self, store: Store) -> Kept {
        match &self.state {
            Some(folder) => Kept::Folder(folder.clone()),
            None => Kept::Memory(store),
        }
    }

    pub(crate) fn stop(&self, how: End) {
        let mut run = self.run();
        let (service, driver) = match std::mem::replace(&mut *run, Run::Broken) {
            Run::Up { service, driver } => (service, driver),
            down => {
                *run = down;
                return;
            }
        };
        self.log(if how == End::Crash { "the service crashes" } else { "the service stops" });
        let world = Box::new(World::clone(&service.world()));
        service.end(how);
        // A client's object that is dropped for want of a thread may end up here on the driver
        // itself, which cannot wait for its own end.
        let on_driver = driver.thread().id() == std::thread::current().id();
        let store = if on_driver { None } else { driver.join().ok().flatten() };
        service.mover.shut_down();
        callbacks::drop_elsewhere(service.take_registrations());
        *run = match (store, &self.state) {
            (Some(store), _) => Run::Down { kept: self.put_away(store), world },
            (None, Some(folder)) => Run::Down { kept: Kept::Folder(folder.clone()), world },
            (None, None) => Run::Broken,
        };
    }

    fn change_world(&self, change: impl FnOnce(&mut World)) {
        let turn =
            self.world_turns.take().expect("change_world called from within change_world: make one change of both");
        let mut world = match &*self.run() {
            Run::Up { service, .. } => World::clone(&service.world()),
            Run::Down { world, .. } => World::clone(world),
            Run::Broken => return,
        };
        change(&mut world);
        for user in turn.late_logons() {
            world.log_on(user);
        }
        match &mut *self.run() {
            Run::Up { service, .. } => service.set_world(world),
            Run::Down { world: kept, .. } => {
                self.lasting.storage.see(&world.storage, &world.drives);
                **kept = world;
            }
            Run::Broken => {}
        }
    }

    /// The account of that name; logged on when it is spoken of for the first time.
    fn account(&self, name: &str) -> Sid {
        let (sid, is_new) = self.accounts().sid(name);
        if is_new {
            self.log_on(sid.clone());
        }
        sid
    }

    fn log_on(&self, user: Sid) {
        let Some(turn) = self.world_turns.take() else { return self.world_turns.log_on_later(user) };
        drop(turn);
        self.change_world(|world| world.log_on(user));
    }

    /// Waits in real time; the service tells of every change.
    fn wait_real(&self, mut there: impl FnMut() -> bool, within: Duration) -> Result<bool, TimeError> {
        if running::is_in_callback(&self.lasting.clock) {
            return Err(TimeError::InCallback);
        }
        let end = Instant::now().checked_add(within);
        while !there() {
            let left = end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            match self.service() {
                Some(service) if !left.is_zero() => service.wait_turn(left),
                _ => return Ok(there()),
            }
        }
        Ok(true)
    }

    fn log(&self, text: &str) {
        tracing::info!("{text}");
        self.lasting.timeline.push(self.lasting.clock.now(), None, What::Service(text.into()));
    }

    /// A job goes on without what nobody can open any more.
    fn log_loss(&self, job: Guid) {
        let text = "its credentials and custom headers are lost: the key of the queue is gone or another";
        tracing::warn!(%job, "{text}");
        self.lasting.timeline.push(self.lasting.clock.now(), Some(job), What::Service(text.into()));
    }

    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
