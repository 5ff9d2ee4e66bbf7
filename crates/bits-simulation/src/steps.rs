//! What happens at random.

use std::time::Duration;

use bits_engine::Event;
use bits_world::{InternetBandwidth, Logon, Network, NetworkCost, Volume, World};

use crate::house::House;
use crate::origin::Mood;
use crate::restart::End;

impl House {
    /// Takes one step.
    pub(crate) fn step(&mut self) {
        let weights = self.plan.weights;
        let kinds = [
            weights.call,
            weights.drive,
            weights.attempt,
            weights.callback,
            weights.time,
            weights.world,
            weights.origin,
            weights.restart,
        ];
        match self.chance.weighted(&kinds) {
            0 => self.some_call(),
            1 => self.some_driving(),
            2 => self.some_attempt(),
            3 if self.chance.one_in(4) => self.end_program(true),
            3 => self.some_return(),
            4 => self.some_time(),
            5 => self.some_change(),
            6 => self.some_server(),
            _ => self.some_restart(),
        }
        self.see_everything();
        if self.outbox.is_empty() && self.chance.one_in(8) {
            self.rehearse();
        }
    }

    fn some_driving(&mut self) {
        let all = self.outbox.len();
        if all == 0 {
            return;
        }
        let count = if self.plan.small_batches || self.chance.one_in(2) { 1 + self.chance.below(all) } else { all };
        self.drive(count);
    }

    fn some_attempt(&mut self) {
        if !self.mover.attempts.is_empty() {
            let place = self.chance.below(self.mover.attempts.len());
            let attempt = *self.mover.attempts.keys().nth(place).expect("an attempt");
            self.step_attempt(attempt);
        }
    }

    // Time and world

    fn some_time(&mut self) {
        let next = self.engine.next_deadline();
        let to = match (next, self.chance.below(4)) {
            (Some(next), 0 | 1) if next.since(self.now.monotonic) < Duration::from_hours(200) => next,
            (_, 2) => self.now.monotonic.plus(Duration::from_millis(self.chance.between(1, 5_000))),
            _ => self.now.monotonic.plus(Duration::from_secs(self.chance.between(1, 1_000))),
        };
        self.advance_to(to);
    }

    fn some_change(&mut self) {
        match self.chance.below(8) {
            0 | 1 => self.some_session(),
            2 => {
                let user = self.chance.below(2);
                self.some_lock(user);
            }
            3 => self.some_jump(),
            _ => self.some_hold(),
        }
    }

    /// A session of somebody begins or ends.
    fn some_session(&mut self) {
        let user = self.chance.below(3);
        let sid = self.users[user].user.clone();
        let was_on = self.world.is_logged_on(&sid);
        let sessions: Vec<_> = self.world.sessions_of(&sid).map(|(id, _)| id).collect();
        if sessions.is_empty() || self.chance.one_in(4) {
            let kinds = [Logon::Console, Logon::RemoteDesktop, Logon::PowerShellRemoting, Logon::RunAs, Logon::Batch];
            let kind = self.chance.pick(&kinds);
            self.trace.note(self.now.monotonic, format_args!("user {user} logs on: {kind:?}"));
            self.change_world(|world| _ = world.open_session(sid.clone(), kind));
        } else {
            let session = self.chance.pick(&sessions);
            self.trace.note(self.now.monotonic, format_args!("a session of user {user} ends"));
            self.change_world(|world| world.close_session(session));
        }
        if was_on && !self.world.is_logged_on(&sid) {
            self.lose_helpers(user);
        }
    }

    /// Something begins, or ends, to keep jobs from transferring.
    fn some_hold(&mut self) {
        let costs =
            [NetworkCost::Unrestricted, NetworkCost::NearCap, NetworkCost::OvercapCharged, NetworkCost::Roaming];
        let cost = self.chance.pick(&costs);
        let change: fn(&mut World, NetworkCost) = match self.chance.below(6) {
            0 | 1 => |world, _| {
                world.network = match world.network {
                    Network::Connected => Network::Disconnected,
                    _ => Network::Connected,
                };
            },
            2 => |world, cost| world.cost = cost,
            3 => |world, _| world.power.battery_saver = !world.power.battery_saver,
            4 => |world, _| {
                let volume = Volume::new('c');
                let is_locked = world.drives.locked().count() > 0;
                world.drives.set_locked(volume, !is_locked);
            },
            _ => |world, _| {
                let limit = &mut world.policies.max_internet_bandwidth;
                *limit = limit.is_none().then(|| InternetBandwidth::all_day(0));
            },
        };
        self.change_world(|world| change(world, cost));
        let World { network, cost, power, .. } = &self.world;
        self.trace.note(self.now.monotonic, format_args!("the world changes: {network:?} {cost:?} {power:?}"));
    }

    fn some_lock(&mut self, user: usize) {
        let folder = self.path_of(&format!(r"C:\user{user}"), None);
        if !self.files.locked.remove(&folder) {
            self.files.locked.insert(folder);
        }
    }

    /// Somebody sets the wall clock.
    fn some_jump(&mut self) {
        let by = Duration::from_secs(self.chance.between(1, 40_000));
        let wall = self.now.wall;
        self.now.wall = if self.chance.one_in(2) {
            wall.plus(by)
        } else {
            bits_api::FileTime(
                wall.0 - wall.since(bits_api::FileTime(wall.0 / 2)).as_secs().min(by.as_secs()) * 10_000_000,
            )
        };
        self.trace.note(self.now.monotonic, format_args!("the wall clock is set to {:?}", self.now.wall));
        self.tell(Event::WorldChanged);
    }

    fn some_server(&mut self) {
        let sources = self.files.sources();
        if !sources.is_empty() && self.chance.one_in(6) {
            let source = sources[self.chance.below(sources.len())].clone();
            self.trace.note(self.now.monotonic, format_args!("{} is written anew", source.display()));
            return self.write_source(&source);
        }
        if self.chance.one_in(3) {
            let url = self.origin.change_some(&mut self.chance);
            self.trace.note(self.now.monotonic, format_args!("{url:?} is another file now"));
            return;
        }
        if self.chance.one_in(8) {
            self.origin.change_password();
            self.trace.note(self.now.monotonic, format_args!("{:?} is the password", self.origin.password()));
            return;
        }
        let server = self.chance.below(self.origin.moods.len());
        let moods = [Mood::Good, Mood::Good, Mood::Flaky, Mood::Flaky, Mood::Busy, Mood::Gone, Mood::Silent];
        self.origin.moods[server] = self.chance.pick(&moods);
        self.trace.note(self.now.monotonic, format_args!("server {server} is {:?}", self.origin.moods[server]));
    }

    fn some_restart(&mut self) {
        match self.chance.below(4) {
            0 => self.restart(End::Stopped),
            1 => self.restart(End::Killed),
            2 => self.restart(End::PowerLost),
            // It dies at one of the next writes, if there are any.
            _ => self.disk.die_after(self.chance.between(0, 40)),
        }
    }
}
