//! What a provider is known to get wrong: a file of `fixtures/expectations/`, given with `--expect`.
//!
//! An expected failure does not fail a run. One that was not expected does, and so does a case that
//! passes, or is not even run, although it is expected to fail, and a text that no failure has: a line that
//! has become wrong must not stay.

use std::collections::{HashMap, HashSet};
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
    /// What stands where a failed claim is told that has this reason, one of these. What describes the clause
    /// has words of its own, and they excuse nothing.
    #[serde(default)]
    says: Vec<String>,
    /// The same of a case that ends where nothing is claimed: of a call, its code and its name, with a `*`
    /// for what stands between them.
    #[serde(default)]
    ends: Vec<String>,
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
    /// passes, is skipped, fails at another clause, or says something else.
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
                Ended::Skipped(why) => {
                    Ended::Failed(format!("it is skipped ({why}), but {source} expects it to fail: {reason}"))
                }
                expected @ Ended::Expected { .. } => expected,
            };
        }
    }

    /// Fails a case of each gap all of whose cases were run and have failed as expected, where it has a text
    /// that none of them says.
    pub(crate) fn judge_texts(&self, cases: &mut [CaseReport]) {
        for (place, gap) in self.gaps.iter().enumerate() {
            let listed: HashSet<_> =
                self.by_case.iter().filter(|(_, of)| **of == place).map(|(name, _)| name).collect();
            let (mut left, mut unsaid) = (listed.len(), gap.texts().collect::<Vec<_>>());
            for case in cases.iter().filter(|case| listed.contains(&case.entry.name())) {
                let Ended::Expected { why, .. } = &case.ended else { continue };
                left -= 1;
                let said = gap.texts_for(&case.claims);
                unsaid.retain(|text| !(said.contains(text) && is_said(text, claims::told(why))));
            }
            let first = cases.iter_mut().find(|case| listed.contains(&case.entry.name()));
            if let (0, [text, ..], Some(case)) = (left, &unsaid[..], first) {
                let (source, reason) = (&self.source, &gap.reason);
                case.ended = Ended::Failed(format!("no case says {text:?}, as {source} has it: {reason}"));
            }
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
        if self.texts().next().is_none() || self.texts().any(|text| text.split('*').all(|part| part.trim().is_empty()))
        {
            return Err("it does not tell what the failures say".to_owned());
        }
        self.clauses.iter().try_for_each(|name| match Spec::get().find(name)?.full_id() {
            full if full == *name => Ok(()),
            full => Err(format!("the clause {name:?} is to be called {full:?}")),
        })
    }

    fn texts(&self) -> impl Iterator<Item = &String> {
        self.says.iter().chain(&self.ends)
    }

    /// The texts of which a case says one that fails after those claims.
    fn texts_for(&self, claims: &[Claim]) -> &[String] {
        if claims.iter().all(|claim| claim.held) { &self.ends } else { &self.says }
    }

    /// Whether a failure with this message, after those claims, comes of the gap. A case that panics or
    /// hangs is a fault of the suite, whatever it was that it met.
    fn has(&self, why: &str, claims: &[Claim]) -> bool {
        if why.starts_with(PANICKED) || why.starts_with(HANGS) {
            return false;
        }
        let breaks = |claim: &Claim| self.clauses.iter().any(|name| *name == claim.clause.full_id());
        let told = claims::told(why);
        let is_said = self.texts_for(claims).iter().any(|text| is_said(text, told));
        is_said && claims.iter().all(|claim| claim.held || breaks(claim))
    }
}

/// Whether all parts of `text` that a `*` separates stand in `told`, in their order.
fn is_said(text: &str, told: &str) -> bool {
    let mut rest = Some(told);
    for part in text.split('*') {
        rest = rest.and_then(|rest| rest.split_once(part)).map(|(_, rest)| rest);
    }
    rest.is_some()
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

    /// What the tests' gap says, wherever a case ends.
    const SAYS: &str = "\nsays = ['S_OK']\nends = ['S_OK']";

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
        let expectations = parse(&format!("['{CASE}']\nends = ['E_NOTIMPL']")).unwrap();

        assert!(matches!(judged(&expectations, Ended::Failed("got E_NOTIMPL".to_owned())), Ended::Expected { .. }));
        assert!(matches!(judged(&expectations, Ended::Failed("got S_OK".to_owned())), Ended::Failed(_)));
    }

    #[test]
    fn what_describes_the_clause_excuses_no_failure() {
        let expectations = parse(&format!("['{CASE}']\nends = ['suspended']")).unwrap();
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
        let expectations = parse(&format!("['{CASE}']\nends = ['1']")).unwrap();

        for why in [format!("{PANICKED}: at 1"), format!("{HANGS}: for 120 s")] {
            assert!(matches!(judged(&expectations, Ended::Failed(why)), Ended::Failed(_)));
        }
    }

    #[test]
    fn a_failure_where_nothing_is_claimed_is_told_apart_from_a_failed_claim() {
        let expectations = parse(&format!("['{CASE}']\nsays = ['S_OK']\nends = ['E_NOTIMPL']")).unwrap();
        let judged = |why: &str, broken: &[&str]| judged_after(&expectations, Ended::Failed(why.to_owned()), broken);

        assert!(matches!(judged("S_OK", &["core:job.resume.empty"]), Ended::Expected { .. }));
        assert!(matches!(judged("E_NOTIMPL", &[]), Ended::Expected { .. }));
        assert!(matches!(judged("S_OK", &[]), Ended::Failed(_)));
        assert!(matches!(judged("E_NOTIMPL", &["core:job.resume.empty"]), Ended::Failed(_)));
    }

    #[test]
    fn the_parts_of_a_text_stand_in_their_order() {
        let told = "failed with 0x80004002 E_NOINTERFACE: let job = c.new_job()?.job5()?;";

        assert!(is_said("E_NOINTERFACE: *.job5()?", told) && is_said("let job", told));
        assert!(!is_said(".job5()?*E_NOINTERFACE", told) && !is_said("E_NOINTERFACE: *.job4()?", told));
    }

    #[test]
    fn a_text_that_no_failure_says_fails_a_case_of_its_gap() {
        for (says, stays) in [("'S_OK'", true), ("'S_OK', 'S_FALSE'", false)] {
            let expectations = parse(&format!("['{CASE}']\nends = [{says}]")).unwrap();
            let entry = choose(MODULES, Some(CASE)).unwrap()[0];
            let ended = Ended::Failed("got S_OK".to_owned());
            let mut cases = [CaseReport { entry, ended, claims: Vec::new(), took: Duration::ZERO }];
            expectations.judge(&mut cases);

            expectations.judge_texts(&mut cases);

            let [case] = cases;
            match case.ended {
                Ended::Expected { .. } => assert!(stays),
                Ended::Failed(why) => assert!(!stays && why.contains("S_FALSE") && why.contains("known.toml"), "{why}"),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_texts_of_a_gap_are_not_judged_by_some_of_its_cases() {
        let expectations = parse("['job_state_calls::*']\nends = ['S_OK', 'S_FALSE']").unwrap();
        let entry = choose(MODULES, Some(CASE)).unwrap()[0];
        let ended = Ended::Failed("got S_OK".to_owned());
        let mut cases = [CaseReport { entry, ended, claims: Vec::new(), took: Duration::ZERO }];
        expectations.judge(&mut cases);

        expectations.judge_texts(&mut cases);

        assert!(matches!(&cases[0].ended, Ended::Expected { .. }));
    }

    #[test]
    fn a_case_that_is_skipped_shows_nothing_of_its_gap() {
        let listed = parse(&format!("['{CASE}']{SAYS}")).unwrap();

        let ended = judged(&listed, Ended::Skipped("no time".to_owned()));

        assert!(
            matches!(&ended, Ended::Failed(why) if why.contains("no time") && why.contains("known.toml")),
            "{ended:?}"
        );
    }

    #[test]
    fn what_is_not_listed_stays_as_it_is() {
        let other = parse(&format!("['manager::a_new_job_has_a_guid_of_its_own']{SAYS}")).unwrap();

        assert!(matches!(judged(&other, Ended::Failed("S_OK".to_owned())), Ended::Failed(why) if why == "S_OK"));
        assert!(matches!(judged(&other, Ended::Skipped("no time".to_owned())), Ended::Skipped(_)));
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
            (&format!("['{CASE}']\nends = ['*']"), "what the failures say"),
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
