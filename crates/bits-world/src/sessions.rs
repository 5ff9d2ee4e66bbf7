//! Who is logged on, how, and since when the last change of it.
//!
//! Ordinary tests need [`World::log_on`](crate::World::log_on) and
//! [`World::log_off`](crate::World::log_off) only: a logon at the console. Everything else here is
//! for those who care how a user has come in.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::{Profile, Sid};

/// How many changes are remembered: whoever looks after more of them has to look at every user.
const REMEMBERED: usize = 256;

/// A session of the machine, numbered; no number is used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SessionId(pub u32);

/// How a user has logged on.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Logon {
    /// At the welcome screen.
    Console,
    /// Remote desktop: a terminal services session.
    RemoteDesktop,
    /// A PowerShell Remote session (Enter-PSSession, Invoke-Command).
    PowerShellRemoting,
    /// PowerShell Direct, from the host of a virtual machine.
    PowerShellDirect,
    /// The WinRM cmdlets and winrs.
    WinRm,
    /// RunAs: a second logon inside somebody's session.
    RunAs,
    /// A scheduled task.
    Batch,
    /// A Windows service.
    Service,
    /// From another machine: shares, DCOM.
    Network,
}

impl Logon {
    /// Whether jobs of a user who has logged on like this may run, in that BITS (clauses
    /// `users.logon_kinds`, `users.runas`, `users.ps_remote`).
    fn lets_jobs_run(self, profile: Profile) -> bool {
        match self {
            Self::Console | Self::RemoteDesktop => true,
            Self::PowerShellRemoting => profile >= Profile::V5_0_1607,
            _ => false,
        }
    }
}

/// What has become of a session since its logon.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Presence {
    /// In use.
    #[default]
    Active,
    /// Somebody else works at the machine now (fast user switching).
    SwitchedAway,
    /// Locked.
    Locked,
    /// The client of a remote session has gone and may come back.
    Disconnected,
}

/// One logon.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Session {
    /// Whose.
    pub user: Sid,
    /// How it began.
    pub logon: Logon,
    /// What has become of it.
    pub presence: Presence,
}

impl Session {
    /// A user who is away counts as logged on (clause `users.fast_switch`); of PowerShell Remote
    /// sessions one must be active (clause `users.ps_remote`).
    fn lets_jobs_run(&self, profile: Profile) -> bool {
        let is_away = self.presence == Presence::Disconnected && self.logon == Logon::PowerShellRemoting;
        self.logon.lets_jobs_run(profile) && !is_away
    }
}

/// Every session, and which users' sessions have changed lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions {
    by_id: BTreeMap<SessionId, Session>,
    by_user: BTreeSet<(Sid, SessionId)>,
    opened: u32,
    /// How many changes there were.
    changes: u64,
    /// Whom the last of them concerned.
    latest: VecDeque<Sid>,
}

impl Sessions {
    pub(crate) fn open(&mut self, user: Sid, logon: Logon) -> SessionId {
        self.opened += 1;
        let id = SessionId(self.opened);
        self.by_user.insert((user.clone(), id));
        self.by_id.insert(id, Session { user: user.clone(), logon, presence: Presence::default() });
        self.note(user);
        id
    }

    pub(crate) fn close(&mut self, id: SessionId) {
        if let Some(session) = self.by_id.remove(&id) {
            self.by_user.remove(&(session.user.clone(), id));
            self.note(session.user);
        }
    }

    pub(crate) fn set_presence(&mut self, id: SessionId, presence: Presence) {
        if let Some(session) = self.by_id.get_mut(&id) {
            session.presence = presence;
            let user = session.user.clone();
            self.note(user);
        }
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<&Session> {
        self.by_id.get(&id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        self.by_id.iter().map(|(id, session)| (*id, session))
    }

    pub(crate) fn of(&self, user: &Sid) -> impl Iterator<Item = (SessionId, &Session)> {
        let first = (user.clone(), SessionId(0));
        let last = (user.clone(), SessionId(u32::MAX));
        self.by_user.range(first..=last).filter_map(|(_, id)| self.by_id.get(id).map(|session| (*id, session)))
    }

    pub(crate) fn let_jobs_run(&self, user: &Sid, profile: Profile) -> bool {
        user.is_service_account() || self.of(user).any(|(_, session)| session.lets_jobs_run(profile))
    }

    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    pub(crate) fn changed_since(&self, seen: u64) -> Option<impl Iterator<Item = &Sid>> {
        let missed = usize::try_from(self.changes.checked_sub(seen)?).ok()?;
        let known = self.latest.len().checked_sub(missed)?;
        Some(self.latest.iter().skip(known))
    }

    fn note(&mut self, user: Sid) {
        self.changes += 1;
        self.latest.push_back(user);
        if self.latest.len() > REMEMBERED {
            self.latest.pop_front();
        }
    }
}

/// Two machines with the same sessions are the same, however they came to them.
impl PartialEq for Sessions {
    fn eq(&self, other: &Self) -> bool {
        self.by_id == other.by_id
    }
}
