//! A condition variable that costs nothing while nobody waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, MutexGuard};
use std::time::Duration;

/// Tells whoever waits that what a mutex guards has changed.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Condvar,
    /// Counted under the mutex: who changes something afterwards knows of everybody who has seen
    /// it as it was.
    waiting: AtomicUsize,
}

impl Bell {
    /// Wakes everybody who waits. To be rung after the change.
    pub(crate) fn ring(&self) {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.rung.notify_all();
        }
    }

    /// Waits for the next ring, at most for `limit`; `None` for a mutex that a panic has broken.
    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>, limit: Duration) -> Option<MutexGuard<'a, T>> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let woken = self.rung.wait_timeout(guard, limit).ok();
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        woken.map(|(guard, _)| guard)
    }
}
