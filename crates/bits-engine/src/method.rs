//! Another HTTP method than the job's type has by itself (clauses `http_options2.set_http_method.*`).
//!
//! Such a transfer can neither be throttled nor gone on with: the job is a foreground job from then
//! on, any error is its last, and it starts from the first byte each time.

use bits_api::{Hresult, JobPriority, JobType, Setting};

use crate::job::Job;
use crate::settings::Stored;
use crate::{Engine, JobKey};

/// The method of a job that never set one (clauses `http_options2.get_http_method.default_*`).
pub(crate) fn default_of(kind: JobType) -> &'static str {
    if kind == JobType::DOWNLOAD { "GET" } else { "BITS_POST" }
}

impl Job {
    /// The method, if it is another than that of the job's type.
    pub(crate) fn own_method(&self) -> Option<&str> {
        match self.later.get(Setting::HttpMethod) {
            Some(Stored::Text(method)) => Some(method),
            _ => None,
        }
    }

    /// Whether this says what the job does anyway, which changes nothing, at whatever time (clause
    /// `http_options2.set_http_method.default_noop`).
    pub(crate) fn is_default_method(&self, setting: Setting, value: &Stored) -> bool {
        setting == Setting::HttpMethod && matches!(value, Stored::Text(method) if **method == *default_of(self.kind))
    }

    /// Whether a setting goes together with the method (decisions
    /// `http_options2.set_http_method.conflicts` and `http_options2.set_http_method.priority_locked`).
    pub(crate) fn goes_with_method(&self, setting: Setting, value: &Stored) -> Result<(), Hresult> {
        let is_locked = self.own_method().is_some();
        let clashes = match setting {
            Setting::HttpMethod => self.is_dynamic() || self.is_on_demand(),
            Setting::DynamicContent | Setting::OnDemandMode => is_locked && *value == Stored::Enable(true),
            Setting::Priority => is_locked && *value != Stored::Number(JobPriority::FOREGROUND.0),
            _ => false,
        };
        if clashes { Err(Hresult::BG_E_UNSUPPORTED_JOB_CONFIGURATION) } else { Ok(()) }
    }
}

impl Engine {
    /// A job with a method of its own starts again from the first byte (clause
    /// `http_options2.set_http_method.resume_restarts`).
    pub(crate) fn restart_own_method(&mut self, key: JobKey) {
        let job = &self.jobs[key];
        if job.own_method().is_some() && !job.has_all_files() {
            let place = job.place_in_work();
            self.throw_away(key, place);
            self.persist_file(key, place);
        }
    }
}
