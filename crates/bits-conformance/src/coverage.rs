//! How many clauses a run has proven: computed from its claims, never kept.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::decisions::Decisions;
use crate::runner::Report;
use crate::spec::{Clause, Spec};

/// The counts of one spec file, or of all.
#[derive(Debug, Default, Eq, PartialEq, Serialize)]
pub(crate) struct Counts {
    /// Clauses that can be shown without a real Windows, `abi` ones apart.
    pub(crate) portable: usize,
    /// Portable clauses with a claim that held.
    pub(crate) proven: usize,
    /// Portable clauses that the pages leave open.
    pub(crate) open: usize,
    /// Open ones that a decision answers.
    pub(crate) decided: usize,
    /// Clauses whose marks were changed so that they need not be shown.
    pub(crate) demoted: usize,
    /// Clauses about the binary interface.
    pub(crate) abi: usize,
    /// Portable clauses that are not proven for a reason that decisions.toml gives.
    pub(crate) explained: usize,
}

/// The counts of one topic: the first part of an id.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Topic {
    pub(crate) portable: usize,
    pub(crate) proven: usize,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct FileCoverage {
    #[serde(flatten)]
    pub(crate) counts: Counts,
    pub(crate) topics: BTreeMap<String, Topic>,
}

/// The coverage of a run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Coverage {
    pub(crate) files: BTreeMap<&'static str, FileCoverage>,
    pub(crate) total: Counts,
    /// Portable clauses that are not proven, as `file:id`; only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) missing: Option<Vec<String>>,
    /// Clauses that decisions.toml lists as not proven, and that are: a stale list is a fault.
    pub(crate) stale: Vec<String>,
}

impl Coverage {
    /// Counts what `report` proves.
    pub(crate) fn of(report: &Report, with_missing: bool) -> Self {
        let claims = report.cases.iter().flat_map(|case| &case.claims);
        let held: HashSet<String> = claims.filter(|claim| claim.held).map(|claim| claim.clause.full_id()).collect();
        Self::count(Spec::get().clauses(), Decisions::get(), &held, with_missing)
    }

    fn count(clauses: &[Clause], decisions: &Decisions, held: &HashSet<String>, with_missing: bool) -> Self {
        let mut coverage = Self::default();
        let mut missing = Vec::new();
        for clause in clauses {
            let file = coverage.files.entry(clause.file).or_default();
            let decided = decisions.answer(clause).is_some();
            let proven = held.contains(&clause.full_id()) && (!clause.open || decided);
            for counts in [&mut file.counts, &mut coverage.total] {
                counts.add(clause, decided, proven);
            }
            if proven && decisions.why_unproven(&clause.full_id()).is_some() {
                coverage.stale.push(clause.full_id());
            }
            if !clause.is_abi() && clause.portable {
                let topic = file.topics.entry(clause.topic().to_owned()).or_default();
                topic.portable += 1;
                topic.proven += usize::from(proven);
                if !proven {
                    missing.push(clause.full_id());
                }
            }
        }
        coverage.missing = with_missing.then_some(missing);
        coverage
    }
}

impl Counts {
    fn add(&mut self, clause: &Clause, decided: bool, proven: bool) {
        self.demoted += usize::from(clause.demoted.is_some());
        if clause.is_abi() {
            self.abi += 1;
        } else if clause.portable {
            self.portable += 1;
            self.proven += usize::from(proven);
            self.open += usize::from(clause.open);
            self.decided += usize::from(clause.open && decided);
            self.explained += usize::from(!proven && Decisions::get().why_unproven(&clause.full_id()).is_some());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(held: &[&str]) -> Coverage {
        let held = held.iter().map(|id| (*id).to_owned()).collect();
        Coverage::count(Spec::get().clauses(), Decisions::get(), &held, true)
    }

    #[test]
    fn what_no_assertion_showed_is_not_proven() {
        let coverage = count(&[]);
        assert_eq!(coverage.total.proven, 0);
        assert_eq!(coverage.missing.map(|missing| missing.len()), Some(coverage.total.portable));
    }

    #[test]
    fn a_claim_proves_its_own_clause_in_its_own_file() {
        let coverage = count(&["core:job.resume.empty"]);
        assert_eq!((coverage.total.proven, coverage.files["core"].topics["job"].proven), (1, 1));
        assert_eq!(coverage.files["observed"].counts.proven, 0);
    }

    #[test]
    fn an_open_clause_is_proven_only_with_a_decision() {
        let undecided = Spec::get().clauses().iter().find(|clause| {
            clause.open && clause.portable && !clause.is_abi() && Decisions::get().answer(clause).is_none()
        });
        let undecided = undecided.expect("upload is not decided yet").full_id();
        assert_eq!(count(&[&undecided]).total.proven, 0);
        assert_eq!(count(&["core:manager.create_job.display_name_null"]).total.proven, 1);
    }

    #[test]
    fn the_files_add_up_to_the_total() {
        let coverage = count(&[]);
        let sum = |field: fn(&Counts) -> usize| coverage.files.values().map(|file| field(&file.counts)).sum::<usize>();
        let total = &coverage.total;
        assert_eq!((sum(|c| c.portable), sum(|c| c.open), sum(|c| c.abi)), (total.portable, total.open, total.abi));
    }
}
