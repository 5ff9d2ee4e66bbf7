//! Threads on which applications are asked and called: as many as there are that think, however long
//! they do.
//!
//! A thread costs more to start than to wake, a good part of what a whole handshake costs. So one
//! that is done waits a while for the next call. None waits for another: whoever finds nobody idle
//! gets a new one. To wake one takes its time too, and who will be asked is known before it may be:
//! so a thread is called first and told the question later, if it comes to that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SendError, Sender, TryRecvError, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What is to be asked, or done.
pub(crate) type Question = Box<dyn FnOnce() + Send>;

/// What a thread is called with: where its question comes, or the end of a call that has none.
type Call = Receiver<Question>;

/// How long a thread waits for another call.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one that was called stays awake for its question. Longer than a signature takes to check.
const AWAKE: Duration = Duration::from_micros(200);
/// So many wait at most; others that are done end.
const MOST_IDLE: usize = 8;

/// How often a thread has begun to wait. Each wait has a number of its own: one that was chosen
/// and is not told yet must not find another in its place.
static WAITS: AtomicU64 = AtomicU64::new(0);
/// Those that wait, by their numbers.
static IDLE: Mutex<Vec<(u64, Sender<Call>)>> = Mutex::new(Vec::new());

fn idle() -> MutexGuard<'static, Vec<(u64, Sender<Call>)>> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread that may block, and was called. Whoever drops it has no question.
#[derive(Debug)]
pub(crate) struct Asker(Sender<Question>);

impl Asker {
    /// Asks; false when the thread is no more, and nobody was asked.
    pub(crate) fn ask(self, question: Question) -> bool {
        self.0.send(question).is_ok()
    }
}

/// Runs code of a client, or whatever else may block, on a thread of this process that nothing else
/// runs on meanwhile; never waits. Returns false when there is none to be had: then nothing was run,
/// and `code` is dropped here. A panic ends with the code.
pub fn run_elsewhere(code: Question) -> bool {
    call().is_some_and(|thread| thread.ask(code))
}

/// Calls a thread; `None` when there is none to be had.
pub(crate) fn call() -> Option<Asker> {
    let (asker, mut call) = channel();
    loop {
        let Some((_, thread)) = idle().pop() else { break };
        match thread.send(call) {
            Ok(()) => return Some(Asker(asker)),
            Err(SendError(unheard)) => call = unheard,
        }
    }
    let thread = thread::Builder::new().name("bits-application".into());
    thread.spawn(move || work(call)).is_ok().then_some(Asker(asker))
}

fn work(mut call: Call) {
    let (line, calls) = channel();
    loop {
        if let Some(question) = question_of(&call, AWAKE) {
            // Whoever waits for an answer learns of a panic from the question's end.
            let _ = catch_unwind(AssertUnwindSafe(question));
        }
        let Some(next) = next(&line, &calls) else { return };
        call = next;
    }
}

/// What a call is for, if it comes to that. It mostly does at once: falling asleep and waking would
/// take longer.
fn question_of(call: &Call, awake: Duration) -> Option<Question> {
    let called = Instant::now();
    while called.elapsed() < awake {
        match call.try_recv() {
            Ok(question) => return Some(question),
            Err(TryRecvError::Disconnected) => return None,
            // Others that have something to do go first.
            Err(TryRecvError::Empty) => thread::yield_now(),
        }
    }
    call.recv().ok()
}

/// The next call, if one comes in time.
fn next(line: &Sender<Call>, calls: &Receiver<Call>) -> Option<Call> {
    let number = {
        let mut idle = idle();
        if idle.len() >= MOST_IDLE {
            return None;
        }
        let number = WAITS.fetch_add(1, Ordering::Relaxed);
        idle.push((number, line.clone()));
        number
    };
    calls.recv_timeout(PATIENCE).ok().or_else(|| {
        let mut idle = idle();
        let place = idle.iter().position(|(other, _)| *other == number);
        if let Some(place) = place {
            idle.remove(place);
            None
        } else {
            // Somebody has just chosen this one.
            drop(idle);
            calls.recv().ok()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than anything here takes.
    const BOUND: Duration = Duration::from_secs(20);

    /// What `asker` answers to a question.
    fn answer_of(asker: Asker) -> &'static str {
        let (tell, answer) = channel();
        assert!(asker.ask(Box::new(move || tell.send("asked").unwrap())));
        answer.recv_timeout(BOUND).unwrap()
    }

    /// Whether somebody comes to be idle.
    fn is_anybody_idle() -> bool {
        let begun = Instant::now();
        while idle().is_empty() && begun.elapsed() < BOUND {
            thread::yield_now();
        }
        !idle().is_empty()
    }

    #[test]
    fn who_is_called_for_nothing_or_meets_a_panic_waits_for_the_next_call() {
        drop(call().unwrap());
        assert!(is_anybody_idle());
        assert_eq!(answer_of(call().unwrap()), "asked");
        assert!(is_anybody_idle());

        let asker = call().unwrap();
        assert!(idle().is_empty(), "the idle one was not called");
        assert!(asker.ask(Box::new(|| panic!("an application that panics"))));

        assert!(is_anybody_idle());
        assert_eq!(answer_of(call().unwrap()), "asked");
    }

    #[test]
    fn a_question_is_waited_for_however_late_it_comes() {
        let (asker, call) = channel();
        let called = thread::spawn(move || question_of(&call, Duration::ZERO).is_some());

        assert!(Asker(asker).ask(Box::new(|| {})));

        assert!(called.join().unwrap());
    }
}
