//! Who logs on and off (clauses `users.*`).
//!
//! The world tells whose sessions have changed, so that nobody else is looked at.

use bits_world::Sid;

use crate::job::State;
use crate::jobs::Shelf;
use crate::users::UserNo;
use crate::{Cause, Cx, Engine};

impl Engine {
    /// The number of a user; the logon of a new one is looked up.
    pub(crate) fn user_of(&mut self, cx: Cx<'_>, sid: &Sid) -> UserNo {
        let profile = self.config.profile;
        self.jobs.users.number(sid, |sid| cx.world.lets_jobs_run(sid, profile))
    }

    /// Looks after the users whose sessions have changed since the last look.
    pub(crate) fn users_changed(&mut self, cx: Cx<'_>) {
        let seen = std::mem::replace(&mut self.sessions_seen, cx.world.session_changes());
        if seen == self.sessions_seen {
            return;
        }
        let users: Vec<UserNo> = match cx.world.users_changed_since(seen) {
            Some(changed) => changed.filter_map(|sid| self.jobs.users.find(sid)).collect(),
            // More than the world remembers.
            None => self.jobs.users.numbers().collect(),
        };
        for user in users {
            self.user_changed(cx, user);
        }
    }

    fn user_changed(&mut self, cx: Cx<'_>, user: UserNo) {
        let known = self.jobs.users.get_mut(user);
        let is_logged_on = cx.world.lets_jobs_run(&known.sid, self.config.profile);
        let was_logged_on = std::mem::replace(&mut known.logged_on, is_logged_on);
        self.lose_helpers(cx, user, was_logged_on && !is_logged_on);
        match (was_logged_on, is_logged_on) {
            (true, false) => self.logged_off(cx, user),
            (false, true) => self.logged_on(user),
            _ => {}
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
}
