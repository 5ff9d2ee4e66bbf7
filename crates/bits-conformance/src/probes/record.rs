//! What the emulator is on record to tell: `fixtures/probes/emulator.toml`, built into the program.
//!
//! The record is written by `probe --record`, never by hand. A probe that rots, and a decision that
//! comes out otherwise than before, is a difference from it.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::run::{Answer, Observation};

const FILE: &str = include_str!("../../../../fixtures/probes/emulator.toml");

const HEAD: &str = "\
# What the emulator answers to each probe, by the id of the decision. Written by
#     cargo run -p bits-conformance -- probe --record fixtures/probes/emulator.toml
# A test compares it with what the emulator answers today.

";

/// A probe whose answer is not the one on record.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Difference {
    pub(crate) id: String,
    /// What is on record, if anything is.
    pub(crate) recorded: Option<String>,
    /// What came of the probe now, if there is one.
    pub(crate) now: Option<String>,
}

/// The record as a file.
pub(crate) fn write(observations: &[Observation]) -> String {
    let mut text = HEAD.to_owned();
    for observation in observations {
        if let Answer::Seen(seen) = &observation.answer {
            _ = writeln!(text, "{:?} = {}", observation.decision.id(), toml::Value::from(seen.as_str()));
        }
    }
    text
}

/// Where `observations` are not what is on record; with `whole`, also what is on record of probes
/// that are not there.
///
/// # Errors
/// When the record cannot be read.
pub(crate) fn compare(observations: &[Observation], whole: bool) -> Result<Vec<Difference>, String> {
    compare_with(FILE, observations, whole)
}

fn compare_with(file: &str, observations: &[Observation], whole: bool) -> Result<Vec<Difference>, String> {
    let mut record: BTreeMap<String, String> =
        toml::from_str(file).map_err(|error| format!("fixtures/probes/emulator.toml: {error}"))?;
    let mut differences = Vec::new();
    for observation in observations {
        let id = observation.decision.id();
        let recorded = record.remove(id);
        let now = match &observation.answer {
            Answer::Seen(seen) => Some(seen.clone()),
            Answer::Failed(why) => Some(format!("(it failed: {why})")),
            // Whoever takes a capability away does not ask what is on record.
            Answer::Skipped(_) => continue,
            Answer::NoProbe(_) => None,
        };
        if recorded != now {
            differences.push(Difference { id: id.to_owned(), recorded, now });
        }
    }
    if whole {
        differences.extend(record.into_iter().map(|(id, recorded)| Difference {
            id,
            recorded: Some(recorded),
            now: None,
        }));
    }
    Ok(differences)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decisions::Decisions;

    fn observation(answer: Answer) -> Observation {
        Observation { decision: Decisions::get().all().first().expect("a decision"), answer }
    }

    fn seen(text: &str) -> [Observation; 1] {
        [observation(Answer::Seen(text.to_owned()))]
    }

    #[test]
    fn what_was_written_is_what_is_on_record() {
        let record = write(&seen("a \"b\" \\c"));
        assert_eq!(compare_with(&record, &seen("a \"b\" \\c"), true), Ok(vec![]));
    }

    #[test]
    fn another_answer_is_a_difference() {
        let differences = compare_with(&write(&seen("S_OK")), &seen("S_FALSE"), true).expect("a record");
        let [only] = &differences[..] else { panic!("{differences:?}") };
        assert_eq!((only.recorded.as_deref(), only.now.as_deref()), (Some("S_OK"), Some("S_FALSE")));
    }

    #[test]
    fn a_probe_that_fails_is_a_difference_and_one_that_is_skipped_is_none() {
        let record = write(&seen("S_OK"));
        let failed = [observation(Answer::Failed("a step".to_owned()))];
        assert_eq!(compare_with(&record, &failed, true).expect("a record").len(), 1);
        let skipped = [observation(Answer::Skipped("no world".to_owned()))];
        assert_eq!(compare_with(&record, &skipped, true), Ok(vec![]));
    }

    #[test]
    fn what_is_on_record_of_no_probe_is_a_difference_of_the_whole() {
        assert_eq!(compare_with("gone = 'S_OK'", &[], true).expect("a record").len(), 1);
        assert_eq!(compare_with("gone = 'S_OK'", &[], false), Ok(vec![]));
    }
}
