//! What one run is like. Each seed leaves some things out and does others more often: runs that
//! always do everything would rarely do one thing for long.

use std::time::Duration;

use bits_world::Policies;

use crate::chance::Chance;

/// How often each kind of step is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights {
    pub(crate) call: u64,
    pub(crate) drive: u64,
    pub(crate) attempt: u64,
    pub(crate) callback: u64,
    pub(crate) time: u64,
    pub(crate) world: u64,
    pub(crate) origin: u64,
    pub(crate) restart: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) steps: u64,
    pub(crate) weights: Weights,
    pub(crate) servers: usize,
    pub(crate) policies: Policies,
    /// Chooses the orders that BITS does not promise.
    pub(crate) order: u64,
    /// Whether the driver takes single actions, or whatever is there.
    pub(crate) small_batches: bool,
    pub(crate) intruders: bool,
    pub(crate) most_jobs: usize,
    /// Whether one user makes all the jobs, and listens to them.
    pub(crate) has_crowd: bool,
}

impl Plan {
    pub(crate) fn draw(chance: &mut Chance) -> Self {
        let mut often = |usual: u64| if chance.one_in(5) { usual * 4 } else { usual };
        let (call, drive, attempt) = (often(24), often(24), often(24));
        let (callback, time) = (often(8), often(8));
        let mut unless_left_out = |usual: u64| if chance.one_in(5) { 0 } else { usual };
        let (world, origin, restart) = (unless_left_out(4), unless_left_out(3), unless_left_out(1));
        let weights = Weights { call, drive, attempt, callback, time, world, origin, restart };
        let mut policies = Policies::default();
        let has_crowd = chance.one_in(4);
        let per_user = if has_crowd { 12 } else { chance.between(2, 6) };
        policies.max_jobs_per_user = u32::try_from(per_user).unwrap_or(6);
        policies.max_jobs_per_machine = u32::try_from(chance.between(4, 12).max(per_user)).unwrap_or(12);
        policies.max_files_per_job = 3;
        if chance.one_in(4) {
            policies.max_download_time = Duration::from_secs(chance.between(60, 6_000));
        }
        if chance.one_in(4) {
            policies.job_inactivity_timeout = Duration::from_hours(chance.between(1, 72));
        }
        Self {
            steps: chance.between(60, 400),
            weights,
            servers: usize::try_from(chance.between(1, 3)).unwrap_or(1),
            policies,
            order: if chance.one_in(2) { 0 } else { chance.number() },
            small_batches: chance.one_in(2),
            intruders: chance.one_in(4),
            most_jobs: if has_crowd { 12 } else { 1 + chance.below(10) },
            has_crowd,
        }
    }
}
