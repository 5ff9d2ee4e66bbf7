//! What the author of a test is told when the emulator cannot do as it was asked.

use std::fmt;

use bits_store::StoreError;
use bits_world::UnknownPreset;
use bits_world::clock::Stuck;

/// Why an emulator did not start.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The queue cannot be read or kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine gave no thread.
    #[error("no thread for the service: {0}")]
    Thread(#[from] std::io::Error),
    /// A certificate to trust cannot be read.
    #[error("{0}")]
    Trust(String),
    /// There is no preset of that name.
    #[error(transparent)]
    Preset(#[from] UnknownPreset),
    /// A decision was given a value that it does not take.
    #[error("{0}")]
    Decision(String),
    /// An administrator has disabled the service.
    #[error("the service is disabled; enable it")]
    Disabled,
    /// An earlier start or stop of the same emulator failed.
    #[error("the emulator has lost its store when it was stopped; make a new one")]
    Broken,
}

/// Why the time was not moved, or something did not come to pass.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The emulator lives by the system clock, which nobody moves.
    #[error("the system clock cannot be moved; give the emulator a virtual one")]
    NotVirtual,
    /// A callback cannot wait for itself.
    #[error("called from a callback, which the call would wait for")]
    InCallback,
    /// Nothing has changed for long.
    #[error("{0}")]
    Stuck(Stuck),
    /// What was waited for has not happened in time.
    #[error("{0}")]
    NotReached(String),
}

/// Tests unwrap; what they then print is meant for people.
impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// As of [`StartError`].
impl fmt::Debug for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
