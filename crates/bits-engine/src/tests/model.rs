//! The engine against a short model of the documented life cycle: jobs of two users, errors, a
//! network and logons that come and go, time, and restarts.

use std::time::Duration;

use bits_api::{JobPriority, JobState, Setting, Success};
use bits_world::Token;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use super::house::{House, NOT_FOUND, SERVER_BUSY, alice, bob, config};
use crate::JobKey;

const RETRY_DELAY: u64 = 600;

/// The key of a job that a restart has forgotten.
const GONE: JobKey = JobKey(u64::MAX);

/// What a job is doing, as the documentation tells it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Doing {
    Suspended,
    Queued { turn: u64 },
    Connecting { turn: u64 },
    Transferring { turn: u64 },
    Retrying { due: u64 },
    Offline,
    Failed,
    Transferred,
    Ended(JobState),
}

#[derive(Clone, Debug)]
struct Job {
    owner: usize,
    priority: u32,
    files: u32,
    done: u32,
    doing: Doing,
}

/// The documented queue. Time slices are longer than any run of the model.
#[derive(Clone, Debug)]
struct Queue {
    jobs: Vec<Job>,
    logged_on: [bool; 2],
    network: bool,
    now: u64,
    turns: u64,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Create { owner: usize },
    AddFile(usize),
    Resume(usize),
    Suspend(usize),
    Complete(usize),
    Cancel(usize),
    SetPriority(usize, u32),
    Connected(usize),
    FileDone(usize),
    FailForNow(usize),
    FailForGood(usize),
    LogOn(usize, bool),
    Network(bool),
    Wait(u64),
    Restart,
}

impl Job {
    fn state(&self) -> JobState {
        match self.doing {
            Doing::Suspended => JobState::SUSPENDED,
            Doing::Queued { .. } => JobState::QUEUED,
            Doing::Connecting { .. } => JobState::CONNECTING,
            Doing::Transferring { .. } => JobState::TRANSFERRING,
            Doing::Retrying { .. } | Doing::Offline => JobState::TRANSIENT_ERROR,
            Doing::Failed => JobState::ERROR,
            Doing::Transferred => JobState::TRANSFERRED,
            Doing::Ended(state) => state,
        }
    }

    fn active_turn(&self) -> Option<u64> {
        match self.doing {
            Doing::Connecting { turn } | Doing::Transferring { turn } => Some(turn),
            _ => None,
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.doing, Doing::Ended(_))
    }
}

impl Queue {
    /// To QUEUED, unless there is nothing left to move or no network to move it over.
    fn enqueue(&mut self, job: usize) {
        let turn = self.turns;
        self.turns += 1;
        let job = &mut self.jobs[job];
        job.doing = match (job.done == job.files, self.network) {
            (true, _) => Doing::Transferred,
            (false, true) => Doing::Queued { turn },
            (false, false) => Doing::Offline,
        };
    }

    /// All foreground jobs, and of the others the one of the highest priority.
    fn schedule(&mut self) {
        while let Some(next) = self.next_ready() {
            let priority = self.jobs[next].priority;
            let running = (0..self.jobs.len())
                .find(|job| self.jobs[*job].priority != 0 && self.jobs[*job].active_turn().is_some());
            match running {
                Some(running) if priority != 0 => {
                    if self.jobs[running].priority <= priority {
                        return;
                    }
                    let turn = self.jobs[running].active_turn().unwrap_or_default();
                    self.jobs[running].doing = Doing::Queued { turn };
                }
                _ => {
                    if let Doing::Queued { turn } = self.jobs[next].doing {
                        self.jobs[next].doing = Doing::Connecting { turn };
                    }
                }
            }
        }
    }

    fn next_ready(&self) -> Option<usize> {
        let ready = self.jobs.iter().enumerate().filter_map(|(n, job)| match job.doing {
            Doing::Queued { turn } if self.logged_on[job.owner] => Some((job.priority, turn, n)),
            _ => None,
        });
        ready.min().map(|(_, _, job)| job)
    }

    fn set_priority(&mut self, job: usize, priority: u32) {
        let slot_is_taken = (0..self.jobs.len())
            .any(|other| other != job && self.jobs[other].priority != 0 && self.jobs[other].active_turn().is_some());
        let job = &mut self.jobs[job];
        let was_foreground = std::mem::replace(&mut job.priority, priority) == 0;
        if let Some(turn) = job.active_turn()
            && was_foreground
            && priority != 0
            && slot_is_taken
        {
            job.doing = Doing::Queued { turn };
        }
    }

    fn wait(&mut self, seconds: u64) {
        self.now += seconds;
        let mut due: Vec<_> = (0..self.jobs.len())
            .filter_map(|n| match self.jobs[n].doing {
                Doing::Retrying { due } if due <= self.now => Some((due, n)),
                _ => None,
            })
            .collect();
        due.sort_unstable();
        for (_, job) in due {
            self.enqueue(job);
            self.schedule();
        }
    }

    fn restart(&mut self) {
        for n in 0..self.jobs.len() {
            if self.jobs[n].active_turn().is_some() || matches!(self.jobs[n].doing, Doing::Queued { .. }) {
                self.enqueue(n);
            }
        }
    }
}

impl ReferenceStateMachine for Queue {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self { jobs: Vec::new(), logged_on: [true; 2], network: true, now: 0, turns: 0 }).boxed()
    }

    fn transitions(queue: &Self) -> BoxedStrategy<Step> {
        let create = (0..2usize).prop_map(|owner| Step::Create { owner });
        if queue.jobs.is_empty() {
            return create.boxed();
        }
        let job = 0..queue.jobs.len();
        let active: Vec<_> = (0..queue.jobs.len()).filter(|job| queue.jobs[*job].active_turn().is_some()).collect();
        let world = prop_oneof![
            (0..2usize, any::<bool>()).prop_map(|(user, on)| Step::LogOn(user, on)),
            any::<bool>().prop_map(Step::Network),
            prop::sample::select(vec![1, 200, RETRY_DELAY]).prop_map(Step::Wait),
            Just(Step::Restart),
        ];
        let call = prop_oneof![
            2 => create,
            4 => job.clone().prop_map(Step::AddFile),
            4 => job.clone().prop_map(Step::Resume),
            1 => job.clone().prop_map(Step::Suspend),
            1 => job.clone().prop_map(Step::Complete),
            1 => job.clone().prop_map(Step::Cancel),
            2 => (job, 0..4u32).prop_map(|(job, priority)| Step::SetPriority(job, priority)),
        ];
        if active.is_empty() {
            return prop_oneof![3 => call, 1 => world].boxed();
        }
        let attempt = prop::sample::select(active).prop_flat_map(|job| {
            prop_oneof![
                Just(Step::Connected(job)),
                Just(Step::FileDone(job)),
                Just(Step::FailForNow(job)),
                Just(Step::FailForGood(job)),
            ]
        });
        prop_oneof![3 => call, 1 => world, 3 => attempt].boxed()
    }

    fn preconditions(queue: &Self, step: &Step) -> bool {
        match *step {
            Step::Create { .. } | Step::LogOn(..) | Step::Network(_) | Step::Wait(_) | Step::Restart => true,
            Step::AddFile(job)
            | Step::Resume(job)
            | Step::Suspend(job)
            | Step::Complete(job)
            | Step::Cancel(job)
            | Step::SetPriority(job, _) => job < queue.jobs.len(),
            Step::Connected(job) | Step::FileDone(job) | Step::FailForNow(job) | Step::FailForGood(job) => {
                queue.jobs.get(job).is_some_and(|job| job.active_turn().is_some())
            }
        }
    }

    fn apply(mut queue: Self, step: &Step) -> Self {
        match *step {
            Step::Create { owner } => {
                queue.jobs.push(Job { owner, priority: 2, files: 0, done: 0, doing: Doing::Suspended });
            }
            Step::AddFile(n) => {
                if !queue.jobs[n].is_over() && queue.logged_on[queue.jobs[n].owner] {
                    queue.jobs[n].files += 1;
                }
            }
            Step::Resume(n) => {
                let job = &queue.jobs[n];
                let starts = match job.doing {
                    Doing::Suspended => job.files > 0,
                    Doing::Retrying { .. } | Doing::Offline | Doing::Failed => true,
                    Doing::Transferred => job.done < job.files,
                    _ => false,
                };
                if starts {
                    queue.enqueue(n);
                }
            }
            Step::Suspend(n) if !queue.jobs[n].is_over() => queue.jobs[n].doing = Doing::Suspended,
            Step::Complete(n) if !queue.jobs[n].is_over() => {
                queue.jobs[n].doing = Doing::Ended(JobState::ACKNOWLEDGED);
            }
            Step::Cancel(n) if !queue.jobs[n].is_over() => queue.jobs[n].doing = Doing::Ended(JobState::CANCELLED),
            Step::SetPriority(n, priority) if !queue.jobs[n].is_over() => queue.set_priority(n, priority),
            Step::Connected(n) => {
                if let Doing::Connecting { turn } = queue.jobs[n].doing {
                    queue.jobs[n].doing = Doing::Transferring { turn };
                }
            }
            Step::FileDone(n) => {
                let job = &mut queue.jobs[n];
                job.done += 1;
                job.doing = match job.active_turn() {
                    Some(turn) if job.done < job.files => Doing::Transferring { turn },
                    _ => Doing::Transferred,
                };
            }
            Step::FailForNow(n) => queue.jobs[n].doing = Doing::Retrying { due: queue.now + RETRY_DELAY },
            Step::FailForGood(n) => queue.jobs[n].doing = Doing::Failed,
            Step::LogOn(user, on) => {
                queue.logged_on[user] = on;
                for n in 0..queue.jobs.len() {
                    if !on && queue.jobs[n].owner == user && queue.jobs[n].active_turn().is_some() {
                        queue.enqueue(n);
                    }
                }
            }
            Step::Network(up) if up != queue.network => {
                queue.network = up;
                for n in 0..queue.jobs.len() {
                    match queue.jobs[n].doing {
                        Doing::Queued { .. } | Doing::Connecting { .. } | Doing::Transferring { .. } if !up => {
                            queue.jobs[n].doing = Doing::Offline;
                        }
                        Doing::Retrying { .. } | Doing::Offline if up => queue.enqueue(n),
                        _ => {}
                    }
                }
            }
            Step::Wait(seconds) => queue.wait(seconds),
            Step::Restart => queue.restart(),
            // Nothing happens to what has ended, nor by what is so already.
            Step::Suspend(_) | Step::Complete(_) | Step::Cancel(_) | Step::SetPriority(..) | Step::Network(_) => {}
        }
        queue.schedule();
        queue
    }
}

/// The engine under test, with the jobs in the model's order.
struct Engine {
    house: House,
    jobs: Vec<JobKey>,
    users: [Token; 2],
}

impl Engine {
    fn step(&mut self, step: Step) {
        let house = &mut self.house;
        match step {
            Step::Create { owner } => self.jobs.push(house.empty_job(&self.users[owner])),
            Step::AddFile(n)
            | Step::Resume(n)
            | Step::Suspend(n)
            | Step::Complete(n)
            | Step::Cancel(n)
            | Step::SetPriority(n, _)
                if self.jobs[n] == GONE => {}
            Step::AddFile(n) => _ = house.add_file(self.jobs[n]),
            Step::Resume(n) => _ = house.resume(self.jobs[n]),
            Step::Suspend(n) => _ = house.suspend(self.jobs[n]),
            Step::Complete(n) => _ = house.complete(self.jobs[n]),
            Step::Cancel(n) => _ = house.cancel(self.jobs[n]),
            Step::SetPriority(n, priority) => _ = house.set(self.jobs[n], Setting::Priority, priority),
            Step::Connected(n) => house.connected(self.jobs[n], 100),
            Step::FileDone(n) => house.transfer_file(self.jobs[n]),
            Step::FailForNow(n) => house.fail(self.jobs[n], SERVER_BUSY),
            Step::FailForGood(n) => house.fail(self.jobs[n], NOT_FOUND),
            Step::LogOn(user, true) => house.log_on(&self.users[user]),
            Step::LogOn(user, false) => house.log_off(&self.users[user]),
            Step::Network(true) => house.restore_network(),
            Step::Network(false) => house.lose_network(),
            Step::Wait(seconds) => house.advance(Duration::from_secs(seconds)),
            Step::Restart => {
                house.restart(Duration::ZERO);
                let in_queue = house.in_queue();
                for job in &mut self.jobs {
                    if in_queue.contains(job) {
                        house.engine.retain(*job);
                    } else {
                        // It has ended and is forgotten; a new job may get its key.
                        *job = GONE;
                    }
                }
            }
        }
    }

    /// What must hold whatever has happened.
    fn check(&mut self, queue: &Queue) {
        for (job, expected) in self.jobs.iter().zip(&queue.jobs) {
            match self.house.engine.state(&self.users[expected.owner], *job) {
                Ok(state) => {
                    assert_eq!(state, expected.state(), "{job:?}: {}", self.house.engine.explain(self.house.now, *job));
                }
                Err(code) => assert!(*job == GONE && expected.is_over(), "{job:?}: {code}"),
            }
        }
        let in_queue: Vec<_> =
            self.jobs.iter().zip(&queue.jobs).filter(|(_, job)| !job.is_over()).map(|(key, _)| *key).collect();
        assert_eq!(self.house.in_queue(), in_queue);
        assert_eq!(self.house.store.keys().copied().collect::<Vec<_>>(), in_queue);
        for (job, expected) in self.jobs.iter().zip(&queue.jobs).filter(|(_, job)| !job.is_over()) {
            let progress = self.house.engine.progress(&self.users[expected.owner], *job).expect("the progress");
            assert_eq!((progress.files_total, progress.files_transferred), (expected.files, expected.done));
            assert_eq!(self.house.store[job].1.len(), expected.files as usize);
        }
        assert_eq!(self.house.running.len(), queue.jobs.iter().filter(|job| job.active_turn().is_some()).count());
    }
}

impl StateMachineTest for Engine {
    type SystemUnderTest = Self;
    type Reference = Queue;

    fn init_test(_: &Queue) -> Self {
        let mut config = config(bits_world::Profile::default());
        config.decisions.set("sched.slice_length", "3600000").unwrap();
        Self { house: House::with(config), jobs: Vec::new(), users: [alice(), bob()] }
    }

    fn apply(mut engine: Self, queue: &Queue, step: Step) -> Self {
        engine.step(step);
        engine.check(queue);
        engine
    }

    fn teardown(mut engine: Self, _: Queue) {
        // Whatever has happened, every job can be cancelled, and nothing is left of it.
        for job in engine.house.in_queue() {
            assert_eq!(engine.house.cancel(job), Ok(Success::OK));
        }
        assert!(engine.house.store.is_empty());
        assert!(engine.house.engine.temporaries.is_empty());
        let left = engine.house.disk.files.borrow();
        assert!(left.keys().all(|path| path.extension().is_some_and(|extension| extension == "bin")), "{left:?}");
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_does_what_the_documentation_says(sequential 1..80 => Engine);
}

#[test]
fn the_models_priorities_are_those_of_the_interface() {
    assert_eq!(JobPriority::FOREGROUND.0, 0);
    assert_eq!(JobPriority::LOW.0, 3);
}
