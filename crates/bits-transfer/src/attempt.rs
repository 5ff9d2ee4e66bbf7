//! One attempt, from its first look at the temporary file to its end.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bits_api::{ErrorContext, Hresult};
use bits_wire::attempt::{AttemptEnd, AttemptPlan, AttemptReport, Begin, Failure, Validators, Work};
use bits_wire::custom_headers;
use bits_wire::download::{Answer, Ask, Download, Fault, Next, Redirects, Request, TOO_LARGE, Target, Verdict};
use bits_wire::layout::Layout;
use bits_world::clock::Clock;
use bytes::Bytes;
use http::{HeaderMap, Response};
use hyper::body::Incoming;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::link::{Link, Network};
use crate::mover::{Control, Signals, Standing};
use crate::partial::Partial;
use crate::watchdog::within;

/// So much is written between two reports of progress, while it comes without a pause.
const REPORT_EVERY: u64 = 1024 * 1024;
/// So long bytes may go unreported, on the machine's clock.
const REPORT_WITHIN: Duration = Duration::from_millis(250);

/// What becomes of an upload, which this mover does not speak.
const NO_UPLOADS: Failure =
    Failure { code: Hresult::E_NOTIMPL, context: ErrorContext::GENERAL_TRANSPORT, transient: false };

pub(crate) struct Attempt<'a> {
    network: &'a Network,
    plan: AttemptPlan,
    control: &'a Control,
    signals: watch::Receiver<Signals>,
    /// What every request carries beside BITS' own headers.
    custom: HeaderMap,
    /// The connection of the chain, while it can be asked again.
    link: Option<Link>,
    partial: Partial,
    /// What is on record of the remote file through this attempt, and how often it was put there.
    recorded: Option<Validators>,
    recordings: u32,
    /// How much of what is to be fetched is there, and how much of that was reported.
    have: u64,
    reported: u64,
}

/// What happens while a body comes in.
enum Arrival {
    Data(Bytes),
    End,
    Fault(Fault),
    /// It is time to report.
    Pause,
}

/// How long a body may be.
#[derive(Clone, Copy)]
enum Expected {
    Exactly(u64),
    /// Its end is the file's.
    AtMost(u64),
}

impl Expected {
    /// The failure when more comes.
    fn excess(self) -> Failure {
        match self {
            Self::Exactly(_) => Fault::InvalidResponse.failure(),
            Self::AtMost(_) => TOO_LARGE,
        }
    }
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(network: &'a Network, plan: AttemptPlan, control: &'a Control, link: Option<Link>) -> Self {
        let partial = Partial::new(plan.local.clone(), Arc::clone(&control.gate));
        let signals = control.signals.subscribe();
        // The engine takes no others.
        let custom = plan.custom_headers.as_ref().and_then(|text| custom_headers(text.expose())).unwrap_or_default();
        Self {
            network,
            plan,
            control,
            signals,
            custom,
            link,
            partial,
            recorded: None,
            recordings: 0,
            have: 0,
            reported: 0,
        }
    }

    /// Carries the attempt out; returns its end, and its connection while that is of use.
    pub(crate) async fn run(mut self) -> (AttemptEnd, Option<Link>) {
        let mut signals = self.signals.clone();
        let end = tokio::select! {
            biased;
            _ = signals.wait_for(|signals| signals.stop) => AttemptEnd::Stopped,
            result = self.transfer() => match result {
                Ok(end) => end,
                Err(failure) => AttemptEnd::Failed(failure),
            },
        };
        tracing::debug!(attempt = self.plan.attempt.0, ?end, have = self.have, "attempt ends");
        self.report_progress();
        // In any other case it may be in the middle of an answer.
        let link = self.link.take().filter(|link| end == AttemptEnd::Done && link.is_open());
        (end, link)
    }

    async fn transfer(&mut self) -> Result<AttemptEnd, Failure> {
        if !matches!(self.plan.work, Work::Download | Work::Reply { .. }) {
            return Err(NO_UPLOADS);
        }
        let plan = &self.plan;
        let length = self.partial.measure(plan.known.is_some() || plan.fetch.direct)?;
        if let Layout::Scattered { held, .. } = &plan.fetch.layout
            && plan.fetch.begin != Begin::Anew
            && length < held.end()
        {
            // Some of what should be there is not.
            return Ok(AttemptEnd::Changed);
        }
        let mut download = Download::new(plan, length).by(&self.network.decisions);
        self.have = download.have();
        let mut redirects = Redirects::new(Target::parse(&plan.url)?).by(&self.network.decisions);
        while let Next::Ask(ask) = download.next() {
            let (head, body) = self.ask(&ask, redirects.target()).await.map_err(Fault::failure)?.into_parts();
            let answer = Answer { version: head.version, status: head.status, headers: &head.headers };
            self.control.report(AttemptReport::Answered(answer.as_text()));
            if redirects.follow(&answer)? {
                self.skip(body).await;
                continue;
            }
            match download.judge(&ask, &answer)? {
                Verdict::StartOver if !self.plan.fetch.layout.is_sequential() => return Ok(AttemptEnd::Changed),
                Verdict::Learned | Verdict::StartOver => self.skip(body).await,
                Verdict::Body(length) => {
                    self.record(&download).await?;
                    self.partial.go_to(download.position());
                    self.receive(body, Expected::Exactly(length)).await?;
                    download.received(length);
                }
                Verdict::Unbounded(limit) => {
                    self.record(&download).await?;
                    self.receive(body, Expected::AtMost(limit.unwrap_or(u64::MAX))).await?;
                    download.received(self.have);
                    download.ended();
                }
            }
        }
        if download.known() != self.plan.known {
            // An empty file: nothing came that would have put it on record. Or one whose size only
            // its end has told.
            self.record(&download).await?;
        }
        self.partial.finish()?;
        Ok(AttemptEnd::Done)
    }

    /// Sends a request and waits for the head of its answer. A connection that the server has
    /// closed since its last answer is replaced once.
    async fn ask(&mut self, ask: &Ask, target: &Target) -> Result<Response<Incoming>, Fault> {
        let network = self.network;
        let request =
            Request::new(ask, target, &network.library).by(self.plan.fetch.method.as_deref()).with_custom(&self.custom);
        let mut used = self.link.take_if(|link| link.is_open() && link.origin() == target.origin());
        self.link = None;
        loop {
            let reused = used.is_some();
            let mut link = if let Some(link) = used.take() {
                link
            } else {
                self.control.stand(Standing::Connecting);
                within(&network.clock, network.stall, Link::open(network, target.origin())).await?
            };
            self.control.stand(Standing::Talking(Arc::clone(link.meter())));
            let answered = within(&network.clock, network.stall, async { Ok(link.ask(&request).await) }).await?;
            match answered {
                Ok(response) => {
                    tracing::debug!(attempt = self.plan.attempt.0, ?ask, status = %response.status(), "answer");
                    self.link = Some(link);
                    return Ok(response);
                }
                Err(none) if reused && none.silent => {}
                Err(none) => return Err(none.fault),
            }
        }
    }

    /// Reads a body that is not part of the file, so that the connection can be asked again.
    async fn skip(&mut self, body: Incoming) {
        let Some(link) = &mut self.link else { return };
        let drained = within(&self.network.clock, self.network.stall, async { Ok(link.drain(body).await) }).await;
        if drained != Ok(true) {
            self.link = None;
        }
    }

    /// Lets what is known of the remote file go on record, unless it is there; what the temporary
    /// file holds of another one is thrown away before.
    async fn record(&mut self, download: &Download) -> Result<(), Failure> {
        let Some(validators) = download.known().filter(|known| self.recorded != Some(*known)) else { return Ok(()) };
        let have = download.have();
        match self.plan.fetch.layout {
            Layout::Scattered { .. } if self.plan.fetch.begin != Begin::Anew || self.recorded.is_some() => {}
            _ => self.partial.truncate(have)?,
        }
        self.control.stand(Standing::AwaitingRecord);
        self.control.report(AttemptReport::Connected { validators, have });
        (self.recorded, self.have, self.reported) = (Some(validators), have, have);
        self.recordings += 1;
        let recordings = self.recordings;
        if self.signals.wait_for(|signals| signals.proceeds >= recordings).await.is_err() {
            // The sender lives in the control that this attempt borrows.
            return Err(Fault::ConnectionEnded.failure());
        }
        if let Some(link) = &self.link {
            link.meter().pulse.beat(&self.network.clock);
            self.control.stand(Standing::Talking(Arc::clone(link.meter())));
        }
        Ok(())
    }

    /// Writes a body to where the temporary file stands.
    async fn receive(&mut self, mut body: Incoming, expected: Expected) -> Result<(), Failure> {
        let Some(mut link) = self.link.take() else { return Err(Fault::ConnectionEnded.failure()) };
        let network = self.network;
        let meter = Arc::clone(link.meter());
        let mut silence = pin!(meter.pulse.lost(&network.clock, network.stall));
        let mut pauses = Pauses::new(&network.clock);
        let (Expected::Exactly(mut missing) | Expected::AtMost(mut missing)) = expected;
        while missing > 0 || matches!(expected, Expected::AtMost(_)) {
            let unreported = self.unreported();
            let arrival = std::future::poll_fn(|cx| {
                match link.poll_body(cx, &mut body) {
                    Poll::Ready(Some(Ok(data))) => return Poll::Ready(Arrival::Data(data)),
                    Poll::Ready(Some(Err(fault))) => return Poll::Ready(Arrival::Fault(fault)),
                    Poll::Ready(None) => return Poll::Ready(Arrival::End),
                    Poll::Pending => {}
                }
                if unreported > 0 && pauses.poll_due(cx).is_ready() {
                    return Poll::Ready(Arrival::Pause);
                }
                silence.as_mut().poll(cx).map(|()| Arrival::Fault(Fault::Timeout))
            })
            .await;
            match arrival {
                Arrival::Data(data) => {
                    missing = missing.checked_sub(data.len() as u64).ok_or(expected.excess())?;
                    self.partial.append(&data)?;
                    self.have += data.len() as u64;
                    if self.unreported() >= REPORT_EVERY {
                        self.report_progress();
                    }
                    self.yield_to_stop().await;
                }
                Arrival::Pause => self.report_progress(),
                Arrival::End if matches!(expected, Expected::AtMost(_)) => break,
                Arrival::End => return Err(Fault::ConnectionEnded.failure()),
                Arrival::Fault(fault) => return Err(fault.failure()),
            }
        }
        self.link = link.drain(body).await.then_some(link);
        Ok(())
    }

    /// Never returns once a stop was asked for: whoever waits for that beside us ends the attempt.
    async fn yield_to_stop(&self) {
        if self.signals.borrow().stop {
            std::future::pending::<()>().await;
        }
    }

    fn unreported(&self) -> u64 {
        self.have.saturating_sub(self.reported)
    }

    fn report_progress(&mut self) {
        if self.recorded.is_some() && self.unreported() > 0 {
            self.reported = self.have;
            self.control.report(AttemptReport::Progress { have: self.reported });
        }
    }
}

/// When a pause in what comes in is long enough to report.
///
/// On a virtual clock every pause is: a test looks at a job that stands still, to the byte.
enum Pauses {
    Each,
    Every(tokio::time::Interval),
}

impl Pauses {
    fn new(clock: &Clock) -> Self {
        match clock {
            Clock::Virtual(_) => Self::Each,
            Clock::System(_) => {
                let first = tokio::time::Instant::now() + REPORT_WITHIN;
                let mut ticks = tokio::time::interval_at(first, REPORT_WITHIN);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                Self::Every(ticks)
            }
        }
    }

    fn poll_due(&mut self, cx: &mut std::task::Context<'_>) -> Poll<()> {
        match self {
            Self::Each => Poll::Ready(()),
            Self::Every(ticks) => ticks.poll_tick(cx).map(|_| ()),
        }
    }
}
