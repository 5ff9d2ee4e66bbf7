//! Redirects: which ones a job lets be followed, and where they lead (clauses
//! `http_options.security_flags.redirect_*`).

use super::{Origin, Scheme, Target, fatal, transient};
use crate::attempt::Failure;
use bits_api::{Hresult, SecurityFlags};
use bits_world::{Decisions, Switch};

/// What a download job wants done with redirects.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct RedirectPolicy {
    /// Whether they are followed, and the client told.
    pub follow: Follow,
    /// Whether one may lead from HTTPS to HTTP.
    pub to_plain: bool,
}

/// Whether redirects are followed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Follow {
    /// They are, and the remote name stays.
    #[default]
    Silently,
    /// They are, and the remote name becomes the URL that has answered.
    Reporting,
    /// The first one is an error, and the remote name becomes its target.
    Never,
}

impl From<SecurityFlags> for RedirectPolicy {
    fn from(flags: SecurityFlags) -> Self {
        let policy = flags & SecurityFlags::REDIRECT_POLICY_MASK;
        let follow = if policy == SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT {
            Follow::Reporting
        } else if policy == SecurityFlags::REDIRECT_POLICY_DISALLOW {
            Follow::Never
        } else {
            Follow::Silently
        };
        Self { follow, to_plain: flags.contains(SecurityFlags::REDIRECT_POLICY_ALLOW_HTTPS_TO_HTTP) }
    }
}

/// The way of an attempt's requests: each begins where the file is, and goes where it is sent.
#[derive(Clone, Debug)]
pub struct Redirects {
    policy: RedirectPolicy,
    decisions: Decisions,
    /// The server that the remote name names.
    named: Origin,
    /// The server that the client has named.
    given: Origin,
    /// The places that the present request was sent to, from its first on.
    seen: Vec<Target>,
    /// Whether the client's own method was left behind on the way.
    by_get: bool,
    /// The remote name from now on, until somebody has asked.
    moved: Option<String>,
}

impl Redirects {
    /// No redirect yet: the file is at `start`.
    pub fn new(start: Target, policy: RedirectPolicy) -> Self {
        Self {
            policy,
            decisions: Decisions::default(),
            named: start.origin().clone(),
            given: start.origin().clone(),
            seen: vec![start],
            by_get: false,
            moved: None,
        }
    }

    /// The same for a file whose name the client knows on this server.
    #[must_use]
    pub fn named_on(self, server: Option<&Target>) -> Self {
        Self { given: server.map_or(self.given, |server| server.origin().clone()), ..self }
    }

    /// The same by other choices where the documentation is silent.
    #[must_use]
    pub fn by(self, decisions: &Decisions) -> Self {
        Self { decisions: decisions.clone(), ..self }
    }

    /// Where the next request goes.
    pub fn target(&self) -> &Target {
        // The list begins with one entry and never loses it.
        &self.seen[self.seen.len() - 1]
    }

    /// Whether the next request goes to another server than the one that the remote name names.
    pub fn is_elsewhere(&self) -> bool {
        *self.target().origin() != self.named
    }

    /// Whether the credentials of the job are for the server that the next request goes to (a decision,
    /// `http_options.redirect_with_credentials`): it is the one that the client has named, whatever
    /// the name is told to be by now.
    pub fn is_trusted(&self) -> bool {
        let (to, given) = (self.target().origin(), &self.given);
        let is_downgrade = given.scheme == Scheme::Https && to.scheme == Scheme::Http;
        to == given || (!is_downgrade && self.decisions.is_other(Switch::RedirectedCredentials))
    }

    /// Whether the next request asks by GET, whatever method the client has chosen: 303 leads to
    /// something to be looked at, and POST becomes GET as WinHTTP and browsers have it.
    pub fn asks_by_get(&self) -> bool {
        self.by_get
    }

    /// The remote name that the file has from now on, told once.
    pub fn take_moved(&mut self) -> Option<String> {
        self.moved.take()
    }

    /// Follows an answer of `status` to a request by `method` when it is a redirect to `location`,
    /// the bytes of its header; returns whether it was one. [`Redirects::take_moved`] may have news
    /// afterwards, also of an error.
    ///
    /// # Errors
    /// `BG_E_HTTP_ERROR_3xx` for a redirect that the policy refuses, that leads from HTTPS to HTTP
    /// without its leave, away from HTTP, or nowhere; `ERROR_WINHTTP_REDIRECT_FAILED` for a circle
    /// and for one too many.
    pub fn follow(&mut self, method: &str, status: u16, location: Option<&[u8]>) -> Result<bool, Failure> {
        // 304 is none, 305 and 306 are obsolete.
        if !matches!(status, 300..=303 | 307 | 308) {
            self.arrived();
            return Ok(false);
        }
        let refused = fatal(Hresult::from_http_status(status));
        let location = location.and_then(|location| std::str::from_utf8(location).ok());
        let next = location.and_then(|location| self.target().join(location));
        if self.policy.follow == Follow::Never {
            self.moved = next.map(|next| next.to_string());
            return Err(refused);
        }
        let next = next.filter(|next| self.may_lead_to(next)).ok_or(refused)?;
        // Usually as many as WinHTTP follows by default.
        let is_one_too_many = self.seen.len() as u64 > self.decisions.count(Switch::MostRedirects);
        if is_one_too_many {
            self.decisions.note(Switch::MostRedirects);
        }
        // With what a server has asked to be told again, the same place may answer otherwise.
        let is_circle = self.seen.contains(&next) && !self.decisions.is_other(Switch::Cookies);
        if is_one_too_many || is_circle {
            return Err(transient(Hresult::ERROR_WINHTTP_REDIRECT_FAILED));
        }
        self.by_get |= status == 303 || (matches!(status, 301 | 302) && method == "POST");
        self.seen.push(next);
        Ok(true)
    }

    /// The present request has come to its end. The next one begins where the file is: as the
    /// client has named it, unless that name has changed.
    fn arrived(&mut self) {
        self.by_get = false;
        if self.seen.len() == 1 {
            return;
        }
        let reports = self.policy.follow == Follow::Reporting;
        if reports {
            self.moved = Some(self.target().to_string());
            self.named = self.target().origin().clone();
        }
        if reports || self.decisions.is_other(Switch::RedirectsKept) {
            self.seen.drain(..self.seen.len() - 1);
        } else {
            self.seen.truncate(1);
        }
    }

    fn may_lead_to(&self, next: &Target) -> bool {
        let is_downgrade = self.target().origin().scheme == Scheme::Https && next.origin().scheme == Scheme::Http;
        self.policy.to_plain || !is_downgrade
    }
}

#[cfg(test)]
#[path = "redirect_tests.rs"]
mod tests;
