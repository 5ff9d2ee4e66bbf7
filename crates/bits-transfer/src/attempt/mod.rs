//! One attempt, from its first look at the temporary file to its end.

mod ask;
mod copy;
mod paced;
mod parts;
mod passport;
mod receive;
mod record;
mod share;

use std::sync::Arc;

use bits_api::{ErrorContext, Hresult};
use bits_wire::attempt::{AttemptEnd, AttemptPlan, Begin, Failure, Validators, Work};
use bits_wire::download::{Answer, Download, Next, Parts, Verdict};
use bits_wire::layout::Layout;
use tokio::sync::watch;

use crate::link::{Link, Network};
use crate::mover::{Control, Signals};
use crate::partial::Partial;
use ask::Line;
use passport::Visitor;
use receive::{Expected, Received};

/// What becomes of an upload, which this mover does not speak.
const NO_UPLOADS: Failure =
    Failure { code: Hresult::E_NOTIMPL, context: ErrorContext::GENERAL_TRANSPORT, transient: false };

/// What an attempt leaves to the next one of its chain.
#[derive(Default)]
pub(crate) struct Left {
    /// Its connection, while that is of use.
    link: Option<Link>,
    /// What it knows of Passport, if it has met it.
    visitor: Option<Box<Visitor>>,
}

impl Left {
    /// The connection, if that is what there is.
    pub(crate) fn into_link(self) -> Option<Link> {
        self.link
    }

    /// Whether there is anything.
    pub(crate) fn is_of_use(&self) -> bool {
        self.link.is_some() || self.visitor.is_some()
    }
}

/// Carries an attempt out; returns its end, and what it leaves to the next one. `left` is what an
/// earlier one has left.
pub(crate) async fn carry_out(
    network: &Network,
    plan: AttemptPlan,
    control: &Control,
    left: Left,
) -> (AttemptEnd, Left) {
    if !matches!(plan.work, Work::Download | Work::Reply { .. }) {
        return (AttemptEnd::Failed(NO_UPLOADS), Left::default());
    }
    if let Some(source) = plan.fetch.source.clone() {
        // On the heap: most attempts are none, and pay for no room.
        return (Box::pin(copy::copy(network, plan, source, control)).await, Left::default());
    }
    match Line::new(network, &plan, control, left) {
        Ok(line) => Attempt::new(plan, line).run().await,
        Err(failure) => (AttemptEnd::Failed(failure), Left::default()),
    }
}

struct Attempt<'a> {
    plan: AttemptPlan,
    line: Line<'a>,
    signals: watch::Receiver<Signals>,
    partial: Partial,
    /// What is on record of the remote file through this attempt, and how often it was put there.
    recorded: Option<Validators>,
    recordings: u32,
    /// How much of what is to be fetched is there, and how much of that was reported.
    have: u64,
    reported: u64,
    /// How much of it no later byte of the answer can put in doubt.
    sound: u64,
}

impl<'a> Attempt<'a> {
    fn new(plan: AttemptPlan, line: Line<'a>) -> Self {
        let partial = Partial::new(plan.local.clone(), Arc::clone(&line.control.gate), line.network.storage.clone());
        let signals = line.control.signals.subscribe();
        Self { plan, line, signals, partial, recorded: None, recordings: 0, have: 0, reported: 0, sound: 0 }
    }

    async fn run(mut self) -> (AttemptEnd, Left) {
        let mut signals = self.signals.clone();
        let end = tokio::select! {
            biased;
            // First, so that what was due before the order to stop is there: bytes that a limit has let
            // pass by now.
            result = self.transfer() => result.unwrap_or_else(AttemptEnd::Failed),
            _ = signals.wait_for(|signals| signals.stop) => AttemptEnd::Stopped,
        };
        tracing::debug!(attempt = self.plan.attempt.0, ?end, have = self.have, "attempt ends");
        self.report_progress();
        // In any other case it may be in the middle of an answer.
        let link = self.line.link.filter(|link| end == AttemptEnd::Done && link.is_open());
        (end, Left { link, visitor: self.line.visitor.if_of_use() })
    }

    async fn transfer(&mut self) -> Result<AttemptEnd, Failure> {
        let plan = &self.plan;
        let length = self.partial.measure(plan.known.is_some() || plan.fetch.direct)?;
        if let Layout::Scattered { held, .. } = &plan.fetch.layout
            && plan.fetch.begin != Begin::Anew
            && length < held.end()
        {
            // Some of what should be there is not.
            return Ok(AttemptEnd::Changed);
        }
        let mut download = Download::new(plan, length).by(&self.line.network.decisions);
        self.have = download.have();
        loop {
            download.set_speed(self.line.control.pace.limit());
            let Next::Ask(ask) = download.next() else { break };
            let (head, body) = self.line.ask(&ask).await?;
            let answer = Answer { version: head.version, status: head.status, headers: &head.headers };
            match download.judge(&ask, &answer)? {
                Verdict::StartOver if !self.plan.fetch.layout.is_sequential() => return Ok(AttemptEnd::Changed),
                Verdict::Learned | Verdict::StartOver | Verdict::AskOtherwise => self.line.skip(body).await,
                Verdict::Body(length) => {
                    self.record(&download).await?;
                    self.partial.go_to(download.position());
                    self.receive(body, Expected::Exactly(length)).await?;
                    download.received(length);
                }
                Verdict::Parts(parts) => {
                    self.record(&download).await?;
                    self.sound = self.have;
                    let received = self.receive(body, Expected::Parts(parts)).await;
                    if received == Err(Parts::CUT_OFF) && self.have > self.sound {
                        return self.take_back(download).await;
                    }
                    match received? {
                        Received::All => download.received(self.have - download.have()),
                        Received::OtherSize => download.has_other_size()?,
                    }
                    if download.known().is_none() && !self.plan.fetch.layout.is_sequential() {
                        return Ok(AttemptEnd::Changed);
                    }
                }
                Verdict::Unbounded(limit) => {
                    self.record(&download).await?;
                    self.receive(body, Expected::AtMost(limit.unwrap_or(u64::MAX))).await?;
                    download.received(self.have);
                    download.ended();
                }
            }
        }
        if download.known() != self.recorded.or(self.plan.known) {
            // An empty file: nothing came that would have put it on record. Or one whose size only
            // its end has told.
            self.record(&download).await?;
        }
        self.partial.finish()?;
        Ok(AttemptEnd::Done)
    }
}
