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

    fn name(&self) -> String;
    fn perform(&self, limits: &Limits) -> Self::Done;
}

/// Carries out all tasks; the results come in the order of the tasks.
///
/// # Errors
/// The names of tasks that do not come to an end.
pub(crate) fn perform<T: Task>(tasks: Vec<T>, limits: &Limits) -> Result<Vec<T::Done>, String> {
    let count = tasks.len();
    let shared = Arc::new(Shared { tasks, next: AtomicUsize::new(0), busy: Mutex::default(), limits: limits.clone() });
    let (results, finished) = channel();
    for _ in 0..limits.threads().min(count) {
        let (shared, results) = (Arc::clone(&shared), results.clone());
        thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || shared.work(&results))
            .map_err(|error| format!("cannot start a thread: {error}"))?;
    }
    drop(results);
    let mut done: Vec<Option<T::Done>> = (0..count).map(|_| None).collect();
    for _ in 0..count {
        let (place, result) = finished.recv_timeout(PATIENCE).map_err(|_| shared.hanging())?;
        done[place] = Some(result);
    }
    Ok(done.into_iter().flatten().collect())
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
    fn work(&self, results: &Sender<(usize, T::Done)>) {
        loop {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = self.tasks.get(place) else { return };
            self.busy().insert(place);
            let done = task.perform(&self.limits);
            self.busy().remove(&place);
            if results.send((place, done)).is_err() {
                return;
            }
        }
    }

    fn busy(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hanging(&self) -> String {
        let names: Vec<_> = self.busy().iter().map(|place| self.tasks[*place].name()).collect();
        format!("nothing has ended for {} s; running are {}", PATIENCE.as_secs(), names.join(", "))
    }
}
