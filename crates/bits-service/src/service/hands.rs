//! Whose hands execute the outbox: the driver's, or those of a thread that calls or reports, one at
//! a time.

use std::collections::VecDeque;
use std::sync::{MutexGuard, PoisonError};

use bits_api::Hresult;
use bits_engine::{Action, Event};
use bits_world::clock::Monotonic;

use super::{Core, Service, UNAVAILABLE};
use crate::driver;

/// The sleep of the driver; without an end, until it is roused.
#[derive(Clone, Copy)]
pub(super) struct Nap(Option<Monotonic>);

impl Service {
    /// Takes what is to be done, waiting for it; `None` once the service has stopped and nobody
    /// else executes anything. For the driver.
    pub(crate) fn next_batch(&self) -> Option<VecDeque<Action>> {
        let mut core = self.core.lock().ok()?;
        core.driving = false;
        self.turn();
        loop {
            if core.stopped && !core.driving {
                return None;
            }
            let due = if core.stopped { None } else { self.due(&core) };
            let now = self.clock.now().monotonic;
            if due.is_some_and(|due| due <= now) {
                self.with_engine(&mut core, |engine, cx| engine.handle(cx, Event::Deadline));
                continue;
            }
            if !core.stopped && !core.driving && !core.outbox.is_empty() {
                core.driving = true;
                return Some(std::mem::take(&mut core.outbox));
            }
            core.nap = Some(Nap(due));
            core = match due {
                Some(due) => self.roused.wait_timeout(core, due.since(now)).ok()?.0,
                None => self.roused.wait(core).ok()?,
            };
            core.nap = None;
        }
    }

    /// When the driver has to look at the clock; a virtual one tells by itself.
    fn due(&self, core: &Core) -> Option<Monotonic> {
        if self.clock.as_virtual().is_some() { None } else { core.engine.next_deadline() }
    }

    /// Executes what is in the outbox on this thread, if that is nothing that takes long or calls a
    /// client, and nobody else does: handing it over to the driver and waiting for it would cost
    /// more than most actions. What is left is the driver's.
    pub(super) fn execute_here<'a>(&'a self, mut core: MutexGuard<'a, Core>) -> Result<MutexGuard<'a, Core>, Hresult> {
        /// So that a thread that moves bytes comes back to them, whatever others ask for.
        const MOST: usize = 16;
        for _ in 0..MOST {
            if core.stopped || core.driving || core.outbox.is_empty() || !core.outbox.iter().all(driver::is_quick) {
                break;
            }
            core.driving = true;
            let batch = std::mem::take(&mut core.outbox);
            drop(core);
            let panicking = StoppedByPanic(self);
            driver::carry_out(self, batch);
            drop(panicking);
            core = self.core.lock().map_err(|_| UNAVAILABLE)?;
            core.driving = false;
            self.turn();
        }
        self.rouse(&mut core);
        Ok(core)
    }

    /// Wakes the driver if it sleeps although there is something to do.
    pub(super) fn rouse(&self, core: &mut Core) {
        let Some(Nap(end)) = core.nap else { return };
        let has_work = !core.driving && (core.stopped || !core.outbox.is_empty());
        let oversleeps = self.due(core).is_some_and(|due| end.is_none_or(|end| due < end));
        if has_work || oversleeps {
            core.nap = None;
            self.roused.notify_one();
        }
    }
}

/// Stops a service for which something could not be executed because of a panic.
struct StoppedByPanic<'a>(&'a Service);

impl Drop for StoppedByPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.core.lock().unwrap_or_else(PoisonError::into_inner).driving = false;
            self.0.stop();
        }
    }
}
