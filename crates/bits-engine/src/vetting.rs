//! Whether the application has a say about the servers of a job (clauses
//! `http_options3.set_server_cert_validation.*`).
//!
//! That it has is on record; who has it is not: the object goes with its client and with the
//! service.

use bits_api::{Hresult, Success};
use bits_wire::attempt::Vetting;
use bits_world::Token;
use serde::{Deserialize, Serialize};

use crate::job::{Job, State};
use crate::{Action, CallbackId, Cx, Engine, JobKey, Reply};

/// The say of an application about servers.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct JobVetting {
    /// The object that is asked, while it is there.
    #[serde(skip)]
    pub callback: Option<CallbackId>,
}

impl Job {
    fn vetting_object(&self) -> Option<CallbackId> {
        self.secrets.as_ref()?.vetting?.callback
    }

    /// What attempts are told of it.
    pub(crate) fn vetting(&self) -> Vetting {
        match self.secrets.as_ref().and_then(|secrets| secrets.vetting) {
            Some(_) => Vetting::Wanted,
            None => Vetting::Unwanted,
        }
    }
}

impl Engine {
    /// SetServerCertificateValidationInterface: the last one counts. Since 10.3; clauses
    /// `http_options3.set_server_cert_validation.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` for anybody but the owner; `BG_E_INVALID_STATE` in a final state,
    /// `BG_E_READ_ONLY_WHEN_JOB_ACTIVE` in any other but SUSPENDED; the engine has then not taken the
    /// callback.
    pub fn set_vetting(&mut self, cx: Cx<'_>, caller: &Token, job: JobKey, callback: Option<CallbackId>) -> Reply {
        self.change_as_owner(cx, caller, job, |engine| {
            if !matches!(engine.jobs[job].state, State::Suspended) {
                return Err(Hresult::BG_E_READ_ONLY_WHEN_JOB_ACTIVE);
            }
            engine.forget_vetting_object(job);
            let vetting = callback.map(|callback| JobVetting { callback: Some(callback) });
            engine.jobs[job].change_secrets(|secrets| secrets.vetting = vetting);
            engine.changed(cx, job);
            Ok(Success::OK)
        })
    }

    /// The object that is asked about the servers of a job.
    pub fn vetting_object(&self, job: JobKey) -> Option<CallbackId> {
        self.jobs.get(job)?.vetting_object()
    }

    /// Lets go of the object: nobody is asked any more.
    pub(crate) fn forget_vetting_object(&mut self, job: JobKey) {
        if let Some(callback) = self.jobs[job].vetting_object() {
            self.jobs[job].change_secrets(|secrets| secrets.vetting = Some(JobVetting::default()));
            self.push(Action::Forget(callback));
        }
    }
}
