//! Bytes that have come, and pass no faster than the attempt may be.

use std::future::poll_fn;
use std::sync::Arc;

use bits_wire::attempt::Failure;
use bytes::Bytes;
use tokio::task::unconstrained;

use super::Attempt;
use super::parts::Course;
use super::receive::{Expected, Pauses};
use crate::mover::Standing;
use crate::socket::Meter;
use crate::throttle::Turn;

impl Attempt<'_> {
    /// Writes bytes that have come, as fast as the limit lets them pass. Nobody reads from the
    /// server meanwhile, so its silence is not its own.
    pub(super) async fn let_pass(
        &mut self,
        data: Bytes,
        expected: &mut Expected,
        meter: &Arc<Meter>,
        turn: &mut Turn<'_>,
        pauses: &mut Pauses,
    ) -> Result<Course, Failure> {
        let control = self.line.control;
        if control.pace.limit().is_none() {
            return self.take_in(expected, &data).await;
        }
        control.stand(Standing::Throttled);
        // Whoever stops here has nothing left to do: the runtime must not interrupt it before.
        let course = unconstrained(Box::pin(self.let_pass_slowly(data, expected, turn, pauses))).await?;
        meter.pulse.beat(&self.line.network.clock);
        control.stand(Standing::Talking(Arc::clone(meter)));
        Ok(course)
    }

    async fn let_pass_slowly(
        &mut self,
        mut data: Bytes,
        expected: &mut Expected,
        turn: &mut Turn<'_>,
        pauses: &mut Pauses,
    ) -> Result<Course, Failure> {
        while !data.is_empty() {
            let is_news = self.unreported() > 0;
            let passed = tokio::select! {
                biased;
                count = turn.take(data.len()) => Some(count),
                () = poll_fn(|cx| pauses.poll_due(cx)), if is_news => None,
            };
            match passed {
                Some(count) => match self.take_in(expected, &data.split_to(count)).await? {
                    Course::GoesOn => {}
                    course => return Ok(course),
                },
                None => self.report_progress(),
            }
        }
        Ok(Course::GoesOn)
    }
}
