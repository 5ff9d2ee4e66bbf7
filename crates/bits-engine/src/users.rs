//! The users whom the engine has met: owners of jobs and those who registered callbacks.

use std::collections::{BTreeMap, VecDeque};

use bits_world::Sid;

use crate::JobKey;
use crate::visits::{Counted, visit};

/// A user inside one engine.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct UserNo(pub(crate) u32);

impl UserNo {
    /// Before every user.
    pub(crate) const FIRST: Self = Self(0);
    /// After every user.
    pub(crate) const LAST: Self = Self(u32::MAX);
}

#[derive(Debug)]
pub(crate) struct User {
    pub(crate) sid: Sid,
    /// As of the last look at the world.
    pub(crate) logged_on: bool,
    /// Jobs in the queue that the user owns.
    pub(crate) jobs: u32,
    /// Notifications to the user's callbacks that have not returned.
    pub(crate) notifications: u32,
    /// Jobs with a notification that waits for one of those to return.
    pub(crate) waiting: VecDeque<JobKey>,
}

/// Users are few; one is never forgotten.
#[derive(Debug, Default)]
pub(crate) struct Users {
    list: Vec<User>,
    numbers: BTreeMap<Counted<Sid>, UserNo>,
}

impl Users {
    /// The number of the user `sid`, whose logon is looked up when the user is new.
    pub(crate) fn number(&mut self, sid: &Sid, is_logged_on: impl FnOnce(&Sid) -> bool) -> UserNo {
        // A clone of a SID is another reference to the same text.
        let key = Counted(sid.clone());
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let number = UserNo(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.list.push(User {
            sid: sid.clone(),
            logged_on: is_logged_on(sid),
            jobs: 0,
            notifications: 0,
            waiting: VecDeque::new(),
        });
        self.numbers.insert(key, number);
        number
    }

    /// The number of a user who was met before.
    pub(crate) fn find(&self, sid: &Sid) -> Option<UserNo> {
        self.numbers.get(&Counted(sid.clone())).copied()
    }

    pub(crate) fn get(&self, number: UserNo) -> &User {
        &self.list[number.0 as usize]
    }

    pub(crate) fn get_mut(&mut self, number: UserNo) -> &mut User {
        &mut self.list[number.0 as usize]
    }

    /// Every user, with how many there are.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = UserNo> + use<> {
        (0..u32::try_from(self.list.len()).unwrap_or(u32::MAX)).inspect(|_| visit()).map(UserNo)
    }
}
