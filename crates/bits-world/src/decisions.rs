//! Choices where the documentation is silent and a wrong guess could hurt.
//!
//! Where a choice decides something, a note is left: a test can tell which of its results hang on a
//! guess.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// An entry of `fixtures/decisions.toml` that has a switch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Switch {
    /// `sched.slice_length`: how long a background job runs before the next of its priority.
    TimeSlice,
    /// `callback.job_transferred.retry`: how long until a failed callback is called again.
    NotifyRetry,
    /// `http.stall_timeout`: how long a server may be silent before the attempt fails.
    StallTimeout,
}

/// What a switch takes.
#[derive(Clone, Copy)]
enum Takes {
    /// Whole seconds above 0; without another choice, so many.
    Seconds(u64),
}

struct Row {
    switch: Switch,
    /// The id of the entry.
    id: &'static str,
    takes: Takes,
}

/// Every switch, in the order of [`Switch`].
#[rustfmt::skip]
const ROWS: &[Row] = &[
    row(Switch::TimeSlice,    "sched.slice_length",             Takes::Seconds(300)),
    row(Switch::NotifyRetry,  "callback.job_transferred.retry", Takes::Seconds(60)),
    row(Switch::StallTimeout, "http.stall_timeout",             Takes::Seconds(300)),
];

const fn row(switch: Switch, id: &'static str, takes: Takes) -> Row {
    Row { switch, id, takes }
}

/// The choices of one emulator; clones share the notes of what was decided.
#[derive(Clone, Debug)]
pub struct Decisions {
    /// In the order of the table: seconds, or the place of a word.
    values: [u64; ROWS.len()],
    /// One bit for each row.
    touched: Arc<AtomicU64>,
}

/// Equal choices; what was decided so far does not count.
impl PartialEq for Decisions {
    fn eq(&self, other: &Self) -> bool {
        self.values == other.values
    }
}

impl Eq for Decisions {}

impl Default for Decisions {
    fn default() -> Self {
        let mut values = [0; ROWS.len()];
        for (value, row) in values.iter_mut().zip(ROWS) {
            *value = row.takes.unless_chosen();
        }
        Self { values, touched: Arc::default() }
    }
}

impl Decisions {
    /// The ids that [`Decisions::set`] knows.
    pub const IDS: &[&str] = &ids();

    /// Takes another choice for the entry `id`; durations are whole seconds.
    ///
    /// # Errors
    /// One line that says what is wrong, for an unknown id or a value that is none.
    pub fn set(&mut self, id: &str, value: &str) -> Result<(), String> {
        let Some((place, row)) = ROWS.iter().enumerate().find(|(_, row)| row.id == id) else {
            return Err(format!("decision {id:?} has no switch; those that have: {}", Self::IDS.join(", ")));
        };
        self.values[place] = row.takes.read(value).map_err(|wanted| format!("decision {id}: {value:?} is {wanted}"))?;
        Ok(())
    }

    /// The ids of the entries that have decided something so far, in the order of [`Decisions::IDS`].
    pub fn touched(&self) -> Vec<&'static str> {
        let touched = self.touched.load(Ordering::SeqCst);
        ROWS.iter().enumerate().filter(|(place, _)| touched & 1 << place != 0).map(|(_, row)| row.id).collect()
    }

    /// [`Switch::TimeSlice`]; whoever lets a job go by it [notes](Decisions::note) that.
    pub fn time_slice(&self) -> Duration {
        Duration::from_secs(self.values[Switch::TimeSlice as usize])
    }

    /// [`Switch::NotifyRetry`]
    pub fn notify_retry(&self) -> Duration {
        self.seconds(Switch::NotifyRetry)
    }

    /// [`Switch::StallTimeout`]; whoever gives a server up by it [notes](Decisions::note) that.
    pub fn stall_timeout(&self) -> Duration {
        Duration::from_secs(self.values[Switch::StallTimeout as usize])
    }

    /// Something hangs on what was chosen for `switch`.
    pub fn note(&self, switch: Switch) {
        self.touched.fetch_or(1 << switch as usize, Ordering::SeqCst);
    }

    fn seconds(&self, switch: Switch) -> Duration {
        Duration::from_secs(self.ask(switch))
    }

    /// What was chosen; leaves a note.
    fn ask(&self, switch: Switch) -> u64 {
        self.note(switch);
        self.values[switch as usize]
    }
}

impl Takes {
    /// The value as long as nobody has chosen.
    fn unless_chosen(self) -> u64 {
        match self {
            Self::Seconds(seconds) => seconds,
        }
    }

    /// Reads a value, or says what is wrong with it.
    fn read(self, value: &str) -> Result<u64, String> {
        match self {
            Self::Seconds(_) => {
                value.parse().ok().filter(|seconds| *seconds > 0).ok_or("not a number of seconds above 0".to_owned())
            }
        }
    }
}

const fn ids() -> [&'static str; ROWS.len()] {
    let mut ids = [""; ROWS.len()];
    let mut place = 0;
    while place < ROWS.len() {
        assert!(ROWS[place].switch as usize == place, "the table is in the order of the switches");
        ids[place] = ROWS[place].id;
        place += 1;
    }
    assert!(ROWS.len() <= 64, "one bit for each");
    ids
}
