//! How long the server of a cancelled upload is told that nobody wants it any more.

use std::time::Duration;

use bits_api::{Hresult, JobState, JobType, Setting, Success, TokenFlags};
use bits_wire::attempt::{AttemptEnd, AttemptReport, UploadSession, Validators, Work};

use super::house::{House, NOT_FOUND, SERVER_BUSY, alice, bob, seconds};
use crate::{Event, JobKey};

/// A cancelled upload whose session its server still keeps, with this no-progress timeout.
fn cancelled_upload(house: &mut House, timeout: u32) -> JobKey {
    let job = upload_with_session(house, timeout);
    assert_eq!(house.cancel(job), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::CANCELLED);
    job
}

/// An upload for which its server keeps a session, with this no-progress timeout.
fn upload_with_session(house: &mut House, timeout: u32) -> JobKey {
    let job = house.create_typed(&alice(), JobType::UPLOAD).expect("a job");
    house.disk.files.get_mut().insert(format!("/c/job{}_0.bin", job.0).into(), 100);
    assert_eq!(house.add_file(job), Ok(Success::OK));
    assert_eq!(house.set(job, Setting::NoProgressTimeout, timeout), Ok(Success::OK));
    assert_eq!(house.resume(job), Ok(Success::OK));
    let (session, source) = (UploadSession { id: "s".into() }, Validators { size: 100, last_modified: None });
    house.report(job, AttemptReport::SessionOpen { session, source, have: 0 });
    job
}

#[test]
fn a_helper_who_logs_off_leaves_a_cancelled_upload_cancelled() {
    let mut house = House::new();
    let job = upload_with_session(&mut house, 1_209_600);
    house.lend(job, &bob(), TokenFlags::NETWORK);
    assert_eq!(house.cancel(job), Ok(Success::OK));

    house.log_off(&bob());

    assert!(house.in_queue().is_empty());
    answer(&mut house, AttemptEnd::Done);
    assert!(!house.store.contains_key(&job));
}

/// The server gives this answer to the attempt that gives its session up.
fn answer(house: &mut House, end: AttemptEnd) {
    let giving_up: Vec<_> = house
        .running
        .values()
        .filter(|plan| matches!(plan.work, Work::GiveUp { .. }))
        .map(|plan| (plan.attempt, plan.chain))
        .collect();
    assert_eq!(giving_up.len(), 1, "one attempt at a time");
    let (attempt, chain) = giving_up[0];
    house.running.clear();
    house.tell(Event::Attempt(attempt, AttemptReport::Ended(end)));
    assert_eq!(house.released.last(), Some(&chain), "its connection is kept for nobody");
}

/// How often the server was told within `time`, and when the job left the queue, if it did.
fn tell_a_silent_server(house: &mut House, job: JobKey, time: Duration) -> (usize, Option<Duration>) {
    let begun_at = house.now.wall;
    let mut told = 0;
    while house.now.wall.since(begun_at) < time {
        if !house.running.is_empty() {
            answer(house, AttemptEnd::Failed(SERVER_BUSY));
            told += 1;
        }
        if !house.store.contains_key(&job) {
            return (told, Some(house.now.wall.since(begun_at)));
        }
        house.advance(seconds(60));
    }
    (told, None)
}

#[test]
fn a_server_that_answers_is_told_once() {
    for end in [AttemptEnd::Done, AttemptEnd::Failed(NOT_FOUND)] {
        let mut house = House::new();
        let job = cancelled_upload(&mut house, 1_209_600);
        assert!(house.store.contains_key(&job));
        answer(&mut house, end);
        assert!(!house.store.contains_key(&job));
        house.advance(Duration::from_hours(48));
        assert!(house.running.is_empty());
    }
}

#[test]
fn a_silent_server_is_told_again_after_the_retry_delay_for_a_day() {
    let mut house = House::new();
    let job = cancelled_upload(&mut house, 1_209_600);
    let (told, left) = tell_a_silent_server(&mut house, job, Duration::from_hours(30));
    assert_eq!((told, left), (24 * 6, Some(Duration::from_hours(24))));
    assert_eq!(house.suspend(job), Err(Hresult::BG_E_INVALID_STATE));
}

#[test]
fn a_shorter_no_progress_timeout_bounds_the_time() {
    let mut house = House::new();
    let job = cancelled_upload(&mut house, 3_600);
    let (told, left) = tell_a_silent_server(&mut house, job, Duration::from_hours(30));
    assert_eq!((told, left), (6, Some(Duration::from_hours(1))));
}

#[test]
fn without_a_no_progress_timeout_the_server_is_told_once() {
    let mut house = House::new();
    let job = cancelled_upload(&mut house, 0);
    assert_eq!(house.running.len(), 1);
    answer(&mut house, AttemptEnd::Failed(SERVER_BUSY));
    assert!(!house.store.contains_key(&job));
}

#[test]
fn a_server_that_never_ends_an_attempt_does_not_keep_the_job() {
    let mut house = House::new();
    let job = cancelled_upload(&mut house, 1_209_600);
    house.advance(Duration::from_hours(24).saturating_sub(seconds(1)));
    assert!(house.store.contains_key(&job));
    house.advance(seconds(1));
    assert!(!house.store.contains_key(&job) && house.running.is_empty());
}

#[test]
fn the_day_counts_over_a_restart() {
    let mut house = House::new();
    let job = cancelled_upload(&mut house, 1_209_600);
    let (_, left) = tell_a_silent_server(&mut house, job, Duration::from_hours(10));
    assert_eq!(left, None);
    house.restart(Duration::from_hours(13));
    assert_eq!(house.running.len(), 1);
    let (told, left) = tell_a_silent_server(&mut house, job, Duration::from_hours(10));
    assert_eq!((told, left), (6, Some(Duration::from_hours(1))));
}

#[test]
fn a_cancelled_upload_is_idle_for_nobody() {
    let mut house = House::new();
    let job = cancelled_upload(&mut house, 1_209_600);
    house.change_world(|world| world.policies.job_inactivity_timeout = Duration::ZERO);
    let due = house.engine.next_deadline();
    assert!(due.is_none_or(|due| due > house.now.monotonic), "a deadline that does not go: {due:?}");
    assert!(house.store.contains_key(&job));
    house.restart(seconds(1));
    let due = house.engine.next_deadline();
    assert!(due.is_none_or(|due| due > house.now.monotonic), "a deadline that does not go: {due:?}");
}
