//! How cases and probes end, in the words of a saved report: for whoever writes and whoever reads it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::probes::run::Answer;
use crate::runner;

/// How a case ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum CaseEnded {
    Passed,
    Failed,
    /// As a list of expected failures has it.
    #[serde(rename = "failed as expected")]
    Expected,
    Skipped,
}

impl CaseEnded {
    pub(super) fn of(ended: &runner::Ended) -> Self {
        match ended {
            runner::Ended::Passed => Self::Passed,
            runner::Ended::Failed(_) => Self::Failed,
            runner::Ended::Expected { .. } => Self::Expected,
            runner::Ended::Skipped(_) => Self::Skipped,
        }
    }

    /// As a report has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Expected => "failed as expected",
            Self::Skipped => "skipped",
        }
    }

    /// Whether something in the case did not hold, expected or not.
    pub(super) fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Expected)
    }
}

/// What came of a probe.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ProbeEnded {
    Seen,
    Skipped,
    Failed,
    #[serde(rename = "no probe")]
    NoProbe,
}

impl ProbeEnded {
    /// With what the probe has to say.
    pub(super) fn of(answer: &Answer) -> (Self, &str) {
        match answer {
            Answer::Seen(seen) => (Self::Seen, seen),
            Answer::Skipped(why) => (Self::Skipped, why),
            Answer::Failed(why) => (Self::Failed, why),
            Answer::NoProbe(why) => (Self::NoProbe, why),
        }
    }
}

impl fmt::Display for ProbeEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Seen => "seen",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::NoProbe => "no probe",
        })
    }
}
