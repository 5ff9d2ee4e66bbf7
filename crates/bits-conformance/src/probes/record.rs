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
///
/// # Errors
/// The first probe that has seen nothing: it would be missing.
pub(crate) fn write(observations: &[Observation]) -> Result<String, String> {
    let mut text = HEAD.to_owned();
    for Observation { decision, answer } in observations {
        let id = decision.id();
        match answer {
            Answer::Seen(seen) => _ = writeln!(text, "{id:?} = {}", toml::Value::from(seen.as_str())),
            Answer::NoProbe(_) => {}
            Answer::Skipped(why) | Answer::Failed(why) => {
                return Err(format!("the probe of {id} has no answer: {why}"));
            }
        }
    }
    Ok(text)
}

/// Where `observations` are not what is on record; what was skipped is then a difference where all
/// capabilities are there. With `whole`, also what is on record of probes that are not there.
///
/// # Errors
/// When the record cannot be read.
pub(crate) fn compare(
    observations: &[Observation],
    whole: bool,
    lacks_something: bool,
) -> Result<Vec<Difference>, String> {
    compare_with(FILE, observations, whole, lacks_something)
}

fn compare_with(
    file: &str,
    observations: &[Observation],
    whole: bool,
    lacks_something: bool,
) -> Result<Vec<Difference>, String> {
    let mut record: BTreeMap<String, String> =
        toml::from_str(file).map_err(|error| format!("fixtures/probes/emulator.toml: {error}"))?;
    let mut differences = Vec::new();
    for observation in observations {
        let id = observation.decision.id();
        let recorded = record.remove(id);
        let now = match &observation.answer {
            Answer::Seen(seen) => Some(seen.clone()),
            Answer::Failed(why) => Some(format!("(it failed: {why})")),
            Answer::Skipped(_) if lacks_something => continue,
            Answer::Skipped(why) => Some(format!("(it was skipped: {why})")),
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

    fn record(text: &str) -> String {
        write(&seen(text)).expect("a record")
    }

    #[test]
    fn what_was_written_is_what_is_on_record() {
        let record = record("a \"b\" \\c");
        assert_eq!(compare_with(&record, &seen("a \"b\" \\c"), true, false), Ok(vec![]));
    }

    #[test]
    fn another_answer_is_a_difference() {
        let differences = compare_with(&record("S_OK"), &seen("S_FALSE"), true, false).expect("a record");
        let [only] = &differences[..] else { panic!("{differences:?}") };
        assert_eq!((only.recorded.as_deref(), only.now.as_deref()), (Some("S_OK"), Some("S_FALSE")));
    }

    #[test]
    fn a_probe_without_an_answer_is_a_difference_but_where_something_is_lacking() {
        let failed = [observation(Answer::Failed("a step".to_owned()))];
        let skipped = [observation(Answer::Skipped("no world".to_owned()))];
        let differences = |of: &[Observation], lacks| compare_with(&record("S_OK"), of, true, lacks).unwrap().len();
        assert_eq!([differences(&failed, false), differences(&failed, true)], [1, 1]);
        assert_eq!([differences(&skipped, false), differences(&skipped, true)], [1, 0]);
    }

    #[test]
    fn a_probe_without_an_answer_cannot_be_recorded() {
        for answer in [Answer::Failed("a step".to_owned()), Answer::Skipped("no world".to_owned())] {
            let error = write(&[observation(answer)]).unwrap_err();
            assert!(error.contains(Decisions::get().all()[0].id()), "{error}");
        }
    }

    #[test]
    fn what_is_on_record_of_no_probe_is_a_difference_of_the_whole() {
        assert_eq!(compare_with("gone = 'S_OK'", &[], true, false).expect("a record").len(), 1);
        assert_eq!(compare_with("gone = 'S_OK'", &[], false, false), Ok(vec![]));
    }
}
