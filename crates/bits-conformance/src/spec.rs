//! The clauses of `fixtures/spec/`, built into the program.
//!
//! Nothing here knows of cases. A clause is read, never changed: what the suite makes of it (proven,
//! decided, demoted) is computed elsewhere.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::expected::Codes;

/// The files with clauses, by the name that coverage prints.
const FILES: &[(&str, &str)] = &[
    ("core", include_str!("../../../fixtures/spec/core.toml")),
    ("credentials-and-http", include_str!("../../../fixtures/spec/credentials-and-http.toml")),
    ("later-interfaces", include_str!("../../../fixtures/spec/later-interfaces.toml")),
    ("service", include_str!("../../../fixtures/spec/service.toml")),
    ("upload-protocol", include_str!("../../../fixtures/spec/upload-protocol.toml")),
    ("bitsadmin", include_str!("../../../fixtures/spec/bitsadmin.toml")),
    ("powershell", include_str!("../../../fixtures/spec/powershell.toml")),
    ("support", include_str!("../../../fixtures/spec/support.toml")),
    ("observed", include_str!("../../../fixtures/spec/observed.toml")),
];

/// The result codes, which are no clauses.
const HRESULTS: &str = include_str!("../../../fixtures/spec/hresults.toml");

/// One documented fact; the README of `fixtures/spec/` explains the fields.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Clause {
    /// The name of its file, without extension.
    #[serde(skip)]
    pub(crate) file: &'static str,
    pub(crate) id: String,
    call: String,
    since: Option<String>,
    kind: Option<String>,
    pub(crate) when: String,
    pub(crate) then: String,
    pub(crate) hresult: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) portable: bool,
    layer: Option<String>,
    #[serde(default)]
    pub(crate) open: bool,
    /// Why the mark `portable` or `layer` is another than the page would have it.
    pub(crate) demoted: Option<String>,
    note: Option<String>,
    source: String,
}

impl Clause {
    /// Whether it speaks of the binary COM interface only.
    pub(crate) fn is_abi(&self) -> bool {
        self.layer.as_deref() == Some("abi")
    }

    /// The first part of the id.
    pub(crate) fn topic(&self) -> &str {
        self.id.split('.').next().unwrap_or(&self.id)
    }

    /// `file:id`, which is never ambiguous.
    pub(crate) fn full_id(&self) -> String {
        format!("{}:{}", self.file, self.id)
    }

    /// Makes sure that a demotion says what it did, and that a decision answers for it.
    pub(crate) fn check_demotion(&self, is_decided: bool) -> Result<(), String> {
        match &self.demoted {
            Some(_) if self.portable && !self.is_abi() => {
                Err(format!("{} is demoted, but its marks are not", self.full_id()))
            }
            Some(_) if !is_decided => Err(format!("{} is demoted without a decision", self.full_id())),
            _ => Ok(()),
        }
    }

    /// Everything that its page says, for a person.
    pub(crate) fn describe(&self) -> String {
        let mut text = format!("{} ({}): {} => {}", self.full_id(), self.call, self.when, self.then);
        for (label, field) in [("since", &self.since), ("kind", &self.kind), ("note", &self.note)] {
            if let Some(field) = field.as_deref().filter(|field| !field.is_empty()) {
                _ = write!(text, "; {label}: {field}");
            }
        }
        text + "; source: " + &self.source
    }
}

#[derive(Deserialize)]
struct ClauseFile {
    clause: Vec<Clause>,
}

/// All clauses, and the codes that they name.
pub(crate) struct Spec {
    clauses: Vec<Clause>,
    by_id: HashMap<String, Vec<usize>>,
    pub(crate) codes: Codes,
}

impl Spec {
    /// The built-in clauses.
    pub(crate) fn get() -> &'static Self {
        static SPEC: LazyLock<Spec> = LazyLock::new(|| Spec::load().unwrap_or_else(|error| panic!("{error}")));
        &SPEC
    }

    fn load() -> Result<Self, String> {
        let mut clauses = Vec::new();
        for (file, text) in FILES {
            let read: ClauseFile =
                toml::from_str(text).map_err(|error| format!("fixtures/spec/{file}.toml: {error}"))?;
            clauses.extend(read.clause.into_iter().map(|clause| Clause {
                file,
                hresult: clause.hresult.filter(|text| !text.is_empty()),
                value: clause.value.filter(|text| !text.is_empty()),
                ..clause
            }));
        }
        let mut by_id: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, clause) in clauses.iter().enumerate() {
            by_id.entry(clause.id.clone()).or_default().push(place);
            by_id.entry(clause.full_id()).or_default().push(place);
        }
        let codes = Codes::load(HRESULTS).map_err(|error| format!("fixtures/spec/hresults.toml: {error}"))?;
        Ok(Self { clauses, by_id, codes })
    }

    /// Every clause, file by file.
    pub(crate) fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// The clause called `name`: its id, or `file:id`.
    pub(crate) fn find(&self, name: &str) -> Result<&Clause, String> {
        let places = self.by_id.get(name).map_or(&[][..], Vec::as_slice);
        match places {
            [place] => Ok(&self.clauses[*place]),
            [] => Err(format!("no clause is called {name:?}")),
            several => {
                let files = several.iter().map(|place| self.clauses[*place].full_id()).collect::<Vec<_>>();
                Err(format!("several clauses are called {name:?}: write {}", files.join(" or ")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expected::Expected;

    #[test]
    fn ids_are_unique_in_their_file() {
        let spec = Spec::get();
        for clause in spec.clauses() {
            assert!(spec.find(&clause.full_id()).is_ok(), "{}", clause.full_id());
        }
    }

    #[test]
    fn a_demotion_needs_another_mark_and_a_decision() {
        let clause = |portable: bool| -> Clause {
            let text = "id = 'a'\ncall = ''\nwhen = ''\nthen = ''\nsource = ''\ndemoted = 'why'";
            toml::from_str(&format!("{text}\nportable = {portable}")).unwrap()
        };
        assert!(clause(true).check_demotion(true).is_err());
        assert!(clause(false).check_demotion(false).is_err());
        assert_eq!(clause(false).check_demotion(true), Ok(()));
    }

    #[test]
    fn an_ambiguous_id_needs_its_file() {
        let error = Spec::get().find("job.resume.empty").unwrap_err();
        assert!(error.contains("core:job.resume.empty or observed:job.resume.empty"), "{error}");
    }

    #[test]
    fn every_code_that_a_clause_names_is_known() {
        let spec = Spec::get();
        for clause in spec.clauses() {
            if let Some(text) = &clause.hresult {
                let parsed = Expected::parse(text, &spec.codes);
                assert!(parsed.is_ok(), "{}: {}", clause.full_id(), parsed.unwrap_err());
            }
        }
    }
}
