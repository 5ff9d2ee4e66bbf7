//! Connections between an attempt and an origin on the same virtual clock.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

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
/// write, and the attempt has worked off every byte that was written.
#[derive(Debug)]
pub struct Line {
    ends: Ends,
    activity: Arc<Activity>,
    holds: AtomicU32,
    clock: Arc<VirtualClock>,
}

impl Line {
    /// Registers a connection; dropping the line removes it.
    pub fn open(clock: &Arc<VirtualClock>, ends: Ends) -> Arc<Self> {
        let line = Arc::new(Self {
            ends,
            activity: Activity::new(Some(Arc::clone(clock))),
            holds: AtomicU32::new(0),
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

    /// Whether the request is held and all `read` bytes that its client has seen are all there
    /// are.
    pub(super) fn is_parked_at(&self, read: u64) -> bool {
        self.holds.load(Ordering::SeqCst) > 0 && self.activity.is_idle() && self.activity.bytes() == read
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clock.remove_line(self.ends);
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
