//! The jobs and the indexes over them.
//!
//! Whatever the engine asks of many jobs at once is answered by an ordered index; nothing walks
//! over all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, Index, IndexMut};

use bits_api::{FileTime, Guid};

use crate::JobKey;
use crate::helper::HelperToken;
use crate::hold::{Class, Hold};
use crate::job::{Job, State, Wait};
use crate::pages::Pages;
use crate::users::{UserNo, Users};
use crate::visits::{Counted, visit};

/// What the jobs of the queue are sorted by: their state, as far as the world's changes ask for it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Shelf {
    Suspended,
    Queued,
    /// CONNECTING and TRANSFERRING.
    Active,
    /// TRANSIENT_ERROR with a retry delay.
    Retrying,
    /// TRANSIENT_ERROR until something outside ends.
    Held,
    Error,
    Transferred,
    Finishing,
    GivingUp,
}

impl Shelf {
    /// Where the jobs stand that clients find: a cancelled one whose server is still to be told is
    /// none (clause `lifecycle.final.not_enumerated`).
    pub(crate) const LISTED: [Self; 8] = [
        Self::Suspended,
        Self::Queued,
        Self::Active,
        Self::Retrying,
        Self::Held,
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
            State::TransientError(Wait::Held(_)) => Self::Held,
            State::Error => Self::Error,
            State::Transferred => Self::Transferred,
            State::Finishing(_) => Self::Finishing,
            State::GivingUp { .. } => Self::GivingUp,
            State::Acknowledged | State::Cancelled => return None,
        })
    }
}

/// What the jobs of the queue are sorted by, before their class, for what may hold them.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Standing {
    /// QUEUED, CONNECTING and TRANSFERRING.
    Going,
    /// TRANSIENT_ERROR until that ends.
    Held(Hold),
}

impl Standing {
    fn of(state: &State) -> Option<Self> {
        match state {
            State::Queued { .. } | State::Connecting { .. } | State::Transferring { .. } => Some(Self::Going),
            State::TransientError(Wait::Held(hold)) => Some(Self::Held(*hold)),
            _ => None,
        }
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
    /// Jobs of the queue that something may hold, or holds.
    classes: BTreeSet<Counted<(Standing, Class, JobKey)>>,
    /// Jobs of the queue by a moment that is not after their last activity; not those that are
    /// cancelled already, for which nobody can do anything any more.
    idle: BTreeSet<Counted<(FileTime, JobKey)>>,
    /// Jobs of the queue with a helper token, by each user whose logoff may take it.
    tied: BTreeSet<Counted<(UserNo, JobKey)>>,
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
        self.refile(key);
    }

    /// Takes in many jobs that are in the queue: sorting once is quicker than finding each place.
    #[expect(clippy::vec_box, reason = "they move into the index as they are")]
    pub(crate) fn load(mut loaded: Vec<Box<Job>>, mut users: Users) -> Self {
        for job in &mut loaded {
            users.get_mut(job.owner).jobs += 1;
            job.filed = Standing::of(&job.state).map(|standing| (standing, Class::of(job)));
        }
        Self {
            by_id: loaded.iter().map(|job| (Counted(job.id), job.key)).collect(),
            shelves: loaded
                .iter()
                .filter_map(|job| Shelf::of(&job.state).map(|shelf| Counted((shelf, job.owner, job.key))))
                .collect(),
            classes: loaded
                .iter()
                .filter_map(|job| job.filed.map(|(standing, class)| Counted((standing, class, job.key))))
                .collect(),
            idle: loaded
                .iter()
                .filter(|job| !matches!(job.state, State::GivingUp { .. }))
                .map(|job| Counted((job.idle_since, job.key)))
                .collect(),
            by_key: loaded.into_iter().collect(),
            tied: BTreeSet::new(),
            users,
        }
    }

    /// Puts another job of the same owner into the place of one; its handles and its callback stay.
    pub(crate) fn replace(&mut self, key: JobKey, mut job: Job) {
        // Out of every index.
        self.set_state(key, State::Cancelled);
        let before = &mut self[key];
        (job.handles, job.notices) = (before.handles, before.notices.take());
        self.insert(Box::new(job));
    }

    /// Replaces the state of a job and gives back the one of before.
    pub(crate) fn set_state(&mut self, key: JobKey, state: State) -> State {
        let to = Shelf::of(&state);
        let job = &mut self[key];
        let from = Shelf::of(&job.state);
        let owner = job.owner;
        let before = std::mem::replace(&mut job.state, state);
        self.refile(key);
        if from != to {
            if let Some(from) = from {
                self.shelves.remove(&Counted((from, owner, key)));
            }
            match to {
                Some(to) => _ = self.shelves.insert(Counted((to, owner, key))),
                None => self.leave_queue(key),
            }
            if to == Some(Shelf::GivingUp) {
                self.idle.remove(&Counted((self[key].idle_since, key)));
            }
        }
        before
    }

    fn leave_queue(&mut self, key: JobKey) {
        self.set_helper(key, None);
        let Job { id, owner, idle_since, .. } = self[key];
        self.by_id.remove(&Counted(id));
        self.idle.remove(&Counted((idle_since, key)));
        self.users.get_mut(owner).jobs -= 1;
    }

    /// Gives a job of the queue to another user.
    pub(crate) fn set_owner(&mut self, key: JobKey, owner: UserNo) {
        let helper = self[key].helper;
        self.set_helper(key, None);
        let job = &mut self[key];
        let before = std::mem::replace(&mut job.owner, owner);
        if let Some(shelf) = Shelf::of(&job.state) {
            self.shelves.remove(&Counted((shelf, before, key)));
            self.shelves.insert(Counted((shelf, owner, key)));
        }
        self.users.get_mut(before).jobs -= 1;
        self.users.get_mut(owner).jobs += 1;
        self.set_helper(key, helper);
    }

    /// Replaces the helper token of a job of the queue.
    pub(crate) fn set_helper(&mut self, key: JobKey, helper: Option<HelperToken>) {
        let job = &mut self[key];
        let owner = job.owner;
        let before = std::mem::replace(&mut job.helper, helper);
        for user in before.iter().flat_map(|helper| [owner, helper.user]) {
            self.tied.remove(&Counted((user, key)));
        }
        for user in helper.iter().flat_map(|helper| [owner, helper.user]) {
            self.tied.insert(Counted((user, key)));
        }
    }

    /// The jobs with a helper token that a logoff of `user` may take.
    pub(crate) fn tied_to(&self, user: UserNo) -> Vec<JobKey> {
        let all = Counted((user, JobKey(0)))..=Counted((user, JobKey(u64::MAX)));
        self.tied.range(all).map(|Counted((_, key))| *key).collect()
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
            .inspect(|_| visit())
            .map(|Counted((_, _, key))| *key)
    }

    /// Sorts a job anew by what may hold it; to be called whenever that has changed.
    pub(crate) fn refile(&mut self, key: JobKey) {
        let job = &mut self[key];
        let to = Standing::of(&job.state).map(|standing| (standing, Class::of(job)));
        let from = std::mem::replace(&mut job.filed, to);
        if from == to {
            return;
        }
        if let Some((standing, class)) = from {
            self.classes.remove(&Counted((standing, class, key)));
        }
        if let Some((standing, class)) = to {
            self.classes.insert(Counted((standing, class, key)));
        }
    }

    /// The classes of the jobs of that standing: one look-up each, however many jobs they have.
    pub(crate) fn classes(&self, of: Standing) -> Vec<Class> {
        let mut found = Vec::new();
        let mut from = Bound::Included(Counted((of, Class::FIRST, JobKey(0))));
        while let Some(Counted((standing, class, _))) = self.classes.range((from, Bound::Unbounded)).next()
            && *standing == of
        {
            found.push(*class);
            from = Bound::Excluded(Counted((of, *class, JobKey(u64::MAX))));
        }
        found
    }

    /// The jobs of that standing and class, in the order of their creation.
    pub(crate) fn of_class(&self, standing: Standing, class: Class) -> Vec<JobKey> {
        let (first, last) = ((standing, class, JobKey(0)), (standing, class, JobKey(u64::MAX)));
        self.classes.range(Counted(first)..=Counted(last)).inspect(|_| visit()).map(|Counted((.., key))| *key).collect()
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
