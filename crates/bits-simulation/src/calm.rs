//! The faults stop: now everything that was promised must come true.

use std::time::Duration;

use bits_api::{JobState, NotifyFlags, Success, TokenFlags};
use bits_engine::JobKey;
use bits_world::{Network, NetworkCost, Policies, Power, Volume};

use crate::house::{House, Manner};
use crate::origin::Mood;

/// How long the machine may take.
const LONG: Duration = Duration::from_hours(24 * 30);

/// How many steps it may take, which is far more than it needs.
const MOST_STEPS: u32 = 20_000;

impl House {
    /// Heals the world, resumes whatever stands, and sees every job to its end.
    pub(crate) fn calm_down(&mut self) {
        self.trace.note(self.now.monotonic, format_args!("the faults stop"));
        self.heal();
        // A job may be given up, for what it went through before, and so may its source. Each of its files
        // may have two redirects on its way that it does not want.
        for _ in 0..12 {
            self.resume_all();
            self.settle(|house| house.jobs.values().all(|job| is_resting(job.state) && !job.is_ending));
            if self.jobs.values().all(|job| job.state == JobState::TRANSFERRED) {
                break;
            }
        }
        for (key, job) in &self.jobs {
            let why = self.engine.explain(self.now, *key);
            assert_eq!(job.state, JobState::TRANSFERRED, "{} does not end: {why:?}", job.id);
        }
        self.settle(|house| house.jobs.values().all(|job| job.was_told || !house.is_to_be_told(job)));
        self.complete_all();
        self.see_nothing_left();
    }

    fn heal(&mut self) {
        self.disk.die_after(u64::MAX);
        self.plan.intruders = false;
        self.plan.weights.restart = 0;
        self.files.locked.clear();
        self.origin.moods.fill(Mood::Good);
        self.origin.dismiss_guards_elsewhere();
        for registration in self.registrations.values_mut() {
            if registration.manner == Manner::Hangs {
                registration.manner = Manner::Works;
            }
        }
        let users: Vec<_> = self.users.iter().map(|user| user.user.clone()).collect();
        self.change_world(|world| {
            world.network = Network::Connected;
            world.cost = NetworkCost::Unrestricted;
            world.power = Power::default();
            world.drives.set_locked(Volume::new('c'), false);
            let max_download_time = world.policies.max_download_time;
            world.policies = Policies::default();
            // Whoever reads it of a job without one of its own reads the policy's.
            world.policies.max_download_time = max_download_time;
            for user in users {
                world.log_on(user);
            }
        });
        self.settle(|_| true);
    }

    fn resume_all(&mut self) {
        let jobs: Vec<(JobKey, usize, bool)> =
            self.jobs.iter().map(|(key, job)| (*key, job.owner, job.files.is_empty())).collect();
        for (job, owner, is_empty) in jobs {
            if is_empty {
                _ = self.cancel(owner, job);
            } else {
                self.help_with(owner, job, TokenFlags::empty());
                self.tell_the_truth(owner, job);
                self.resume(owner, job);
            }
        }
    }

    fn complete_all(&mut self) {
        let jobs: Vec<(JobKey, usize)> = self.jobs.iter().map(|(key, job)| (*key, job.owner)).collect();
        for (job, owner) in jobs {
            if let Some(result) = self.complete(owner, job) {
                assert_eq!(result, Ok(Success::OK));
            }
        }
        self.settle(|house| house.jobs.is_empty() && house.awaited.is_empty() && house.giving_up.is_empty());
    }

    /// Lets everything happen that wants to, and time pass, until `is_done`.
    fn settle(&mut self, is_done: impl Fn(&Self) -> bool) {
        let end = self.now.monotonic.plus(LONG);
        for _ in 0..MOST_STEPS {
            if !self.outbox.is_empty() {
                self.drive(usize::MAX);
            } else if let Some(attempt) = self.mover.attempts.keys().next().copied() {
                self.step_attempt(attempt);
            } else if !self.calling.is_empty() {
                self.call_back(0, false);
            } else if !self.programs.is_empty() {
                self.end_program(false);
            } else if is_done(self) {
                return self.see_everything();
            } else {
                let next = self.engine.next_deadline().expect("something is to come");
                assert!(next <= end, "nothing happens for {LONG:?}: {:?}", self.jobs);
                self.advance_to(next.max(self.now.monotonic));
            }
            self.see_everything();
        }
        panic!("it never settles");
    }

    fn is_to_be_told(&self, job: &crate::watch::Job) -> bool {
        let registered = job.callback.and_then(|callback| self.registrations.get(&callback));
        registered.is_some_and(|registration| registration.manner != Manner::Dead)
            && job.wants(NotifyFlags::JOB_TRANSFERRED)
    }

    fn see_nothing_left(&self) {
        assert_eq!(self.durable.keys().count(), 0, "nothing is on record");
        assert!(self.files.forgotten().is_empty(), "left behind: {:?}", self.files.forgotten());
        assert!(self.registrations.is_empty(), "callbacks that are not let go: {:?}", self.registrations);
        assert!(self.attempts.is_empty() && self.notified.is_empty());
        assert!(self.put_off.is_empty(), "calls that nobody wakes: {:?}", self.put_off);
        self.rehearse();
    }
}

fn is_resting(state: JobState) -> bool {
    [JobState::TRANSFERRED, JobState::ERROR].contains(&state)
}
