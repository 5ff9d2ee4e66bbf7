//! What servers and proxies that ask are told: the credentials of a job, and what stands in for
//! them (clauses `auth.implicit.*`, `job5.use_stored_credentials.*`).
//!
//! Implicit credentials are those of whoever the job uses the network for: the owner, or a helper.
//! They are looked up when an attempt begins; one that runs goes on with what it began with.

use bits_api::{AuthScheme, AuthTarget, Setting, TokenFlags};
use bits_wire::Secret;
use bits_wire::auth::{self, Logins};
use bits_world::{Account, Accounts, Profile, Sid, Switch};

use crate::job::Job;
use crate::secrets::{Login, is_windows};
use crate::{Cx, Engine, JobKey};

type Pair = (AuthTarget, AuthScheme);

/// The schemes that know the user whom Windows knows.
const WINDOWS: [AuthScheme; 2] = [AuthScheme::NEGOTIATE, AuthScheme::NTLM];

impl Engine {
    /// What an attempt may tell servers and proxies that ask, when it goes to `url` in the name of
    /// `network`.
    pub(crate) fn logins(&self, cx: Cx<'_>, key: JobKey, url: &str, network: &Sid) -> Logins {
        let job = &self.jobs[key];
        let user = User { sid: network, accounts: &cx.world.accounts };
        let given = records(job).filter_map(|(pair, login)| Some((pair, user.account(pair, login)?)));
        let given: Logins = given.chain(user.covering_server(job)).collect();
        let reports_incomplete = self.config.profile >= Profile::V3_0;
        let incomplete = records(job)
            .filter(|((_, scheme), login)| reports_incomplete && !is_windows(*scheme) && login.is_incomplete());
        let with_helper = job.helper_flags.contains(TokenFlags::NETWORK);
        let unset = cx.world.accounts.policy.sends_unset() && !with_helper;
        given
            .with_incomplete(incomplete.map(|(pair, _)| pair))
            .or(self.of_url(url))
            .or(user.stored(job))
            .or(unset.then(|| user.everywhere()).into_iter().flatten())
            .signing_in_at(&cx.world.passport)
            .with_tickets_of(&cx.world.kdcs)
    }

    /// What a URL names itself (a decision, `http.url_credentials`).
    fn of_url(&self, url: &str) -> Vec<(Pair, auth::Login)> {
        match auth::Login::of_url(url) {
            Some(login) if !self.config.decisions.is_other(Switch::UrlCredentials) => {
                [AuthScheme::BASIC, AuthScheme::DIGEST]
                    .map(|scheme| ((AuthTarget::SERVER, scheme), login.clone()))
                    .into()
            }
            _ => Vec::new(),
        }
    }
}

fn records(job: &Job) -> impl Iterator<Item = (Pair, &Login)> {
    job.secrets.iter().flat_map(|secrets| &secrets.credentials).map(|(pair, login)| (*pair, login))
}

/// In whose name the network is used.
struct User<'a> {
    sid: &'a Sid,
    accounts: &'a Accounts,
}

impl User<'_> {
    /// What a record comes to; `None` without an account.
    fn account(&self, (_, scheme): Pair, record: &Login) -> Option<auth::Login> {
        match record {
            Login { user_name: Some(user_name), password: Some(password) } => {
                Some(auth::Login { user_name: self.qualified(scheme, user_name), password: password.clone() })
            }
            Login { user_name: None, password: None } => self.implicit(scheme),
            _ => None,
        }
    }

    /// The name as Windows checks it: one without a domain is of the user's own (clause
    /// `auth.basic_credentials.user_name.bare_form`).
    fn qualified(&self, scheme: AuthScheme, user_name: &Secret) -> Secret {
        let is_bare = !user_name.expose().contains(['\\', '@']);
        match self.accounts.logon_of(self.sid).map(Account::domain) {
            Some(domain) if is_windows(scheme) && is_bare && !domain.is_empty() => {
                Secret::new(&format!("{domain}\\{}", user_name.expose()))
            }
            _ => user_name.clone(),
        }
    }

    /// What the user has logged on with. The machine itself is known by Negotiate alone (clause
    /// `auth.basic_credentials.user_name.null_service_account`).
    fn implicit(&self, scheme: AuthScheme) -> Option<auth::Login> {
        let is_known = scheme == AuthScheme::NEGOTIATE || (is_windows(scheme) && !self.sid.is_service_account());
        self.accounts.logon_of(self.sid).filter(|_| is_known).map(login)
    }

    /// Implicit credentials for the proxy are for the server too, unless it has been given explicit
    /// ones (clauses `auth.implicit.proxy_*`).
    fn covering_server(&self, job: &Job) -> Vec<(Pair, auth::Login)> {
        let server = AuthTarget::SERVER;
        if records(job).any(|((target, _), login)| target == server && !login.is_implicit()) {
            return Vec::new();
        }
        records(job)
            .filter(|((target, _), login)| *target == AuthTarget::PROXY && login.is_implicit())
            .filter_map(|((_, scheme), _)| Some(((server, scheme), self.implicit(scheme)?)))
            .collect()
    }

    /// What may be shown to proxies where the job lets stored credentials be used.
    fn stored(&self, job: &Job) -> Vec<(Pair, auth::Login)> {
        let proxy = AuthTarget::PROXY;
        if job.later.number(Setting::UseStoredCredentials) != Some(proxy.0) {
            return Vec::new();
        }
        let account = self.accounts.for_proxies_of(self.sid);
        let is_known = |scheme: &AuthScheme| *scheme == AuthScheme::NEGOTIATE || !self.sid.is_service_account();
        let schemes = WINDOWS.into_iter().filter(is_known);
        schemes.filter_map(|scheme| Some(((proxy, scheme), login(account?)))).collect()
    }

    /// What the user has logged on with, for whoever asks.
    fn everywhere(&self) -> Vec<(Pair, auth::Login)> {
        let pairs = [AuthTarget::SERVER, AuthTarget::PROXY].into_iter().flat_map(|t| WINDOWS.map(|scheme| (t, scheme)));
        pairs.filter_map(|pair| Some((pair, self.implicit(pair.1)?))).collect()
    }
}

fn login(account: &Account) -> auth::Login {
    auth::Login { user_name: account.full_name(), password: account.password().clone() }
}
