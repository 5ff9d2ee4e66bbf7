//! Objects of clients as BITS meets them: their tables are called as BITS would, with objects of this
//! process, also where the BITS at hand never calls.

use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bits_api::{
    Callback, Callback2, Callback3, File, FileRange, Hresult, Job, JobError, LENGTH_TO_EOF, ServerCertificate,
    ServerCertificateValidationCallback, Success, Unknown, callback_object, callback2_object, callback3_object,
    server_certificate_validation_object,
};
use windows::Win32::Foundation::E_POINTER;
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{IUnknown, Interface};

use super::{ClientObject, Foreign, object, registered};
use crate::call::Argument;
use crate::fakes::{Blanket, FakeError, FakeFile, FakeGuarded, FakeJob, FakeService};
use crate::memory::ObjectOut;
use crate::proxy::Proxy;

/// A client with every callback, who notes what he is called with, keeps what he is lent, and answers
/// what he is told to.
struct Client {
    answer: Result<Success, Hresult>,
    heard: Mutex<Vec<String>>,
    kept: Mutex<Vec<Arc<dyn Job>>>,
}

impl Client {
    fn answering(code: Hresult) -> Arc<Self> {
        Arc::new(Self { answer: Success::new(code), heard: Mutex::default(), kept: Mutex::default() })
    }

    fn hear(&self, call: String, job: Arc<dyn Job>) -> Result<Success, Hresult> {
        self.heard.lock().unwrap().push(call);
        self.kept.lock().unwrap().push(job);
        self.answer
    }
}

impl Callback for Client {
    fn job_transferred(&self, job: Arc<dyn Job>) -> Result<Success, Hresult> {
        self.hear(format!("transferred, {} errors", job.error_count()?), job)
    }

    fn job_error(&self, job: Arc<dyn Job>, error: Arc<dyn JobError>) -> Result<Success, Hresult> {
        self.hear(format!("{} errors, the last with {}", job.error_count()?, error.protocol()?), job)
    }

    fn job_modification(&self, job: Arc<dyn Job>) -> Result<Success, Hresult> {
        self.hear(format!("modified, {} errors", job.error_count()?), job)
    }
}

impl Callback2 for Client {
    fn file_transferred(&self, job: Arc<dyn Job>, file: Arc<dyn File>) -> Result<Success, Hresult> {
        self.hear(format!("{} of {}", file.remote_name()?, job.display_name()?), job)
    }
}

impl Callback3 for Client {
    fn file_ranges_transferred(
        &self,
        job: Arc<dyn Job>,
        file: Arc<dyn File>,
        ranges: &[FileRange],
    ) -> Result<Success, Hresult> {
        let ranges: Vec<_> = ranges.iter().map(|range| (range.initial_offset, range.length)).collect();
        self.hear(format!("{ranges:?} of {} of {}", file.remote_name()?, job.display_name()?), job)
    }
}

impl ServerCertificateValidationCallback for Client {
    fn validate_server_certificate(
        &self,
        job: Arc<dyn Job>,
        file: Arc<dyn File>,
        server: &ServerCertificate<'_>,
    ) -> Result<Success, Hresult> {
        self.hear(format!("{server:?} for {}", file.local_name()?), job)
    }
}

/// An object that has whatever its client is given for.
#[derive(Default)]
struct Chosen {
    callback: Option<Arc<Client>>,
    callback2: Option<Arc<Client>>,
    callback3: Option<Arc<Client>>,
    validation: Option<Arc<Client>>,
}

impl Chosen {
    fn all(client: &Arc<Client>) -> Arc<dyn Unknown> {
        let client = || Some(Arc::clone(client));
        Arc::new(Self { callback: client(), callback2: client(), callback3: client(), validation: client() })
    }
}

impl Unknown for Chosen {
    fn callback(&self) -> Option<Arc<dyn Callback>> {
        Some(self.callback.clone()?)
    }

    fn callback2(&self) -> Option<Arc<dyn Callback2>> {
        Some(self.callback2.clone()?)
    }

    fn callback3(&self) -> Option<Arc<dyn Callback3>> {
        Some(self.callback3.clone()?)
    }

    fn server_certificate_validation(&self) -> Option<Arc<dyn ServerCertificateValidationCallback>> {
        Some(self.validation.clone()?)
    }
}

/// What BITS lends to a callback.
struct Lent {
    service: Arc<FakeService>,
    job: bits::IBackgroundCopyJob,
    file: bits::IBackgroundCopyFile,
    error: bits::IBackgroundCopyError,
}

impl Lent {
    fn new() -> Self {
        let service = FakeService::answering(Hresult::S_OK);
        let (job, file) = (FakeJob::interface(&service), FakeFile::interface(&service, 3));
        let error = FakeError::interface(&service);
        Self { service, job, file, error }
    }
}

const RANGES: [bits::BG_FILE_RANGE; 2] = [
    bits::BG_FILE_RANGE { InitialOffset: 1, Length: 2 },
    bits::BG_FILE_RANGE { InitialOffset: 3, Length: LENGTH_TO_EOF },
];

#[test]
fn what_bits_calls_arrives_as_it_was_meant() {
    let (client, lent) = (Client::answering(Hresult::S_OK), Lent::new());
    let object = object::new(Chosen::all(&client));
    let callback3: bits::IBackgroundCopyCallback3 = object.cast().unwrap();
    let validation: bits::IBackgroundCopyServerCertificateValidationCallback = object.cast().unwrap();

    // SAFETY: all that is lent lives during the calls.
    unsafe {
        callback3.JobTransferred(&lent.job).unwrap();
        callback3.JobError(&lent.job, &lent.error).unwrap();
        callback3.JobModification(&lent.job, 0).unwrap();
        callback3.FileTransferred(&lent.job, &lent.file).unwrap();
        callback3.FileRangesTransferred(&lent.job, &lent.file, &RANGES).unwrap();
        validation.ValidateServerCertificate(&lent.job, &lent.file, &[1, 2, 3], 0x0001_0001, &[4, 5]).unwrap();
    }

    assert_eq!(
        *client.heard.lock().unwrap(),
        [
            "transferred, 63 errors",
            "63 errors, the last with http",
            "modified, 63 errors",
            "url 3 of a name",
            "[(1, 2), (3, 18446744073709551615)] of url 3 of a name",
            "ServerCertificate { certificate: [1, 2, 3], encoding: 65537, store: [4, 5] } for path 3",
        ]
    );
}

#[test]
fn nothing_at_all_is_an_empty_list() {
    let (client, lent) = (Client::answering(Hresult::S_OK), Lent::new());
    let validation: bits::IBackgroundCopyServerCertificateValidationCallback =
        object::new(Chosen::all(&client)).cast().unwrap();
    let table = Interface::vtable(&validation);

    // SAFETY: all that is lent lives during the call; there is nothing behind the lengths.
    let code = unsafe {
        let (job, file) = (lent.job.as_raw(), lent.file.as_raw());
        (table.ValidateServerCertificate)(validation.as_raw(), job, file, 0, null(), 1, 0, null())
    };

    assert!(code.is_ok());
    let heard = "ServerCertificate { certificate: [], encoding: 1, store: [] } for path 3";
    assert_eq!(*client.heard.lock().unwrap(), [heard]);
}

/// Each method through each of its tables, by way of an object that BITS has handed out.
#[test]
fn every_code_of_a_client_comes_back_unchanged() {
    let codes =
        [Hresult::S_OK, Hresult::S_FALSE, Hresult::BG_S_PARTIAL_COMPLETE, Hresult::E_FAIL, Hresult(0x8765_4321)];
    let service = FakeService::answering(Hresult::S_OK);
    let server = ServerCertificate { certificate: &[1], encoding: 2, store: &[3] };
    let (job, file, error) = (|| FakeJob::of(&service), || FakeFile::of(&service), || FakeError::of(&service));

    for code in codes {
        let client = Client::answering(code);
        let remote = Foreign::new(Proxy::new(object::new(Chosen::all(&client))));
        let (first, second) = (remote.callback().unwrap(), remote.callback2().unwrap());
        let (third, validation) = (remote.callback3().unwrap(), remote.server_certificate_validation().unwrap());

        let answers = [
            first.job_transferred(job()),
            first.job_error(job(), error()),
            first.job_modification(job()),
            second.job_transferred(job()),
            second.job_error(job(), error()),
            second.job_modification(job()),
            second.file_transferred(job(), file()),
            third.job_transferred(job()),
            third.job_error(job(), error()),
            third.job_modification(job()),
            third.file_transferred(job(), file()),
            third.file_ranges_transferred(job(), file(), &[FileRange { initial_offset: 1, length: 2 }]),
            validation.validate_server_certificate(job(), file(), &server),
        ];

        assert_eq!(answers, [Success::new(code); 13]);
        assert_eq!(client.heard.lock().unwrap().len(), answers.len());
    }
}

/// Which interfaces an object of COM has, newest last.
fn interfaces(object: Arc<dyn Unknown>) -> [bool; 4] {
    let object = object::new(object);
    [
        object.cast::<bits::IBackgroundCopyCallback>().is_ok(),
        object.cast::<bits::IBackgroundCopyCallback2>().is_ok(),
        object.cast::<bits::IBackgroundCopyCallback3>().is_ok(),
        object.cast::<bits::IBackgroundCopyServerCertificateValidationCallback>().is_ok(),
    ]
}

#[test]
fn an_object_has_the_interfaces_that_its_client_has() {
    let client = Client::answering(Hresult::S_OK);

    assert_eq!(interfaces(callback_object(client.clone())), [true, false, false, false]);
    assert_eq!(interfaces(callback2_object(client.clone())), [true, true, false, false]);
    assert_eq!(interfaces(callback3_object(client.clone())), [true, true, true, false]);
    assert_eq!(interfaces(server_certificate_validation_object(client.clone())), [false, false, false, true]);
    assert_eq!(interfaces(Chosen::all(&client)), [true; 4]);
    assert_eq!(interfaces(Arc::new(Chosen::default())), [false; 4]);
}

#[test]
fn each_interface_is_answered_by_whom_the_object_names_for_it() {
    let clients = [(); 4].map(|()| Client::answering(Hresult::S_OK));
    let [first, second, third, fourth] = clients.clone().map(Some);
    let chosen = Chosen { callback: first, callback2: second, callback3: third, validation: fourth };
    let (object, lent) = (object::new(Arc::new(chosen)), Lent::new());

    // SAFETY: all that is lent lives during the calls.
    unsafe {
        object.cast::<bits::IBackgroundCopyCallback>().unwrap().JobTransferred(&lent.job).unwrap();
        object.cast::<bits::IBackgroundCopyCallback2>().unwrap().JobTransferred(&lent.job).unwrap();
        object.cast::<bits::IBackgroundCopyCallback3>().unwrap().JobTransferred(&lent.job).unwrap();
    }

    assert_eq!(clients.map(|client| client.heard.lock().unwrap().len()), [1, 1, 1, 0]);
}

#[test]
fn an_object_has_one_identity() {
    let client = Client::answering(Hresult::S_OK);
    let object = object::new(Chosen::all(&client));
    let callback3: bits::IBackgroundCopyCallback3 = object.cast().unwrap();
    let validation: bits::IBackgroundCopyServerCertificateValidationCallback = callback3.cast().unwrap();

    assert_eq!(callback3.cast::<IUnknown>().unwrap().as_raw(), object.as_raw());
    assert_eq!(validation.cast::<IUnknown>().unwrap().as_raw(), object.as_raw());
    assert_eq!(validation.cast::<bits::IBackgroundCopyCallback3>().unwrap().as_raw(), callback3.as_raw());
}

#[test]
fn references_are_counted_across_all_interfaces() {
    let client = Client::answering(Hresult::S_OK);
    let alone = Arc::strong_count(&client);
    let object = object::new(Chosen::all(&client));
    let callback2: bits::IBackgroundCopyCallback2 = object.cast().unwrap();
    let again = callback2.clone();

    drop(object);
    drop(callback2);
    assert!(Arc::strong_count(&client) > alone, "one interface is enough");
    drop(again);

    assert_eq!(Arc::strong_count(&client), alone);
}

#[test]
fn many_threads_may_hold_and_call_an_object() {
    let client = Client::answering(Hresult::S_OK);
    let alone = Arc::strong_count(&client);
    let shared = Proxy::new(object::new(Chosen::all(&client)));
    let lent = FakeJob::of(&FakeService::answering(Hresult::S_OK));

    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..250 {
                    let callback = Foreign::new(shared.query().unwrap()).callback().unwrap();
                    callback.job_transferred(Arc::clone(&lent)).unwrap();
                }
            });
        }
    });

    assert_eq!(client.heard.lock().unwrap().len(), 1000);
    drop(shared);
    assert_eq!(Arc::strong_count(&client), alone);
}

#[test]
fn what_is_lent_may_be_kept() {
    let (client, lent) = (Client::answering(Hresult::S_OK), Lent::new());
    let callback: bits::IBackgroundCopyCallback = object::new(Chosen::all(&client)).cast().unwrap();
    // SAFETY: what is lent lives during the call.
    unsafe { callback.JobTransferred(&lent.job) }.unwrap();
    let service = Arc::clone(&lent.service);
    drop(lent);

    let kept = client.kept.lock().unwrap().pop().unwrap();

    assert_eq!(kept.display_name().as_deref(), Ok("a name"));
    drop(kept);
    assert_eq!(Arc::strong_count(&service), 1, "the job is let go of");
}

#[test]
fn an_argument_that_is_missing_is_refused() {
    let (client, lent) = (Client::answering(Hresult::S_OK), Lent::new());
    let callback: bits::IBackgroundCopyCallback2 = object::new(Chosen::all(&client)).cast().unwrap();
    let (this, table) = (callback.as_raw(), Interface::vtable(&callback));

    // SAFETY: what is lent lives during the calls; all else is null.
    let codes = unsafe {
        [
            (table.base__.JobTransferred)(this, null_mut()),
            (table.base__.JobError)(this, lent.job.as_raw(), null_mut()),
            (table.FileTransferred)(this, lent.job.as_raw(), null_mut()),
            (table.base__.base__.QueryInterface)(this, null(), null_mut()),
        ]
    };

    assert_eq!(codes, [E_POINTER; 4]);
    assert!(client.heard.lock().unwrap().is_empty());
}

/// What a client panics with that panics when it is dropped too.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        panic!("of a panic")
    }
}

/// A client that panics whatever is done with it.
struct Panics(Arc<AtomicBool>);

impl Callback for Panics {
    fn job_transferred(&self, _: Arc<dyn Job>) -> Result<Success, Hresult> {
        panic!("in the call")
    }

    fn job_error(&self, _: Arc<dyn Job>, _: Arc<dyn JobError>) -> Result<Success, Hresult> {
        panic!("in the call")
    }

    fn job_modification(&self, _: Arc<dyn Job>) -> Result<Success, Hresult> {
        std::panic::panic_any(Payload)
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
        std::panic::panic_any(Payload)
    }
}

#[test]
fn a_panic_of_a_client_does_not_cross_com() {
    let is_gone = Arc::new(AtomicBool::new(false));
    let lent = FakeJob::of(&FakeService::answering(Hresult::S_OK));
    let object = object::new(callback_object(Arc::new(Panics(Arc::clone(&is_gone)))));
    let callback = Foreign::new(Proxy::new(object)).callback().unwrap();

    assert_eq!(callback.job_transferred(Arc::clone(&lent)), Err(Hresult::E_UNEXPECTED));
    assert_eq!(callback.job_modification(lent), Err(Hresult::E_UNEXPECTED));
    drop(callback);

    assert!(is_gone.load(Ordering::Acquire));
}

/// As BITS hands it out again.
fn handed_out(object: &ClientObject) -> ObjectOut<IUnknown> {
    let raw = object.raw();
    let mut out = ObjectOut::new();
    // SAFETY: null, or an object that lives.
    let borrowed = unsafe { IUnknown::from_raw_borrowed(&raw) };
    // SAFETY: the place is good, and gets a reference of its own.
    unsafe { *(&mut out).raw() = borrowed.cloned().map_or(null_mut(), Interface::into_raw) };
    out
}

#[test]
fn what_was_registered_is_found_again() {
    let registering = Chosen::all(&Client::answering(Hresult::S_OK));
    let object = ClientObject::new(Some(Arc::clone(&registering))).unwrap();

    let found = registered(handed_out(&object)).unwrap().unwrap();

    assert!(Arc::ptr_eq(&found, &registering));
    assert!(registered(handed_out(&ClientObject::new(None).unwrap())).unwrap().is_none());
}

#[test]
fn what_another_program_has_registered_is_told_by_its_interfaces_and_goes_back_itself() {
    let service = FakeService::answering(Hresult::S_OK);
    let mut out = ObjectOut::new();
    let object: IUnknown = FakeError::interface(&service).cast().unwrap();
    let identity = object.as_raw();
    // SAFETY: the place is good, and gets the reference.
    unsafe { *(&mut out).raw() = object.into_raw() };

    let found = registered(out).unwrap().unwrap();

    assert!(found.callback().is_none() && found.callback2().is_none() && found.callback3().is_none());
    assert!(found.server_certificate_validation().is_none());
    let back = ClientObject::new(Some(found)).unwrap();
    assert_eq!(back.raw(), identity);
    drop(back);
    assert_eq!(Arc::strong_count(&service), 1, "it is let go of");
}

#[test]
fn of_a_program_that_has_gone_nobody_knows_what_it_has_and_its_calls_say_so() {
    let gone = Hresult::RPC_S_SERVER_UNAVAILABLE;
    let service = FakeService::answering(Hresult::S_OK);
    let foreign = Foreign::new(Proxy::new(FakeGuarded::interface(&service, Blanket::Object, gone).cast().unwrap()));

    let called = foreign.callback().unwrap().job_transferred(FakeJob::of(&service));

    assert_eq!(called, Err(gone));
}

#[test]
fn what_is_not_of_bits_cannot_go_to_another_program() {
    #[derive(Debug)]
    struct Stranger;
    impl JobError for Stranger {
        fn error(&self) -> Result<(bits_api::ErrorContext, Hresult), Hresult> {
            Err(Hresult::E_NOTIMPL)
        }

        fn file(&self) -> Result<Arc<dyn File>, Hresult> {
            Err(Hresult::E_NOTIMPL)
        }

        fn description(&self, _: bits_api::LanguageId) -> Result<String, Hresult> {
            Err(Hresult::E_NOTIMPL)
        }

        fn context_description(&self, _: bits_api::LanguageId) -> Result<String, Hresult> {
            Err(Hresult::E_NOTIMPL)
        }

        fn protocol(&self) -> Result<String, Hresult> {
            Err(Hresult::E_NOTIMPL)
        }
    }
    let client = Client::answering(Hresult::S_OK);
    let callback = Foreign::new(Proxy::new(object::new(Chosen::all(&client)))).callback().unwrap();
    let job = FakeJob::of(&FakeService::answering(Hresult::S_OK));

    assert_eq!(callback.job_error(job, Arc::new(Stranger)), Err(Hresult::E_INVALIDARG));
    assert!(client.heard.lock().unwrap().is_empty());
}
