//! What the person who runs the suite allows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::claims::Stop;
use crate::progress::Progress;
use crate::provider::{Capability, Provider};

/// What a case may take beside its waits.
const BUDGET: Duration = Duration::from_mins(2);

/// How often a case waits as long as it may at all.
const LONG_WAITS: u32 = 2;

/// Limits of a run.
#[derive(Clone)]
pub(crate) struct Limits {
    /// What the cases are run on.
    pub(crate) provider: Arc<Provider>,
    /// The longest wait where time cannot be moved.
    pub(crate) max_wait: Duration,
    /// After so much real time a wait for what does not wait by itself ends ([`SOON`](super::SOON)); a
    /// longer wait is meant, and stays as it is.
    pub(crate) patience: Duration,
    /// What the provider is to be treated as unable to do.
    pub(crate) without: Vec<Capability>,
    /// Where a person sees how far the run is.
    pub(crate) progress: Progress,
    /// Whether anybody still waits for what is done within these limits.
    pub(crate) given_up: GivenUp,
}

/// Tells a case that has hung for too long that it must come to its end, and make no more jobs.
#[derive(Clone, Debug, Default)]
pub(crate) struct GivenUp(Arc<AtomicBool>);

impl GivenUp {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Ends what nobody waits for.
    pub(super) fn check(&self) -> Result<(), Stop> {
        if self.is_set() { Err(Stop::Failed("it was given up".to_owned())) } else { Ok(()) }
    }
}

impl Limits {
    /// Those of a run that is told nothing else.
    pub(crate) fn of(provider: Arc<Provider>) -> Self {
        Self {
            provider,
            max_wait: BUDGET,
            patience: Duration::MAX,
            without: Vec::new(),
            progress: Progress::hidden(),
            given_up: GivenUp::default(),
        }
    }

    /// How long a wait for `within` really takes at most.
    pub(crate) fn patiently(&self, within: Duration) -> Duration {
        if within > super::SOON { within } else { within.min(self.patience) }
    }

    /// Whether that cannot be done, or is not to be.
    pub(crate) fn lacks(&self, capability: Capability) -> bool {
        !self.provider.has(capability) || self.without.contains(&capability)
    }

    /// How many cases may run at once. They wait more than they compute.
    pub(crate) fn threads(&self) -> usize {
        if self.lacks(Capability::Parallel) {
            return 1;
        }
        2 * std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }

    /// How long one case or probe may take in real time.
    pub(crate) fn task_bound(&self) -> Duration {
        let waits =
            if self.lacks(Capability::VirtualTime) { self.max_wait.saturating_mul(LONG_WAITS) } else { Duration::ZERO };
        BUDGET.saturating_add(waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Bench;
    use crate::provider::Kind;

    #[test]
    fn a_bench_that_was_given_up_makes_no_more_jobs() {
        let limits = Limits::of(Arc::new(Provider::open(Kind::EmulatorLive, |_| {}).expect("the emulator")));
        let bench = Bench::new(limits.clone(), None);

        let before = bench.new_job();
        limits.given_up.set();
        let after = bench.new_job();

        assert!(before.is_ok());
        assert!(matches!(after, Err(Stop::Failed(why)) if why.contains("E_ABORT")));
    }
}
