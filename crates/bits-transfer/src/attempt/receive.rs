//! A body comes in: written as it comes, reported now and then, given up when it stays away.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bits_wire::attempt::Failure;
use bits_wire::download::{Fault, Parts, TOO_LARGE};
use bits_world::clock::Clock;
use bytes::Bytes;
use hyper::body::Incoming;
use tokio::time::MissedTickBehavior;

use super::Attempt;
use super::parts::Course;
use super::share::Share;

/// So much is written between two reports of progress, while it comes without a pause.
const REPORT_EVERY: u64 = 1024 * 1024;
/// So long bytes may go unreported, on the machine's clock.
const REPORT_WITHIN: Duration = Duration::from_millis(250);

/// What happens while a body comes in.
enum Arrival {
    Data(Bytes),
    End,
    Fault(Fault),
    /// It is time to report.
    Pause,
}

/// What a body has to be.
pub(super) enum Expected {
    /// So many bytes more.
    Exactly(u64),
    /// Its end is the file's, so many bytes from here at the latest.
    AtMost(u64),
    /// What is still to come of several parts.
    Parts(Parts),
}

/// How a body ended that was not at fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Received {
    /// It is there.
    All,
    /// It tells of a file of another size than the one that is known.
    OtherSize,
}

impl Expected {
    /// Whether that was all.
    fn is_over(&self) -> bool {
        matches!(self, Self::Exactly(0))
    }

    /// What it means that no more comes.
    fn end(&self) -> Result<(), Failure> {
        match self {
            Self::AtMost(_) => Ok(()),
            Self::Exactly(_) => Err(Fault::ConnectionEnded.failure()),
            Self::Parts(_) => Err(Parts::CUT_OFF),
        }
    }
}

impl Attempt<'_> {
    /// Writes a body to where the temporary file stands.
    ///
    /// # Errors
    /// What becomes of a server that is silent, breaks off, or sends something else, and of a file
    /// that cannot be written.
    pub(super) async fn receive(&mut self, mut body: Incoming, mut expected: Expected) -> Result<Received, Failure> {
        let Some(mut link) = self.line.link.take() else { return Err(Fault::ConnectionEnded.failure()) };
        let network = self.line.network;
        let meter = Arc::clone(link.meter());
        let mut silence = pin!(meter.pulse.lost(&network.clock, network.stall));
        let pace = &self.line.control.pace;
        let mut turn = pace.turn();
        let mut pauses = Pauses::new(&network.clock);
        let mut share = Share::new();
        while !expected.is_over() {
            let unreported = self.unreported();
            meter.read_at_most(pace.read_at_most());
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
                    let is_spent = share.spend(data.len());
                    match self.let_pass(data, &mut expected, &meter, &mut turn, &mut pauses).await? {
                        Course::GoesOn => {}
                        Course::Over => {
                            // What the server adds to it may keep us waiting.
                            self.report_progress();
                            break;
                        }
                        Course::OtherSize => return Ok(Received::OtherSize),
                    }
                    if is_spent {
                        // Until the next turn this looks idle to a virtual clock.
                        self.report_progress();
                        tokio::task::yield_now().await;
                    }
                }
                Arrival::Pause => self.report_progress(),
                Arrival::End => {
                    expected.end()?;
                    break;
                }
                Arrival::Fault(fault) => return Err(fault.failure()),
            }
        }
        self.line.link = Some(link);
        self.line.skip(body).await;
        Ok(Received::All)
    }

    /// Writes what has come of a body.
    pub(super) async fn take_in(&mut self, expected: &mut Expected, data: &[u8]) -> Result<Course, Failure> {
        let course = self.take(expected, data)?;
        if self.unreported() >= REPORT_EVERY {
            self.report_progress();
        }
        self.yield_to_stop().await;
        Ok(course)
    }

    fn take(&mut self, expected: &mut Expected, data: &[u8]) -> Result<Course, Failure> {
        let (missing, excess) = match expected {
            Expected::Parts(parts) => return self.take_parts(parts, data),
            Expected::Exactly(missing) => (missing, Fault::InvalidResponse.failure()),
            Expected::AtMost(missing) => (missing, TOO_LARGE),
        };
        *missing = missing.checked_sub(data.len() as u64).ok_or(excess)?;
        self.partial.append(data)?;
        self.have += data.len() as u64;
        Ok(Course::GoesOn)
    }

    /// Never returns once a stop was asked for: whoever waits for that beside us ends the attempt.
    async fn yield_to_stop(&self) {
        if self.signals.borrow().stop {
            std::future::pending::<()>().await;
        }
    }
}

/// When a pause in what comes in is long enough to report.
///
/// On a virtual clock every pause is: a test looks at a job that stands still, to the byte.
pub(super) enum Pauses {
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

    pub(super) fn poll_due(&mut self, cx: &mut std::task::Context<'_>) -> Poll<()> {
        match self {
            Self::Each => Poll::Ready(()),
            Self::Every(ticks) => ticks.poll_tick(cx).map(|_| ()),
        }
    }
}
