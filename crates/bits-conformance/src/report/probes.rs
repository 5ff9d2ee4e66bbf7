//! What probes have seen: to a person, to a program.

use std::fmt::Write;

use serde_json::{Value, json};

use super::ended::ProbeEnded;
use crate::probes::run::Observation;

/// Each decision with what was chosen and what was seen, then the sum.
pub(super) fn human(observations: &[Observation]) -> String {
    let mut text = String::new();
    for Observation { decision, answer } in observations {
        let (ended, words) = ProbeEnded::of(answer);
        _ = writeln!(text, "{}\n    {:<10}{}\n    {:<10}{words}", decision.id(), "chosen", decision.chose(), ended);
    }
    let count = |wanted: ProbeEnded| observations.iter().filter(|one| ProbeEnded::of(&one.answer).0 == wanted).count();
    let sum = [ProbeEnded::Seen, ProbeEnded::Skipped, ProbeEnded::Failed, ProbeEnded::NoProbe]
        .map(|ended| format!("{} {ended}", count(ended)));
    text + &format!("\n{} decisions: {}\n", observations.len(), sum.join(", "))
}

/// A list with an object for each decision.
pub(super) fn json(observations: &[Observation]) -> Value {
    let objects = observations.iter().map(|Observation { decision, answer }| {
        let (ended, words) = ProbeEnded::of(answer);
        let (seen, why) = if ended == ProbeEnded::Seen { (Some(words), None) } else { (None, Some(words)) };
        json!({
            "decision": decision.id(),
            "chose": decision.chose(),
            "ended": ended,
            "seen": seen,
            "why": why,
        })
    });
    objects.collect()
}
