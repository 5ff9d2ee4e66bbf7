//! A body of several parts: each goes to its place, as far as it has come.

use bits_wire::attempt::{AttemptEnd, Failure};
use bits_wire::download::{Arrival, Download, Parts};

use super::Attempt;

/// How far the parts are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Course {
    /// More is to come.
    GoesOn,
    /// All parts are there.
    Over,
    /// The file is another one than before.
    OtherSize,
}

impl Attempt<'_> {
    /// Writes what has come of a body in several parts.
    pub(super) fn take_parts(&mut self, parts: &mut Parts, mut data: &[u8]) -> Result<Course, Failure> {
        while let Some(arrival) = parts.next(&mut data)? {
            match arrival {
                Arrival::Place(place) => {
                    // The part before was as long as it said.
                    self.sound = self.have;
                    self.partial.go_to(place);
                }
                Arrival::Data(data) => {
                    self.partial.append(data)?;
                    self.have += data.len() as u64;
                }
                Arrival::OtherSize => return Ok(Course::OtherSize),
                Arrival::End => return Ok(Course::Over),
            }
        }
        Ok(Course::GoesOn)
    }
    /// Takes back what has come of a part that turned out not to be what it said: some of it may be
    /// the next one's head. Where that cannot be told apart, nothing that is there is worth anything.
    ///
    /// # Errors
    /// That of an answer that is not well written.
    pub(super) async fn take_back(&mut self, mut download: Download) -> Result<AttemptEnd, Failure> {
        if !self.plan.fetch.layout.is_sequential() {
            return Ok(AttemptEnd::Changed);
        }
        download.received(self.sound - download.have());
        self.record(&download).await?;
        Err(Parts::CUT_OFF)
    }
}
