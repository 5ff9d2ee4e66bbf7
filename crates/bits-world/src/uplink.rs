//! What the machine can tell of its way to the network: how fast it is, and who uses it (clauses
//! `net.idle_only`, `net.nic_alone`, `net.igd.*`).
//!
//! Data, and one pure function over it. It limits background jobs alone, and only where the world
//! knows of an uplink: no byte is moved any slower by what it says of others.

use crate::{Profile, Rate};

/// A network interface, with what has gone over it besides BITS' own background jobs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Uplink {
    /// How fast the interface with the best route is, in kilobits a second.
    pub speed: u32,
    /// What other programs of this machine use of it, in kilobits a second.
    pub used: u32,
    /// The gateway behind it, where one counts bytes by UPnP.
    pub gateway: Option<Gateway>,
}

/// An Internet gateway device whose counters can be asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Gateway {
    /// How fast its own way to the Internet is, in kilobits a second.
    pub speed: u32,
    /// What all who are behind it use of that, this machine's other programs included, in kilobits a
    /// second.
    pub used: u32,
    /// After how many ticks, which are milliseconds, its counters answer.
    pub ticks: u32,
}

impl Uplink {
    /// So many kilobits a second are moved however busy the network is (a decision,
    /// `net.idle_bandwidth`).
    pub const TRICKLE: u32 = 2;

    /// From so many ticks on a gateway's counters are of no use (clause `net.igd.fallback`).
    const TOO_SLOW: u32 = 200;

    /// An interface that nobody else uses.
    pub const fn of(speed: u32) -> Self {
        Self { speed, used: 0, gateway: None }
    }

    /// What background jobs may use, as `profile` measures it.
    pub fn idle(&self, profile: Profile) -> Rate {
        let counted = self.gateway.filter(|gateway| profile >= Profile::V2_5 && gateway.ticks < Self::TOO_SLOW);
        let (speed, used) = counted.map_or((self.speed, self.used), |gateway| (gateway.speed, gateway.used));
        Some(speed.saturating_sub(used).max(Self::TRICKLE))
    }
}
