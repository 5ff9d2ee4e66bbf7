//! A comparison for a person: what differs comes first, and is all that is shown unless one asks for
//! the rest; a summary comes last, where a person looks first.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::claims;

use super::comparison::{CaseDifference, Comparison, Difference, Finding, Verdict};
use super::decided;

/// The whole text; with `all`, also what only one run tells, and each decision.
pub(super) fn human(comparison: &Comparison, all: bool) -> String {
    let mut text = about(comparison);
    let (differing, one_sided): (Vec<_>, Vec<_>) =
        comparison.clauses.iter().partition(|clause| clause.is_told_by_both());
    let (different, others): (Vec<_>, Vec<_>) =
        comparison.decisions.iter().partition(|decided| decided.verdict == decided::Verdict::Different);
    text.extend(differing.iter().map(|clause| clause_rows(clause)));
    text.extend(comparison.cases.iter().map(case_rows));
    text.extend(different.iter().map(|decided| decided.told()));
    if all {
        text += "\n-- what only one of both tells, and where they agree --\n";
        text.extend(one_sided.iter().map(|clause| clause_rows(clause)));
        text.extend(others.iter().map(|decided| decided.told()));
    }
    let count = |verdict| others.iter().filter(|decided| decided.verdict == verdict).count();
    _ = writeln!(
        text,
        "\nclauses    {} differ, {} do not; {} are told by one run only{}",
        differing.len(),
        comparison.same,
        one_sided.len(),
        silences(&one_sided)
    );
    _ = writeln!(text, "cases      {} others fail in one run only", comparison.cases.len());
    _ = writeln!(
        text,
        "decisions  {} are answered differently, {} alike; {} are not answered by both",
        different.len(),
        count(decided::Verdict::Same),
        count(decided::Verdict::Open)
    );
    let is_all = all || one_sided.is_empty() && others.is_empty();
    if !is_all {
        text += "--all shows what only one run tells, and every decision\n";
    }
    text
}

/// The two runs.
fn about(comparison: &Comparison) -> String {
    let mut text = String::new();
    for (name, about) in [("A", &comparison.a), ("B", &comparison.b)] {
        _ = writeln!(
            text,
            "{name}  {}: BITS {} on {}, suite {}, {}",
            about.provider, about.bits, about.system, about.suite, about.date
        );
        let conditions = about.conditions.to_string();
        if !conditions.is_empty() {
            _ = writeln!(text, "   {conditions}");
        }
    }
    for run in &comparison.incomplete {
        _ = writeln!(text, "{}  is incomplete: that run did not come to its end", run.to_uppercase());
    }
    text
}

fn clause_rows(difference: &Difference) -> String {
    let row = |run: &str, finding: &Finding| {
        let case = finding.case.as_ref().map_or_else(String::new, |case| format!(" in {case}"));
        format!("    {run}  {}{case}{}\n", finding.verdict, first_line(finding.why.as_deref()))
    };
    format!("\n{}\n{}{}", difference.clause, row("A", &difference.a), row("B", &difference.b))
}

fn case_rows(case: &CaseDifference) -> String {
    let why = first_line(case.why.as_deref());
    let row = |run: &str, ended: super::ended::CaseEnded| {
        let why = if ended.is_failure() { &*why } else { "" };
        format!("    {run}  {}{why}\n", ended.name())
    };
    format!("\n{}\n{}{}", case.case, row("A", case.a), row("B", case.b))
}

/// What was expected and what came, without what the clause says.
fn first_line(why: Option<&str>) -> String {
    why.map(claims::told).filter(|told| !told.is_empty()).map_or_else(String::new, |told| format!(": {told}"))
}

/// Why so many clauses are told by one run only.
fn silences(clauses: &[&Difference]) -> String {
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for clause in clauses {
        for (run, finding) in [("A", &clause.a), ("B", &clause.b)] {
            if !matches!(finding.verdict, Verdict::Held | Verdict::Failed) {
                *counts.entry((run, finding.verdict)).or_default() += 1;
            }
        }
    }
    let counts: Vec<_> = counts.iter().map(|((run, verdict), count)| format!("{run} {verdict} {count}")).collect();
    if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) }
}
