//! The probes: what a backend does where the pages leave it open, without a verdict.
//!
//! A probe answers an entry of `fixtures/decisions.toml`, in a table of its file by the entry's
//! id; a decision without one says there why it has none. What a probe tells is in the words of
//! the field, with nothing in it that changes from run to run: two reports can be compared. What
//! the emulator tells stands in `fixtures/probes/emulator.toml`.
//!
//! A probe must never claim, and must not know what was chosen. Real BITS answers in real time, so
//! each wait has a bound: a quarter of a minute, or 75 seconds where BITS is said to come back after a
//! minute. A step on the way that was not reached is a failure of the probe, never an answer.

use crate::bench::Bench;
use crate::claims::Stop;

pub(crate) mod record;
pub(crate) mod run;
mod seen;

pub(crate) use seen::Seen;

/// One probe.
pub(crate) struct Probe {
    /// The id of the decision that it answers.
    pub(crate) id: &'static str,
    pub(crate) ask: fn(&mut Bench) -> Result<Seen, Stop>,
}

/// Lists the probes of a file, each by the id of its decision.
macro_rules! probes {
    ($($id:literal => $ask:expr),* $(,)?) => {
        pub(super) const PROBES: &[crate::probes::Probe] = &[$(crate::probes::Probe { id: $id, ask: $ask }),*];
    };
}

macro_rules! modules {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// The probes of each file.
        const MODULES: &[&[Probe]] = &[$($name::PROBES),*];
    };
}

mod prelude;
mod rest;
mod words;

modules! {
    manager,
    job_calls,
    files,
    local_files,
    transfers,
    parts_on_request,
    properties,
    later_settings,
    proxies,
    credentials,
    authentication,
    certificates,
    uploads,
    tokens,
    deadlines,
    hostile,
    answers,
    requests,
    redirects,
    callbacks,
    programs,
    parts,
    content,
}

/// Every probe.
pub(crate) fn all() -> impl Iterator<Item = &'static Probe> {
    MODULES.iter().copied().flatten()
}
