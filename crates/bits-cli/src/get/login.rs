//! Credentials for servers and proxies that ask for them: the options, and what a job gets of them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, Hresult, Job};
use bits_world::{Kdc, Passport, World};

use super::service::Provider;
use super::settings::refused;
use crate::password::{Password, Source};
use crate::{Failure, told};

#[derive(clap::Args)]
#[command(next_help_heading = "Credentials")]
pub(super) struct LoginArguments {
    /// Logs USER in at a server that asks for it by SCHEME; can be repeated for other schemes
    ///
    /// SCHEME is basic, digest, ntlm, negotiate or passport; USER is name, DOMAIN\name or
    /// name@REALM. Nothing is sent before a server asks, nor by a scheme that is not named.
    /// By basic, whoever is on the way of http:// can read the password.
    ///
    /// The password is asked for on the terminal, unless one of the next options says
    /// where it is. Credentials last as long as the job: a run that takes up one of
    /// --state needs none, and those that it is given replace the others.
    #[arg(long, value_name = "SCHEME:USER", verbatim_doc_comment)]
    server_auth: Vec<String>,
    /// The environment variable that has the password for --server-auth
    #[arg(long, value_name = "NAME", requires = "server_auth", conflicts_with = "server_password_file")]
    server_password_env: Option<OsString>,
    /// The file whose only line is the password for --server-auth
    #[arg(long, value_name = "PATH", requires = "server_auth")]
    server_password_file: Option<PathBuf>,
    /// Logs USER in at a proxy that asks for it by SCHEME, as --server-auth does at a server
    #[arg(long, value_name = "SCHEME:USER")]
    proxy_auth: Vec<String>,
    /// The environment variable that has the password for --proxy-auth
    #[arg(long, value_name = "NAME", requires = "proxy_auth", conflicts_with = "proxy_password_file")]
    proxy_password_env: Option<OsString>,
    /// The file whose only line is the password for --proxy-auth
    #[arg(long, value_name = "PATH", requires = "proxy_auth")]
    proxy_password_file: Option<PathBuf>,
    /// The KDC of every realm, for negotiate with Kerberos; without one, negotiate is NTLM
    ///
    /// It is NTLM too for a USER without a realm, and at a host that is an address.
    #[arg(long, value_name = "HOST:PORT")]
    kdc: Option<Kdc>,
    /// The nexus of Passport, which leads to the login server, for passport
    ///
    /// The one that everybody used is gone, so there is none without this option.
    #[arg(long, value_name = "URL", verbatim_doc_comment)]
    passport_nexus: Option<String>,
}

impl LoginArguments {
    /// The logins with their passwords, which somebody may have to be asked for.
    pub(super) fn logins(&self, provider: Provider, takes_up: bool) -> Result<Logins, Failure> {
        // Whoever is asked for a password has got everything else right.
        let sides = [self.server()?, self.proxy()?];
        let is_emulated = provider == Provider::Emulator;
        if is_emulated
            && self.passport_nexus.is_none()
            && sides[0].accounts.iter().any(|one| one.scheme == AuthScheme::PASSPORT)
        {
            return Err(Failure::Usage("--server-auth: passport wants --passport-nexus URL".into()));
        }
        // A job that is taken up has its credentials, and the rest it does not keep.
        if !takes_up {
            self.check_beside(&sides)?;
        }
        let mut logins = Vec::new();
        for side in &sides {
            side.read_into(&mut logins)?;
        }
        Ok(Logins(logins))
    }

    pub(super) fn has_kdc(&self) -> bool {
        self.kdc.is_some()
    }

    pub(super) fn has_nexus(&self) -> bool {
        self.passport_nexus.is_some()
    }

    /// Finds what no scheme that is given looks at.
    fn check_beside(&self, sides: &[Side<'_>]) -> Result<(), Failure> {
        let has = |scheme| sides.iter().flat_map(|side| &side.accounts).any(|account| account.scheme == scheme);
        let unused = |option: &str, scheme: &str| {
            Err(Failure::Usage(format!("{option} is for {scheme}, and nobody logs in by that")))
        };
        if self.kdc.is_some() && !has(AuthScheme::NEGOTIATE) {
            return unused("--kdc", "negotiate");
        }
        if self.passport_nexus.is_some() && !has(AuthScheme::PASSPORT) {
            return unused("--passport-nexus", "passport");
        }
        Ok(())
    }

    /// The world in which they are shown. It is none of a job's: every run has its own.
    pub(super) fn change(&self, world: &mut World) -> Result<(), Failure> {
        if let Some(kdc) = &self.kdc {
            world.kdcs.set_for_others(kdc.clone());
        }
        if let Some(url) = &self.passport_nexus {
            world.passport = Passport::nexus(url).map_err(|error| Failure::Usage(error.to_string()))?;
        }
        Ok(())
    }

    fn server(&self) -> Result<Side<'_>, Failure> {
        let source =
            Source::of(self.server_password_env.as_ref(), self.server_password_file.as_ref(), "--server-password");
        Side::new(AuthTarget::SERVER, &self.server_auth, source)
    }

    fn proxy(&self) -> Result<Side<'_>, Failure> {
        let source =
            Source::of(self.proxy_password_env.as_ref(), self.proxy_password_file.as_ref(), "--proxy-password");
        Side::new(AuthTarget::PROXY, &self.proxy_auth, source)
    }
}

/// What the schemes of BITS are called.
const SCHEMES: [(&str, AuthScheme); 5] = [
    ("basic", AuthScheme::BASIC),
    ("digest", AuthScheme::DIGEST),
    ("ntlm", AuthScheme::NTLM),
    ("negotiate", AuthScheme::NEGOTIATE),
    ("passport", AuthScheme::PASSPORT),
];

/// `SCHEME:USER`, taken apart.
struct Account<'a> {
    name_of_scheme: &'static str,
    scheme: AuthScheme,
    user: &'a str,
}

/// What the command line says of one who asks.
struct Side<'a> {
    target: AuthTarget,
    accounts: Vec<Account<'a>>,
    source: Source<'a>,
}

impl<'a> Side<'a> {
    fn new(target: AuthTarget, texts: &'a [String], source: Source<'a>) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::Usage(format!("{}: {why}", option(target)));
        let mut accounts: Vec<Account<'_>> = Vec::new();
        for text in texts {
            let account = account(text).map_err(wrong)?;
            if accounts.iter().any(|known| known.scheme == account.scheme) {
                return Err(wrong(&format!("{} can have one USER only", account.name_of_scheme)));
            }
            accounts.push(account);
        }
        Ok(Self { target, accounts, source })
    }

    fn read_into(&self, logins: &mut Vec<Login>) -> Result<(), Failure> {
        for Account { name_of_scheme, scheme, user } in &self.accounts {
            // A person can tell one password from the other; a variable or a file has only one.
            let has_it = |login: &&Login| {
                login.target == self.target && (login.user == *user || !matches!(self.source, Source::Terminal { .. }))
            };
            let password = match logins.iter().find(has_it) {
                Some(login) => Rc::clone(&login.password),
                None if self.target == AuthTarget::PROXY => Rc::new(self.source.read(&format!("{user} at the proxy"))?),
                None => Rc::new(self.source.read(user)?),
            };
            let user = (*user).to_owned();
            logins.push(Login { target: self.target, name_of_scheme, scheme: *scheme, user, password });
        }
        Ok(())
    }
}

/// The option that gives logins for a target.
fn option(target: AuthTarget) -> &'static str {
    if target == AuthTarget::PROXY { "--proxy-auth" } else { "--server-auth" }
}

/// Reads `SCHEME:USER`. What is wrong is told without the text: it may have a password in it.
fn account(text: &str) -> Result<Account<'_>, &'static str> {
    const WANTED: &str =
        "SCHEME:USER is wanted, where SCHEME is basic, digest, ntlm, negotiate or passport, as in digest:joe";
    let (scheme, user) = text.split_once(':').ok_or(WANTED)?;
    let (name_of_scheme, scheme) =
        SCHEMES.into_iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name)).ok_or(WANTED)?;
    if user.is_empty() {
        return Err("USER is missing");
    }
    if user.contains(':') {
        return Err("no USER has a colon, and the password does not belong here: it is asked for, or \
                    read from a variable or a file");
    }
    Ok(Account { name_of_scheme, scheme, user })
}

/// What the jobs of a run log in with.
pub(super) struct Logins(Vec<Login>);

struct Login {
    target: AuthTarget,
    name_of_scheme: &'static str,
    scheme: AuthScheme,
    user: String,
    password: Rc<Password>,
}

impl Logins {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives them to a job, in place of those that it has for the same schemes.
    pub(super) fn give(&self, job: &Arc<dyn Job>) -> Result<(), Failure> {
        let Some(first) = self.0.first() else { return Ok(()) };
        let job = Arc::clone(job).job2().map_err(|code| refused(option(first.target), "IBackgroundCopyJob2", code))?;
        for login in &self.0 {
            let credentials = AuthCredentials {
                target: login.target,
                scheme: login.scheme,
                user_name: Some(&login.user),
                password: Some(&login.password),
            };
            job.set_credentials(&credentials).map_err(|code| login.refused(code))?;
        }
        Ok(())
    }

    /// How to mend that a server or a proxy wants to know who asks; nothing for another error.
    pub(super) fn mend(&self, code: Hresult) -> Option<String> {
        let (target, who) = match code {
            Hresult::BG_E_HTTP_ERROR_401 => (AuthTarget::SERVER, "server"),
            Hresult::BG_E_HTTP_ERROR_407 => (AuthTarget::PROXY, "proxy"),
            _ => return None,
        };
        let given: Vec<_> = self.0.iter().filter(|login| login.target == target).collect();
        if given.is_empty() {
            return Some(format!("the {who} wants a login: {} SCHEME:USER", option(target)));
        }
        let shown: Vec<_> = given.iter().map(|login| login.shown()).collect();
        let has = |scheme| given.iter().any(|login| login.scheme == scheme);
        let mut why = vec!["name or password is wrong"];
        if has(AuthScheme::NEGOTIATE) {
            // Who cannot get a ticket is refused like everybody else.
            why.push("no ticket of Kerberos is to be had (by --kdc, for a realm in USER and a host with a name)");
        }
        if has(AuthScheme::PASSPORT) {
            why.push("the nexus leads to no login server");
        }
        let why = format!("{}, or it asks by other schemes", why.join(", "));
        Some(format!("the {who} did not take {}: {why}", shown.join(", ")))
    }
}

impl Login {
    fn shown(&self) -> String {
        format!("{}:{}", self.name_of_scheme, self.user)
    }

    fn refused(&self, code: Hresult) -> Failure {
        let line = format!("cannot log in with {}: {}", self.shown(), told(code));
        match code {
            Hresult::BG_E_USERNAME_TOO_LARGE | Hresult::BG_E_INVALID_CREDENTIALS => Failure::Usage(line),
            Hresult::E_NOTIMPL => refused(option(self.target), "IBackgroundCopyJob2", code),
            _ => Failure::Failed(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_known_in_any_case_and_a_user_is_what_follows() {
        let table = [
            ("basic:joe", AuthScheme::BASIC, "joe"),
            ("Digest:joe", AuthScheme::DIGEST, "joe"),
            (r"NTLM:CORP\joe", AuthScheme::NTLM, r"CORP\joe"),
            ("negotiate:joe@CORP.EXAMPLE", AuthScheme::NEGOTIATE, "joe@CORP.EXAMPLE"),
            ("pAssPort:joe@example.org", AuthScheme::PASSPORT, "joe@example.org"),
        ];
        for (text, scheme, user) in table {
            let account = account(text).unwrap();
            assert_eq!((account.scheme, account.user), (scheme, user), "{text}");
        }
    }

    #[test]
    fn what_is_no_scheme_and_user_is_told_without_showing_it() {
        for text in ["", "joe", ":joe", "kerberos:joe", "joe:hunter2", "basic:", "basic:joe:hunter2", "hunter2"] {
            let why = account(text).err().unwrap();
            assert!(!why.contains("hunter2"), "{text}: {why}");
        }
    }
}
