//! The state of the emulated machine.

use std::collections::BTreeSet;

use crate::{Drives, Policies, Sid};

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

/// Everything around the service that BITS looks at.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct World {
    /// The network.
    pub network: Network,
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
