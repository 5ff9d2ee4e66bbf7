//! Who may do what, whose job it is, and what a logoff takes.

use bits_api::{Hresult, JobState, Success, TokenFlags};
use bits_world::{Integrity, Logon, Profile, Sid, Token};

use super::house::{House, administrator, alice, bob, config};
use crate::JobKey;

/// A house in which `count` more users are logged on, each with a queued job.
fn crowded(count: u32) -> (House, Vec<(Token, JobKey)>) {
    let mut house = House::new();
    house.change_world(|world| world.policies.max_jobs_per_machine = count);
    let jobs = (0..count).map(|number| {
        let user = Token::standard(Sid::of_account(1000 + number));
        house.log_on(&user);
        let job = house.job_of(&user, 1);
        assert_eq!(house.resume(job), Ok(Success::OK));
        (user, job)
    });
    let jobs = jobs.collect();
    (house, jobs)
}

#[test]
fn the_logoff_of_one_user_costs_no_look_at_the_others() {
    let cost = |users: u32| {
        let (mut house, jobs) = crowded(users);
        let user = jobs[jobs.len() / 2].0.clone();
        let before = crate::visits();
        house.log_off(&user);
        crate::visits() - before
    };

    let (few, many) = (cost(10), cost(1_000));

    assert!(many < 4 * few, "{few} nodes visited with 10 users, {many} with 1,000");
}

#[test]
fn more_changes_of_sessions_than_the_world_remembers_are_all_looked_after() {
    let mut house = House::new();
    let job = house.job(1);
    assert_eq!(house.resume(job), Ok(Success::OK));

    house.change_world(|world| {
        world.log_off(&alice().user);
        for _ in 0..300 {
            world.log_on(bob().user);
            world.log_off(&bob().user);
        }
    });

    assert_eq!(house.state(job), JobState::QUEUED);
}

#[test]
fn the_jobs_of_the_former_owner_are_counted_no_more_after_take_ownership() {
    let mut house = House::with(config(Profile::default()));
    house.change_world(|world| world.policies.max_jobs_per_user = 1);
    let job = house.empty_job(&alice());
    assert_eq!(house.create(&alice()).err(), Some(Hresult::BG_E_TOO_MANY_JOBS_PER_USER));

    assert_eq!(house.take_over(job), Ok(Success::OK));

    assert!(house.create(&alice()).is_ok());
    assert_eq!(house.store[&job].0.owner, administrator().user.to_string());
}

#[test]
fn a_job_that_was_taken_over_follows_the_new_owners_logon() {
    let mut house = House::new();
    let job = house.job(1);
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.take_over(job), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::CONNECTING);

    house.log_off(&alice());
    assert_eq!(house.state(job), JobState::CONNECTING);
    house.log_off(&administrator());
    assert_eq!(house.state(job), JobState::QUEUED);
    house.log_on(&administrator());
    assert_eq!(house.state(job), JobState::CONNECTING);
}

#[test]
fn a_queued_job_of_an_absent_owner_gets_its_turn_when_somebody_present_takes_it() {
    let mut house = House::new();
    let job = house.job(1);
    house.log_off(&alice());
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::QUEUED);

    assert_eq!(house.take_over(job), Ok(Success::OK));

    assert_eq!(house.state(job), JobState::CONNECTING);
}

#[test]
fn an_attempt_runs_in_the_name_of_the_owner_or_of_the_helper() {
    let mut house = House::new();
    let job = house.job(1);
    let names = |house: &House| {
        let identities = house.plan(job).identities;
        (identities.local, identities.network)
    };
    let again = |house: &mut House| {
        assert_eq!(house.suspend(job), Ok(Success::OK));
        assert_eq!(house.resume(job), Ok(Success::OK));
    };
    again(&mut house);
    assert_eq!(names(&house), (alice().user, alice().user));

    house.lend(job, &bob(), TokenFlags::NETWORK);
    assert_eq!(names(&house), (alice().user, alice().user), "the attempt that runs goes on as it began");
    again(&mut house);
    assert_eq!(names(&house), (alice().user, bob().user));

    house.lend(job, &bob(), TokenFlags::all());
    again(&mut house);
    assert_eq!(names(&house), (bob().user, bob().user));
}

#[test]
fn a_helper_token_ends_with_its_own_session_only() {
    let mut house = House::new();
    let job = house.job(1);
    let mut sessions = Vec::new();
    house.change_world(|world| {
        sessions =
            [Logon::RemoteDesktop, Logon::RemoteDesktop].map(|logon| world.open_session(bob().user, logon)).into();
    });
    house.lend(job, &bob().in_session(sessions[0]), TokenFlags::NETWORK);

    house.change_world(|world| world.close_session(sessions[1]));
    assert_eq!(house.state(job), JobState::SUSPENDED);
    house.change_world(|world| world.close_session(sessions[0]));
    assert_eq!(house.state(job), JobState::ERROR);
}

#[test]
fn a_token_that_nobody_uses_is_lost_without_an_error() {
    let mut house = House::new();
    let job = house.job(1);
    house.lend(job, &bob(), TokenFlags::empty());

    house.log_off(&bob());

    assert_eq!(house.state(job), JobState::SUSPENDED);
    assert_eq!(house.engine.helper_token_sid(&alice(), job), Ok(None));
}

#[test]
fn a_job_that_has_ended_is_tied_to_nobody() {
    let mut house = House::new();
    let job = house.job(1);
    house.engine.retain(job);
    house.lend(job, &bob(), TokenFlags::all());
    assert_eq!(house.cancel(job), Ok(Success::OK));

    house.log_off(&bob());

    assert_eq!(house.state(job), JobState::CANCELLED);
}

#[test]
fn integrity_and_elevation_matter_since_vista_only() {
    for (profile, read, changed) in [
        (Profile::V2_5, Ok(JobState::SUSPENDED), Ok(Success::OK)),
        (Profile::V3_0, Err(Hresult::E_ACCESSDENIED), Err(Hresult::E_ACCESSDENIED)),
    ] {
        let mut house = House::with(config(profile));
        let elevated = Token::administrator(alice().user);
        let job = house.empty_job(&elevated);
        assert_eq!(house.engine.state(&alice(), job), read, "{profile:?}");
        assert_eq!(house.now_result(|engine, cx| engine.suspend(cx, &alice(), job)), changed, "{profile:?}");
    }
}

#[test]
fn a_lower_integrity_level_may_look_but_not_change() {
    let mut house = House::new();
    let job = house.job(1);
    let low = alice().at_integrity(Integrity::LOW);

    assert_eq!(house.engine.state(&low, job), Ok(JobState::SUSPENDED));
    assert_eq!(house.now_result(|engine, cx| engine.resume(cx, &low, job)), Err(Hresult::E_ACCESSDENIED));
    assert_eq!(house.state(job), JobState::SUSPENDED);
}
