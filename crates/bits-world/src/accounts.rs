//! Accounts: what users have logged on with, and when BITS may show that to a server by itself.
//!
//! A job that is to use its owner's own credentials names none (clauses `auth.implicit.*`): what
//! that comes to is said here. An account that nobody has entered cannot be shown to anybody.

use std::collections::BTreeMap;
use std::fmt;

use bits_api::text;

use crate::{Secret, Sid};

/// The accounts of the machine, as far as they are known to servers; none by default.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Accounts {
    logons: BTreeMap<Sid, Account>,
    for_proxies: BTreeMap<Sid, Account>,
    computer: Option<Account>,
    /// When implicit credentials are sent.
    pub policy: ImplicitPolicy,
}

impl Accounts {
    /// `user` has logged on with this account.
    pub fn log_on_as(&mut self, user: Sid, account: Account) {
        self.logons.insert(user, account);
    }

    /// `user` keeps this account for proxies, in place of the one that he has logged on with.
    pub fn store_for_proxies(&mut self, user: Sid, account: Account) {
        self.for_proxies.insert(user, account);
    }

    /// The machine has joined a domain, where this is its own account.
    pub fn join_domain(&mut self, computer: Account) {
        self.computer = Some(computer);
    }

    /// Forgets what a user has logged on with, and what he keeps for proxies.
    pub fn forget(&mut self, user: &Sid) {
        self.logons.remove(user);
        self.for_proxies.remove(user);
    }

    /// What a server gets to see of `user`. LocalSystem and NetworkService are the machine itself
    /// on the network; LocalService is nobody (clauses `token.service_account.network_identity_*`).
    pub fn logon_of(&self, user: &Sid) -> Option<&Account> {
        match user.as_str() {
            Sid::LOCAL_SYSTEM | Sid::NETWORK_SERVICE => self.computer.as_ref(),
            Sid::LOCAL_SERVICE => None,
            _ => self.logons.get(user),
        }
    }

    /// What a proxy gets to see of `user` where stored credentials may be used.
    pub fn for_proxies_of(&self, user: &Sid) -> Option<&Account> {
        self.for_proxies.get(user).or_else(|| self.logon_of(user))
    }
}

/// An account with its password. Debug shows neither its name nor its password.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    domain: String,
    user_name: Secret,
    password: Secret,
}

/// Why something is no account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum AccountError {
    /// The name is empty, has a character that no account's name has, or is too long with its domain.
    Name,
    /// The domain has a character that no domain has.
    Domain,
    /// The password is too long, or has a NUL.
    Password,
}

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "the account's name is empty, too long, or has a character that no name has",
            Self::Domain => "the account's domain has a character that no domain has",
            Self::Password => "the account's password is too long, or has a NUL",
        })
    }
}

impl std::error::Error for AccountError {}

impl Account {
    /// The longest name with its domain, and the longest password, in UTF-16 units: what
    /// SetCredentials takes.
    const LONGEST: (usize, usize) = (300, 65_535);

    /// An account of `domain`, which is empty where the account is the machine's own.
    ///
    /// # Errors
    /// [`AccountError`] for what can be none.
    pub fn new(domain: &str, user_name: &str, password: &str) -> Result<Self, AccountError> {
        let is_foreign = |c: char| c.is_control() || r#""/\[]:;|=,+*?<>"#.contains(c);
        if domain.contains(is_foreign) || domain.contains('@') {
            return Err(AccountError::Domain);
        }
        let account =
            Self { domain: domain.to_owned(), user_name: Secret::new(user_name), password: Secret::new(password) };
        if user_name.is_empty()
            || user_name.contains(is_foreign)
            || text::utf16_len(account.full_name().expose()) > Self::LONGEST.0
        {
            return Err(AccountError::Name);
        }
        if password.contains('\0') || text::utf16_len(password) > Self::LONGEST.1 {
            return Err(AccountError::Password);
        }
        Ok(account)
    }

    /// The domain; empty where there is none.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// `DOMAIN\name`, or the name alone.
    pub fn full_name(&self) -> Secret {
        match self.domain.as_str() {
            "" => self.user_name.clone(),
            domain => Secret::new(&format!("{domain}\\{}", self.user_name.expose())),
        }
    }

    /// The password.
    pub fn password(&self) -> &Secret {
        &self.password
    }
}

/// When credentials that no job was given are sent (clauses `auth.implicit.use_lm_compat.*`,
/// `auth.uselmcompat_*`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ImplicitPolicy {
    /// The registry's UseLMCompat.
    pub use_lm_compat: UseLmCompat,
    /// The registry's LmCompatibilityLevel, 0 to 5.
    pub lm_compatibility_level: u32,
}

impl Default for ImplicitPolicy {
    /// What Windows does where neither is in the registry.
    fn default() -> Self {
        Self { use_lm_compat: UseLmCompat::default(), lm_compatibility_level: 3 }
    }
}

impl ImplicitPolicy {
    /// Whether a user's own credentials go to whoever asks for NTLM or Kerberos, though
    /// SetCredentials was not called.
    pub fn sends_unset(&self) -> bool {
        match self.use_lm_compat {
            UseLmCompat::Always => true,
            UseLmCompat::ByLevel => self.lm_compatibility_level >= 2,
            UseLmCompat::OnlyIfSet => false,
        }
    }
}

/// The registry's UseLMCompat.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum UseLmCompat {
    /// 0: whenever NTLM or Kerberos is asked for.
    Always = 0,
    /// 1: where the LmCompatibilityLevel is 2 or more.
    ByLevel = 1,
    /// 2, and without a value: when SetCredentials was called.
    #[default]
    OnlyIfSet = 2,
}

impl UseLmCompat {
    /// What a DWORD of the registry means; `None` for one that is none of the three.
    pub const fn of_registry(value: u32) -> Option<Self> {
        match value {
            0 => Some(Self::Always),
            1 => Some(Self::ByLevel),
            2 => Some(Self::OnlyIfSet),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_does_not_show_itself() {
        let mut accounts = Accounts::default();
        let account = Account::new("EXAMPLE", "alice", "hunter2").unwrap();
        accounts.log_on_as(Sid::of_account(1), account.clone());
        accounts.store_for_proxies(Sid::of_account(1), account.clone());
        accounts.join_domain(account);

        let shown = format!("{accounts:?}");

        assert!(!shown.contains("alice") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn what_is_no_account_is_refused() {
        let long = "p".repeat(65_536);
        let refused = [
            (("EXAMPLE", "", "p"), AccountError::Name),
            (("EXAMPLE", "a\\b", "p"), AccountError::Name),
            (("EXAMPLE", "a\nb", "p"), AccountError::Name),
            (("EXAMPLE", &long[..300], "p"), AccountError::Name),
            (("EXAM\\PLE", "a", "p"), AccountError::Domain),
            (("", "a", "p\0"), AccountError::Password),
            (("", "a", &long), AccountError::Password),
        ];
        for ((domain, name, password), error) in refused {
            assert_eq!(Account::new(domain, name, password), Err(error), "{domain} {name}");
        }
        assert_eq!(Account::new("EXAMPLE", "alice", "").unwrap().full_name().expose(), r"EXAMPLE\alice");
        assert_eq!(Account::new("", &long[..300], "").unwrap().full_name().expose().len(), 300);
    }

    #[test]
    fn service_accounts_are_the_machine_or_nobody() {
        let mut accounts = Accounts::default();
        for account in [Sid::LOCAL_SYSTEM, Sid::LOCAL_SERVICE, Sid::NETWORK_SERVICE] {
            accounts.log_on_as(Sid::new(account), Account::new("", "somebody", "p").unwrap());
        }
        let of = |accounts: &Accounts, sid| {
            accounts.logon_of(&Sid::new(sid)).map(|account| account.full_name().expose().to_owned())
        };
        assert_eq!(of(&accounts, Sid::LOCAL_SYSTEM), None);

        accounts.join_domain(Account::new("EXAMPLE", "HOST$", "p").unwrap());

        assert_eq!(of(&accounts, Sid::LOCAL_SYSTEM).as_deref(), Some(r"EXAMPLE\HOST$"));
        assert_eq!(of(&accounts, Sid::NETWORK_SERVICE).as_deref(), Some(r"EXAMPLE\HOST$"));
        assert_eq!(of(&accounts, Sid::LOCAL_SERVICE), None);
    }

    #[test]
    fn what_is_stored_for_proxies_goes_before_the_logon() {
        let mut accounts = Accounts::default();
        let user = Sid::of_account(1);
        accounts.log_on_as(user.clone(), Account::new("", "alice", "p").unwrap());
        assert_eq!(accounts.for_proxies_of(&user), accounts.logon_of(&user));

        accounts.store_for_proxies(user.clone(), Account::new("", "proxyuser", "q").unwrap());
        assert_eq!(accounts.for_proxies_of(&user).unwrap().full_name().expose(), "proxyuser");

        accounts.forget(&user);
        assert_eq!(accounts.for_proxies_of(&user), None);
    }

    #[test]
    fn the_registry_says_when_nobody_needs_to_ask_for_it() {
        let table = [(0, 0, true), (0, 5, true), (1, 1, false), (1, 2, true), (2, 0, false), (2, 5, false)];
        for (value, lm_compatibility_level, sends) in table {
            let use_lm_compat = UseLmCompat::of_registry(value).unwrap();
            let policy = ImplicitPolicy { use_lm_compat, lm_compatibility_level };
            assert_eq!(policy.sends_unset(), sends, "{value} {lm_compatibility_level}");
        }
        assert_eq!(UseLmCompat::of_registry(3), None);
        assert!(!ImplicitPolicy::default().sends_unset());
    }
}
