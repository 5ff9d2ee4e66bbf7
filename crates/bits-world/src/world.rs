//! The state of the emulated machine.

use std::collections::BTreeSet;

use bits_api::CostFlags;

use crate::{Drives, Policies, Power, Sid};

/// The machine's link to the network.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Network {
    /// Up.
    #[default]
    Connected,
    /// No connection at all; BITS does not open one (clause `net.no_forced_connection`).
    Disconnected,
}

/// What the network costs (clauses `cost.*`, `job5.cost_state.*`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum NetworkCost {
    /// Nothing, without a cap.
    #[default]
    Unrestricted,
    /// Capped, with unknown usage.
    CappedUsageUnknown,
    /// Capped, usage below the cap.
    BelowCap,
    /// Capped, usage close to the cap.
    NearCap,
    /// Over the cap, more is charged.
    OvercapCharged,
    /// Over the cap, more is slow.
    OvercapThrottled,
    /// Charged by use.
    UsageBased,
    /// Roaming.
    Roaming,
}

impl NetworkCost {
    /// The bit that stands for it in a job's cost flags.
    pub const fn flag(self) -> CostFlags {
        match self {
            Self::Unrestricted => CostFlags::UNRESTRICTED,
            Self::CappedUsageUnknown => CostFlags::CAPPED_USAGE_UNKNOWN,
            Self::BelowCap => CostFlags::BELOW_CAP,
            Self::NearCap => CostFlags::NEAR_CAP,
            Self::OvercapCharged => CostFlags::OVERCAP_CHARGED,
            Self::OvercapThrottled => CostFlags::OVERCAP_THROTTLED,
            Self::UsageBased => CostFlags::USAGE_BASED,
            Self::Roaming => CostFlags::ROAMING,
        }
    }
}

/// Everything around the service that BITS looks at.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct World {
    /// The network.
    pub network: Network,
    /// What it costs.
    pub cost: NetworkCost,
    /// What the machine runs on, and how.
    pub power: Power,
    /// Whether a game has the machine for itself (clause `lifecycle.transient_error.reasons`).
    pub game_mode: bool,
    /// What the administrator has set.
    pub policies: Policies,
    /// Where Windows paths lead to.
    pub drives: Drives,
    logged_on: BTreeSet<Sid>,
}

impl World {
    /// Logs a user on.
    pub fn log_on(&mut self, user: Sid) {
        self.logged_on.insert(user);
    }

    /// Logs a user off.
    pub fn log_off(&mut self, user: &Sid) {
        self.logged_on.remove(user);
    }

    /// Whether jobs of `user` may run; service accounts always count as logged on.
    pub fn is_logged_on(&self, user: &Sid) -> bool {
        user.is_service_account() || self.logged_on.contains(user)
    }
}
