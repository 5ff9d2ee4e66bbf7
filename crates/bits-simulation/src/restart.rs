//! The service ends, in one way or another, and starts again.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bits_api::JobState;
use bits_engine::{Action, Engine, FileStage, JobKey, Saved};
use bits_store::Store;
use bits_world::clock::Monotonic;

use crate::house::{ADMINISTRATOR, House, has_ended};
use crate::mover::Mover;
use crate::shadow::Shadow;
use crate::view::values;

/// How a service ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum End {
    /// It is stopped, and has the time to write down what it knows.
    Stopped,
    /// The process dies.
    Killed,
    /// So does the machine.
    PowerLost,
}

impl House {
    /// Ends the service and starts it again.
    pub(crate) fn restart(&mut self, end: End) {
        self.trace.note(self.now.monotonic, format_args!("the service ends: {end:?}"));
        if end == End::Stopped {
            let rest: Vec<Action> = self.outbox.drain(..).collect();
            if !self.commit(&rest) {
                return;
            }
            // Replies and notifications go down with it, but what they tell is on record.
            self.done = self.given;
        }
        let disk = match end {
            End::Stopped => {
                // Closing writes, too.
                self.store = Store::memory();
                self.disk.after_kill()
            }
            End::Killed => self.disk.after_kill(),
            End::PowerLost => {
                self.files.lose_power(&mut self.chance);
                self.disk.after_power_loss(&mut self.chance)
            }
        };
        self.disk.die_after(0);
        self.disk = disk;
        let expected = self.durable.clone();
        let lost = self.begin_again(&[expected], end == End::PowerLost);
        if end == End::PowerLost {
            // The machine has started, too.
            self.now.monotonic = Monotonic::default();
        }
        self.come_back(&lost);
    }

    /// The process has died in the middle of a commit, after which the record would be `after`.
    pub(crate) fn crash_in_commit(&mut self, after: Shadow) {
        self.disk = self.disk.after_kill();
        let before = self.durable.clone();
        self.begin_again(&[before, after], false);
        self.come_back(&[]);
    }

    /// Opens the store again, which holds one of `expected`; the jobs whose secrets the loss of power
    /// has taken.
    fn begin_again(&mut self, expected: &[Shadow], may_lose_secrets: bool) -> Vec<JobKey> {
        self.store = self.disk.open().expect("a store survives whatever ended the service");
        let saved: Result<Vec<Saved>, _> = self.store.load().expect("a whole record").collect();
        let saved = saved.expect("a whole record");
        let lost = saved.iter().filter(|saved| may_lose_secrets && saved.lost_secrets).map(|saved| saved.job.key);
        let lost: Vec<JobKey> = lost.collect();
        let found: Shadow = saved.into_iter().collect();
        let expected: Vec<Shadow> = expected.iter().map(|shadow| shadow.without_secrets_of(&lost)).collect();
        assert!(expected.contains(&found), "on record is {found:#?}\nnot what was committed: {expected:#?}");
        self.durable = found;
        lost
    }

    /// The engine of the new service, with what it finds.
    fn come_back(&mut self, lost: &[JobKey]) {
        self.outbox.clear();
        self.mover = Mover::default();
        self.attempts.clear();
        self.registrations.clear();
        self.notified.clear();
        self.calling.clear();
        self.programs.clear();
        self.awaited.clear();
        self.put_off.clear();
        self.held.clear();
        self.now.wall = self.now.wall.plus(Duration::from_secs(self.chance.between(0, 100)));
        self.ordered = self.durable.clone();
        self.see_jobs_again(lost);

        let fresh = {
            let cx = bits_engine::Cx { now: self.now, world: &self.world, probe: &self.files };
            Engine::restore(self.plan.config(), self.durable.saved(), cx)
        };
        self.engine = fresh;
        for (key, job) in &mut self.jobs {
            let found =
                values(&self.engine, &self.users[ADMINISTRATOR], *key).expect("the settings of a job on record");
            job.see_values(self.done, &found);
            job.values = vec![(0, found)];
            // Its client has found it again.
            self.engine.retain(*key);
        }
        self.act(|_, _| ());
        self.trace.note(self.now.monotonic, format_args!("the service has started"));
    }

    /// What was acknowledged is on record, and what has ended is not.
    fn see_jobs_again(&mut self, lost_secrets: &[JobKey]) {
        for (key, (turn, job)) in std::mem::take(&mut self.ended) {
            let record = self.durable.job(key).filter(|record| record.id == job.id);
            if record.is_some_and(|record| record.state != JobState::CANCELLED) {
                assert!(turn > self.done, "{}: it has ended and is there again", job.id);
                self.jobs.insert(key, job);
            }
        }
        let lost: Vec<JobKey> = self.jobs.keys().copied().filter(|key| has_ended(self.durable.job(*key))).collect();
        for key in lost {
            let job = self.jobs.remove(&key).expect("a job");
            assert!(job.made > self.done, "{}: it was made, and is not on record", job.id);
        }
        let is_over = |key: &JobKey| has_ended(self.durable.job(*key));
        self.giving_up = self.durable.keys().filter(is_over).map(|key| (key, self.owner_on_record(key))).collect();
        for key in self.durable.keys().filter(|key| !is_over(key)) {
            assert!(self.jobs.contains_key(&key), "{key:?} is on record and was never made");
        }
        let lost: Vec<bool> = self.jobs.keys().map(|key| self.has_lost_files(*key)).collect();
        let owners: BTreeMap<JobKey, usize> = self.jobs.keys().map(|key| (*key, self.owner_on_record(*key))).collect();
        for ((key, job), has_lost_files) in self.jobs.iter_mut().zip(lost) {
            let record = self.durable.job(*key).expect("a job on record");
            assert_eq!(record.id, job.id, "{key:?} is another job");
            let on_record = self.durable.files(*key).len();
            // The reply of an upload is not the client's.
            let found = if job.sends { on_record.min(1) } else { on_record };
            let acknowledged = job.files.iter().filter(|file| file.added <= self.done).count();
            assert!((acknowledged..=job.files.len()).contains(&found), "{}: {found} files on record", job.id);
            job.files.truncate(found);
            for (file, record) in job.files.iter_mut().zip(self.durable.files(*key)) {
                file.restart(record, self.done);
            }
            job.see_credentials(self.done, record, lost_secrets.contains(key));
            let owner = owners[key];
            assert!(owner == job.owner || job.owned > self.done, "{}: its new owner is not on record", job.id);
            (job.owner, job.owned) = (owner, 0);
            job.restart(record, has_lost_files, self.now);
        }
    }

    fn owner_on_record(&self, key: JobKey) -> usize {
        let sid = &self.durable.job(key).expect("a job on record").owner;
        self.users.iter().position(|user| user.user.as_str() == sid).expect("one of the users")
    }

    /// Whether a file that was transferred is there no more: it was deleted in the middle of a
    /// Cancel.
    fn has_lost_files(&self, key: JobKey) -> bool {
        self.durable.files(key).iter().any(|file| {
            let path = self.path_of(&file.local_name, file.temporary.as_deref());
            file.stage == FileStage::Transferred && !self.is_there(&path)
        })
    }

    fn is_there(&self, path: &Path) -> bool {
        self.files.there.contains_key(path)
    }
}
