//! What a simulated server answers to somebody who fetches, and what of that gets to the disk.

use std::collections::BTreeMap;
use std::path::PathBuf;

use bits_api::{ErrorContext, FileRange, Hresult, SIZE_UNKNOWN};
use bits_wire::attempt::{AttemptEnd, AttemptPlan, AttemptReport, Begin, Failure, ResponseHead, Urgency, Validators};
use bits_wire::download::TOO_LARGE;
use bits_wire::layout::{self, Layout, Piece};
use bits_wire::spans::Span;
use bits_world::Touch;

use super::{Attempt, Remote, SimFailure, Simulation, Step, moved_to};

/// What a simulated server can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SimServer {
    /// Answers HEAD.
    pub head: bool,
    /// Tells how long the file is.
    pub length: bool,
    /// Serves ranges.
    pub ranges: bool,
}

impl Default for SimServer {
    fn default() -> Self {
        Self { head: true, length: true, ranges: true }
    }
}

impl SimServer {
    /// One that makes its content up as it is asked for, and can do none of it.
    pub const DYNAMIC: Self = Self { head: false, length: false, ranges: false };

    /// Whether the attempt can be served, and else how it fails.
    fn serves(self, plan: &AttemptPlan, have: u64) -> Result<(), Failure> {
        if plan.fetch.dynamic {
            return Ok(());
        }
        let is_whole = plan.urgency == Urgency::Foreground && plan.fetch.layout == Layout::Whole && have == 0;
        match self {
            Self { head: false, .. } => Err(fatal(Hresult::BG_E_HTTP_ERROR_405)),
            Self { length: false, .. } => Err(fatal(Hresult::BG_E_MISSING_FILE_SIZE)),
            Self { ranges: false, .. } if !is_whole => Err(fatal(Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT)),
            _ => Ok(()),
        }
    }
}

/// What an attempt that fetches has come to know.
#[derive(Default)]
pub(super) struct Fetched {
    pieces: Vec<Piece>,
    /// Bytes along the pieces.
    have: u64,
    /// The remote file as it was when the attempt connected.
    version: Option<Validators>,
    /// The size of dynamic content that is told at its end.
    told_at_end: Option<Validators>,
}

impl Simulation {
    /// Lets the server of `url` be able to do this.
    pub fn serve_by(&self, url: &str, server: SimServer) {
        self.lock().remote.entry(url.into()).or_default().server = server;
    }

    /// The stretches of the file at `url` that were moved so far, in the order in which they were.
    pub fn fetched(&self, url: &str) -> Vec<FileRange> {
        self.lock()
            .remote
            .get(url)
            .map_or_else(Vec::new, |remote| remote.moved.iter().map(|span| span.range()).collect())
    }
}

/// What the server says before anything else.
pub(super) fn answer(remote: &Remote) -> ResponseHead {
    let Some(Validators { size, .. }) = remote.validators else {
        return ResponseHead("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into());
    };
    let length = if remote.server.length { format!("Content-Length: {size}\r\n") } else { String::new() };
    let ranges = if remote.server.ranges { "Accept-Ranges: bytes\r\n" } else { "" };
    ResponseHead(format!("HTTP/1.1 200 OK\r\n{length}{ranges}\r\n").into())
}

/// Connects; the file is known afterwards, or the attempt over.
pub(super) fn connect(attempt: &mut Attempt, remote: &Remote, local: &mut BTreeMap<PathBuf, u64>) -> AttemptReport {
    match try_connect(attempt, remote, local) {
        Ok(report) => report,
        Err(end) => AttemptReport::Ended(end),
    }
}

fn try_connect(
    attempt: &mut Attempt,
    remote: &Remote,
    local: &mut BTreeMap<PathBuf, u64>,
) -> Result<AttemptReport, AttemptEnd> {
    let plan = &attempt.plan;
    if let Some(source) = &plan.fetch.source {
        attempt.storage.may(&source.path, Touch::Read).map_err(unreadable)?;
    }
    let missing_there = || match &plan.fetch.source {
        Some(_) => unreadable(Hresult::ERROR_FILE_NOT_FOUND),
        None => failed(Hresult::BG_E_HTTP_ERROR_404),
    };
    let validators = remote.validators.ok_or_else(missing_there)?;
    if remote.readers.as_ref().is_some_and(|readers| !readers.contains(&plan.identities.network)) {
        return Err(failed(Hresult::E_ACCESSDENIED));
    }
    attempt.storage.may(&plan.local, Touch::Look).or_else(missing).map_err(unusable)?;
    let there = local.get(&plan.local).copied().unwrap_or(0);
    let is_same = plan.known == Some(validators) && plan.fetch.begin != Begin::Anew && !plan.fetch.dynamic;
    let mut have = if is_same && plan.fetch.layout.is_sequential() { there } else { 0 };
    if let Layout::Scattered { held, .. } = &plan.fetch.layout
        && plan.fetch.begin != Begin::Anew
        && (!is_same || there < held.end())
    {
        return Err(AttemptEnd::Changed);
    }
    if plan.fetch.begin == Begin::Elsewhere && !remote.server.ranges {
        have = 0;
    }
    remote.server.serves(plan, have).map_err(AttemptEnd::Failed)?;
    let pieces = plan.fetch.layout.pieces(validators.size).map_err(AttemptEnd::Failed)?;
    let is_open_end = plan.fetch.dynamic && !remote.server.length;
    if !is_open_end && plan.fetch.most.is_some_and(|most| layout::length(&pieces) > most) {
        return Err(AttemptEnd::Failed(TOO_LARGE));
    }
    if plan.fetch.layout.is_sequential() || plan.fetch.begin == Begin::Anew {
        let touch = if local.contains_key(&plan.local) { Touch::Write } else { Touch::Make };
        attempt.storage.may(&plan.local, touch).map_err(unusable)?;
        attempt.storage.give_back(&plan.local, there.saturating_sub(have));
        local.insert(plan.local.clone(), have);
    }
    attempt.step = Step::AwaitingProceed;
    attempt.fetched =
        Fetched { pieces, have, version: Some(validators), told_at_end: is_open_end.then_some(validators) };
    let size = if is_open_end { SIZE_UNKNOWN } else { validators.size };
    Ok(AttemptReport::Connected { validators: Validators { size, ..validators }, have })
}

/// Moves what can be moved; `None` while the attempt waits.
pub(super) fn transfer(
    attempt: &mut Attempt,
    remote: &mut Remote,
    local: &mut BTreeMap<PathBuf, u64>,
) -> Option<AttemptReport> {
    if let Some(source) = &attempt.plan.fetch.source {
        if let Err(code) = attempt.storage.may(&source.path, Touch::Read) {
            return Some(AttemptReport::Ended(unreadable(code)));
        }
        if remote.validators != attempt.fetched.version {
            return Some(AttemptReport::Ended(AttemptEnd::Changed));
        }
    }
    let Fetched { pieces, have, told_at_end, .. } = &mut attempt.fetched;
    let total = layout::length(pieces);
    let most = attempt.plan.fetch.most.map_or(total, |most| most.min(total));
    let before = *have;
    let moved = moved_to(remote, most, have, attempt.pace.as_mut())?;
    if !local.contains_key(&attempt.plan.local) {
        return Some(AttemptReport::Ended(unusable(Hresult::ERROR_FILE_NOT_FOUND)));
    }
    let taken = attempt.storage.take(&attempt.plan.local, *have - before);
    let reached = before + taken.unwrap_or(0);
    let refused = taken.err().or((reached < *have).then_some(Hresult::ERROR_DISK_FULL));
    *have = reached;
    for span in layout::stretch(pieces, before, *have) {
        remote.note_moved(span);
        let end = if attempt.plan.fetch.layout.is_sequential() { *have } else { span.end };
        let length = local.entry(attempt.plan.local.clone()).or_default();
        *length = end.max(*length);
    }
    if let Some(code) = refused {
        return Some(AttemptReport::Ended(unusable(code)));
    }
    Some(match (moved, told_at_end.take()) {
        (Some(report), told) => {
            *told_at_end = told;
            report
        }
        (None, _) if most < total => AttemptReport::Ended(AttemptEnd::Failed(TOO_LARGE)),
        (None, Some(validators)) => {
            attempt.step = Step::AwaitingProceed;
            AttemptReport::Connected { validators, have: *have }
        }
        (None, None) => AttemptReport::Ended(AttemptEnd::Done),
    })
}

impl Remote {
    /// The failure of the connection that was asked for, if one was.
    pub(super) fn take_refusal(&mut self) -> Option<AttemptReport> {
        let SimFailure { failure, .. } = self.failures.pop_front_if(|failure| failure.at.is_none())?;
        Some(AttemptReport::Ended(AttemptEnd::Failed(failure)))
    }

    fn note_moved(&mut self, span: Span) {
        match self.moved.last_mut() {
            Some(last) if last.end == span.start => last.end = span.end,
            _ => self.moved.push(span),
        }
    }
}

/// The end of an attempt whose local file cannot be used.
fn unusable(code: Hresult) -> AttemptEnd {
    AttemptEnd::Failed(Failure::of_local_file(code))
}

/// The end of an attempt that cannot read the file that it copies.
fn unreadable(code: Hresult) -> AttemptEnd {
    AttemptEnd::Failed(Failure::of_remote_file(code))
}

/// A file that is not there is no fault yet.
fn missing(code: Hresult) -> Result<(), Hresult> {
    if code == Hresult::ERROR_FILE_NOT_FOUND { Ok(()) } else { Err(code) }
}

fn fatal(code: Hresult) -> Failure {
    Failure { code, context: ErrorContext::REMOTE_FILE, transient: false }
}

fn failed(code: Hresult) -> AttemptEnd {
    AttemptEnd::Failed(fatal(code))
}
