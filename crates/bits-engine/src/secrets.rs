//! What a job keeps for its owner alone: credentials, custom headers and the client certificate.
//!
//! Nobody but the owner sets them, nobody reads credentials back, a new owner gets none of them,
//! and the store seals them. What they do on the wire is not decided here.

use std::collections::BTreeMap;

use bits_api::{Answer, AuthCredentials, AuthScheme, AuthTarget, Hresult, Success, text};
use bits_wire::{CustomHeaders, Secret};
use bits_world::{Decisions, Switch, Token};
use serde::{Deserialize, Serialize};

use crate::certificate::ChosenCertificate;
use crate::job::{Job, State};
use crate::vetting::JobVetting;
use crate::{Cx, Engine, JobKey, Reply};

/// The longest user name in UTF-16 units (clause `limit.username`).
const MAX_USER_NAME: usize = 300;
/// The longest password (a decision, `job2.set_credentials.password_limit`).
const MAX_PASSWORD: usize = 65_535;
/// The longest headers, of 16,384 with the terminator (clause
/// `http_options.set_custom_headers.limit`).
const MAX_HEADERS: usize = 16_383;

/// Who reads the custom headers of a job.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Readers {
    Owner,
    /// Nobody, for the rest of the job's life.
    Nobody,
}

/// Name and password; without either, those of the owner.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Login {
    /// The name.
    pub user_name: Option<Secret>,
    /// The password.
    pub password: Option<Secret>,
}

impl Login {
    /// Whether it names no account: the owner's own is meant.
    pub(crate) fn is_implicit(&self) -> bool {
        self.user_name.is_none() && self.password.is_none()
    }

    /// Whether something is missing that its scheme needs, unless that is Windows' own.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.user_name.is_none() || self.password.is_none()
    }
}

/// What a job keeps for its owner alone.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Secrets {
    /// One record for each pair of target and scheme.
    pub credentials: BTreeMap<(AuthTarget, AuthScheme), Login>,
    /// The custom headers, as they were set.
    pub custom_headers: Option<Secret>,
    /// The client certificate.
    pub certificate: Option<ChosenCertificate>,
    /// Whether the application has a say about servers, and who has it.
    pub vetting: Option<JobVetting>,
}

impl Secrets {
    fn is_empty(&self) -> bool {
        self.credentials.is_empty()
            && self.custom_headers.is_none()
            && self.certificate.is_none()
            && self.vetting.is_none()
    }
}

impl Job {
    /// What every request carries beside BITS' own headers.
    pub(crate) fn custom_headers(&self) -> Option<&Secret> {
        self.secrets.as_ref().and_then(|secrets| secrets.custom_headers.as_ref())
    }

    /// Takes away what was meant for, or done in the name of, the former owner (clause
    /// `users.take_ownership.clears`). That nobody reads the headers cannot be undone.
    pub(crate) fn strip_for_new_owner(&mut self) {
        self.secrets = None;
        self.notify_command = None;
    }

    /// Changes the secrets; a job without any keeps no room for them.
    pub(crate) fn change_secrets<T>(&mut self, change: impl FnOnce(&mut Secrets) -> T) -> T {
        let mut secrets = self.secrets.take().unwrap_or_default();
        let result = change(&mut secrets);
        self.secrets = Some(secrets).filter(|secrets| !secrets.is_empty());
        result
    }
}

impl Engine {
    /// SetCredentials: keeps a record, in place of an earlier one of the same pair. Since 1.5;
    /// clauses `job2.set_credentials.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` for anybody but the owner; `BG_E_INVALID_AUTH_TARGET`,
    /// `BG_E_INVALID_AUTH_SCHEME`, `BG_E_USERNAME_TOO_LARGE`, `BG_E_PASSWORD_TOO_LARGE`;
    /// `E_INVALIDARG` for a name or password that is missing; `BG_E_INVALID_CREDENTIALS` for one
    /// that cannot be sent by the scheme; `BG_E_INVALID_STATE` in a final state.
    pub fn set_credentials(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        job: JobKey,
        credentials: &AuthCredentials<'_>,
    ) -> Reply {
        self.change_as_owner(cx, caller, job, |engine| {
            let login = checked(credentials, &engine.config.decisions)?;
            let pair = (credentials.target, credentials.scheme);
            engine.jobs[job].change_secrets(|secrets| secrets.credentials.insert(pair, login));
            engine.changed(cx, job);
            Ok(Success::OK)
        })
    }

    /// RemoveCredentials: `S_FALSE` when the pair has none. Since 1.5; clauses
    /// `job2.remove_credentials.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` for anybody but the owner; `BG_E_INVALID_AUTH_TARGET`,
    /// `BG_E_INVALID_AUTH_SCHEME`; `BG_E_INVALID_STATE` in a final state.
    pub fn remove_credentials(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        job: JobKey,
        target: AuthTarget,
        scheme: AuthScheme,
    ) -> Reply {
        self.change_as_owner(cx, caller, job, |engine| {
            check_pair(target, scheme)?;
            let removed =
                engine.jobs[job].change_secrets(|secrets| secrets.credentials.remove(&(target, scheme)).is_some());
            if !removed {
                return Ok(Success::FALSE);
            }
            engine.changed(cx, job);
            Ok(Success::OK)
        })
    }

    /// SetCustomHeaders: replaces or, with `None`, removes them. Since 2.5; clauses
    /// `http_options.set_custom_headers.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` for anybody but the owner; `BG_E_STRING_TOO_LONG` above 16,383 UTF-16
    /// units; `E_INVALIDARG` for a line that is no header; `BG_E_INVALID_STATE` in a final state.
    pub fn set_custom_headers(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey, headers: Option<&str>) -> Reply {
        self.change_as_owner(cx, caller, job, |engine| {
            if let Some(headers) = headers {
                if text::utf16_len(headers) > MAX_HEADERS {
                    return Err(Hresult::BG_E_STRING_TOO_LONG);
                }
                let headers = CustomHeaders::parse(headers).ok_or(Hresult::E_INVALIDARG)?;
                if headers.has_reserved() && engine.config.decisions.is_other(Switch::ReservedHeaders) {
                    return Err(Hresult::E_INVALIDARG);
                }
            }
            engine.jobs[job].change_secrets(|secrets| secrets.custom_headers = headers.map(Secret::new));
            engine.changed(cx, job);
            Ok(Success::OK)
        })
    }

    /// GetCustomHeaders: `S_FALSE` without any. Since 2.5; clauses
    /// `http_options.get_custom_headers.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` for anybody but the owner, and for everybody once they are write-only.
    pub fn custom_headers(&self, caller: &Token, job: JobKey) -> Result<Answer<Option<String>>, Hresult> {
        let held = self.readable(caller, job)?;
        self.owned(caller, job)?;
        if held.header_readers == Readers::Nobody {
            return Err(Hresult::E_ACCESSDENIED);
        }
        Ok(match held.custom_headers() {
            Some(headers) => Answer { code: Success::OK, value: Some(headers.expose().to_owned()) },
            None => Answer { code: Success::FALSE, value: None },
        })
    }

    /// MakeCustomHeadersWriteOnly, for the rest of the job's life. Since 10.3; clauses
    /// `http_options3.make_custom_headers_write_only.*`.
    pub fn make_custom_headers_write_only(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey) -> Reply {
        if self.changeable(caller, job).is_ok()
            && matches!(self.jobs[job].state, State::Acknowledged | State::Cancelled)
        {
            // It always succeeds; there is no record left to change.
            self.jobs[job].header_readers = Readers::Nobody;
            return Reply::Now(Ok(Success::OK));
        }
        self.change(cx, caller, job, |engine| {
            if std::mem::replace(&mut engine.jobs[job].header_readers, Readers::Nobody) == Readers::Owner {
                engine.changed(cx, job);
            }
            Ok(Success::OK)
        })
    }

    /// A change that not even an administrator makes in the owner's place.
    pub(crate) fn change_as_owner(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        job: JobKey,
        change: impl FnOnce(&mut Self) -> Result<Success, Hresult>,
    ) -> Reply {
        match self.readable(caller, job).and_then(|_| self.owned(caller, job)) {
            Ok(()) => self.change(cx, caller, job, change),
            Err(code) => Reply::Now(Err(code)),
        }
    }

    fn owned(&self, caller: &Token, job: JobKey) -> Result<(), Hresult> {
        let owner = self.jobs[job].owner;
        if self.jobs.users.get(owner).sid == caller.user { Ok(()) } else { Err(Hresult::E_ACCESSDENIED) }
    }
}

fn check_pair(target: AuthTarget, scheme: AuthScheme) -> Result<(), Hresult> {
    match (target.name(), scheme.name()) {
        (None, _) => Err(Hresult::BG_E_INVALID_AUTH_TARGET),
        (_, None) => Err(Hresult::BG_E_INVALID_AUTH_SCHEME),
        _ => Ok(()),
    }
}

/// The record, with its strings checked in the order of the structure.
fn checked(credentials: &AuthCredentials<'_>, decisions: &Decisions) -> Result<Login, Hresult> {
    let AuthCredentials { target, scheme, user_name, password } = *credentials;
    check_pair(target, scheme)?;
    let is_longer = |text: Option<&str>, max| text.is_some_and(|text| text::utf16_len(text) > max);
    if is_longer(user_name, MAX_USER_NAME) {
        return Err(Hresult::BG_E_USERNAME_TOO_LARGE);
    }
    if is_longer(password, MAX_PASSWORD) {
        return Err(Hresult::BG_E_PASSWORD_TOO_LARGE);
    }
    match (user_name, password) {
        (None, None) if is_windows(scheme) => {}
        (Some(user_name), Some(password)) if !user_name.contains('\0') && !password.contains('\0') => {
            if is_malformed(scheme, user_name, password) && !decisions.is_other(Switch::MalformedCredentials) {
                return Err(Hresult::BG_E_INVALID_CREDENTIALS);
            }
        }
        // With Basic and Digest the page says what becomes of it.
        (None, _) | (_, None) if scheme == AuthScheme::PASSPORT && decisions.is_other(Switch::MissingCredentials) => {}
        _ => return Err(Hresult::E_INVALIDARG),
    }
    Ok(Login { user_name: user_name.map(Secret::new), password: password.map(Secret::new) })
}

/// Whether the scheme knows the user whom Windows knows.
pub(crate) fn is_windows(scheme: AuthScheme) -> bool {
    [AuthScheme::NTLM, AuthScheme::NEGOTIATE].contains(&scheme)
}

/// Whether the scheme cannot send this (a decision, `job2.set_credentials.malformed`): a name with
/// control characters; with Basic (RFC 7617, 2) also one with a colon, and such a password; with
/// NTLM and Negotiate a domain without a name, or two of them.
fn is_malformed(scheme: AuthScheme, user_name: &str, password: &str) -> bool {
    let has_controls = |text: &str| text.contains(char::is_control);
    let by_scheme = match scheme {
        AuthScheme::BASIC => user_name.contains(':') || has_controls(password),
        _ if is_windows(scheme) => {
            user_name.split_once('\\').is_some_and(|(_, name)| name.is_empty() || name.contains('\\'))
        }
        _ => false,
    };
    by_scheme || has_controls(user_name)
}
