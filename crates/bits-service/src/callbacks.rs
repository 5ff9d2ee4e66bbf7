//! Calls to clients: each on a thread that runs nothing else meanwhile, since a client may sleep,
//! panic or never return.

use std::sync::Arc;

use bits_api::{Hresult, Success, Unknown};
use bits_engine::{CallbackId, CallbackInterface, Event, JobKey, Notification, NotifyOutcome, Ticket};
use bits_transfer::run_elsewhere;

use crate::client::Caller;
use crate::error::ErrorHandle;
use crate::file::FileHandle;
use crate::guarded::guarded;
use crate::job::JobHandle;
use crate::running::{self, Running};
use crate::service::Service;
use crate::timeline::What;

/// A client's object, and who registered it.
#[derive(Clone)]
pub(crate) struct Registration {
    pub(crate) caller: Caller,
    pub(crate) object: Arc<dyn Unknown>,
}

/// Which callback an object is, if it is one.
pub(crate) fn interface(object: &dyn Unknown) -> Option<CallbackInterface> {
    object.callback()?;
    Some(match (object.callback2(), object.callback3()) {
        (_, Some(_)) => CallbackInterface::Callback3,
        (Some(_), None) => CallbackInterface::Callback2,
        (None, None) => CallbackInterface::Callback,
    })
}

/// Calls the client; its answer comes back as an event. Never waits.
pub(crate) fn notify(service: &Service, ticket: Ticket, id: CallbackId, job: JobKey, notification: Notification) {
    let unanswered = || service.handle(Event::Notified(ticket, NotifyOutcome::Disconnected));
    let Some(registration) = service.registered(id) else { return unanswered() };
    // A job that has ended meanwhile is nothing to tell of.
    let Ok(handle) = JobHandle::hand_over(service, &registration.caller, job) else { return unanswered() };
    let method = method(&notification);
    // In one step: a client that is killed right now has either no callback or a running one.
    let begun = service.with_core(|core| {
        let is_alive = registration.caller.is_alive();
        if is_alive {
            let killed = Event::Notified(ticket, NotifyOutcome::Disconnected);
            core.running.insert(ticket.0, Running::of_client(&registration.caller, killed));
        }
        is_alive
    });
    if begun != Some(true) {
        return unanswered();
    }
    service.timeline.push(service.clock.now(), Some(handle.guid()), What::Callback { method });
    let (weak, clock) = (service.weak(), service.clock.clone());
    let is_called = run_elsewhere(Box::new(move || {
        let _entered = running::enter(&weak, &clock, ticket);
        let result = call(&registration, &handle, notification);
        if let Some(service) = weak.upgrade() {
            returned(&service, ticket, &handle, method, result);
        }
    }));
    if !is_called {
        tracing::warn!("no thread for a callback");
        service.ended(ticket, Event::Notified(ticket, NotifyOutcome::Returned(Hresult::E_OUTOFMEMORY)));
    }
}

fn returned(service: &Service, ticket: Ticket, job: &JobHandle, method: &'static str, result: Hresult) {
    service.timeline.push(
        service.clock.now(),
        Some(job.guid()),
        What::CallbackReturned { method, result: Some(result) },
    );
    service.ended(ticket, Event::Notified(ticket, NotifyOutcome::Returned(result)));
}

/// The callbacks of a killed client come to nothing at once.
pub(crate) fn disconnect(service: &Service, is_dead: impl Fn(&Caller) -> bool) {
    let killed = service.with_core(|core| {
        let of_dead =
            core.running.iter().filter_map(|(ticket, running)| Some((Ticket(*ticket), running.killed(&is_dead)?)));
        of_dead.collect::<Vec<_>>()
    });
    for (ticket, event) in killed.unwrap_or_default() {
        let what = What::CallbackReturned { method: "of a killed client", result: None };
        service.timeline.push(service.clock.now(), None, what);
        service.ended(ticket, event);
    }
}

/// Drops clients' objects where their drops may do what they want.
pub(crate) fn drop_elsewhere(registrations: impl IntoIterator<Item = Registration>) {
    let registrations: Vec<Registration> = registrations.into_iter().collect();
    if registrations.is_empty() {
        return;
    }
    // Without a thread the objects are dropped with the closure, here.
    if !run_elsewhere(Box::new(move || drop(registrations))) {
        tracing::warn!("no thread to release the objects of clients");
    }
}

fn method(notification: &Notification) -> &'static str {
    match notification {
        Notification::JobTransferred => "JobTransferred",
        Notification::JobError(_) => "JobError",
        Notification::JobModification => "JobModification",
        Notification::FileTransferred(_) => "FileTransferred",
        Notification::FileRangesTransferred(..) => "FileRangesTransferred",
    }
}

/// Runs the method; a panic of the client is its own failure.
fn call(registration: &Registration, job: &Arc<JobHandle>, notification: Notification) -> Hresult {
    let called = guarded(|| dispatch(registration, job, notification)).unwrap_or(Err(Hresult::E_UNEXPECTED));
    called.map_or_else(|code| code, Success::hresult)
}

fn dispatch(registration: &Registration, job: &Arc<JobHandle>, notification: Notification) -> Result<Success, Hresult> {
    let object = &registration.object;
    match notification {
        Notification::FileTransferred(file) => {
            let callback = object.callback2().ok_or(Hresult::E_NOINTERFACE)?;
            callback.file_transferred(Arc::clone(job) as _, FileHandle::new(job, file))
        }
        Notification::FileRangesTransferred(file, ranges) => {
            let callback = object.callback3().ok_or(Hresult::E_NOINTERFACE)?;
            callback.file_ranges_transferred(Arc::clone(job) as _, FileHandle::new(job, file), &ranges)
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
