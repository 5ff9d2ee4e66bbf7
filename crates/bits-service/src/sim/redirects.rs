//! Where simulated servers send those who ask for a file.

use bits_wire::attempt::{AttemptEnd, AttemptPlan, AttemptReport, ResponseHead};
use bits_wire::download::{Redirects, Target};

use super::{Attempt, Remote, Simulation, Step, downloads};

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
    pub(super) fn new(plan: &AttemptPlan) -> Self {
        let start = Target::parse(&plan.url).ok();
        let redirects = start.map(|start| Redirects::new(start, plan.fetch.redirects));
        Self { place: plan.url.clone(), redirects }
    }

    pub(super) fn place(&self) -> &str {
        &self.place
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

/// The server answers: with what it has, or with where else to ask.
pub(super) fn ask(attempt: &mut Attempt, remote: &Remote) -> AttemptReport {
    let (status, location) = match &remote.redirect {
        Some(Redirect { status, location }) => (*status, Some(location.as_bytes())),
        None => (200, None),
    };
    let Journey { place, redirects } = &mut attempt.journey;
    let followed = redirects.as_mut().map_or(Ok(false), |redirects| redirects.follow("HEAD", status, location));
    if let Some(redirects) = redirects {
        attempt.news.extend(redirects.take_moved().map(|url| AttemptReport::Redirected { url }));
    }
    match (followed, redirects) {
        (Ok(true), Some(redirects)) => *place = redirects.target().to_string(),
        (Ok(_), _) => attempt.step = Step::Answered,
        (Err(failure), _) => attempt.news.push_back(AttemptReport::Ended(AttemptEnd::Failed(failure))),
    }
    AttemptReport::Answered(match &remote.redirect {
        Some(Redirect { status, location }) => {
            ResponseHead(format!("HTTP/1.1 {status} Redirect\r\nLocation: {location}\r\n\r\n").into())
        }
        None => downloads::answer(remote),
    })
}
