//! The answers to what the pages leave open: `fixtures/decisions.toml`, built into the program.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::case::is_named;
use crate::probes;
use crate::spec::{Clause, Spec};

const FILE: &str = include_str!("../../../fixtures/decisions.toml");

/// How sure a decision is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sure {
    /// Another page says so.
    Documented,
    /// Public client code relies on it, or a public test against real Windows shows it.
    Client,
    /// Somebody reports it.
    Reported,
    /// Nobody does.
    Guess,
}

/// One answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    id: String,
    /// The clauses that it answers, as `file:id`.
    clauses: Vec<String>,
    /// What was chosen.
    chose: String,
    sure: Sure,
    /// What would settle it on a real machine.
    settles: String,
    /// The code that was chosen, where the clause names none or several.
    pub(crate) hresult: Option<String>,
    /// The switch that chooses otherwise.
    switch: Option<String>,
    /// Why no program can ask what real BITS does, where none can.
    no_probe: Option<String>,
}

/// Clauses that no case shows, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unproven {
    /// As `file:id`.
    clauses: Vec<String>,
    because: String,
}

#[derive(Deserialize)]
struct DecisionFile {
    decision: Vec<Decision>,
    #[serde(default)]
    unproven: Vec<Unproven>,
}

/// All decisions.
pub(crate) struct Decisions {
    list: Vec<Decision>,
    by_clause: HashMap<String, usize>,
    /// Why a clause is not proven, by its full id.
    unproven: HashMap<String, String>,
}

impl Decisions {
    /// The built-in decisions.
    pub(crate) fn get() -> &'static Self {
        static DECISIONS: LazyLock<Decisions> = LazyLock::new(|| {
            let probes: Vec<_> = probes::all().map(|probe| probe.id).collect();
            Decisions::load(FILE, Spec::get(), &probes).unwrap_or_else(|error| panic!("{error}"))
        });
        &DECISIONS
    }

    fn load(text: &str, spec: &Spec, probes: &[&str]) -> Result<Self, String> {
        let file: DecisionFile = toml::from_str(text).map_err(|error| format!("fixtures/decisions.toml: {error}"))?;
        let mut by_clause = HashMap::new();
        for (place, decision) in file.decision.iter().enumerate() {
            let wrong = |what: String| format!("fixtures/decisions.toml: entry {}: {what}", decision.id);
            decision.check(spec).map_err(wrong)?;
            decision.check_probe(probes).map_err(wrong)?;
            if file.decision[..place].iter().any(|earlier| earlier.id == decision.id) {
                return Err(wrong("the id is taken".to_owned()));
            }
            for name in &decision.clauses {
                let clause = spec.find(name).map_err(wrong)?;
                if let Some(other) = by_clause.insert(clause.full_id(), place) {
                    return Err(wrong(format!("{name} is answered by {} already", file.decision[other].id)));
                }
            }
        }
        check_names(probes, &file.decision)?;
        for clause in spec.clauses() {
            clause.check_demotion(by_clause.contains_key(&clause.full_id()))?;
        }
        let mut unproven = HashMap::new();
        for entry in file.unproven {
            for name in &entry.clauses {
                let wrong = |what: String| format!("fixtures/decisions.toml: unproven {name}: {what}");
                let clause = spec.find(name).map_err(wrong)?;
                if unproven.insert(clause.full_id(), entry.because.clone()).is_some() {
                    return Err(wrong("it stands there twice".to_owned()));
                }
            }
        }
        Ok(Self { list: file.decision, by_clause, unproven })
    }

    /// All of them, in the order of the file.
    pub(crate) fn all(&self) -> &[Decision] {
        &self.list
    }

    /// Why no case shows `clause`, where the file says so.
    pub(crate) fn why_unproven(&self, clause: &str) -> Option<&str> {
        self.unproven.get(clause).map(String::as_str)
    }

    /// How many decisions there are, surest first.
    pub(crate) fn by_sureness(&self) -> [(Sure, usize); 4] {
        let all = [Sure::Documented, Sure::Client, Sure::Reported, Sure::Guess];
        all.map(|sure| (sure, self.list.iter().filter(|decision| decision.sure == sure).count()))
    }

    /// The decision that answers `clause`.
    pub(crate) fn answer(&self, clause: &Clause) -> Option<&Decision> {
        self.by_clause.get(&clause.full_id()).map(|place| &self.list[*place])
    }
}

impl Decision {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// What was chosen.
    pub(crate) fn chose(&self) -> &str {
        &self.chose
    }

    /// Why there is no probe for it; without a reason there is one.
    pub(crate) fn no_probe(&self) -> Option<&str> {
        self.no_probe.as_deref()
    }

    /// Whether `filter` is its id or that of one of its clauses, or the first parts of one.
    pub(crate) fn is_named(&self, filter: &str) -> bool {
        let is_part = self.id.strip_prefix(filter).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        is_part || self.clauses.iter().any(|clause| is_named(clause, filter))
    }

    /// Makes sure that it has one of `probes` or says why it has none, and not both.
    fn check_probe(&self, probes: &[&str]) -> Result<(), String> {
        match (probes.iter().filter(|id| **id == self.id).count(), &self.no_probe) {
            (1, None) | (0, Some(_)) => Ok(()),
            (0, None) => Err("it has neither a probe nor a no_probe that says why".to_owned()),
            (_, Some(_)) => Err("it has a probe, and a no_probe that says why not".to_owned()),
            (_, None) => Err("it has several probes".to_owned()),
        }
    }

    fn check(&self, spec: &Spec) -> Result<(), String> {
        let texts =
            [("chose", Some(&self.chose)), ("settles", Some(&self.settles)), ("no_probe", self.no_probe.as_ref())];
        for (field, text) in texts {
            if text.is_some_and(|text| text.trim().is_empty()) {
                return Err(format!("{field} is empty"));
            }
        }
        if let Some(name) = &self.hresult {
            spec.codes.named(name)?;
        }
        match &self.switch {
            Some(switch) if !bits_world::Decisions::IDS.contains(&switch.as_str()) => {
                Err(format!("no switch is called {switch:?}"))
            }
            _ => Ok(()),
        }
    }
}

/// Makes sure that there is a decision for each of `probes`.
fn check_names(probes: &[&str], decisions: &[Decision]) -> Result<(), String> {
    match probes.iter().find(|id| !decisions.iter().any(|decision| decision.id == **id)) {
        Some(id) => Err(format!("fixtures/decisions.toml: no entry is called {id}, but there is a probe of it")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON: &str = "chose = 'x'\nsure = 'guess'\nsettles = 'y'\n";

    fn load(entry: &str) -> Result<Decisions, String> {
        Decisions::load(&format!("[[decision]]\n{COMMON}no_probe = 'z'\n{entry}"), Spec::get(), &[])
    }

    fn check_probed(entry: &str, probes: &[&str]) -> Result<(), String> {
        let decisions: Vec<Decision> = vec![toml::from_str(&format!("{COMMON}{entry}")).expect("a decision")];
        decisions[0].check(Spec::get())?;
        decisions[0].check_probe(probes)?;
        check_names(probes, &decisions)
    }

    #[test]
    fn a_decision_has_a_probe_or_says_why_not() {
        let plain = "id = 'a'\nclauses = []";
        let excused = "id = 'a'\nclauses = []\nno_probe = 'it takes a second machine'";
        assert_eq!((check_probed(plain, &["a"]), check_probed(excused, &[])), (Ok(()), Ok(())));
        let refusals = [
            (plain, &[][..], "it has neither a probe"),
            (excused, &["a"], "it has a probe, and a no_probe"),
            (plain, &["a", "a"], "it has several probes"),
            (plain, &["a", "b"], "no entry is called b"),
            ("id = 'a'\nclauses = []\nno_probe = ' '", &[], "no_probe is empty"),
        ];
        for (entry, probes, why) in refusals {
            let error = check_probed(entry, probes).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn the_built_in_file_is_sound() {
        assert!(!Decisions::get().list.is_empty());
    }

    #[test]
    fn an_unknown_clause_is_refused_by_name() {
        let error = load("id = 'a'\nclauses = ['core:no.such']").err().unwrap();
        assert!(error.contains("entry a: no clause is called \"core:no.such\""), "{error}");
    }

    #[test]
    fn an_unknown_switch_is_refused_by_name() {
        let error = load("id = 'a'\nclauses = []\nswitch = 'no.such'").err().unwrap();
        assert!(error.contains("no switch is called \"no.such\""), "{error}");
    }

    #[test]
    fn a_clause_has_one_answer() {
        let error = load("id = 'a'\nclauses = ['core:job.suspend.auto', 'core:job.suspend.auto']").err().unwrap();
        assert!(error.contains("is answered by a already"), "{error}");
    }

    #[test]
    fn a_switch_names_an_entry() {
        for id in bits_world::Decisions::IDS {
            let named = Decisions::get().list.iter().any(|entry| entry.switch.as_deref() == Some(*id));
            assert!(named, "the switch {id} has no entry");
        }
    }
}
