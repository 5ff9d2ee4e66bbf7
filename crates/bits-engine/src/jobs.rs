//! The jobs and the indexes over them.
//!
//! Whatever the engine asks of many jobs at once is answered by an ordered index; nothing walks
//! over all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Index, IndexMut};

use bits_api::{FileTime, Guid};

use crate::JobKey;
use crate::job::{Job, State, Wait};
use crate::pages::Pages;
use crate::users::{UserNo, Users};
use crate::visits::Counted;

/// What the jobs of the queue are sorted by: their state, as far as the world's changes ask for it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Shelf {
    Suspended,
    Queued,
    /// CONNECTING and TRANSFERRING.
    Active,
    /// TRANSIENT_ERROR with a retry delay.
    Retrying,
    /// TRANSIENT_ERROR without a network.
    Offline,
    /// TRANSIENT_ERROR by policy.
    Blocked,
    Error,
    Transferred,
    Finishing,
}

impl Shelf {
    /// Where every job of the queue stands.
    pub(crate) const ALL: [Self; 9] = [
        Self::Suspended,
        Self::Queued,
        Self::Active,
        Self::Retrying,
        Self::Offline,
        Self::Blocked,
        Self::Error,
        Self::Transferred,
        Self::Finishing,
    ];

    /// Where a job in this state stands; final states have left the queue.
    pub(crate) fn of(state: &State) -> Option<Self> {
        Some(match state {
            State::Suspended => Self::Suspended,
            State::Queued { .. } => Self::Queued,
            State::Connecting { .. } | State::Transferring { .. } => Self::Active,
            State::TransientError(Wait::Retry { .. }) => Self::Retrying,
            State::TransientError(Wait::Network) => Self::Offline,
            State::TransientError(Wait::Policy) => Self::Blocked,
            State::Error => Self::Error,
            State::Transferred => Self::Transferred,
            State::Finishing(_) => Self::Finishing,
            State::Acknowledged | State::Cancelled => return None,
        })
    }
}

/// Every job that is in the queue or still has a handle.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    by_key: Pages,
    /// Jobs of the queue.
    by_id: BTreeMap<Counted<Guid>, JobKey>,
    /// Jobs of the queue.
    shelves: BTreeSet<Counted<(Shelf, UserNo, JobKey)>>,
    /// Jobs of the queue by a moment that is not after their last activity.
    idle: BTreeSet<Counted<(FileTime, JobKey)>>,
    pub(crate) users: Users,
}

impl Jobs {
    pub(crate) fn get(&self, key: JobKey) -> Option<&Job> {
        self.by_key.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: JobKey) -> Option<&mut Job> {
        self.by_key.get_mut(key)
    }

    /// The job of the queue with this identifier.
    pub(crate) fn find(&self, id: Guid) -> Option<JobKey> {
        self.by_id.get(&Counted(id)).copied()
    }

    /// How many jobs are in the queue.
    pub(crate) fn in_queue(&self) -> usize {
        self.by_id.len()
    }

    /// Takes in a job that is in the queue.
    pub(crate) fn insert(&mut self, mut job: Box<Job>) {
        let key = job.key;
        job.idle_since = job.last_activity;
        self.by_id.insert(Counted(job.id), key);
        if let Some(shelf) = Shelf::of(&job.state) {
            self.shelves.insert(Counted((shelf, job.owner, key)));
        }
        self.idle.insert(Counted((job.idle_since, key)));
        self.users.get_mut(job.owner).jobs += 1;
        self.by_key.insert(job);
    }

    /// Takes in many jobs that are in the queue: sorting once is quicker than finding each place.
    #[expect(clippy::vec_box, reason = "they move into the index as they are")]
    pub(crate) fn load(loaded: Vec<Box<Job>>, mut users: Users) -> Self {
        for job in &loaded {
            users.get_mut(job.owner).jobs += 1;
        }
        Self {
            by_id: loaded.iter().map(|job| (Counted(job.id), job.key)).collect(),
            shelves: loaded
                .iter()
                .filter_map(|job| Shelf::of(&job.state).map(|shelf| Counted((shelf, job.owner, job.key))))
                .collect(),
            idle: loaded.iter().map(|job| Counted((job.idle_since, job.key))).collect(),
            by_key: loaded.into_iter().collect(),
            users,
        }
    }

    /// Replaces the state of a job and gives back the one of before.
    pub(crate) fn set_state(&mut self, key: JobKey, state: State) -> State {
        let to = Shelf::of(&state);
        let job = &mut self[key];
        let from = Shelf::of(&job.state);
        let owner = job.owner;
        let before = std::mem::replace(&mut job.state, state);
        if from != to {
            if let Some(from) = from {
                self.shelves.remove(&Counted((from, owner, key)));
            }
            match to {
                Some(to) => _ = self.shelves.insert(Counted((to, owner, key))),
                None => self.leave_queue(key),
            }
        }
        before
    }

    fn leave_queue(&mut self, key: JobKey) {
        let Job { id, owner, idle_since, .. } = self[key];
        self.by_id.remove(&Counted(id));
        self.idle.remove(&Counted((idle_since, key)));
        self.users.get_mut(owner).jobs -= 1;
    }

    /// Forgets a job that has left the queue and has no handle.
    pub(crate) fn forget_if_gone(&mut self, key: JobKey) {
        if self.get(key).is_some_and(|job| job.is_final() && job.handles == 0) {
            self.by_key.remove(key);
        }
    }

    /// The jobs on a shelf, of every user or of one.
    pub(crate) fn on_shelf(&self, on: Shelf, owner: Option<UserNo>) -> impl Iterator<Item = JobKey> {
        let (first, last) = owner.map_or((UserNo::FIRST, UserNo::LAST), |owner| (owner, owner));
        self.shelves
            .range(Counted((on, first, JobKey(0)))..=Counted((on, last, JobKey(u64::MAX))))
            .map(|Counted((_, _, key))| *key)
    }

    /// The job that may have been idle for longest, and since when.
    pub(crate) fn most_idle(&self) -> Option<(FileTime, JobKey)> {
        self.idle.first().map(|Counted(first)| *first)
    }

    /// Moves a job of the queue to another place in the index of idle jobs.
    pub(crate) fn set_idle_since(&mut self, key: JobKey, since: FileTime) {
        let before = std::mem::replace(&mut self[key].idle_since, since);
        self.idle.remove(&Counted((before, key)));
        self.idle.insert(Counted((since, key)));
    }
}

// The engine's own indexes name only jobs that are here, so a miss is a bug of the engine. Keys
// that come from outside go through `get`.
impl Index<JobKey> for Jobs {
    type Output = Job;

    fn index(&self, key: JobKey) -> &Job {
        self.get(key).expect("an index of the engine names a job that is gone")
    }
}

impl IndexMut<JobKey> for Jobs {
    fn index_mut(&mut self, key: JobKey) -> &mut Job {
        self.get_mut(key).expect("an index of the engine names a job that is gone")
    }
}
