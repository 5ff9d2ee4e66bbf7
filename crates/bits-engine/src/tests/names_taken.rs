//! Temporary names that somebody else takes between the draw and the file.

use bits_api::{ErrorContext, Hresult, JobPriority, JobState, Success};
use bits_wire::attempt::{AttemptEnd, ERROR_FILE_EXISTS, Failure};

use super::house::{House, alice};

const NAME_TAKEN: Failure = Failure { code: ERROR_FILE_EXISTS, context: ErrorContext::LOCAL_FILE, transient: false };

#[test]
fn a_name_that_is_taken_is_replaced_at_once_and_is_no_error() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    let theirs = house.plan(job).local;
    house.connected(job, 100);

    house.fail(job, NAME_TAKEN);

    let plan = house.plan(job);
    assert_ne!(plan.local, theirs);
    // What was learned may only go with a file of our own.
    assert_eq!(plan.known, None);
    assert_eq!(house.state(job), JobState::TRANSFERRING);
    assert_eq!(house.engine.error_count(&alice(), job), Ok(0));
    let on_record = &house.store[&job].1[&0];
    assert_eq!(on_record.temporary.as_deref(), plan.local.file_name().and_then(|name| name.to_str()));
    assert_eq!(on_record.validators, None);
    assert_eq!(house.engine.temporaries.len(), 1);

    house.transfer_file(job);
    assert_eq!(
        house.engine.progress(&alice(), job).map(|sum| (sum.bytes_total, sum.bytes_transferred)),
        Ok((100, 100))
    );
    assert_eq!(house.complete(job), Ok(Success::OK));
    assert!(house.disk.files.borrow().contains_key(&theirs));
}

#[test]
fn a_file_of_a_name_that_nothing_was_learned_for_is_not_deleted_with_the_job() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    let theirs = house.plan(job).local;
    house.disk.files.borrow_mut().insert(theirs.clone(), 100);

    assert_eq!(house.cancel(job), Ok(Success::OK));

    assert!(house.disk.files.borrow().contains_key(&theirs));
}

#[test]
fn a_name_is_not_drawn_twice_where_the_disk_shows_none_of_them() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    let first = house.plan(job).local;

    house.fail(job, NAME_TAKEN);
    let second = house.plan(job).local;
    house.fail(job, NAME_TAKEN);

    assert!(![first, second].contains(&house.plan(job).local));
}

#[test]
fn where_every_name_is_taken_the_job_fails_and_resume_tries_others() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    let mut tries = 0;
    let mut last = None;
    while house.state(job) == JobState::CONNECTING && tries < 100 {
        last = Some(house.plan(job).local);
        house.fail(job, NAME_TAKEN);
        tries += 1;
    }
    assert_eq!((house.state(job), tries), (JobState::ERROR, 5));
    assert_eq!(
        house.error(job).map(|error| (error.code, error.context)),
        Ok((Hresult(0x8007_0050), NAME_TAKEN.context))
    );

    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_ne!(Some(house.plan(job).local), last);
}

#[test]
fn a_name_that_is_taken_is_let_go_by_an_attempt_that_is_stopped_too() {
    let mut house = House::new();
    house.holds_stops = true;
    let job = house.resumed_job(JobPriority::NORMAL);
    let theirs = house.plan(job).local;
    house.connected(job, 100);
    assert_eq!(house.suspend(job), Ok(Success::OK));
    house.let_stop(&AttemptEnd::Failed(NAME_TAKEN));

    assert_eq!(house.cancel(job), Ok(Success::OK));

    assert!(house.disk.files.borrow().contains_key(&theirs));
}
