//! What every job of a run is given before it goes on, new or taken up.

use std::sync::Arc;

use bits_api::{Hresult, Job, JobPriority};

use super::certs::CertArguments;
use super::login::Logins;
use super::proxy::{self, ProxyArguments};
use super::service::Provider;
use crate::{Failure, told};

/// What the command line asks for.
pub(super) struct Settings<'a> {
    pub(super) provider: Provider,
    pub(super) priority: JobPriority,
    pub(super) logins: Logins,
    pub(super) proxy: &'a ProxyArguments,
    pub(super) certs: &'a CertArguments,
}

/// Says that a job does not take what `option` asks for; BITS is told of that by `interface`.
pub(super) fn refused(option: &str, interface: &str, code: Hresult) -> Failure {
    let code = match code {
        Hresult::E_NOINTERFACE => format!("this BITS has no {interface}: {}", told(code)),
        Hresult::E_NOTIMPL => format!("this BITS has not all of {interface}: {}", told(code)),
        code => told(code),
    };
    Failure::Failed(format!("cannot do what {option} says: {code}"))
}

impl Settings<'_> {
    /// Whether there is something to give to this job.
    pub(super) fn concern(&self, job: &Arc<dyn Job>) -> bool {
        !self.proxy.is_empty() || !self.logins.is_empty() || self.certs.concern(job)
    }

    /// Gives a job all that has an option of its own; what none asks for stays as it is.
    pub(super) fn give(&self, job: &Arc<dyn Job>) -> Result<(), Failure> {
        self.proxy.set(job)?;
        if self.certs.concern(job) {
            self.certs.give(job)?;
        }
        self.logins.give(job)
    }

    /// What may be done about an error, where the code alone does not say it.
    pub(super) fn mend(&self, code: Hresult) -> Option<String> {
        match self.provider {
            Provider::Emulator => {
                self.logins.mend(code).or_else(|| proxy::mend(code)).or_else(|| self.certs.mend(code))
            }
            // What else may be wrong there, no option mends.
            Provider::Windows if self.logins.is_empty() => self.logins.mend(code).or_else(|| proxy::mend(code)),
            Provider::Windows => proxy::mend(code),
        }
    }
}
