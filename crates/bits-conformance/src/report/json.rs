//! JSON for programs.
//!
//! `format` counts the versions of a run's report: it changes when a field goes away or means
//! something else, and stays when one is added. A run is `format`, `about` (`provider`, `bits`,
//! `system`, `suite`, `date`), `good`, `seconds`, `cases`, `sabotage` and `probes`; a case is `case`, `ended`
//! (`passed`, `failed`, `skipped`), `why`, `seconds` and `claims` (`clause`, `held`); a
//! probe is `decision`, `chose`, `ended` (`seen`, `skipped`, `failed`, `no probe`), `seen` and `why`.

use serde_json::json;

use super::comparison::Comparison;
use super::probes;
use crate::coverage::Coverage;
use crate::runner::{Ended, Report};

/// The version of a run's report.
pub(super) const FORMAT: u64 = 1;

/// A run.
pub(super) fn run(report: &Report) -> String {
    let cases = report.cases.iter().map(|case| {
        let (ended, why, reason) = match &case.ended {
            Ended::Passed => ("passed", None, None),
            Ended::Failed(why) => ("failed", Some(why), None),
            Ended::Expected { why, reason } => ("failed as expected", Some(why), Some(reason)),
            Ended::Skipped(why) => ("skipped", Some(why), None),
        };
        let claims = case.claims.iter().map(|claim| json!({"clause": claim.clause.full_id(), "held": claim.held}));
        json!({
            "case": case.entry.name(),
            "ended": ended,
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
        "about": report.about,
        "good": report.is_good(),
        "seconds": report.took.as_secs_f64(),
        "cases": cases.collect::<Vec<_>>(),
        "sabotage": sabotage,
        "probes": probes::json(&report.probes),
    }))
}

/// A coverage.
pub(super) fn coverage(coverage: &Coverage) -> String {
    pretty(&serde_json::to_value(coverage).unwrap_or_default())
}

/// A comparison of two runs: `format`, `differs`, `a` and `b` (as `about` of a run), `same` (how many
/// clauses have one verdict), `clauses` with the others (`clause`, and `verdict`, `case` and `why` of each run),
/// and `decisions`: `decision`, `chose`, what `a` and `b` have as the probe of their run, and `verdict`.
pub(super) fn comparison(comparison: &Comparison) -> String {
    let mut value = serde_json::to_value(comparison).unwrap_or_default();
    value["format"] = FORMAT.into();
    value["differs"] = comparison.differs().into();
    pretty(&value)
}

pub(super) fn pretty(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}
