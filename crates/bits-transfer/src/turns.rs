//! Whose turn it is to ask an application: it answers one question at a time, however many attempts
//! come and go meanwhile. An application that hangs holds one thread of ours, not one for each retry.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bits_wire::attempt::{Vetter, Vetting};
use tokio::sync::OwnedMutexGuard;

/// The applications of a mover that are asked, or may be soon.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<u64, Weak<Row>>>);

/// Those who want to ask one application.
#[derive(Debug, Default)]
struct Row {
    first: Arc<tokio::sync::Mutex<()>>,
    /// Who asks, or was the last to.
    asks: Mutex<Option<Arc<dyn Vetter>>>,
}

/// The place of one attempt in such a row.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    row: Arc<Row>,
    waits: AtomicBool,
}

/// Whoever has this may ask.
pub(crate) struct Floor {
    /// `None` beside an application that has ended in the middle of a question: nobody waits for it.
    _first: Option<OwnedMutexGuard<()>>,
    /// Kept as long as the question is open, for those who come later.
    _row: Arc<Row>,
}

/// A turn that comes.
pub(crate) type Coming = Pin<Box<dyn Future<Output = Floor> + Send>>;

impl Turns {
    /// The turn of an attempt.
    pub(crate) fn of(&self, vetting: &Vetting) -> Arc<Turn> {
        let client = if let Vetting::By(vetter) = vetting { vetter.client() } else { None };
        let Some(client) = client else { return Arc::default() };
        let mut rows = lock(&self.0);
        let row = rows.get(&client).and_then(Weak::upgrade).unwrap_or_else(|| {
            rows.retain(|_, row| row.strong_count() > 0);
            let row = Arc::default();
            rows.insert(client, Arc::downgrade(&row));
            row
        });
        Arc::new(Turn { row, waits: AtomicBool::new(false) })
    }
}

impl Turn {
    /// The floor, if `vetter` can have it at once, or what it has to wait for.
    pub(crate) fn take(self: &Arc<Self>, vetter: &Arc<dyn Vetter>) -> Result<Floor, Coming> {
        let turn = Arc::clone(self);
        if let Ok(first) = Arc::clone(&self.row.first).try_lock_owned() {
            return Ok(turn.begin(vetter, Some(first)));
        }
        if lock(&self.row.asks).as_ref().is_some_and(|asks| asks.is_gone()) {
            return Ok(turn.begin(vetter, None));
        }
        self.waits.store(true, Ordering::SeqCst);
        let vetter = Arc::clone(vetter);
        Err(Box::pin(async move {
            let first = Arc::clone(&turn.row.first).lock_owned().await;
            turn.begin(&vetter, Some(first))
        }))
    }

    fn begin(&self, vetter: &Arc<dyn Vetter>, first: Option<OwnedMutexGuard<()>>) -> Floor {
        *lock(&self.row.asks) = Some(Arc::clone(vetter));
        self.waits.store(false, Ordering::SeqCst);
        Floor { _first: first, _row: Arc::clone(&self.row) }
    }

    /// Whether it waits for an application that is being asked: somebody else then tells whether that
    /// still runs.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waits.load(Ordering::SeqCst) && lock(&self.row.asks).as_ref().is_some_and(|asks| asks.is_asking())
    }

    /// Whether whoever is waited for has ended without an answer.
    pub(crate) fn is_in_vain(&self) -> bool {
        lock(&self.row.asks).as_ref().is_some_and(|asks| asks.is_gone())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
