//! Limits of bandwidth for background jobs: how fast they make a job, when, and for whom.
//!
//! The clock of a bench begins on a Thursday at midnight.

use bits_api::JobPropertyId;
use bits_world::{InternetBandwidth, MaintenanceLimits, Policies, PriorityRates, Weekday, WeeklyHours, WorkLimits};

use super::prelude::*;

cases![
    a_daily_interval_has_one_limit_and_the_rest_of_the_day_another,
    another_limit_counts_for_a_transfer_that_runs,
    a_limit_below_two_kilobits_is_two,
    without_a_policy_all_idle_bandwidth_is_used,
    foreground_jobs_are_not_limited,
    dynamic_content_is_never_slowed_down,
    an_interval_of_zero_stops_background_jobs_until_it_ends,
    a_clock_that_is_set_moves_no_interval_until_a_restart,
    work_hours_have_limits_by_priority_and_other_hours_have_others,
    a_limit_of_zero_stops_the_jobs_of_its_priority,
    of_two_policies_the_lower_limit_counts,
    maintenance_hours_replace_the_limits_of_work,
];

const HOUR: Duration = Duration::from_hours(1);

/// How long a job of that priority takes for a file of so many bytes.
fn time_for(c: &Bench, priority: JobPriority, bytes: u64) -> Result<Duration, Stop> {
    let job = c.new_job()?;
    job.set_priority(priority)?;
    let file = c.serve("timed.bin", bytes)?;
    file.add_to(&job)?;
    let begun_at = c.now()?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, DAY)?;
    let took = c.now()?.since(begun_at);
    job.cancel()?;
    Ok(took)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// 80 kbit/s, but 8 kbit/s from one o'clock to two.
fn slow_hour(policies: &mut Policies) {
    policies.max_internet_bandwidth = Some(InternetBandwidth { from: 1, to: 2, inside: Some(8), outside: Some(80) });
}

fn every_day(from: u8, to: u8) -> WeeklyHours {
    WeeklyHours { first: Weekday::Sunday, last: Weekday::Saturday, from, to }
}

fn a_daily_interval_has_one_limit_and_the_rest_of_the_day_another(c: &mut Bench) -> Outcome {
    c.set_policies(slow_hour)?;
    let outside = time_for(c, JobPriority::NORMAL, 100_000)?;
    c.advance(HOUR)?;
    let inside = time_for(c, JobPriority::NORMAL, 100_000)?;
    c.advance(HOUR)?;
    let after = time_for(c, JobPriority::HIGH, 100_000)?;
    c.is("policy.max_bandwidth.unit", vec![outside, inside, after], vec![seconds(10), seconds(100), seconds(10)])
}

fn another_limit_counts_for_a_transfer_that_runs(c: &mut Bench) -> Outcome {
    c.set_policies(slow_hour)?;
    c.advance(HOUR.saturating_sub(MINUTE))?;
    let took = time_for(c, JobPriority::NORMAL, 60 * 10_000 + 30 * 1_000)?;
    c.is("policy.max_bandwidth.unit", took, seconds(90))
}

fn a_limit_below_two_kilobits_is_two(c: &mut Bench) -> Outcome {
    let mut took = Vec::new();
    for kilobits in [1, 2, 4] {
        c.set_policies(|policies| policies.max_internet_bandwidth = Some(InternetBandwidth::all_day(kilobits)))?;
        took.push(time_for(c, JobPriority::NORMAL, 1_000)?);
    }
    c.is("policy.max_bandwidth.floor", took, vec![seconds(4), seconds(4), seconds(2)])
}

fn without_a_policy_all_idle_bandwidth_is_used(c: &mut Bench) -> Outcome {
    let before = time_for(c, JobPriority::NORMAL, 1_000_000)?;
    c.set_policies(|policies| policies.max_internet_bandwidth = Some(InternetBandwidth::all_day(80)))?;
    let with_policy = time_for(c, JobPriority::NORMAL, 1_000_000)?;
    c.set_policies(|policies| policies.max_internet_bandwidth = None)?;
    let after = time_for(c, JobPriority::NORMAL, 1_000_000)?;
    c.is(
        "policy.max_bandwidth.unset",
        vec![before, with_policy, after],
        vec![Duration::ZERO, seconds(100), Duration::ZERO],
    )
}

fn foreground_jobs_are_not_limited(c: &mut Bench) -> Outcome {
    c.set_policies(slow_hour)?;
    let foreground = time_for(c, JobPriority::FOREGROUND, 1_000_000)?;
    let background = time_for(c, JobPriority::HIGH, 10_000)?;
    c.is("policy.max_bandwidth.scope", (foreground, background), (Duration::ZERO, seconds(1)))?;
    for maintained in [false, true] {
        c.start_over();
        c.set_policies(|policies| {
            let rates = PriorityRates::all(Some(8));
            let hours = every_day(0, 0);
            policies.bandwidth_limits = Some(WorkLimits { hours, work: rates, other: rates });
            policies.maintenance_limits = maintained.then_some(MaintenanceLimits { hours, limits: rates });
        })?;
        let foreground = time_for(c, JobPriority::FOREGROUND, 1_000_000)?;
        let background = time_for(c, JobPriority::LOW, 10_000)?;
        c.is("policy.bandwidth_limits.scope", (foreground, background), (Duration::ZERO, seconds(10)))?;
    }
    Ok(())
}

fn dynamic_content_is_never_slowed_down(c: &mut Bench) -> Outcome {
    c.set_policies(slow_hour)?;
    c.is("job5.dynamic_content.no_throttle", time_for(c, JobPriority::NORMAL, 100_000)?, seconds(10))?;
    let job = c.job_with(JobPropertyId::DYNAMIC_CONTENT)?;
    c.serve("dynamic.bin", 100_000)?.add_to(&job)?;
    let begun_at = c.now()?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, DAY)?;
    c.is("job5.dynamic_content.no_throttle", c.now()?.since(begun_at), Duration::ZERO)
}

fn an_interval_of_zero_stops_background_jobs_until_it_ends(c: &mut Bench) -> Outcome {
    c.set_policies(|policies| {
        policies.max_internet_bandwidth = Some(InternetBandwidth { from: 1, to: 3, inside: Some(0), outside: None });
    })?;
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    c.advance(HOUR)?;
    c.let_go(&file)?;
    c.advance((HOUR * 2).saturating_sub(seconds(1)))?;
    let clauses = ["lifecycle.edge.policy_zero", "policy.max_bandwidth.zero", "retry.transient.policy"];
    c.is(clauses, job.state()?, JobState::TRANSIENT_ERROR)?;
    c.returns(clauses, error_of(&job)?.1)?;
    c.advance(seconds(1))?;
    let states = c.states_of(&job)?;
    let after = states.iter().position(|state| *state == JobState::TRANSIENT_ERROR).map(|at| states[at + 1]);
    c.is(["lifecycle.edge.policy_zero_over", "policy.max_bandwidth.zero"], after, Some(JobState::QUEUED))
}

fn a_clock_that_is_set_moves_no_interval_until_a_restart(c: &mut Bench) -> Outcome {
    c.set_policies(|policies| {
        policies.max_internet_bandwidth = Some(InternetBandwidth { from: 1, to: 2, inside: Some(0), outside: None });
    })?;
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    let id = job.id()?;
    c.set_wall_clock(c.now()?.plus(HOUR * 6))?;
    c.advance(HOUR.saturating_sub(seconds(1)))?;
    let before = job.state()?;
    c.advance(seconds(1))?;
    c.is("policy.max_bandwidth.clock", (before, job.state()?), (JobState::TRANSFERRING, JobState::TRANSIENT_ERROR))?;
    c.restart_service()?;
    c.settle()?;
    c.is("policy.max_bandwidth.clock", c.find(id)?.state()?, JobState::TRANSFERRING)
}

/// On workdays from eight to five.
fn work(work: PriorityRates, other: PriorityRates) -> WorkLimits {
    let hours = WeeklyHours { first: Weekday::Monday, last: Weekday::Friday, from: 8, to: 17 };
    WorkLimits { hours, work, other }
}

fn work_hours_have_limits_by_priority_and_other_hours_have_others(c: &mut Bench) -> Outcome {
    let at_work = PriorityRates { high: Some(80), normal: Some(8), low: Some(4) };
    let other = PriorityRates { high: None, normal: Some(800), low: Some(80) };
    c.set_policies(|policies| policies.bandwidth_limits = Some(work(at_work, other)))?;
    let times = |c: &Bench| -> Result<Vec<Duration>, Stop> {
        [JobPriority::HIGH, JobPriority::NORMAL, JobPriority::LOW]
            .into_iter()
            .map(|priority| time_for(c, priority, 100_000))
            .collect()
    };
    let at_night = vec![Duration::ZERO, seconds(1), seconds(10)];
    let thursday_night = times(c)?;
    c.advance(HOUR * 8)?;
    let thursday_morning = times(c)?;
    c.advance(DAY * 2)?;
    let saturday_morning = times(c)?;
    c.is("policy.bandwidth_limits", thursday_night, at_night.clone())?;
    c.is("policy.bandwidth_limits", thursday_morning, vec![seconds(10), seconds(100), seconds(200)])?;
    c.is("policy.bandwidth_limits", saturday_morning, at_night)
}

fn a_limit_of_zero_stops_the_jobs_of_its_priority(c: &mut Bench) -> Outcome {
    let at_work = PriorityRates { low: Some(0), ..PriorityRates::default() };
    c.set_policies(|policies| policies.bandwidth_limits = Some(work(at_work, PriorityRates::default())))?;
    c.advance(HOUR * 9)?;
    let (job, file) = c.job_with_file(1_000)?;
    job.set_priority(JobPriority::LOW)?;
    job.resume()?;
    c.settle()?;
    c.is("policy.bandwidth_limits.zero", job.state()?, JobState::TRANSIENT_ERROR)?;
    c.returns("policy.bandwidth_limits.zero", error_of(&job)?.1)?;
    let normal = time_for(c, JobPriority::NORMAL, 1_000)?;
    c.is("policy.bandwidth_limits.zero", normal, Duration::ZERO)?;
    c.advance(HOUR * 8)?;
    c.is("policy.bandwidth_limits.zero", (job.state()?, file.url), (JobState::TRANSFERRED, c.attempted()?.remove(1)))
}

fn of_two_policies_the_lower_limit_counts(c: &mut Bench) -> Outcome {
    let mut took = Vec::new();
    for (daily, weekly) in [(8, 80), (80, 8)] {
        c.set_policies(|policies| {
            let rates = PriorityRates::all(Some(weekly));
            policies.max_internet_bandwidth = Some(InternetBandwidth::all_day(daily));
            policies.bandwidth_limits = Some(work(rates, rates));
        })?;
        took.push(time_for(c, JobPriority::NORMAL, 10_000)?);
    }
    c.is("policy.bandwidth_limits.vs_max_bandwidth", took, vec![seconds(10); 2])
}

fn maintenance_hours_replace_the_limits_of_work(c: &mut Bench) -> Outcome {
    let slow = PriorityRates::all(Some(8));
    c.set_policies(|policies| {
        policies.bandwidth_limits = Some(work(slow, slow));
        let limits = PriorityRates { low: Some(4), ..PriorityRates::all(Some(80)) };
        policies.maintenance_limits = Some(MaintenanceLimits { hours: every_day(9, 10), limits });
    })?;
    c.advance(HOUR * 8)?;
    let before = time_for(c, JobPriority::NORMAL, 10_000)?;
    c.advance(HOUR)?;
    let faster = time_for(c, JobPriority::NORMAL, 10_000)?;
    let slower = time_for(c, JobPriority::LOW, 10_000)?;
    c.advance(HOUR)?;
    let after = time_for(c, JobPriority::NORMAL, 10_000)?;
    c.is(
        "policy.maintenance_limits",
        vec![before, faster, slower, after],
        vec![seconds(10), seconds(1), seconds(20), seconds(10)],
    )
}
