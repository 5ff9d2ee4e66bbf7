//! What the origin has seen: every request and what became of it.

use std::fmt;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bits_world::clock::Now;

use crate::gate::GateAt;
use crate::requests::Journal;

/// One request as the origin saw it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// Its place in the journal, from 1.
    pub number: usize,
    /// The connection it came on, from 1 in the order of acceptance.
    pub connection: u64,
    /// Whether it came over TLS.
    pub https: bool,
    /// The certificate that the client has shown, as DER.
    pub certificate: Option<Arc<[u8]>>,
    /// The client's address.
    pub peer: SocketAddr,
    /// When it was seen, on the origin's clock.
    pub at: Now,
    /// The method as it was sent; `(malformed)` when the head could not be read.
    pub method: String,
    /// Path and query as they were sent; what is wrong with the head when it could not be read.
    pub path: String,
    /// What the request line asks for, as it was sent: a path, the whole URL to a proxy, or host and
    /// port of a tunnel.
    pub target: String,
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub version: String,
    /// The headers, spelled and ordered as they were sent; of what proves who the client is, the name
    /// of the scheme alone, unless [`Origin::journal_credentials`](crate::Origin::journal_credentials)
    /// asked for more.
    pub headers: Vec<(String, String)>,
    /// The account in whose name a guard let it pass.
    pub account: Option<String>,
    /// The status of the answer, once it is sent.
    pub status: Option<u16>,
    /// The parts of the file that the answer carries; empty without a body.
    pub served: Vec<Range<u64>>,
    /// Bytes of the body that were sent: before chunking, before encryption.
    pub body_sent: u64,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a request.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The answer is on its way, delayed or slow perhaps.
    Answering,
    /// A gate holds it.
    Held(GateAt),
    /// The whole answer was sent.
    Finished,
    /// The answer was cut off, for this reason.
    Cut(Cut),
}

/// Who cut an answer off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Cut {
    /// The client went away.
    Client,
    /// A script, or a file that shrank while it was sent.
    Origin,
    /// The origin was dropped, or a hook panicked.
    Shutdown,
}

impl Request {
    /// The first value of a header, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "#{} at {:?}, {scheme} connection {}: ", self.number, self.at.monotonic, self.connection)?;
        write!(f, "{} {} {}", self.method, self.path, self.version)?;
        match self.status {
            Some(status) => write!(f, " -> {status}, {} bytes of body", self.body_sent)?,
            None => f.write_str(" -> no answer")?,
        }
        if !self.served.is_empty() {
            write!(f, " of {:?}", self.served)?;
        }
        writeln!(f, ", {:?}", self.outcome)?;
        self.headers.iter().try_for_each(|(name, value)| writeln!(f, "      {name}: {value}"))
    }
}

/// Something that was waited for did not happen in time.
#[derive(thiserror::Error)]
#[error("{awaited} did not happen within {within:?} of real time; {journal}")]
pub struct TimedOut {
    pub(crate) awaited: String,
    pub(crate) within: Duration,
    pub(crate) journal: Journal,
}

/// As it displays: this is what `unwrap` prints.
impl fmt::Debug for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Is told of each request when it is seen, before anything is answered.
pub type Hook = Arc<dyn Fn(&Request) + Send + Sync>;

/// Keeps the journal while the origin runs.
#[derive(Default)]
pub(crate) struct Recorder {
    log: Mutex<Log>,
    changed: Condvar,
    hooks: Mutex<Vec<Hook>>,
    keeps_credentials: AtomicBool,
}

#[derive(Default)]
struct Log {
    requests: Vec<Request>,
    changes: u64,
}

impl Recorder {
    pub(crate) fn add_hook(&self, hook: Hook) {
        self.hooks.lock().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    /// Keeps credentials too, from now on.
    pub(crate) fn keep_credentials(&self) {
        self.keeps_credentials.store(true, Ordering::SeqCst);
    }

    /// Enters a request and tells the hooks.
    pub(crate) fn enter(self: &Arc<Self>, mut request: Request) -> Entry {
        if !self.keeps_credentials.load(Ordering::SeqCst) {
            request.headers.iter_mut().for_each(hide_credentials);
        }
        let mut log = self.lock();
        request.number = log.requests.len() + 1;
        log.requests.push(request.clone());
        log.changes += 1;
        drop(log);
        self.changed.notify_all();
        let entry = Entry { recorder: Arc::clone(self), index: request.number - 1 };
        // The hooks run without a lock: they may look at the journal or add a hook.
        let hooks = self.hooks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for hook in hooks {
            hook(&request);
        }
        entry
    }

    pub(crate) fn snapshot(&self) -> Journal {
        Journal::new(self.lock().requests.clone())
    }

    pub(crate) fn wait_until(
        &self,
        within: Duration,
        mut predicate: impl FnMut(&Journal) -> bool,
    ) -> Result<Journal, TimedOut> {
        let start = Instant::now();
        loop {
            let (journal, seen) = {
                let log = self.lock();
                (Journal::new(log.requests.clone()), log.changes)
            };
            if predicate(&journal) {
                return Ok(journal);
            }
            let log = self.lock();
            let left = within.saturating_sub(start.elapsed());
            if log.changes != seen {
                continue;
            }
            if left.is_zero() {
                return Err(TimedOut { awaited: "what was awaited of the journal".into(), within, journal });
            }
            drop(self.changed.wait_timeout(log, left).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// The requests of those numbers are held at `at` no longer.
    pub(crate) fn release(&self, numbers: &[usize], at: GateAt) {
        let mut log = self.lock();
        for number in numbers {
            if let Some(request) =
                log.requests.get_mut(number - 1).filter(|request| request.outcome == Outcome::Held(at))
            {
                request.outcome = Outcome::Answering;
                log.changes += 1;
            }
        }
        drop(log);
        self.changed.notify_all();
    }

    /// Something has changed that somebody may wait for.
    pub(crate) fn look_again(&self) {
        self.lock().changes += 1;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hide_credentials((name, value): &mut (String, String)) {
    if ["Authorization", "Proxy-Authorization"].iter().any(|hidden| hidden.eq_ignore_ascii_case(name)) {
        let scheme = value.split(' ').next().unwrap_or_default();
        *value = format!("{scheme} (hidden)");
    }
}

/// The journal's line of one request while it is served.
pub(crate) struct Entry {
    recorder: Arc<Recorder>,
    index: usize,
}

impl Entry {
    /// Does something and changes the line in one step, as seen by whoever reads the journal. A
    /// write to the socket goes through here: no client then sees a byte that the journal lacks.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Request) -> T) -> T {
        let mut log = self.recorder.lock();
        log.changes += 1;
        let result = act(&mut log.requests[self.index]);
        drop(log);
        self.recorder.changed.notify_all();
        result
    }

    /// The line as it stands.
    pub(crate) fn request(&self) -> Request {
        self.recorder.lock().requests[self.index].clone()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.with(|request| {
            if matches!(request.outcome, Outcome::Answering | Outcome::Held(_)) {
                request.outcome = Outcome::Cut(Cut::Shutdown);
            }
        });
    }
}
