//! Threads on which applications are asked: as many as there are that think, however long they do.
//!
//! A thread costs more to start than to wake, a good part of what a whole handshake costs. So one
//! that is done waits a while for the next question. None waits for another: whoever finds nobody
//! idle gets a new one.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SendError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// What is to be asked.
pub(crate) type Question = Box<dyn FnOnce() + Send>;

/// How long a thread waits for another question.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many wait at most; others that are done end.
const MOST_IDLE: usize = 8;

/// How often a thread has begun to wait. Each wait has a number of its own: one that was chosen
/// and is not told yet must not find another in its place.
static WAITS: AtomicU64 = AtomicU64::new(0);
/// Those that wait, by their numbers.
static IDLE: Mutex<Vec<(u64, Sender<Question>)>> = Mutex::new(Vec::new());

fn idle() -> MutexGuard<'static, Vec<(u64, Sender<Question>)>> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks on a thread that may block; false when there is none to be had, and nobody was asked.
pub(crate) fn ask(mut question: Question) -> bool {
    loop {
        let Some((_, asker)) = idle().pop() else { break };
        match asker.send(question) {
            Ok(()) => return true,
            Err(SendError(unasked)) => question = unasked,
        }
    }
    thread::Builder::new().name("bits-application".into()).spawn(move || work(question)).is_ok()
}

fn work(mut question: Question) {
    let (asker, questions) = channel();
    loop {
        // Whoever waits for an answer learns of a panic from the question's end.
        let _ = catch_unwind(AssertUnwindSafe(question));
        let Some(next) = next(&asker, &questions) else { return };
        question = next;
    }
}

/// The next question, if one comes in time.
fn next(asker: &Sender<Question>, questions: &Receiver<Question>) -> Option<Question> {
    let number = {
        let mut idle = idle();
        if idle.len() >= MOST_IDLE {
            return None;
        }
        let number = WAITS.fetch_add(1, Ordering::Relaxed);
        idle.push((number, asker.clone()));
        number
    };
    questions.recv_timeout(PATIENCE).ok().or_else(|| {
        let mut idle = idle();
        let place = idle.iter().position(|(other, _)| *other == number);
        if let Some(place) = place {
            idle.remove(place);
            None
        } else {
            // Somebody has just chosen this one.
            drop(idle);
            questions.recv().ok()
        }
    })
}
