//! The clock that a test moves.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bits_api::FileTime;

use super::{Ends, Line, Monotonic, Now};

/// Something that lives by a virtual clock: an emulator.
pub trait Participant: Send + Sync {
    /// When it wants to be ticked next.
    fn next_deadline(&self) -> Option<Monotonic>;

    /// The clock has moved: do what is due.
    fn tick(&self);

    /// What still runs, in words; `None` when everything has settled or is parked.
    fn running(&self) -> Option<String>;

    /// The state of things, for a person whose test hangs.
    fn explain(&self) -> String;
}

/// Nothing has settled for too long.
#[derive(Debug)]
pub struct Stuck {
    /// What still runs, and the state of things.
    pub report: String,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report)
    }
}

impl std::error::Error for Stuck {}

/// A clock that moves only when it is told to.
///
/// It belongs to the test and outlives restarts of the service. Several emulators and origins may
/// share one.
pub struct VirtualClock {
    state: Mutex<State>,
    changed: Condvar,
    patience: Duration,
}

impl Default for VirtualClock {
    fn default() -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), patience: Self::PATIENCE }
    }
}

struct State {
    monotonic: Monotonic,
    wall: FileTime,
    changes: u64,
    next_sleeper: u64,
    sleepers: BTreeMap<(Monotonic, u64), Option<Waker>>,
    lines: HashMap<Ends, Weak<Line>>,
    participants: Vec<Weak<dyn Participant>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            monotonic: Monotonic::default(),
            wall: VirtualClock::START,
            changes: 0,
            next_sleeper: 0,
            sleepers: BTreeMap::new(),
            lines: HashMap::new(),
            participants: Vec::new(),
        }
    }
}

impl VirtualClock {
    /// What the wall shows when a new clock starts: 2026-01-01 00:00 UTC.
    pub const START: FileTime = FileTime::from_unix_seconds(1_767_225_600);

    /// How long real time may pass without any change before [`VirtualClock::settle`] gives up.
    pub const PATIENCE: Duration = Duration::from_secs(20);

    /// A clock at [`VirtualClock::START`].
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// This moment.
    pub fn now(&self) -> Now {
        let state = self.lock();
        Now { monotonic: state.monotonic, wall: state.wall }
    }

    /// Sets the wall clock, as a user would; timers do not notice.
    pub fn set_wall(&self, wall: FileTime) {
        self.lock().wall = wall;
        self.changed();
    }

    /// Lets `participant` live by this clock for as long as it exists.
    pub fn join(&self, participant: Weak<dyn Participant>) {
        self.lock().participants.push(participant);
    }

    /// Something that [`VirtualClock::settle`] waits for may have changed.
    pub fn changed(&self) {
        self.lock().changes += 1;
        self.changed.notify_all();
    }

    /// Waits until the clock has reached `until`. Whoever sleeps inside a request holds its
    /// [`Line`] meanwhile.
    pub fn sleep_until(self: &Arc<Self>, until: Monotonic) -> Sleep {
        let mut state = self.lock();
        state.next_sleeper += 1;
        let key = (until, state.next_sleeper);
        state.sleepers.insert(key, None);
        drop(state);
        Sleep { clock: Arc::clone(self), key }
    }

    /// Whether the client of a connection, which has read `read` bytes of its answers and waits,
    /// waits for something that this clock or a test decides.
    pub fn is_parked(&self, ends: Ends, read: u64) -> bool {
        let line = self.lock().lines.get(&ends).and_then(Weak::upgrade);
        line.is_some_and(|line| line.is_parked_at(read))
    }

    /// Waits until nothing runs any more, without moving the time.
    ///
    /// # Errors
    /// [`Stuck`] when nothing has changed for [`VirtualClock::PATIENCE`] of real time.
    pub fn settle(&self) -> Result<(), Stuck> {
        let mut seen = self.lock().changes;
        let mut since = Instant::now();
        loop {
            let running = self.participants().iter().find_map(|p| p.running());
            let state = self.lock();
            if state.changes != seen {
                seen = state.changes;
                since = Instant::now();
                continue;
            }
            let Some(running) = running else { return Ok(()) };
            let patience = self.patience.saturating_sub(since.elapsed());
            if patience.is_zero() {
                drop(state);
                return Err(self.stuck(&running));
            }
            drop(self.changed.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Lets `duration` pass: settles, steps to the next deadline, and so on.
    ///
    /// # Errors
    /// Those of [`VirtualClock::settle`].
    pub fn advance(&self, duration: Duration) -> Result<(), Stuck> {
        let end = self.now().monotonic.plus(duration);
        let mut pace = Pace::default();
        self.settle()?;
        while let Some(deadline) = self.next_deadline().filter(|deadline| *deadline <= end) {
            self.step_to(deadline);
            pace.check(self)?;
            self.settle()?;
        }
        self.step_to(end);
        self.settle()
    }

    /// Lets `duration` pass in one step: whatever was due in it is due at its end. Waits for
    /// nothing, before or after.
    pub fn skip(&self, duration: Duration) {
        self.step_to(self.now().monotonic.plus(duration));
    }

    /// Jumps from deadline to deadline until `predicate` holds, but not past `limit`. Returns
    /// whether it held.
    ///
    /// # Errors
    /// Those of [`VirtualClock::settle`].
    pub fn run_until(&self, mut predicate: impl FnMut() -> bool, limit: Duration) -> Result<bool, Stuck> {
        let end = self.now().monotonic.plus(limit);
        let mut pace = Pace::default();
        loop {
            self.settle()?;
            pace.check(self)?;
            if predicate() {
                return Ok(true);
            }
            match self.next_deadline().filter(|deadline| *deadline <= end) {
                Some(deadline) => self.step_to(deadline),
                None if self.now().monotonic < end => self.step_to(end),
                None => return Ok(false),
            }
        }
    }

    pub(super) fn add_line(&self, ends: Ends, line: Weak<Line>) {
        self.lock().lines.insert(ends, line);
        self.changed();
    }

    /// Removes a line unless a newer connection has taken its addresses.
    pub(super) fn remove_line(&self, ends: Ends) {
        let mut state = self.lock();
        if state.lines.get(&ends).is_some_and(|line| line.strong_count() == 0) {
            state.lines.remove(&ends);
        }
        drop(state);
        self.changed();
    }

    fn next_deadline(&self) -> Option<Monotonic> {
        let sleeper = self.lock().sleepers.keys().next().map(|(until, _)| *until);
        self.participants().iter().filter_map(|p| p.next_deadline()).chain(sleeper).min()
    }

    /// Moves both scales to `to`, wakes who slept until then and ticks every participant.
    fn step_to(&self, to: Monotonic) {
        let mut state = self.lock();
        let passed = to.since(state.monotonic);
        state.monotonic = state.monotonic.plus(passed);
        state.wall = state.wall.plus(passed);
        let later = state.sleepers.split_off(&(to.plus(Duration::from_nanos(1)), 0));
        let due = std::mem::replace(&mut state.sleepers, later);
        drop(state);
        for waker in due.into_values().flatten() {
            waker.wake();
        }
        for participant in self.participants() {
            participant.tick();
        }
        self.changed();
    }

    fn participants(&self) -> Vec<Arc<dyn Participant>> {
        let mut state = self.lock();
        state.participants.retain(|participant| participant.strong_count() > 0);
        state.participants.iter().filter_map(Weak::upgrade).collect()
    }

    fn stuck(&self, running: &str) -> Stuck {
        let mut report = format!("nothing changed for {:?} of real time; still running: {running}", self.patience);
        for participant in self.participants() {
            report.push('\n');
            report.push_str(&participant.explain());
        }
        Stuck { report }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for VirtualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualClock").field("now", &self.now()).finish_non_exhaustive()
    }
}

/// Notices a deadline that comes back for ever, though the time does not move.
#[derive(Default)]
struct Pace {
    at: Monotonic,
    steps: u32,
}

impl Pace {
    /// So many deadlines at one moment are somebody's bug, not somebody's work.
    const MOST: u32 = 100_000;

    fn check(&mut self, clock: &VirtualClock) -> Result<(), Stuck> {
        let now = clock.now().monotonic;
        self.steps = if now == self.at { self.steps + 1 } else { 0 };
        self.at = now;
        if self.steps < Self::MOST { Ok(()) } else { Err(clock.stuck("a deadline that has passed and is never met")) }
    }
}

/// A wait on the virtual clock.
#[derive(Debug)]
pub struct Sleep {
    clock: Arc<VirtualClock>,
    key: (Monotonic, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        if state.monotonic >= self.key.0 {
            state.sleepers.remove(&self.key);
            return Poll::Ready(());
        }
        state.sleepers.insert(self.key, Some(cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        // The waker is dropped after the lock: it may own the task that this wait was a part of.
        let waker = self.clock.lock().sleepers.remove(&self.key);
        drop(waker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Hanging;

    impl Participant for Hanging {
        fn next_deadline(&self) -> Option<Monotonic> {
            None
        }

        fn tick(&self) {}

        fn running(&self) -> Option<String> {
            Some("the attempt that hangs".into())
        }

        fn explain(&self) -> String {
            "job 1 is CONNECTING".into()
        }
    }

    #[test]
    fn a_clock_whose_patience_is_over_says_what_hangs() {
        let clock = VirtualClock { patience: Duration::ZERO, ..VirtualClock::default() };
        let hanging: Arc<dyn Participant> = Arc::new(Hanging);
        clock.join(Arc::downgrade(&hanging));

        for stuck in [
            clock.settle().unwrap_err(),
            clock.advance(Duration::from_secs(1)).unwrap_err(),
            clock.run_until(|| true, Duration::from_secs(1)).unwrap_err(),
        ] {
            let report = stuck.to_string();
            assert!(report.contains("the attempt that hangs") && report.contains("job 1 is CONNECTING"), "{report}");
        }
        assert_eq!(clock.now().monotonic, Monotonic::default());
    }
}
