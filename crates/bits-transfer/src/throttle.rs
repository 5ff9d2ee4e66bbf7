//! How fast attempts may be that have a limit (clauses `policy.max_bandwidth.*`,
//! `policy.bandwidth_limits.*`).
//!
//! A limit is one of the machine: all attempts of a mover that have one share a [`Throttle`] and
//! take turns at it, each at the speed that its own job may have. Nothing gathers while nobody
//! waits there, so that no burst follows a pause, however many small files a job has. Attempts
//! without a limit never come here.
//!
//! Only bytes of files count. This room never reads or keeps any: whoever waits here does not read
//! from the socket meanwhile, and the server feels that.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bits_wire::attempt::AttemptId;
use bits_world::clock::{Clock, Monotonic, Participant};
use tokio::sync::Notify;

use crate::watchdog::sleep_until;

/// What one byte costs, where a nanosecond at one kilobit a second earns one.
const BYTE: u128 = 8_000_000;

/// Bytes a second that one kilobit a second is.
const BYTES: usize = 125;

/// The place where attempts with a limit wait for their bytes.
pub(crate) struct Throttle {
    clock: Clock,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// Who wants bytes; the first is served.
    waiting: VecDeque<Waiting>,
    /// What was earned up to a moment, and not spent.
    earned: u128,
    at: Monotonic,
}

struct Waiting {
    attempt: AttemptId,
    news: Arc<Notify>,
}

/// How much of what was asked for may pass.
enum Served {
    Bytes(usize),
    /// Not a byte: so much may at that moment, or after other news.
    Later(Option<Monotonic>),
}

impl Throttle {
    /// Attempts that wait here wait for `clock`.
    pub(crate) fn new(clock: &Clock) -> Arc<Self> {
        let throttle = Arc::new(Self { clock: clock.clone(), queue: Mutex::default() });
        if let Some(clock) = clock.as_virtual() {
            clock.join(Arc::downgrade(&throttle) as Weak<dyn Participant>);
        }
        throttle
    }

    /// So long a wake may come late, or a server think, without anything being lost; what more
    /// would be earned meanwhile is. A virtual clock wakes in time.
    fn grace(&self) -> Option<Duration> {
        match self.clock {
            Clock::Virtual(_) => None,
            Clock::System(_) => Some(Duration::from_millis(250)),
        }
    }

    /// So many bytes pass between two wakes. On a virtual clock those are as seldom as can be:
    /// whenever it moves, what is due passes anyway.
    fn beat(&self, kilobits: u32) -> usize {
        let second = usize::try_from(kilobits).unwrap_or(usize::MAX).saturating_mul(BYTES);
        match self.clock {
            Clock::Virtual(_) => second,
            Clock::System(_) => second / 20,
        }
    }

    /// Serves an attempt that wants `most` bytes at `kilobits` a second, if it is its turn.
    fn serve(&self, attempt: AttemptId, news: &Arc<Notify>, kilobits: u32, most: usize) -> Served {
        let now = self.clock.now().monotonic;
        let queue = &mut *self.lock();
        queue.earn(now, kilobits, self.grace());
        if !queue.waiting.iter().any(|waiting| waiting.attempt == attempt) {
            queue.waiting.push_back(Waiting { attempt, news: Arc::clone(news) });
        }
        if !queue.is_first(attempt) {
            return Served::Later(None);
        }
        // A few bytes are always earned: whoever took them at once would never come to rest.
        let (least, awaited) = match self.clock {
            Clock::Virtual(_) => (1, most),
            Clock::System(_) => [self.beat(kilobits).clamp(1, most); 2].into(),
        };
        let served = usize::try_from(queue.earned / BYTE).unwrap_or(usize::MAX).min(most);
        if served < least {
            return Served::Later(queue.earned_by(now, awaited, kilobits));
        }
        queue.earned -= served as u128 * BYTE;
        if served == most {
            queue.leave(attempt);
        }
        Served::Bytes(served)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Takes in what is earned by `now` at this speed.
    fn earn(&mut self, now: Monotonic, kilobits: u32, grace: Option<Duration>) {
        let passed = now.since(self.at);
        self.at = now;
        if self.waiting.is_empty() && passed > grace.unwrap_or_default() {
            self.earned = 0;
            return;
        }
        let most = grace.map_or(u128::MAX, |grace| grace.as_nanos() * u128::from(kilobits));
        self.earned = (self.earned + passed.as_nanos() * u128::from(kilobits)).min(most.max(BYTE));
    }

    /// When `bytes` are earned, if ever.
    fn earned_by(&self, now: Monotonic, bytes: usize, kilobits: u32) -> Option<Monotonic> {
        let missing = (bytes as u128 * BYTE).saturating_sub(self.earned);
        let nanoseconds = (kilobits > 0).then(|| missing.div_ceil(kilobits.into()))?;
        Some(now.plus(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))))
    }

    fn is_first(&self, attempt: AttemptId) -> bool {
        self.waiting.front().is_some_and(|first| first.attempt == attempt)
    }

    /// Who leaves the front makes way for the next.
    fn leave(&mut self, attempt: AttemptId) {
        let was_first = self.is_first(attempt);
        self.waiting.retain(|waiting| waiting.attempt != attempt);
        if was_first && let Some(next) = self.waiting.front() {
            next.news.notify_one();
        }
    }
}

/// On a virtual clock bytes pass whenever it moves: a test looks at a job at any moment, and finds
/// each byte that is due.
impl Participant for Throttle {
    fn next_deadline(&self) -> Option<Monotonic> {
        // Whoever waits sleeps on the clock.
        None
    }

    fn tick(&self) {
        if let Some(first) = self.lock().waiting.front() {
            first.news.notify_one();
        }
    }

    fn running(&self) -> Option<String> {
        None
    }

    fn explain(&self) -> String {
        format!("{} attempts wait for their limit of bandwidth", self.lock().waiting.len())
    }
}

/// The speed of one attempt.
pub(crate) struct Pace {
    attempt: AttemptId,
    throttle: Arc<Throttle>,
    limit: Mutex<Option<u32>>,
    news: Arc<Notify>,
}

impl Pace {
    pub(crate) fn new(attempt: AttemptId, throttle: &Arc<Throttle>, limit: Option<u32>) -> Self {
        Self { attempt, throttle: Arc::clone(throttle), limit: Mutex::new(limit), news: Arc::default() }
    }

    pub(crate) fn attempt(&self) -> AttemptId {
        self.attempt
    }

    /// From now on it may be that fast, in kilobits a second; `None` is as fast as it can. Up to
    /// now it was as fast as it might be.
    pub(crate) fn set(&self, limit: Option<u32>) {
        let mut queue = self.throttle.lock();
        if queue.is_first(self.attempt)
            && let Some(before) = self.limit()
        {
            queue.earn(self.throttle.clock.now().monotonic, before, self.throttle.grace());
        }
        *self.lock() = limit;
        drop(queue);
        self.news.notify_one();
    }

    /// The limit, in kilobits a second.
    pub(crate) fn limit(&self) -> Option<u32> {
        *self.lock()
    }

    /// So much is to be read at once: under a limit not more than a beat's worth, so that bytes wait
    /// with the server rather than here.
    pub(crate) fn read_at_most(&self) -> usize {
        const LEAST: usize = 1024;
        const MOST: usize = 1024 * 1024;
        self.limit().map_or(usize::MAX, |kilobits| self.throttle.beat(kilobits).clamp(LEAST, MOST))
    }

    /// Its place among those who wait; dropping it gives the place up.
    pub(crate) fn turn(&self) -> Turn<'_> {
        Turn(self)
    }

    fn lock(&self) -> MutexGuard<'_, Option<u32>> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt that comes for bytes again and again.
pub(crate) struct Turn<'a>(&'a Pace);

impl Turn<'_> {
    /// Waits until some of `most` bytes may pass; how many. At once without a limit.
    ///
    /// Whoever stops waiting in between loses nothing.
    pub(crate) async fn take(&mut self, most: usize) -> usize {
        let Pace { attempt, throttle, news, .. } = self.0;
        loop {
            let Some(kilobits) = self.0.limit() else {
                self.leave();
                return most;
            };
            let most = most.min(self.0.read_at_most());
            match throttle.serve(*attempt, news, kilobits, most) {
                Served::Bytes(count) => return count,
                Served::Later(until) => tokio::select! {
                    biased;
                    () = news.notified() => {}
                    () = sleep(&throttle.clock, until) => {}
                },
            }
        }
    }

    fn leave(&self) {
        self.0.throttle.lock().leave(self.0.attempt);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}

async fn sleep(clock: &Clock, until: Option<Monotonic>) {
    match until {
        Some(until) => sleep_until(clock, until).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_woken_for_a_few_bytes() {
        // 1,000,000 bytes a second: each microsecond earns one.
        const FAST: u32 = 8_000;
        let throttle = Throttle::new(&Clock::system());
        let news = Arc::default();

        for (most, passes) in [(10_000, 10_000), (80_000, 50_000)] {
            let served = std::iter::repeat_with(|| throttle.serve(AttemptId(1), &news, FAST, most));
            let first = served.into_iter().find_map(|served| match served {
                Served::Bytes(count) => Some(count),
                Served::Later(_) => None,
            });
            assert!(first.is_some_and(|count| (passes..=most).contains(&count)), "{first:?} of {most}");
        }
    }
}
