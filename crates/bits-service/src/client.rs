//! Programs that call BITS.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use bits_api::{Hresult, Manager};
use bits_world::Token;

use crate::callbacks;
use crate::emulator::Inner;
use crate::manager::ManagerHandle;
use crate::timeline::What;

/// On whose behalf a handle was made.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) client: Arc<str>,
    pub(crate) token: Arc<Token>,
    alive: Arc<AtomicBool>,
}

impl Caller {
    pub(crate) fn new(client: &str, token: Token) -> Self {
        Self { client: client.into(), token: Arc::new(token), alive: Arc::new(AtomicBool::new(true)) }
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.alive.load(Ordering::SeqCst)
    }

    /// Refuses calls through handles of a process that is gone.
    pub(crate) fn check(&self) -> Result<(), Hresult> {
        if self.is_alive() { Ok(()) } else { Err(Hresult::RPC_E_DISCONNECTED) }
    }
}

/// A program that calls BITS, with a name and a token. It outlives restarts of the service.
///
/// Handles that it has got stop working with [`Client::exit`] and [`Client::kill`]
/// (`RPC_E_DISCONNECTED`), and its callbacks are gone: BITS finds out when it calls them.
pub struct Client {
    emulator: Weak<Inner>,
    caller: Caller,
}

impl Client {
    pub(crate) fn new(emulator: Weak<Inner>, name: &str, token: Token) -> Self {
        Self { emulator, caller: Caller::new(name, token) }
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Connects to BITS, as CoCreateInstance of BackgroundCopyManager does.
    ///
    /// # Errors
    /// `RPC_S_SERVER_UNAVAILABLE` (as HRESULT) when the service does not run, `RPC_E_DISCONNECTED`
    /// when this client has ended.
    pub fn manager(&self) -> Result<Arc<dyn Manager>, Hresult> {
        self.caller.check()?;
        let service = self.emulator.upgrade().and_then(|emulator| emulator.service());
        let service = service.ok_or(Hresult::RPC_S_SERVER_UNAVAILABLE)?;
        Ok(Arc::new(ManagerHandle::new(service.weak(), self.caller.clone())))
    }

    /// The program ends by itself: a callback that runs comes to its end and its answer counts.
    pub fn exit(&self) {
        self.end("exits");
    }

    /// The program is killed: a callback that runs comes to nothing at once.
    pub fn kill(&self) {
        if let Some(service) = self.end("is killed") {
            callbacks::disconnect(&service, |caller| Arc::ptr_eq(&caller.alive, &self.caller.alive));
        }
    }

    fn end(&self, how: &str) -> Option<Arc<crate::service::Service>> {
        self.caller.alive.store(false, Ordering::SeqCst);
        let service = self.emulator.upgrade()?.service()?;
        let text = format!("client {} {how}", self.caller.client);
        service.timeline.push(service.clock.now(), None, What::Service(text));
        Some(service)
    }
}
