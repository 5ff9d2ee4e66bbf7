//! Time: the machine's own, or one that a test moves.

mod activity;
mod lines;
mod virtual_clock;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bits_api::FileTime;

pub use activity::{Activity, Watched};
pub use lines::{Ends, Hold, Line, Relay};
pub use virtual_clock::{Participant, Sleep, Stuck, VirtualClock};

/// A time that never jumps, counted from the clock's start.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Monotonic(pub Duration);

impl Monotonic {
    /// This time plus `duration`.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration))
    }

    /// The time from `earlier` to this one; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// As people write it: `3d 00:10:00.250`.
impl fmt::Display for Monotonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
        let text = format!("{hours:02}:{minutes:02}:{:02}.{:03}", seconds % 60, self.0.subsec_millis());
        f.pad(&if days > 0 { format!("{days}d {text}") } else { text })
    }
}

impl fmt::Debug for Monotonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// One moment on both scales.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Now {
    /// For timers.
    pub monotonic: Monotonic,
    /// For FILETIMEs.
    pub wall: FileTime,
}

/// The time that a service, or an origin, lives by.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System(SystemClock),
    /// A clock that a test moves.
    Virtual(Arc<VirtualClock>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::System(SystemClock { start: Instant::now() })
    }

    /// This moment.
    pub fn now(&self) -> Now {
        match self {
            Self::System(clock) => Now { monotonic: Monotonic(clock.start.elapsed()), wall: SystemTime::now().into() },
            Self::Virtual(clock) => clock.now(),
        }
    }

    /// The virtual clock, if it is one.
    pub fn as_virtual(&self) -> Option<&Arc<VirtualClock>> {
        match self {
            Self::System(_) => None,
            Self::Virtual(clock) => Some(clock),
        }
    }
}

/// The machine's clock, monotonic from the moment it was made.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
}
