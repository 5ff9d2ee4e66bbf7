//! The state of the emulated machine.

use bits_api::CostFlags;

use crate::sessions::Sessions;
use crate::{
    Accounts, CertificateStores, Drives, Kdcs, Logon, Passport, Peers, Permissions, Policies, Power, Presence, Profile,
    Proxies, RevocationLists, Session, SessionId, Shares, Sid, Storage, Uplink,
};

/// The machine's link to the network.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Network {
    /// Up.
    #[default]
    Connected,
    /// Up, but without a default gateway: no way leads to a server (clause
    /// `failure.no_default_gateway`).
    NoGateway,
    /// No connection at all; BITS does not open one (clause `net.no_forced_connection`).
    Disconnected,
}

/// What the network costs (clauses `cost.*`, `job5.cost_state.*`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum NetworkCost {
    /// Nothing, without a cap.
    #[default]
    Unrestricted,
    /// Capped, with unknown usage.
    CappedUsageUnknown,
    /// Capped, usage below the cap.
    BelowCap,
    /// Capped, usage close to the cap.
    NearCap,
    /// Over the cap, more is charged.
    OvercapCharged,
    /// Over the cap, more is slow.
    OvercapThrottled,
    /// Charged by use.
    UsageBased,
    /// Roaming.
    Roaming,
}

impl NetworkCost {
    /// The bit that stands for it in a job's cost flags.
    pub const fn flag(self) -> CostFlags {
        match self {
            Self::Unrestricted => CostFlags::UNRESTRICTED,
            Self::CappedUsageUnknown => CostFlags::CAPPED_USAGE_UNKNOWN,
            Self::BelowCap => CostFlags::BELOW_CAP,
            Self::NearCap => CostFlags::NEAR_CAP,
            Self::OvercapCharged => CostFlags::OVERCAP_CHARGED,
            Self::OvercapThrottled => CostFlags::OVERCAP_THROTTLED,
            Self::UsageBased => CostFlags::USAGE_BASED,
            Self::Roaming => CostFlags::ROAMING,
        }
    }
}

/// Everything around the service that BITS looks at.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct World {
    /// The network.
    pub network: Network,
    /// What it costs.
    pub cost: NetworkCost,
    /// What is known of its speed and of who uses it; `None` leaves all of it to background jobs.
    pub uplink: Option<Uplink>,
    /// What the machine runs on, and how.
    pub power: Power,
    /// Whether a game has the machine for itself (clause `lifecycle.transient_error.reasons`).
    pub game_mode: bool,
    /// What the administrator has set.
    pub policies: Policies,
    /// Where Windows paths lead to.
    pub drives: Drives,
    /// What is wrong with local disks.
    pub storage: Storage,
    /// The file servers.
    pub shares: Shares,
    /// What the peer cache of BITS 3.0 looks at.
    pub peers: Peers,
    /// What is set of proxies, and what detection finds.
    pub proxies: Proxies,
    /// Where tickets of Kerberos come from.
    pub kdcs: Kdcs,
    /// Where Passport signs in.
    pub passport: Passport,
    /// Who may use which local folders.
    pub permissions: Permissions,
    /// What its users have logged on with.
    pub accounts: Accounts,
    /// Its certificate stores.
    pub certificates: CertificateStores,
    /// What can be known of revoked certificates.
    pub revocation: RevocationLists,
    sessions: Sessions,
}

impl World {
    /// Logs a user on at the console; one who is there already stays as he is.
    pub fn log_on(&mut self, user: Sid) {
        if self.sessions_of(&user).all(|(_, session)| session.logon != Logon::Console) {
            self.open_session(user, Logon::Console);
        }
    }

    /// Logs a user off: all of the user's sessions end.
    pub fn log_off(&mut self, user: &Sid) {
        let all: Vec<SessionId> = self.sessions_of(user).map(|(id, _)| id).collect();
        for id in all {
            self.close_session(id);
        }
    }

    /// Whether jobs of `user` may run, in the latest BITS; service accounts always count as logged
    /// on (clause `users.system_accounts_on`).
    pub fn is_logged_on(&self, user: &Sid) -> bool {
        self.lets_jobs_run(user, Profile::default())
    }

    /// Whether jobs of `user` may run, in that BITS (clauses `users.logon_kinds`,
    /// `users.ps_remote`).
    pub fn lets_jobs_run(&self, user: &Sid, profile: Profile) -> bool {
        self.sessions.let_jobs_run(user, profile)
    }

    /// Begins another session of a user.
    pub fn open_session(&mut self, user: Sid, logon: Logon) -> SessionId {
        self.sessions.open(user, logon)
    }

    /// Ends one session; one that has ended is left alone.
    pub fn close_session(&mut self, session: SessionId) {
        self.sessions.close(session);
    }

    /// Ends every session, as a restart of the machine does.
    pub fn end_all_sessions(&mut self) {
        let all: Vec<SessionId> = self.sessions().map(|(id, _)| id).collect();
        for id in all {
            self.close_session(id);
        }
    }

    /// Every session of every user, oldest first.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        self.sessions.all()
    }

    /// Switches to or from a session, locks it, or cuts its line; one that has ended is left alone.
    pub fn set_presence(&mut self, session: SessionId, presence: Presence) {
        self.sessions.set_presence(session, presence);
    }

    /// A session that has not ended.
    pub fn session(&self, session: SessionId) -> Option<&Session> {
        self.sessions.get(session)
    }

    /// The sessions of a user, oldest first.
    pub fn sessions_of(&self, user: &Sid) -> impl Iterator<Item = (SessionId, &Session)> {
        self.sessions.of(user)
    }

    /// How often a session has begun, ended or changed so far.
    pub fn session_changes(&self) -> u64 {
        self.sessions.changes()
    }

    /// The users of the changes after the first `seen` of [`World::session_changes`], some of them
    /// perhaps several times; `None` when those changes are too long ago, or of another world.
    pub fn users_changed_since(&self, seen: u64) -> Option<impl Iterator<Item = &Sid>> {
        self.sessions.changed_since(seen)
    }
}
