//! Downloads played to a server: the requests that BITS makes, one after the other, by the same
//! rules, but with little of each body.

use std::path::PathBuf;
use std::sync::Arc;

use bits_api::FileRange;
use bits_transfer::{Inquirer, Reply, Rest};
use bits_wire::attempt::{
    AttemptId, AttemptPlan, ChainId, Failure, Fetch, Identities, Urgency, Validators, Vetting, Work,
};
use bits_wire::certificates::Certificates;
use bits_wire::download::{
    Answer, Arrival, Ask, Download, Fault, Next, Parts, RANGE_LIMIT, RedirectPolicy, Redirects, Request, TOO_LARGE,
    Target, Verdict, decided,
};
use bits_wire::layout::Layout;
use bits_wire::proxy::Proxying;
use bits_wire::redacted;
use bits_world::{Decisions, Sid};
use http::HeaderValue;
use http::header::LOCATION;

/// So much is read of a body.
const MOST_BODY: usize = 256 * 1024;

/// A download that is played.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Part {
    /// A foreground job, from its first request.
    Foreground,
    /// A background job, from its first request.
    Background,
    /// A job with half of the file there; a foreground job if such a one came so far. What can be gone
    /// on with is asked for by both alike.
    AfterBreak,
    /// A job with the first and the last byte of the file.
    Ranges,
    /// A foreground job with dynamic content.
    Dynamic,
    /// A foreground job that lets redirects lead from HTTPS to HTTP.
    ToPlain,
}

impl Part {
    /// Whether it is one that every server should serve; the others are of clients that ask for it.
    pub(crate) fn counts(self) -> bool {
        matches!(self, Self::Foreground | Self::Background | Self::AfterBreak)
    }

    /// What it is called in reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Foreground => "foreground",
            Self::Background => "background",
            Self::AfterBreak => "after a break",
            Self::Ranges => "several ranges",
            Self::Dynamic => "dynamic content",
            Self::ToPlain => "HTTPS to HTTP",
        }
    }
}

/// One request, and what came back.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) target: Target,
    pub(crate) ask: Ask,
    pub(crate) request: Request,
    pub(crate) reply: Result<Reply, Fault>,
}

impl Exchange {
    /// The URL that was asked for, without credentials.
    pub(crate) fn url(&self) -> String {
        self.target.to_string()
    }

    /// The value of a header of the answer as it may be shown: with what is not text replaced, and
    /// without the credentials that a URL may have.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let value = self.reply.as_ref().ok()?.headers.get(name)?;
        let value = String::from_utf8_lossy(value.as_bytes());
        Some(if name == "location" { redacted(&value).into_owned() } else { value.into_owned() })
    }

    /// The status of the answer, where there is one.
    pub(crate) fn status(&self) -> Option<u16> {
        self.reply.as_ref().ok().map(|reply| reply.status.as_u16())
    }

    /// Whether the answer leads elsewhere.
    pub(crate) fn is_redirect(&self) -> bool {
        matches!(self.status(), Some(300..=303 | 307 | 308))
    }

    /// What was asked for, in words.
    pub(crate) fn question(&self) -> String {
        match self.request.headers.get("range").and_then(|range| range.to_str().ok()) {
            Some(range) => format!("{} with {range}", self.request.method),
            None => self.request.method.to_string(),
        }
    }
}

/// How a download went.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    pub(crate) part: Part,
    pub(crate) exchanges: Vec<Exchange>,
    /// What is known of the file at the end; why the job fails, where it does.
    pub(crate) end: Result<Option<Validators>, Failure>,
    /// Whether something of the file that was there could be gone on with.
    pub(crate) goes_on: bool,
    /// How often the file was taken for another one.
    pub(crate) start_overs: u32,
}

/// Who asks, and how.
pub(crate) struct Player<'a> {
    pub(crate) inquirer: &'a mut Inquirer,
    pub(crate) library: &'a str,
    pub(crate) decisions: &'a Decisions,
    pub(crate) url: &'a str,
}

impl Player<'_> {
    /// Plays a download from its first request.
    pub(crate) fn begin(&mut self, part: Part) -> Play {
        self.play(part, urgency(part), Layout::Whole, None)
    }

    /// Plays a download of which half is there, after `broken`.
    pub(crate) fn go_on(&mut self, broken: Part, known: Validators) -> Play {
        self.play(Part::AfterBreak, urgency(broken), Layout::Whole, Some(known))
    }

    /// Plays the download of the first and the last byte of a file that has `size`.
    pub(crate) fn ranges(&mut self, size: u64) -> Play {
        let byte = |initial_offset| FileRange { initial_offset, length: 1 };
        self.play(Part::Ranges, urgency(Part::Ranges), Layout::Parts(vec![byte(0), byte(size - 1)]), None)
    }

    fn play(&mut self, part: Part, urgency: Urgency, layout: Layout, known: Option<Validators>) -> Play {
        self.inquirer.hang_up();
        let plan = self.plan(part, urgency, layout, known);
        let mut download = Download::new(&plan, known.map_or(0, |known| known.size / 2)).by(self.decisions);
        let goes_on = download.have() > 0;
        let mut game = Play { part, exchanges: Vec::new(), end: Ok(None), goes_on, start_overs: 0 };
        let end = self.course(&mut download, &plan, &mut game);
        game.end = end.map(|()| download.known()).map_err(|failure| decided(failure, self.decisions));
        game
    }

    fn plan(&self, part: Part, urgency: Urgency, layout: Layout, known: Option<Validators>) -> AttemptPlan {
        let redirects = RedirectPolicy { to_plain: part == Part::ToPlain, ..RedirectPolicy::default() };
        let nobody = Sid::of_account(0);
        AttemptPlan {
            attempt: AttemptId(0),
            chain: ChainId(0),
            work: Work::Download,
            url: self.url.to_owned(),
            vetting: Vetting::Unwanted,
            local: PathBuf::new(),
            identities: Identities { local: nobody.clone(), network: nobody },
            fetch: Fetch { layout, redirects, dynamic: part == Part::Dynamic, ..Fetch::default() },
            urgency,
            proxying: Proxying::default(),
            logins: Arc::default(),
            certificates: Certificates::default(),
            limit: None,
            custom_headers: None,
            known,
        }
    }

    fn course(&mut self, download: &mut Download, plan: &AttemptPlan, game: &mut Play) -> Result<(), Failure> {
        let mut redirects = Redirects::new(Target::parse(&plan.url)?, plan.fetch.redirects).by(self.decisions);
        let mut bodies = 0;
        while let Next::Ask(ask) = download.next() {
            let reply = self.ask(&ask, &mut redirects, game)?;
            let answer = Answer { version: reply.version, status: reply.status, headers: &reply.headers };
            match download.judge(&ask, &answer)? {
                Verdict::Learned | Verdict::AskOtherwise => {}
                Verdict::StartOver => game.start_overs += 1,
                Verdict::Body(length) => {
                    check_body(&reply, length)?;
                    bodies += 1;
                    download.received(length.max(if bodies < 2 { 0 } else { all_but_the_last_range(download) }));
                }
                Verdict::Parts(mut parts) => {
                    if let Some(bytes) = read_parts(&mut parts, &reply)? {
                        download.received(bytes);
                    } else {
                        download.has_other_size()?;
                        game.start_overs += 1;
                    }
                }
                Verdict::Unbounded(limit) => {
                    if limit.is_some_and(|limit| reply.body.len() as u64 > limit) {
                        return Err(TOO_LARGE);
                    }
                    if let Rest::Broken(fault) = reply.rest {
                        return Err(fault.failure());
                    }
                    download.received(reply.body.len() as u64);
                    download.ended();
                }
            }
        }
        Ok(())
    }

    /// Asks, and follows where the server sends us, until there is an answer to be judged.
    fn ask(&mut self, ask: &Ask, redirects: &mut Redirects, game: &mut Play) -> Result<Reply, Failure> {
        loop {
            let target = redirects.target().clone();
            let request = Request::new(ask, &target, self.library);
            let method = request.method.to_string();
            let reply = self.inquirer.ask(&target, &request, MOST_BODY);
            game.exchanges.push(Exchange { target, ask: ask.clone(), request, reply: reply.clone() });
            let reply = reply.map_err(Fault::failure)?;
            let location = reply.headers.get(LOCATION).map(HeaderValue::as_bytes);
            if !redirects.follow(&method, reply.status.as_u16(), location)? {
                return Ok(reply);
            }
        }
    }
}

fn urgency(part: Part) -> Urgency {
    match part {
        Part::Foreground | Part::Dynamic | Part::ToPlain => Urgency::Foreground,
        Part::Background | Part::AfterBreak | Part::Ranges => Urgency::Background,
    }
}

/// Files from 4 GB on come in more than two ranges: what lies in between is not asked for.
fn all_but_the_last_range(download: &Download) -> u64 {
    let size = download.known().map_or(0, |known| known.size);
    size.saturating_sub(download.have()).saturating_sub(RANGE_LIMIT)
}

/// How many bytes of the file a body in several parts holds; `None` when the file has another size
/// than before.
fn read_parts(parts: &mut Parts, reply: &Reply) -> Result<Option<u64>, Failure> {
    let (mut data, mut bytes) = (&reply.body[..], 0);
    while let Some(arrival) = parts.next(&mut data)? {
        match arrival {
            Arrival::Place(_) => {}
            Arrival::Data(data) => bytes += data.len() as u64,
            Arrival::OtherSize => return Ok(None),
            Arrival::End => return Ok(Some(bytes)),
        }
    }
    Err(match reply.rest {
        Rest::Broken(fault) => fault.failure(),
        _ => Fault::ConnectionEnded.failure(),
    })
}

/// Whether what was read of a body can be the beginning of one of `length` bytes.
fn check_body(reply: &Reply, length: u64) -> Result<(), Failure> {
    let read = reply.body.len() as u64;
    match reply.rest {
        _ if read > length => Err(Fault::InvalidResponse.failure()),
        Rest::Broken(fault) if read < length => Err(fault.failure()),
        Rest::Nothing if read < length => Err(Fault::ConnectionEnded.failure()),
        _ => Ok(()),
    }
}
