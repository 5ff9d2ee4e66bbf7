//! What clients and their programs do on threads of ours: what of it runs, and what only waits for
//! the author of a test.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use bits_engine::{Event, Ticket};
use bits_world::clock::Clock;

use crate::client::Caller;
use crate::service::Service;

/// A callback, an object that is being made, or a program.
pub(crate) struct Running {
    what: &'static str,
    /// Whose process it is, and what is told if that is killed; a program is nobody's.
    process: Option<(Caller, Event)>,
    /// Whether it waits at a [`Latch`].
    waits: bool,
}

impl Running {
    pub(crate) fn of_client(caller: &Caller, killed: Event) -> Self {
        Self { what: "a callback of a client runs", process: Some((caller.clone(), killed)), waits: false }
    }

    pub(crate) fn program() -> Self {
        Self { what: "a notification program runs", process: None, waits: false }
    }

    /// A look at a server, of which the client's end tells nobody: the handshake goes on without it.
    pub(crate) fn look() -> Self {
        Self { what: "a client looks at a server", process: None, waits: false }
    }

    /// What it is, unless it has come to rest.
    pub(crate) fn unrest(&self) -> Option<&'static str> {
        (!self.waits).then_some(self.what)
    }

    /// What is told if the process that `is_dead` means is its own.
    pub(crate) fn killed(&self, is_dead: impl FnOnce(&Caller) -> bool) -> Option<Event> {
        let (caller, killed) = self.process.as_ref()?;
        is_dead(caller).then(|| killed.clone())
    }
}

/// What this thread runs.
struct Current {
    clock: ClockId,
    service: Weak<Service>,
    ticket: Ticket,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// Tells virtual clocks apart; all system clocks are one.
#[derive(Clone, Copy, Eq, PartialEq)]
struct ClockId(usize);

impl ClockId {
    fn of(clock: &Clock) -> Self {
        Self(clock.as_virtual().map_or(0, |clock| Arc::as_ptr(clock).addr()))
    }
}

/// This thread runs what `ticket` stands for, until what is returned is dropped.
pub(crate) fn enter(service: &Weak<Service>, clock: &Clock, ticket: Ticket) -> Entered {
    let current = Current { clock: ClockId::of(clock), service: Weak::clone(service), ticket };
    CURRENT.with_borrow_mut(|running| *running = Some(current));
    Entered(PhantomData)
}

/// A thread runs something, and perhaps something else later. It stays on its thread.
#[must_use]
pub(crate) struct Entered(PhantomData<*const ()>);

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|running| *running = None);
    }
}

/// Whether this thread runs a callback of a service that lives by `clock`: whoever waits there for
/// that clock to settle waits for itself.
pub(crate) fn is_in_callback(clock: &Clock) -> bool {
    CURRENT.with_borrow(|running| running.as_ref().is_some_and(|running| running.clock == ClockId::of(clock)))
}

/// Where callbacks and notification programs wait until a test lets them go. Whoever waits here
/// counts as at rest: time may be moved meanwhile. Clones are one latch.
#[derive(Clone, Default)]
pub struct Latch(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Default)]
struct State {
    is_open: bool,
    waiting: Vec<(Weak<Service>, Ticket)>,
}

impl Latch {
    /// A latch that is closed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until the latch is open.
    pub fn wait(&self) {
        let mut state = self.lock();
        if !state.is_open
            && let Some((service, ticket)) = here()
        {
            set_waits(&service, ticket, true);
            state.waiting.push((service, ticket));
        }
        while !state.is_open {
            state = self.0.opened.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets everybody go, now and later.
    pub fn open(&self) {
        let mut state = self.lock();
        state.is_open = true;
        // Before they run: else the emulator would seem at rest until they do.
        for (service, ticket) in state.waiting.drain(..) {
            set_waits(&service, ticket, false);
        }
        self.0.opened.notify_all();
    }

    /// How many callbacks and programs wait here.
    pub fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn here() -> Option<(Weak<Service>, Ticket)> {
    CURRENT.with_borrow(|running| running.as_ref().map(|running| (Weak::clone(&running.service), running.ticket)))
}

fn set_waits(service: &Weak<Service>, ticket: Ticket, waits: bool) {
    if let Some(service) = service.upgrade() {
        service.with_core(|core| {
            if let Some(running) = core.running.get_mut(&ticket.0) {
                running.waits = waits;
            }
        });
    }
}
