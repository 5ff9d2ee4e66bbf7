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

/// A whole run.
pub(crate) struct Report {
    /// The BITS that it tells of.
    pub(crate) about: About,
    pub(crate) cases: Vec<CaseReport>,
    /// How many claims were falsified, and which of them nobody noticed; `None` without sabotage.
    pub(crate) sabotage: Option<(usize, Vec<Survivor>)>,
    /// What the backend does about the decisions that were asked about.
    pub(crate) probes: Vec<Observation>,
    pub(crate) took: Duration,
}

impl Report {
    pub(crate) fn failures(&self) -> impl Iterator<Item = (&CaseReport, &str)> {
        self.cases.iter().filter_map(|case| match &case.ended {
            Ended::Failed(why) => Some((case, why.as_str())),
            _ => None,
        })
    }

    /// Whether no case failed and no falsified claim survived.
    pub(crate) fn is_good(&self) -> bool {
        self.failures().next().is_none() && self.sabotage.as_ref().is_none_or(|(_, survivors)| survivors.is_empty())
    }
}

/// Runs `entries`, then with `sabotage` each again once for each of its claims.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn run(entries: &[Entry], limits: &Limits, sabotage: bool) -> Result<Report, String> {
    let began = Instant::now();
    let about = limits.provider.about();
    let tries = entries.iter().map(|entry| Try { entry: *entry, falsified: None }).collect();
    let cases: Vec<_> = perform(tries, limits)?.into_iter().map(Done::into_report).collect();
    let sabotage = sabotage.then(|| falsify(&cases, limits)).transpose()?;
    Ok(Report { about, cases, sabotage, probes: Vec::new(), took: began.elapsed() })
}

fn falsify(cases: &[CaseReport], limits: &Limits) -> Result<(usize, Vec<Survivor>), String> {
    let passed = cases.iter().filter(|case| matches!(case.ended, Ended::Passed));
    let tries: Vec<_> = passed
        .flat_map(|case| (0..case.claims.len()).map(|claim| Try { entry: case.entry, falsified: Some(claim) }))
        .collect();
    let count = tries.len();
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
