//! Callbacks of this process, called by the BITS of this machine.
//!
//! Ignored is what Wine's BITS never does: `cargo test -- --include-ignored` on Windows.
#![cfg(windows)]
#![allow(unsafe_code, reason = "a thread enters an apartment of its own")]

mod support;

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use bits_api::{
    Callback, ErrorContext, Hresult, Job, JobError, JobState, NotifyFlags, Success, Unknown, callback_object,
};
use windows::Win32::System::Com::{COINIT_APARTMENTTHREADED, CoInitializeEx, CoUninitialize};

use support::{BOUND, OwnJob, Server, manager};

/// What a client hears, and that it is gone.
#[derive(Debug)]
enum Heard {
    Transferred(Arc<dyn Job>, ThreadId),
    Error(Arc<dyn Job>, Arc<dyn JobError>),
    Modification(Arc<dyn Job>),
    Gone,
}

type Then = Box<dyn Fn(&Heard) -> Result<Success, Hresult> + Send + Sync>;

struct Listener {
    heard: Mutex<Sender<Heard>>,
    then: Then,
}

impl Listener {
    /// An object to register, and what it hears. What it does about that is `then`.
    fn object(then: impl Fn(&Heard) -> Result<Success, Hresult> + Send + Sync + 'static) -> (Arc<dyn Unknown>, Ears) {
        let (heard, ears) = mpsc::channel();
        let listener = Self { heard: Mutex::new(heard), then: Box::new(then) };
        (callback_object(Arc::new(listener)), Ears(ears))
    }

    fn tell(&self, what: Heard) -> Result<Success, Hresult> {
        // It is told before anything else, so that a test hears of a panic too.
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (self.then)(&what)));
        self.heard.lock().unwrap().send(what).map_err(|_| Hresult::E_UNEXPECTED)?;
        answer.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Callback for Listener {
    fn job_transferred(&self, job: Arc<dyn Job>) -> Result<Success, Hresult> {
        self.tell(Heard::Transferred(job, thread::current().id()))
    }

    fn job_error(&self, job: Arc<dyn Job>, error: Arc<dyn JobError>) -> Result<Success, Hresult> {
        self.tell(Heard::Error(job, error))
    }

    fn job_modification(&self, job: Arc<dyn Job>) -> Result<Success, Hresult> {
        self.tell(Heard::Modification(job))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // The test may have ended.
        _ = self.heard.get_mut().unwrap().send(Heard::Gone);
    }
}

struct Ears(Receiver<Heard>);

impl Ears {
    /// The first thing heard that is wanted.
    fn hear<T>(&self, wanted: impl Fn(Heard) -> Option<T>) -> T {
        loop {
            let heard = self.0.recv_timeout(BOUND).expect("BITS calls");
            if let Some(found) = wanted(heard) {
                return found;
            }
        }
    }

    fn transferred(&self) -> (Arc<dyn Job>, ThreadId) {
        self.hear(|heard| match heard {
            Heard::Transferred(job, thread) => Some((job, thread)),
            _ => None,
        })
    }

    fn gone(&self) {
        self.hear(|heard| matches!(heard, Heard::Gone).then_some(()));
    }
}

/// An object that finds all well, and what it hears.
fn listener() -> (Arc<dyn Unknown>, Ears) {
    Listener::object(|_| Ok(Success::OK))
}

#[test]
fn job_transferred_comes_from_another_thread_with_a_job_to_keep() {
    let (server, manager) = (Server::new(), manager());
    let own = OwnJob::of(&manager, &server.url());
    let (object, ears) = listener();
    own.job.set_notify_interface(Some(object)).unwrap();

    own.job.resume().unwrap();
    let (job, thread) = ears.transferred();

    assert_ne!(thread, thread::current().id());
    assert_eq!(job.id(), Ok(own.id));
    assert_eq!(job.complete(), Ok(Success::OK));
    assert_eq!(own.job.state(), Ok(JobState::ACKNOWLEDGED));
}

#[test]
#[ignore = "Wine's BITS never calls JobError"]
fn job_error_comes_with_the_error() {
    let (server, manager) = (Server::new(), manager());
    let own = OwnJob::of(&manager, &server.missing());
    let (object, ears) = listener();
    own.job.set_notify_interface(Some(object)).unwrap();

    own.job.resume().unwrap();
    let (job, error) = ears.hear(|heard| match heard {
        Heard::Error(job, error) => Some((job, error)),
        _ => None,
    });

    assert_eq!(job.id(), Ok(own.id));
    assert_eq!(error.error(), Ok((ErrorContext::REMOTE_FILE, Hresult::from_http_status(404))));
}

#[test]
#[ignore = "Wine's BITS never calls JobModification"]
fn job_modification_comes_if_asked_for() {
    let (server, manager) = (Server::new(), manager());
    let own = OwnJob::of(&manager, &server.url());
    let (object, ears) = listener();
    own.job.set_notify_interface(Some(object)).unwrap();
    own.job.set_notify_flags(NotifyFlags::JOB_MODIFICATION).unwrap();

    own.job.resume().unwrap();
    let job = ears.hear(|heard| match heard {
        Heard::Modification(job) => Some(job),
        _ => None,
    });

    assert_eq!(job.id(), Ok(own.id));
}

#[test]
fn who_registers_in_an_apartment_of_his_own_need_not_handle_messages() {
    let server = Server::new();
    thread::scope(|scope| {
        let apartment = scope.spawn(|| {
            // SAFETY: the thread is new and has no apartment yet.
            unsafe { CoInitializeEx(None, COINIT_APARTMENTTHREADED) }.unwrap();
            let manager = manager();
            let own = OwnJob::of(&manager, &server.url());
            let (object, ears) = listener();
            own.job.set_notify_interface(Some(object)).unwrap();
            own.job.resume().unwrap();
            let (job, thread) = ears.transferred();
            assert_ne!(thread, thread::current().id());
            assert_eq!(job.complete(), Ok(Success::OK));
            // SAFETY: the thread has entered it above.
            unsafe { CoUninitialize() };
        });
        apartment.join().unwrap();
    });
}

#[test]
fn a_callback_may_panic() {
    let (server, manager) = (Server::new(), manager());
    let own = OwnJob::of(&manager, &server.url());
    let (object, ears) = Listener::object(|heard| panic!("{heard:?}"));
    own.job.set_notify_interface(Some(object)).unwrap();

    own.job.resume().unwrap();

    assert_eq!(ears.transferred().0.complete(), Ok(Success::OK));
}

#[test]
fn a_callback_may_call_back_and_register_another() {
    let (server, manager) = (Server::new(), manager());
    let own = OwnJob::of(&manager, &server.url());
    let (second, _second_ears) = listener();
    let second = Mutex::new(Some(second));
    let (first, first_ears) = Listener::object(move |heard| match heard {
        Heard::Transferred(job, _) => {
            job.set_notify_interface(second.lock().unwrap().take())?;
            job.complete()
        }
        _ => Ok(Success::OK),
    });
    own.job.set_notify_interface(Some(first)).unwrap();

    own.job.resume().unwrap();

    first_ears.transferred();
    first_ears.gone();
    assert_eq!(own.job.state(), Ok(JobState::ACKNOWLEDGED));
}

#[test]
fn what_was_registered_comes_back_itself() {
    let own = OwnJob::new(&manager());
    let (object, _ears) = listener();
    own.job.set_notify_interface(Some(Arc::clone(&object))).unwrap();

    let registered = own.job.notify_interface().unwrap().expect("an object");

    assert!(Arc::ptr_eq(&registered, &object));
}

#[test]
fn an_object_is_released_when_it_is_removed() {
    let own = OwnJob::new(&manager());
    let (object, ears) = listener();
    own.job.set_notify_interface(Some(object)).unwrap();

    own.job.set_notify_interface(None).unwrap();

    ears.gone();
    assert!(own.job.notify_interface().unwrap().is_none());
}

#[test]
fn an_object_is_released_when_another_takes_its_place() {
    let own = OwnJob::new(&manager());
    let (first, first_ears) = listener();
    let (second, _ears) = listener();
    own.job.set_notify_interface(Some(first)).unwrap();

    own.job.set_notify_interface(Some(Arc::clone(&second))).unwrap();

    first_ears.gone();
    assert!(own.job.notify_interface().unwrap().is_some_and(|object| Arc::ptr_eq(&object, &second)));
}

#[test]
fn an_object_is_released_when_the_job_is_cancelled() {
    let (server, manager) = (Server::new(), manager());
    let own = OwnJob::new(&manager);
    let (object, ears) = listener();
    own.job.set_notify_interface(Some(object)).unwrap();

    own.job.cancel().unwrap();
    drop(own);

    // Wine's BITS clears up when the next job moves.
    let next = OwnJob::of(&manager, &server.url());
    next.job.resume().unwrap();
    ears.gone();
}

#[test]
#[ignore = "Wine's BITS never lets go of a job that was completed"]
fn an_object_is_released_when_the_job_is_completed() {
    let (server, manager) = (Server::new(), manager());
    let own = OwnJob::of(&manager, &server.url());
    let (object, ears) = listener();
    own.job.set_notify_interface(Some(object)).unwrap();
    own.job.resume().unwrap();

    assert_eq!(ears.transferred().0.complete(), Ok(Success::OK));
    drop(own);

    ears.gone();
}

#[test]
fn an_object_without_callbacks_is_refused() {
    struct Nothing;
    impl Unknown for Nothing {}
    let own = OwnJob::new(&manager());

    let set = own.job.set_notify_interface(Some(Arc::new(Nothing)));

    assert_eq!(set, Err(Hresult::E_NOINTERFACE));
}
