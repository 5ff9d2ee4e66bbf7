//! Counting how far look-ups go.
//!
//! A million jobs is a normal queue, so with the feature `visits`, and in the tests of this crate,
//! the keys of the engine's ordered indexes count how often they are compared, and walks over an
//! index count their steps: from that can be seen that a call's cost grows with the logarithm of
//! the queue, and that of an event with the jobs that it concerns. The count decides nothing.

use std::cmp::Ordering;

#[cfg(any(test, feature = "visits"))]
std::thread_local! {
    static VISITS: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// How many keys of ordered indexes this thread has compared or walked over so far.
#[cfg(any(test, feature = "visits"))]
pub fn visits() -> u64 {
    VISITS.get()
}

/// Counts one key.
#[inline]
pub(crate) fn visit() {
    #[cfg(any(test, feature = "visits"))]
    VISITS.set(VISITS.get().wrapping_add(1));
}

/// A key of an ordered index.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Counted<K>(pub(crate) K);

impl<K: Ord> Ord for Counted<K> {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        visit();
        self.0.cmp(&other.0)
    }
}

impl<K: Ord> PartialOrd for Counted<K> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
