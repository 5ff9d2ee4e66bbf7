//! Origins on a virtual clock.
