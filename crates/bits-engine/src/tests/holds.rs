//! What the world keeps from transferring: whom it concerns, what it says, and how it ends.

use std::time::Duration;

use bits_api::{CostFlags, ErrorContext, FileInfo, Hresult, JobPriority, JobState, Setting, Success};
use bits_wire::attempt::AttemptEnd;
use bits_world::{InternetBandwidth, NetworkCost, PriorityRates, Profile, Volume, Weekday, WeeklyHours, WorkLimits};

use super::house::{House, SERVER_BUSY, SLICE, config, seconds};
use crate::{Cause, JobKey};

const TRANSIENT_ERROR: JobState = JobState::TRANSIENT_ERROR;
const CONNECTING: JobState = JobState::CONNECTING;
const QUEUED: JobState = JobState::QUEUED;

fn code(house: &House, job: JobKey) -> Option<Hresult> {
    house.error(job).ok().map(|error| error.code)
}

/// A foreground job that runs, with these cost flags.
fn spending_job(house: &mut House, flags: CostFlags) -> JobKey {
    let job = house.resumed_job(JobPriority::FOREGROUND);
    assert_eq!(house.set(job, Setting::CostFlags, flags.bits()), Ok(Success::OK));
    job
}

#[test]
fn a_dearer_network_stops_the_jobs_that_do_not_allow_it_and_no_other() {
    let mut house = House::new();
    let always = spending_job(&mut house, CostFlags::TRANSFER_ALWAYS);
    let at_home = spending_job(&mut house, CostFlags::TRANSFER_NOT_ROAMING);
    let before = house.transitions.len();
    house.change_world(|world| world.cost = NetworkCost::Roaming);
    assert_eq!(house.states(&[always, at_home]), [CONNECTING, TRANSIENT_ERROR]);
    assert_eq!(code(&house, at_home), Some(Hresult::BG_E_BLOCKED_BY_COST_TRANSFER_POLICY));
    assert_eq!(house.transitions.len(), before + 1);
    house.change_world(|world| world.cost = NetworkCost::UsageBased);
    assert_eq!(house.states(&[always, at_home]), [CONNECTING, CONNECTING]);
}

#[test]
fn cost_flags_that_are_set_take_effect_at_once() {
    let mut house = House::new();
    house.change_world(|world| world.cost = NetworkCost::NearCap);
    let job = spending_job(&mut house, CostFlags::TRANSFER_STANDARD);
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    assert_eq!(house.set(job, Setting::CostFlags, CostFlags::NEAR_CAP.bits()), Ok(Success::OK));
    assert_eq!(house.state(job), CONNECTING);
}

#[test]
fn cost_flags_that_nobody_set_follow_the_priority() {
    let mut house = House::new();
    house.change_world(|world| world.cost = NetworkCost::BelowCap);
    let job = house.resumed_job(JobPriority::NORMAL);
    assert_eq!(code(&house, job), Some(Hresult::BG_E_BLOCKED_BY_COST_TRANSFER_POLICY));
    assert_eq!(house.set(job, Setting::Priority, JobPriority::HIGH.0), Ok(Success::OK));
    assert_eq!(house.state(job), CONNECTING);
    house.change_world(|world| world.cost = NetworkCost::Roaming);
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    assert_eq!(house.set(job, Setting::Priority, JobPriority::FOREGROUND.0), Ok(Success::OK));
    assert_eq!(house.state(job), CONNECTING);
    assert_eq!(house.set(job, Setting::Priority, JobPriority::LOW.0), Ok(Success::OK));
    assert_eq!(house.state(job), TRANSIENT_ERROR);
}

#[test]
fn before_bits_5_nobody_looks_at_the_cost() {
    let mut house = House::with(config(Profile::V4_0));
    house.change_world(|world| world.cost = NetworkCost::Roaming);
    let job = house.resumed_job(JobPriority::NORMAL);
    assert_eq!(house.state(job), CONNECTING);
}

#[test]
fn when_one_hold_ends_the_next_takes_over() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.lose_network();
    house.change_world(|world| {
        world.power.battery_saver = true;
        world.game_mode = true;
    });
    assert_eq!(code(&house, job), Some(Hresult::BG_E_NETWORK_DISCONNECTED));
    house.restore_network();
    assert_eq!(code(&house, job), Some(Hresult::BG_E_BLOCKED_BY_BATTERY_SAVER));
    house.change_world(|world| world.power.battery_saver = false);
    assert_eq!(code(&house, job), Some(Hresult::BG_E_BLOCKED_BY_GAME_MODE));
    house.change_world(|world| world.game_mode = false);
    assert_eq!(house.state(job), CONNECTING);
    assert_eq!(house.engine.error_count(&super::house::alice(), job), Ok(0));
}

#[test]
fn a_second_hold_leaves_the_error_of_the_first() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.block_background(true);
    house.lose_network();
    assert_eq!(code(&house, job), Some(Hresult::BG_E_BLOCKED_BY_POLICY));
    house.block_background(false);
    assert_eq!(code(&house, job), Some(Hresult::BG_E_NETWORK_DISCONNECTED));
}

#[test]
fn power_and_games_stop_the_background_and_standby_everything() {
    let mut house = House::new();
    let background = house.resumed_job(JobPriority::HIGH);
    let foreground = house.resumed_job(JobPriority::FOREGROUND);
    house.change_world(|world| world.power.battery_saver = true);
    assert_eq!(house.states(&[background, foreground]), [TRANSIENT_ERROR, CONNECTING]);
    house.change_world(|world| (world.power.battery_saver, world.game_mode) = (false, true));
    assert_eq!(house.states(&[background, foreground]), [TRANSIENT_ERROR, CONNECTING]);
    house.change_world(|world| (world.game_mode, world.power.standby) = (false, true));
    assert_eq!(house.states(&[background, foreground]), [CONNECTING, CONNECTING]);
    house.change_world(|world| world.power.plugged_in = false);
    assert_eq!(house.states(&[background, foreground]), [TRANSIENT_ERROR; 2]);
    assert_eq!(code(&house, foreground), Some(Hresult::BG_E_BLOCKED_BY_BATTERY_POLICY));
}

/// A resumed job with one file on C: and one on D:.
fn job_on_two_volumes(house: &mut House) -> JobKey {
    house.world.drives.mount('d', "/d");
    let job = house.job(1);
    let file = FileInfo { remote_name: "http://example.org/d", local_name: r"d:\d.bin" };
    assert_eq!(house.add(job, &[file]), Ok(Success::OK));
    assert_eq!(house.resume(job), Ok(Success::OK));
    job
}

#[test]
fn a_locked_volume_stops_a_job_when_it_comes_to_a_file_there() {
    let mut house = House::new();
    let job = job_on_two_volumes(&mut house);
    house.change_world(|world| world.drives.set_locked(Volume::new('D'), true));
    assert_eq!(house.state(job), CONNECTING);
    house.transfer_file(job);
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    let error = house.error(job).expect("an error");
    assert_eq!((error.code, error.context), (Hresult::BG_E_DESTINATION_LOCKED, ErrorContext::LOCAL_FILE));
    house.advance(seconds(100_000));
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    house.change_world(|world| world.drives.set_locked(Volume::new('D'), false));
    assert_eq!(house.state(job), CONNECTING);
    house.transfer_file(job);
    assert_eq!(house.state(job), JobState::TRANSFERRED);
}

#[test]
fn a_job_whose_last_file_there_has_arrived_does_not_wait_for_a_locked_volume() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.connected(job, 100);
    house.holds_stops = true;
    house.change_world(|world| world.drives.set_locked(Volume::new('C'), true));
    assert_eq!(house.state(job), TRANSIENT_ERROR);

    house.let_stop(&AttemptEnd::Done);

    assert_eq!(house.state(job), JobState::TRANSFERRED);
}

#[test]
fn a_volume_that_is_locked_stops_the_jobs_that_write_there() {
    let mut house = House::new();
    let on_c = house.resumed_job(JobPriority::FOREGROUND);
    let on_d = job_on_two_volumes(&mut house);
    house.transfer_file(on_d);
    let waits_for_d = job_on_two_volumes(&mut house);
    house.change_world(|world| world.drives.set_locked(Volume::new('d'), true));
    assert_eq!(house.states(&[on_c, on_d, waits_for_d]), [CONNECTING, TRANSIENT_ERROR, CONNECTING]);
}

#[test]
fn a_held_job_waits_on_after_a_restart_unless_the_hold_is_over() {
    for is_over in [false, true] {
        let mut house = House::new();
        let job = job_on_two_volumes(&mut house);
        house.change_world(|world| world.drives.set_locked(Volume::new('C'), true));
        assert_eq!(house.state(job), TRANSIENT_ERROR);
        house.world.drives.set_locked(Volume::new('C'), !is_over);
        house.restart(seconds(60));
        assert_eq!(house.state(job), if is_over { CONNECTING } else { TRANSIENT_ERROR });
        house.change_world(|world| world.drives.set_locked(Volume::new('C'), false));
        assert_eq!(house.state(job), CONNECTING);
    }
}

/// A house on Tuesday 2023-11-14 at 22:00 where transfers are stopped from 23:00 to 24:00.
fn house_with_a_zero_hour() -> House {
    let mut house = House::new();
    house.now.wall = bits_api::FileTime::from_unix_seconds(1_699_999_200);
    house.change_world(|world| {
        let zero_hour = InternetBandwidth { from: 23, to: 0, inside: Some(0), outside: None };
        world.policies.max_internet_bandwidth = Some(zero_hour);
    });
    house
}

#[test]
fn an_hour_without_bandwidth_begins_and_ends_by_itself() {
    let mut house = house_with_a_zero_hour();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.advance(seconds(3_599));
    assert_eq!(house.state(job), CONNECTING);
    house.advance(seconds(1));
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    assert_eq!(code(&house, job), Some(Hresult::BG_E_BLOCKED_BY_POLICY));
    house.advance(seconds(3_599));
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    house.advance(seconds(1));
    assert_eq!(house.state(job), CONNECTING);
}

#[test]
fn a_clock_that_is_set_moves_the_hours_of_a_policy_at_the_next_start_only() {
    let mut house = house_with_a_zero_hour();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.now.wall = house.now.wall.plus(Duration::from_hours(12));
    house.advance(seconds(3_600));
    assert_eq!(house.state(job), TRANSIENT_ERROR);
    house.restart(Duration::ZERO);
    assert_eq!(house.state(job), CONNECTING);
}

#[test]
fn limits_by_priority_stop_that_priority_alone() {
    let mut house = House::new();
    let hours = WeeklyHours { first: Weekday::Sunday, last: Weekday::Saturday, from: 0, to: 0 };
    let work = PriorityRates { high: Some(100), normal: Some(50), low: Some(0) };
    let limits = WorkLimits { hours, work, other: PriorityRates::default() };
    house.change_world(|world| world.policies.bandwidth_limits = Some(limits));
    let low = house.resumed_job(JobPriority::LOW);
    let normal = house.resumed_job(JobPriority::NORMAL);
    assert_eq!(house.states(&[low, normal]), [TRANSIENT_ERROR, CONNECTING]);
    assert_eq!(house.plan(normal).limit, Some(50));
    assert_eq!(house.set(low, Setting::Priority, JobPriority::HIGH.0), Ok(Success::OK));
    assert_eq!(house.states(&[low, normal]), [CONNECTING, QUEUED]);
    assert_eq!(house.plan(low).limit, Some(100));
}

#[test]
fn a_running_attempt_is_told_of_another_limit() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    let foreground = house.resumed_job(JobPriority::FOREGROUND);
    let attempt = house.plan(job).attempt;
    for limit in [Some(64), Some(32), None] {
        house.change_world(|world| {
            world.policies.max_internet_bandwidth = limit.map(InternetBandwidth::all_day);
        });
        let plan = house.plan(job);
        assert_eq!((plan.attempt, plan.limit, house.plan(foreground).limit), (attempt, limit, None));
        let told = house.engine.explain(house.now, job).to_string();
        assert_eq!(told.contains("kbit/s"), limit.is_some(), "{told}");
    }
    house.change_world(|world| world.policies.max_internet_bandwidth = Some(InternetBandwidth::all_day(1)));
    assert_eq!(house.set(job, Setting::Priority, JobPriority::FOREGROUND.0), Ok(Success::OK));
    assert_eq!(house.plan(job).limit, None);
}

#[test]
fn a_machine_that_wakes_after_a_night_retries_once() {
    let mut house = House::new();
    let job = house.resumed_job(JobPriority::NORMAL);
    let other = house.resumed_job(JobPriority::NORMAL);
    house.fail(job, SERVER_BUSY);
    house.connected(other, 100);
    let before = house.transitions.len();
    house.sleep(Duration::from_hours(8));
    let woken: Vec<Cause> = house.transitions[before..].iter().map(|step| step.cause).collect();
    assert_eq!(woken, [Cause::RetryDelayOver]);
    assert_eq!(house.states(&[job, other]), [QUEUED, JobState::TRANSFERRING]);
    house.advance(SLICE);
    assert_eq!(house.states(&[job, other]), [CONNECTING, QUEUED]);
}

#[test]
fn a_machine_that_sleeps_through_hours_without_bandwidth_does_not_notice_them() {
    let mut house = house_with_a_zero_hour();
    let job = house.resumed_job(JobPriority::NORMAL);
    house.connected(job, 100);
    house.sleep(Duration::from_hours(3));
    assert_eq!(house.state(job), JobState::TRANSFERRING);
    house.sleep(Duration::from_mins(22 * 60 + 30));
    assert_eq!(house.state(job), TRANSIENT_ERROR);
}
