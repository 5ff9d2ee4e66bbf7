//! Whether a task has anything left to do.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::VirtualClock;

/// What is known of one task from outside: whether it runs or will run again by itself, and how
/// many bytes it has read from, or written to, its socket.
///
/// A task is idle when its last poll returned without a result and nothing has woken it since:
/// all that had arrived was worked off. Bytes that the kernel still holds show as a difference
/// between what one end has written and the other has read.
#[derive(Debug, Default)]
pub struct Activity {
    rest: Mutex<Rest>,
    bytes: AtomicU64,
    write_blocked: AtomicBool,
    clock: Option<Arc<VirtualClock>>,
}

/// Whether a task has come to rest, and what could still rouse it.
#[derive(Debug, Default)]
struct Rest {
    idle: bool,
    wakes_begun: u64,
    wakes_done: u64,
}

impl Activity {
    /// The activity of a task that has not begun; changes are told to `clock`.
    pub fn new(clock: Option<Arc<VirtualClock>>) -> Arc<Self> {
        Arc::new(Self { clock, ..Self::default() })
    }

    /// Counts bytes that have crossed the socket.
    pub fn add_bytes(&self, count: usize) {
        self.bytes.fetch_add(count as u64, Ordering::SeqCst);
    }

    /// Tells whether the last write to the socket could not be done at once.
    pub fn set_write_blocked(&self, blocked: bool) {
        self.write_blocked.store(blocked, Ordering::SeqCst);
    }

    /// Bytes that have crossed the socket.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }

    /// Whether the task waits with nothing left to do.
    pub fn is_idle(&self) -> bool {
        self.rest().idle && !self.write_blocked.load(Ordering::SeqCst)
    }

    /// Wraps `future` so that this activity follows it.
    pub fn watch<F: Future>(self: &Arc<Self>, future: F) -> Watched<F> {
        Watched { future: Box::pin(future), activity: Arc::clone(self) }
    }

    /// The task runs, or will by itself. Returns how many wakes were over by then.
    ///
    /// The clock is told of this direction too: whoever looks at several tasks one after another
    /// must notice that one has roused another behind its back.
    fn rouse(&self, wakes_begin: u64) -> u64 {
        let mut rest = self.rest();
        rest.wakes_begun += wakes_begin;
        let (was_idle, wakes_done) = (std::mem::take(&mut rest.idle), rest.wakes_done);
        drop(rest);
        if was_idle {
            self.tell_clock();
        }
        wakes_done
    }

    /// The task waits. Refused when a wake was under way that was not among the `wakes_done` at
    /// the begin of the poll: it may be followed by another poll.
    fn come_to_rest(&self, wakes_done: u64) -> bool {
        let mut rest = self.rest();
        rest.idle = rest.wakes_begun == wakes_done;
        let idle = rest.idle;
        drop(rest);
        if idle {
            self.tell_clock();
        }
        idle
    }

    fn tell_clock(&self) {
        if let Some(clock) = &self.clock {
            clock.changed();
        }
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A future whose [`Activity`] is followed.
pub struct Watched<F> {
    future: Pin<Box<F>>,
    activity: Arc<Activity>,
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let wakes_done = self.activity.rouse(0);
        let waker = Watching { activity: Arc::clone(&self.activity), inner: cx.waker().clone() };
        let polled = self.future.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::new(waker))));
        if polled.is_pending() && !self.activity.come_to_rest(wakes_done) {
            // Whether that wake leads to another poll is unknown, so one is asked for.
            cx.waker().wake_by_ref();
        }
        polled
    }
}

/// Counts on the activity rather than on itself, since a future may keep the waker of any poll.
struct Watching {
    activity: Arc<Activity>,
    inner: Waker,
}

impl Wake for Watching {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.activity.rouse(1);
        self.inner.wake_by_ref();
        self.activity.rest().wakes_done += 1;
    }
}
