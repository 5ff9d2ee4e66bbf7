//! One change of the world at a time, with none of the service's locks held.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use bits_world::Sid;

/// Who changes the world now.
#[derive(Default)]
pub(crate) struct WorldTurns {
    state: Mutex<State>,
    free: Condvar,
}

#[derive(Default)]
struct State {
    holder: Option<ThreadId>,
    late_logons: Vec<Sid>,
}

/// The right to replace the world; given back when it is dropped.
pub(crate) struct WorldTurn<'a>(&'a WorldTurns);

impl WorldTurns {
    /// Waits for the turn; `None` when this thread has it already.
    pub(crate) fn take(&self) -> Option<WorldTurn<'_>> {
        let me = std::thread::current().id();
        let mut state = self.lock();
        if state.holder == Some(me) {
            return None;
        }
        while state.holder.is_some() {
            state = self.free.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.holder = Some(me);
        Some(WorldTurn(self))
    }

    /// Remembers a logon that came up in the middle of a change, for its end.
    pub(crate) fn log_on_later(&self, user: Sid) {
        self.lock().late_logons.push(user);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WorldTurn<'_> {
    /// The logons that came up meanwhile.
    pub(crate) fn late_logons(&self) -> Vec<Sid> {
        std::mem::take(&mut self.0.lock().late_logons)
    }
}

impl Drop for WorldTurn<'_> {
    fn drop(&mut self) {
        self.0.lock().holder = None;
        self.0.free.notify_one();
    }
}
