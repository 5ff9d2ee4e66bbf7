//! What BITS may do and seldom does, by a seed: jobs enumerated in another order each time,
//! modifications lost, notifications that overtake each other, slices of other lengths.
//!
//! Whatever is chosen here breaks no promise of the documentation (clauses
//! `callback.job_modification.may_drop`, `callback.interface.ordering`, `enum_jobs.*`, `sched.*`).

use std::time::Duration;

use crate::Engine;
use crate::temporary::mix;

/// Draws by a seed: the same seed draws the same.
#[derive(Debug)]
pub(crate) struct Scramble {
    seed: u64,
    drawn: u64,
}

impl Scramble {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed: mix(seed), drawn: 0 }
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        mix(self.seed ^ mix(self.drawn))
    }

    /// A number below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.draw() % (end.max(1) as u64)).unwrap_or(0)
    }
}

impl Engine {
    /// Whether a JobModification is lost: one of four is.
    pub(crate) fn loses_modification(&mut self) -> bool {
        self.scramble.as_mut().is_some_and(|scramble| scramble.below(4) == 0)
    }

    /// Which of so many goes first: the first, unless it is scrambled.
    pub(crate) fn pick(&mut self, count: usize) -> usize {
        self.scramble.as_mut().map_or(0, |scramble| scramble.below(count))
    }

    /// How long the next turn of a background job lasts: the slice, or between half of it and half
    /// as much again.
    pub(crate) fn next_slice(&mut self) -> Duration {
        let whole = self.config.decisions.time_slice();
        match &mut self.scramble {
            None => whole,
            Some(scramble) => {
                let thousandths = u32::try_from(scramble.below(1_001)).unwrap_or(0);
                whole / 2 + whole / 1_000 * thousandths
            }
        }
    }

    /// By what an enumeration is sorted; 0 for the order of creation.
    pub(crate) fn order_seed(&mut self) -> u64 {
        match &mut self.scramble {
            None => self.config.seed,
            Some(scramble) => scramble.draw().max(1),
        }
    }
}
