//! Servers that are looked up among the revoked (clauses `http_options.set_security_flags.crl_*`):
//! what that does to files of which a part is there. The look-up itself is the attempt's.

use bits_api::{JobState, SecurityFlags};

use crate::job::Job;
use crate::{Cause, Cx, Engine, FileStage, JobKey};

impl Job {
    /// Whether servers are looked up among the revoked.
    pub(crate) fn checks_revocation(&self) -> bool {
        self.later.security_flags().contains(SecurityFlags::ENABLE_CRL_CHECK)
    }

    /// Whether a part of the file at this place has come from a server that was not looked up.
    fn is_unchecked(&self, place: usize) -> bool {
        let file = &self.files[place];
        let is_https = file.remote_name.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:"));
        is_https && file.stage == FileStage::Pending && file.have > 0 && !self.sends(place)
    }
}

impl Engine {
    /// Servers are looked up from now on: a file of which a part is there starts again from the
    /// beginning, after the job has waited for its turn (clause
    /// `http_options.set_security_flags.crl_set_midway`). One that is all there is left alone
    /// (clause `http_options.set_security_flags.crl_done_files`).
    pub(crate) fn revocation_switched_on(&mut self, cx: Cx<'_>, key: JobKey) {
        let job = &self.jobs[key];
        let unchecked: Vec<_> = (0..job.files.len()).filter(|place| job.is_unchecked(*place)).collect();
        let is_running = matches!(job.shown(), JobState::CONNECTING | JobState::TRANSFERRING);
        let starts_again = unchecked.contains(&job.place_in_work());
        for place in unchecked {
            self.throw_away(key, place);
            self.persist_file(key, place);
        }
        if is_running && starts_again {
            self.enqueue(cx, key, Cause::RevocationChecked);
        }
    }
}
