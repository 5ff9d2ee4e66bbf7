//! Carries out pieces of work on a few threads, and finds out which of them hang.
//!
//! Where pieces share one queue, nothing is started beside one that hangs: it is given up, and must
//! have come to its end before the next begins. Where the service has ended that they share, nothing more is.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bits_api::Hresult;

use crate::bench::{GivenUp, Limits};
use crate::claims::Stop;

/// How the reason begins when a case or a probe has panicked.
pub(crate) const PANICKED: &str = "it panicked";
/// How the reason begins when it has been given up.
pub(crate) const HANGS: &str = "it has not come to its end";

/// How long what was given up may take to notice it.
const ENDING: Duration = Duration::from_secs(30);

/// The name of the threads, whose panics are told in the report.
pub(crate) const THREAD: &str = "case";

/// A piece of work.
pub(crate) trait Task: Send + Sync + 'static {
    /// What came of it.
    type Done: Send + 'static;

    /// What a person calls it.
    fn name(&self) -> String;

    fn perform(&self, limits: &Limits) -> Self::Done;

    /// What it comes to when it has not ended after `took`; `why` tells so.
    fn hangs(&self, why: String, took: Duration) -> Self::Done;
}

/// Carries out all tasks; the results come in the order of the tasks.
///
/// # Errors
/// When no thread can be started, one task hangs and no other can be started beside it, or the service
/// that all are carried out on has ended.
pub(crate) fn perform<T: Task>(tasks: Vec<T>, limits: &Limits) -> Result<Vec<T::Done>, String> {
    perform_within(tasks, limits, Bounds { task: limits.task_bound(), ending: ENDING })
}

/// How long things may take.
#[derive(Clone, Copy)]
struct Bounds {
    /// One piece; a provider that hangs must not hang the run.
    task: Duration,
    /// The end of a piece that was given up.
    ending: Duration,
}

fn perform_within<T: Task>(tasks: Vec<T>, limits: &Limits, bounds: Bounds) -> Result<Vec<T::Done>, String> {
    let count = tasks.len();
    let shared = Arc::new(Shared { tasks, next: AtomicUsize::new(0), busy: Mutex::default(), limits: limits.clone() });
    let (results, finished) = channel();
    for _ in 0..limits.threads().min(count) {
        shared.start(&results)?;
    }
    let mut done: Vec<Option<T::Done>> = (0..count).map(|_| None).collect();
    let mut left = count;
    while left > 0 {
        match finished.recv_timeout(shared.until_one_is_late(bounds.task)) {
            // What was given up may come to its end after all.
            Ok(Ok((place, _))) if done[place].is_some() => {}
            Ok(Ok((place, result))) => {
                done[place] = Some(result);
                left -= 1;
            }
            Ok(Err(lost)) => return Err(shared.abandoned(lost)),
            Err(_) => {
                for place in shared.give_up(bounds.task) {
                    if limits.threads() == 1 {
                        shared.await_end(place, &finished, bounds)?;
                    }
                    shared.start(&results)?;
                    done[place] = Some(shared.tasks[place].hangs(hanging(bounds.task), bounds.task));
                    left -= 1;
                }
            }
        }
    }
    Ok(done.into_iter().flatten().collect())
}

/// What is sent when a task has ended: what came of it, or that the service has ended too.
type Sent<D> = Result<(usize, D), String>;

fn hanging(bound: Duration) -> String {
    format!("{HANGS} within {} s", bound.as_secs())
}

/// What `work` gives; a panic is a failure of the task alone.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(Stop::Failed(format!("{PANICKED}: {}", panic_message(panic.as_ref())))))
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("(no message)")
}

struct Shared<T> {
    tasks: Vec<T>,
    next: AtomicUsize,
    /// The tasks under way: since when, and how they learn that nobody waits for them any more.
    busy: Mutex<BTreeMap<usize, (Instant, GivenUp)>>,
    limits: Limits,
}

impl<T: Task> Shared<T> {
    fn start(self: &Arc<Self>, results: &Sender<Sent<T::Done>>) -> Result<(), String> {
        let (shared, results) = (Arc::clone(self), results.clone());
        started(move || shared.work(&results))
    }

    fn work(&self, results: &Sender<Sent<T::Done>>) {
        loop {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = self.tasks.get(place) else { return };
            let limits = Limits { given_up: GivenUp::default(), ..self.limits.clone() };
            self.busy().insert(place, (Instant::now(), limits.given_up.clone()));
            limits.progress.begins(task.name());
            let done = task.perform(&limits);
            // This may hang as well.
            let lost = self.limits.provider.lost();
            let is_awaited = self.busy().remove(&place).is_some();
            let sent = lost.map_or(Ok((place, done)), |code| Err(ended(&task.name(), code)));
            let is_last = sent.is_err() || !is_awaited;
            if results.send(sent).is_err() || is_last {
                return;
            }
        }
    }

    /// Asks nothing more of the provider, for that reason.
    fn abandoned(&self, why: String) -> String {
        self.limits.provider.abandon();
        why
    }

    /// How long it is until the first task that is under way has taken as long as `bound`.
    fn until_one_is_late(&self, bound: Duration) -> Duration {
        let left = |(since, _): &(Instant, GivenUp)| bound.saturating_sub(since.elapsed());
        self.busy().values().map(left).min().unwrap_or(bound)
    }

    /// The tasks that have taken longer than that, for which nobody waits from now on.
    fn give_up(&self, bound: Duration) -> Vec<usize> {
        let late = self.busy().extract_if(.., |_, (since, _)| since.elapsed() >= bound).collect::<Vec<_>>();
        let told = late.into_iter().map(|(place, (_, given_up))| {
            given_up.set();
            place
        });
        told.collect()
    }

    /// Cancels the jobs of a task that was given up, which was the only one, and waits for its end.
    fn await_end(&self, place: usize, finished: &Receiver<Sent<T::Done>>, bounds: Bounds) -> Result<(), String> {
        let provider = Arc::clone(&self.limits.provider);
        // Where a call hangs, this one may hang too.
        started(move || provider.cancel_jobs())?;
        match finished.recv_timeout(bounds.ending) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(lost)) => Err(self.abandoned(lost)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                let (name, ending) = (self.tasks[place].name(), bounds.ending.as_secs());
                let why = format!("{}, and not {ending} s after its jobs were cancelled", hanging(bounds.task));
                Err(self.abandoned(format!("{name} hangs: {why}; nothing can be run beside it")))
            }
        }
    }

    fn busy(&self) -> MutexGuard<'_, BTreeMap<usize, (Instant, GivenUp)>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ended(name: &str, code: Hresult) -> String {
    let advice = bits_windows::advice(code).map(|advice| format!(": {advice}")).unwrap_or_default();
    format!("BITS was lost in {name}, and nothing more is run: {code}{advice}")
}

fn started(work: impl FnOnce() + Send + 'static) -> Result<(), String> {
    let started = thread::Builder::new().name(THREAD.to_owned()).spawn(work);
    started.map(drop).map_err(|error| format!("cannot start a thread: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::ledger::tests::Jobless;
    use crate::provider::{Kind, Provider};

    /// Sooner or later each task that does not end is given up.
    const BOUNDS: Bounds = Bounds { task: Duration::from_millis(200), ending: Duration::from_secs(20) };

    enum Play {
        /// Ends when it is told that nobody waits.
        Waits(Arc<AtomicBool>),
        /// Tells whether that one has ended.
        Looks(Arc<AtomicBool>),
        /// Tells that it has begun.
        Begins(Arc<AtomicBool>),
        /// Ends when the test does.
        Hangs(Mutex<Receiver<()>>),
    }

    impl Task for Play {
        type Done = String;

        fn name(&self) -> String {
            "the play".to_owned()
        }

        fn perform(&self, limits: &Limits) -> String {
            match self {
                Self::Waits(ended) => {
                    while !limits.given_up.is_set() {
                        thread::yield_now();
                    }
                    ended.store(true, Ordering::SeqCst);
                    "it ended".to_owned()
                }
                Self::Looks(ended) => format!("ended: {}", ended.load(Ordering::SeqCst)),
                Self::Begins(begun) => {
                    begun.store(true, Ordering::SeqCst);
                    "it began".to_owned()
                }
                Self::Hangs(end) => format!("{:?}", end.lock().expect("one waits").recv()),
            }
        }

        fn hangs(&self, why: String, _: Duration) -> String {
            why
        }
    }

    fn limits() -> Limits {
        let provider = Provider::open(Kind::EmulatorLive, |_| {}).expect("the emulator");
        Limits::of(Arc::new(provider))
    }

    #[test]
    fn nothing_is_started_before_what_was_given_up_has_ended() {
        let ended = Arc::new(AtomicBool::new(false));
        let tasks = vec![Play::Waits(Arc::clone(&ended)), Play::Looks(ended)];

        let done = perform_within(tasks, &limits(), BOUNDS).expect("the run goes on");

        assert!(done[0].starts_with(HANGS), "{done:?}");
        assert_eq!(done[1], "ended: true");
    }

    #[test]
    fn what_does_not_end_where_it_is_given_up_ends_the_run_and_is_named() {
        let (_end, hangs) = channel();
        let bounds = Bounds { ending: Duration::ZERO, ..BOUNDS };

        let error = perform_within(vec![Play::Hangs(Mutex::new(hangs))], &limits(), bounds).expect_err("it hangs");

        assert!(error.starts_with("the play hangs: ") && error.lines().count() == 1, "{error}");
    }

    #[test]
    fn nothing_is_started_where_the_service_has_ended() {
        let begun = Arc::new(AtomicBool::new(false));
        let tasks = vec![Play::Looks(Arc::default()), Play::Begins(Arc::clone(&begun))];
        let service = Jobless::with(Hresult::RPC_S_SERVER_UNAVAILABLE);
        let limits = Limits::of(Arc::new(Provider::of_manager(Arc::new(service))));

        let error = perform_within(tasks, &limits, BOUNDS).expect_err("the service has ended");

        let culprit = "BITS was lost in the play, and nothing more is run: 0x800706BA";
        assert!(error.starts_with(culprit) && error.lines().count() == 1, "{error}");
        assert!(!begun.load(Ordering::SeqCst));
    }

    #[test]
    fn a_task_may_take_longer_than_its_longest_wait() {
        let limits = limits();

        assert!(limits.task_bound() > limits.max_wait);
    }
}
