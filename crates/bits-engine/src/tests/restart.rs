//! The queue after a restart of the service.

use bits_api::{Hresult, JobPriority, JobState, NotifyFlags, Setting, Success, Value};

use super::house::{House, NOT_FOUND, SERVER_BUSY, administrator, alice, seconds};
use crate::{FileIndex, Reply};

#[test]
fn states_survive_and_active_jobs_go_on_from_where_their_files_stopped() {
    let mut house = House::new();
    let suspended = house.job(1);
    let active = house.resumed_job(JobPriority::FOREGROUND);
    house.connected(active, 100);
    house.progress(active, 70);
    let failed = house.resumed_job(JobPriority::FOREGROUND);
    house.fail(failed, NOT_FOUND);
    let done = house.resumed_job(JobPriority::FOREGROUND);
    house.transfer_file(done);
    let jobs = [suspended, active, failed, done];

    house.restart(seconds(10));

    assert_eq!(
        house.states(&jobs),
        [JobState::SUSPENDED, JobState::CONNECTING, JobState::ERROR, JobState::TRANSFERRED]
    );
    assert_eq!(house.engine.progress(&alice(), active).map(|sum| sum.bytes_transferred), Ok(70));
    assert_eq!(house.plan(active).known.map(|known| known.size), Some(100));
    assert_eq!(house.error(failed).map(|error| error.code), Ok(Hresult::BG_E_HTTP_ERROR_404));
    assert_eq!(house.engine.error_count(&alice(), failed), Ok(1));
    assert_eq!(house.complete(done), Ok(Success::OK));
    assert_eq!(house.in_queue(), [suspended, active, failed]);
    let fresh = house.empty_job(&alice());
    assert!(fresh > done);
}

#[test]
fn settings_survive_and_callbacks_do_not() {
    let mut house = House::new();
    let job = house.job(1);
    house.listen(job, NotifyFlags::JOB_TRANSFERRED);
    assert_eq!(house.set(job, Setting::NoProgressTimeout, 77), Ok(Success::OK));
    house.restart(seconds(0));
    assert_eq!(house.engine.get(&alice(), job, Setting::NoProgressTimeout), Ok(Value::Number(77)));
    assert_eq!(house.engine.get(&alice(), job, Setting::NotifyFlags), Ok(Value::Number(1)));
    assert_eq!(house.engine.callback(&alice(), job), Ok(None));
}

#[test]
fn a_retry_delay_goes_on_across_a_restart() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.fail(job, SERVER_BUSY);
    house.advance(seconds(200));
    house.restart(seconds(100));
    house.advance(seconds(299));
    assert_eq!(house.state(job), JobState::TRANSIENT_ERROR);
    house.advance(seconds(1));
    assert_eq!(house.state(job), JobState::CONNECTING);
}

#[test]
fn the_no_progress_timeout_goes_on_across_a_restart() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    assert_eq!(house.set(job, Setting::NoProgressTimeout, 1_000), Ok(Success::OK));
    house.fail(job, SERVER_BUSY);
    house.advance(seconds(600));
    house.fail(job, SERVER_BUSY);
    house.restart(seconds(300));
    house.advance(seconds(99));
    assert_eq!(house.state(job), JobState::TRANSIENT_ERROR);
    house.advance(seconds(1));
    assert_eq!(house.state(job), JobState::ERROR);
}

#[test]
fn inactivity_spans_restarts() {
    let mut house = House::new();
    let job = house.job(1);
    let day = seconds(24 * 60 * 60);
    house.advance(day * 30);
    house.restart(day * 59);
    house.advance(day.saturating_sub(seconds(1)));
    assert_eq!(house.state(job), JobState::SUSPENDED);
    house.engine.retain(job);
    house.advance(seconds(1));
    assert_eq!(house.state(job), JobState::CANCELLED);
}

#[test]
fn a_network_that_changed_while_the_service_was_away_is_noticed() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.world.network = bits_world::Network::Disconnected;
    house.restart(seconds(10));
    assert_eq!(house.state(job), JobState::TRANSIENT_ERROR);
    house.world.network = bits_world::Network::Connected;
    house.restart(seconds(10));
    assert_eq!(house.state(job), JobState::CONNECTING);
}

#[test]
fn a_file_that_was_renamed_but_not_recorded_is_completed() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.transfer_file(job);
    house.holds_files = true;
    assert!(matches!(house.act(|engine, cx| engine.complete(cx, &alice(), job)), Reply::Later(_)));
    let files = std::mem::take(house.disk.files.get_mut());
    house.disk.files.get_mut().extend(files.into_values().map(|length| ("/c/job0_0.bin".into(), length)));

    house.restart(seconds(1));

    assert_eq!(house.engine.file_progress(&alice(), job, FileIndex(0)).map(|file| file.completed), Ok(true));
    house.engine.retain(job);
    assert_eq!(house.complete(job), Ok(Success::OK));
}

#[test]
fn a_file_that_was_deleted_by_a_cancel_that_a_crash_cut_off_is_not_taken_for_an_older_one_of_its_name() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.transfer_file(job);
    house.disk.files.get_mut().clear();
    house.disk.files.get_mut().insert("/c/job0_0.bin".into(), 100);

    house.restart(seconds(1));

    assert_eq!(house.engine.file_progress(&alice(), job, FileIndex(0)).map(|file| file.completed), Ok(false));
    assert_eq!(house.state(job), JobState::CONNECTING);
}

#[test]
fn jobs_are_counted_and_temporary_names_kept_after_a_restart() {
    let mut house = House::new();
    let jobs: Vec<_> = (0..60).map(|_| house.resumed_job(JobPriority::FOREGROUND)).collect();
    house.restart(seconds(1));
    assert_eq!(house.create(&alice()), Err(Hresult::BG_E_TOO_MANY_JOBS_PER_USER));
    assert_eq!(house.engine.temporaries.len(), 60);
    assert_eq!(house.engine.state(&administrator(), jobs[0]), Ok(JobState::CONNECTING));
}

#[test]
fn a_transferred_file_that_is_gone_is_fetched_again() {
    let mut house = House::new();
    let job = house.job(2);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.transfer_file(job);
    let first = house.disk.files.get_mut().keys().next().cloned().expect("the temporary file");
    house.transfer_file(job);
    house.disk.files.get_mut().remove(&first);
    house.restart(seconds(1));
    assert_eq!(house.state(job), JobState::CONNECTING);
    assert!(house.plan(job).url.ends_with("/0"));
    house.transfer_file(job);
    assert_eq!(house.state(job), JobState::TRANSFERRED);
}

#[test]
fn files_added_to_a_transferred_job_wait_for_resume_after_a_restart_too() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.transfer_file(job);
    assert_eq!(house.add_file(job), Ok(Success::OK));
    house.restart(seconds(1));
    assert_eq!(house.state(job), JobState::TRANSFERRED);
    assert!(house.running.is_empty());
}
