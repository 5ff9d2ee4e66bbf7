//! What must not hang or fail for ever for a reason that lies outside the suite.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Between two tries at a file that somebody else holds. Nobody tells that it is free.
const AGAIN: Duration = Duration::from_millis(50);

/// Does `work` on a thread of its own, and waits for it for that long. What hangs is left alone.
///
/// # Errors
/// In one line that names the step, when it has not come to its end.
pub(crate) fn call<T: Send + 'static>(
    step: &str,
    bound: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let (ended, end) = channel();
    let work = move || {
        // Nobody waits any more for what took too long.
        let _ = ended.send(work());
    };
    let started = thread::Builder::new().name(step.to_owned()).spawn(work);
    started.map_err(|error| format!("{step}: cannot start a thread: {error}"))?;
    end.recv_timeout(bound).map_err(|error| match error {
        RecvTimeoutError::Timeout => format!("{step} has taken longer than {} s: a call hangs", bound.as_secs()),
        RecvTimeoutError::Disconnected => format!("{step} has panicked"),
    })
}

/// Tries until it works, at most for that long.
///
/// # Errors
/// That of the last try.
pub(crate) fn patiently<T>(bound: Duration, mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let began = Instant::now();
    loop {
        match attempt() {
            Err(_) if began.elapsed() < bound => thread::sleep(AGAIN),
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_hangs_is_named_and_left_alone() {
        let (_end, hangs) = channel::<()>();

        let error = call("connecting", Duration::ZERO, move || hangs.recv()).expect_err("it hangs");

        assert_eq!(error, "connecting has taken longer than 0 s: a call hangs");
    }

    #[test]
    fn what_a_call_gives_comes_back() {
        assert_eq!(call("counting", Duration::from_secs(20), || 7), Ok(7));
    }

    #[test]
    fn what_is_held_for_a_moment_is_tried_again_and_what_stays_so_is_told() {
        let held = || io::Error::from(io::ErrorKind::PermissionDenied);
        let mut tries = 0;

        let after_a_moment = patiently(Duration::from_secs(20), || {
            tries += 1;
            if tries < 3 { Err(held()) } else { Ok(tries) }
        });
        let never = patiently(Duration::ZERO, || Err::<(), _>(held()));

        assert_eq!(after_a_moment.ok(), Some(3));
        assert_eq!(never.map_err(|error| error.kind()), Err(io::ErrorKind::PermissionDenied));
    }
}
