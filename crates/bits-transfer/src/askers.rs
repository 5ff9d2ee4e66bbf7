//! Threads on which applications are asked and called: as many as there are that think, however long
//! they do.
//!
//! A thread costs more to start than to wake, a good part of what a whole handshake costs. So one
//! that is done waits a while for the next call. None waits for another: whoever finds nobody idle
//! gets a new one. To wake one takes its time too, and who will be asked is known before it may be:
//! so a thread is called first and told the question later, if it comes to that.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What is to be asked, or done.
pub(crate) type Question = Box<dyn FnOnce() + Send>;

/// What a thread is called with: where its question comes, or word that there is none.
type Call = Arc<Slot<Option<Question>>>;

/// How long a thread waits for another call.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long one that was called stays awake for its question. Longer than a signature takes to check.
const AWAKE: Duration = Duration::from_micros(200);
/// So many wait at most; others that are done end.
const MOST_IDLE: usize = 8;

/// Threads that are called, and wait to be called again.
struct Threads {
    /// Where those that wait are called.
    idle: Mutex<Vec<Arc<Slot<Call>>>>,
}

/// Those of this process.
static THREADS: Threads = Threads::new();

/// A thread that may block, and was called. Whoever drops it has no question.
pub(crate) struct Asker {
    call: Call,
    question: Option<Question>,
}

impl Asker {
    /// Asks.
    pub(crate) fn ask(mut self, question: Question) {
        self.question = Some(question);
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        self.call.put(self.question.take());
    }
}

/// Runs code of a client, or whatever else may block, on a thread of this process that nothing else
/// runs on meanwhile; never waits. Returns false when there is none to be had: then nothing was run,
/// and `code` is dropped here. A panic ends with the code.
pub fn run_elsewhere(code: Question) -> bool {
    call().map(|thread| thread.ask(code)).is_some()
}

/// Calls a thread; `None` when there is none to be had.
pub(crate) fn call() -> Option<Asker> {
    THREADS.call()
}

impl Threads {
    const fn new() -> Self {
        Self { idle: Mutex::new(Vec::new()) }
    }

    fn call(&'static self) -> Option<Asker> {
        let call = Call::default();
        let waits = self.idle().pop();
        if let Some(thread) = waits {
            thread.put(Arc::clone(&call));
        } else {
            let call = Arc::clone(&call);
            thread::Builder::new().name("bits-application".into()).spawn(move || self.work(call)).ok()?;
        }
        Some(Asker { call, question: None })
    }

    fn work(&self, mut call: Call) {
        let calls = Arc::default();
        loop {
            if let Some(question) = question_of(&call, AWAKE) {
                // Whoever waits for an answer learns of a panic from the question's end.
                let _ = catch_unwind(AssertUnwindSafe(question));
            }
            let Some(next) = self.next(&calls) else { return };
            call = next;
        }
    }

    /// The next of the `calls` of a thread, if one comes in time.
    fn next(&self, calls: &Arc<Slot<Call>>) -> Option<Call> {
        {
            let mut idle = self.idle();
            if idle.len() >= MOST_IDLE {
                return None;
            }
            idle.push(Arc::clone(calls));
        }
        calls.wait_for(PATIENCE).or_else(|| {
            let mut idle = self.idle();
            let place = idle.iter().position(|other| Arc::ptr_eq(other, calls));
            if let Some(place) = place {
                idle.remove(place);
                None
            } else {
                // Somebody has just chosen this one.
                drop(idle);
                Some(calls.wait())
            }
        })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Arc<Slot<Call>>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a call is for, if it comes to that. It mostly does at once: falling asleep and waking would
/// take longer.
fn question_of(call: &Slot<Option<Question>>, awake: Duration) -> Option<Question> {
    let called = Instant::now();
    while called.elapsed() < awake {
        if let Some(told) = call.take() {
            return told;
        }
        // Others that have something to do go first.
        thread::yield_now();
    }
    call.wait()
}

/// Where one thread puts a thing for another. There is no end to be told of: nobody waits here for what
/// does not come.
struct Slot<T> {
    thing: Mutex<Option<T>>,
    is_put: Condvar,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { thing: Mutex::default(), is_put: Condvar::new() }
    }
}

impl<T> Slot<T> {
    fn put(&self, thing: T) {
        *self.lock() = Some(thing);
        self.is_put.notify_one();
    }

    /// Takes what is there, if anything is.
    fn take(&self) -> Option<T> {
        self.lock().take()
    }

    /// Waits for what comes.
    fn wait(&self) -> T {
        let mut thing = self.lock();
        loop {
            match thing.take() {
                Some(thing) => return thing,
                None => thing = self.is_put.wait(thing).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Waits for what comes within `patience`.
    fn wait_for(&self, patience: Duration) -> Option<T> {
        let waited = self.is_put.wait_timeout_while(self.lock(), patience, |thing| thing.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.thing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// Longer than anything here takes.
    const BOUND: Duration = Duration::from_secs(20);

    /// What `asker` answers to a question.
    fn answer_of(asker: Asker) -> &'static str {
        let (tell, answer) = channel();
        asker.ask(Box::new(move || tell.send("asked").unwrap()));
        answer.recv_timeout(BOUND).unwrap()
    }

    /// Whether somebody comes to be idle.
    fn is_anybody_idle(threads: &Threads) -> bool {
        let begun = Instant::now();
        while threads.idle().is_empty() && begun.elapsed() < BOUND {
            thread::yield_now();
        }
        !threads.idle().is_empty()
    }

    #[test]
    fn who_is_called_for_nothing_or_meets_a_panic_waits_for_the_next_call() {
        static THREADS: Threads = Threads::new();
        drop(THREADS.call().unwrap());
        assert!(is_anybody_idle(&THREADS));
        assert_eq!(answer_of(THREADS.call().unwrap()), "asked");
        assert!(is_anybody_idle(&THREADS));

        let asker = THREADS.call().unwrap();
        assert!(THREADS.idle().is_empty(), "the idle one was not called");
        asker.ask(Box::new(|| panic!("an application that panics")));

        assert!(is_anybody_idle(&THREADS));
        assert_eq!(answer_of(THREADS.call().unwrap()), "asked");
    }

    #[test]
    fn a_question_is_waited_for_however_late_it_comes() {
        let call = Call::default();
        let asker = Asker { call: Arc::clone(&call), question: None };
        let called = thread::spawn(move || question_of(&call, Duration::ZERO).is_some());

        asker.ask(Box::new(|| {}));

        assert!(called.join().unwrap());
    }
}
