//! What changes of the world mean for the jobs that they concern.
//!
//! The engine keeps what it last saw of the world and acts on the difference, so that no job is
//! looked at whom a change leaves alone.

use std::time::Duration;

use bits_api::FileTime;
use bits_world::clock::{Monotonic, Now};
use bits_world::{Drives, LimitsInForce, Policies, PriorityRates, Profile, Shares, World};

use crate::hold::Gates;
use crate::jobs::Shelf;
use crate::users::UserNo;
use crate::{Cause, Cx, Engine, JobKey};

/// What the engine last saw.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) now: Now,
    /// The first moment that was seen: whoever sets the clock later moves no hour of a schedule
    /// (clause `policy.max_bandwidth.clock`).
    started: Option<Now>,
    pub(crate) gates: Gates,
    policies: Policies,
    limits: LimitsInForce,
    drives: Drives,
    shares: Shares,
}

/// Nothing was seen yet.
impl Default for Facts {
    fn default() -> Self {
        Self {
            now: Now { monotonic: Monotonic::default(), wall: FileTime::ZERO },
            started: None,
            gates: Gates::of(&World::default(), Profile::default(), PriorityRates::default()),
            policies: Policies::default(),
            limits: LimitsInForce::default(),
            drives: Drives::default(),
            shares: Shares::default(),
        }
    }
}

impl Facts {
    /// Whether all but the time is as it was: most calls and events find it so, and pay for no copy.
    fn hold_still(&self, cx: Cx<'_>, profile: Profile) -> bool {
        self.started.is_some_and(|started| {
            let hour = hour(started, cx.now);
            self.policies == cx.world.policies
                && self.has_places_of(cx.world)
                && self.limits.until.is_none_or(|until| hour < until)
                && self.gates.are_of(cx.world, profile, self.limits.rates)
        })
    }

    fn has_places_of(&self, world: &World) -> bool {
        self.drives == world.drives && self.shares == world.shares
    }

    /// As it is now, for an engine that saw these facts before.
    pub(crate) fn seen(&self, cx: Cx<'_>, profile: Profile) -> Self {
        let started = self.started.unwrap_or(cx.now);
        let policies = &cx.world.policies;
        let hour = hour(started, cx.now);
        let is_news = self.policies != *policies || self.limits.until.is_some_and(|until| until <= hour);
        let limits = if is_news { policies.limits_in_force(profile, hour) } else { self.limits };
        Self {
            now: cx.now,
            started: Some(started),
            gates: Gates::of(cx.world, profile, limits.rates),
            policies: policies.clone(),
            limits,
            drives: cx.world.drives.clone(),
            shares: cx.world.shares.clone(),
        }
    }

    /// When other limits for background jobs come into force.
    pub(crate) fn limits_end(&self) -> Option<Monotonic> {
        let started = self.started?;
        Some(started.monotonic.plus(self.limits.until?.since(started.wall)))
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.gates.is_connected()
    }

    pub(crate) fn max_download_time(&self) -> Duration {
        self.policies.max_download_time
    }

    pub(crate) fn job_inactivity_timeout(&self) -> Duration {
        self.policies.job_inactivity_timeout
    }
}

/// What the wall would show if nobody had set the clock.
fn hour(started: Now, now: Now) -> FileTime {
    started.wall.plus(now.monotonic.since(started.monotonic))
}

impl Engine {
    /// Looks at the network, the policies, the sessions and the rest of the world, and acts on what
    /// has changed.
    pub(crate) fn observe(&mut self, cx: Cx<'_>) {
        if self.facts.hold_still(cx, self.config.profile) {
            self.facts.now = cx.now;
        } else {
            self.facts_changed(cx);
        }
        self.users_changed(cx);
        self.observe_peer_cache(cx);
    }

    fn facts_changed(&mut self, cx: Cx<'_>) {
        let facts = self.facts.seen(cx, self.config.profile);
        let before = std::mem::replace(&mut self.facts, facts);
        if !before.is_connected() && self.facts.is_connected() {
            for key in self.on_shelves(&[Shelf::Retrying, Shelf::Held], None) {
                self.enqueue(cx, key, Cause::NetworkBack);
            }
        }
        if before.gates != self.facts.gates {
            self.gates_changed(cx);
        }
        if !before.has_places_of(cx.world) {
            self.places_changed(cx);
        }
        if before.policies.max_download_time != self.facts.policies.max_download_time {
            for key in self.on_shelves(&[Shelf::Active], None) {
                self.judge_download_time(cx, key);
            }
        }
    }

    /// The jobs on these shelves in the order of their creation.
    pub(crate) fn on_shelves(&self, shelves: &[Shelf], owner: Option<UserNo>) -> Vec<JobKey> {
        let mut keys: Vec<_> = shelves.iter().flat_map(|shelf| self.jobs.on_shelf(*shelf, owner)).collect();
        keys.sort_unstable();
        keys
    }
}
