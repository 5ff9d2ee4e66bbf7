//! What the machine runs on.

/// The power of the emulated machine. A machine that sleeps outright needs no word here: only time
/// passes for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Power {
    /// Whether it is plugged in, rather than on battery.
    pub plugged_in: bool,
    /// Whether the battery saver is on (clause `lifecycle.transient_error.reasons`).
    pub battery_saver: bool,
    /// Whether the machine is in Modern Standby: the screen is off, and it runs on (clause
    /// `net.standby`).
    pub standby: bool,
}

impl Default for Power {
    fn default() -> Self {
        Self { plugged_in: true, battery_saver: false, standby: false }
    }
}
