//! Two runs side by side: which clauses hold in one and not in the other.
//!
//! The runs differ where both tell something and not the same. What only one of them tells, since the
//! other cannot show it, is no difference.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use serde::Serialize;

use super::decided::{self, Decided};
use super::ended::CaseEnded;
use super::saved::{Saved, SavedCase};
use crate::provider::About;

/// What a run makes of a clause.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// A claim on it held, and none failed.
    Held,
    /// A claim on it did not hold.
    Failed,
    /// A case that would claim it could not be run here.
    Skipped,
    /// A case that would claim it failed before it came to that.
    NotReached,
    /// No case that was run claims it.
    NotRun,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::NotReached => "not reached",
            Self::NotRun => "not run",
        })
    }
}

/// A verdict, the case that it comes from, and what that case says.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) verdict: Verdict,
    pub(super) case: Option<String>,
    pub(super) why: Option<String>,
}

/// A clause of which the runs have different verdicts.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    pub(super) clause: String,
    pub(super) a: Finding,
    pub(super) b: Finding,
}

impl Difference {
    /// Whether it holds in one run and not in the other; else one of them does not tell.
    pub(super) fn is_told_by_both(&self) -> bool {
        let tells = |finding: &Finding| matches!(finding.verdict, Verdict::Held | Verdict::Failed);
        tells(&self.a) && tells(&self.b)
    }
}

/// A case that passes in one run and fails in the other, where no clause shows it.
#[derive(Debug, Serialize)]
pub(super) struct CaseDifference {
    pub(super) case: String,
    pub(super) a: CaseEnded,
    pub(super) b: CaseEnded,
    /// What the run says in which it fails.
    pub(super) why: Option<String>,
}

/// Two runs, and where they differ.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    pub(super) a: About,
    pub(super) b: About,
    /// Which of them did not come to their end.
    pub(super) incomplete: Vec<&'static str>,
    /// How many clauses have the same verdict in both.
    pub(super) same: usize,
    /// In the order of the clauses' ids.
    pub(super) clauses: Vec<Difference>,
    /// In the order of run A.
    pub(super) cases: Vec<CaseDifference>,
    /// Every decision that one of the runs was asked about.
    pub(super) decisions: Vec<Decided>,
}

impl Comparison {
    pub(super) fn of(a: Saved, b: Saved) -> Self {
        let (of_a, of_b) = (Findings::of(&a), Findings::of(&b));
        let clauses: BTreeSet<&str> = of_a.claims.keys().chain(of_b.claims.keys()).copied().collect();
        let all = clauses.len();
        let differences: Vec<_> = clauses
            .into_iter()
            .map(|clause| Difference {
                clause: clause.to_owned(),
                a: of_a.of_clause(clause, &of_b),
                b: of_b.of_clause(clause, &of_a),
            })
            .filter(|difference| difference.a.verdict != difference.b.verdict)
            .collect();
        let shown: HashSet<_> =
            differences.iter().filter(|found| found.is_told_by_both()).map(|found| found.clause.as_str()).collect();
        let ended = |case: &SavedCase| differently_ended(case, of_b.cases.get(&*case.case)?, &shown);
        let cases = a.cases.iter().filter_map(ended).collect();
        Self {
            same: all - differences.len(),
            clauses: differences,
            cases,
            decisions: decided::decided(a.probes, b.probes),
            incomplete: [("a", a.complete), ("b", b.complete)]
                .into_iter()
                .filter(|run| !run.1)
                .map(|run| run.0)
                .collect(),
            a: a.about,
            b: b.about,
        }
    }

    /// Whether the runs tell different things of a clause, a case or a decision.
    pub(super) fn differs(&self) -> bool {
        let is_different = |decided: &Decided| decided.verdict == decided::Verdict::Different;
        self.clauses.iter().any(Difference::is_told_by_both)
            || !self.cases.is_empty()
            || self.decisions.iter().any(is_different)
            || !self.incomplete.is_empty()
    }
}

/// A case that fails in one of the runs only, and of which none of the clauses that are `shown` to
/// differ tells.
fn differently_ended(a: &SavedCase, b: &SavedCase, shown: &HashSet<&str>) -> Option<CaseDifference> {
    let failed = match (a.ended, b.ended) {
        (CaseEnded::Passed, ended) if ended.is_failure() => b,
        (ended, CaseEnded::Passed) if ended.is_failure() => a,
        _ => return None,
    };
    let is_shown = failed.claims.iter().any(|claim| !claim.held && shown.contains(&*claim.clause));
    (!is_shown).then(|| CaseDifference { case: a.case.clone(), a: a.ended, b: b.ended, why: failed.why.clone() })
}

/// What one run says of clauses and cases.
struct Findings<'a> {
    /// The cases that claim a clause, and whether that held.
    claims: HashMap<&'a str, Vec<(&'a SavedCase, bool)>>,
    cases: HashMap<&'a str, &'a SavedCase>,
}

impl<'a> Findings<'a> {
    fn of(run: &'a Saved) -> Self {
        let mut claims: HashMap<&str, Vec<_>> = HashMap::new();
        for case in &run.cases {
            for claim in &case.claims {
                claims.entry(&claim.clause).or_default().push((case, claim.held));
            }
        }
        Self { claims, cases: run.cases.iter().map(|case| (case.case.as_str(), case)).collect() }
    }

    /// The verdict on a clause; where nothing was claimed, the cases that claim it in the other run
    /// tell why.
    fn of_clause(&self, clause: &str, other: &Self) -> Finding {
        let claims = self.claims.get(clause).map_or(&[][..], Vec::as_slice);
        if let Some((case, _)) = claims.iter().find(|(_, held)| !held) {
            return finding(Verdict::Failed, case);
        }
        if let Some((case, _)) = claims.first() {
            return Finding { verdict: Verdict::Held, case: Some(case.case.clone()), why: None };
        }
        let there = other.claims.get(clause).map_or(&[][..], Vec::as_slice);
        let here = there.iter().filter_map(|(case, _)| self.cases.get(case.case.as_str()));
        match here.min_by_key(|case| !case.ended.is_failure()) {
            Some(case) if case.ended.is_failure() => finding(Verdict::NotReached, case),
            Some(case) if case.ended == CaseEnded::Skipped => finding(Verdict::Skipped, case),
            _ => Finding { verdict: Verdict::NotRun, case: None, why: None },
        }
    }
}

fn finding(verdict: Verdict, case: &SavedCase) -> Finding {
    Finding { verdict, case: Some(case.case.clone()), why: case.why.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(cases: &serde_json::Value) -> Saved {
        let about = serde_json::json!({"provider": "p", "bits": "b", "system": "s", "suite": "v", "date": "d"});
        serde_json::from_value(serde_json::json!({"about": about, "cases": cases})).unwrap()
    }

    fn case(name: &str, ended: &str, claims: &[(&str, bool)]) -> serde_json::Value {
        let claims = claims.iter().map(|(clause, held)| serde_json::json!({"clause": clause, "held": held}));
        serde_json::json!({"case": name, "ended": ended, "why": "because", "claims": claims.collect::<Vec<_>>()})
    }

    #[test]
    fn a_clause_differs_when_its_verdicts_do_and_the_case_tells_why() {
        let all = [("x", true), ("y", true), ("z", true)];
        let a = run(&serde_json::json!([case("one", "passed", &all), case("two", "passed", &[("w", true)])]));
        let b =
            run(&serde_json::json!([case("one", "failed", &[("x", true), ("y", false)]), case("two", "skipped", &[])]));

        let comparison = Comparison::of(a, b);

        let seen: Vec<_> = comparison.clauses.iter().map(|d| (d.clause.as_str(), d.a.verdict, d.b.verdict)).collect();
        assert_eq!(
            seen,
            [
                ("w", Verdict::Held, Verdict::Skipped),
                ("y", Verdict::Held, Verdict::Failed),
                ("z", Verdict::Held, Verdict::NotReached),
            ]
        );
        assert!(comparison.clauses.iter().all(|difference| difference.b.why.as_deref() == Some("because")));
        assert_eq!(comparison.same, 1);
    }

    #[test]
    fn a_clause_behind_an_expected_failure_was_not_reached() {
        let a = run(&serde_json::json!([case("one", "passed", &[("x", true)])]));
        let b = run(&serde_json::json!([case("one", "failed as expected", &[])]));

        assert_eq!(Comparison::of(a, b).clauses[0].b.verdict, Verdict::NotReached);
    }

    #[test]
    fn a_case_that_only_one_run_has_was_not_run_in_the_other() {
        let a = run(&serde_json::json!([case("one", "passed", &[("x", true)])]));

        let comparison = Comparison::of(a, run(&serde_json::json!([])));

        assert_eq!(comparison.clauses[0].b.verdict, Verdict::NotRun);
        assert!(!comparison.differs());
    }

    #[test]
    fn a_case_that_fails_before_its_claims_differs() {
        let a = run(&serde_json::json!([case("one", "passed", &[("x", true)])]));
        let b = run(&serde_json::json!([case("one", "failed", &[])]));

        let comparison = Comparison::of(a, b);

        assert_eq!(comparison.cases.iter().map(|case| &*case.case).collect::<Vec<_>>(), ["one"]);
        assert_eq!(comparison.cases[0].why.as_deref(), Some("because"));
        assert!(comparison.differs());
    }

    #[test]
    fn a_case_whose_clause_differs_is_not_told_twice() {
        let a = run(&serde_json::json!([case("one", "passed", &[("x", true)])]));
        let b = run(&serde_json::json!([case("one", "failed", &[("x", false)])]));

        let comparison = Comparison::of(a, b);

        assert!(comparison.differs() && comparison.clauses[0].is_told_by_both());
        assert!(comparison.cases.is_empty());
    }

    #[test]
    fn a_run_does_not_differ_from_itself() {
        let cases = || serde_json::json!([case("one", "failed", &[("x", true), ("y", false)])]);

        assert!(!Comparison::of(run(&cases()), run(&cases())).differs());
    }
}
