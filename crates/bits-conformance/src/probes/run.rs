//! Runs probes, each on a bench of its own, and gathers what they tell.

use std::time::Duration;

use crate::bench::{Bench, Limits};
use crate::claims::Stop;
use crate::decisions::{Decision, Decisions};
use crate::pool::{Task, guarded, perform};

use super::Probe;

/// How long a probe waits in real time for one thing to happen. Whatever real BITS does by itself it
/// does within seconds; where it does not, that is what was seen.
const PATIENCE: Duration = Duration::from_secs(15);

/// What came of asking.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    /// What the backend does.
    Seen(String),
    /// The provider cannot do what the probe needs.
    Skipped(String),
    /// A step on the way did not work, or never came to its end.
    Failed(String),
    /// No program can ask, and why.
    NoProbe(String),
}

/// A decision, and what the backend does about it.
#[derive(Clone)]
pub(crate) struct Observation {
    pub(crate) decision: &'static Decision,
    pub(crate) answer: Answer,
}

impl Observation {
    /// What did not work on the way, if that is what came of it.
    pub(crate) fn failure(&self) -> Option<&str> {
        if let Answer::Failed(why) = &self.answer { Some(why) } else { None }
    }
}

/// The decisions whose id, or one of whose clauses, is `filter` or begins with it; all without one.
pub(crate) fn choose(filter: Option<&str>) -> Vec<&'static Decision> {
    let chosen = |decision: &&Decision| filter.is_none_or(|filter| decision.is_named(filter));
    Decisions::get().all().iter().filter(chosen).collect()
}

/// How many of `decisions` a program can ask about.
pub(crate) fn count(decisions: &[&'static Decision]) -> usize {
    decisions.iter().filter(|decision| decision.no_probe().is_none()).count()
}

/// Asks about each of `decisions`; the answers come in their order.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn run(decisions: &[&'static Decision], limits: &Limits) -> Result<Vec<Observation>, String> {
    let asked = decisions.iter().filter_map(|decision| find(decision.id())).collect();
    let mut answers = perform(asked, limits)?.into_iter();
    let observed = decisions.iter().map(|decision| {
        let answer = match decision.no_probe() {
            Some(why) => Answer::NoProbe(why.to_owned()),
            None => answers.next().unwrap_or_else(|| Answer::Failed("it never came to its end".to_owned())),
        };
        Observation { decision, answer }
    });
    Ok(observed.collect())
}

fn find(id: &str) -> Option<&'static Probe> {
    super::all().find(|probe| probe.id == id)
}

impl Task for &'static Probe {
    type Done = Answer;

    fn name(&self) -> String {
        format!("the probe {}", self.id)
    }

    fn perform(&self, limits: &Limits) -> Answer {
        let mut bench = Bench::new(Limits { patience: PATIENCE, ..limits.clone() }, None);
        match guarded(|| (self.ask)(&mut bench)) {
            Ok(seen) => Answer::Seen(seen.into_text()),
            Err(Stop::Skipped(why)) => Answer::Skipped(why),
            Err(Stop::Failed(why)) => Answer::Failed(why),
        }
    }

    fn hangs(&self, why: String, _: Duration) -> Answer {
        Answer::Failed(why)
    }
}
