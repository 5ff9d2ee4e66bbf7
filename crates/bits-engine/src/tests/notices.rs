//! What clients are told, when, and how often.

use std::time::Duration;

use bits_api::{Hresult, JobPriority, JobState, NotifyFlags, Setting, Success};
use bits_world::Profile;

use super::house::{House, NOT_FOUND, SERVER_BUSY, alice, config, seconds};
use crate::{CallbackId, CallbackInterface, Event, FileIndex, JobKey, Notification, NotifyOutcome};

const TRANSFERRED: NotifyFlags = NotifyFlags::JOB_TRANSFERRED;
const ERROR: NotifyFlags = NotifyFlags::JOB_ERROR;
const FILE: NotifyFlags = NotifyFlags::FILE_TRANSFERRED;
/// Between two calls of JobModification when nobody says otherwise.
const INTERVAL: Duration = Duration::from_millis(500);
const MODIFICATION: NotifyFlags = NotifyFlags::JOB_MODIFICATION;

/// A transferred job that told callback 1 so.
fn told_of_transfer(house: &mut House) -> JobKey {
    let job = house.resumed_job(JobPriority::FOREGROUND);
    house.listen(job, TRANSFERRED | ERROR);
    house.transfer_file(job);
    job
}

#[test]
fn job_transferred_is_repeated_until_s_ok() {
    let mut house = House::new();
    let job = told_of_transfer(&mut house);
    for code in [Hresult::E_FAIL, Hresult::S_FALSE] {
        let told = house.take_told();
        assert_eq!((told.callback, told.job, &told.what), (CallbackId(1), job, &Notification::JobTransferred));
        house.returns(&told, code);
        house.advance(seconds(59));
        assert_eq!(house.told.len(), 0);
        house.advance(seconds(1));
    }
    let told = house.take_told();
    house.returns(&told, Hresult::S_OK);
    house.advance(seconds(10_000));
    assert_eq!(house.told.len(), 0);
}

#[test]
fn job_error_tells_the_error_and_transient_errors_are_not_told() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::FOREGROUND);
    house.listen(job, TRANSFERRED | ERROR);
    house.fail(job, SERVER_BUSY);
    assert_eq!(house.told.len(), 0);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.fail(job, NOT_FOUND);
    let told = house.take_told();
    assert_eq!(Ok(told.what), house.error(job).map(Notification::JobError));
}

#[test]
fn an_error_that_is_mended_is_not_told_again() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::FOREGROUND);
    house.listen(job, ERROR);
    house.fail(job, NOT_FOUND);
    let told = house.take_told();
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.returns(&told, Hresult::E_FAIL);
    house.advance(seconds(600));
    assert_eq!(house.told.len(), 0);
}

#[test]
fn a_second_error_is_told_though_the_first_has_not_returned() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::FOREGROUND);
    house.listen(job, ERROR);
    house.fail(job, NOT_FOUND);
    let first = house.take_told();
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.fail(job, NOT_FOUND);
    house.returns(&first, Hresult::S_OK);
    assert!(matches!(house.take_told().what, Notification::JobError(_)));
}

#[test]
fn what_happened_before_registration_is_told_then() {
    for (flags_first, last) in [(true, "interface"), (false, "flags")] {
        let mut house = House::new();
        let job = house.resumed_job(JobPriority::FOREGROUND);
        assert_eq!(house.set(job, Setting::NotifyFlags, 0), Ok(Success::OK));
        house.transfer_file(job);
        if flags_first {
            assert_eq!(house.set(job, Setting::NotifyFlags, 1), Ok(Success::OK));
        }
        assert_eq!(house.set_callback(job, Some(1)), Ok(Success::OK));
        if !flags_first {
            assert_eq!(house.told.len(), 0);
            assert_eq!(house.set(job, Setting::NotifyFlags, 1), Ok(Success::OK));
        }
        assert_eq!(house.take_told().what, Notification::JobTransferred, "{last} last");
    }
}

#[test]
fn a_new_callback_is_told_again_and_the_old_one_forgotten() {
    let mut house = House::new();
    let job = told_of_transfer(&mut house);
    let told = house.take_told();
    house.returns(&told, Hresult::S_OK);
    assert_eq!(house.set_callback(job, Some(2)), Ok(Success::OK));
    assert_eq!(house.forgotten, [CallbackId(1)]);
    assert_eq!(house.take_told().callback, CallbackId(2));
}

#[test]
fn a_client_that_is_gone_is_forgotten() {
    let mut house = House::new();
    let job = told_of_transfer(&mut house);
    let told = house.take_told();
    house.tell(Event::Notified(told.ticket, NotifyOutcome::Disconnected));
    assert_eq!(house.forgotten, [CallbackId(1)]);
    assert_eq!(house.engine.callback(&alice(), job), Ok(None));
    house.advance(seconds(600));
    assert_eq!(house.told.len(), 0);
}

#[test]
fn files_are_told_one_after_another_and_before_the_job() {
    let mut house = House::new();
    let job = house.job(2);
    house.listen(job, TRANSFERRED | FILE);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.transfer_file(job);
    house.transfer_file(job);
    assert_eq!(house.state(job), JobState::TRANSFERRED);

    let told = house.take_told();
    assert_eq!(told.what, Notification::FileTransferred(FileIndex(0)));
    house.returns(&told, Hresult::E_FAIL);
    assert_eq!(house.told.len(), 0);
    house.advance(seconds(60));
    let told = house.take_told();
    assert_eq!(told.what, Notification::FileTransferred(FileIndex(0)));
    house.returns(&told, Hresult::S_FALSE);
    let told = house.take_told();
    assert_eq!(told.what, Notification::FileTransferred(FileIndex(1)));
    house.returns(&told, Hresult::S_OK);
    assert_eq!(house.take_told().what, Notification::JobTransferred);
}

#[test]
fn an_object_without_file_transferred_is_not_told_of_files() {
    let mut house = House::new();
    let job = house.job(1);
    assert_eq!(house.set(job, Setting::NotifyFlags, FILE.bits()), Ok(Success::OK));
    let result = house.now_result(|engine, cx| {
        engine.set_callback(cx, &alice(), job, Some((CallbackId(1), CallbackInterface::Callback)))
    });
    assert_eq!(result, Ok(Success::OK));
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.transfer_file(job);
    assert_eq!(house.told.len(), 0);
}

#[test]
fn before_bits_three_nobody_is_told_of_files() {
    let mut house = House::with(config(Profile::V2_5));
    let job = house.job(1);
    assert_eq!(house.set(job, Setting::NotifyFlags, FILE.bits()), Err(Hresult::E_NOTIMPL));
}

#[test]
fn modifications_are_merged_and_never_repeated() {
    let mut house = House::new();
    let job = house.job(1);
    house.listen(job, MODIFICATION);
    let first = house.take_told();
    assert_eq!(first.what, Notification::JobModification);
    assert_eq!(house.add_file(job), Ok(Success::OK));
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.connected(job, 100);
    assert_eq!(house.told.len(), 0);
    house.returns(&first, Hresult::E_FAIL);
    assert_eq!(house.told.len(), 0);
    house.advance(INTERVAL);
    let second = house.take_told();
    assert_eq!(second.what, Notification::JobModification);
    house.returns(&second, Hresult::E_FAIL);
    house.advance(seconds(600));
    assert_eq!(house.told.len(), 0);
}

#[test]
fn error_and_transferred_are_no_modifications() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::FOREGROUND);
    house.listen(job, MODIFICATION);
    let told = house.take_told();
    house.returns(&told, Hresult::S_OK);
    house.fail(job, NOT_FOUND);
    assert_eq!(house.told.len(), 0);
}

#[test]
fn disable_silences_everything() {
    let mut house = House::new();
    let job = house.job(1);
    house.listen(job, TRANSFERRED | ERROR | FILE | MODIFICATION | NotifyFlags::DISABLE);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.transfer_file(job);
    assert_eq!(house.told.len(), 0);
    assert_eq!(house.set(job, Setting::NotifyFlags, TRANSFERRED.bits()), Ok(Success::OK));
    assert_eq!(house.take_told().what, Notification::JobTransferred);
}

#[test]
fn at_most_four_notifications_of_a_user_run_at_a_time() {
    let mut house = House::new();
    let jobs: Vec<_> = (0..6).map(|_| told_of_transfer(&mut house)).collect();
    assert_eq!(house.told.len(), 4);
    let first = house.told.remove(0);
    house.returns(&first, Hresult::S_OK);
    assert_eq!(house.told.len(), 4);
    let told: Vec<_> = house.told.iter().map(|told| told.job).collect();
    assert_eq!(told, jobs[1..5]);
    // One that is gone makes room too, and so does one whose job has ended.
    let second = house.told.remove(0);
    assert_eq!(house.complete(second.job), Ok(Success::OK));
    house.returns(&second, Hresult::E_FAIL);
    assert_eq!(house.told.last().map(|told| told.job), Some(jobs[5]));
}

#[test]
fn a_job_may_wait_for_its_users_other_notifications_more_than_once() {
    let mut house = House::new();
    for _ in 0..4 {
        told_of_transfer(&mut house);
    }
    let job = house.job(2);
    house.listen(job, FILE);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.transfer_file(job);
    for _ in 0..2 {
        assert!(house.told.iter().all(|told| told.job != job));
        let other = house.told.remove(0);
        house.returns(&other, Hresult::S_OK);
        assert_eq!(house.told.last().map(|told| told.job), Some(job));
        let own = house.told.remove(3);
        // Another client takes the place in the meantime.
        told_of_transfer(&mut house);
        house.returns(&own, Hresult::S_OK);
        if house.state(job) == JobState::TRANSFERRING {
            house.transfer_file(job);
        }
    }
}

#[test]
fn a_state_is_on_record_before_anyone_is_told_of_it() {
    let mut house = House::new();
    told_of_transfer(&mut house);
    let recorded = house.actions.iter().rposition(|action| action.starts_with("Persist(Job")).expect("a record");
    let told = house.actions.iter().position(|action| action.starts_with("Notify")).expect("a notification");
    assert!(recorded < told);
    assert!(house.actions[recorded].contains("TRANSFERRED"));
}

#[test]
fn complete_inside_the_callback_ends_the_job_and_forgets_the_callback() {
    let mut house = House::new();
    let job = told_of_transfer(&mut house);
    assert_eq!(house.complete(job), Ok(Success::OK));
    assert_eq!(house.forgotten, [CallbackId(1)]);
    let told = house.take_told();
    house.returns(&told, Hresult::S_OK);
    assert_eq!(house.told.len(), 0);
}
