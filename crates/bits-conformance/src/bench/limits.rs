//! What the person who runs the suite allows.

use std::sync::Arc;
use std::time::Duration;

use crate::provider::{Capability, Provider};

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
}

impl Limits {
    /// How long a wait for `within` really takes at most.
    pub(crate) fn patiently(&self, within: Duration) -> Duration {
        if within > super::SOON { within } else { within.min(self.patience) }
    }

    /// Whether that cannot be done, or is not to be.
    pub(crate) fn lacks(&self, capability: Capability) -> bool {
        !self.provider.is_capable() || self.without.contains(&capability)
    }

    /// How many cases may run at once. They wait more than they compute.
    pub(crate) fn threads(&self) -> usize {
        if self.lacks(Capability::Parallel) {
            return 1;
        }
        2 * std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }
}
