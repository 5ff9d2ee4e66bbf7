//! Objects that BITS makes itself: the classes of BITS_JOB_PROPERTY_NOTIFICATION_CLSID.
//!
//! In place of the registry of COM the embedder names a factory for each class. It stands for an
//! out-of-process server: each object lives in a program of its own.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use bits_api::{Guid, Hresult, Unknown};
use bits_engine::{Event, Ticket};
use bits_world::{Sid, Token};

use crate::callbacks;
use crate::client::Client;
use crate::emulator::Inner;
use crate::guarded::guarded;
use crate::running::{self, Running};
use crate::service::Service;
use crate::timeline::What;

/// Makes an object of a class in a program that was started for it.
pub(crate) type Factory = dyn Fn(Client) -> Result<Arc<dyn Unknown>, Hresult> + Send + Sync;

/// The registered classes.
#[derive(Default)]
pub(crate) struct Classes {
    pub(crate) factories: HashMap<Guid, Arc<Factory>>,
    pub(crate) emulator: Weak<Inner>,
}

/// Makes an object of `class` for `user`; it comes back as an event. Never waits.
pub(crate) fn activate(service: &Service, ticket: Ticket, user: &Sid, class: Guid) {
    let client = Client::new(Weak::clone(&service.classes.emulator), &class.to_string(), Token::standard(user.clone()));
    let killed = Event::Activated(ticket, Err(Hresult::RPC_S_SERVER_UNAVAILABLE));
    if service.with_core(|core| core.running.insert(ticket.0, Running::of_client(client.caller(), killed))).is_none() {
        // It has been stopped meanwhile: nobody needs the object.
        return;
    }
    let factory = service.classes.factories.get(&class).cloned();
    let (weak, clock) = (service.weak(), service.clock.clone());
    let spawned = std::thread::Builder::new().name("bits-activation".into()).spawn(move || {
        let _entered = running::enter(&weak, &clock, ticket);
        let caller = client.caller().clone();
        let activate = || {
            let object = factory.ok_or(Hresult::REGDB_E_CLASSNOTREG)?(client)?;
            Ok((callbacks::interface(&*object).ok_or(Hresult::E_NOINTERFACE)?, object))
        };
        let made = guarded(activate).unwrap_or(Err(Hresult::RPC_S_SERVER_UNAVAILABLE));
        let Some(service) = weak.upgrade() else { return };
        let result = made.as_ref().map_or_else(|code| *code, |_| Hresult::S_OK);
        service.timeline.push(service.clock.now(), None, What::ObjectMade { class, result });
        let made = made.and_then(|(interface, object)| Ok((service.register(&caller, object)?, interface)));
        let id = made.as_ref().ok().map(|(id, _)| *id);
        if !service.ended(ticket, Event::Activated(ticket, made))
            && let Some(id) = id
        {
            // Killed meanwhile: nobody else forgets it.
            drop(service.unregister(id));
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "no thread to make an object");
        service.ended(ticket, Event::Activated(ticket, Err(Hresult::E_OUTOFMEMORY)));
    }
}
