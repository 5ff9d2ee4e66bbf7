//! Each decision with a switch, both ways: what is usual, and what the other choice makes of it.

use std::fmt::Debug;

use bits_api::{EnumJobsFlags, ErrorContext, FileInfo, Hresult, JobPriority, JobState, JobType, Setting, Success};
use bits_wire::attempt::{ERROR_FILE_EXISTS, Failure};
use bits_world::{Logon, Profile};

use super::house::{House, NOT_FOUND, SERVER_BUSY, SLICE, administrator, alice, config, seconds};
use crate::ErrorRecord;

const OK: Result<Success, Hresult> = Ok(Success::OK);
const RESET: Failure =
    Failure { code: Hresult::ERROR_WINHTTP_CONNECTION_ERROR, context: ErrorContext::REMOTE_FILE, transient: true };

/// What a scene shows as it is usual, and with another choice. In both it hangs on the decision.
fn both_ways<T: Debug + PartialEq>(id: &str, other: &str, scene: impl Fn(&mut House) -> T) -> (T, T) {
    let play = |choice: Option<&str>| {
        let mut config = config(Profile::default());
        if let Some(value) = choice {
            config.decisions.set(id, value).unwrap();
        }
        let decisions = config.decisions.clone();
        let shown = scene(&mut House::with(config));
        assert!(decisions.touched().contains(&id), "{id} has decided nothing: {:?}", decisions.touched());
        shown
    };
    let (usual, otherwise) = (play(None), play(Some(other)));
    assert_ne!(usual, otherwise, "{id}");
    (usual, otherwise)
}

#[test]
fn undefined_enumeration_values() {
    let made = both_ways("manager.create_job.type_undefined", "E_INVALIDARG", |house| {
        house.create_typed(&alice(), JobType(9)).unwrap_err()
    });
    let listed = both_ways("manager.enum_jobs.flags_undefined", "E_INVALIDARG", |house| {
        house.act(|engine, cx| engine.enum_jobs(cx, &alice(), EnumJobsFlags::from_bits_retain(2))).unwrap_err()
    });

    assert_eq!(
        (made, listed),
        ((Hresult::E_NOTIMPL, Hresult::E_INVALIDARG), (Hresult::E_NOTIMPL, Hresult::E_INVALIDARG))
    );
}

#[test]
fn a_set_without_files() {
    let added = both_ways("job.add_file_set.zero_count", "S_OK", |house| {
        let job = house.job(0);
        house.add(job, &[])
    });

    assert_eq!(added, (Err(Hresult::E_INVALIDARG), OK));
}

#[test]
fn a_folder_that_is_not_there() {
    let added = both_ways("struct.file_info.local_dirs_exist", "ERROR_PATH_NOT_FOUND", |house| {
        house.disk.missing_folders.insert("/c/gone".into());
        house.world.drives.unmount('Q');
        let job = house.job(0);
        [r"C:\gone\a", r"Q:\a"].map(|local_name| house.add(job, &[FileInfo { remote_name: "http://a/a", local_name }]))
    });

    assert_eq!(added, ([Err(Hresult::ERROR_DIRECTORY); 2], [Err(Hresult::ERROR_PATH_NOT_FOUND); 2]));
}

#[test]
fn a_local_name_twice() {
    let file = FileInfo { remote_name: "http://a/a", local_name: r"C:\a" };
    let added = both_ways("job.add_file.duplicate_local", "refused", |house| {
        let job = house.job(0);
        (house.add(job, &[file, file]), house.add(job, &[file]), house.add(job, &[file]))
    });

    let refused = Err(Hresult::E_INVALIDARG);
    assert_eq!(added, ((OK, OK, OK), (refused, OK, refused)));
}

#[test]
fn a_destination_that_is_there() {
    let completed = both_ways("job.add_file.dest_exists", "refused", |house| {
        let job = house.job(1);
        house.disk.files.get_mut().insert("/c/job0_0.bin".into(), 7);
        house.resume(job).unwrap();
        house.transfer_file(job);
        let completed = house.complete(job);
        (completed, house.state(job), house.disk.files.borrow()[std::path::Path::new("/c/job0_0.bin")])
    });

    assert_eq!(completed.0, (OK, JobState::ACKNOWLEDGED, 100));
    assert_eq!(completed.1, (Err(ERROR_FILE_EXISTS), JobState::TRANSFERRED, 7));
}

#[test]
fn suspend_and_resume_of_a_transferred_job() {
    let transferred = |house: &mut House| {
        let job = house.job(1);
        house.resume(job).unwrap();
        house.transfer_file(job);
        job
    };
    let suspended = both_ways("job.suspend.from_transferred", "stays", |house| {
        let job = transferred(house);
        (house.suspend(job), house.state(job))
    });
    let resumed = both_ways("job.resume.from_transferred_no_files", "queued", |house| {
        let job = transferred(house);
        let before = house.transitions.len();
        let resumed = house.resume(job);
        (resumed, house.transitions[before..].iter().map(|transition| transition.to).collect::<Vec<_>>())
    });

    assert_eq!(suspended, ((OK, JobState::SUSPENDED), (OK, JobState::TRANSFERRED)));
    assert_eq!(resumed, ((OK, vec![]), (OK, vec![JobState::QUEUED, JobState::TRANSFERRED])));
}

#[test]
fn complete_when_nothing_was_transferred() {
    let completed = both_ways("job.complete.none_transferred", "S_OK", |house| {
        let job = house.job(2);
        house.complete(job)
    });
    assert_eq!(completed, (Ok(Success::PARTIAL_COMPLETE), OK));

    let mut config = config(Profile::default());
    config.decisions.set("job.complete.none_transferred", "S_OK").unwrap();
    let mut house = House::with(config);
    let job = house.job(2);
    house.resume(job).unwrap();
    house.transfer_file(job);
    assert_eq!(house.complete(job), Ok(Success::PARTIAL_COMPLETE), "something was");
}

#[test]
fn a_failure_while_connecting_and_the_error_count() {
    let counts = both_ways("job.get_error_count.not_counted", "not_counted", |house| {
        let job = house.job(1);
        house.resume(job).unwrap();
        house.fail(job, SERVER_BUSY);
        let connecting = house.engine.error_count(&alice(), job).unwrap();
        house.resume(job).unwrap();
        house.connected(job, 100);
        house.fail(job, NOT_FOUND);
        (connecting, house.engine.error_count(&alice(), job).unwrap())
    });

    assert_eq!(counts, ((1, 2), (0, 1)));
}

#[test]
fn a_connection_that_fails_is_tried_again_at_once_as_often_as_was_decided() {
    let states = both_ways("retry.quick_attempts", "2", |house| {
        let job = house.job(1);
        house.resume(job).unwrap();
        let mut states = Vec::new();
        for _ in 0..3 {
            house.fail(job, RESET);
            states.push((house.state(job), house.engine.error_count(&alice(), job).unwrap()));
            if house.state(job) != JobState::CONNECTING {
                break;
            }
        }
        states
    });

    let transient = (JobState::TRANSIENT_ERROR, 1);
    assert_eq!(states.0, [transient]);
    assert_eq!(states.1, [(JobState::CONNECTING, 0), (JobState::CONNECTING, 0), transient]);
}

#[test]
fn what_the_server_says_is_never_tried_again_at_once() {
    let mut config = config(Profile::default());
    config.decisions.set("retry.quick_attempts", "2").unwrap();
    let mut house = House::with(config);
    let job = house.job(1);
    house.resume(job).unwrap();

    house.fail(job, SERVER_BUSY);

    assert_eq!(house.state(job), JobState::TRANSIENT_ERROR);
}

#[test]
fn the_error_of_a_job_that_is_given_up() {
    let errors = both_ways("retry.timeout_error", "BG_E_NO_PROGRESS", |house| {
        let job = house.job(1);
        house.resume(job).unwrap();
        house.fail(job, SERVER_BUSY);
        house.set(job, Setting::NoProgressTimeout, 0).unwrap();
        assert_eq!(house.state(job), JobState::ERROR);
        house.error(job).map(|ErrorRecord { code, context, .. }| (code, context)).unwrap()
    });

    assert_eq!(errors.0, (SERVER_BUSY.code, SERVER_BUSY.context));
    assert_eq!(errors.1, (Hresult::BG_E_NO_PROGRESS, ErrorContext::GENERAL_QUEUE_MANAGER));
}

#[test]
fn a_preempted_job_and_its_place() {
    let next = both_ways("sched.preempt", "lost", |house| {
        let jobs = [house.resumed_job(JobPriority::NORMAL), house.resumed_job(JobPriority::NORMAL)];
        let urgent = house.resumed_job(JobPriority::HIGH);
        house.transfer_file(urgent);
        house.states(&jobs)
    });

    assert_eq!(next.0, [JobState::CONNECTING, JobState::QUEUED]);
    assert_eq!(next.1, [JobState::QUEUED, JobState::CONNECTING]);
}

#[test]
fn custom_headers_that_are_never_sent() {
    let set = both_ways("http_options.custom_headers.reserved", "refused", |house| {
        let job = house.job(0);
        let mut set = |text| house.now_result(|engine, cx| engine.set_custom_headers(cx, &alice(), job, Some(text)));
        (set("X-Own: 1\r\nhost: elsewhere\r\n"), set("X-Own: 1\r\n"))
    });

    assert_eq!(set, ((OK, OK), (Err(Hresult::E_INVALIDARG), OK)));
}

#[test]
fn the_manager_in_remote_sessions() {
    let served = both_ways("users.remote_sessions", "served", |house| {
        let caller = administrator().by(Logon::WinRm);
        house.act(|engine, cx| engine.enum_jobs(cx, &caller, EnumJobsFlags::empty())).map(|jobs| jobs.len())
    });

    assert_eq!(served, (Err(Hresult::BG_E_REMOTE_NOT_SUPPORTED), Ok(0)));
}

#[test]
fn turns_and_repetitions_go_by_the_durations_that_were_decided() {
    let turns = both_ways("sched.slice_length", "60", |house| {
        let jobs = [house.resumed_job(JobPriority::NORMAL), house.resumed_job(JobPriority::NORMAL)];
        house.advance(seconds(60));
        let early = house.states(&jobs);
        house.advance(SLICE);
        early
    });

    assert_eq!(turns.0, [JobState::CONNECTING, JobState::QUEUED]);
    assert_eq!(turns.1, [JobState::QUEUED, JobState::CONNECTING]);
}
