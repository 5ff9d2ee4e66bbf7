//! What the person who runs the suite allows.

use std::time::Duration;

use crate::provider::Capability;

/// Limits of a run.
#[derive(Clone)]
pub(crate) struct Limits {
    /// The longest wait where time cannot be moved.
    pub(crate) max_wait: Duration,
    /// What the provider is to be treated as unable to do.
    pub(crate) without: Vec<Capability>,
}

impl Limits {
    /// How many cases may run at once. They wait more than they compute.
    pub(crate) fn threads(&self) -> usize {
        if self.without.contains(&Capability::Parallel) {
            return 1;
        }
        2 * std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
    }
}
