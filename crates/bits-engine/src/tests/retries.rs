//! Errors that pass, errors that do not, and what the world keeps from transferring.

use bits_api::{ErrorContext, Hresult, JobPriority, JobState, Setting, Success};
use bits_wire::attempt::{AttemptEnd, AttemptReport};
use bits_world::Profile;

use super::house::{House, NOT_FOUND, SERVER_BUSY, SLICE, alice, config, seconds};
use crate::{Cause, JobKey};

const TRANSIENT_ERROR: JobState = JobState::TRANSIENT_ERROR;

/// A job with this retry delay and no-progress timeout, CONNECTING.
fn connecting_job(house: &mut House, delay: u32, timeout: u32) -> JobKey {
    let job = house.resumed_job(JobPriority::NORMAL);
    assert_eq!(house.set(job, Setting::MinimumRetryDelay, delay), Ok(Success::OK));
    assert_eq!(house.set(job, Setting::NoProgressTimeout, timeout), Ok(Success::OK));
    job
}

#[test]
fn a_transient_error_is_retried_after_the_delay_and_not_before() {
    let mut house = House::new();
    let job = connecting_job(&mut house, 600, 1_209_600);
    house.fail(job, SERVER_BUSY);
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    assert_eq!(house.engine.error_count(&alice(), job), Ok(1));
    let told = house.engine.explain(house.now, job).to_string();
    assert!(told.contains("retried in 10min, and is given up in 14d without") && told.contains("503"), "{told}");
    house.advance(seconds(599));
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    house.advance(seconds(1));
    assert_eq!(house.state(job), JobState::CONNECTING);
}

#[test]
fn a_clock_that_is_set_does_not_move_a_retry() {
    let mut house = House::new();
    let job = connecting_job(&mut house, 600, 1_209_600);
    house.fail(job, SERVER_BUSY);
    house.now.wall = house.now.wall.plus(seconds(10_000));
    house.advance(seconds(599));
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    house.advance(seconds(1));
    assert_eq!(house.state(job), JobState::CONNECTING);
}

#[test]
fn resume_tries_at_once() {
    let mut house = House::new();
    let job = connecting_job(&mut house, 600, 1_209_600);
    house.fail(job, SERVER_BUSY);
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::CONNECTING);
    house.connected(job, 100);
    house.advance(seconds(700));
    assert_eq!(house.state(job), JobState::TRANSFERRING);
}

#[test]
fn a_job_without_progress_for_its_timeout_is_given_up_with_its_last_error() {
    let mut house = House::new();
    let job = connecting_job(&mut house, 600, 1_800);
    house.fail(job, SERVER_BUSY);
    house.advance(seconds(600));
    house.fail(job, SERVER_BUSY);
    house.advance(seconds(600));
    let other = bits_wire::attempt::Failure { code: Hresult::BG_E_HTTP_ERROR_504, ..SERVER_BUSY };
    house.advance(seconds(60));
    house.fail(job, other);
    house.advance(seconds(539));
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    house.advance(seconds(1));
    assert_eq!(house.state(job), JobState::ERROR);
    assert_eq!(house.error(job).map(|error| error.code), Ok(Hresult::BG_E_HTTP_ERROR_504));
    assert_eq!(house.engine.error_count(&alice(), job), Ok(3));
}

#[test]
fn progress_begins_the_no_progress_timeout_anew() {
    let mut house = House::new();
    let job = connecting_job(&mut house, 600, 1_000);
    house.fail(job, SERVER_BUSY);
    house.advance(seconds(600));
    house.connected(job, 100);
    house.progress(job, 1);
    house.advance(seconds(300));
    house.fail(job, SERVER_BUSY);
    house.advance(seconds(600));
    assert_eq!(house.state(job), JobState::CONNECTING);
}

#[test]
fn resume_after_an_error_begins_the_no_progress_timeout_anew() {
    let mut house = House::new();
    let job = connecting_job(&mut house, 600, 1_000);
    house.fail(job, SERVER_BUSY);
    house.advance(seconds(600));
    house.fail(job, SERVER_BUSY);
    house.advance(seconds(400));
    assert_eq!(house.state(job), JobState::ERROR);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.fail(job, SERVER_BUSY);
    house.advance(seconds(600));
    assert_eq!(house.state(job), JobState::CONNECTING);
}

#[test]
fn a_timeout_of_zero_makes_every_error_fatal() {
    let mut house = House::new();
    let job = connecting_job(&mut house, 600, 0);
    house.fail(job, SERVER_BUSY);
    assert_eq!(house.state(job), JobState::ERROR);
    assert!(house.transitions.iter().all(|step| step.to != TRANSIENT_ERROR));
}

#[test]
fn a_delay_above_the_timeout_makes_an_error_fatal_and_an_equal_one_does_not() {
    for (delay, state) in [(61, JobState::ERROR), (60, TRANSIENT_ERROR)] {
        let mut house = House::new();
        let job = connecting_job(&mut house, delay, 60);
        house.fail(job, SERVER_BUSY);
        assert_eq!(house.state(job), state, "delay {delay}");
    }
}

#[test]
fn with_an_equal_delay_there_is_one_retry() {
    let mut house = House::new();
    let job = connecting_job(&mut house, 60, 60);
    house.fail(job, SERVER_BUSY);
    house.advance(seconds(60));
    assert_eq!(house.state(job), JobState::CONNECTING);
    house.fail(job, SERVER_BUSY);
    assert_eq!(house.state(job), JobState::ERROR);
}

#[test]
fn another_timeout_judges_a_job_in_transient_error_at_once() {
    let mut house = House::new();
    let job = connecting_job(&mut house, 600, 1_209_600);
    house.fail(job, SERVER_BUSY);
    house.advance(seconds(300));
    assert_eq!(house.set(job, Setting::NoProgressTimeout, 301), Ok(Success::OK));
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    assert_eq!(house.set(job, Setting::NoProgressTimeout, 300), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::ERROR);
}

#[test]
fn another_timeout_leaves_an_active_transfer_alone() {
    let mut house = House::new();
    let job = connecting_job(&mut house, 600, 1_209_600);
    house.connected(job, 100);
    assert_eq!(house.set(job, Setting::NoProgressTimeout, 0), Ok(Success::OK));
    house.advance(seconds(10));
    assert_eq!(house.state(job), JobState::TRANSFERRING);
}

#[test]
fn before_bits_two_a_retry_that_fails_again_is_not_counted() {
    let mut house = House::with(config(Profile::V1_5));
    let job = connecting_job(&mut house, 600, 1_209_600);
    for _ in 0..3 {
        house.fail(job, SERVER_BUSY);
        house.advance(seconds(600));
    }
    assert_eq!(house.engine.error_count(&alice(), job), Ok(1));
    house.fail(job, NOT_FOUND);
    assert_eq!(house.engine.error_count(&alice(), job), Ok(2));
}

#[test]
fn a_lost_network_stops_queued_and_active_jobs_without_counting() {
    let mut house = House::new();
    let active = house.resumed_job(JobPriority::NORMAL);
    house.connected(active, 100);
    let queued = house.resumed_job(JobPriority::NORMAL);
    let suspended = house.job(1);
    let retrying = house.resumed_job(JobPriority::FOREGROUND);
    house.fail(retrying, SERVER_BUSY);
    house.lose_network();
    let jobs = [active, queued, suspended, retrying];
    assert_eq!(house.states(&jobs), [TRANSIENT_ERROR, TRANSIENT_ERROR, JobState::SUSPENDED, TRANSIENT_ERROR]);
    let error = house.error(active).expect("the error");
    assert_eq!((error.code, error.context), (Hresult::BG_E_NETWORK_DISCONNECTED, ErrorContext::GENERAL_QUEUE_MANAGER));
    assert_eq!(house.error(retrying).map(|error| error.code), Ok(Hresult::BG_E_HTTP_ERROR_503));
    assert_eq!(house.engine.error_count(&alice(), active), Ok(0));

    house.advance(seconds(300));
    house.restore_network();
    assert_eq!(house.state(retrying), JobState::CONNECTING);
    let states = house.states(&[active, queued]);
    assert!(states == [JobState::CONNECTING, JobState::QUEUED], "{states:?}");
}

#[test]
fn resume_without_a_network_leads_back_to_transient_error() {
    let mut house = House::new();
    house.lose_network();
    let job = house.job(1);
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    assert_eq!(house.transitions.last().map(|step| step.cause), Some(Cause::NetworkLost));
    house.advance(seconds(10_000));
    assert_eq!(house.state(job), TRANSIENT_ERROR);
}

#[test]
fn a_policy_of_no_bandwidth_stops_background_jobs_only() {
    let mut house = House::new();
    let foreground = house.resumed_job(JobPriority::FOREGROUND);
    let background = house.resumed_job(JobPriority::HIGH);
    let failing = house.resumed_job(JobPriority::LOW);
    assert_eq!(house.suspend(failing), Ok(Success::OK));
    house.block_background(true);
    assert_eq!(house.states(&[foreground, background]), [JobState::CONNECTING, TRANSIENT_ERROR]);
    let error = house.error(background).expect("the error");
    assert_eq!((error.code, error.context), (Hresult::BG_E_BLOCKED_BY_POLICY, ErrorContext::GENERAL_QUEUE_MANAGER));
    assert!(error.file.is_some());
    assert_eq!(house.engine.error_count(&alice(), background), Ok(0));
    assert_eq!(house.set(background, Setting::Priority, 0), Ok(Success::OK));
    assert_eq!(house.state(background), JobState::CONNECTING);
    assert_eq!(house.set(background, Setting::Priority, 2), Ok(Success::OK));
    assert_eq!(house.state(background), TRANSIENT_ERROR);
    house.block_background(false);
    assert_eq!(house.state(background), JobState::CONNECTING);
}

#[test]
fn download_time_counts_connecting_and_transferring_only() {
    let mut house = House::new();
    house.change_world(|world| world.policies.max_download_time = seconds(1_000));
    let job = connecting_job(&mut house, 600, 1_209_600);
    house.advance(seconds(400));
    house.fail(job, SERVER_BUSY);
    house.advance(seconds(600));
    house.connected(job, 100);
    house.advance(seconds(599));
    assert_eq!(house.state(job), JobState::TRANSFERRING);
    house.advance(seconds(1));
    assert_eq!(house.state(job), JobState::ERROR);
    assert_eq!(house.error(job).map(|error| error.code), Ok(Hresult::BG_E_MAXDOWNLOAD_TIMEOUT));
    assert!(house.running.is_empty());
}

#[test]
fn download_time_counts_the_wait_for_an_earlier_attempt_to_stop() {
    let mut house = House::new();
    house.change_world(|world| world.policies.max_download_time = seconds(1_000));
    let job = house.resumed_job(JobPriority::NORMAL);
    house.holds_stops = true;
    assert_eq!(house.suspend(job), Ok(Success::OK));
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::CONNECTING);

    house.advance(seconds(1_000));

    assert_eq!(house.error(job).map(|error| error.code), Ok(Hresult::BG_E_MAXDOWNLOAD_TIMEOUT));
}

#[test]
fn before_bits_three_download_time_is_not_limited() {
    let mut house = House::with(config(Profile::V2_5));
    house.change_world(|world| world.policies.max_download_time = seconds(1_000));
    let job = house.resumed_job(JobPriority::NORMAL);
    house.advance(SLICE * 10);
    assert_eq!(house.state(job), JobState::CONNECTING);
}

#[test]
fn an_attempt_that_stops_unasked_counts_as_a_broken_connection() {
    let mut house = House::new();
    let job = connecting_job(&mut house, 600, 1_209_600);
    house.report(job, AttemptReport::Ended(AttemptEnd::Stopped));
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    assert_eq!(house.error(job).map(|error| error.code), Ok(Hresult::BG_E_CONNECTION_CLOSED));
}

#[test]
fn a_drive_that_has_gone_is_a_fatal_local_error() {
    let mut house = House::new();
    let job = house.job(1);
    house.change_world(|world| world.drives.unmount('C'));
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::ERROR);
    let error = house.error(job).expect("the error");
    assert_eq!((error.code, error.context), (Hresult::ERROR_PATH_NOT_FOUND, ErrorContext::LOCAL_FILE));
}

/// A job of two files with this timeout whose first arrives just as the network goes away.
fn job_that_progresses_in_transient_error(house: &mut House, timeout: u32) -> JobKey {
    house.holds_stops = true;
    let job = house.job(2);
    assert_eq!(house.set(job, Setting::NoProgressTimeout, timeout), Ok(Success::OK));
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.connected(job, 100);
    house.lose_network();
    house.advance(seconds(60));
    house.let_stop(&AttemptEnd::Done);
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    job
}

#[test]
fn progress_in_transient_error_begins_the_no_progress_timeout_anew() {
    let mut house = House::new();
    let job = job_that_progresses_in_transient_error(&mut house, 100);
    house.advance(seconds(99));
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    house.advance(seconds(1));
    assert_eq!(house.state(job), JobState::ERROR);
}

#[test]
fn a_timeout_of_zero_after_progress_in_transient_error_gives_the_job_up_at_once() {
    let mut house = House::new();
    let job = job_that_progresses_in_transient_error(&mut house, 100);
    assert_eq!(house.set(job, Setting::NoProgressTimeout, 0), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::ERROR);
}
