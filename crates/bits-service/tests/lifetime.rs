//! Starting, stopping and dropping: what happens to those who still hold something.

mod support;

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use bits_api::{EnumJobsFlags, Hresult, JobState, Success};
use bits_service::{Emulator, Simulation, TimeError};
use support::{HOUR, Recorder, Setup, URL};

const GONE: Hresult = Hresult::RPC_S_SERVER_UNAVAILABLE;

#[test]
fn a_download_goes_through_its_whole_life() {
    let setup = Setup::new();
    let job = setup.job();

    job.resume().unwrap();
    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();
    assert_eq!(job.complete(), Ok(Success::OK));

    assert_eq!(job.state(), Ok(JobState::ACKNOWLEDGED));
    assert_eq!(
        setup.emulator.timeline().states(job.id().unwrap()),
        [
            JobState::SUSPENDED,
            JobState::QUEUED,
            JobState::CONNECTING,
            JobState::TRANSFERRING,
            JobState::TRANSFERRED,
            JobState::ACKNOWLEDGED
        ]
    );
}

#[test]
fn handles_of_a_stopped_service_say_that_the_server_is_unavailable() {
    let setup = Setup::new();
    let (manager, job) = (setup.manager(), setup.job());
    let file = job.enum_files().unwrap().next(1).unwrap().items.remove(0);
    let jobs = manager.enum_jobs(EnumJobsFlags::empty()).unwrap();

    setup.emulator.restart().unwrap();

    assert_eq!(job.state(), Err(GONE));
    assert_eq!(job.resume(), Err(GONE));
    assert_eq!(file.remote_name(), Err(GONE));
    assert_eq!(jobs.count(), Err(GONE));
    assert_eq!(manager.enum_jobs(EnumJobsFlags::empty()).err(), Some(GONE));
}

#[test]
fn a_job_is_found_again_after_a_restart_and_goes_on_by_itself() {
    let setup = Setup::new();
    let job = setup.job();
    let id = job.id().unwrap();
    setup.network.hold(URL, bits_service::SimHold::Transferring(1000));
    job.resume().unwrap();
    setup.emulator.wait_state(&job, JobState::TRANSFERRING, HOUR).unwrap();

    setup.emulator.restart().unwrap();
    setup.network.let_go(URL);

    let job = setup.manager().job(id).unwrap();
    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();
}

#[test]
fn without_a_service_there_is_no_manager() {
    let setup = Setup::new();

    setup.emulator.stop();
    assert_eq!(setup.client.manager().err(), Some(GONE));

    setup.emulator.start().unwrap();
    assert!(setup.client.manager().is_ok());
}

#[test]
fn an_emulator_can_be_dropped_from_a_callback() {
    let Setup { network: _network, emulator, client } = Setup::new();
    let slot = Arc::new(Mutex::new(None::<Emulator>));
    let (dropped, was_dropped) = mpsc::channel();
    let theirs = Arc::clone(&slot);
    let callback = Recorder::new(move |_, _| {
        drop(theirs.lock().unwrap().take());
        dropped.send(()).unwrap();
        Ok(Success::OK)
    });
    let job = client.manager().unwrap().create_job(Some("update"), bits_api::JobType::DOWNLOAD).unwrap().job;
    job.add_file(Some(URL), Some(r"C:\setup.exe")).unwrap();
    job.set_notify_interface(Some(callback.object())).unwrap();
    *slot.lock().unwrap() = Some(emulator);

    job.resume().unwrap();

    was_dropped.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(job.state(), Err(GONE));
}

#[tokio::test]
async fn an_emulator_can_be_used_and_dropped_inside_async_code() {
    let setup = Setup::new();
    let job = setup.job();

    job.resume().unwrap();
    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();

    drop(setup);
    assert_eq!(job.state(), Err(GONE));
}

#[test]
fn emulators_in_one_process_do_not_touch_each_other() {
    let first = Setup::new();
    let second = Setup::new();
    let job = first.job();

    assert_eq!(second.manager().job(job.id().unwrap()).err(), Some(Hresult::BG_E_NOT_FOUND));
    drop(second);

    job.resume().unwrap();
    first.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();
}

#[test]
fn a_call_that_waits_for_the_service_ends_when_it_stops() {
    let setup = Setup::new();
    let job = setup.job();

    std::thread::scope(|scope| {
        let calls = scope.spawn(|| {
            let mut last = Ok(Success::OK);
            while last != Err(GONE) {
                last = job.resume();
                last = last.and_then(|_| job.suspend());
            }
        });
        setup.emulator.stop();
        calls.join().unwrap();
    });
}

#[test]
fn moving_the_time_from_a_callback_is_an_error() {
    let setup = Setup::new();
    let emulator = Arc::new(Emulator::builder().simulated(&Simulation::new()).start().unwrap());
    let (told, tell) = (Arc::new(Mutex::new(None)), Arc::clone(&emulator));
    let seen = Arc::clone(&told);
    let callback = Recorder::new(move |_, _| {
        *seen.lock().unwrap() = Some(matches!(tell.settle(), Err(TimeError::InCallback)));
        Ok(Success::OK)
    });
    let job = setup.job();
    job.set_notify_interface(Some(callback.object())).unwrap();

    job.resume().unwrap();
    setup.emulator.settle().unwrap();

    assert_eq!(*told.lock().unwrap(), Some(true));
}

#[test]
fn waiting_for_a_state_that_does_not_come_tells_why() {
    let setup = Setup::new();
    let job = setup.job();

    let error = setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap_err().to_string();

    assert!(error.contains("BG_JOB_STATE_SUSPENDED"), "{error}");
    assert!(error.contains("updater.exe: AddFile"), "{error}");
}
