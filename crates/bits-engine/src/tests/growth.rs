//! What calls and events cost in a long queue: counted, not timed.

use bits_api::{CostFlags, EnumJobsFlags, FileInfo, JobPriority, JobState, Setting, Success};
use bits_world::{InternetBandwidth, NetworkCost, PriorityRates, Sid, Token, Volume, Weekday, WeeklyHours, WorkLimits};

use super::house::{House, NOT_FOUND, SERVER_BUSY, SLICE};
use crate::visits::visits;
use crate::{Event, JobKey};

/// How many jobs each user has.
const JOBS_EACH: u32 = 10;

/// How many jobs the rarer events concern, however long the queue is.
const CONCERNED: u32 = 8;

fn user(number: u32) -> Token {
    Token::standard(Sid::of_account(10_000 + number))
}

/// Brings a job into one of the states that a queue is full of.
fn bring(house: &mut House, job: JobKey, number: u32) {
    let begins_in_front = matches!(number % 10, 7..=9);
    if begins_in_front {
        assert_eq!(house.set(job, Setting::Priority, JobPriority::FOREGROUND.0), Ok(Success::OK));
    }
    if number % 10 > 1 {
        assert_eq!(house.resume(job), Ok(Success::OK));
    }
    match number % 10 {
        7 => house.fail(job, SERVER_BUSY),
        8 => house.fail(job, NOT_FOUND),
        9 => house.transfer_file(job),
        _ => {}
    }
}

/// A queue of so many jobs in all states. Of the queued ones a few are LOW, may not be near the
/// cap, or go to another volume; the others are NORMAL, do not mind the cost, and go to one.
fn house_of(jobs: u32) -> House {
    let mut house = House::new();
    house.world.drives.mount('d', "/d");
    house.world.policies.max_jobs_per_machine = u32::MAX;
    for number in 0..jobs {
        let owner = user(number / JOBS_EACH);
        if number % JOBS_EACH == 0 {
            house.log_on(&owner);
        }
        let is_concerned = number % 10 == 5 && number / 10 < CONCERNED;
        let job = house.empty_job(&owner);
        let local_name = format!(r"{}:\{number}.bin", if is_concerned { 'D' } else { 'C' });
        let file = FileInfo { remote_name: "http://example.org/a", local_name: &local_name };
        assert_eq!(house.add(job, &[file]), Ok(Success::OK));
        let flags = if is_concerned { CostFlags::TRANSFER_STANDARD } else { CostFlags::TRANSFER_ALWAYS };
        assert_eq!(house.set(job, Setting::CostFlags, flags.bits()), Ok(Success::OK));
        if is_concerned {
            assert_eq!(house.set(job, Setting::Priority, JobPriority::LOW.0), Ok(Success::OK));
        }
        bring(&mut house, job, number);
        house.actions.clear();
        house.transitions.clear();
    }
    house
}

/// What this costs, and how many jobs change their state by it.
fn cost_of(house: &mut House, act: impl FnOnce(&mut House)) -> (u64, usize) {
    house.transitions.clear();
    let before = visits();
    act(house);
    (visits() - before, house.transitions.len())
}

/// Stops the jobs of priority LOW, or lets them go.
fn stop_low(house: &mut House, stop: bool) {
    let hours = WeeklyHours { first: Weekday::Sunday, last: Weekday::Saturday, from: 0, to: 0 };
    let rates = PriorityRates { low: Some(0), ..PriorityRates::default() };
    let limits = WorkLimits { hours, work: rates, other: rates };
    house.change_world(|world| world.policies.bandwidth_limits = stop.then_some(limits));
}

/// What calls and events cost in a queue of so many jobs, with the changes of state that they bring.
fn costs(jobs: u32) -> Vec<(&'static str, u64, usize)> {
    let mut house = house_of(jobs);
    let middle = user(jobs / JOBS_EACH / 2);
    let mut costs = Vec::new();
    let mut measure = |what, act: &mut dyn FnMut(&mut House)| {
        let (cost, changes) = cost_of(&mut house, act);
        costs.push((what, cost, changes));
    };
    measure("the jobs of one user", &mut |house| {
        let found = house.act(|engine, cx| engine.enum_jobs(cx, &middle, EnumJobsFlags::empty()));
        assert_eq!(found.map(|keys| keys.len()), Ok(JOBS_EACH as usize));
    });
    measure("a turn that ends", &mut |house| {
        house.now.monotonic = house.now.monotonic.plus(SLICE);
        house.tell(Event::Deadline);
    });
    measure("a logoff", &mut |house| house.log_off(&middle));
    measure("a logon", &mut |house| house.log_on(&middle));
    measure("a limit for some", &mut |house| stop_low(house, true));
    measure("its end", &mut |house| stop_low(house, false));
    measure("a cost for some", &mut |house| house.change_world(|world| world.cost = NetworkCost::NearCap));
    measure("its end", &mut |house| house.change_world(|world| world.cost = NetworkCost::Unrestricted));
    measure("a locked volume", &mut |house| {
        house.change_world(|world| world.drives.set_locked(Volume::new('D'), true));
    });
    measure("its end", &mut |house| house.change_world(|world| world.drives.set_locked(Volume::new('D'), false)));
    measure("another rate", &mut |house| {
        house.change_world(|world| world.policies.max_internet_bandwidth = Some(InternetBandwidth::all_day(9)));
    });
    costs
}

#[test]
fn calls_and_events_cost_the_logarithm_of_the_queue_and_what_they_concern() {
    let (short, long) = (costs(1_000), costs(16_000));
    for ((what, before, changes), (_, after, changes_after)) in short.into_iter().zip(long) {
        // Sixteen times the jobs are four more steps in a search; a walk would take sixteen times as many.
        assert!(after <= before * 3, "{what}: {before} keys in a queue of 1,000 jobs, {after} in one of 16,000");
        assert_eq!(changes, changes_after, "{what}");
    }
}

#[test]
fn a_mixed_queue_has_jobs_in_every_state() {
    let mut house = house_of(200);
    let jobs = house.in_queue();
    let states = house.states(&jobs);
    for state in [
        JobState::SUSPENDED,
        JobState::QUEUED,
        JobState::CONNECTING,
        JobState::TRANSIENT_ERROR,
        JobState::ERROR,
        JobState::TRANSFERRED,
    ] {
        assert!(states.contains(&state), "{state}");
    }
    stop_low(&mut house, true);
    assert_eq!(house.transitions.len(), CONCERNED as usize);
}
