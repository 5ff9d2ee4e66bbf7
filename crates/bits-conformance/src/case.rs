//! Cases: plain functions in tables, a table for each module.

use crate::bench::Bench;
use crate::claims::Outcome;
use crate::source;
use crate::spec::{Clause, Spec};

/// One case: a function that gets a bench, named as the behaviour that it shows.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&mut Bench) -> Outcome,
}

/// The cases of one source file.
pub(crate) struct Module {
    pub(crate) name: &'static str,
    pub(crate) source: &'static str,
    pub(crate) cases: &'static [Case],
}

/// A case with the module that it stands in.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) module: &'static Module,
    pub(crate) case: &'static Case,
}

impl Entry {
    /// `module::case`.
    pub(crate) fn name(&self) -> String {
        format!("{}::{}", self.module.name, self.case.name)
    }

    /// Whether `filter` is a part of its name, or an id in its body, or the first parts of one.
    fn matches(&self, filter: &str) -> bool {
        self.name().contains(filter) || Self::mentions(self.body(), filter)
    }

    /// Whether `text`, of this case or its module, has a clause of that id, in a table for example.
    fn mentions(text: &str, filter: &str) -> bool {
        source::strings(text).any(|name| Spec::get().find(name).is_ok() && is_named(name, filter))
    }

    fn body(&self) -> &'static str {
        source::body(self.module.source, self.case.name)
    }
}

/// Whether `filter` is the id, or the first parts of the id, of the clause called
/// `name`. The file may be left away.
pub(crate) fn is_named(name: &str, filter: &str) -> bool {
    let full = Spec::get().find(name).map_or_else(|_| name.to_owned(), Clause::full_id);
    let bare = full.split_once(':').map_or(full.as_str(), |(_, id)| id);
    [full.as_str(), bare]
        .into_iter()
        .filter_map(|id| id.strip_prefix(filter))
        .any(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Makes sure that every claim of `modules` names one clause.
///
/// # Errors
/// The first module and id for which it does not.
pub(crate) fn check(modules: &[Module]) -> Result<(), String> {
    for module in modules {
        for name in source::claimed_names(module.source) {
            Spec::get().find(name).map_err(|error| format!("cases/{}.rs: {error}", module.name))?;
        }
    }
    Ok(())
}

/// The cases that `filter` chooses; all without one.
///
/// # Errors
/// When it chooses none.
pub(crate) fn choose(modules: &'static [Module], filter: Option<&str>) -> Result<Vec<Entry>, String> {
    let all = || modules.iter().flat_map(|module| module.cases.iter().map(move |case| Entry { module, case }));
    let Some(filter) = filter else { return Ok(all().collect()) };
    // What has the name, or the clause in its body, else somewhere in the file.
    let ways: [&dyn Fn(&Entry) -> bool; 2] =
        [&|entry| entry.matches(filter), &|entry| Entry::mentions(entry.module.source, filter)];
    let chosen = ways.into_iter().map(|way| all().filter(way).collect::<Vec<_>>());
    chosen
        .into_iter()
        .find(|chosen| !chosen.is_empty())
        .ok_or_else(|| format!("no case has {filter:?} in its name, and none claims a clause of that id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::MODULES;

    #[test]
    fn every_claim_names_a_clause() {
        assert_eq!(check(MODULES), Ok(()));
    }

    #[test]
    fn case_names_are_unique_in_their_module() {
        for module in MODULES {
            for (place, case) in module.cases.iter().enumerate() {
                let again = module.cases[..place].iter().any(|earlier| earlier.name == case.name);
                assert!(!again, "{}::{}", module.name, case.name);
            }
        }
    }

    #[test]
    fn a_filter_chooses_by_clause_and_by_name() {
        let by_clause = choose(MODULES, Some("lifecycle.edge.resume_empty")).unwrap();
        assert!(by_clause.iter().any(|entry| entry.case.name == "resume_of_an_empty_job_fails"));
        assert!(by_clause.len() < 5);
        let by_topic = choose(MODULES, Some("job.resume")).unwrap();
        assert!(by_topic.len() > by_clause.len());
        assert!(choose(MODULES, Some("core:job.resume.empty")).is_ok());
        assert!(choose(MODULES, Some("job.res")).is_err());
        assert!(choose(MODULES, Some("resume_of_an_empty_job_fails")).is_ok());
        assert!(choose(MODULES, Some("no.such.thing")).is_err());
    }

    #[test]
    fn a_clause_is_found_wherever_it_stands_in_a_case() {
        let chosen = choose(MODULES, Some("uac.query_elevation")).unwrap();
        let names: Vec<_> = chosen.iter().map(|entry| entry.case.name).collect();
        assert_eq!(names, ["elevation_is_told_as_it_was", "elevation_is_neither_administration_nor_integrity"]);
    }
}
