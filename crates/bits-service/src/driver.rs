//! Executes the outbox in order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bits_engine::{Action, Event};
use bits_store::Store;

use crate::callbacks;
use crate::certificates;
use crate::classes;
use crate::commands;
use crate::emulator::End;
use crate::service::Service;
use crate::timeline::What;
use crate::vetting;

/// Runs until the service stops; gives back the store.
pub(crate) fn drive(service: &Service, store: Store) -> Option<Store> {
    *lock(&service.store) = Some(store);
    let _stopped = StoppedAfter(service);
    while let Some(batch) = service.next_batch() {
        carry_out(service, batch);
    }
    let mut store = lock(&service.store).take();
    if let Some(store) = &mut store
        && let Err(error) = store.commit(&service.last_changes())
    {
        tracing::error!(%error, "the last changes of the queue are not kept");
    }
    store
}

/// Whether an action neither takes long nor calls a client, so that any thread may execute it.
pub(crate) fn is_quick(action: &Action) -> bool {
    match action {
        Action::Persist(_)
        | Action::Start(_)
        | Action::Proceed(_)
        | Action::Limit(..)
        | Action::Stop(_)
        | Action::Release(_)
        | Action::Reply { .. }
        | Action::Wake(_)
        | Action::Trace(..) => true,
        Action::Publish { .. }
        | Action::Delete { .. }
        | Action::Notify { .. }
        | Action::Activate { .. }
        | Action::RunCommand { .. }
        | Action::Forget(_) => false,
    }
}

/// Executes actions in their order.
///
/// All changes go into one transaction before anything else of their batch is done: what follows a
/// change in the outbox never happens before it is durable. A store that fails stops the service
/// as a crash would.
pub(crate) fn carry_out(service: &Service, batch: VecDeque<Action>) {
    let mut changes = Vec::new();
    let mut rest = VecDeque::with_capacity(batch.len());
    for action in batch {
        match action {
            Action::Persist(change) => changes.push(change),
            other => rest.push_back(other),
        }
    }
    if !changes.is_empty() {
        // There is one until the driver has ended.
        let committed = lock(&service.store).as_mut().map_or(Ok(()), |store| store.commit(&changes));
        if let Err(error) = committed {
            tracing::error!(%error, "the queue cannot be kept; the service stops");
            let text = format!("the queue cannot be kept, the service stops: {error}");
            service.timeline.push(service.clock.now(), None, What::Service(text));
            service.end(End::Crash);
            service.mover.shut_down();
            return;
        }
        service.made_durable(changes.len());
    }
    for action in rest {
        execute(service, action);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Without its driver a service is no more: whoever waits for it is told, also after a panic.
struct StoppedAfter<'a>(&'a Service);

impl Drop for StoppedAfter<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

fn execute(service: &Service, action: Action) {
    match action {
        Action::Start(mut plan) => {
            vetting::arrange(service, &mut plan);
            certificates::arrange(service, &mut plan);
            service.mover.start(service.job_of(plan.attempt), *plan, service.reports());
        }
        Action::Proceed(attempt) => service.mover.proceed(attempt),
        Action::Limit(attempt, limit) => service.mover.limit(attempt, limit),
        Action::Stop(attempt) => service.mover.stop(attempt),
        Action::Release(chain) => service.mover.release(chain),
        Action::Publish { ticket, temporary, destination, length, modified } => {
            let result = service.disk.publish(&temporary, &destination, length, modified);
            service.handle(Event::Published(ticket, result));
        }
        Action::Delete { ticket, path } => {
            let result = service.disk.delete(&path);
            if result.is_err() {
                service.left_behind(path);
            }
            service.handle(Event::Deleted(ticket, result));
        }
        Action::Notify { ticket, callback, job, notification } => {
            callbacks::notify(service, ticket, callback, job, notification);
        }
        Action::Activate { ticket, user, class, .. } => classes::activate(service, ticket, &user, class),
        Action::RunCommand { ticket, job, user, command } => commands::run(service, ticket, job, user, command),
        Action::Forget(callback) => callbacks::drop_elsewhere(service.unregister(callback)),
        Action::Reply { call, result } => service.reply(call, result),
        Action::Wake(_) => service.wake_callers(),
        // Persist goes into the batch's transaction, Trace into the timeline when it is drained.
        Action::Persist(_) | Action::Trace(..) => {}
    }
}

/// Starts the driver of `service` on a thread of its own.
pub(crate) fn start(service: &Arc<Service>, store: Store) -> std::io::Result<std::thread::JoinHandle<Option<Store>>> {
    let service = Arc::clone(service);
    std::thread::Builder::new().name("bits-driver".into()).spawn(move || drive(&service, store))
}

#[cfg(test)]
mod tests {
    use bits_api::JobType;
    use bits_engine::{Config, Engine};
    use bits_world::clock::{Clock, VirtualClock};
    use bits_world::{Decisions, LocalStorage, Profile, Sid, Token, World};

    use super::*;
    use crate::builder::Outside;
    use crate::classes::Classes;
    use crate::commands::Commands;
    use crate::emulator::End;
    use crate::faults::{FaultLayer, Faults};
    use crate::guids::Guids;
    use crate::leftovers::Undeleted;
    use crate::service::Lasting;
    use crate::sim::Simulation;
    use crate::timeline::Timeline;

    /// A service whose driver has not come to work yet.
    fn undriven() -> Arc<Service> {
        let clock = Clock::Virtual(VirtualClock::new());
        let lasting = Lasting {
            clock: clock.clone(),
            timeline: Timeline::default(),
            guids: Arc::new(Guids::new(Some(1))),
            commands: Commands::default(),
            classes: Arc::new(Classes {
                factories: std::collections::HashMap::new(),
                emulator: std::sync::Weak::new(),
            }),
            undeleted: Undeleted::default(),
            storage: LocalStorage::default(),
        };
        let config = Config {
            profile: Profile::default(),
            decisions: Decisions::default(),
            seed: 0,
            scramble: None,
            uploads: true,
        };
        let (mover, disk) = Outside::Simulated(Simulation::new()).open(&clock, &config, &lasting.storage).unwrap();
        let mover = FaultLayer::new(mover, Faults::default());
        Service::new(lasting, mover, disk, World::default(), |_| Engine::new(config))
    }

    #[test]
    fn what_waits_for_the_driver_is_kept_by_a_stop_and_lost_by_a_crash() {
        for (how, kept) in [(End::Orderly, 1), (End::Crash, 0)] {
            let service = undriven();
            let id = service.new_guid();
            let token = Token::standard(Sid::of_name("user"));
            let made = service.step(|engine, cx| engine.create_job(cx, &token, id, Some("pending"), JobType::DOWNLOAD));
            assert!(made.is_ok());

            service.end(how);
            let store = drive(&service, Store::memory()).unwrap();

            assert_eq!(store.load().unwrap().count(), kept);
        }
    }
}
