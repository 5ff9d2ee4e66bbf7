//! Asks clients about the servers of their jobs, on a thread that may block.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bits_api::{ErrorContext, Hresult, ServerCertificate};
use bits_certs::{identity, serialized_store};
use bits_engine::{CallbackId, FileIndex, JobKey, Ticket};
use bits_wire::attempt::{AttemptPlan, Failure, PresentedServer, Vetter, Vetting};

use crate::callbacks::Registration;
use crate::client::Caller;
use crate::file::FileHandle;
use crate::guarded::guarded;
use crate::job::JobHandle;
use crate::running::{self, Entered};
use crate::service::Service;
use crate::timeline::What;

/// X509_ASN_ENCODING | PKCS_7_ASN_ENCODING (a decision, `server_cert_callback.encoding`).
const ENCODING: u32 = 0x0001_0001;

/// The servers that each object has taken: by name and port, and the hash of the certificate.
/// Registering another object, or the same one again, begins with none (clauses
/// `server_cert_callback.cache.*`).
#[derive(Debug, Default)]
pub(crate) struct Accepted(HashMap<CallbackId, BTreeSet<(String, [u8; 20])>>);

impl Accepted {
    /// An object is registered no more.
    pub(crate) fn forget(&mut self, callback: CallbackId) {
        self.0.remove(&callback);
    }
}

/// Lets the client have its say in an attempt that wants it.
pub(crate) fn arrange(service: &Service, plan: &mut AttemptPlan) {
    if !matches!(plan.vetting, Vetting::Wanted) {
        return;
    }
    let found = service.read(|engine| {
        let job = engine.job_of(plan.attempt).ok_or(Hresult::BG_E_NOT_FOUND)?;
        Ok((job, engine.file_in_work(job).ok_or(Hresult::BG_E_NOT_FOUND)?))
    });
    if let Ok((job, file)) = found {
        plan.vetting = Vetting::By(Arc::new(Client {
            service: service.weak(),
            job,
            file,
            asks: AtomicBool::new(false),
            asked: Mutex::default(),
        }));
    }
}

/// The client of a job.
struct Client {
    service: Weak<Service>,
    job: JobKey,
    file: FileIndex,
    /// Whether the client is being asked.
    asks: AtomicBool,
    /// Whose object is asked, or was the last to be.
    asked: Mutex<Option<Caller>>,
}

/// A client that is being asked: the clock waits for it as for a callback.
struct Asking<'a> {
    service: &'a Service,
    ticket: Ticket,
    asks: &'a AtomicBool,
    _entered: Entered,
}

impl<'a> Asking<'a> {
    fn begin(service: &'a Service, asks: &'a AtomicBool) -> Self {
        let ticket = service.begin_look();
        let entered = running::enter(&service.weak(), &service.clock, ticket);
        // From here on the clock asks us, and until the end it does: never nobody.
        asks.store(true, Ordering::SeqCst);
        Self { service, ticket, asks, _entered: entered }
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.asks.store(false, Ordering::SeqCst);
        self.service.with_core(|core| core.running.remove(&self.ticket.0));
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("job", &self.job).field("file", &self.file).finish_non_exhaustive()
    }
}

impl Client {
    fn asked(&self) -> MutexGuard<'_, Option<Caller>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vetter for Client {
    fn is_asking(&self) -> bool {
        self.asks.load(Ordering::SeqCst)
    }

    fn is_gone(&self) -> bool {
        self.is_asking() && self.asked().as_ref().is_some_and(|caller| !caller.is_alive())
    }

    fn client(&self) -> Option<u64> {
        Some(self.job.0)
    }

    fn has_taken(&self, server: &PresentedServer<'_>) -> bool {
        let (Some(service), [own, ..]) = (self.service.upgrade(), server.chain) else { return false };
        let key = key(server, own);
        let has_taken = service.with_core(|core| {
            let callback = core.engine.vetting_object(self.job)?;
            Some(core.accepted.0.get(&callback)?.contains(&key))
        });
        has_taken.flatten().unwrap_or(false)
    }

    fn vet(&self, server: &PresentedServer<'_>) -> Result<(), Failure> {
        let service = self.service.upgrade().ok_or(Failure::NO_VETTER)?;
        let [own, ..] = server.chain else { return Err(Failure::NO_VETTER) };
        let callback = service.with_core(|core| core.engine.vetting_object(self.job)).flatten();
        let callback = callback.ok_or(Failure::NO_VETTER)?;
        let key = key(server, own);
        let registration = service.registered(callback).filter(|registration| registration.caller.is_alive());
        let registration = registration.ok_or(Failure::NO_VETTER)?;
        let job = JobHandle::hand_over(&service, &registration.caller, self.job).map_err(|_| Failure::NO_VETTER)?;
        *self.asked() = Some(registration.caller.clone());
        let asking = Asking::begin(&service, &self.asks);
        let code = ask(&service, &registration, &job, self.file, server);
        drop(asking);
        match code {
            code if code.is_failure() => {
                Err(Failure { code, context: ErrorContext::SERVER_CERTIFICATE_CALLBACK, transient: true })
            }
            _ => {
                // Another object may have taken its place meanwhile: it has a say of its own.
                service.with_core(|core| {
                    if core.registrations.contains_key(&callback) {
                        core.accepted.0.entry(callback).or_default().insert(key);
                    }
                });
                Ok(())
            }
        }
    }
}

/// By what a server is known again.
fn key(server: &PresentedServer<'_>, own: &[u8]) -> (String, [u8; 20]) {
    (server.endpoint.to_ascii_lowercase(), identity::hash(own))
}

fn ask(
    service: &Service,
    registration: &Registration,
    job: &Arc<JobHandle>,
    file: FileIndex,
    server: &PresentedServer<'_>,
) -> Hresult {
    const METHOD: &str = "ValidateServerCertificate";
    let store = serialized_store(server.chain);
    let presented = ServerCertificate { certificate: server.chain[0], encoding: ENCODING, store: &store };
    let Some(object) = registration.object.server_certificate_validation() else { return Hresult::E_NOINTERFACE };
    service.timeline.push(service.clock.now(), Some(job.guid()), What::Callback { method: METHOD });
    let call = || object.validate_server_certificate(Arc::clone(job) as _, FileHandle::new(job, file), &presented);
    let result = match guarded(call) {
        Some(Ok(success)) => success.hresult(),
        Some(Err(code)) if code.is_failure() => code,
        // A failure that says it is none; a client that panics.
        Some(Err(_)) | None => Hresult::E_UNEXPECTED,
    };
    let what = What::CallbackReturned { method: METHOD, result: Some(result) };
    service.timeline.push(service.clock.now(), Some(job.guid()), what);
    result
}
