//! What has happened, for whoever looks at a failing seed, and its hash.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use bits_engine::{Action, Change};
use bits_world::clock::Monotonic;

/// How many events a failure shows.
const SHOWN: usize = 60;

/// The events of one run. Clones share them: they are still there when the run has panicked.
#[derive(Clone, Default)]
pub(crate) struct Trace(Rc<RefCell<Events>>);

#[derive(Default)]
struct Events {
    hash: u64,
    count: u64,
    last: VecDeque<String>,
    prints: bool,
}

impl Trace {
    /// A trace that also prints each event as it happens.
    pub(crate) fn printing() -> Self {
        let trace = Self::default();
        trace.0.borrow_mut().prints = true;
        trace
    }

    pub(crate) fn note(&self, now: Monotonic, event: fmt::Arguments<'_>) {
        let mut events = self.0.borrow_mut();
        let line = format!("{now} {event}");
        if events.prints {
            println!("{line}");
        }
        // FNV-1a over every line.
        let start = if events.count == 0 { 0xCBF2_9CE4_8422_2325 } else { events.hash };
        events.hash =
            line.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
        events.count += 1;
        if events.last.len() == SHOWN {
            events.last.pop_front();
        }
        events.last.push_back(line);
    }

    /// Changes with every event, and with their order.
    pub(crate) fn hash(&self) -> u64 {
        self.0.borrow().hash
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.borrow().count
    }

    pub(crate) fn last(&self) -> Vec<String> {
        self.0.borrow().last.iter().cloned().collect()
    }
}

/// An action in few words: a record is shown without what no fault has to do with.
pub(crate) struct Brief<'a>(pub(crate) &'a Action);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Action::Persist(Change::Job(job)) => {
                let (key, state, code) = (job.key.0, job.state, job.error.map(|error| error.code));
                write!(f, "Persist job {key} {state} {code:?} {:?} {:?}", job.failing_since, job.retry_at)
            }
            Action::Persist(Change::File(file)) => {
                let (job, place, size) = (file.job.0, file.index.0, file.validators.map(|known| known.size));
                write!(f, "Persist file {place} of job {job} {:?} {size:?} {:?}", file.stage, file.temporary)
            }
            Action::Trace(transition, _) => {
                let (job, from, to) = (transition.job.0, transition.from, transition.to);
                write!(f, "job {job} from {from:?} to {to}: {}", transition.cause)
            }
            other => write!(f, "{other:?}"),
        }
    }
}
