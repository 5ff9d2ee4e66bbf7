//! JSON for programs.
//!
//! `format` counts the versions of a run's report: it changes when a field goes away or means
//! something else, and stays when one is added. A run is `format`, `complete` (whether it came to its
//! end), `about` (`provider`, `bits`, `system`, `suite`, `date`, `conditions`), `good`, `seconds`, `cases`, `sabotage`,
//! `probes` and `left_behind` (a line for each job that could not be cancelled, and for files that could not be
//! deleted); a case is `case`, `ended`
//! (`passed`, `failed`, `failed as expected`, `skipped`), `why`, `expected` (the reason that the list of
//! expected failures gives), `seconds` and `claims` (`clause`, `held`); a
//! probe is `decision`, `chose`, `ended` (`seen`, `skipped`, `failed`, `no probe`), `seen` and `why`.

use serde_json::json;

use super::comparison::Comparison;
use super::ended::CaseEnded;
use super::probes;
use crate::coverage::Coverage;
use crate::runner::{Ended, Report};

/// The version of a run's report.
pub(super) const FORMAT: u64 = 1;

/// A run.
pub(super) fn run(report: &Report) -> String {
    let cases = report.cases.iter().map(|case| {
        let (why, reason) = match &case.ended {
            Ended::Passed => (None, None),
            Ended::Failed(why) | Ended::Skipped(why) => (Some(why), None),
            Ended::Expected { why, reason } => (Some(why), Some(reason)),
        };
        let claims = case.claims.iter().map(|claim| json!({"clause": claim.clause.full_id(), "held": claim.held}));
        json!({
            "case": case.entry.name(),
            "ended": CaseEnded::of(&case.ended),
            "why": why,
            "expected": reason,
            "seconds": case.took.as_secs_f64(),
            "claims": claims.collect::<Vec<_>>(),
        })
    });
    let sabotage = report.sabotage.as_ref().map(|(falsified, survivors)| {
        let survivors = survivors.iter().map(|survivor| json!({"case": survivor.case, "clause": survivor.clause}));
        json!({"falsified": falsified, "survived": survivors.collect::<Vec<_>>()})
    });
    pretty(&json!({
        "format": FORMAT,
        "complete": report.is_complete,
        "about": report.about,
        "good": report.is_good(),
        "seconds": report.took.as_secs_f64(),
        "cases": cases.collect::<Vec<_>>(),
        "sabotage": sabotage,
        "probes": probes::json(&report.probes),
        "left_behind": report.left_behind,
    }))
}

/// A coverage.
pub(super) fn coverage(coverage: &Coverage) -> String {
    pretty(&serde_json::to_value(coverage).unwrap_or_default())
}

/// A comparison of two runs: `format`, `differs`, `a` and `b` (as `about` of a run),
/// `incomplete` (those of the two that did not come to their end), `same` (how many
/// clauses have one verdict), `clauses` with the others (`clause`, and `verdict`, `case` and `why` of each run),
/// `cases` that pass in one run and fail in the other with no clause in `clauses` that tells it (`case`, how it ended in
/// `a` and `b`, and `why`), and `decisions`: `decision`, `chose`, what `a` and `b` have as the probe of their run, and `verdict`.
pub(super) fn comparison(comparison: &Comparison) -> String {
    let mut value = serde_json::to_value(comparison).unwrap_or_default();
    value["format"] = FORMAT.into();
    value["differs"] = comparison.differs().into();
    pretty(&value)
}

pub(super) fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}
