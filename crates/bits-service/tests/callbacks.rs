//! Callbacks of clients that do what they should not.

mod support;

use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use bits_api::{Callback, Guid, Hresult, JobPropertyId, JobPropertyValue, JobState, NotifyFlags, Success, Unknown};
use bits_service::SimHold;
use support::{HOUR, Recorder, Setup, URL};

#[test]
fn a_callback_is_called_until_it_returns_s_ok() {
    let setup = Setup::new();
    let failures = Mutex::new(3);
    let callback = Recorder::new(move |_, _| {
        let mut failures = failures.lock().unwrap();
        if *failures == 0 {
            return Ok(Success::OK);
        }
        *failures -= 1;
        Err(Hresult::E_FAIL)
    });
    let job = setup.job_told_to(&callback);

    job.resume().unwrap();
    setup.emulator.advance(HOUR).unwrap();

    assert_eq!(callback.calls(), ["JobTransferred"; 4]);
}

#[test]
fn a_callback_that_panics_is_called_again() {
    let setup = Setup::new();
    let first = Mutex::new(true);
    let callback = Recorder::new(move |_, _| {
        // The guard must not be poisoned by the panic that is the point of the test.
        let panics = std::mem::take(&mut *first.lock().unwrap());
        assert!(!panics, "the client's own trouble");
        Ok(Success::OK)
    });
    let job = setup.job_told_to(&callback);

    job.resume().unwrap();
    setup.emulator.advance(HOUR).unwrap();

    assert_eq!(callback.calls(), ["JobTransferred"; 2]);
    assert_eq!(job.state(), Ok(JobState::TRANSFERRED));
}

#[test]
fn a_callback_whose_panic_panics_again_when_it_is_dropped_is_called_again() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("the client's trouble with its trouble");
        }
    }
    let setup = Setup::new();
    let first = Mutex::new(true);
    let callback = Recorder::new(move |_, _| {
        let panics = std::mem::take(&mut *first.lock().unwrap());
        if panics {
            std::panic::panic_any(Bomb);
        }
        Ok(Success::OK)
    });
    let job = setup.job_told_to(&callback);

    job.resume().unwrap();
    setup.emulator.advance(HOUR).unwrap();

    assert_eq!(callback.calls(), ["JobTransferred"; 2]);
}

#[test]
fn an_object_of_a_class_that_panics_when_it_is_asked_what_it_is_cannot_be_had() {
    const CLASS: Guid = Guid::from_u128(7);
    struct Panics;
    impl Unknown for Panics {
        fn callback(&self) -> Option<Arc<dyn Callback>> {
            panic!("the client's own trouble")
        }
    }
    let setup = Setup::with(|builder| builder.class(CLASS, |_| Ok(Arc::new(Panics))));
    let job = setup.job().job5().unwrap();
    job.set_property(JobPropertyId::NOTIFICATION_CLSID, JobPropertyValue::ClsId(CLASS)).unwrap();

    job.resume().unwrap();
    let settled = setup.emulator.settle();

    assert!(settled.is_ok(), "{settled:?}");
    let told = setup.emulator.timeline().to_string();
    assert!(told.contains("RPC_S_SERVER_UNAVAILABLE"), "{told}");
}

#[test]
fn a_callback_may_complete_its_job() {
    let setup = Setup::new();
    let callback = Recorder::new(|_, job| job.complete());
    let job = setup.job_told_to(&callback);

    job.resume().unwrap();
    setup.emulator.settle().unwrap();

    assert_eq!(job.state(), Ok(JobState::ACKNOWLEDGED));
}

#[test]
fn a_client_that_exited_is_called_no_more() {
    let setup = Setup::new();
    let callback = Recorder::content();
    let job = setup.job();
    let id = job.id().unwrap();
    job.set_notify_interface(Some(callback.object())).unwrap();
    setup.network.hold(URL, SimHold::Connecting);
    job.resume().unwrap();

    setup.client.exit();
    setup.network.let_go(URL);
    let job_of_other = setup.emulator.client("other.exe").manager().unwrap().job(id).unwrap();
    setup.emulator.wait_state(&job_of_other, JobState::TRANSFERRED, HOUR).unwrap();

    assert_eq!(job.state(), Err(Hresult::RPC_E_DISCONNECTED));
    assert!(callback.calls().is_empty());
    assert!(job_of_other.notify_interface().unwrap().is_none());
}

#[test]
fn a_killed_client_does_not_hold_its_callback_up() {
    let setup = Setup::new();
    let (inside, leave) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let (theirs_inside, theirs_leave) = (Arc::clone(&inside), Arc::clone(&leave));
    let callback = Recorder::new(move |_, _| {
        theirs_inside.wait();
        theirs_leave.wait();
        Ok(Success::OK)
    });
    let job = setup.job_told_to(&callback);
    job.resume().unwrap();
    inside.wait();

    setup.client.kill();
    setup.emulator.settle().unwrap();

    leave.wait();
}

#[test]
fn an_object_without_a_callback_is_refused() {
    struct Plain;
    impl Unknown for Plain {}
    let setup = Setup::new();
    let job = setup.job();

    assert_eq!(job.set_notify_interface(Some(Arc::new(Plain))), Err(Hresult::E_NOINTERFACE));

    assert!(job.notify_interface().unwrap().is_none());
}

#[test]
fn a_replaced_object_is_let_go_outside_the_service() {
    struct Reenters(Mutex<Option<Arc<dyn bits_api::Job>>>, std::sync::mpsc::Sender<Result<JobState, Hresult>>);
    impl Drop for Reenters {
        fn drop(&mut self) {
            if let Some(job) = self.0.lock().unwrap().take() {
                let _ = self.1.send(job.state());
            }
        }
    }
    let setup = Setup::new();
    let job = setup.job();
    let (told, tell) = std::sync::mpsc::channel();
    let guard = Reenters(Mutex::new(Some(Arc::clone(&job))), told);
    let callback = Recorder::new(move |_, _| {
        let _held = &guard;
        Ok(Success::OK)
    });
    job.set_notify_interface(Some(callback.object())).unwrap();
    drop(callback);

    job.set_notify_interface(None).unwrap();

    assert_eq!(tell.recv_timeout(Duration::from_secs(20)), Ok(Ok(JobState::SUSPENDED)));
}

#[test]
fn flags_choose_the_methods() {
    let setup = Setup::new();
    let callback = Recorder::content();
    let job = setup.job_told_to(&callback);
    job.set_notify_flags(NotifyFlags::JOB_ERROR).unwrap();

    job.resume().unwrap();
    setup.emulator.advance(HOUR).unwrap();

    assert_eq!(job.state(), Ok(JobState::TRANSFERRED));
    assert!(callback.calls().is_empty());
}

#[test]
fn notifications_to_jobs_that_are_gone_do_not_silence_their_user() {
    const DAY: Duration = Duration::from_hours(24);
    let setup = Setup::new();
    let gone = Recorder::content();
    for _ in 0..4 {
        let job = setup.job();
        job.set_notify_interface(Some(gone.object())).unwrap();
        job.set_notify_flags(NotifyFlags::JOB_MODIFICATION).unwrap();
    }
    setup.emulator.settle().unwrap();
    setup.emulator.advance(91 * DAY).unwrap();
    let callback = Recorder::content();
    let job = setup.job_told_to(&callback);

    job.resume().unwrap();
    setup.emulator.settle().unwrap();

    assert_eq!(callback.calls(), ["JobTransferred"]);
}
