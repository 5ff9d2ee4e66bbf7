//! On whose behalf a call is made.

use std::fmt;
use std::sync::Arc;

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

/// The caller of a method: a user and what that user may do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Token {
    /// The user.
    pub user: Sid,
    /// Whether the user acts with administrator rights.
    pub administrator: bool,
}

impl Token {
    /// A standard user.
    pub fn standard(user: Sid) -> Self {
        Self { user, administrator: false }
    }

    /// A user with administrator rights.
    pub fn administrator(user: Sid) -> Self {
        Self { user, administrator: true }
    }

    /// Whether job, file and range limits spare this caller (clauses `policy.*.exempt`).
    pub fn is_exempt_from_limits(&self) -> bool {
        self.administrator || self.user.is_service_account()
    }
}
