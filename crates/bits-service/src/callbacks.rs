//! Calls to clients: each on a thread of its own, since a client may sleep, panic or never
//! return.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bits_api::{Hresult, Success, Unknown};
use bits_engine::{CallbackId, Event, JobKey, Notification, NotifyOutcome, Ticket};

use crate::client::Caller;
use crate::error::ErrorHandle;
use crate::file::FileHandle;
use crate::job::JobHandle;
use crate::service::Service;
use crate::timeline::What;

/// A client's object, and who registered it.
#[derive(Clone)]
pub(crate) struct Registration {
    pub(crate) caller: Caller,
    pub(crate) object: Arc<dyn Unknown>,
}

thread_local! {
    static IN_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread runs a callback.
pub(crate) fn in_callback() -> bool {
    IN_CALLBACK.get()
}

/// Calls the client; its answer comes back as an event. Never waits.
pub(crate) fn notify(service: &Service, ticket: Ticket, id: CallbackId, job: JobKey, notification: Notification) {
    let Some(registration) = service.registered(id).filter(|registration| registration.caller.is_alive()) else {
        service.handle(Event::Notified(ticket, NotifyOutcome::Disconnected));
        return;
    };
    let Ok(handle) = JobHandle::open(service, registration.caller.clone(), job) else {
        // Only a service that has stopped refuses a handle, and it takes no answer either.
        return;
    };
    let method = method(&notification);
    service.with_core(|core| core.running_callbacks.insert(ticket.0, id));
    service.timeline.push(service.clock.now(), Some(handle.guid()), What::Callback { method });
    let weak = service.weak();
    let spawned = std::thread::Builder::new().name("bits-callback".into()).spawn(move || {
        IN_CALLBACK.set(true);
        let result = call(&registration, &handle, notification);
        if let Some(service) = weak.upgrade() {
            returned(&service, ticket, &handle, method, result);
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "no thread for a callback");
        service.callback_ended(ticket, NotifyOutcome::Returned(Hresult::E_OUTOFMEMORY));
    }
}

fn returned(service: &Service, ticket: Ticket, job: &JobHandle, method: &'static str, result: Hresult) {
    service.timeline.push(
        service.clock.now(),
        Some(job.guid()),
        What::CallbackReturned { method, result: Some(result) },
    );
    service.callback_ended(ticket, NotifyOutcome::Returned(result));
}

/// The callbacks of a killed client come to nothing at once.
pub(crate) fn disconnect(service: &Service, is_dead: impl Fn(&Caller) -> bool) {
    let running = service.with_core(|core| {
        let of_dead = |id: &CallbackId| core.registrations.get(id).is_some_and(|object| is_dead(&object.caller));
        core.running_callbacks.iter().filter(|(_, id)| of_dead(id)).map(|(ticket, _)| *ticket).collect::<Vec<_>>()
    });
    for ticket in running.unwrap_or_default() {
        let what = What::CallbackReturned { method: "of a killed client", result: None };
        service.timeline.push(service.clock.now(), None, what);
        service.callback_ended(Ticket(ticket), NotifyOutcome::Disconnected);
    }
}

/// Drops a client's object where its drop may do what it wants.
pub(crate) fn drop_elsewhere(registration: Option<Registration>) {
    let Some(registration) = registration else { return };
    // Without a thread the object is dropped with the closure, here.
    let spawned = std::thread::Builder::new().name("bits-release".into()).spawn(move || {
        IN_CALLBACK.set(true);
        drop(registration);
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "no thread to release a client's object");
    }
}

fn method(notification: &Notification) -> &'static str {
    match notification {
        Notification::JobTransferred => "JobTransferred",
        Notification::JobError(_) => "JobError",
        Notification::JobModification => "JobModification",
        Notification::FileTransferred(_) => "FileTransferred",
    }
}

/// Runs the method; a panic of the client is its own failure.
fn call(registration: &Registration, job: &Arc<JobHandle>, notification: Notification) -> Hresult {
    let called = catch_unwind(AssertUnwindSafe(|| dispatch(registration, job, notification)));
    match called {
        Ok(result) => result.map_or_else(|code| code, Success::hresult),
        Err(_) => Hresult::E_UNEXPECTED,
    }
}

fn dispatch(registration: &Registration, job: &Arc<JobHandle>, notification: Notification) -> Result<Success, Hresult> {
    let object = &registration.object;
    match notification {
        Notification::FileTransferred(file) => {
            let callback = object.callback2().ok_or(Hresult::E_NOINTERFACE)?;
            callback.file_transferred(Arc::clone(job) as _, FileHandle::new(job, file))
        }
        other => {
            let callback = object.callback().ok_or(Hresult::E_NOINTERFACE)?;
            let job_object = Arc::clone(job) as _;
            match other {
                Notification::JobTransferred => callback.job_transferred(job_object),
                Notification::JobError(error) => callback.job_error(job_object, ErrorHandle::new(job, error)),
                _ => callback.job_modification(job_object),
            }
        }
    }
}
