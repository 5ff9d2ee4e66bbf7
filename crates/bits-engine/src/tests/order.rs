//! Whose turn it is.

use std::collections::BTreeSet;

use bits_api::{JobPriority, JobState, Setting, Success};
use bits_world::Profile;

use super::house::{House, NOT_FOUND, SERVER_BUSY, SLICE, alice, bob, config, seconds};

const QUEUED: JobState = JobState::QUEUED;
const CONNECTING: JobState = JobState::CONNECTING;

#[test]
fn all_foreground_jobs_run_together_with_one_background_job() {
    let mut house = House::new();
    let jobs = [
        house.resumed_job(JobPriority::NORMAL),
        house.resumed_job(JobPriority::NORMAL),
        house.resumed_job(JobPriority::FOREGROUND),
        house.resumed_job(JobPriority::FOREGROUND),
    ];
    assert_eq!(house.states(&jobs), [CONNECTING, QUEUED, CONNECTING, CONNECTING]);
}

#[test]
fn before_bits_two_one_job_runs_and_foreground_goes_first() {
    let mut house = House::with(config(Profile::V1_5));
    let normal = house.resumed_job(JobPriority::NORMAL);
    let first = house.resumed_job(JobPriority::FOREGROUND);
    let second = house.resumed_job(JobPriority::FOREGROUND);
    assert_eq!(house.states(&[normal, first, second]), [QUEUED, CONNECTING, QUEUED]);
    house.transfer_file(first);
    assert_eq!(house.states(&[normal, second]), [QUEUED, CONNECTING]);
}

#[test]
fn a_higher_priority_takes_the_place_of_a_lower() {
    let mut house = House::new();
    let low = house.resumed_job(JobPriority::LOW);
    house.connected(low, 100);
    let normal = house.resumed_job(JobPriority::NORMAL);
    let high = house.resumed_job(JobPriority::HIGH);
    assert_eq!(house.states(&[low, normal, high]), [QUEUED, QUEUED, CONNECTING]);
    house.transfer_file(high);
    assert_eq!(house.states(&[low, normal]), [QUEUED, CONNECTING]);
}

#[test]
fn equals_take_turns_by_time_slices() {
    let mut house = House::new();
    let first = house.resumed_job(JobPriority::NORMAL);
    let second = house.resumed_job(JobPriority::NORMAL);
    house.advance(SLICE.saturating_sub(seconds(1)));
    assert_eq!(house.states(&[first, second]), [CONNECTING, QUEUED]);
    house.advance(seconds(1));
    assert_eq!(house.states(&[first, second]), [QUEUED, CONNECTING]);
    house.advance(SLICE);
    assert_eq!(house.states(&[first, second]), [CONNECTING, QUEUED]);
}

#[test]
fn a_slice_ends_without_a_switch_when_no_equal_waits() {
    let mut house = House::new();
    let first = house.resumed_job(JobPriority::NORMAL);
    let low = house.resumed_job(JobPriority::LOW);
    let attempt = house.plan(first).attempt;
    house.advance(SLICE * 5);
    assert_eq!(house.plan(first).attempt, attempt);
    assert_eq!(house.state(low), QUEUED);
}

#[test]
fn jobs_that_cannot_run_do_not_hold_up_lower_priorities() {
    for stop in [
        (|house, job| _ = House::suspend(house, job)) as fn(&mut House, _),
        |house, job| house.fail(job, NOT_FOUND),
        |house, job| house.fail(job, SERVER_BUSY),
    ] {
        let mut house = House::new();
        let high = house.resumed_job(JobPriority::HIGH);
        let low = house.resumed_job(JobPriority::LOW);
        assert_eq!(house.state(low), QUEUED);
        stop(&mut house, high);
        assert_eq!(house.state(low), CONNECTING);
    }
}

#[test]
fn no_ready_job_of_the_running_level_starves() {
    let mut house = House::new();
    let jobs: Vec<_> = (0..10).map(|_| house.resumed_job(JobPriority::NORMAL)).collect();
    let mut served: BTreeSet<crate::JobKey> = BTreeSet::new();
    for _ in 0..10 {
        // Interruptions from above cost a job its place, but nobody more than that.
        let urgent = house.resumed_job(JobPriority::HIGH);
        house.transfer_file(urgent);
        served.extend(jobs.iter().filter(|job| house.state(**job) == CONNECTING));
        house.advance(SLICE);
    }
    assert_eq!(served.len(), jobs.len());
}

#[test]
fn a_change_of_priority_moves_a_running_job() {
    let mut house = House::new();
    let first = house.resumed_job(JobPriority::NORMAL);
    let second = house.resumed_job(JobPriority::NORMAL);
    assert_eq!(house.set(first, Setting::Priority, JobPriority::FOREGROUND.0), Ok(Success::OK));
    assert_eq!(house.states(&[first, second]), [CONNECTING; 2]);
    assert_eq!(house.set(first, Setting::Priority, JobPriority::LOW.0), Ok(Success::OK));
    assert_eq!(house.states(&[first, second]), [QUEUED, CONNECTING]);
    assert_eq!(house.set(first, Setting::Priority, JobPriority::HIGH.0), Ok(Success::OK));
    assert_eq!(house.states(&[first, second]), [CONNECTING, QUEUED]);
}

#[test]
fn jobs_of_an_owner_who_is_logged_off_wait_and_go_on_by_themselves() {
    let mut house = House::new();
    let of_alice = house.resumed_job(JobPriority::NORMAL);
    house.connected(of_alice, 100);
    let of_bob = house.job_of(&bob(), 1);
    assert_eq!(house.resume(of_bob), Ok(Success::OK));
    house.log_off(&alice());
    assert_eq!(house.states(&[of_alice, of_bob]), [QUEUED, CONNECTING]);
    assert!(house.engine.explain(house.now, of_alice).to_string().contains("log on"));
    house.transfer_file(of_bob);
    assert_eq!(house.state(of_alice), QUEUED);
    house.log_on(&alice());
    assert_eq!(house.state(of_alice), CONNECTING);
}

#[test]
fn explain_names_the_job_ahead() {
    let mut house = House::new();
    house.resumed_job(JobPriority::HIGH);
    let waiting = house.resumed_job(JobPriority::NORMAL);
    let told = house.engine.explain(house.now, waiting).to_string();
    assert!(told.contains("behind") && told.contains("\"job 1\"") && told.contains("HIGH"), "{told}");
}
