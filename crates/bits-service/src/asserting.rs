//! Assertions on the timeline, whose failures tell what happened instead.

use std::fmt::{Debug, Write};

use bits_api::{Guid, JobState};

use crate::timeline::{Timeline, What, short};

impl Timeline {
    /// The callbacks of `job` that were called, by their methods, oldest first.
    pub fn callbacks(&self, job: Guid) -> Vec<&'static str> {
        let method = |what| if let What::Callback { method } = what { Some(method) } else { None };
        self.of_job(job).into_iter().filter_map(|entry| method(entry.what)).collect()
    }

    /// Asserts that `job` went through exactly these states, in this order.
    ///
    /// # Panics
    /// When it did not, with both sequences, the first difference and what the timeline tells of
    /// the job.
    #[track_caller]
    pub fn assert_states(&self, job: Guid, expected: &[JobState]) {
        let named = |states: &[JobState]| states.iter().map(|state| short(*state)).collect::<Vec<_>>();
        self.assert_same("states", job, &named(&self.states(job)), &named(expected));
    }

    /// Asserts that exactly these methods of callbacks were called for `job`, in this order.
    ///
    /// # Panics
    /// As [`Timeline::assert_states`] does.
    #[track_caller]
    pub fn assert_callbacks(&self, job: Guid, expected: &[&str]) {
        self.assert_same("callbacks", job, &self.callbacks(job), expected);
    }

    /// Asserts that the lines of `job` hold these texts in this order, others between them or not:
    /// `["QUEUED → CONNECTING", "callback JobTransferred", "Complete"]`. A line counts for one text;
    /// that of a call stands where the call came back.
    ///
    /// # Panics
    /// When one is missing, with the text, where it was looked for and what the timeline tells of
    /// the job.
    #[track_caller]
    pub fn assert_in_order(&self, job: Guid, expected: &[&str]) {
        let lines: Vec<String> = self.of_job(job).iter().map(|entry| entry.what.to_string()).collect();
        let mut from = 0;
        for (place, text) in expected.iter().enumerate() {
            let Some(found) = lines[from..].iter().position(|line| line.contains(text)) else {
                let after = if place == 0 { "at all".into() } else { format!("after {:?}", expected[place - 1]) };
                let number = place + 1;
                panic!("{text:?} (text {number} of {}) does not come {after}{}", expected.len(), self.told(job));
            };
            from += found + 1;
        }
    }

    #[track_caller]
    fn assert_same<T: PartialEq + Debug>(&self, what: &str, job: Guid, got: &[T], expected: &[T]) {
        if got == expected {
            return;
        }
        let differs = got.iter().zip(expected).position(|(got, expected)| got != expected);
        let (place, number) = match differs {
            Some(place) => (place, place + 1),
            None => (got.len().min(expected.len()), got.len().min(expected.len()) + 1),
        };
        let side = |side: &[T]| side.get(place).map_or_else(|| "nothing".to_owned(), |one| format!("{one:?}"));
        panic!(
            "the {what} of the job are others\n  expected {expected:?}\n       got {got:?}\nnumber {number}: expected {}, got {}{}",
            side(expected),
            side(got),
            self.told(job)
        );
    }

    /// What is known of a job, for a failure.
    fn told(&self, job: Guid) -> String {
        self.of_job(job).iter().fold(format!("\nthe timeline of job {job}:\n"), |mut told, entry| {
            _ = writeln!(told, "{entry}");
            told
        })
    }
}
