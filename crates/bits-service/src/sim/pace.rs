//! How fast a simulated transfer is under a limit of bandwidth.

use std::sync::Arc;
use std::time::Duration;

use bits_world::clock::{Monotonic, VirtualClock};

/// Bytes a second that one kilobit a second is.
const BYTES: u64 = 125;

/// The pace of one attempt. It gathers nothing while the attempt waits for something else.
pub(super) struct Pace {
    kilobits: u32,
    clock: Arc<VirtualClock>,
    /// The moment from which it counts, and what was there then.
    from: Option<(Monotonic, u64)>,
    /// When the next stop is reached.
    due: Option<Monotonic>,
}

impl Pace {
    pub(super) fn new(kilobits: u32, clock: &Arc<VirtualClock>) -> Self {
        Self { kilobits, clock: Arc::clone(clock), from: None, due: None }
    }

    /// How much is there by now of a file of which `have` bytes are, and which goes on to `stop`.
    pub(super) fn reach(&mut self, have: u64, stop: u64) -> u64 {
        let now = self.clock.now().monotonic;
        if have >= stop {
            (self.from, self.due) = (None, None);
            return stop;
        }
        let rate = u64::from(self.kilobits) * BYTES;
        let (since, begun_with) = *self.from.get_or_insert((now, have));
        // Whole milliseconds: an hour at the highest rate is far below the largest number.
        let elapsed = u64::try_from(now.since(since).as_millis()).unwrap_or(u64::MAX);
        let there = begun_with.saturating_add(elapsed.saturating_mul(rate) / 1_000);
        let needed = stop.saturating_sub(begun_with).saturating_mul(1_000).div_ceil(rate.max(1));
        self.due = Some(since.plus(Duration::from_millis(needed)));
        there.min(stop)
    }

    /// When the next stop is reached, if it is on its way to one.
    pub(super) fn due(&self) -> Option<Monotonic> {
        self.due
    }
}
