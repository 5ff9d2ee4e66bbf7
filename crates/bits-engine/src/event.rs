//! What the engine is told.

use bits_api::Hresult;
use bits_wire::attempt::{AttemptId, AttemptReport};

use crate::{CallbackId, CallbackInterface, CommandOutcome, Ticket};

/// Something that happened outside.
#[derive(Clone, Debug)]
pub enum Event {
    /// An attempt reports.
    Attempt(AttemptId, AttemptReport),
    /// The world is another now.
    WorldChanged,
    /// [`Engine::next_deadline`](crate::Engine::next_deadline) is reached.
    Deadline,
    /// The service ends in order: nothing more happens, and what is put on record now is kept.
    Stopping,
    /// The outcome of [`Action::Publish`](crate::Action::Publish).
    Published(Ticket, Result<(), Hresult>),
    /// The outcome of [`Action::Delete`](crate::Action::Delete).
    Deleted(Ticket, Result<(), Hresult>),
    /// The outcome of [`Action::Notify`](crate::Action::Notify).
    Notified(Ticket, NotifyOutcome),
    /// The outcome of [`Action::Activate`](crate::Action::Activate): the object, or why there is none.
    Activated(Ticket, Result<(CallbackId, CallbackInterface), Hresult>),
    /// The outcome of [`Action::RunCommand`](crate::Action::RunCommand).
    CommandEnded(Ticket, CommandOutcome),
}

/// What became of a notification.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotifyOutcome {
    /// The method returned this.
    Returned(Hresult),
    /// The client is gone, and its object with it.
    Disconnected,
}
