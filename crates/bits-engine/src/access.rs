//! Who may do what to which job (clauses `users.*`, `uac.*`, `job4.owner.*`).
//!
//! A job remembers what its owner's token was like when it was made or taken over. Every call
//! comes through here before it looks at anything else.

use std::path::Path;

use bits_api::{Hresult, Success};
use bits_world::{ImpersonationLevel, Integrity, Logon, Profile, Sid, Switch, Token};
use serde::{Deserialize, Serialize};

use crate::job::{Job, State};
use crate::{Cause, Cx, Engine, JobKey, Reply};

/// What the owner's token was like at the moment of becoming the owner.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct OwnerRights {
    /// Whether the Administrators SID was enabled.
    pub administrator: bool,
    /// Whether the token was elevated.
    pub elevated: bool,
    /// The integrity level's RID.
    pub integrity: u32,
}

/// Those of a standard user.
impl Default for OwnerRights {
    fn default() -> Self {
        Self { administrator: false, elevated: false, integrity: Integrity::MEDIUM.0 }
    }
}

impl OwnerRights {
    pub(crate) fn of(token: &Token) -> Self {
        Self { administrator: token.administrator, elevated: token.elevated, integrity: token.integrity.0 }
    }
}

impl Engine {
    /// CoCreateInstance of the manager.
    ///
    /// # Errors
    /// `BG_E_REMOTE_NOT_SUPPORTED` for a caller on another machine (clause
    /// `users.remote_not_supported`); `E_ACCESSDENIED` when the caller's COM settings do not even
    /// say who calls.
    pub fn activate(&self, caller: &Token) -> Result<(), Hresult> {
        identified(caller)?;
        if caller.remote { Err(Hresult::BG_E_REMOTE_NOT_SUPPORTED) } else { Ok(()) }
    }

    /// Whether `caller` may use the manager.
    ///
    /// # Errors
    /// `BG_E_REMOTE_NOT_SUPPORTED` in a session that counts as remote use (a decision,
    /// `users.remote_sessions`), beside those of [`Engine::activate`].
    pub(crate) fn served(&self, caller: &Token) -> Result<(), Hresult> {
        self.activate(caller)?;
        match caller.logon {
            Logon::WinRm | Logon::PowerShellDirect if self.config.decisions.is_other(Switch::RemoteSessions) => Ok(()),
            Logon::WinRm | Logon::PowerShellDirect | Logon::Network => Err(Hresult::BG_E_REMOTE_NOT_SUPPORTED),
            Logon::PowerShellRemoting if self.config.profile < Profile::V5_0_1607 => {
                Err(Hresult::BG_E_REMOTE_NOT_SUPPORTED)
            }
            _ => Ok(()),
        }
    }

    /// Whether `caller` may make and change jobs at all (clause `users.restricted_token`).
    pub(crate) fn unrestricted(&self, caller: &Token) -> Result<(), Hresult> {
        let is_refused = caller.restricted && self.config.profile >= Profile::V1_5;
        if is_refused { Err(Hresult::E_ACCESSDENIED) } else { Ok(()) }
    }

    /// The job, for someone who may see it: its owner, elevated if the owner was when the job
    /// became the owner's (clause `uac.elevated_job`), or an administrator.
    pub(crate) fn readable(&self, caller: &Token, job: JobKey) -> Result<&Job, Hresult> {
        identified(caller)?;
        let job = self.jobs.get(job).ok_or(Hresult::BG_E_NOT_FOUND)?;
        let is_known = caller.administrator || self.jobs.users.get(job.owner).sid == caller.user;
        let is_too_low = job.rights.elevated && !caller.elevated && self.has_uac();
        if is_known && !is_too_low { Ok(job) } else { Err(Hresult::E_ACCESSDENIED) }
    }

    /// The token for a handle that the service hands to `caller` by itself: the caller's own, or
    /// one like the owner's for someone who may not see the job any more.
    ///
    /// # Errors
    /// `BG_E_NOT_FOUND` for a job that is gone.
    pub fn pass(&self, caller: &Token, job: JobKey) -> Result<Token, Hresult> {
        if self.readable(caller, job).is_ok() {
            return Ok(caller.clone());
        }
        let job = self.jobs.get(job).ok_or(Hresult::BG_E_NOT_FOUND)?;
        let mut pass = Token::standard(self.jobs.users.get(job.owner).sid.clone());
        pass.administrator = job.rights.administrator;
        pass.elevated = job.rights.elevated;
        pass.integrity = Integrity(job.rights.integrity);
        Ok(pass)
    }

    /// Whether `caller` may change the job: whoever may see it, but from no lower integrity level
    /// than its owner's (clause `uac.integrity`).
    pub(crate) fn changeable(&self, caller: &Token, job: JobKey) -> Result<(), Hresult> {
        let job = self.readable(caller, job)?;
        let is_too_low = caller.integrity.0 < job.rights.integrity && self.has_uac();
        if is_too_low { Err(Hresult::E_ACCESSDENIED) } else { self.unrestricted(caller) }
    }

    /// TakeOwnership. Since 1.0; clauses `job.take_ownership.*`, `users.take_ownership.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` for someone who is no administrator, or not elevated (3.0);
    /// `BG_E_NEW_OWNER_NO_FILE_ACCESS` for one who may not use the temporary files;
    /// `BG_E_INVALID_STATE` in a final state.
    pub fn take_ownership(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey) -> Reply {
        if !caller.administrator || (self.has_uac() && !caller.elevated) {
            return Reply::Now(Err(Hresult::E_ACCESSDENIED));
        }
        self.change(cx, caller, job, |engine| {
            let mut files = engine.jobs[job].files.iter().filter_map(|file| file.temporary.as_ref());
            files
                .try_for_each(|file| may_use(cx, &caller.user, file.path()))
                .map_err(|_| Hresult::BG_E_NEW_OWNER_NO_FILE_ACCESS)?;
            engine.give_to(cx, job, caller);
            Ok(Success::OK)
        })
    }

    /// Makes `caller` the owner. What a job does in its owner's name begins anew.
    fn give_to(&mut self, cx: Cx<'_>, key: JobKey, caller: &Token) {
        let to = self.user_of(cx, &caller.user);
        self.forget_vetting_object(key);
        let job = &mut self.jobs[key];
        job.rights = OwnerRights::of(caller);
        job.strip_for_new_owner();
        let is_another = job.owner != to;
        let queued = match job.state {
            State::Queued { turn, .. } => Some((job.priority, turn)),
            _ => None,
        };
        self.jobs.set_owner(key, to);
        self.listeners_changed(key);
        if let Some((priority, turn)) = queued {
            self.ready.remove(priority, turn, key);
            if self.jobs.users.get(to).logged_on {
                self.ready.insert(priority, turn, key);
            }
        }
        self.touch(cx, key);
        if is_another && self.jobs[key].run().is_some() {
            self.enqueue(cx, key, Cause::OwnerChanged);
        } else {
            self.changed(cx, key);
        }
    }

    /// GetOwnerIntegrityLevel, as a RID. Since 3.0; clauses `job4.get_owner_integrity_level.*`.
    ///
    /// # Errors
    /// Those of every call.
    pub fn owner_integrity_level(&self, caller: &Token, job: JobKey) -> Result<u32, Hresult> {
        Ok(self.readable(caller, job)?.rights.integrity)
    }

    /// GetOwnerElevationState. Since 3.0; clauses `job4.get_owner_elevation_state.*`.
    ///
    /// # Errors
    /// Those of every call.
    pub fn owner_elevation_state(&self, caller: &Token, job: JobKey) -> Result<bool, Hresult> {
        Ok(self.readable(caller, job)?.rights.elevated)
    }

    /// Before Windows Vista there was neither elevation nor integrity.
    pub(crate) fn has_uac(&self) -> bool {
        self.config.profile >= Profile::V3_0
    }
}

/// Whether `user` may make, write and rename the local file `path`.
pub(crate) fn may_use(cx: Cx<'_>, user: &Sid, path: &Path) -> Result<(), Hresult> {
    if cx.world.permissions.allow(user, path) { Ok(()) } else { Err(Hresult::E_ACCESSDENIED) }
}

/// Clause `security.impersonation_level`.
fn identified(caller: &Token) -> Result<(), Hresult> {
    if caller.impersonation < ImpersonationLevel::Identify { Err(Hresult::E_ACCESSDENIED) } else { Ok(()) }
}
