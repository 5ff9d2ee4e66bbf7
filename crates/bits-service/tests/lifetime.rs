//! Starting, stopping and dropping: what happens to those who still hold something.

mod support;

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use bits_api::{EnumJobsFlags, Hresult, JobState, Success};
use bits_service::{Emulator, Simulation, TimeError};
use bits_world::Sid;
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
    setup.emulator.settle().unwrap();

    // Nobody has called the service since it started.
    assert_eq!(setup.network.started(), [URL, URL]);
    setup.network.let_go(URL);
    let job = setup.manager().job(id).unwrap();
    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();
}

#[test]
fn a_job_of_a_state_folder_waits_for_the_logon_that_the_start_came_before() {
    let state = tempfile::tempdir().unwrap();
    let first = Setup::with(|builder| builder.state_folder(state.path()));
    let job = first.job();
    let id = job.id().unwrap();
    first.network.hold(URL, bits_service::SimHold::Transferring(1000));
    job.resume().unwrap();
    first.emulator.wait_state(&job, JobState::TRANSFERRING, HOUR).unwrap();
    drop((job, first));

    let Setup { network, emulator, client } = Setup::with(|builder| builder.state_folder(state.path()).before_logon());
    let job = client.manager().unwrap().job(id).unwrap();
    emulator.advance(HOUR).unwrap();

    assert_eq!(network.started(), [""; 0]);
    assert_eq!(job.state(), Ok(JobState::QUEUED));
    emulator.log_on(&Sid::of_name(Emulator::DEFAULT_USER));
    emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();
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
fn calls_of_another_thread_end_when_the_service_stops() {
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
fn moving_the_time_from_a_callback_of_the_same_clock_is_an_error() {
    let setup = Setup::new();
    let clock = setup.emulator.clock().clone();
    let same = Emulator::builder().clock(clock).simulated(&Simulation::new()).start().unwrap();
    let other = Emulator::builder().simulated(&Simulation::new()).start().unwrap();
    let told = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&told);
    let callback = Recorder::new(move |_, _| {
        let refused = matches!(same.settle(), Err(TimeError::InCallback));
        *seen.lock().unwrap() = Some((refused, other.settle().is_ok()));
        Ok(Success::OK)
    });
    let job = setup.job();
    job.set_notify_interface(Some(callback.object())).unwrap();

    job.resume().unwrap();
    setup.emulator.settle().unwrap();

    assert_eq!(*told.lock().unwrap(), Some((true, true)));
}

#[test]
fn the_world_may_be_changed_by_a_closure_that_uses_the_emulator() {
    let setup = Setup::new();
    let job = setup.job();
    job.resume().unwrap();

    setup.emulator.change_world(|world| {
        assert!(job.state().is_ok());
        world.log_off(&setup.emulator.user("alice").user);
    });

    let alice = setup.emulator.user("alice").user;
    let mut is_logged_on = None;
    setup.emulator.change_world(|world| is_logged_on = Some(world.is_logged_on(&alice)));
    assert_eq!(is_logged_on, Some(true), "the logon that came up in the closure comes after what it did");
}

#[test]
fn a_closure_that_panics_leaves_the_world_as_it_was() {
    let setup = Setup::new();
    let job = setup.job();

    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        setup.emulator.change_world(|world| {
            world.network = bits_world::Network::Disconnected;
            panic!("a test's own assertion");
        });
    }));

    assert!(panicked.is_err());
    job.resume().unwrap();
    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();
}

#[test]
fn a_queue_belongs_to_the_same_users_in_every_process() {
    let state = tempfile::tempdir().unwrap();
    let start = || Emulator::builder().simulated(&Simulation::new()).state_folder(state.path()).start().unwrap();
    let first = start();
    let alices = first.client_as("a.exe", first.user("alice")).manager().unwrap();
    let id = alices.create_job(Some("hers"), bits_api::JobType::DOWNLOAD).unwrap().id;
    drop(first);

    let second = start();
    let bob = second.client_as("b.exe", second.user("bob")).manager().unwrap();
    let alice = second.client_as("a.exe", second.user("Alice")).manager().unwrap();

    assert_eq!(bob.job(id).err(), Some(Hresult::E_ACCESSDENIED));
    assert!(alice.job(id).is_ok());
}

#[test]
fn emulators_that_share_a_simulation_do_not_take_each_others_attempts() {
    let first = Setup::new();
    let network = first.network.clone();
    let builder = Emulator::builder().simulated(&network);
    let second = builder.world(|world| world.drives.mount('C', "/other")).start().unwrap();
    network.hold(URL, bits_service::SimHold::Connecting);
    let manager = second.client("b.exe").manager().unwrap();
    let theirs = manager.create_job(Some("theirs"), bits_api::JobType::DOWNLOAD).unwrap().job;
    theirs.add_file(Some(URL), Some(r"C:\setup.exe")).unwrap();
    let ours = first.job();
    ours.resume().unwrap();
    theirs.resume().unwrap();
    first.emulator.settle().unwrap();
    second.settle().unwrap();

    network.let_go(URL);

    first.emulator.wait_state(&ours, JobState::TRANSFERRED, HOUR).unwrap();
    second.wait_state(&theirs, JobState::TRANSFERRED, HOUR).unwrap();
}

#[test]
fn an_unlimited_wait_in_real_time_ends_when_there_is_nothing_to_wait_for() {
    let emulator =
        Emulator::builder().clock(bits_world::clock::Clock::system()).simulated(&Simulation::new()).start().unwrap();

    assert!(emulator.run_until(|| true, Duration::MAX).unwrap());
    emulator.stop();
    assert!(!emulator.run_until(|| false, Duration::MAX).unwrap());
}

#[test]
fn waiting_with_a_handle_from_before_a_restart_fails_at_once() {
    let setup = Setup::new();
    let job = setup.job();
    setup.emulator.restart().unwrap();
    let before = setup.emulator.clock().now();

    let error = setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap_err().to_string();

    assert!(error.contains("get the job again"), "{error}");
    assert_eq!(setup.emulator.clock().now(), before);
}

#[test]
fn waiting_for_a_state_that_does_not_come_tells_why() {
    let setup = Setup::new();
    let job = setup.job();

    let error = setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap_err().to_string();

    assert!(error.contains("BG_JOB_STATE_SUSPENDED"), "{error}");
    assert!(error.contains("updater.exe: AddFile"), "{error}");
}
