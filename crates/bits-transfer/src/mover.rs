//! Who carries attempts out.

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use bits_api::{ErrorContext, Hresult};
use bits_wire::attempt::{
    AttemptEnd, AttemptId, AttemptPlan, AttemptReport, ChainId, Failure, Mover, Reports, Vetting,
};
use bits_wire::download::decided;
use bits_world::clock::{Activity, Clock};
use bits_world::{Decisions, LocalStorage, Profile};
use tokio::sync::watch;

use crate::attempt::{Left, carry_out};
use crate::link::Network;
use crate::partial::Gate;
use crate::parties;
use crate::runtime::Desk;
use crate::socket::Meter;
use crate::spares::Spares;
use crate::throttle::{Pace, Throttle};
use crate::tls::Trust;
use crate::turns::{Turn, Turns};

/// Carries out attempts over real sockets, on a few threads that every mover of the process shares.
///
/// Each chain of attempts has at most one connection, which nobody else uses meanwhile; what it leaves
/// when it is released may serve another for a while, if nobody is known by it. Dropping the mover
/// shuts it down.
pub struct HttpMover {
    shared: Arc<Shared>,
    desk: Desk,
}

struct Shared {
    network: Network,
    /// Where attempts with a limit wait.
    throttle: Arc<Throttle>,
    attempts: Mutex<BTreeMap<AttemptId, Arc<Control>>>,
    /// Connections that wait for the next attempt of their chain, and what goes with them.
    left: Mutex<HashMap<ChainId, Left>>,
    turns: Turns,
}

impl HttpMover {
    /// A mover that lives by `clock`, with the file version of BITS' library that its requests
    /// tell, such as `7.8`. It trusts the certificates
    /// in `trusted`, PEM texts, beside the machine's own roots.
    ///
    /// # Errors
    /// One line that names the entry of `trusted` that holds no certificate.
    pub fn new(clock: Clock, library: &str, decisions: &Decisions, trusted: &[String]) -> Result<Self, String> {
        let trust = Arc::new(Trust::new(trusted, &clock)?);
        let throttle = Throttle::new(&clock);
        let (library, decisions) = (library.to_owned(), decisions.clone());
        let spares = clock.as_virtual().is_none().then(|| Spares::new(&decisions));
        let network = Network {
            clock,
            library,
            stall: decisions.stall_timeout(),
            manner: parties::manner(Profile::default(), &decisions),
            decisions,
            trust,
            storage: LocalStorage::default(),
            spares,
        };
        Ok(Self {
            shared: Arc::new(Shared {
                throttle,
                network,
                attempts: Mutex::default(),
                left: Mutex::default(),
                turns: Turns::default(),
            }),
            desk: Desk::new(),
        })
    }

    /// Asks `storage` before it touches local files.
    #[must_use]
    pub fn on(mut self, storage: LocalStorage) -> Self {
        // Nobody else has it before the first attempt.
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.network.storage = storage;
        }
        self
    }

    /// Plays this BITS, in place of the newest.
    #[must_use]
    pub fn playing(mut self, profile: Profile) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.network.manner = parties::manner(profile, &shared.network.decisions);
        }
        self
    }
}

impl Mover for HttpMover {
    fn start(&self, plan: AttemptPlan, reports: Reports) {
        let shared = Arc::clone(&self.shared);
        let pace = Pace::new(plan.attempt, &shared.throttle, plan.limit);
        let turn = shared.turns.of(&plan.vetting);
        let control = Control::new(pace, reports, plan.vetting.clone(), turn, &shared.network.clock);
        lock(&shared.attempts).insert(plan.attempt, Arc::clone(&control));
        shared.changed();
        let activity = Arc::clone(&control.activity);
        let worker = self.desk.worker(plan.chain);
        let is_watched = shared.network.clock.as_virtual().is_some();
        let work = async move { shared.carry_out(plan, &control).await };
        // Only a virtual clock asks whether anything moves.
        if is_watched {
            worker.spawn(activity.watch(work))
        } else {
            worker.spawn(work)
        };
    }

    fn proceed(&self, attempt: AttemptId) {
        self.shared.signal(attempt, |signals| signals.proceeds += 1);
    }

    fn limit(&self, attempt: AttemptId, limit: Option<u32>) {
        let control = lock(&self.shared.attempts).get(&attempt).cloned();
        if let Some(control) = control {
            control.pace.set(limit);
        }
    }

    fn stop(&self, attempt: AttemptId) {
        self.shared.signal(attempt, |signals| signals.stop = true);
    }

    fn release(&self, chain: ChainId) {
        self.desk.release(chain);
        let released = lock(&self.shared.left).remove(&chain);
        if let Some(spares) = &self.shared.network.spares
            && let Some(link) = released.and_then(Left::into_link)
        {
            spares.keep(link);
        }
    }

    fn shut_down(&self) {
        let attempts = mem::take(&mut *lock(&self.shared.attempts));
        for control in attempts.into_values() {
            control.gate.shut();
            control.signals.send_modify(|signals| signals.stop = true);
        }
        lock(&self.shared.left).clear();
        if let Some(spares) = &self.shared.network.spares {
            spares.clear();
        }
        self.shared.changed();
    }

    fn running(&self) -> Option<String> {
        let clock = &self.shared.network.clock;
        lock(&self.shared.attempts).values().find_map(|control| control.running(clock))
    }
}

impl Drop for HttpMover {
    fn drop(&mut self) {
        self.shut_down();
    }
}

impl Shared {
    async fn carry_out(&self, plan: AttemptPlan, control: &Control) {
        let (attempt, chain) = (plan.attempt, plan.chain);
        let left = lock(&self.left).remove(&chain).unwrap_or_default();
        // What an attempt keeps in hand is too much for whoever waits for it to carry along.
        let ended = survived(Box::pin(carry_out(&self.network, plan, control, left))).await;
        // The runtime swallows a panic, and nobody else would tell of the end.
        let (end, left) = ended.unwrap_or((AttemptEnd::Failed(PANICKED), Left::default()));
        let end = match end {
            AttemptEnd::Failed(failure) => AttemptEnd::Failed(decided(failure, &self.network.decisions)),
            end => end,
        };
        // Before the end is told: the next attempt of the chain may begin at once.
        if left.is_of_use() && !control.gate.is_shut() {
            lock(&self.left).insert(chain, left);
        }
        control.report(AttemptReport::Ended(end));
        lock(&self.attempts).remove(&attempt);
        self.changed();
    }

    fn signal(&self, attempt: AttemptId, change: impl FnOnce(&mut Signals)) {
        if let Some(control) = lock(&self.attempts).get(&attempt) {
            control.signals.send_modify(change);
        }
    }

    /// Tells a virtual clock that something may have settled.
    fn changed(&self) {
        if let Some(clock) = self.network.clock.as_virtual() {
            clock.changed();
        }
    }
}

/// The failure of an attempt that has panicked: a defect of ours, which trying again does not mend.
const PANICKED: Failure = Failure { code: Hresult::E_UNEXPECTED, context: ErrorContext::UNKNOWN, transient: false };

/// What `work` comes to, or `None` when it panics; it is dropped in both cases.
async fn survived<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    // What has panicked is not looked at again.
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Some),
        Err(_) => Poll::Ready(None),
    })
    .await
}

/// What an attempt and its mover share.
pub(crate) struct Control {
    /// How fast the attempt may be.
    pub(crate) pace: Pace,
    reports: Reports,
    pub(crate) signals: watch::Sender<Signals>,
    pub(crate) gate: Arc<Gate>,
    activity: Arc<Activity>,
    standing: Mutex<Standing>,
    vetting: Vetting,
    /// When its application may be asked.
    pub(crate) turn: Arc<Turn>,
}

/// What an attempt has been told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signals {
    pub(crate) stop: bool,
    /// How often what it learned has gone on record.
    pub(crate) proceeds: u32,
}

/// What an attempt is about.
pub(crate) enum Standing {
    /// It looks at files, resolves a name, connects.
    Connecting,
    /// It waits for its server, from the handshake of TLS on.
    Talking(Arc<Meter>),
    /// It waits for [`Mover::proceed`].
    AwaitingRecord,
    /// It waits until its limit of bandwidth lets bytes pass that have come.
    Throttled,
    /// It reads a file of a share or a drive.
    Copying,
}

impl Control {
    fn new(pace: Pace, reports: Reports, vetting: Vetting, turn: Arc<Turn>, clock: &Clock) -> Arc<Self> {
        Arc::new(Self {
            pace,
            reports,
            signals: watch::Sender::default(),
            gate: Arc::default(),
            activity: Activity::new(clock.as_virtual().cloned()),
            standing: Mutex::new(Standing::Connecting),
            vetting,
            turn,
        })
    }

    /// Reports, unless the mover has been shut down.
    pub(crate) fn report(&self, report: AttemptReport) {
        if !self.gate.is_shut() {
            (self.reports)(self.pace.attempt(), report);
        }
    }

    pub(crate) fn stand(&self, standing: Standing) {
        *lock(&self.standing) = standing;
    }

    /// What the attempt does by itself, in words; `None` while a virtual clock or a test holds it.
    fn running(&self, clock: &Clock) -> Option<String> {
        let attempt = self.pace.attempt().0;
        let is_asking = || matches!(&self.vetting, Vetting::By(vetter) if vetter.is_asking());
        if (is_asking() || self.turn.is_waiting()) && self.activity.is_idle() {
            return None;
        }
        match &*lock(&self.standing) {
            Standing::Connecting => Some(format!("attempt {attempt} connects")),
            Standing::Copying => Some(format!("attempt {attempt} copies a file")),
            Standing::AwaitingRecord => Some(format!("attempt {attempt} waits until its file is on record")),
            Standing::Throttled => (!self.activity.is_idle()).then(|| format!("attempt {attempt} goes on at its pace")),
            Standing::Talking(meter) => {
                let parked = self.activity.is_idle()
                    && !meter.is_write_blocked()
                    && clock.as_virtual().is_some_and(|clock| clock.is_parked(meter.ends, meter.read()));
                (!parked).then(|| format!("attempt {attempt} talks to its server from {}", meter.ends.client))
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "mover_tests.rs"]
mod tests;
