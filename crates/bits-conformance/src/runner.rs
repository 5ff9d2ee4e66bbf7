//! Runs cases in parallel, each on a bench of its own.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::bench::{Bench, Limits};
use crate::case::Entry;
use crate::claims::{Claim, Outcome, Stop};

/// How long one case may take; a provider that hangs must not hang the run.
const PATIENCE: Duration = Duration::from_mins(2);

/// How a case ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Passed,
    Failed(String),
    /// With the reason.
    Skipped(String),
}

/// One case that was run.
pub(crate) struct CaseReport {
    pub(crate) entry: Entry,
    pub(crate) ended: Ended,
    pub(crate) claims: Vec<Claim>,
    pub(crate) took: Duration,
}

/// A claim that passed although its expectation was falsified.
pub(crate) struct Survivor {
    pub(crate) case: String,
    pub(crate) clause: String,
}

/// A whole run.
pub(crate) struct Report {
    pub(crate) cases: Vec<CaseReport>,
    /// How many claims were falsified, and which of them nobody noticed; `None` without sabotage.
    pub(crate) sabotage: Option<(usize, Vec<Survivor>)>,
    pub(crate) took: Duration,
}

impl Report {
    pub(crate) fn failures(&self) -> impl Iterator<Item = (&CaseReport, &str)> {
        self.cases.iter().filter_map(|case| match &case.ended {
            Ended::Failed(why) => Some((case, why.as_str())),
            _ => None,
        })
    }

    /// Whether no case failed and no falsified claim survived.
    pub(crate) fn is_good(&self) -> bool {
        self.failures().next().is_none() && self.sabotage.as_ref().is_none_or(|(_, survivors)| survivors.is_empty())
    }
}

/// Runs `entries`, then with `sabotage` each again once for each of its claims.
///
/// # Errors
/// The names of cases that do not come to an end.
pub(crate) fn run(entries: &[Entry], limits: &Limits, sabotage: bool) -> Result<Report, String> {
    let began = Instant::now();
    let tries = entries.iter().map(|entry| Try { entry: *entry, falsified: None }).collect();
    let cases: Vec<_> = perform(tries, limits)?.into_iter().map(Done::into_report).collect();
    let sabotage = sabotage.then(|| falsify(&cases, limits)).transpose()?;
    Ok(Report { cases, sabotage, took: began.elapsed() })
}

fn falsify(cases: &[CaseReport], limits: &Limits) -> Result<(usize, Vec<Survivor>), String> {
    let passed = cases.iter().filter(|case| matches!(case.ended, Ended::Passed));
    let tries: Vec<_> = passed
        .flat_map(|case| (0..case.claims.len()).map(|claim| Try { entry: case.entry, falsified: Some(claim) }))
        .collect();
    let count = tries.len();
    let survivors = perform(tries, limits)?.into_iter().filter_map(Done::into_survivor);
    Ok((count, survivors.collect()))
}

/// One run of a case.
#[derive(Clone, Copy)]
struct Try {
    entry: Entry,
    falsified: Option<usize>,
}

/// What came of it.
struct Done {
    entry: Entry,
    falsified: Option<usize>,
    outcome: Outcome,
    claims: Vec<Claim>,
    took: Duration,
}

impl Done {
    /// What a falsified run comes to when its claim did not fail.
    fn into_survivor(self) -> Option<Survivor> {
        let claim = self.claims.get(self.falsified?);
        let is_noticed = self.outcome.is_err() && claim.is_some_and(|claim| !claim.held);
        let clause = claim.map_or("a claim that it did not reach again".to_owned(), |claim| claim.clause.full_id());
        (!is_noticed).then(|| Survivor { case: self.entry.name(), clause })
    }

    fn into_report(self) -> CaseReport {
        let ended = match self.outcome {
            Ok(()) if self.claims.is_empty() => Ended::Failed("the case claims nothing".to_owned()),
            Ok(()) => Ended::Passed,
            Err(Stop::Failed(why)) => Ended::Failed(why),
            Err(Stop::Skipped(why)) => Ended::Skipped(why),
        };
        CaseReport { entry: self.entry, ended, claims: self.claims, took: self.took }
    }
}

/// Carries out all tries; the results come in the order of the tries.
fn perform(tries: Vec<Try>, limits: &Limits) -> Result<Vec<Done>, String> {
    let count = tries.len();
    let shared = Arc::new(Shared { tries, next: AtomicUsize::new(0), busy: Mutex::default(), limits: limits.clone() });
    let (results, finished) = channel();
    for _ in 0..limits.threads().min(count) {
        let (shared, results) = (Arc::clone(&shared), results.clone());
        thread::Builder::new()
            .name("case".to_owned())
            .spawn(move || shared.work(&results))
            .map_err(|error| format!("cannot start a thread: {error}"))?;
    }
    drop(results);
    let mut done: Vec<Option<Done>> = (0..count).map(|_| None).collect();
    for _ in 0..count {
        let (place, result) = finished.recv_timeout(PATIENCE).map_err(|_| shared.hanging())?;
        done[place] = Some(result);
    }
    Ok(done.into_iter().flatten().collect())
}

struct Shared {
    tries: Vec<Try>,
    next: AtomicUsize,
    busy: Mutex<BTreeSet<usize>>,
    limits: Limits,
}

impl Shared {
    fn work(&self, results: &Sender<(usize, Done)>) {
        loop {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = self.tries.get(place) else { return };
            self.busy().insert(place);
            let done = attempt(*task, &self.limits);
            self.busy().remove(&place);
            if results.send((place, done)).is_err() {
                return;
            }
        }
    }

    fn busy(&self) -> std::sync::MutexGuard<'_, BTreeSet<usize>> {
        self.busy.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn hanging(&self) -> String {
        let names: Vec<_> = self.busy().iter().map(|place| self.tries[*place].entry.name()).collect();
        format!("no case has ended for {} s; running are {}", PATIENCE.as_secs(), names.join(", "))
    }
}

fn attempt(task: Try, limits: &Limits) -> Done {
    let began = Instant::now();
    let mut bench = Bench::new(limits.clone(), task.falsified);
    let outcome = catch_unwind(AssertUnwindSafe(|| (task.entry.case.run)(&mut bench)))
        .unwrap_or_else(|panic| Err(Stop::Failed(format!("it panicked: {}", panic_message(panic.as_ref())))));
    let claims = bench.into_claims();
    Done { entry: task.entry, falsified: task.falsified, outcome, claims, took: began.elapsed() }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("(no message)")
}
