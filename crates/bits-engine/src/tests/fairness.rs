//! No ready job of a priority starves while others of that priority run (clauses
//! `sched.round_robin`, `sched.small_not_blocked`), whatever happens in between.

use std::collections::BTreeMap;
use std::time::Duration;

use bits_api::{JobPriority, JobState, Success};
use proptest::prelude::*;

use super::house::{House, SERVER_BUSY, SLICE, alice, bob, seconds};
use crate::JobKey;

/// Something that happens to jobs that share a priority.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// So much time passes, in seconds.
    Wait(u64),
    /// A job of higher priority comes and holds the place for so long.
    Urgent(u64),
    /// Another job of the same priority comes.
    Join,
    /// The running job fails for now, and comes back after its retry delay.
    Fail,
    /// The network goes, and is back after a while.
    NetworkGoes(u64),
    /// A user goes and is back after a while.
    UserGoes(bool, u64),
    /// A client suspends a job and resumes it at once.
    Restart(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..700_u64).prop_map(Step::Wait),
        3 => (1..400_u64).prop_map(Step::Urgent),
        1 => Just(Step::Join),
        1 => Just(Step::Fail),
        1 => (1..400_u64).prop_map(Step::NetworkGoes),
        1 => (any::<bool>(), 1..400_u64).prop_map(|(user, wait)| Step::UserGoes(user, wait)),
        1 => (0..8_usize).prop_map(Step::Restart),
    ]
}

/// The jobs of one priority, and how long each of them has been passed over.
struct Level {
    house: House,
    jobs: Vec<JobKey>,
    /// How long others of the level have run since a job became ready or ran itself.
    passed_over: BTreeMap<JobKey, Duration>,
}

impl Level {
    fn new(jobs: usize) -> Self {
        let mut level = Self { house: House::new(), jobs: Vec::new(), passed_over: BTreeMap::new() };
        for _ in 0..jobs {
            level.join();
        }
        level
    }

    fn join(&mut self) {
        let owner = if self.jobs.len().is_multiple_of(2) { alice() } else { bob() };
        let job = self.house.job_of(&owner, 1);
        assert_eq!(self.house.resume(job), Ok(Success::OK));
        self.jobs.push(job);
    }

    fn running(&self) -> Option<JobKey> {
        self.jobs.iter().copied().find(|job| self.house.state(*job) == JobState::CONNECTING)
    }

    /// Lets time pass second by second, and takes down who runs and who waits.
    fn wait(&mut self, time: u64) {
        for _ in 0..time {
            let running = self.running();
            for job in &self.jobs {
                let is_ready = self.house.state(*job) == JobState::QUEUED && self.is_there(*job);
                if running == Some(*job) || !is_ready {
                    self.passed_over.remove(job);
                } else if running.is_some() {
                    *self.passed_over.entry(*job).or_default() += seconds(1);
                }
            }
            self.house.advance(seconds(1));
        }
    }

    fn is_there(&self, job: JobKey) -> bool {
        let owner = self.house.engine.jobs[job].owner;
        self.house.engine.jobs.users.get(owner).logged_on
    }

    fn happen(&mut self, step: Step) {
        match step {
            Step::Wait(time) => self.wait(time),
            Step::Urgent(time) => {
                let urgent = self.house.resumed_job(JobPriority::HIGH);
                self.wait(time);
                let ended = self.house.cancel(urgent);
                assert_eq!(ended, Ok(Success::OK));
            }
            Step::Join => self.join(),
            Step::Fail => {
                if let Some(job) = self.running() {
                    self.house.fail(job, SERVER_BUSY);
                }
            }
            Step::NetworkGoes(time) => {
                self.house.lose_network();
                self.wait(time);
                self.house.restore_network();
            }
            Step::UserGoes(user, time) => {
                let user = if user { alice() } else { bob() };
                self.house.log_off(&user);
                self.wait(time);
                self.house.log_on(&user);
            }
            Step::Restart(place) => {
                let job = self.jobs[place % self.jobs.len()];
                assert_eq!(self.house.suspend(job), Ok(Success::OK));
                self.passed_over.remove(&job);
                assert_eq!(self.house.resume(job), Ok(Success::OK));
            }
        }
        self.house.actions.clear();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_ready_job_waits_longer_than_a_turn_of_each_other(
        jobs in 2..6_usize,
        steps in proptest::collection::vec(step(), 1..24),
    ) {
        let mut level = Level::new(jobs);
        for step in steps {
            level.happen(step);
            // Each other job of the level may have one turn before it, and one that is half over.
            let most = SLICE * u32::try_from(level.jobs.len()).unwrap_or(u32::MAX);
            for (job, waited) in &level.passed_over {
                prop_assert!(*waited <= most, "{job:?} was passed over for {waited:?} after {step:?}");
            }
        }
    }

    #[test]
    fn whoever_is_ready_long_enough_gets_a_turn(jobs in 2..8_usize, interruptions in 0..20_u64) {
        let mut level = Level::new(jobs);
        let mut served = std::collections::BTreeSet::new();
        for _ in 0..interruptions {
            level.happen(Step::Urgent(20));
            level.happen(Step::Wait(20));
            served.extend(level.running());
        }
        for _ in 0..jobs {
            served.extend(level.running());
            level.happen(Step::Wait(SLICE.as_secs()));
        }
        prop_assert_eq!(served.len(), jobs);
    }
}
