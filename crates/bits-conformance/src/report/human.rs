//! Tables for a person.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

use crate::coverage::{Counts, Coverage};
use crate::decisions::Decisions;
use crate::runner::{CaseReport, Ended, Report};

/// A run: a line for each module, then what was skipped and what failed, and the sum at the end, where
/// a person looks first.
pub(super) fn run(report: &Report) -> String {
    let mut text = row(["module", "cases", "passed", "failed", "expected", "skipped", "claims"]);
    for group in report.cases.chunk_by(|a, b| a.entry.module.name == b.entry.module.name) {
        text += &module_row(group[0].entry.module.name, group);
    }
    text += &module_row("all", &report.cases);
    text += "\n";
    for (why, cases) in skipped(report) {
        // Their names are in the report in JSON.
        let cases = if let [only] = &cases[..] { only.clone() } else { format!("{} cases", cases.len()) };
        _ = writeln!(text, "skipped {cases}: {why}");
    }
    for (reason, cases) in expected(report) {
        _ = writeln!(text, "expected {cases} to fail: {reason}");
    }
    for (case, why) in report.failures() {
        _ = write!(text, "\nFAILED {}\n    {why}\n", case.entry.name());
    }
    for (id, why) in report.failed_probes() {
        _ = write!(text, "\nFAILED the probe {id}\n    {why}\n");
    }
    for why in &report.left_behind {
        _ = write!(text, "\nLEFT {why}\n");
    }
    if let Some((falsified, survivors)) = &report.sabotage {
        for survivor in survivors {
            _ = write!(
                text,
                "\nSURVIVED {} in {}: it passes with a falsified expectation\n",
                survivor.clause, survivor.case
            );
        }
        _ = write!(text, "\n{falsified} claims falsified, {} not noticed\n", survivors.len());
    }
    let clauses: HashSet<_> = report
        .cases
        .iter()
        .flat_map(|case| &case.claims)
        .filter(|claim| claim.held)
        .map(|c| c.clause.full_id())
        .collect();
    let [passed, failed, expected, skipped] = counts(&report.cases);
    _ = write!(
        text,
        "\n{failed} failed, {expected} as expected, {passed} passed, {skipped} skipped; {} clauses shown in {:.1} s\n",
        clauses.len(),
        report.took.as_secs_f64()
    );
    text
}

/// The cases that were skipped, by the reason.
fn skipped(report: &Report) -> BTreeMap<&str, Vec<String>> {
    let mut reasons: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for case in &report.cases {
        if let Ended::Skipped(why) = &case.ended {
            reasons.entry(why.as_str()).or_default().push(case.entry.name());
        }
    }
    reasons
}

/// How many have passed, failed, failed as expected, and were skipped.
fn counts(cases: &[CaseReport]) -> [usize; 4] {
    let count = |ended: fn(&Ended) -> bool| cases.iter().filter(|case| ended(&case.ended)).count();
    [
        count(|ended| matches!(ended, Ended::Passed)),
        count(|ended| matches!(ended, Ended::Failed(_))),
        count(|ended| matches!(ended, Ended::Expected { .. })),
        count(|ended| matches!(ended, Ended::Skipped(_))),
    ]
}

/// How many cases failed as expected, for each reason.
fn expected(report: &Report) -> BTreeMap<&str, usize> {
    let mut reasons = BTreeMap::new();
    for case in &report.cases {
        if let Ended::Expected { reason, .. } = &case.ended {
            *reasons.entry(reason.as_str()).or_default() += 1;
        }
    }
    reasons
}

fn module_row(name: &str, cases: &[CaseReport]) -> String {
    let [passed, failed, expected, skipped] = counts(cases).map(|count| count.to_string());
    row([
        name,
        &cases.len().to_string(),
        &passed,
        &failed,
        &expected,
        &skipped,
        &cases.iter().map(|case| case.claims.len()).sum::<usize>().to_string(),
    ])
}

fn row([name, cases, passed, failed, expected, skipped, claims]: [&str; 7]) -> String {
    format!("{name:<24}{cases:>8}{passed:>8}{failed:>8}{expected:>10}{skipped:>9}{claims:>8}\n")
}

/// Coverage: a line for each file and topic, then what is missing.
pub(super) fn coverage(coverage: &Coverage) -> String {
    let mut text = format!(
        "{:<28}{:>9}{:>8}{:>7}{:>6}{:>9}{:>9}{:>6}\n",
        "spec", "portable", "proven", "%", "open", "decided", "demoted", "abi"
    );
    for (name, file) in &coverage.files {
        text += &counts_row(name, &file.counts);
        for (topic, counts) in file.topics.iter().filter(|(_, counts)| counts.proven > 0) {
            _ = writeln!(
                text,
                "  {topic:<26}{:>9}{:>8}{:>7}",
                counts.portable,
                counts.proven,
                percent(counts.proven, counts.portable)
            );
        }
    }
    text += &counts_row("total", &coverage.total);
    let sure = Decisions::get().by_sureness().map(|(sure, count)| format!("{count} {sure:?}").to_lowercase());
    _ = writeln!(text, "decisions: {}", sure.join(", "));
    _ = writeln!(text, "not proven, with a reason: {}", coverage.total.explained);
    for clause in coverage.missing.iter().flatten() {
        let why = Decisions::get().why_unproven(clause).map_or_else(String::new, |why| format!("  ({why})"));
        _ = writeln!(text, "missing {clause}{why}");
    }
    for clause in &coverage.stale {
        _ = writeln!(
            text,
            "STALE {clause} is proven, but fixtures/decisions.toml lists it as unproven: remove it there"
        );
    }
    text
}

fn counts_row(name: &str, counts: &Counts) -> String {
    format!(
        "{name:<28}{:>9}{:>8}{:>7}{:>6}{:>9}{:>9}{:>6}\n",
        counts.portable,
        counts.proven,
        percent(counts.proven, counts.portable),
        counts.open,
        counts.decided,
        counts.demoted,
        counts.abi
    )
}

fn percent(part: usize, whole: usize) -> String {
    match whole {
        0 => "-".to_owned(),
        whole => format!("{}%", part * 100 / whole),
    }
}
