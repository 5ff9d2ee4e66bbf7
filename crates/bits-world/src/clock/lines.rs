//! Connections between an attempt and an origin on the same virtual clock.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Activity, VirtualClock};

/// The two addresses of a connection. One alone would not do: a client's port may serve for
/// connections to several servers.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Ends {
    /// The client's address.
    pub client: SocketAddr,
    /// The server's address, as the client has reached it.
    pub server: SocketAddr,
}

/// The origin's end of a connection, found by its addresses.
///
/// An attempt is *parked* when the origin holds its request, the origin's task has nothing left to
/// write, and the attempt has worked off every byte that was written. Where the origin is a proxy,
/// the server behind it may hold the request as well.
#[derive(Debug)]
pub struct Line {
    ends: Ends,
    activity: Arc<Activity>,
    holds: AtomicU32,
    behind: Mutex<Option<Arc<Behind>>>,
    clock: Arc<VirtualClock>,
}

impl Line {
    /// Registers a connection; dropping the line removes it.
    pub fn open(clock: &Arc<VirtualClock>, ends: Ends) -> Arc<Self> {
        let line = Arc::new(Self {
            ends,
            activity: Activity::new(Some(Arc::clone(clock))),
            holds: AtomicU32::new(0),
            behind: Mutex::default(),
            clock: Arc::clone(clock),
        });
        clock.add_line(ends, Arc::downgrade(&line));
        line
    }

    /// The activity of the task that serves the connection; it counts bytes written.
    pub fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }

    /// Holds the connection's request until the hold is dropped.
    pub fn hold(self: &Arc<Self>) -> Hold {
        self.holds.fetch_add(1, Ordering::SeqCst);
        self.clock.changed();
        Hold(Arc::clone(self))
    }

    /// Tells that the client waits for a server behind this one, over that connection, until the
    /// relay is dropped.
    pub fn relay(self: &Arc<Self>, ends: Ends) -> Relay {
        let behind = Arc::new(Behind { ends, read: AtomicU64::new(0) });
        *self.behind() = Some(Arc::clone(&behind));
        self.clock.changed();
        Relay { line: Arc::clone(self), behind }
    }

    fn behind(&self) -> MutexGuard<'_, Option<Arc<Behind>>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the request is held, here or behind, and all `read` bytes that its client has seen are all there
    /// are.
    pub(super) fn is_parked_at(&self, read: u64) -> bool {
        let is_held = || {
            let behind = self.behind().clone();
            let is_held_behind =
                |behind: Arc<Behind>| self.clock.is_parked(behind.ends, behind.read.load(Ordering::SeqCst));
            self.holds.load(Ordering::SeqCst) > 0 || behind.is_some_and(is_held_behind)
        };
        self.activity.is_idle() && self.activity.bytes() == read && is_held()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clock.remove_line(self.ends);
    }
}

/// The connection of a proxy to the server behind it.
#[derive(Debug)]
struct Behind {
    ends: Ends,
    /// Bytes that the proxy has read from it.
    read: AtomicU64,
}

/// A proxy's client waits for the server behind the proxy.
#[derive(Debug)]
pub struct Relay {
    line: Arc<Line>,
    behind: Arc<Behind>,
}

impl Relay {
    /// Counts bytes that the proxy has read from the server.
    pub fn add_read(&self, count: usize) {
        self.behind.read.fetch_add(count as u64, Ordering::SeqCst);
        self.line.clock.changed();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let mut behind = self.line.behind();
        if behind.as_ref().is_some_and(|behind| Arc::ptr_eq(behind, &self.behind)) {
            *behind = None;
        }
        drop(behind);
        self.line.clock.changed();
    }
}

/// A request that the origin holds.
#[derive(Debug)]
pub struct Hold(Arc<Line>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.holds.fetch_sub(1, Ordering::SeqCst);
        self.0.clock.changed();
    }
}
