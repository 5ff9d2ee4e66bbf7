//! Connections that jobs have left behind, for the next job that would make the same: many jobs have
//! one small file each, and to connect costs more than to fetch it (a decision,
//! `http.spare_connections`).
//!
//! Nobody is known by such a connection: it is of plain HTTP, and of jobs without credentials and
//! headers of their own, in which a client may say who it is. A
//! server of HTTPS is judged, and whoever asks is answered, on each connection of a job anew.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bits_wire::download::Scheme;
use bits_world::{Decisions, Switch};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

use crate::link::{Aim, Link};

/// How long one is kept: less than servers do.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long one may be silent when it is asked, before another is made: who left it was answered a moment
/// ago, and what is lost on the way has been sent again by then.
pub(crate) const SILENCE: Duration = Duration::from_secs(3);
/// So many are kept at most.
const MOST: usize = 8;

/// The connections that a mover keeps.
pub(crate) struct Spares {
    kept: Mutex<Kept>,
    decisions: Decisions,
}

#[derive(Default)]
struct Kept {
    links: Vec<(Link, Instant)>,
    /// Whether somebody waits for the end of the oldest.
    is_watched: bool,
}

impl Spares {
    pub(crate) fn new(decisions: &Decisions) -> Arc<Self> {
        Arc::new(Self { kept: Mutex::default(), decisions: decisions.clone() })
    }

    /// Keeps a connection, if it is one that anybody may use.
    pub(crate) fn keep(self: &Arc<Self>, link: Link) {
        let aim = link.aim();
        let is_anybodys = aim.origin.scheme == Scheme::Http && aim.logins.is_empty() && !aim.is_personal;
        if !is_anybodys || !link.is_open() || self.decisions.is_other(Switch::SpareConnections) {
            return;
        }
        let home = link.home().clone();
        let mut kept = self.lock();
        if kept.links.len() == MOST {
            kept.links.remove(0);
        }
        kept.links.push((link, Instant::now() + PATIENCE));
        if !mem::replace(&mut kept.is_watched, true) {
            home.spawn(Arc::clone(self).watch());
        }
    }

    /// A connection as good as a new one, made by the worker that asks: there it stays. The last one
    /// that was kept is the one that its server is least tired of.
    pub(crate) fn take(&self, aim: &Aim) -> Option<Link> {
        let home = Handle::current().id();
        let mut kept = self.lock();
        let place = kept.links.iter().rposition(|(link, _)| link.home().id() == home && link.aim() == aim)?;
        Some(kept.links.remove(place).0.handed_over())
    }

    /// Keeps none of those that there are.
    pub(crate) fn clear(&self) {
        let links = mem::take(&mut self.lock().links);
        drop(links);
    }

    /// Lets go of those that nobody wants, as long as there are any.
    async fn watch(self: Arc<Self>) {
        while let Some(end) = self.end_of_oldest() {
            sleep_until(end).await;
        }
    }

    fn end_of_oldest(&self) -> Option<Instant> {
        let mut kept = self.lock();
        let now = Instant::now();
        kept.links.retain(|(_, end)| *end > now);
        kept.is_watched = !kept.links.is_empty();
        kept.links.first().map(|(_, end)| *end)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
