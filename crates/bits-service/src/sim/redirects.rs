//! Where simulated servers send those who ask for a file.

use std::collections::VecDeque;

use bits_wire::attempt::{AttemptPlan, AttemptReport, Failure, ResponseHead};
use bits_wire::download::{Redirects, Target};
use bits_world::Decisions;

use super::{Attempt, Remote, Simulation, Step, downloads, failed};

/// A redirect in place of a file.
#[derive(Clone, Debug)]
pub(super) struct Redirect {
    pub(super) status: u16,
    /// The Location header.
    location: String,
}

/// Where an attempt asks.
pub(super) struct Journey {
    /// As the plan has it, or as a redirect has said.
    place: String,
    /// Absent where the remote name is none of HTTP, and for uploads: neither is redirected.
    redirects: Option<Redirects>,
}

impl Journey {
    pub(super) fn new(plan: &AttemptPlan, decisions: &Decisions, is_served: impl Fn(&str) -> bool) -> Self {
        let named = plan.fetch.named_server.as_deref().and_then(|server| Target::parse(server).ok());
        let start = Target::parse(&plan.url).ok();
        let redirects =
            start.map(|start| Redirects::new(start, plan.fetch.redirects).named_on(named.as_ref()).by(decisions));
        // No server sees credentials or a fragment of a URL.
        let seen = redirects.as_ref().map(|redirects| redirects.target().to_string());
        let place = seen.filter(|seen| !is_served(&plan.url) && is_served(seen)).unwrap_or_else(|| plan.url.clone());
        Self { place, redirects }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn redirects(&self) -> Option<&Redirects> {
        self.redirects.as_ref()
    }

    /// Follows an answer; whether it was a redirect. Adds to the news what becomes of the remote name.
    pub(super) fn follow(
        &mut self,
        status: u16,
        location: Option<&[u8]>,
        news: &mut VecDeque<AttemptReport>,
    ) -> Result<bool, Failure> {
        let Some(redirects) = &mut self.redirects else { return Ok(false) };
        let followed = redirects.follow("HEAD", status, location);
        news.extend(redirects.take_moved().map(|url| AttemptReport::Redirected { url }));
        if followed == Ok(true) {
            self.place = redirects.target().to_string();
        }
        followed
    }

    pub(super) fn is_at(&self, url: &str) -> bool {
        self.place == url
    }
}

impl Simulation {
    /// Lets the server of `url` answer everybody with this redirect, until it serves a file there
    /// again. `location` is the header's value: a URL, or a part of one. Uploads fail by it.
    pub fn redirect(&self, url: &str, status: u16, location: &str) {
        let redirect = Redirect { status, location: location.to_owned() };
        self.lock().remote.entry(url.into()).or_default().redirect = Some(redirect);
    }
}

/// The server answers: with what it has, or with where else to ask. That is the attempt's news.
pub(super) fn ask(attempt: &mut Attempt, remote: &Remote) {
    attempt.news.push_back(AttemptReport::Answered(match &remote.redirect {
        Some(Redirect { status, location }) => {
            ResponseHead(format!("HTTP/1.1 {status} Redirect\r\nLocation: {location}\r\n\r\n").into())
        }
        None => downloads::answer(remote),
    }));
    let (status, location) = match &remote.redirect {
        Some(Redirect { status, location }) => (*status, Some(location.as_bytes())),
        None => (200, None),
    };
    match attempt.journey.follow(status, location, &mut attempt.news) {
        Ok(true) => {}
        Ok(false) => attempt.step = Step::Answered,
        Err(failure) => attempt.news.push_back(failed(failure)),
    }
}
