//! What a test does to the machine, to the service and to programs, and what each of it loses.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bits_api::{FileTime, Hresult};
use bits_world::{Logon, Presence, SessionId, Sid, World};

use crate::callbacks;
use crate::client::Caller;
use crate::emulator::{Emulator, End, Inner};
use crate::failure::{StartError, TimeError};
use crate::service::Service;
use crate::timeline::What;

/// Something that a test does to the machine, to the service or to a program.
///
#[doc = include_str!("losses.md")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Verb {
    /// [`Client::exit`](crate::Client::exit)
    ClientExits,
    /// [`Client::kill`](crate::Client::kill)
    ClientKilled,
    /// [`Emulator::stop`]
    ServiceStopped,
    /// [`Emulator::crash`]
    ServiceCrashed,
    /// [`Emulator::disable`]
    ServiceDisabled,
    /// [`Emulator::reboot`]
    Reboot,
    /// [`Emulator::system_restore`]
    SystemRestore,
    /// [`Emulator::log_off`]
    Logoff,
    /// [`Emulator::lock`]
    Lock,
    /// [`Emulator::switch_user`]
    UserSwitch,
    /// [`Emulator::sleep`]
    Sleep,
    /// [`Emulator::set_wall_clock`]
    WallClockJump,
}

/// What a [`Verb`] may take away.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Thing {
    /// Handles of the program, or of the user's programs, that the verb is about.
    Handles,
    /// Handles of everybody else.
    OtherHandles,
    /// Callbacks that those programs have registered.
    Callbacks,
    /// The answer of such a callback that runs at the moment.
    RunningCallback,
    /// Helper tokens that are set on the user's jobs.
    HelperTokens,
    /// Attempts of the user's jobs, with their connections.
    Attempts,
    /// Retry delays and no-progress periods.
    Timers,
    /// The user's sessions.
    Sessions,
    /// Remote names of files that were changed and that no Resume has saved.
    UnsavedNames,
    /// The jobs, and every change of them that a call has answered.
    Jobs,
    /// Changes that are not on record yet, and were not answered.
    PendingChanges,
}

/// What becomes of a [`Thing`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Fate {
    /// It stays as it is.
    Kept,
    /// It is gone.
    Lost,
    /// Calls through it give this.
    Dead(Hresult),
    /// It stops, and another one begins where it stopped when the service and the owner are back.
    Interrupted,
    /// It goes on from what is on record, by the wall clock.
    ByWallClock,
}

/// One row of the table: a verb, and what becomes of each thing.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    /// What is done.
    pub verb: Verb,
    /// In the order of [`Loss::THINGS`].
    fates: [Fate; 11],
}

const KEPT: Fate = Fate::Kept;
const LOST: Fate = Fate::Lost;
const DISC: Fate = Fate::Dead(Hresult::RPC_E_DISCONNECTED);
const GONE: Fate = Fate::Dead(Hresult::RPC_S_SERVER_UNAVAILABLE);
const INTR: Fate = Fate::Interrupted;
const WALL: Fate = Fate::ByWallClock;

impl Loss {
    /// The things of the table.
    pub const THINGS: [Thing; 11] = [
        Thing::Handles,
        Thing::OtherHandles,
        Thing::Callbacks,
        Thing::RunningCallback,
        Thing::HelperTokens,
        Thing::Attempts,
        Thing::Timers,
        Thing::Sessions,
        Thing::UnsavedNames,
        Thing::Jobs,
        Thing::PendingChanges,
    ];

    /// The whole table.
    #[rustfmt::skip]
    pub const TABLE: [Self; 12] = [
        //                              own   other callb run   token attem timer sess  names jobs  pending
        Self::of(Verb::ClientExits,     [DISC, KEPT, LOST, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT]),
        Self::of(Verb::ClientKilled,    [DISC, KEPT, LOST, LOST, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT]),
        Self::of(Verb::ServiceStopped,  [GONE, GONE, LOST, LOST, LOST, INTR, WALL, KEPT, LOST, KEPT, KEPT]),
        Self::of(Verb::ServiceCrashed,  [GONE, GONE, LOST, LOST, LOST, INTR, WALL, KEPT, LOST, KEPT, LOST]),
        Self::of(Verb::ServiceDisabled, [GONE, GONE, LOST, LOST, LOST, INTR, WALL, KEPT, LOST, KEPT, KEPT]),
        Self::of(Verb::Reboot,          [DISC, DISC, LOST, LOST, LOST, INTR, WALL, LOST, LOST, KEPT, KEPT]),
        Self::of(Verb::SystemRestore,   [DISC, DISC, LOST, LOST, LOST, LOST, LOST, LOST, LOST, LOST, LOST]),
        Self::of(Verb::Logoff,          [DISC, KEPT, LOST, LOST, LOST, INTR, KEPT, LOST, KEPT, KEPT, KEPT]),
        Self::of(Verb::Lock,            [KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT]),
        Self::of(Verb::UserSwitch,      [KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT]),
        Self::of(Verb::Sleep,           [KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT]),
        Self::of(Verb::WallClockJump,   [KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT, KEPT]),
    ];

    const fn of(verb: Verb, fates: [Fate; 11]) -> Self {
        Self { verb, fates }
    }

    /// What becomes of `thing`.
    pub fn fate(&self, thing: Thing) -> Fate {
        self.fates[thing as usize]
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept => f.write_str("kept"),
            Self::Lost => f.write_str("lost"),
            Self::Dead(code) => write!(f, "{:#010X}", code.0),
            Self::Interrupted => f.write_str("interrupted"),
            Self::ByWallClock => f.write_str("by the wall clock"),
        }
    }
}

impl Emulator {
    /// The service crashes: nothing is put on record any more. [`Emulator::start`] brings it back.
    pub fn crash(&self) {
        self.inner().stop(End::Crash);
    }

    /// An administrator disables the service and stops it: CoCreateInstance gives
    /// `ERROR_SERVICE_DISABLED` (0x80070422), and handles from before `RPC_S_SERVER_UNAVAILABLE`
    /// (0x800706BA), until it is [enabled](Emulator::enable) and started.
    pub fn disable(&self) {
        self.inner().set_disabled(true);
        self.inner().stop(End::Orderly);
    }

    /// The service may be started again; starts it.
    ///
    /// # Errors
    /// Those of [`Emulator::start`].
    pub fn enable(&self) -> Result<(), StartError> {
        self.inner().set_disabled(false);
        self.start()
    }

    /// The machine restarts: every program ends, every user is logged off, the service is stopped
    /// and, unless it is disabled, started again. No time passes by itself. Jobs go on when their
    /// owners are [logged on](Emulator::log_on) again.
    ///
    /// # Errors
    /// Those of [`Emulator::start`].
    pub fn reboot(&self) -> Result<(), StartError> {
        self.inner().note("the machine restarts");
        self.inner().end_programs(|_| true);
        self.inner().stop(End::Orderly);
        self.change_world(World::end_all_sessions);
        match self.start() {
            Err(StartError::Disabled) => Ok(()),
            started => started,
        }
    }

    /// The machine is put back to a restore point from before an upgrade of BITS, which cannot read
    /// the queue of its successor: it begins with an empty one, and temporary files of the old jobs
    /// stay where they are (clause `service.restore`). Else as [`Emulator::reboot`].
    ///
    /// # Errors
    /// Those of [`Emulator::start`].
    pub fn system_restore(&self) -> Result<(), StartError> {
        self.inner().note("the machine is put back to a restore point");
        self.inner().end_programs(|_| true);
        self.inner().stop(End::Crash);
        self.inner().lose_queue()?;
        self.reboot()
    }

    /// A user logs off: the user's programs are killed and all the user's sessions end.
    pub fn log_off(&self, user: &Sid) {
        self.inner().note(&format!("{user} logs off"));
        self.inner().end_programs(|caller| caller.process_user() == user);
        self.change_world(|world| world.log_off(user));
    }

    /// A user logs on at the console; one who is there already stays as he is.
    pub fn log_on(&self, user: &Sid) {
        self.inner().note(&format!("{user} logs on"));
        self.change_world(|world| world.log_on(user.clone()));
    }

    /// A user locks the screen. Nothing is lost: BITS does not look at it.
    pub fn lock(&self, user: &Sid) {
        self.set_console(user, Presence::Locked);
    }

    /// A user comes back to a locked screen.
    pub fn unlock(&self, user: &Sid) {
        self.set_console(user, Presence::Active);
    }

    /// Fast user switching: `user` works at the console now, everybody else there is switched away
    /// but stays logged on.
    pub fn switch_user(&self, user: &Sid) {
        self.inner().note(&format!("{user} works at the console now"));
        self.change_world(|world| {
            let there: Vec<SessionId> =
                world.sessions().filter(|(_, s)| s.logon == Logon::Console).map(|(id, _)| id).collect();
            for session in there {
                world.set_presence(session, Presence::SwitchedAway);
            }
            world.log_on(user.clone());
            let own: Vec<SessionId> =
                world.sessions_of(user).filter(|(_, s)| s.logon == Logon::Console).map(|(id, _)| id).collect();
            for session in own {
                world.set_presence(session, Presence::Active);
            }
        });
    }

    /// The machine sleeps: `duration` passes and nothing happens meanwhile. What was due in it
    /// happens once, on waking.
    ///
    /// # Errors
    /// [`TimeError`]
    pub fn sleep(&self, duration: Duration) -> Result<(), TimeError> {
        let clock = self.virtual_clock()?;
        clock.settle().map_err(TimeError::Stuck)?;
        self.inner().note(&format!("the machine sleeps for {duration:?}"));
        clock.skip(duration);
        clock.settle().map_err(TimeError::Stuck)
    }

    /// Somebody sets the wall clock. Timers do not notice; what counts in calendar time, such as
    /// the 90 days of inactivity, is judged by the new time at once.
    ///
    /// # Errors
    /// [`TimeError::NotVirtual`]
    pub fn set_wall_clock(&self, wall: FileTime) -> Result<(), TimeError> {
        self.clock().as_virtual().ok_or(TimeError::NotVirtual)?.set_wall(wall);
        self.inner().note("somebody sets the wall clock");
        if let Some(service) = self.inner().service() {
            service.look_at_the_clock();
        }
        Ok(())
    }

    fn set_console(&self, user: &Sid, presence: Presence) {
        self.change_world(|world| {
            let there: Vec<SessionId> = world.sessions_of(user).map(|(id, _)| id).collect();
            for session in there {
                world.set_presence(session, presence);
            }
        });
    }
}

impl Inner {
    fn note(&self, text: &str) {
        self.timeline().push(self.clock().now(), None, What::Service(text.into()));
    }

    /// Kills the programs that `whose` means.
    fn end_programs(&self, whose: impl Fn(&Caller) -> bool) {
        let ending = self.programs().take(whose);
        for caller in &ending {
            caller.end();
        }
        if let Some(service) = self.service() {
            disconnect(&service, &ending);
        }
    }
}

fn disconnect(service: &Service, ended: &[Caller]) {
    callbacks::disconnect(service, |caller| ended.iter().any(|ended| ended.is_same(caller)));
}

/// The programs that run.
#[derive(Default)]
pub(crate) struct Programs(Mutex<Vec<Caller>>);

impl Programs {
    pub(crate) fn add(&self, caller: &Caller) {
        let mut programs = self.lock();
        programs.retain(|caller| caller.is_alive() && !caller.is_forgotten());
        programs.push(caller.clone());
    }

    fn take(&self, whose: impl Fn(&Caller) -> bool) -> Vec<Caller> {
        self.lock().extract_if(.., |caller| caller.is_alive() && whose(caller)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Caller>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
