//! A body of several parts: each goes to its place, as far as it has come.

use bits_wire::attempt::Failure;
use bits_wire::download::{Arrival, Parts};

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
                Arrival::Place(place) => self.partial.go_to(place),
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
}
