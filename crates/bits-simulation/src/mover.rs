//! The simulated mover: attempts that move a step at a time, whenever chance says so.
//!
//! It keeps the contract of [`bits_wire::attempt::Mover`] as the real one does: what is there of a
//! file that has changed is thrown away before `Connected`, nothing is written before `proceed`,
//! and a temporary file that is not known to be ours is somebody else's.

use std::collections::{BTreeMap, VecDeque};

use bits_api::{AuthTarget, ErrorContext, Hresult};
use bits_wire::attempt::{
    AttemptEnd, AttemptId, AttemptPlan, AttemptReport, Begin, ERROR_FILE_EXISTS, Failure, Validators, Work,
};
use bits_wire::download::{Redirects, Target};
use bits_wire::layout::{self, Layout, Piece};

use crate::chance::Chance;
use crate::files::{Files, Local};
use crate::origin::{Mood, Origin};
use crate::uploads::Sessions;

const BUSY: Failure =
    Failure { code: Hresult::BG_E_HTTP_ERROR_503, context: ErrorContext::REMOTE_FILE, transient: true };
const CLOSED: Failure =
    Failure { code: Hresult::BG_E_CONNECTION_CLOSED, context: ErrorContext::GENERAL_TRANSPORT, transient: true };
const NOT_FOUND: Failure =
    Failure { code: Hresult::BG_E_HTTP_ERROR_404, context: ErrorContext::REMOTE_FILE, transient: false };
const WHO_ASKS: Failure =
    Failure { code: Hresult::BG_E_HTTP_ERROR_401, context: ErrorContext::REMOTE_FILE, transient: false };
const TAKEN: Failure = Failure { code: ERROR_FILE_EXISTS, context: ErrorContext::LOCAL_FILE, transient: false };

pub(crate) fn failed(failure: Failure) -> AttemptReport {
    AttemptReport::Ended(AttemptEnd::Failed(failure))
}

/// The attempts that run.
#[derive(Debug, Default)]
pub(crate) struct Mover {
    pub(crate) attempts: BTreeMap<AttemptId, Attempt>,
}

#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) plan: AttemptPlan,
    /// Whether the temporary file is ours.
    begun: bool,
    /// Where redirects have led so far.
    redirects: Redirects,
    place: String,
    /// What is reported before the next step.
    news: VecDeque<AttemptReport>,
    /// What is fetched, and how much of it is there.
    pieces: Vec<Piece>,
    have: u64,
    pub(crate) step: Step,
    told_to_stop: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    Connecting,
    /// Waits until what the server said is on record.
    Waiting(Validators),
    Moving(Validators),
}

/// What becomes of a step.
enum Luck {
    GoesOn,
    Hangs,
    Fails(Failure),
}

/// What an attempt can reach.
pub(crate) struct Reach<'a> {
    pub(crate) origin: &'a mut Origin,
    pub(crate) sessions: &'a mut Sessions,
    pub(crate) files: &'a mut Files,
    pub(crate) chance: &'a mut Chance,
    pub(crate) network: bool,
    /// Whether somebody else may make a file of a temporary file's name.
    pub(crate) intruders: bool,
}

impl Mover {
    pub(crate) fn start(&mut self, plan: AttemptPlan) {
        let writes = |plan: &AttemptPlan| matches!(plan.work, Work::Download | Work::Reply { .. });
        let same_file = |other: &Attempt| writes(&other.plan) && other.plan.local == plan.local;
        assert!(!self.attempts.values().any(same_file), "two attempts write {}", plan.local.display());
        let begun = plan.known.is_some();
        let start = Target::parse(&plan.url).expect("a URL");
        let named = plan.fetch.named_server.as_deref().map(|server| Target::parse(server).expect("a server"));
        let attempt = Attempt {
            begun,
            redirects: Redirects::new(start, plan.fetch.redirects).named_on(named.as_ref()),
            place: plan.url.clone(),
            news: VecDeque::new(),
            pieces: Vec::new(),
            have: 0,
            step: Step::Connecting,
            told_to_stop: false,
            plan,
        };
        self.attempts.insert(attempt.plan.attempt, attempt);
    }

    pub(crate) fn proceed(&mut self, attempt: AttemptId) {
        if let Some(Attempt { step, .. }) = self.attempts.get_mut(&attempt)
            && let Step::Waiting(validators) = *step
        {
            *step = Step::Moving(validators);
        }
    }

    pub(crate) fn stop(&mut self, attempt: AttemptId) {
        if let Some(attempt) = self.attempts.get_mut(&attempt) {
            attempt.told_to_stop = true;
        }
    }

    /// Takes an attempt a step further; what it reports, if anything.
    pub(crate) fn step(&mut self, id: AttemptId, mut reach: Reach<'_>) -> Option<AttemptReport> {
        let attempt = self.attempts.get_mut(&id)?;
        let report = attempt.step(&mut reach);
        if matches!(report, Some(AttemptReport::Ended(_))) {
            self.attempts.remove(&id);
        }
        report
    }
}

impl Attempt {
    fn step(&mut self, reach: &mut Reach<'_>) -> Option<AttemptReport> {
        if self.told_to_stop && reach.chance.one_in(2) {
            return Some(AttemptReport::Ended(AttemptEnd::Stopped));
        }
        if let Some(report) = self.news.pop_front() {
            return Some(report);
        }
        match self.luck(reach) {
            Luck::Hangs => return None,
            Luck::Fails(failure) => return Some(failed(failure)),
            Luck::GoesOn => {}
        }
        let sends = matches!(self.plan.work, Work::Upload { .. } | Work::GiveUp { .. });
        match self.step {
            Step::Waiting(_) => None,
            Step::Connecting if sends => Some(self.open_session(reach)),
            Step::Moving(source) if sends => Some(self.send(source, reach)),
            Step::Connecting => self.ask(reach),
            Step::Moving(validators) => self.transfer(validators, reach),
        }
    }

    fn luck(&self, reach: &mut Reach<'_>) -> Luck {
        let mood = reach.origin.mood(&self.place);
        match mood {
            _ if !reach.network && reach.chance.one_in(3) => Luck::Fails(CLOSED),
            _ if !reach.network => Luck::Hangs,
            Mood::Flaky if reach.chance.one_in(3) => Luck::Fails(CLOSED),
            Mood::Good | Mood::Flaky => Luck::GoesOn,
            Mood::Busy => Luck::Fails(BUSY),
            Mood::Gone => Luck::Fails(NOT_FOUND),
            Mood::Silent => Luck::Hangs,
        }
    }

    /// Asks the server to which redirects have led, and says who asks where it wants to know.
    fn ask(&mut self, reach: &mut Reach<'_>) -> Option<AttemptReport> {
        let redirect = reach.origin.redirect_at(&self.place);
        let status = match redirect {
            Some((status, _)) => *status,
            None if self.is_let_in(reach) => 200,
            None => 401,
        };
        let location = redirect.map(|(_, location)| location.as_bytes());
        let followed = self.redirects.follow("HEAD", status, location);
        self.news.extend(self.redirects.take_moved().map(|url| AttemptReport::Redirected { url }));
        match followed {
            Ok(true) => self.place = self.redirects.target().to_string(),
            Ok(false) if status == 200 => {
                let report = self.connect(reach);
                self.news.push_back(report);
            }
            Ok(false) => self.news.push_back(failed(WHO_ASKS)),
            Err(failure) => self.news.push_back(failed(failure)),
        }
        self.news.pop_front()
    }

    fn is_let_in(&mut self, reach: &Reach<'_>) -> bool {
        let Some(scheme) = reach.origin.guard_at(&self.place) else { return true };
        let login = self.plan.logins.get(AuthTarget::SERVER, scheme).filter(|_| self.redirects.is_trusted());
        let accepted = login.map(|login| login.password.expose() == reach.origin.password());
        let by = self.place.clone();
        self.news.extend(accepted.map(|accepted| AttemptReport::CredentialsJudged { by, accepted }));
        accepted == Some(true)
    }

    fn connect(&mut self, reach: &mut Reach<'_>) -> AttemptReport {
        let path = &self.plan.local;
        if reach.intruders && !self.begun && reach.chance.one_in(20) && !reach.files.there.contains_key(path) {
            reach.files.intrude(path);
        }
        let found = reach.files.there.get_mut(path);
        if found.is_some() && !self.begun {
            return failed(TAKEN);
        }
        let Some((validators, _)) = reach.origin.now_at(&self.place) else {
            return failed(NOT_FOUND);
        };
        let layout = &self.plan.fetch.layout;
        let is_anew = self.plan.fetch.begin == Begin::Anew;
        let is_same = self.plan.known == Some(validators) && !is_anew;
        if let Layout::Scattered { held, .. } = layout
            && !is_anew
            && (!is_same || found.as_ref().map_or(0, |file| file.bytes.len() as u64) < held.end())
        {
            return AttemptReport::Ended(AttemptEnd::Changed);
        }
        self.pieces = match layout.pieces(validators.size) {
            Ok(pieces) => pieces,
            Err(failure) => return failed(failure),
        };
        if !is_same && let Some(found) = found {
            *found = Local::default();
        }
        let there = reach.files.there.get(path).map_or(0, |file| file.bytes.len() as u64);
        self.have = if layout.is_sequential() { there } else { 0 };
        let (have, total) = (self.have, layout::length(&self.pieces));
        if is_same && layout.is_sequential() && have == total && have > 0 && reach.chance.one_in(2) {
            return self.done(reach);
        }
        self.step = Step::Waiting(validators);
        AttemptReport::Connected { validators, have }
    }

    fn transfer(&mut self, known: Validators, reach: &mut Reach<'_>) -> Option<AttemptReport> {
        let (validators, content) = reach.origin.now_at(&self.place)?;
        let path = &self.plan.local;
        if !self.begun && reach.files.there.contains_key(path) {
            return Some(failed(TAKEN));
        }
        self.begun = true;
        let is_sequential = self.plan.fetch.layout.is_sequential();
        let file = reach.files.there.entry(path.clone()).or_default();
        if validators != known {
            // It has changed between two ranges.
            if !is_sequential {
                return Some(AttemptReport::Ended(AttemptEnd::Changed));
            }
            let pieces = match self.plan.fetch.layout.pieces(validators.size) {
                Ok(pieces) => pieces,
                Err(failure) => return Some(failed(failure)),
            };
            *file = Local::default();
            (self.pieces, self.have) = (pieces, 0);
            self.plan.known = Some(validators);
            self.step = Step::Waiting(validators);
            return Some(AttemptReport::Connected { validators, have: 0 });
        }
        let left = small(layout::length(&self.pieces) - self.have);
        if left == 0 {
            return Some(self.done(reach));
        }
        let before = self.have;
        self.have += 1 + reach.chance.below(left) as u64;
        for span in layout::stretch(&self.pieces, before, self.have) {
            let bytes = &content[small(span.start)..small(span.end)];
            let at = if is_sequential { file.bytes.len() } else { small(span.start) };
            file.write(at, bytes);
        }
        Some(AttemptReport::Progress { have: self.have })
    }

    /// A file is safe before it is reported to be there.
    fn done(&self, reach: &mut Reach<'_>) -> AttemptReport {
        if let Some(file) = reach.files.there.get_mut(&self.plan.local) {
            file.synced = file.bytes.len();
        }
        AttemptReport::Ended(AttemptEnd::Done)
    }
}

fn small(offset: u64) -> usize {
    usize::try_from(offset).expect("small files")
}
