//! Complete and Cancel.

use std::path::Path;

use bits_api::{Hresult, JobState, Success};
use bits_wire::attempt::AttemptEnd;

use super::house::{House, NOT_FOUND, alice, seconds};
use crate::{Action, FileIndex, FileStage, JobKey, Reply};

fn length(house: &House, path: &str) -> Option<u64> {
    house.disk.files.borrow().get(Path::new(path)).copied()
}

fn is_completed(house: &House, job: JobKey, file: u32) -> bool {
    house.engine.file_progress(&alice(), job, FileIndex(file)).expect("the progress").completed
}

/// A transferred job of this many files.
fn transferred_job(house: &mut House, files: u32) -> JobKey {
    let job = house.job(files);
    assert_eq!(house.resume(job), Ok(Success::OK));
    for _ in 0..files {
        house.transfer_file(job);
    }
    assert_eq!(house.state(job), JobState::TRANSFERRED);
    job
}

#[test]
fn complete_gives_every_file_its_name_and_the_job_leaves_the_queue() {
    let mut house = House::new();
    let job = transferred_job(&mut house, 2);
    assert!(!is_completed(&house, job, 0));
    assert_eq!(house.complete(job), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::ACKNOWLEDGED);
    assert_eq!((length(&house, "/c/job0_0.bin"), length(&house, "/c/job0_1.bin")), (Some(100), Some(100)));
    assert!(is_completed(&house, job, 0) && is_completed(&house, job, 1));
    assert_eq!(house.disk.files.borrow().len(), 2);
    assert!(house.store.is_empty());
    assert!(house.engine.temporaries.is_empty());
}

#[test]
fn an_early_complete_keeps_whole_files_and_deletes_the_rest() {
    let mut house = House::new();
    let job = house.job(3);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.transfer_file(job);
    house.connected(job, 100);
    house.progress(job, 50);
    assert_eq!(house.complete(job), Ok(Success::PARTIAL_COMPLETE));
    assert_eq!(house.state(job), JobState::ACKNOWLEDGED);
    assert_eq!(length(&house, "/c/job0_0.bin"), Some(100));
    assert_eq!(house.disk.files.borrow().len(), 1);
    assert!(is_completed(&house, job, 0) && !is_completed(&house, job, 1));
}

#[test]
fn complete_of_a_job_without_files_is_plain_success_and_with_none_finished_partial() {
    let mut house = House::new();
    let job = house.empty_job(&alice());
    assert_eq!(house.complete(job), Ok(Success::OK));
    let job = house.job(1);
    assert_eq!(house.complete(job), Ok(Success::PARTIAL_COMPLETE));
}

#[test]
fn cancel_deletes_transferred_files_too() {
    let mut house = House::new();
    let job = house.job(2);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.transfer_file(job);
    house.connected(job, 100);
    assert_eq!(house.cancel(job), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::CANCELLED);
    assert!(house.disk.files.borrow().is_empty());
    assert!(house.running.is_empty());
}

#[test]
fn a_temporary_file_that_cannot_be_deleted_is_told_of() {
    for (end, state) in
        [(House::cancel as fn(&mut House, _) -> _, JobState::CANCELLED), (House::complete, JobState::ACKNOWLEDGED)]
    {
        let mut house = House::new();
        let job = house.job(1);
        assert_eq!(house.resume(job), Ok(Success::OK));
        let temporary = house.plan(job).local;
        house.connected(job, 100);
        house.disk.locked.insert(temporary);
        assert_eq!(end(&mut house, job), Ok(Success::UNABLE_TO_DELETE_FILES));
        assert_eq!(house.state(job), state);
    }
}

#[test]
fn files_are_touched_only_after_the_attempt_has_ended() {
    let mut house = House::new();
    house.holds_stops = true;
    house.holds_files = true;
    let job = house.job(1);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.connected(job, 100);
    let Reply::Later(call) = house.act(|engine, cx| engine.cancel(cx, &alice(), job)) else {
        panic!("a result that comes later");
    };
    assert!(house.files_held.is_empty());
    house.let_stop(&AttemptEnd::Stopped);
    assert!(matches!(house.files_held[..], [Action::Delete { .. }]));
    assert_eq!(house.state(job), JobState::TRANSFERRING);
    assert!(house.replies.is_empty());
    house.let_files_go();
    assert_eq!(house.replies.remove(&call), Some(Ok(Success::OK)));
    assert_eq!(house.state(job), JobState::CANCELLED);
}

#[test]
fn a_call_in_the_middle_of_complete_is_put_off_and_woken() {
    let mut house = House::new();
    house.holds_files = true;
    let job = transferred_job(&mut house, 1);
    assert!(matches!(house.act(|engine, cx| engine.complete(cx, &alice(), job)), Reply::Later(_)));
    assert_eq!(house.act(|engine, cx| engine.suspend(cx, &alice(), job)), Reply::Busy);
    assert_eq!(house.act(|engine, cx| engine.cancel(cx, &alice(), job)), Reply::Busy);
    assert_eq!(house.woken, []);
    house.let_files_go();
    assert_eq!(house.woken, [job]);
    assert_eq!(house.suspend(job), Err(Hresult::BG_E_INVALID_STATE));
}

#[test]
fn the_world_leaves_a_job_alone_that_is_being_completed() {
    let mut house = House::new();
    house.holds_files = true;
    let job = transferred_job(&mut house, 1);
    assert!(matches!(house.act(|engine, cx| engine.complete(cx, &alice(), job)), Reply::Later(_)));
    house.lose_network();
    house.log_off(&alice());
    house.change_world(|world| world.policies.job_inactivity_timeout = seconds(1));
    house.advance(seconds(10));
    house.let_files_go();
    assert_eq!(house.state(job), JobState::ACKNOWLEDGED);
}

#[test]
fn a_rename_that_fails_leaves_the_job_transferred_and_complete_can_be_called_again() {
    let mut house = House::new();
    let job = transferred_job(&mut house, 3);
    let when = house.engine.times(&alice(), job).map(|times| times.transfer_completion);
    house.advance(seconds(60));
    house.disk.locked.insert("/c/job0_1.bin".into());
    assert_eq!(house.complete(job), Err(Hresult::ERROR_SHARING_VIOLATION));
    assert_eq!(house.state(job), JobState::TRANSFERRED);
    assert_eq!(house.engine.times(&alice(), job).map(|times| times.transfer_completion), when);
    assert_eq!(house.store[&job].0.modified, house.now.wall);
    assert_eq!([0, 1, 2].map(|file| is_completed(&house, job, file)), [true, false, true]);
    assert_eq!([0, 1].map(|file| house.store[&job].1[&file].stage), [FileStage::Completed, FileStage::Transferred]);

    house.disk.locked.clear();
    assert_eq!(house.complete(job), Ok(Success::OK));
    assert_eq!(length(&house, "/c/job0_1.bin"), Some(100));
}

#[test]
fn complete_of_a_failed_job_keeps_what_succeeded() {
    let mut house = House::new();
    let job = house.job(2);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.transfer_file(job);
    house.fail(job, NOT_FOUND);
    assert_eq!(house.complete(job), Ok(Success::PARTIAL_COMPLETE));
    assert_eq!(house.disk.files.borrow().len(), 1);
}

#[test]
fn a_job_that_nobody_touches_for_ninety_days_is_cancelled() {
    let mut house = House::new();
    let day = seconds(24 * 60 * 60);
    let idle = house.job(1);
    let touched = house.job(1);
    house.advance(day * 80);
    assert_eq!(house.set(touched, bits_api::Setting::MinimumRetryDelay, 60), Ok(Success::OK));
    house.advance((day * 10).saturating_sub(seconds(1)));
    assert_eq!(house.states(&[idle, touched]), [JobState::SUSPENDED; 2]);
    house.advance(seconds(1));
    assert_eq!(house.states(&[idle, touched]), [JobState::CANCELLED, JobState::SUSPENDED]);
    house.advance(day * 80);
    assert_eq!(house.state(touched), JobState::CANCELLED);
}

#[test]
fn a_job_that_nobody_holds_is_named_in_the_transition_that_ends_it() {
    let mut house = House::new();
    let job = house.job(1);
    let id = house.engine.guid(job);
    house.engine.release(job);

    house.advance(seconds(90 * 24 * 60 * 60));

    assert_eq!(house.engine.guid(job), None);
    let last = house.transitions.last().expect("the end");
    assert_eq!((last.to, Some(last.id)), (JobState::CANCELLED, id));
}

#[test]
fn retries_are_no_activity() {
    let mut house = House::new();
    let hour = seconds(60 * 60);
    house.change_world(|world| world.policies.job_inactivity_timeout = hour);
    let job = house.job(1);
    assert_eq!(house.resume(job), Ok(Success::OK));
    for _ in 0..5 {
        house.fail(job, super::house::SERVER_BUSY);
        house.advance(seconds(600));
    }
    house.fail(job, super::house::SERVER_BUSY);
    house.advance(seconds(600));
    assert_eq!(house.state(job), JobState::CANCELLED);
}
