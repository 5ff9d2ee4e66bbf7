//! The queue after a restart of the service.

use bits_api::{Hresult, JobPriority, JobState, NotifyFlags, Setting, Success, Value};

use super::house::{House, NOT_FOUND, SERVER_BUSY, administrator, alice, seconds};
use crate::{FileIndex, FileRecord, FileStage, JobKey, Reply};

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
    let (job, _) = job_in_the_middle_of_a_rename(&mut house);
    house.let_files_go_unheard();

    house.restart(seconds(1));

    assert!(is_completed(&house, job));
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

    assert!(!is_completed(&house, job));
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

#[test]
fn a_finished_file_that_was_begun_again_in_its_old_temporary_file_is_not_taken_for_whole() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.transfer_file(job);
    // A crash has cut off a Cancel that had deleted the file; the next one cuts off the new transfer.
    house.disk.files.get_mut().clear();
    house.restart(seconds(1));
    house.connected(job, 100);
    house.progress(job, 10);

    house.restart(seconds(1));

    assert_eq!(house.state(job), JobState::CONNECTING);
    assert_eq!(house.engine.progress(&alice(), job).map(|sum| sum.bytes_transferred), Ok(10));
    house.transfer_file(job);
    house.engine.retain(job);
    assert_eq!(house.complete(job), Ok(Success::OK));
}

#[test]
fn a_finished_file_of_another_length_is_fetched_again() {
    for length in [10, 101] {
        let mut house = House::new();
        let job = house.resumed_job(JobPriority::NORMAL);
        house.transfer_file(job);
        house.disk.files.get_mut().values_mut().for_each(|file| *file = length);

        house.restart(seconds(1));

        assert_eq!(house.state(job), JobState::CONNECTING, "{length}");
    }
}

#[test]
fn what_a_restart_finds_out_about_files_goes_on_record() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.transfer_file(job);
    house.disk.files.get_mut().clear();

    house.restart(seconds(1));

    let (record, files) = &house.store[&job];
    assert_eq!((record.state, files[&0].stage), (JobState::QUEUED, FileStage::Pending));
}

/// A job whose service ended in the middle of a rename, and what is on record of its file.
fn job_in_the_middle_of_a_rename(house: &mut House) -> (JobKey, FileRecord) {
    let job = house.resumed_job(JobPriority::NORMAL);
    house.transfer_file(job);
    house.holds_files = true;
    assert!(matches!(house.act(|engine, cx| engine.complete(cx, &alice(), job)), Reply::Later(_)));
    house.holds_files = false;
    (job, house.store[&job].1[&0].clone())
}

fn is_completed(house: &House, job: JobKey) -> bool {
    house.engine.file_progress(&alice(), job, FileIndex(0)).expect("the progress").completed
}

#[test]
fn a_rename_on_a_drive_that_is_not_there_is_judged_when_it_is_back() {
    let mut house = House::new();
    let (job, on_record) = job_in_the_middle_of_a_rename(&mut house);
    let drives = house.world.drives.clone();
    house.world.drives.unmount('C');

    house.restart(seconds(1));

    house.engine.retain(job);
    assert!(!is_completed(&house, job));
    assert_eq!(house.complete(job), Err(Hresult::ERROR_PATH_NOT_FOUND));
    assert_eq!(house.store[&job].1[&0], on_record);

    house.world.drives = drives;
    assert_eq!(house.complete(job), Ok(Success::OK));
    assert_eq!(house.disk.files.get_mut().keys().collect::<Vec<_>>(), [std::path::Path::new("/c/job0_0.bin")]);
}

#[test]
fn a_rename_in_a_folder_that_cannot_be_looked_at_is_judged_when_it_can() {
    for was_renamed in [true, false] {
        let mut house = House::new();
        let (job, on_record) = job_in_the_middle_of_a_rename(&mut house);
        if was_renamed {
            house.let_files_go_unheard();
        }
        house.disk.unreadable = Some(Hresult::ERROR_ACCESS_DENIED);

        house.restart(seconds(1));

        house.engine.retain(job);
        assert!(!is_completed(&house, job));
        assert_eq!(house.complete(job), Err(Hresult::ERROR_ACCESS_DENIED));
        assert_eq!(house.store[&job].1[&0], on_record);

        house.disk.unreadable = None;
        assert_eq!(house.complete(job), Ok(Success::OK));
        assert_eq!(house.disk.files.get_mut().keys().collect::<Vec<_>>(), [std::path::Path::new("/c/job0_0.bin")]);
    }
}

#[test]
fn a_finished_file_on_a_drive_that_is_not_there_is_kept_until_the_drive_is_back() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.transfer_file(job);
    let on_record = house.store[&job].1[&0].clone();
    let drives = house.world.drives.clone();
    house.world.drives.unmount('C');

    house.restart(seconds(1));

    assert_eq!(house.state(job), JobState::TRANSFERRED);
    house.engine.retain(job);
    assert_eq!(house.complete(job), Err(Hresult::ERROR_PATH_NOT_FOUND));
    assert_eq!(house.store[&job].1[&0], on_record);
    house.world.drives = drives;
    assert_eq!(house.complete(job), Ok(Success::OK));
    assert_eq!(house.disk.files.get_mut().keys().collect::<Vec<_>>(), [std::path::Path::new("/c/job0_0.bin")]);
}

#[test]
fn an_unfinished_file_on_a_drive_that_is_not_there_goes_on_when_the_drive_is_back() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.connected(job, 100);
    house.progress(job, 70);
    let temporary = house.plan(job).local;
    let drives = house.world.drives.clone();
    house.world.drives.unmount('C');

    house.restart(seconds(1));

    assert_eq!(house.error(job).map(|error| error.code), Ok(Hresult::ERROR_PATH_NOT_FOUND));
    house.world.drives = drives;
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.plan(job).local, temporary);
}

#[test]
fn a_temporary_file_on_a_drive_that_is_not_there_is_left_behind_by_cancel() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.transfer_file(job);
    house.world.drives.unmount('C');

    house.restart(seconds(1));

    house.engine.retain(job);
    assert_eq!(house.cancel(job), Ok(Success::UNABLE_TO_DELETE_FILES));
}
