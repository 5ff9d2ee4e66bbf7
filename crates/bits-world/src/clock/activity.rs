//! Whether a task has anything left to do.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
    busy: AtomicBool,
    bytes: AtomicU64,
    write_blocked: AtomicBool,
    clock: Option<Arc<VirtualClock>>,
}

impl Activity {
    /// The activity of a task that has not begun; changes are told to `clock`.
    pub fn new(clock: Option<Arc<VirtualClock>>) -> Arc<Self> {
        Arc::new(Self { busy: AtomicBool::new(true), clock, ..Self::default() })
    }

    /// Counts bytes that have crossed the socket.
    pub fn add_bytes(&self, count: usize) {
        self.bytes.fetch_add(count as u64, Ordering::SeqCst);
    }

    /// Starts the count anew, for another socket.
    pub fn reset_bytes(&self) {
        self.bytes.store(0, Ordering::SeqCst);
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
        !self.busy.load(Ordering::SeqCst) && !self.write_blocked.load(Ordering::SeqCst)
    }

    /// Wraps `future` so that this activity follows it.
    pub fn watch<F: Future>(self: &Arc<Self>, future: F) -> Watched<F> {
        Watched { future: Box::pin(future), activity: Arc::clone(self) }
    }

    fn set_busy(&self, busy: bool) {
        if self.busy.swap(busy, Ordering::SeqCst) != busy
            && !busy
            && let Some(clock) = &self.clock
        {
            clock.changed();
        }
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
        struct Watching {
            activity: Arc<Activity>,
            inner: Waker,
            woken: AtomicBool,
        }

        impl Wake for Watching {
            fn wake(self: Arc<Self>) {
                self.wake_by_ref();
            }

            fn wake_by_ref(self: &Arc<Self>) {
                self.woken.store(true, Ordering::SeqCst);
                self.activity.set_busy(true);
                self.inner.wake_by_ref();
            }
        }

        self.activity.set_busy(true);
        let watching = Arc::new(Watching {
            activity: Arc::clone(&self.activity),
            inner: cx.waker().clone(),
            woken: AtomicBool::new(false),
        });
        let polled = self.future.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(&watching))));
        if polled.is_pending() {
            // A wake between the poll's end and this store would be lost to `busy`, so it is
            // looked for afterwards.
            self.activity.set_busy(false);
            if watching.woken.load(Ordering::SeqCst) {
                self.activity.set_busy(true);
            }
        }
        polled
    }
}
