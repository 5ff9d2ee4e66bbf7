//! Runs cases in parallel, each on a bench of its own.

use std::time::{Duration, Instant};

use crate::bench::{Bench, Limits};
use crate::case::Entry;
use crate::claims::{Claim, Outcome, Stop};
use crate::pool::{Task, guarded, perform};
use crate::probes::run::Observation;
use crate::provider::About;

/// How a case ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Passed,
    Failed(String),
    /// It failed as the list of expected failures has it.
    Expected {
        /// How it failed.
        why: String,
        /// The reason that the list gives.
        reason: String,
    },
    /// With the reason.
    Skipped(String),
}

/// One case that was run.
pub(crate) struct CaseReport {
    pub(crate) entry: Entry,
    pub(crate) ended: Ended,
    pub(crate) claims: Vec<Claim>,
    pub(crate) took: Duration,
}

/// A claim that passed although its expectation was falsified.
pub(crate) struct Survivor {
    pub(crate) case: String,
    pub(crate) clause: String,
}

/// A run, as far as it has come.
#[derive(Default)]
pub(crate) struct Report {
    /// The BITS that it tells of.
    pub(crate) about: About,
    pub(crate) cases: Vec<CaseReport>,
    /// How many claims were falsified, and which of them nobody noticed; `None` without sabotage.
    pub(crate) sabotage: Option<(usize, Vec<Survivor>)>,
    /// What the backend does about the decisions that were asked about.
    pub(crate) probes: Vec<Observation>,
    pub(crate) took: Duration,
    /// A line for each job that could not be cancelled, and for files that could not be deleted.
    pub(crate) left_behind: Vec<String>,
    /// Whether the run has come to its end.
    pub(crate) is_complete: bool,
}

impl Report {
    /// The run is over, and has left that behind.
    pub(crate) fn finish(&mut self, left_behind: Vec<String>) {
        self.left_behind = left_behind;
        self.is_complete = true;
    }

    /// The probes of which a step did not work, by the id of their decision.
    pub(crate) fn failed_probes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.probes.iter().filter_map(|one| Some((one.decision.id(), one.failure()?)))
    }

    pub(crate) fn failures(&self) -> impl Iterator<Item = (&CaseReport, &str)> {
        self.cases.iter().filter_map(|case| match &case.ended {
            Ended::Failed(why) => Some((case, why.as_str())),
            _ => None,
        })
    }

    /// Whether it came to its end and left nothing behind, no case or probe failed, and no falsified claim
    /// survived.
    pub(crate) fn is_good(&self) -> bool {
        self.is_complete
            && self.left_behind.is_empty()
            && self.failures().next().is_none()
            && self.failed_probes().next().is_none()
            && self.sabotage.as_ref().is_none_or(|(_, survivors)| survivors.is_empty())
    }
}

/// Runs `entries`.
///
/// # Errors
/// When no thread can be started, or a case hangs and no other can be run beside it.
pub(crate) fn run(entries: &[Entry], limits: &Limits) -> Result<Vec<CaseReport>, String> {
    let tries = entries.iter().map(|entry| Try { entry: *entry, falsified: None }).collect();
    Ok(perform(tries, limits)?.into_iter().map(Done::into_report).collect())
}

/// Runs each of `cases` that passed again once for each of its claims: how many those are, and which
/// of them nobody noticed.
///
/// # Errors
/// Those of [`run`].
pub(crate) fn falsify(cases: &[CaseReport], limits: &Limits) -> Result<(usize, Vec<Survivor>), String> {
    let passed = cases.iter().filter(|case| matches!(case.ended, Ended::Passed));
    let tries: Vec<_> = passed
        .flat_map(|case| (0..case.claims.len()).map(|claim| Try { entry: case.entry, falsified: Some(claim) }))
        .collect();
    let count = tries.len();
    limits.progress.expects(count);
    let survivors = perform(tries, limits)?.into_iter().filter_map(Done::into_survivor);
    Ok((count, survivors.collect()))
}

/// One run of a case.
#[derive(Clone, Copy)]
struct Try {
    entry: Entry,
    falsified: Option<usize>,
}

/// What came of it.
struct Done {
    entry: Entry,
    falsified: Option<usize>,
    outcome: Outcome,
    claims: Vec<Claim>,
    took: Duration,
}

impl Done {
    /// What a falsified run comes to when its claim did not fail.
    fn into_survivor(self) -> Option<Survivor> {
        let claim = self.claims.get(self.falsified?);
        let is_noticed = self.outcome.is_err() && claim.is_some_and(|claim| !claim.held);
        let clause = claim.map_or("a claim that it did not reach again".to_owned(), |claim| claim.clause.full_id());
        (!is_noticed).then(|| Survivor { case: self.entry.name(), clause })
    }

    fn into_report(self) -> CaseReport {
        let ended = match self.outcome {
            Ok(()) if self.claims.is_empty() => Ended::Failed("the case claims nothing".to_owned()),
            Ok(()) => Ended::Passed,
            Err(Stop::Failed(why)) => Ended::Failed(why),
            Err(Stop::Skipped(why)) => Ended::Skipped(why),
        };
        CaseReport { entry: self.entry, ended, claims: self.claims, took: self.took }
    }
}

impl Task for Try {
    type Done = Done;

    fn name(&self) -> String {
        self.entry.name()
    }

    fn perform(&self, limits: &Limits) -> Done {
        let began = Instant::now();
        let mut bench = Bench::new(limits.clone(), self.falsified);
        let outcome = guarded(|| (self.entry.case.run)(&mut bench));
        let claims = bench.into_claims();
        Done { entry: self.entry, falsified: self.falsified, outcome, claims, took: began.elapsed() }
    }

    fn hangs(&self, why: String, took: Duration) -> Done {
        let outcome = Err(Stop::Failed(why));
        Done { entry: self.entry, falsified: self.falsified, outcome, claims: Vec::new(), took }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_leaves_something_behind_is_not_good() {
        let ended = |left: &[&str]| {
            let mut report = Report::default();
            report.finish(left.iter().map(|line| (*line).to_owned()).collect());
            report
        };

        assert!(ended(&[]).is_good());
        assert!(!ended(&["a folder stays behind"]).is_good());
    }
}
