//! Holding requests, so that a test can look at what waits for them.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::head;
use crate::journal::{Recorder, Request, TimedOut};

/// Where a [`Gate`] holds a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum GateAt {
    /// The request was read and nothing is answered.
    RequestSeen,
    /// The head of the answer was sent and nothing of its body. Answers that end with their head
    /// pass.
    HeadersSent,
    /// This many bytes of the answer's body were sent, counted from the start of the answer, not
    /// of the file. Shorter answers, and those without a body, pass.
    Byte(u64),
    /// The file was sent up to this byte of it. Answers that carry nothing of it, or several parts,
    /// pass, and those that begin behind it.
    OfFile(u64),
}

/// Holds the matching requests until it is opened or dropped.
pub struct Gate {
    barrier: Arc<Barrier>,
    recorder: Arc<Recorder>,
}

impl Gate {
    /// Waits until a request is held here; at once when one was held before. Blocks the thread
    /// for at most `within` of real time.
    ///
    /// # Errors
    /// [`TimedOut`] with the journal when no request came.
    pub fn wait_reached(&self, within: Duration) -> Result<Request, TimedOut> {
        let Barrier { path, at, .. } = &*self.barrier;
        let start = Instant::now();
        let mut reached = self.barrier.reached.lock().unwrap_or_else(PoisonError::into_inner);
        while reached.is_none() {
            let left = within.saturating_sub(start.elapsed());
            if left.is_zero() {
                drop(reached);
                let awaited = format!("a request held at {path}, {at:?},");
                return Err(TimedOut { awaited, within, journal: self.recorder.snapshot() });
            }
            reached = self.barrier.changed.wait_timeout(reached, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok((*reached).clone().expect("the loop ends when there is one"))
    }

    /// Lets the held requests go on, and all later ones pass. The journal says so at once.
    pub fn open(&self) {
        self.barrier.open.send_replace(true);
        let held = std::mem::take(&mut *self.barrier.held.lock().unwrap_or_else(PoisonError::into_inner));
        self.recorder.release(&held, self.barrier.at);
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gate").field(&self.barrier).finish()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

/// The side of a gate that connections run into.
#[derive(Debug)]
pub(crate) struct Barrier {
    method: Option<String>,
    path: String,
    at: GateAt,
    open: watch::Sender<bool>,
    reached: Mutex<Option<Request>>,
    /// The places in the journal of what waits here.
    held: Mutex<Vec<usize>>,
    changed: Condvar,
}

impl Barrier {
    pub(crate) fn new(method: Option<&str>, path: &str, at: GateAt) -> Arc<Self> {
        Arc::new(Self {
            method: method.map(str::to_owned),
            path: path.into(),
            at,
            open: watch::Sender::new(false),
            reached: Mutex::default(),
            held: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    pub(crate) fn gate(self: &Arc<Self>, recorder: &Arc<Recorder>) -> Gate {
        Gate { barrier: Arc::clone(self), recorder: Arc::clone(recorder) }
    }

    pub(crate) fn at(&self) -> GateAt {
        self.at
    }

    pub(crate) fn is_open(&self) -> bool {
        *self.open.borrow()
    }

    pub(crate) fn holds(&self, method: &str, path: &str) -> bool {
        !self.is_open() && self.method.as_deref().is_none_or(|wanted| wanted == method) && head::is_to(&self.path, path)
    }

    /// Tells the gate that `request` waits here.
    pub(crate) fn reach(&self, request: Request) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(request.number);
        self.reached.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(request);
        self.changed.notify_all();
    }

    /// Waits until the gate is open.
    pub(crate) async fn opened(&self) {
        // The sender lives in `self`, so that the only answer is that the value came.
        let _ = self.open.subscribe().wait_for(|open| *open).await;
    }
}
