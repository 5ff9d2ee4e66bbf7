//! What a provider is known to get wrong: a file of `fixtures/expectations/`, given with `--expect`.
//!
//! An expected failure does not fail a run. One that was not expected does, and so does a case that
//! passes although it is expected to fail: a line that has become wrong must not stay.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::case::Entry;
use crate::claims::{self, Claim};
use crate::pool::{HANGS, PANICKED};
use crate::runner::{CaseReport, Ended};
use crate::spec::Spec;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    gap: Vec<Gap>,
}

/// One thing that the provider gets wrong or lacks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gap {
    /// What it does instead of what the clauses say.
    reason: String,
    /// The clauses that it breaks, as `file:id`: whichever claim fails by it is on one of these.
    clauses: Vec<String>,
    /// What stands where a failure is told that has this reason, one of these. What describes the clause
    /// has words of its own, and they excuse nothing.
    #[serde(default)]
    says: Vec<String>,
    /// The cases that fail by it, as `module::case`; a `*` at the end stands for any rest.
    cases: Vec<String>,
}

/// All that is expected to fail.
#[derive(Debug)]
pub(crate) struct Expectations {
    /// The file, as the user has named it.
    source: String,
    gaps: Vec<Gap>,
    by_case: HashMap<String, usize>,
}

impl Expectations {
    /// Reads `path`; `all` are the cases that there are, chosen or not.
    ///
    /// # Errors
    /// Why the file cannot be used, and which line of it is wrong.
    pub(crate) fn read(path: &Path, all: &[Entry]) -> Result<Self, String> {
        let source = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| format!("{source}: {error}"))?;
        Self::parse(source, &text, all)
    }

    fn parse(source: String, text: &str, all: &[Entry]) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| format!("{source}: {error}"))?;
        let names: Vec<_> = all.iter().map(Entry::name).collect();
        let mut by_case = HashMap::new();
        for (place, gap) in file.gap.iter().enumerate() {
            let wrong = |what: String| format!("{source}: gap {:?}: {what}", gap.reason);
            gap.check().map_err(wrong)?;
            for pattern in &gap.cases {
                let mut matching = names.iter().filter(|name| is_meant(pattern, name)).peekable();
                if matching.peek().is_none() {
                    return Err(wrong(format!("no case is called {pattern:?}")));
                }
                for name in matching {
                    if by_case.insert(name.clone(), place).is_some() {
                        return Err(wrong(format!("{name} is listed already")));
                    }
                }
            }
        }
        Ok(Self { source, gaps: file.gap, by_case })
    }

    fn gap(&self, entry: &Entry) -> Option<&Gap> {
        self.by_case.get(&entry.name()).map(|place| &self.gaps[*place])
    }

    /// Marks the failures of `cases` that were expected, and fails what is expected to fail and
    /// passes, fails at another clause, or says something else. What was skipped shows neither.
    pub(crate) fn judge(&self, cases: &mut [CaseReport]) {
        for case in cases {
            let Some(gap) = self.gap(&case.entry) else { continue };
            let (source, reason) = (&self.source, &gap.reason);
            case.ended = match std::mem::replace(&mut case.ended, Ended::Passed) {
                Ended::Failed(why) if gap.has(&why, &case.claims) => Ended::Expected { why, reason: reason.clone() },
                Ended::Failed(why) => {
                    Ended::Failed(format!("{why}\n    {source} expects it to fail otherwise: {reason}"))
                }
                Ended::Passed => Ended::Failed(format!("it passes, but {source} expects it to fail: {reason}")),
                other => other,
            };
        }
    }
}

impl Gap {
    fn check(&self) -> Result<(), String> {
        if self.reason.trim().is_empty() {
            return Err("the reason is empty".to_owned());
        }
        if self.clauses.is_empty() || self.cases.is_empty() {
            return Err("it names no clause or no case".to_owned());
        }
        if self.says.is_empty() || self.says.iter().any(|part| part.trim().is_empty()) {
            return Err("it does not tell what the failures say".to_owned());
        }
        self.clauses.iter().try_for_each(|name| match Spec::get().find(name)?.full_id() {
            full if full == *name => Ok(()),
            full => Err(format!("the clause {name:?} is to be called {full:?}")),
        })
    }

    /// Whether a failure with this message, after those claims, comes of the gap. A case that panics or
    /// hangs is a fault of the suite, whatever it was that it met.
    fn has(&self, why: &str, claims: &[Claim]) -> bool {
        if why.starts_with(PANICKED) || why.starts_with(HANGS) {
            return false;
        }
        let breaks = |claim: &Claim| self.clauses.iter().any(|name| *name == claim.clause.full_id());
        let told = claims::told(why);
        claims.iter().all(|claim| claim.held || breaks(claim)) && self.says.iter().any(|part| told.contains(part))
    }
}

/// Whether `pattern` means the case called `name`.
fn is_meant(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::case::choose;
    use crate::cases::MODULES;

    const CASE: &str = "job_state_calls::resume_of_an_empty_job_fails";

    /// What the tests' gap says.
    const SAYS: &str = "\nsays = ['S_OK']";

    fn parse(cases: &str) -> Result<Expectations, String> {
        let text = format!("[[gap]]\nreason = 'no Resume'\nclauses = ['core:job.resume.empty']\ncases = {cases}\n");
        Expectations::parse("known.toml".to_owned(), &text, &choose(MODULES, None).unwrap())
    }

    /// How the case ends for somebody who expects it to fail.
    fn judged(expectations: &Expectations, ended: Ended) -> Ended {
        judged_after(expectations, ended, &[])
    }

    /// The same, where these claims did not hold.
    fn judged_after(expectations: &Expectations, ended: Ended, broken: &[&str]) -> Ended {
        let entry = choose(MODULES, Some(CASE)).unwrap()[0];
        let claims = broken.iter().map(|name| Claim { clause: Spec::get().find(name).unwrap(), held: false });
        let mut case = [CaseReport { entry, ended, claims: claims.collect(), took: Duration::ZERO }];
        expectations.judge(&mut case);
        let [case] = case;

        case.ended
    }

    #[test]
    fn an_expected_failure_is_none() {
        let ended = judged(&parse(&format!("['{CASE}']{SAYS}")).unwrap(), Ended::Failed("S_OK".to_owned()));

        assert!(
            matches!(&ended, Ended::Expected { why, reason } if why == "S_OK" && reason == "no Resume"),
            "{ended:?}"
        );
    }

    #[test]
    fn what_passes_although_it_is_expected_to_fail_fails() {
        let listed = parse(&format!("['job_state_calls::resume_of_an_empty*']{SAYS}")).unwrap();

        let ended = judged(&listed, Ended::Passed);

        assert!(matches!(&ended, Ended::Failed(why) if why.contains("known.toml")), "{ended:?}");
    }

    #[test]
    fn a_failure_that_says_something_else_than_is_expected_fails() {
        let expectations = parse(&format!("['{CASE}']\nsays = ['E_NOTIMPL']")).unwrap();

        assert!(matches!(judged(&expectations, Ended::Failed("got E_NOTIMPL".to_owned())), Ended::Expected { .. }));
        assert!(matches!(judged(&expectations, Ended::Failed("got S_OK".to_owned())), Ended::Failed(_)));
    }

    #[test]
    fn what_describes_the_clause_excuses_no_failure() {
        let expectations = parse(&format!("['{CASE}']\nsays = ['suspended']")).unwrap();
        let described = Spec::get().find("core:job.resume.empty").unwrap().describe();
        assert!(described.contains("suspended"), "{described}");

        let ended = judged(&expectations, Ended::Failed(format!("got S_OK\n    {described}")));

        assert!(matches!(ended, Ended::Failed(_)), "{ended:?}");
    }

    #[test]
    fn a_failure_at_another_clause_than_is_expected_fails() {
        let expectations = parse(&format!("['{CASE}']{SAYS}")).unwrap();
        let judged = |clause| judged_after(&expectations, Ended::Failed("got S_OK".to_owned()), &[clause]);

        assert!(matches!(judged("core:job.resume.empty"), Ended::Expected { .. }));
        assert!(matches!(judged("core:job.suspend.ok"), Ended::Failed(_)));
    }

    #[test]
    fn a_panic_and_a_hang_are_never_expected() {
        let expectations = parse(&format!("['{CASE}']\nsays = ['1']")).unwrap();

        for why in [format!("{PANICKED}: at 1"), format!("{HANGS}: for 120 s")] {
            assert!(matches!(judged(&expectations, Ended::Failed(why)), Ended::Failed(_)));
        }
    }

    #[test]
    fn what_is_skipped_or_not_listed_stays_as_it_is() {
        let listed = parse(&format!("['{CASE}']{SAYS}")).unwrap();
        assert!(matches!(judged(&listed, Ended::Skipped("no time".to_owned())), Ended::Skipped(_)));

        let other = parse(&format!("['manager::a_new_job_has_a_guid_of_its_own']{SAYS}")).unwrap();
        assert!(matches!(judged(&other, Ended::Failed("S_OK".to_owned())), Ended::Failed(why) if why == "S_OK"));
    }

    #[test]
    fn the_lists_of_the_project_are_sound() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/expectations");
        let all = choose(MODULES, None).unwrap();

        for file in fs::read_dir(folder).unwrap() {
            Expectations::read(&file.unwrap().path(), &all).unwrap();
        }
    }

    #[test]
    fn a_line_that_means_nothing_is_named() {
        for (cases, culprit) in [
            (&format!("['manager::no_such_case']{SAYS}"), "manager::no_such_case"),
            (&format!("['no_such_module::*']{SAYS}"), "no_such_module::*"),
            (&format!("['manager::*', 'manager::a_new_job_has_a_guid_of_its_own']{SAYS}"), "is listed already"),
            (&"[]".to_owned(), "no case"),
            (&format!("['{CASE}']"), "what the failures say"),
            (&format!("['{CASE}']\nsays = ['']"), "what the failures say"),
            (
                &format!(
                    "['{CASE}']{SAYS}\n[[gap]]\nreason = 'a'\nclauses = ['job.resume.empty']{SAYS}\ncases = ['manager::*']"
                ),
                "core:job.resume.empty",
            ),
            (&format!("['{CASE}']\nclaims = ['a']"), "claims"),
            (&format!("['{CASE}']{SAYS}\n[[gap]]\nreason = ' '\nclauses = []\ncases = []"), "empty"),
            (
                &format!(
                    "['{CASE}']{SAYS}\n[[gap]]\nreason = 'a'\nclauses = ['no.such']{SAYS}\ncases = ['manager::*']"
                ),
                "no.such",
            ),
        ] {
            let error = parse(cases).unwrap_err();
            assert!(error.starts_with("known.toml: ") && error.contains(culprit), "{error}");
        }
    }
}
