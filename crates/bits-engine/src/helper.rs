//! Helper tokens (clauses `token.*`, `helper.*`): somebody else's token for a job's local files, its
//! network, or both.
//!
//! The flags are on record, the token is not: it ends with its session, with the logon of the
//! job's owner, and with the service. A job that needs one and has none fails.

use bits_api::{ErrorContext, Hresult, JobState, Success, TokenFlags};
use bits_wire::attempt::Identities;
use bits_world::{ImpersonationLevel, Profile, SessionId, Sid, Token};

use crate::job::{Job, State};
use crate::users::UserNo;
use crate::{Cause, Cx, Engine, ErrorRecord, JobKey, Reply};

/// What a job keeps of a helper token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct HelperToken {
    pub(crate) user: UserNo,
    session: Option<SessionId>,
    administrator: bool,
}

impl Engine {
    /// SetHelperToken: `helper` is whom the thread impersonates, `caller` who has asked for the
    /// interface. Since 4.0; clauses `token.set_helper_token.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` for someone who may not, or not with a helper who is an administrator;
    /// `CO_E_FAILEDTOIMPERSONATE` for a token that BITS may not impersonate; `BG_E_INVALID_STATE`
    /// in a final state.
    pub fn set_helper_token(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey, helper: &Token) -> Reply {
        self.change_options(cx, caller, job, |engine| {
            if helper.impersonation < ImpersonationLevel::Impersonate {
                return Err(Hresult::CO_E_FAILEDTOIMPERSONATE);
            }
            check_helper(caller, helper.administrator)?;
            let token = HelperToken {
                user: engine.user_of(cx, &helper.user),
                session: helper.session,
                administrator: helper.administrator,
            };
            engine.jobs.set_helper(job, Some(token));
            engine.changed(cx, job);
            Ok(Success::OK)
        })
    }

    /// ClearHelperToken: the flags stay. Since 4.0; clauses `token.clear_helper_token.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` for someone who may not; `BG_E_INVALID_STATE` in a final state.
    pub fn clear_helper_token(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey) -> Reply {
        self.change_options(cx, caller, job, |engine| {
            engine.jobs.set_helper(job, None);
            engine.changed(cx, job);
            Ok(Success::OK)
        })
    }

    /// SetHelperTokenFlags. Since 4.0; clauses `token.set_helper_token_flags.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for undefined bits; `E_ACCESSDENIED` for someone who may not, or not with the
    /// helper token that is set; `BG_E_INVALID_STATE` in a final state.
    pub fn set_helper_token_flags(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey, flags: TokenFlags) -> Reply {
        self.change_options(cx, caller, job, |engine| {
            if !TokenFlags::all().contains(flags) {
                return Err(Hresult::E_NOTIMPL);
            }
            check_helper(caller, engine.jobs[job].helper.is_some_and(|helper| helper.administrator))?;
            engine.jobs[job].helper_flags = flags;
            engine.changed(cx, job);
            Ok(Success::OK)
        })
    }

    /// GetHelperTokenFlags. Since 4.0; clauses `token.get_helper_token_flags.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` for someone who may not.
    pub fn helper_token_flags(&self, caller: &Token, job: JobKey) -> Result<TokenFlags, Hresult> {
        Ok(self.optional(caller, job)?.helper_flags)
    }

    /// GetHelperTokenSid. Since 4.0; clauses `token.get_helper_token_sid.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` for someone who may not.
    pub fn helper_token_sid(&self, caller: &Token, job: JobKey) -> Result<Option<Sid>, Hresult> {
        let helper = self.optional(caller, job)?.helper;
        Ok(helper.map(|helper| self.jobs.users.get(helper.user).sid.clone()))
    }

    /// The job, for someone who may use IBitsTokenOptions on it (clauses `token.access.*`).
    fn optional(&self, caller: &Token, job: JobKey) -> Result<&Job, Hresult> {
        let job = self.readable(caller, job)?;
        let is_refused =
            self.config.profile < Profile::V5_0_1607 && !(caller.administrator && job.rights.administrator);
        if is_refused { Err(Hresult::E_ACCESSDENIED) } else { Ok(job) }
    }

    fn change_options(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        job: JobKey,
        change: impl FnOnce(&mut Self) -> Result<Success, Hresult>,
    ) -> Reply {
        match self.optional(caller, job) {
            Ok(_) => self.change(cx, caller, job, change),
            Err(code) => Reply::Now(Err(code)),
        }
    }

    /// In whose name the job uses its local files and its network (clauses `users.context`,
    /// `helper.uses`).
    ///
    /// # Errors
    /// `BG_E_TOKEN_REQUIRED` when that is a helper whose token is not there.
    pub(crate) fn identities(&self, job: JobKey) -> Result<Identities, Hresult> {
        let network = self.identity(job, TokenFlags::NETWORK)?;
        Ok(Identities { local: self.identity(job, TokenFlags::LOCAL_FILE)?, network })
    }

    /// In whose name the job uses what `flag` stands for.
    ///
    /// # Errors
    /// `BG_E_TOKEN_REQUIRED` when that is a helper whose token is not there.
    pub(crate) fn identity(&self, job: JobKey, flag: TokenFlags) -> Result<Sid, Hresult> {
        let job = &self.jobs[job];
        let user = match job.helper {
            _ if !job.helper_flags.contains(flag) => job.owner,
            Some(helper) => helper.user,
            None => return Err(Hresult::BG_E_TOKEN_REQUIRED),
        };
        Ok(self.jobs.users.get(user).sid.clone())
    }

    /// In the owner's name alone.
    pub(crate) fn owners(&self, job: JobKey) -> Identities {
        let owner = &self.jobs.users.get(self.jobs[job].owner).sid;
        Identities { local: owner.clone(), network: owner.clone() }
    }

    /// Sessions of `user` have changed: helper tokens that came from one that is gone are lost, and
    /// all those of the user's own jobs when the user has logged off (clauses `token.logoff.*`).
    pub(crate) fn lose_helpers(&mut self, cx: Cx<'_>, user: UserNo, logged_off: bool) {
        for key in self.jobs.tied_to(user) {
            let job = &self.jobs[key];
            let is_lost = |helper: &HelperToken| {
                helper.user == user && helper.session.map_or(logged_off, |from| cx.world.session(from).is_none())
            };
            if (logged_off && job.owner == user) || job.helper.as_ref().is_some_and(is_lost) {
                self.lose_helper(cx, key);
            }
        }
    }

    /// A job that used the token, and is not transferred yet, fails.
    fn lose_helper(&mut self, cx: Cx<'_>, key: JobKey) {
        self.jobs.set_helper(key, None);
        let job = &mut self.jobs[key];
        let is_done = [JobState::TRANSFERRED, JobState::ERROR].contains(&job.shown());
        let is_ending = matches!(job.state, State::Finishing(_) | State::GivingUp { .. });
        if job.helper_flags.is_empty() || is_done || is_ending {
            return;
        }
        job.error_count = job.error_count.saturating_add(1);
        job.error = Some(ErrorRecord {
            code: Hresult::BG_E_TOKEN_REQUIRED,
            context: ErrorContext::GENERAL_QUEUE_MANAGER,
            file: job.file_in_work(),
        });
        self.transition(cx, key, State::Error, Cause::TokenLost);
    }
}

/// Whether `caller` may let a job use such a helper token (clause `helper.nonadmin_1607.token`).
fn check_helper(caller: &Token, is_administrators: bool) -> Result<(), Hresult> {
    if is_administrators && !caller.administrator { Err(Hresult::E_ACCESSDENIED) } else { Ok(()) }
}
