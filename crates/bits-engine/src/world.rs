//! What changes of the world mean for the jobs that they concern.
//!
//! The engine keeps what it last saw of the world and acts on the difference, so that no job is
//! looked at whom a change leaves alone.

use std::time::Duration;

use bits_world::{Network, Policies};

use crate::job::{State, Wait};
use crate::jobs::Shelf;
use crate::users::UserNo;
use crate::{Cause, Cx, Engine, JobKey};
use bits_api::FileTime;
use bits_world::clock::{Monotonic, Now};

/// What the engine last saw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) now: Now,
    pub(crate) network: Network,
    pub(crate) zero_bandwidth: bool,
    pub(crate) max_download_time: Duration,
    pub(crate) job_inactivity_timeout: Duration,
}

impl Default for Facts {
    fn default() -> Self {
        let now = Now { monotonic: Monotonic::default(), wall: FileTime::ZERO };
        Self::new(now, Network::default(), &Policies::default())
    }
}

impl Facts {
    fn new(now: Now, network: Network, policies: &Policies) -> Self {
        Self {
            now,
            network,
            zero_bandwidth: policies.zero_bandwidth,
            max_download_time: policies.max_download_time,
            job_inactivity_timeout: policies.job_inactivity_timeout,
        }
    }

    /// As it is now.
    pub(crate) fn of(cx: Cx<'_>) -> Self {
        Self::new(cx.now, cx.world.network, &cx.world.policies)
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.network != Network::Disconnected
    }
}

impl Engine {
    /// Looks at the network and the policies, and acts on what has changed.
    pub(crate) fn observe(&mut self, cx: Cx<'_>) {
        let facts = Facts::of(cx);
        let before = std::mem::replace(&mut self.facts, facts);
        match (before.is_connected(), facts.is_connected()) {
            (true, false) => self.block_all(cx, Wait::Network),
            (false, true) => self.unblock(cx, &[Shelf::Retrying, Shelf::Offline, Shelf::Blocked], Cause::NetworkBack),
            _ => {}
        }
        match (before.zero_bandwidth, facts.zero_bandwidth) {
            (false, true) if facts.is_connected() => self.block_all(cx, Wait::Policy),
            (true, false) => self.unblock(cx, &[Shelf::Blocked], Cause::PolicyUnblocked),
            _ => {}
        }
        if before.max_download_time != facts.max_download_time {
            for key in self.on_shelves(&[Shelf::Active], None) {
                self.arm_download_time(key);
            }
        }
    }

    /// Looks who is logged on. Users are few, so each of them is looked at.
    pub(crate) fn users_changed(&mut self, cx: Cx<'_>) {
        for user in self.jobs.users.numbers() {
            let known = self.jobs.users.get_mut(user);
            let is_logged_on = cx.world.is_logged_on(&known.sid);
            match (std::mem::replace(&mut known.logged_on, is_logged_on), is_logged_on) {
                (true, false) => self.logged_off(cx, user),
                (false, true) => self.logged_on(user),
                _ => {}
            }
        }
    }

    /// The jobs of a user who logs off wait in QUEUED (clause `lifecycle.edge.logoff`).
    fn logged_off(&mut self, cx: Cx<'_>, user: UserNo) {
        for key in self.on_shelves(&[Shelf::Queued], Some(user)) {
            let job = &self.jobs[key];
            if let State::Queued { turn, .. } = job.state {
                self.ready.remove(job.priority, turn, key);
            }
        }
        for key in self.on_shelves(&[Shelf::Active], Some(user)) {
            self.enqueue(cx, key, Cause::OwnerLoggedOff);
        }
    }

    fn logged_on(&mut self, user: UserNo) {
        for key in self.on_shelves(&[Shelf::Queued], Some(user)) {
            let job = &self.jobs[key];
            if let State::Queued { turn, .. } = job.state {
                self.ready.insert(job.priority, turn, key);
            }
        }
    }

    /// Stops the queued and active jobs, for a policy those in the background only.
    fn block_all(&mut self, cx: Cx<'_>, wait: Wait) {
        for key in self.on_shelves(&[Shelf::Queued, Shelf::Active], None) {
            if wait == Wait::Network || self.jobs[key].is_background() {
                self.block(cx, key, wait);
            }
        }
    }

    fn unblock(&mut self, cx: Cx<'_>, shelves: &[Shelf], cause: Cause) {
        for key in self.on_shelves(shelves, None) {
            self.enqueue(cx, key, cause);
        }
    }

    /// The jobs on these shelves in the order of their creation.
    fn on_shelves(&self, shelves: &[Shelf], owner: Option<UserNo>) -> Vec<JobKey> {
        let mut keys: Vec<_> = shelves.iter().flat_map(|shelf| self.jobs.on_shelf(*shelf, owner)).collect();
        keys.sort_unstable();
        keys
    }
}
