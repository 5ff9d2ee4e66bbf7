//! How long a server may be silent, on the clock of the service.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use bits_wire::download::Fault;
use bits_world::clock::{Clock, Monotonic};

/// Remembers when a connection was last alive.
#[derive(Debug)]
pub(crate) struct Pulse(Mutex<Monotonic>);

impl Pulse {
    pub(crate) fn new(clock: &Clock) -> Self {
        Self(Mutex::new(clock.now().monotonic))
    }

    /// Something has moved.
    pub(crate) fn beat(&self, clock: &Clock) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = clock.now().monotonic;
    }

    fn last(&self) -> Monotonic {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns once nothing has moved for `patience`.
    pub(crate) async fn lost(&self, clock: &Clock, patience: Duration) {
        loop {
            let due = self.last().plus(patience);
            if clock.now().monotonic >= due {
                return;
            }
            sleep_until(clock, due).await;
        }
    }
}

/// Runs `work` for at most `patience`, however much moves meanwhile.
pub(crate) async fn within<T>(
    clock: &Clock,
    patience: Duration,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let due = clock.now().monotonic.plus(patience);
    tokio::select! {
        biased;
        result = work => result,
        () = sleep_until(clock, due) => Err(Fault::Timeout),
    }
}

pub(crate) async fn sleep_until(clock: &Clock, until: Monotonic) {
    match clock {
        Clock::Virtual(clock) => clock.sleep_until(until).await,
        Clock::System(_) => tokio::time::sleep(until.since(clock.now().monotonic)).await,
    }
}
