//! On whose behalf a call is made.

use std::fmt;
use std::sync::Arc;

use crate::{Logon, SessionId};

/// A security identifier in its string form, `S-1-…`.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Sid(Arc<str>);

impl Sid {
    /// LocalSystem.
    pub const LOCAL_SYSTEM: &'static str = "S-1-5-18";
    /// LocalService.
    pub const LOCAL_SERVICE: &'static str = "S-1-5-19";
    /// NetworkService.
    pub const NETWORK_SERVICE: &'static str = "S-1-5-20";

    /// Wraps a SID in its string form.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The SID of the `number`-th ordinary account of the emulated machine.
    pub fn of_account(number: u32) -> Self {
        Self::new(format!("S-1-5-21-1004336348-1177238915-682003330-{}", 1000 + number))
    }

    /// The SID of the account `name` of the emulated machine, whatever its case: the same in every
    /// process.
    pub fn of_name(name: &str) -> Self {
        // FNV-1a; a relative identifier has room for about four thousand million accounts.
        let hash = name
            .to_lowercase()
            .bytes()
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
        Self::of_account(u32::try_from(hash % 0xF000_0000).unwrap_or(0))
    }

    /// The string form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is one of the three service accounts, which always count as logged on
    /// (clause `users.system_accounts_on`).
    pub fn is_service_account(&self) -> bool {
        [Self::LOCAL_SYSTEM, Self::LOCAL_SERVICE, Self::NETWORK_SERVICE].contains(&self.as_str())
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A mandatory integrity level: the last number of the label's SID, so that levels compare.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Integrity(pub u32);

impl Integrity {
    /// Of a browser's sandbox, for one.
    pub const LOW: Self = Self(0x1000);
    /// Of a standard user, and of an administrator who is not elevated.
    pub const MEDIUM: Self = Self(0x2000);
    /// Of an elevated administrator.
    pub const HIGH: Self = Self(0x3000);
    /// Of the service accounts.
    pub const SYSTEM: Self = Self(0x4000);
}

/// How far a client lets BITS act in its name (RPC_C_IMP_LEVEL_*).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ImpersonationLevel {
    /// BITS does not learn who calls.
    Anonymous,
    /// BITS may see who calls.
    Identify,
    /// BITS may act as the caller on this machine.
    Impersonate,
    /// And on others.
    Delegate,
}

/// The caller of a method: a user, and how that user has come here.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "Windows asks a token these questions one by one")]
pub struct Token {
    /// The user.
    pub user: Sid,
    /// Whether the Administrators SID is enabled.
    pub administrator: bool,
    /// Whether the token is elevated (TokenElevation).
    pub elevated: bool,
    /// The integrity level.
    pub integrity: Integrity,
    /// Whether the token has restricting SIDs.
    pub restricted: bool,
    /// What the client's COM security settings give to BITS.
    pub impersonation: ImpersonationLevel,
    /// How the user has logged on to get this token.
    pub logon: Logon,
    /// The session that the token ends with; without one, it ends with the user's last session.
    pub session: Option<SessionId>,
    /// Whether the call comes from another machine.
    pub remote: bool,
}

impl Token {
    /// A standard user, or an administrator who is not elevated: the Administrators SID is there
    /// for denial only.
    pub fn standard(user: Sid) -> Self {
        Self {
            user,
            administrator: false,
            elevated: false,
            integrity: Integrity::MEDIUM,
            restricted: false,
            impersonation: ImpersonationLevel::Impersonate,
            logon: Logon::Console,
            session: None,
            remote: false,
        }
    }

    /// An elevated administrator.
    pub fn administrator(user: Sid) -> Self {
        Self { administrator: true, elevated: true, integrity: Integrity::HIGH, ..Self::standard(user) }
    }

    /// A program that runs as the service account `account`; LocalSystem is an administrator, the
    /// two others are not.
    pub fn service_account(account: &str) -> Self {
        let is_system = account == Sid::LOCAL_SYSTEM;
        Self {
            administrator: is_system,
            elevated: is_system,
            integrity: Integrity::SYSTEM,
            logon: Logon::Service,
            ..Self::standard(Sid::new(account))
        }
    }

    /// The same user by another kind of logon.
    #[must_use]
    pub fn by(self, logon: Logon) -> Self {
        Self { logon, ..self }
    }

    /// The same user in a session of its own.
    #[must_use]
    pub fn in_session(self, session: SessionId) -> Self {
        Self { session: Some(session), ..self }
    }

    /// The same user at another integrity level.
    #[must_use]
    pub fn at_integrity(self, integrity: Integrity) -> Self {
        Self { integrity, ..self }
    }

    /// The same user with restricting SIDs (CreateRestrictedToken).
    #[must_use]
    pub fn restricted(self) -> Self {
        Self { restricted: true, ..self }
    }

    /// The same user with other COM security settings.
    #[must_use]
    pub fn letting(self, impersonation: ImpersonationLevel) -> Self {
        Self { impersonation, ..self }
    }

    /// The same user, calling from another machine.
    #[must_use]
    pub fn from_another_machine(self) -> Self {
        Self { remote: true, logon: Logon::Network, ..self }
    }

    /// Whether job, file and range limits spare this caller (clauses `policy.*.exempt`).
    pub fn is_exempt_from_limits(&self) -> bool {
        self.administrator || self.user.is_service_account()
    }
}
