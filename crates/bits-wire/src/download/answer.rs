//! The course of a download: what comes next, and whether an answer will do.

use bits_api::{Hresult, SIZE_UNKNOWN};
use bits_world::{Decisions, Switch};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode, Version};

use super::head::{ContentRange, Length, content_range, is_coded, last_modified, length};
use super::{Ask, Fault, Multipart, Parts, RANGE_LIMIT, fatal, status_failure, transient};
use crate::attempt::{AttemptPlan, Begin, Failure, Urgency, Validators};
use crate::layout::{self, Layout, Piece};
use crate::spans::Span;

/// The head of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The HTTP version that the server speaks.
    pub version: Version,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// What a download does next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Next {
    /// Ask the server.
    Ask(Ask),
    /// Nothing: every byte is there.
    Done,
}

/// What an answer means for a download.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The remote file is known now; there is no body.
    Learned,
    /// The body holds this many bytes of the file, from [`Download::have`] on.
    Body(u64),
    /// The body holds several parts of the file, one after the other.
    Parts(Parts),
    /// The body holds the whole file, and its end is the file's; no more than so many bytes may
    /// come, where there is a limit.
    Unbounded(Option<u64>),
    /// The remote file is another one than before: what is there is worth nothing (clauses
    /// `files.consistency.download_restart`, `http.open.412`).
    StartOver,
    /// The server refuses to be asked so: [`Download::next`] asks in another way.
    AskOtherwise,
}

/// The download of one file in one attempt.
#[derive(Clone, Debug)]
pub struct Download {
    urgency: Urgency,
    layout: Layout,
    begin: Begin,
    dynamic: bool,
    limit: Option<u64>,
    known: Option<Validators>,
    /// What is fetched of the known file.
    pieces: Vec<Piece>,
    /// Whether `known` was learned in this attempt, so that a difference is no change but a lie.
    fresh: bool,
    have: u64,
    start_overs: u32,
    /// Whether the server has refused HEAD, and may be asked by GET instead.
    without_head: bool,
    /// How many bytes are asked for at once.
    at_once: u64,
    decisions: Decisions,
}

impl Download {
    /// How often one attempt takes a changed file for new before it gives up for a while.
    const MAX_START_OVERS: u32 = 3;

    /// The download that `plan` asks for, of which the temporary file holds `held` bytes.
    ///
    /// What is there counts only while the file is known well enough to go on with it: without a
    /// time stamp, or with more bytes than there should be, it starts from zero. A scattered
    /// layout goes on with what it says is there; nothing of a dynamic file is ever gone on with.
    pub fn new(plan: &AttemptPlan, held: u64) -> Self {
        let held = if plan.fetch.layout.is_sequential() { held } else { 0 };
        let usable = |known: &Validators| match plan.fetch.layout.total(known.size) {
            _ if plan.fetch.dynamic || plan.fetch.begin == Begin::Anew => false,
            Some(total) => held == total || (held < total && known.last_modified.is_some()),
            None => false,
        };
        let known = plan.known.filter(usable);
        let pieces = known.and_then(|known| plan.fetch.layout.pieces(known.size).ok());
        let known = known.filter(|_| pieces.is_some());
        Self {
            urgency: plan.urgency,
            layout: plan.fetch.layout.clone(),
            begin: plan.fetch.begin,
            dynamic: plan.fetch.dynamic,
            limit: plan.fetch.most,
            known,
            pieces: pieces.unwrap_or_default(),
            fresh: false,
            have: if known.is_some() { held } else { 0 },
            start_overs: 0,
            without_head: false,
            at_once: RANGE_LIMIT,
            decisions: Decisions::default(),
        }
    }

    /// The same by other choices where the documentation is silent.
    #[must_use]
    pub fn by(self, decisions: &Decisions) -> Self {
        Self { decisions: decisions.clone(), ..self }
    }

    /// From now on bytes come no faster than this, in kilobits a second. What is asked for at once
    /// is then over while a server still has patience with a client that reads slowly (decision
    /// `policy.max_bandwidth.shared`).
    pub fn set_speed(&mut self, kilobits: Option<u32>) {
        /// Servers wait a minute, or two, for the next byte to be taken.
        const PATIENCE: u64 = 30;
        /// So much fits into the buffers of a connection, and needs no patience.
        const LEAST: u64 = 64 * 1024;
        let patient = |kilobits: u32| (PATIENCE * 125 * u64::from(kilobits)).clamp(LEAST, RANGE_LIMIT);
        self.at_once = kilobits.map_or(RANGE_LIMIT, patient);
    }

    /// How many bytes are there and good, counted along the pieces; of a sequential layout,
    /// anything beyond is to be cut off.
    pub fn have(&self) -> u64 {
        self.have
    }

    /// Where in the local file the next body goes.
    pub fn position(&self) -> u64 {
        layout::from(&self.pieces, self.have).next().map_or(self.have, |piece| piece.local)
    }

    /// The remote file as far as it is known.
    pub fn known(&self) -> Option<Validators> {
        self.known
    }

    /// What to do next.
    ///
    /// The size comes first, by HEAD, while it is unknown (clause `http.head_size`); a known file
    /// is asked for at once (clause `http.client.resume_known_stamp`). Range goes with background
    /// jobs, with resuming, with parts of a file, and with files from [`RANGE_LIMIT`] on.
    pub fn next(&self) -> Next {
        let Some(Validators { size, last_modified }) = self.known else {
            return Next::Ask(match self {
                Self { dynamic: true, .. } => Ask::Whole,
                Self { without_head: true, .. } => Ask::FirstByte,
                _ => Ask::Size,
            });
        };
        let pieces = self.next_pieces();
        if pieces.is_empty() {
            return Next::Done;
        }
        let is_whole = self.layout == Layout::Whole && self.have == 0 && size < RANGE_LIMIT;
        if self.dynamic || (self.urgency == Urgency::Foreground && is_whole) {
            return Next::Ask(Ask::Whole);
        }
        let spans: Vec<Span> = pieces.iter().map(|piece| piece.remote).collect();
        Next::Ask(match spans[..] {
            [Span { start, end }] => Ask::Range { first: start, last: end - 1, unmodified_since: last_modified },
            _ => Ask::Ranges { spans, unmodified_since: last_modified },
        })
    }

    /// What the next request by range asks for, one behind the other in the local file (decision
    /// `http.ranges_per_request`).
    fn next_pieces(&self) -> Vec<Piece> {
        let most = self.decisions.count(Switch::RangesPerRequest).max(1);
        // Without a time stamp nothing would show that the file has changed from one request to the next.
        let is_stamped = self.known.is_some_and(|known| known.last_modified.is_some());
        let mut left = if is_stamped { self.at_once } else { RANGE_LIMIT };
        let mut next: Vec<Piece> = Vec::new();
        for piece in layout::from(&self.pieces, self.have) {
            let remote = Span::new(piece.remote.start, piece.remote.end.min(piece.remote.start.saturating_add(left)));
            let count = next.len() as u64;
            match next.last_mut() {
                Some(last) if last.remote.end == remote.start => last.remote.end = remote.end,
                Some(last) if remote.start < last.remote.end => break,
                _ => {
                    if count > 0 {
                        self.decisions.note(Switch::RangesPerRequest);
                    }
                    if count == most {
                        break;
                    }
                    next.push(Piece { remote, local: piece.local });
                }
            }
            left -= remote.length();
            if left == 0 {
                break;
            }
        }
        next
    }

    /// The body whose length nobody told has come to its end: so long is the file.
    pub fn ended(&mut self) {
        if let Some(known) = &mut self.known {
            known.size = self.have;
            self.pieces.clear();
        }
    }

    /// Takes note that `bytes` more are there.
    pub fn received(&mut self, bytes: u64) {
        self.have = self.have.saturating_add(bytes);
    }

    /// Judges the answer to `ask`, which came from [`Download::next`].
    ///
    /// # Errors
    /// `BG_E_MISSING_FILE_SIZE` without Content-Length; `BG_E_INSUFFICIENT_RANGE_SUPPORT` for a
    /// range that is answered by the whole file or without Content-Range;
    /// `BG_E_INSUFFICIENT_HTTP_SUPPORT` in place of both when the server speaks HTTP/1.0;
    /// `BG_E_INVALID_SERVER_RESPONSE` for an answer that contradicts the request or an earlier
    /// answer; `BG_E_REMOTE_FILE_CHANGED` when the file never stays the same;
    /// `BG_E_HTTP_ERROR_nnn` for any other status.
    pub fn judge(&mut self, ask: &Ask, answer: &Answer<'_>) -> Result<Verdict, Failure> {
        if answer.status.is_success() && is_coded(answer.headers) && self.decisions.is_other(Switch::ContentCoding) {
            return Err(fatal(Hresult::BG_E_INVALID_SERVER_RESPONSE));
        }
        match (ask, answer.status.as_u16()) {
            (Ask::Size | Ask::FirstByte, 200) => self.learn(answer),
            (Ask::Size, 403 | 405 | 501) if self.decisions.is_other(Switch::HeadRefused) => {
                self.without_head = true;
                Ok(Verdict::AskOtherwise)
            }
            (Ask::FirstByte, 206 | 416) => self.learn_from_range(answer),
            (Ask::Whole, 200) if self.dynamic => self.take_as_it_comes(answer),
            (Ask::Whole, 200) => {
                let length = body_length(answer)?;
                self.accept(Some(length), length, answer)
            }
            (Ask::Range { first, last, .. }, 206) => self.judge_range(*first, *last, answer),
            (Ask::Ranges { spans, .. }, 206) => self.judge_ranges(spans, answer),
            (Ask::Range { .. } | Ask::Ranges { .. }, 200) if self.begin == Begin::Elsewhere && !self.fresh => {
                self.start_over()
            }
            (Ask::Range { first: 0, last, .. }, 200) if self.may_be_whole(*last) => {
                let length = body_length(answer)?;
                self.accept(Some(length), length, answer)
            }
            (Ask::Range { .. } | Ask::Ranges { .. }, 200) => {
                Err(unsupported(answer, Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT))
            }
            (Ask::Range { unmodified_since: Some(_), .. } | Ask::Ranges { unmodified_since: Some(_), .. }, 412)
                if !self.decisions.is_other(Switch::Answer412) =>
            {
                self.start_over()
            }
            (Ask::Range { .. } | Ask::Ranges { .. }, 416) if self.is_other_size(answer) => self.start_over(),
            (Ask::Size | Ask::Whole, 206) => Err(fatal(Hresult::BG_E_INVALID_SERVER_RESPONSE)),
            _ => Err(status_failure(answer.status)),
        }
    }

    /// Whether 200 will do for a range from the beginning to `last`: where it is the whole file.
    fn may_be_whole(&self, last: u64) -> bool {
        self.known.is_some_and(|known| last.checked_add(1) == Some(known.size))
            && self.decisions.is_other(Switch::WholeForRange)
    }

    fn learn(&mut self, answer: &Answer<'_>) -> Result<Verdict, Failure> {
        let size = body_length(answer)?;
        self.know(Validators { size, last_modified: last_modified(answer.headers) })?;
        Ok(Verdict::Learned)
    }

    /// Learns from an answer to a range what HEAD has not told; an empty file has no first byte.
    fn learn_from_range(&mut self, answer: &Answer<'_>) -> Result<Verdict, Failure> {
        let size = match (answer.status.as_u16(), content_range(answer.headers)) {
            (206, Some(ContentRange { bytes: Some((0, 0)), size })) => {
                size.ok_or(unsupported(answer, Hresult::BG_E_MISSING_FILE_SIZE))?
            }
            (416, Some(ContentRange { size: Some(0), .. })) => 0,
            (206, _) => return Err(unsupported(answer, Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT)),
            _ => return Err(status_failure(answer.status)),
        };
        self.know(Validators { size, last_modified: last_modified(answer.headers) })?;
        Ok(Verdict::Learned)
    }

    /// Takes down what the file is, if it can be fetched as asked.
    fn know(&mut self, validators: Validators) -> Result<(), Failure> {
        let pieces = self.layout.pieces(validators.size)?;
        self.check_limit(&pieces)?;
        (self.known, self.fresh, self.pieces) = (Some(validators), true, pieces);
        Ok(())
    }

    fn check_limit(&self, pieces: &[Piece]) -> Result<(), Failure> {
        if self.limit.is_some_and(|limit| layout::length(pieces) > limit) { Err(TOO_LARGE) } else { Ok(()) }
    }

    /// Accepts dynamic content: every body is the whole of a new file.
    fn take_as_it_comes(&mut self, answer: &Answer<'_>) -> Result<Verdict, Failure> {
        let last_modified = last_modified(answer.headers);
        self.have = 0;
        match length(answer.headers) {
            Length::Known(size) => {
                self.know(Validators { size, last_modified })?;
                self.accept(Some(size), size, answer)
            }
            Length::Missing => {
                self.known = Some(Validators { size: SIZE_UNKNOWN, last_modified });
                (self.fresh, self.pieces) = (true, vec![Piece { remote: Span::new(0, SIZE_UNKNOWN), local: 0 }]);
                Ok(Verdict::Unbounded(self.limit))
            }
            Length::Malformed | Length::Ambiguous => Err(fatal(Hresult::BG_E_INVALID_SERVER_RESPONSE)),
        }
    }

    fn judge_range(&mut self, first: u64, last: u64, answer: &Answer<'_>) -> Result<Verdict, Failure> {
        let Some(ContentRange { bytes, size }) = content_range(answer.headers) else {
            return Err(unsupported(answer, Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT));
        };
        let length = body_length(answer)?;
        let verdict = self.accept(size, length, answer)?;
        // A file that has changed may well have another range; only the same file must have ours.
        if verdict != Verdict::StartOver && (bytes != Some((first, last)) || length != last - first + 1) {
            return Err(fatal(Hresult::BG_E_INVALID_SERVER_RESPONSE));
        }
        Ok(verdict)
    }

    /// Judges the answer to a request for several ranges: a body of several parts, or a server that
    /// gives one range at a time.
    fn judge_ranges(&mut self, spans: &[Span], answer: &Answer<'_>) -> Result<Verdict, Failure> {
        let content_type = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let Some(known) = self.known.filter(|_| Multipart::is_type(content_type)) else {
            let Some(first) = spans.first() else { return Err(fatal(Hresult::BG_E_INVALID_SERVER_RESPONSE)) };
            return self.judge_range(first.start, first.end - 1, answer);
        };
        let reader = Multipart::of_type(content_type).ok_or(fatal(Hresult::BG_E_INVALID_SERVER_RESPONSE))?;
        let parts = Parts::new(reader, self.next_pieces(), known.size);
        Ok(match self.accept(None, body_length(answer)?, answer)? {
            Verdict::Body(_) => Verdict::Parts(parts),
            verdict => verdict,
        })
    }

    /// A part of an answer tells of another size than the one that is known: the file starts over.
    ///
    /// # Errors
    /// `BG_E_INVALID_SERVER_RESPONSE` when that was learned in this attempt;
    /// `BG_E_REMOTE_FILE_CHANGED` when the file never stays the same.
    pub fn has_other_size(&mut self) -> Result<(), Failure> {
        self.other_size().map(drop)
    }

    fn other_size(&mut self) -> Result<Verdict, Failure> {
        if self.fresh { Err(fatal(Hresult::BG_E_INVALID_SERVER_RESPONSE)) } else { self.start_over() }
    }

    /// Takes a body of `length` bytes if the file is still the one that is known.
    fn accept(&mut self, size: Option<u64>, length: u64, answer: &Answer<'_>) -> Result<Verdict, Failure> {
        // A body is asked for only after the file has become known.
        let Some(known) = &mut self.known else { return Err(fatal(Hresult::BG_E_INVALID_SERVER_RESPONSE)) };
        let stamp = last_modified(answer.headers);
        if differ(stamp, known.last_modified) {
            return self.start_over();
        }
        if differ(size, Some(known.size)) {
            return self.other_size();
        }
        known.last_modified = known.last_modified.or(stamp);
        self.check_limit(&self.pieces)?;
        Ok(Verdict::Body(length))
    }

    /// Whether a refused range names a size that is not the one we know.
    fn is_other_size(&self, answer: &Answer<'_>) -> bool {
        let size = content_range(answer.headers).and_then(|range| range.size);
        !self.fresh && differ(size, self.known.map(|known| known.size))
    }

    fn start_over(&mut self) -> Result<Verdict, Failure> {
        if self.start_overs == Self::MAX_START_OVERS {
            return Err(transient(Hresult::BG_E_REMOTE_FILE_CHANGED));
        }
        self.start_overs += 1;
        (self.known, self.fresh, self.have) = (None, false, 0);
        self.pieces.clear();
        Ok(Verdict::StartOver)
    }
}

/// More than the job may download (a decision, `job5.max_download_size.exceeded`).
pub const TOO_LARGE: Failure = fatal(Hresult::BG_E_MAX_DOWNLOAD_SIZE_LIMIT_REACHED);

/// The length of the body, or of the file in an answer to HEAD.
fn body_length(answer: &Answer<'_>) -> Result<u64, Failure> {
    match length(answer.headers) {
        Length::Known(length) => Ok(length),
        Length::Missing => Err(unsupported(answer, Hresult::BG_E_MISSING_FILE_SIZE)),
        Length::Malformed => Err(Fault::InvalidResponse.failure()),
        Length::Ambiguous => Err(fatal(Hresult::BG_E_INVALID_SERVER_RESPONSE)),
    }
}

/// What BITS needs is missing: over HTTP/1.0 it is the version that is to blame (clauses
/// `http.version`, `http.version10`).
fn unsupported(answer: &Answer<'_>, code: Hresult) -> Failure {
    fatal(if answer.version < Version::HTTP_11 { Hresult::BG_E_INSUFFICIENT_HTTP_SUPPORT } else { code })
}

/// Whether both are there and not the same.
fn differ<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
