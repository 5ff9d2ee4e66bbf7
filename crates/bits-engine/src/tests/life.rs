//! A job's way through the queue.

use bits_api::{
    EnumJobsFlags, FileInfo, FileProgress, FileTime, Guid, Hresult, JobPriority, JobProgress, JobState, SIZE_UNKNOWN,
    Setting, Success, Value,
};
use bits_wire::attempt::{AttemptEnd, AttemptReport, Urgency, Validators};

use super::house::{House, NOT_FOUND, SERVER_BUSY, administrator, alice, bob, seconds};
use crate::{Event, FileIndex, JobKey};

#[test]
fn a_new_job_is_suspended_and_has_the_documented_defaults() {
    let mut house = House::new();
    let job = house.empty_job(&alice());
    let get = |setting| house.engine.get(&alice(), job, setting);
    assert_eq!(house.state(job), JobState::SUSPENDED);
    assert_eq!(get(Setting::DisplayName), Ok(Value::Text(Some("job 1".into()))));
    assert_eq!(get(Setting::Description), Ok(Value::Text(Some(String::new()))));
    assert_eq!(get(Setting::Priority), Ok(Value::Number(JobPriority::NORMAL.0)));
    assert_eq!(get(Setting::NotifyFlags), Ok(Value::Number(3)));
    assert_eq!(get(Setting::MinimumRetryDelay), Ok(Value::Number(600)));
    assert_eq!(get(Setting::NoProgressTimeout), Ok(Value::Number(1_209_600)));
    assert_eq!(house.engine.callback(&alice(), job), Ok(None));
    assert_eq!(house.engine.error_count(&alice(), job), Ok(0));
    assert_eq!(house.error(job), Err(Hresult::BG_E_ERROR_INFORMATION_UNAVAILABLE));
    assert_eq!(
        house.engine.progress(&alice(), job),
        Ok(JobProgress { bytes_total: 0, bytes_transferred: 0, files_total: 0, files_transferred: 0 })
    );
}

#[test]
fn resume_of_an_empty_job_fails_with_bg_e_empty() {
    let mut house = House::new();
    let job = house.empty_job(&alice());
    assert_eq!(house.resume(job), Err(Hresult::BG_E_EMPTY));
    assert_eq!(house.state(job), JobState::SUSPENDED);
}

#[test]
fn a_job_moves_its_files_in_order_over_one_chain() {
    let mut house = House::new();
    let job = house.job(2);
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::CONNECTING);
    let first = house.plan(job);
    assert!(first.url.ends_with("/0") && first.known.is_none());
    assert_eq!(first.urgency, Urgency::Background);

    house.connected(job, 100);
    assert_eq!(house.state(job), JobState::TRANSFERRING);
    assert_eq!(house.proceeded, [first.attempt]);
    house.progress(job, 40);
    assert_eq!(
        house.engine.file_progress(&alice(), job, FileIndex(0)),
        Ok(FileProgress { bytes_total: 100, bytes_transferred: 40, completed: false })
    );
    assert_eq!(house.engine.progress(&alice(), job).map(|sum| sum.bytes_total), Ok(SIZE_UNKNOWN));

    house.report(job, AttemptReport::Ended(AttemptEnd::Done));
    let second = house.plan(job);
    assert!(second.url.ends_with("/1"));
    assert_eq!(second.chain, first.chain);
    assert_eq!(house.state(job), JobState::TRANSFERRING);
    assert_eq!(house.released, []);

    house.transfer_file(job);
    assert_eq!(house.state(job), JobState::TRANSFERRED);
    assert_eq!(house.released, [first.chain]);
    assert_eq!(
        house.engine.progress(&alice(), job),
        Ok(JobProgress { bytes_total: 200, bytes_transferred: 200, files_total: 2, files_transferred: 2 })
    );
    assert_eq!(house.engine.times(&alice(), job).map(|times| times.transfer_completion), Ok(house.now.wall));
}

#[test]
fn the_temporary_file_lies_beside_the_destination_and_is_on_record_before_the_attempt() {
    let mut house = House::new();
    let job = house.job(1);
    assert_eq!(house.resume(job), Ok(Success::OK));
    let name = house.plan(job).local;
    assert_eq!(name.parent(), Some("/c".as_ref()));
    let name = name.file_name().and_then(|name| name.to_str()).expect("a name");
    let digits = name.strip_prefix("BIT").and_then(|rest| rest.strip_suffix(".tmp")).expect("BITxxxx.tmp");
    assert!(digits.len() == 4 && digits.chars().all(|digit| digit.is_ascii_hexdigit()), "{name}");
    let recorded = house.actions.iter().position(|action| action.contains(name)).expect("a record");
    let started = house.actions.iter().position(|action| action.starts_with("Start")).expect("a start");
    assert!(recorded < started);
}

#[test]
fn an_explanation_does_not_show_credentials() {
    let mut house = House::new();
    let job = house.empty_job(&alice());
    let file = FileInfo { remote_name: "http://user:hunter2@example.org/a", local_name: r"C:\a.bin" };
    assert_eq!(house.add(job, &[file]), Ok(Success::OK));
    assert_eq!(house.resume(job), Ok(Success::OK));

    let told = house.engine.explain(house.now, job).to_string();

    assert!(told.contains("http://***@example.org/a"), "{told}");
    house.connected(job, 100);
    assert!(!house.engine.explain(house.now, job).to_string().contains("hunter2"));
}

#[test]
fn temporary_names_that_are_taken_are_avoided() {
    let mut house = House::new();
    let name = {
        let job = house.job(1);
        assert_eq!(house.resume(job), Ok(Success::OK));
        house.plan(job).local
    };
    // The same job in another house, where a stranger's file has that name.
    let mut house = House::new();
    house.disk.files.get_mut().insert(name.clone(), 7);
    let job = house.job(1);
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_ne!(house.plan(job).local, name);
}

#[test]
fn no_two_jobs_share_a_temporary_file() {
    // So many names of four digits collide.
    let mut house = House::new();
    for _ in 0..1_000 {
        let job = house.job_of(&administrator(), 1);
        assert!(house.set(job, Setting::Priority, JobPriority::FOREGROUND.0).is_ok());
        assert!(house.resume(job).is_ok());
    }
    let names: std::collections::BTreeSet<_> = house.running.values().map(|plan| &plan.local).collect();
    assert_eq!(names.len(), 1_000);
}

#[test]
fn a_file_that_changed_on_the_server_starts_over() {
    let mut house = House::new();
    let job = house.job(1);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.connected(job, 100);
    house.progress(job, 60);
    house.fail(job, SERVER_BUSY);
    house.advance(seconds(600));
    let changed = Validators { size: 50, last_modified: None };
    house.report(job, AttemptReport::Connected { validators: changed, have: 0 });
    let progress = house.engine.progress(&alice(), job).expect("the progress");
    assert_eq!((progress.bytes_total, progress.bytes_transferred), (50, 0));
}

#[test]
fn an_error_tells_of_its_file_until_data_moves_again() {
    let mut house = House::new();
    let job = house.job(2);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.transfer_file(job);
    house.fail(job, NOT_FOUND);
    assert_eq!(house.state(job), JobState::ERROR);
    let error = house.error(job).expect("the error");
    assert_eq!((error.code, error.file), (Hresult::BG_E_HTTP_ERROR_404, Some(FileIndex(1))));

    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::CONNECTING);
    assert_eq!(house.error(job), Ok(error));
    house.connected(job, 100);
    assert_eq!(house.error(job), Err(Hresult::BG_E_ERROR_INFORMATION_UNAVAILABLE));
    assert_eq!(house.store[&job].0.error, None);
    assert_eq!(house.engine.error_count(&alice(), job), Ok(1));
}

#[test]
fn resume_leaves_an_active_job_and_a_transferred_one_alone() {
    let mut house = House::new();
    let job = house.job(1);
    assert_eq!(house.resume(job), Ok(Success::OK));
    let plan = house.plan(job);
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.plan(job).attempt, plan.attempt);
    house.transfer_file(job);
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::TRANSFERRED);
}

/// A job in mid-file whose attempt ends only when the test lets it, after it was told to stop.
fn house_with_a_job_that_stops_late() -> (House, JobKey) {
    let mut house = House::new();
    house.holds_stops = true;
    let job = house.job(1);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.connected(job, 100);
    (house, job)
}

#[test]
fn a_resumed_job_waits_until_its_stopped_attempt_has_ended() {
    let (mut house, job) = house_with_a_job_that_stops_late();
    let first = house.plan(job);
    assert_eq!(house.suspend(job), Ok(Success::OK));
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::CONNECTING);
    assert_eq!(house.running.len(), 1);

    // What the old attempt reports meanwhile is not heard.
    house.tell(Event::Attempt(first.attempt, AttemptReport::Progress { have: 90 }));
    assert_eq!(house.engine.progress(&alice(), job).map(|sum| sum.bytes_transferred), Ok(0));

    house.let_stop(&AttemptEnd::Stopped);
    let second = house.plan(job);
    assert_ne!(second.attempt, first.attempt);
    assert_eq!(second.local, first.local);
    assert_eq!(second.known.map(|known| known.size), Some(100));
    assert_eq!(house.released, [first.chain]);
}

#[test]
fn an_attempt_that_was_done_before_it_could_stop_has_transferred_its_file() {
    let (mut house, job) = house_with_a_job_that_stops_late();
    assert_eq!(house.suspend(job), Ok(Success::OK));
    house.let_stop(&AttemptEnd::Done);
    assert_eq!(house.state(job), JobState::SUSPENDED);
    assert_eq!(house.engine.progress(&alice(), job).map(|sum| sum.files_transferred), Ok(1));
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::TRANSFERRED);
}

#[test]
fn a_job_that_waits_for_a_stop_is_done_when_the_stopped_attempt_was() {
    let (mut house, job) = house_with_a_job_that_stops_late();
    assert_eq!(house.suspend(job), Ok(Success::OK));
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.let_stop(&AttemptEnd::Done);
    assert_eq!(house.state(job), JobState::TRANSFERRED);
    assert!(house.running.is_empty());
}

#[test]
fn files_added_to_a_transferred_job_need_resume() {
    let mut house = House::new();
    let job = house.job(1);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.transfer_file(job);
    assert_eq!(house.add_file(job), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::TRANSFERRED);
    assert!(house.running.is_empty());
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert!(house.plan(job).url.ends_with("/1"));
}

#[test]
fn an_empty_file_is_transferred() {
    let mut house = House::new();
    let job = house.job(1);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.connected(job, 0);
    house.report(job, AttemptReport::Ended(AttemptEnd::Done));
    assert_eq!(house.state(job), JobState::TRANSFERRED);
    assert_eq!(house.complete(job), Ok(Success::OK));
    assert_eq!(house.disk.files.borrow().get(std::path::Path::new("/c/job0_0.bin")), Some(&0));
}

#[test]
fn getters_leave_the_modification_time_alone_and_changes_renew_it() {
    let mut house = House::new();
    let job = house.job(1);
    let modified = |house: &House| house.engine.times(&alice(), job).expect("the times").modification;
    let mut last = modified(&house);
    let mut renews = |house: &mut House, change: &dyn Fn(&mut House)| {
        house.advance(seconds(1));
        assert_eq!(modified(house), last);
        change(house);
        assert_eq!(modified(house), house.now.wall);
        last = house.now.wall;
    };
    renews(&mut house, &|house| _ = house.set(job, Setting::MinimumRetryDelay, 60));
    renews(&mut house, &|house| _ = house.add_file(job));
    renews(&mut house, &|house| _ = house.resume(job));
    renews(&mut house, &|house| house.connected(job, 100));
    renews(&mut house, &|house| house.progress(job, 1));
    renews(&mut house, &|house| _ = house.resume(job));
    renews(&mut house, &|house| _ = house.suspend(job));
    renews(&mut house, &|house| _ = house.cancel(job));
    assert_eq!(house.engine.times(&alice(), job).map(|times| times.transfer_completion), Ok(FileTime::ZERO));
}

#[test]
fn strangers_see_and_change_nothing_and_administrators_everything() {
    let mut house = House::new();
    let job = house.job(1);
    let id = Guid::from_u128(1);
    assert_eq!(house.act(|engine, cx| engine.find_job(cx, &bob(), id)), Err(Hresult::E_ACCESSDENIED));
    assert_eq!(house.act(|engine, cx| engine.find_job(cx, &administrator(), id)), Ok(job));
    assert_eq!(house.engine.state(&bob(), job), Err(Hresult::E_ACCESSDENIED));
    assert_eq!(house.engine.get(&bob(), job, Setting::Priority), Err(Hresult::E_ACCESSDENIED));
    assert_eq!(house.now_result(|engine, cx| engine.resume(cx, &bob(), job)), Err(Hresult::E_ACCESSDENIED));
    assert_eq!(house.now_result(|engine, cx| engine.resume(cx, &administrator(), job)), Ok(Success::OK));
    assert_eq!(house.engine.owner(&alice(), job), Ok(alice().user));
}

#[test]
fn enumeration_lists_the_callers_jobs_or_for_administrators_all() {
    let mut house = House::new();
    let of_alice = house.job(1);
    let of_bob = house.job_of(&bob(), 1);
    assert_eq!(house.resume(of_bob), Ok(Success::OK));
    let mut list = |token, flags| house.act(|engine, cx| engine.enum_jobs(cx, &token, flags));
    assert_eq!(list(alice(), EnumJobsFlags::empty()), Ok(vec![of_alice]));
    assert_eq!(list(administrator(), EnumJobsFlags::empty()), Ok(vec![]));
    assert_eq!(list(administrator(), EnumJobsFlags::ALL_USERS), Ok(vec![of_alice, of_bob]));
    assert_eq!(list(alice(), EnumJobsFlags::ALL_USERS), Err(Hresult::E_ACCESSDENIED));
    assert_eq!(list(alice(), EnumJobsFlags::from_bits_retain(2)), Err(Hresult::E_NOTIMPL));
}

#[test]
fn a_job_that_has_ended_is_readable_until_its_last_handle_goes() {
    let mut house = House::new();
    let job = house.job(1);
    assert_eq!(house.cancel(job), Ok(Success::OK));
    let id = Guid::from_u128(1);
    assert_eq!(house.act(|engine, cx| engine.find_job(cx, &alice(), id)), Err(Hresult::BG_E_NOT_FOUND));
    assert_eq!(house.engine.id(&alice(), job), Ok(id));
    assert_eq!(
        house.engine.file_names(&alice(), job, FileIndex(0)),
        Ok(FileInfo { remote_name: "https://example.org/0/0", local_name: r"C:\job0_0.bin" })
    );
    house.engine.release(job);
    assert_eq!(house.engine.id(&alice(), job), Err(Hresult::BG_E_NOT_FOUND));
}

#[test]
fn the_same_inputs_give_the_same_actions() {
    let story = || {
        let mut house = House::new();
        let jobs: Vec<_> = (0..8).map(|n| house.job(1 + n % 3)).collect();
        for (n, job) in jobs.iter().enumerate() {
            house.listen(*job, bits_api::NotifyFlags::from_bits_retain(0x1B));
            assert!(house.set(*job, Setting::Priority, u32::try_from(n % 4).unwrap_or(0)).is_ok());
            assert!(house.resume(*job).is_ok());
        }
        for round in 0..20 {
            let active: Vec<_> =
                jobs.iter().copied().filter(|job| house.engine.jobs[*job].attempt().is_some()).collect();
            for job in active {
                if round % 3 == 0 { house.fail(job, SERVER_BUSY) } else { house.transfer_file(job) }
            }
            house.advance(seconds(400));
        }
        house.restart(seconds(5));
        house.advance(seconds(1_000));
        house.actions
    };
    let first = story();
    assert!(first.len() > 100);
    assert_eq!(first, story());
}
