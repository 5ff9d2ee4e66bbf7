//! Counting how far look-ups go.
//!
//! A million jobs is a normal queue, so every ordered index of the engine has keys that count how
//! often they are compared: a benchmark shows from it that a call's cost grows with the logarithm
//! of the queue. The count decides nothing.

use std::cell::Cell;
use std::cmp::Ordering;

thread_local! {
    static VISITS: Cell<u64> = const { Cell::new(0) };
}

/// How many keys of ordered indexes this thread has compared so far.
pub fn visits() -> u64 {
    VISITS.get()
}

/// A key of an ordered index.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Counted<K>(pub(crate) K);

impl<K: Ord> Ord for Counted<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        VISITS.set(VISITS.get().wrapping_add(1));
        self.0.cmp(&other.0)
    }
}

impl<K: Ord> PartialOrd for Counted<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
