//! The decisions in two runs side by side: what was chosen, and what each BITS does.

use std::collections::BTreeMap;

use serde::Serialize;

use super::saved::SavedProbe;

/// What two runs have seen of a decision.
#[derive(Debug, Serialize)]
pub(super) struct Decided {
    pub(super) decision: String,
    pub(super) chose: String,
    /// As in the report of a run; absent where the run did not ask.
    pub(super) a: Option<SavedProbe>,
    pub(super) b: Option<SavedProbe>,
    /// How the two stand to each other.
    pub(super) verdict: Verdict,
}

/// How what two runs have seen stands to each other.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    Same,
    Different,
    /// At least one run has seen nothing.
    Open,
}

/// What was seen of each decision, in the order of run A, then what B alone was asked.
pub(super) fn decided(a: Vec<SavedProbe>, b: Vec<SavedProbe>) -> Vec<Decided> {
    let mut of_b: BTreeMap<String, SavedProbe> =
        b.iter().map(|probe| (probe.decision.clone(), probe.clone())).collect();
    let mut decided: Vec<_> = a
        .into_iter()
        .map(|a| {
            let b = of_b.remove(&a.decision);
            side_by_side(Some(a), b)
        })
        .collect();
    decided.extend(b.into_iter().filter(|b| of_b.contains_key(&b.decision)).map(|b| side_by_side(None, Some(b))));
    decided
}

fn side_by_side(a: Option<SavedProbe>, b: Option<SavedProbe>) -> Decided {
    let named = a.as_ref().or(b.as_ref());
    let (decision, chose) = named.map(|probe| (probe.decision.clone(), probe.chose.clone())).unwrap_or_default();
    let seen = |probe: &Option<SavedProbe>| probe.as_ref().and_then(|probe| probe.seen.clone());
    let verdict = match (seen(&a), seen(&b)) {
        (Some(a), Some(b)) if a == b => Verdict::Same,
        (Some(_), Some(_)) => Verdict::Different,
        _ => Verdict::Open,
    };
    Decided { decision, chose, a, b, verdict }
}

impl Decided {
    /// What was chosen and what was seen, for a person.
    pub(super) fn told(&self) -> String {
        let Self { decision, chose, a, b, .. } = self;
        let [a, b] = [a, b].map(|probe| in_words(probe.as_ref()));
        format!("\n{decision}\n    chosen  {chose}\n    A       {a}\n    B       {b}\n")
    }
}

fn in_words(probe: Option<&SavedProbe>) -> String {
    let Some(probe) = probe else { return "(not asked)".to_owned() };
    match (&probe.seen, &probe.why) {
        (Some(seen), _) => seen.clone(),
        (None, Some(why)) => format!("({}: {why})", probe.ended),
        (None, None) => format!("({})", probe.ended),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ended::ProbeEnded;
    use super::*;

    fn probe(decision: &str, seen: Option<&str>) -> SavedProbe {
        let why = seen.is_none().then(|| "no world".to_owned());
        let ended = if seen.is_some() { ProbeEnded::Seen } else { ProbeEnded::Skipped };
        SavedProbe {
            decision: decision.to_owned(),
            chose: "S_OK".to_owned(),
            ended,
            seen: seen.map(str::to_owned),
            why,
        }
    }

    #[test]
    fn each_decision_stands_there_with_what_both_have_seen() {
        let a = vec![probe("x", Some("S_OK")), probe("y", Some("S_OK")), probe("z", Some("S_OK"))];
        let b = vec![probe("w", Some("S_OK")), probe("x", Some("S_FALSE")), probe("y", Some("S_OK")), probe("z", None)];

        let decided = decided(a, b);

        let verdicts: Vec<_> = decided.iter().map(|one| (one.decision.as_str(), one.verdict)).collect();
        let expected = [("x", Verdict::Different), ("y", Verdict::Same), ("z", Verdict::Open), ("w", Verdict::Open)];
        assert_eq!(verdicts, expected);
        let told = |place: usize| decided[place].told();
        assert_eq!(told(0), "\nx\n    chosen  S_OK\n    A       S_OK\n    B       S_FALSE\n");
        assert!(told(2).ends_with("    A       S_OK\n    B       (skipped: no world)\n"), "{}", told(2));
        assert!(told(3).ends_with("    A       (not asked)\n    B       S_OK\n"), "{}", told(3));
    }
}
