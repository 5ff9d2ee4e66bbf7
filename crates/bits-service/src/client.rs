//! Programs that call BITS, and on whose behalf they do.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use bits_api::{Hresult, Manager};
use bits_world::{Profile, Sid, Token};

use crate::callbacks;
use crate::emulator::Inner;
use crate::manager::ManagerHandle;
use crate::service::Service;
use crate::timeline::What;

thread_local! {
    /// Whom the thread impersonates.
    static IMPERSONATED: RefCell<Option<Arc<Token>>> = const { RefCell::new(None) };
}

/// While it lives, calls of this thread are made on behalf of another token than that of its
/// process.
///
/// BITS sees the thread's token, as it does with dynamic cloaking.
#[must_use = "the thread stops impersonating when this is dropped"]
pub struct Impersonation {
    before: Option<Arc<Token>>,
    /// It belongs to its thread.
    _thread: PhantomData<*const ()>,
}

/// Lets this thread impersonate `token` (ImpersonateLoggedOnUser), towards every emulator.
pub fn impersonate(token: Token) -> Impersonation {
    let before = IMPERSONATED.replace(Some(Arc::new(token)));
    Impersonation { before, _thread: PhantomData }
}

/// RevertToSelf, or back to whom the thread impersonated before.
impl Drop for Impersonation {
    fn drop(&mut self) {
        IMPERSONATED.set(self.before.take());
    }
}

/// On whose behalf a handle is used.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) client: Arc<str>,
    process: Arc<Token>,
    /// Who has asked for the handle, where that decides for all its calls.
    holder: Option<Arc<Token>>,
    alive: Arc<AtomicBool>,
}

impl Caller {
    pub(crate) fn new(client: &str, token: Token) -> Self {
        Self { client: client.into(), process: Arc::new(token), holder: None, alive: Arc::new(AtomicBool::new(true)) }
    }

    /// Who calls now: whom the thread impersonates, else the process.
    pub(crate) fn thread(&self) -> Arc<Token> {
        IMPERSONATED.with_borrow(Clone::clone).unwrap_or_else(|| Arc::clone(&self.process))
    }

    /// By whose rights a call is made through this handle.
    pub(crate) fn token(&self) -> Arc<Token> {
        self.holder.clone().unwrap_or_else(|| self.thread())
    }

    /// For a handle that is asked for now: since BITS 4.0 that is when access is checked, and not
    /// at each call any more (clauses `helper.access_check`, `token.access.*`).
    pub(crate) fn asking(&self, profile: Profile) -> Self {
        let holder = (profile >= Profile::V4_0).then(|| self.thread());
        Self { holder, ..self.clone() }
    }

    /// For a callback, which runs in the name of whoever registers it now (clause
    /// `users.take_ownership.callback_context`).
    pub(crate) fn acting(&self) -> Self {
        Self { process: self.thread(), holder: None, ..self.clone() }
    }

    /// For a handle that the service hands out by itself: nobody asks for an interface.
    pub(crate) fn holding(&self, holder: Option<Token>) -> Self {
        Self { holder: holder.map(Arc::new), ..self.clone() }
    }

    /// Whose program it is.
    pub(crate) fn process_user(&self) -> &Sid {
        &self.process.user
    }

    /// Whether it is the same program.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.alive, &other.alive)
    }

    /// Whether nobody can call in its name any more.
    pub(crate) fn is_forgotten(&self) -> bool {
        Arc::strong_count(&self.alive) == 1
    }

    /// The program runs no more.
    pub(crate) fn end(&self) {
        self.alive.store(false, Ordering::SeqCst);
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
        let caller = Caller::new(name, token);
        if let Some(emulator) = emulator.upgrade() {
            emulator.programs().add(&caller);
        }
        Self { emulator, caller }
    }

    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Connects to BITS, as CoCreateInstance of BackgroundCopyManager does.
    ///
    /// # Errors
    /// `RPC_S_SERVER_UNAVAILABLE` (as HRESULT) when the service does not run,
    /// `ERROR_SERVICE_DISABLED` when it may not, `RPC_E_DISCONNECTED` when this client has ended, `BG_E_REMOTE_NOT_SUPPORTED` from another machine.
    pub fn manager(&self) -> Result<Arc<dyn Manager>, Hresult> {
        let (_, service) = self.running()?;
        service.read(|engine| engine.activate(&self.caller.thread()))?;
        Ok(Arc::new(ManagerHandle::new(service.weak(), self.caller.clone())))
    }

    /// The emulator and its service, while this client and the service run.
    pub(crate) fn running(&self) -> Result<(Arc<Inner>, Arc<Service>), Hresult> {
        self.caller.check()?;
        let emulator = self.emulator.upgrade().ok_or(Hresult::RPC_S_SERVER_UNAVAILABLE)?;
        let service = emulator.activate()?;
        Ok((emulator, service))
    }

    /// The program ends by itself: a callback that runs comes to its end and its answer counts.
    pub fn exit(&self) {
        self.end("exits");
    }

    /// The program is killed: a callback that runs comes to nothing at once.
    pub fn kill(&self) {
        if let Some(service) = self.end("is killed") {
            callbacks::disconnect(&service, |caller| self.caller.is_same(caller));
        }
    }

    fn end(&self, how: &str) -> Option<Arc<Service>> {
        self.caller.end();
        let service = self.emulator.upgrade()?.service()?;
        let text = format!("client {} {how}", self.caller.client);
        service.timeline.push(service.clock.now(), None, What::Service(text));
        Some(service)
    }
}
