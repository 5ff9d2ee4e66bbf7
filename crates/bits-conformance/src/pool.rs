//! Carries out pieces of work on a few threads, and finds out which of them hang.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::bench::Limits;
use crate::claims::Stop;

/// How long one piece may take; a provider that hangs must not hang the run.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);

/// The name of the threads, whose panics are told in the report.
pub(crate) const THREAD: &str = "case";

/// A piece of work.
pub(crate) trait Task: Send + Sync + 'static {
    /// What came of it.
    type Done: Send + 'static;

    fn perform(&self, limits: &Limits) -> Self::Done;

    /// What it comes to when it does not end; `why` tells so.
    fn hangs(&self, why: String) -> Self::Done;
}

/// Carries out all tasks; the results come in the order of the tasks.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn perform<T: Task>(tasks: Vec<T>, limits: &Limits) -> Result<Vec<T::Done>, String> {
    let count = tasks.len();
    let shared = Arc::new(Shared { tasks, next: AtomicUsize::new(0), busy: Mutex::default(), limits: limits.clone() });
    let (results, finished) = channel();
    for _ in 0..limits.threads().min(count) {
        shared.start(&results)?;
    }
    let mut done: Vec<Option<T::Done>> = (0..count).map(|_| None).collect();
    let mut left = count;
    while left > 0 {
        match finished.recv_timeout(PATIENCE) {
            // What was given up may come to its end after all.
            Ok((place, _)) if done[place].is_some() => {}
            Ok((place, result)) => {
                done[place] = Some(result);
                left -= 1;
            }
            Err(_) => {
                // Another thread takes the place of each that hangs.
                for place in shared.give_up() {
                    shared.start(&results)?;
                    done[place] = Some(shared.tasks[place].hangs(hanging()));
                    left -= 1;
                }
            }
        }
    }
    Ok(done.into_iter().flatten().collect())
}

fn hanging() -> String {
    format!("it has not come to its end within {} s: a call hangs", PATIENCE.as_secs())
}

/// What `work` gives; a panic is a failure of the task alone.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(Stop::Failed(format!("it panicked: {}", panic_message(panic.as_ref())))))
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("(no message)")
}

struct Shared<T> {
    tasks: Vec<T>,
    next: AtomicUsize,
    busy: Mutex<BTreeSet<usize>>,
    limits: Limits,
}

impl<T: Task> Shared<T> {
    fn start(self: &Arc<Self>, results: &Sender<(usize, T::Done)>) -> Result<(), String> {
        let (shared, results) = (Arc::clone(self), results.clone());
        let started = thread::Builder::new().name(THREAD.to_owned()).spawn(move || shared.work(&results));
        started.map(drop).map_err(|error| format!("cannot start a thread: {error}"))
    }

    fn work(&self, results: &Sender<(usize, T::Done)>) {
        loop {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = self.tasks.get(place) else { return };
            self.busy().insert(place);
            let done = task.perform(&self.limits);
            let is_awaited = self.busy().remove(&place);
            if results.send((place, done)).is_err() || !is_awaited {
                return;
            }
        }
    }

    /// The tasks that are under way, for which nobody waits from now on.
    fn give_up(&self) -> BTreeSet<usize> {
        std::mem::take(&mut self.busy())
    }

    fn busy(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
