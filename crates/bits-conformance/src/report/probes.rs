//! What probes have seen: to a person, to a program.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::probes::run::{Answer, Observation};

/// Each decision with what was chosen and what was seen, then the sum.
pub(super) fn human(observations: &[Observation]) -> String {
    let mut text = String::new();
    for Observation { decision, answer } in observations {
        let (ended, words) = in_words(answer);
        _ = writeln!(text, "{}\n    {:<10}{}\n    {:<10}{words}", decision.id(), "chosen", decision.chose(), ended);
    }
    let count = |wanted: &str| observations.iter().filter(|one| in_words(&one.answer).0 == wanted).count();
    let sum = [SEEN, SKIPPED, FAILED, NO_PROBE].map(|ended| format!("{} {ended}", count(ended)));
    text + &format!("\n{} decisions: {}\n", observations.len(), sum.join(", "))
}

/// A list with an object for each decision.
pub(super) fn json(observations: &[Observation]) -> Value {
    let objects = observations.iter().map(|Observation { decision, answer }| {
        let (ended, words) = in_words(answer);
        let (seen, why) = if ended == SEEN { (Some(words), None) } else { (None, Some(words)) };
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

const SEEN: &str = "seen";
const SKIPPED: &str = "skipped";
const FAILED: &str = "failed";
const NO_PROBE: &str = "no probe";

fn in_words(answer: &Answer) -> (&'static str, &str) {
    match answer {
        Answer::Seen(seen) => (SEEN, seen),
        Answer::Skipped(why) => (SKIPPED, why),
        Answer::Failed(why) => (FAILED, why),
        Answer::NoProbe(why) => (NO_PROBE, why),
    }
}
