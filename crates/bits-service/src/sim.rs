//! Simulated transfers: files, failures and folders in memory, without a socket or a byte.
//!
//! For tests of what BITS decides. A transfer takes no time, but for one under a limit of bandwidth
//! on a virtual clock; one that must be looked at while it runs is held. An attempt asks its server
//! once, however many requests that were over HTTP. Choices of [`bits_world::Decisions`] about headers,
//! certificates and single requests show over HTTP only.

mod downloads;
mod guards;
mod pace;
mod redirects;
mod uploads;
mod ways;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bits_api::{FileTime, Hresult};
use bits_transfer::find_on_drive;
use bits_wire::attempt::{
    AttemptEnd, AttemptId, AttemptPlan, AttemptReport, ChainId, Disk, ERROR_FILE_INVALID, Failure, Mover, Probe,
    Reports, Validators, Work,
};
use bits_wire::download::decided;
use bits_wire::proxy::{Hop, ProxyServer};
use bits_wire::spans::Span;
use bits_world::{Decisions, LocalStorage, Sid};

use bits_world::clock::{Clock, Monotonic, Participant};
use downloads::Fetched;
pub use downloads::SimServer;
use guards::Line;
pub use guards::{SimGuard, SimScheme};
use pace::Pace;
use redirects::{Journey, Redirect};
use uploads::Uploads;
pub use uploads::{SimReply, SimUpload, SimUploadStage};

/// A simulated network with its servers, and a simulated disk.
///
/// Clones share their state; it outlives restarts of the service.
#[derive(Clone, Default)]
pub struct Simulation(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    remote: HashMap<String, Remote>,
    local: BTreeMap<PathBuf, u64>,
    attempts: BTreeMap<SimulatedAttempt, Attempt>,
    movers: u64,
    started: Vec<String>,
    /// Proxies that nobody can reach.
    sunk: HashSet<ProxyServer>,
    /// Those that want to know who asks.
    proxies: HashMap<ProxyServer, SimGuard>,
    /// Connections that wait for the next attempt of their chain.
    lines: HashMap<(u64, ChainId), Line>,
    ways: Vec<(String, Hop)>,
    uploads: Uploads,
}

/// An attempt by the mover that carries it out: each service numbers its own.
type SimulatedAttempt = (u64, AttemptId);

#[derive(Default)]
struct Remote {
    validators: Option<Validators>,
    failures: VecDeque<SimFailure>,
    /// Who may read it, if not everybody.
    readers: Option<BTreeSet<Sid>>,
    hold: Option<SimHold>,
    guard: Option<SimGuard>,
    server: SimServer,
    /// Where whoever asks is sent instead.
    redirect: Option<Redirect>,
    /// What was moved, in order.
    moved: Vec<Span>,
}

/// Where a simulated transfer stops until it is let go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SimHold {
    /// The server has not answered yet: the job is CONNECTING.
    Connecting,
    /// That many bytes have arrived: the job is TRANSFERRING.
    Transferring(u64),
}

/// A failure of one attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SimFailure {
    /// Bytes of the file that are there when it fails; `None` fails the connection itself.
    pub at: Option<u64>,
    /// What the attempt ends with.
    pub failure: Failure,
}

struct Attempt {
    plan: AttemptPlan,
    journey: Journey,
    /// What is reported before the next step.
    news: VecDeque<AttemptReport>,
    reports: Reports,
    step: Step,
    /// How fast it may be, if it is not as fast as it can.
    pace: Option<Pace>,
    fetched: Fetched,
    storage: LocalStorage,
    decisions: Decisions,
    /// The way that it has taken, and the connection there.
    hop: Option<Hop>,
    line: Option<Line>,
}

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Connecting,
    /// The server has answered.
    Answered,
    AwaitingProceed,
    Moving,
}

impl Simulation {
    /// A simulation without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves a file of `size` bytes at `url`; replaces what was there.
    pub fn serve(&self, url: &str, size: u64) {
        self.serve_version(url, Validators { size, last_modified: Some(FileTime::from_unix_seconds(1_600_000_000)) });
    }

    /// Serves a file with these validators at `url`; replaces what was there.
    pub fn serve_version(&self, url: &str, validators: Validators) {
        let mut state = self.lock();
        let remote = state.remote.entry(url.into()).or_default();
        (remote.validators, remote.redirect) = (Some(validators), None);
    }

    /// Lets the next attempt on `url` fail; several failures are used up in order.
    pub fn fail_next(&self, url: &str, failure: SimFailure) {
        self.lock().remote.entry(url.into()).or_default().failures.push_back(failure);
    }

    /// Holds every attempt on `url` at that point until [`Simulation::let_go`].
    pub fn hold(&self, url: &str, hold: SimHold) {
        self.lock().remote.entry(url.into()).or_default().hold = Some(hold);
    }

    /// Lets attempts on `url` go on.
    pub fn let_go(&self, url: &str) {
        self.hold_at(url, None);
    }

    /// Lets attempts on `url` go on until that many bytes have arrived.
    pub fn move_to(&self, url: &str, bytes: u64) {
        self.hold_at(url, Some(SimHold::Transferring(bytes)));
    }

    fn hold_at(&self, url: &str, hold: Option<SimHold>) {
        self.lock().remote.entry(url.into()).or_default().hold = hold;
        let waiting: Vec<SimulatedAttempt> =
            self.lock().attempts.iter().filter(|(_, a)| a.journey.is_at(url)).map(|(id, _)| *id).collect();
        for attempt in waiting {
            self.go_on(attempt);
        }
    }

    /// Lets these users alone read `url`: whoever else's job asks for it is denied access.
    pub fn allow_only(&self, url: &str, users: impl IntoIterator<Item = Sid>) {
        self.lock().remote.entry(url.into()).or_default().readers = Some(users.into_iter().collect());
    }

    /// The length of a local file, if it is there.
    pub fn local_length(&self, path: &Path) -> Option<u64> {
        self.lock().local.get(path).copied()
    }

    /// Makes a local file of `length` bytes; replaces what was there.
    pub fn put_file(&self, path: &Path, length: u64) {
        self.lock().local.insert(path.to_owned(), length);
    }

    /// Lets a local file vanish, as another program does that deletes it.
    pub fn lose_file(&self, path: &Path) {
        self.lock().local.remove(path);
    }

    /// The names of all local files.
    pub fn local_files(&self) -> Vec<PathBuf> {
        self.lock().local.keys().cloned().collect()
    }

    /// The remote names of all attempts so far, in the order in which they began.
    pub fn started(&self) -> Vec<String> {
        self.lock().started.clone()
    }

    /// Takes an attempt as far as it comes, reporting without the lock.
    fn go_on(&self, id: SimulatedAttempt) {
        loop {
            let Some((reports, report)) = self.lock().step(id) else { return };
            let ended = matches!(report, AttemptReport::Ended(_));
            let connected = matches!(report, AttemptReport::Connected { .. } | AttemptReport::SessionOpen { .. });
            reports(id.1, report);
            if ended || connected {
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The next report of an attempt, or `None` while it waits or is no more.
    fn step(&mut self, id: SimulatedAttempt) -> Option<(Reports, AttemptReport)> {
        let way = self.take_way(id);
        let attempt = self.attempts.get_mut(&id)?;
        if let Err(failure) = way {
            attempt.news.push_back(failed(failure));
        }
        let remote = self.remote.entry(attempt.journey.place().to_owned()).or_default();
        let is_fetch = matches!(attempt.plan.work, Work::Download | Work::Reply { .. });
        let news = attempt.news.pop_front();
        if let Some(source) = &attempt.plan.fetch.source {
            remote.validators = self.uploads.version(&source.path, &self.local);
        }
        let report = match attempt.step {
            _ if news.is_some() => news?,
            Step::Connecting if remote.hold == Some(SimHold::Connecting) => return None,
            Step::Connecting => {
                if let Some(refusal) = remote.take_refusal() {
                    refusal
                } else if attempt.plan.fetch.source.is_some() {
                    downloads::connect(attempt, remote, &mut self.local)
                } else {
                    match guards::pass(attempt, remote, &self.proxies) {
                        Err(failure) => attempt.news.push_back(failed(failure)),
                        Ok(()) if is_fetch => redirects::ask(attempt, remote),
                        Ok(()) => {
                            let answer = self.uploads.connect(attempt, remote, &self.local);
                            attempt.news.push_back(answer);
                        }
                    }
                    attempt.news.pop_front()?
                }
            }
            Step::Answered => downloads::connect(attempt, remote, &mut self.local),
            Step::AwaitingProceed => return None,
            Step::Moving if is_fetch => downloads::transfer(attempt, remote, &mut self.local)?,
            Step::Moving => self.uploads.send(attempt, &mut self.remote, &self.local)?,
        };
        if report == AttemptReport::Ended(AttemptEnd::Done) {
            self.uploads.reply_fetched(attempt);
        }
        let report = match report {
            // What a server makes of an upload is documented.
            AttemptReport::Ended(AttemptEnd::Failed(failure)) if is_fetch => {
                failed(decided(failure, &attempt.decisions))
            }
            report => report,
        };
        let reports = Arc::clone(&attempt.reports);
        if let AttemptReport::Ended(end) = &report {
            let is_kept = matches!(end, AttemptEnd::Done | AttemptEnd::Uploaded { .. });
            if let Some(Attempt { plan, line: Some(line), .. }) = self.attempts.remove(&id).filter(|_| is_kept) {
                self.lines.insert((id.0, plan.chain), line);
            }
        }
        Some((reports, report))
    }
}

fn failed(failure: Failure) -> AttemptReport {
    AttemptReport::Ended(AttemptEnd::Failed(failure))
}

/// Moves a file of `size` bytes as far as holds, failures and its pace let it: what is to be
/// reported of that, `Some(None)` once the whole file is there, `None` while it waits.
#[expect(clippy::option_option, reason = "held, at its end, and something to tell are three things")]
fn moved_to(remote: &mut Remote, size: u64, have: &mut u64, pace: Option<&mut Pace>) -> Option<Option<AttemptReport>> {
    let failure = remote.failures.front().copied();
    let until = match (remote.hold, failure.and_then(|failure| failure.at)) {
        (Some(SimHold::Transferring(hold)), Some(fail)) => hold.min(fail),
        (Some(SimHold::Transferring(stop)), None) | (_, Some(stop)) => stop,
        (_, None) => size,
    };
    let stop = until.min(size);
    let reach = pace.map_or(stop, |pace| pace.reach(*have, stop));
    if *have < reach {
        *have = reach;
        return Some(Some(AttemptReport::Progress { have: *have }));
    }
    if reach < stop {
        return None;
    }
    match failure {
        Some(SimFailure { at: Some(at), failure }) if *have >= at.min(size) => {
            remote.failures.pop_front();
            Some(Some(AttemptReport::Ended(AttemptEnd::Failed(failure))))
        }
        _ if matches!(remote.hold, Some(SimHold::Transferring(_))) => None,
        _ => Some(None),
    }
}

/// The mover of one run of a service over a simulation, which several may share.
pub(crate) struct SimulatedMover {
    simulation: Simulation,
    number: u64,
    clock: Clock,
    storage: LocalStorage,
    decisions: Decisions,
}

impl SimulatedMover {
    /// A mover that goes by these decisions, and takes its time, where it has to, from `clock`.
    pub(crate) fn new(
        simulation: &Simulation,
        clock: &Clock,
        decisions: &Decisions,
        storage: &LocalStorage,
    ) -> Arc<Self> {
        let mut state = simulation.lock();
        state.movers += 1;
        let (number, clock, storage) = (state.movers, clock.clone(), storage.clone());
        let decisions = decisions.clone();
        let mover = Arc::new(Self { simulation: simulation.clone(), number, clock, storage, decisions });
        drop(state);
        if let Some(clock) = mover.clock.as_virtual() {
            clock.join(Arc::downgrade(&mover) as Weak<dyn Participant>);
        }
        mover
    }

    fn pace(&self, limit: Option<u32>) -> Option<Pace> {
        Some(Pace::new(limit?, self.clock.as_virtual()?))
    }

    fn id(&self, attempt: AttemptId) -> SimulatedAttempt {
        (self.number, attempt)
    }
}

impl Mover for SimulatedMover {
    fn start(&self, mut plan: AttemptPlan, reports: Reports) {
        plan.local = find_on_drive(&self.simulation, &self.storage, plan.local);
        let id = self.id(plan.attempt);
        let pace = self.pace(plan.limit);
        let mut state = self.simulation.lock();
        state.started.push(plan.url.clone());
        let journey = Journey::new(&plan, &self.decisions, |url| state.remote.contains_key(url));
        let line = state.lines.remove(&(self.number, plan.chain));
        let attempt = Attempt {
            plan,
            journey,
            news: VecDeque::new(),
            reports,
            step: Step::Connecting,
            pace,
            fetched: Fetched::default(),
            storage: self.storage.clone(),
            decisions: self.decisions.clone(),
            hop: None,
            line,
        };
        state.attempts.insert(id, attempt);
        drop(state);
        self.simulation.go_on(id);
    }

    fn proceed(&self, attempt: AttemptId) {
        let id = self.id(attempt);
        if let Some(waiting) = self.simulation.lock().attempts.get_mut(&id) {
            waiting.step = Step::Moving;
        }
        self.simulation.go_on(id);
    }

    fn limit(&self, attempt: AttemptId, limit: Option<u32>) {
        let id = self.id(attempt);
        // Up to now it was as fast as it might be so far.
        self.simulation.go_on(id);
        if let Some(limited) = self.simulation.lock().attempts.get_mut(&id) {
            limited.pace = self.pace(limit);
        }
        self.simulation.go_on(id);
    }

    fn stop(&self, attempt: AttemptId) {
        let stopped = self.simulation.lock().attempts.remove(&self.id(attempt));
        if let Some(Attempt { reports, .. }) = stopped {
            reports(attempt, AttemptReport::Ended(AttemptEnd::Stopped));
        }
    }

    fn release(&self, chain: ChainId) {
        self.simulation.lock().lines.remove(&(self.number, chain));
    }

    fn shut_down(&self) {
        let mut state = self.simulation.lock();
        state.attempts.retain(|(mover, _), _| *mover != self.number);
        state.lines.retain(|(mover, _), _| *mover != self.number);
    }

    fn running(&self) -> Option<String> {
        None
    }
}

/// Attempts under a limit move as the clock does.
impl Participant for SimulatedMover {
    fn next_deadline(&self) -> Option<Monotonic> {
        let state = self.simulation.lock();
        let own = state.attempts.iter().filter(|((mover, _), _)| *mover == self.number);
        own.filter_map(|(_, attempt)| attempt.pace.as_ref()?.due()).min()
    }

    fn tick(&self) {
        let state = self.simulation.lock();
        let paced = |(id, attempt): (&SimulatedAttempt, &Attempt)| {
            (id.0 == self.number && attempt.pace.is_some()).then_some(*id)
        };
        let paced: Vec<_> = state.attempts.iter().filter_map(paced).collect();
        drop(state);
        for attempt in paced {
            self.simulation.go_on(attempt);
        }
    }

    fn running(&self) -> Option<String> {
        None
    }

    fn explain(&self) -> String {
        "simulated transfers wait for the clock alone".to_owned()
    }
}

impl Probe for Simulation {
    fn destination(&self, _path: &Path) -> Result<(), Hresult> {
        Ok(())
    }

    fn source(&self, path: &Path) -> Result<(), Hresult> {
        self.local_length(path).map(|_| ()).ok_or(Hresult::ERROR_FILE_NOT_FOUND)
    }

    fn length(&self, path: &Path) -> Result<Option<u64>, Hresult> {
        Ok(self.local_length(path))
    }
}

impl Disk for Simulation {
    fn publish(
        &self,
        temporary: &Path,
        destination: &Path,
        length: u64,
        _modified: Option<FileTime>,
    ) -> Result<(), Hresult> {
        let mut state = self.lock();
        if *state.local.get(temporary).ok_or(Hresult::ERROR_FILE_NOT_FOUND)? != length {
            return Err(ERROR_FILE_INVALID);
        }
        state.local.remove(temporary);
        state.local.insert(destination.to_owned(), length);
        state.uploads.renamed(temporary, destination);
        Ok(())
    }

    fn read(&self, path: &Path, length: u64) -> Result<Vec<u8>, Hresult> {
        let state = self.lock();
        let size = *state.local.get(path).ok_or(Hresult::ERROR_FILE_NOT_FOUND)?;
        if size < length {
            return Err(ERROR_FILE_INVALID);
        }
        // Files without bytes are full of zeros.
        let mut bytes = state.uploads.content(path).unwrap_or_default().to_vec();
        bytes.resize(usize::try_from(length).map_err(|_| Hresult::E_OUTOFMEMORY)?, 0);
        Ok(bytes)
    }

    fn has(&self, path: &Path) -> bool {
        self.lock().local.keys().any(|file| file.starts_with(path))
    }

    fn names_in(&self, folder: &Path) -> Vec<OsString> {
        let state = self.lock();
        let below = |file: &PathBuf| file.strip_prefix(folder).ok()?.iter().next().map(OsString::from);
        state.local.keys().filter_map(below).collect()
    }

    fn delete(&self, path: &Path) -> Result<(), Hresult> {
        let mut state = self.lock();
        state.local.remove(path);
        state.uploads.deleted(path);
        Ok(())
    }
}
