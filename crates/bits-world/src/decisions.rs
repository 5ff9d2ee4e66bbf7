//! Choices where the documentation is silent and a wrong guess could hurt.

use std::time::Duration;

/// The decisions of `fixtures/decisions.toml` that have a switch, by the id of their entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Decisions {
    /// `sched.slice_length`: how long a background job runs before the next of its priority.
    pub time_slice: Duration,
    /// `callback.job_transferred.retry`: how long until a failed callback is called again.
    pub notify_retry: Duration,
    /// `http.stall_timeout`: how long a server may be silent before the attempt fails.
    pub stall_timeout: Duration,
}

impl Default for Decisions {
    fn default() -> Self {
        Self {
            time_slice: Duration::from_mins(5),
            notify_retry: Duration::from_mins(1),
            stall_timeout: Duration::from_mins(5),
        }
    }
}

impl Decisions {
    /// The ids that [`Decisions::set`] knows.
    pub const IDS: &[&str] = &["sched.slice_length", "callback.job_transferred.retry", "http.stall_timeout"];

    /// Takes another choice for the entry `id`; durations are whole seconds.
    ///
    /// # Errors
    /// One line that says what is wrong, for an unknown id or a value that is none.
    pub fn set(&mut self, id: &str, value: &str) -> Result<(), String> {
        let seconds = || {
            let seconds = value.parse().ok().filter(|seconds| *seconds > 0);
            seconds
                .map(Duration::from_secs)
                .ok_or_else(|| format!("decision {id}: {value:?} is not a number of seconds above 0"))
        };
        match id {
            "sched.slice_length" => self.time_slice = seconds()?,
            "callback.job_transferred.retry" => self.notify_retry = seconds()?,
            "http.stall_timeout" => self.stall_timeout = seconds()?,
            _ => return Err(format!("decision {id:?} has no switch; those that have: {}", Self::IDS.join(", "))),
        }
        Ok(())
    }
}
