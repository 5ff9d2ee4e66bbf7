//! Limits of bandwidth, and what else stops and slows a transfer, over HTTP: how many bytes are
//! there at which moment, and how a transfer that was stopped goes on.
//!
//! The clock of a bench begins on a Thursday at midnight.

use bits_api::{CostFlags, JobPropertyId, JobPropertyValue};
use bits_origin::{Content, GateAt, Origin};
use bits_world::{
    InternetBandwidth, MaintenanceLimits, NetworkCost, Policies, PriorityRates, Uplink, Weekday, WeeklyHours,
    WorkLimits,
};

use super::http::asked;
use super::prelude::*;

cases![
    bytes_arrive_as_the_limit_lets_them,
    foreground_transfers_are_as_fast_as_they_can_be,
    background_transfers_yield_to_those_in_the_foreground,
    an_hour_with_another_limit_begins_in_the_middle_of_a_transfer,
    a_limit_below_two_kilobits_is_two_on_the_wire,
    many_small_files_are_no_faster_than_a_large_one,
    a_limit_is_shared_by_jobs_that_take_turns,
    work_and_maintenance_have_limits_by_priority,
    another_priority_means_another_limit_from_then_on,
    dynamic_content_comes_at_full_speed,
    a_limit_of_zero_stops_a_transfer_that_later_goes_on_by_range,
    a_lost_network_stops_a_transfer_that_later_goes_on_by_range,
    a_network_that_is_lost_before_the_answer_is_asked_again,
    a_network_that_becomes_too_dear_stops_a_transfer_that_later_goes_on_by_range,
    the_size_is_known_when_the_server_has_told_it,
];

/// 80 kbit/s.
const BYTES_A_SECOND: u64 = 10_000;

fn all_day(kilobits: u32) -> impl FnOnce(&mut Policies) {
    move |policies| policies.max_internet_bandwidth = Some(InternetBandwidth::all_day(kilobits))
}

/// A job of that priority for a new file of so many bytes, which begins at once.
fn begin(c: &Bench, url: &str, priority: JobPriority) -> Result<Arc<dyn Job>, Stop> {
    let job = c.new_job()?;
    job.set_priority(priority)?;
    job.add_file(Some(url), Some(&c.local(&format!("{}.bin", job.id()?))))?;
    job.resume()?;
    c.settle()?;
    Ok(job)
}

/// An origin that serves so many bytes at `/file`.
fn origin_of(c: &mut Bench, bytes: u64) -> Result<Arc<Origin>, Stop> {
    let origin = c.origin()?;
    origin.put("/file", Content::synthetic(bytes, 1));
    Ok(origin)
}

fn moved(job: &Arc<dyn Job>) -> Result<u64, Stop> {
    Ok(job.progress()?.bytes_transferred)
}

/// How long a job of that priority takes for a file of so many bytes.
fn time_for(c: &Bench, origin: &Origin, priority: JobPriority, bytes: u64) -> Result<Duration, Stop> {
    origin.put("/timed", Content::synthetic(bytes, 2));
    let begun_at = c.now()?;
    let job = begin(c, &origin.url("/timed"), priority)?;
    c.wait(&job, JobState::TRANSFERRED, DAY)?;
    let took = c.now()?.since(begun_at);
    job.cancel()?;
    Ok(took)
}

fn bytes_arrive_as_the_limit_lets_them(c: &mut Bench) -> Outcome {
    for secure in [false, true] {
        c.start_over();
        let origin = origin_of(c, 10 * BYTES_A_SECOND)?;
        c.trust_origin()?;
        c.set_policies(all_day(80))?;
        let url = if secure { origin.https_url("/file") } else { origin.url("/file") };
        let job = begin(c, &url, JobPriority::NORMAL)?;
        let mut there = vec![moved(&job)?];
        for passes in [SECOND, SECOND * 5 / 2, Duration::from_millis(6_499)] {
            c.advance(passes)?;
            there.push(moved(&job)?);
        }
        c.is("policy.max_bandwidth.unit", there, vec![0, 10_000, 35_000, 99_990])?;
        c.advance(Duration::from_millis(1))?;
        c.is("policy.max_bandwidth.unit", job.state()?, JobState::TRANSFERRED)?;
    }
    Ok(())
}

fn foreground_transfers_are_as_fast_as_they_can_be(c: &mut Bench) -> Outcome {
    let origin = origin_of(c, 1_000_000)?;
    c.set_policies(all_day(80))?;
    let background = begin(c, &origin.url("/file"), JobPriority::HIGH)?;
    let took = time_for(c, &origin, JobPriority::FOREGROUND, 1_000_000)?;
    let meanwhile = moved(&background)?;
    c.is("policy.max_bandwidth.scope", (took, meanwhile), (Duration::ZERO, 0))?;
    c.advance(SECOND)?;
    background.set_priority(JobPriority::FOREGROUND)?;
    c.settle()?;
    c.is("policy.max_bandwidth.scope", background.state()?, JobState::TRANSFERRED)
}

fn background_transfers_yield_to_those_in_the_foreground(c: &mut Bench) -> Outcome {
    let origin = origin_of(c, 1_000_000)?;
    c.set_uplink(Uplink::of(80))?;
    let background = begin(c, &origin.url("/file"), JobPriority::HIGH)?;
    c.advance(SECOND)?;
    origin.put("/shown", Content::synthetic(1_000, 2));
    let gate = origin.gate_method("GET", "/shown", GateAt::Byte(999));
    let foreground = begin(c, &origin.url("/shown"), JobPriority::FOREGROUND)?;
    c.advance(SECOND * 4)?;
    c.is("net.idle_only", (moved(&background)?, moved(&foreground)?), (11_000, 999))?;
    gate.open();
    c.wait(&foreground, JobState::TRANSFERRED, SOON)?;
    c.advance(SECOND)?;
    c.is("net.idle_only", moved(&background)?, 21_000)
}

fn an_hour_with_another_limit_begins_in_the_middle_of_a_transfer(c: &mut Bench) -> Outcome {
    let origin = origin_of(c, 1_000_000)?;
    c.set_policies(|policies| {
        policies.max_internet_bandwidth =
            Some(InternetBandwidth { from: 1, to: 2, inside: Some(8), outside: Some(80) });
    })?;
    c.advance(SECOND * 3_590)?;
    let job = begin(c, &origin.url("/file"), JobPriority::NORMAL)?;
    let mut there = Vec::new();
    for passes in [SECOND * 10, SECOND * 10, SECOND * 3_590, SECOND] {
        c.advance(passes)?;
        there.push(moved(&job)?);
    }
    c.is("policy.max_bandwidth.unit", there[..2].to_vec(), vec![100_000, 110_000])?;
    c.is("policy.max_bandwidth.unit", job.state()?, JobState::TRANSFERRED)
}

fn a_limit_below_two_kilobits_is_two_on_the_wire(c: &mut Bench) -> Outcome {
    let origin = origin_of(c, 0)?;
    let mut took = Vec::new();
    for kilobits in [1, 2, 4] {
        c.set_policies(all_day(kilobits))?;
        took.push(time_for(c, &origin, JobPriority::NORMAL, 10_000)?);
    }
    c.is("policy.max_bandwidth.floor", took, vec![SECOND * 40, SECOND * 40, SECOND * 20])
}

fn many_small_files_are_no_faster_than_a_large_one(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    c.set_policies(all_day(80))?;
    let job = c.new_job()?;
    for number in 0..50 {
        let path = format!("/{number}");
        origin.put(&path, Content::synthetic(2_000, number));
        job.add_file(Some(&origin.url(&path)), Some(&c.local(&format!("{number}.bin"))))?;
    }
    let begun_at = c.now()?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, DAY)?;
    c.is("policy.max_bandwidth.unit", c.now()?.since(begun_at), SECOND * 10)
}

fn a_limit_is_shared_by_jobs_that_take_turns(c: &mut Bench) -> Outcome {
    let origin = origin_of(c, 1_000_000)?;
    c.set_policies(all_day(80))?;
    let low = begin(c, &origin.url("/file"), JobPriority::LOW)?;
    c.advance(SECOND * 3)?;
    let high = begin(c, &origin.url("/file"), JobPriority::HIGH)?;
    c.advance(SECOND * 7)?;
    c.is("policy.max_bandwidth.unit", (moved(&low)?, moved(&high)?), (30_000, 70_000))
}

fn every_day(from: u8, to: u8) -> WeeklyHours {
    WeeklyHours { first: Weekday::Sunday, last: Weekday::Saturday, from, to }
}

fn work_and_maintenance_have_limits_by_priority(c: &mut Bench) -> Outcome {
    let origin = origin_of(c, 0)?;
    c.set_policies(|policies| {
        let hours = WeeklyHours { first: Weekday::Monday, last: Weekday::Friday, from: 8, to: 17 };
        let work = PriorityRates { high: Some(80), normal: Some(8), low: Some(4) };
        let other = PriorityRates { high: None, normal: Some(800), low: Some(80) };
        policies.bandwidth_limits = Some(WorkLimits { hours, work, other });
        let limits = PriorityRates { high: Some(800), normal: Some(400), low: Some(16) };
        policies.maintenance_limits = Some(MaintenanceLimits { hours: every_day(12, 13), limits });
    })?;
    let times = |c: &Bench| -> Result<Vec<Duration>, Stop> {
        [JobPriority::FOREGROUND, JobPriority::HIGH, JobPriority::NORMAL, JobPriority::LOW]
            .into_iter()
            .map(|priority| time_for(c, &origin, priority, 10_000))
            .collect()
    };
    let milliseconds = |all: [u64; 4]| all.map(Duration::from_millis).to_vec();
    let at_night = times(c)?;
    c.advance(MINUTE * 60 * 8)?;
    let at_work = times(c)?;
    c.advance(MINUTE * 60 * 4)?;
    let maintained = times(c)?;
    c.is("policy.bandwidth_limits", at_night, milliseconds([0, 0, 100, 1_000]))?;
    c.is("policy.bandwidth_limits", at_work, milliseconds([0, 1_000, 10_000, 20_000]))?;
    c.is("policy.maintenance_limits", maintained, milliseconds([0, 100, 200, 5_000]))
}

fn another_priority_means_another_limit_from_then_on(c: &mut Bench) -> Outcome {
    let origin = origin_of(c, 1_000_000)?;
    c.set_policies(|policies| {
        let rates = PriorityRates { high: Some(80), normal: Some(40), low: Some(8) };
        policies.bandwidth_limits = Some(WorkLimits { hours: every_day(0, 0), work: rates, other: rates });
    })?;
    let job = begin(c, &origin.url("/file"), JobPriority::LOW)?;
    let mut there = Vec::new();
    for priority in [JobPriority::HIGH, JobPriority::NORMAL, JobPriority::LOW] {
        c.advance(SECOND * 10)?;
        there.push(moved(&job)?);
        job.set_priority(priority)?;
    }
    c.advance(SECOND * 10)?;
    there.push(moved(&job)?);
    c.is("policy.bandwidth_limits", there, vec![10_000, 110_000, 160_000, 170_000])
}

fn dynamic_content_comes_at_full_speed(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/made", Content::synthetic(100_000, 1).chunked().without_ranges());
    c.set_policies(all_day(80))?;
    let job = c.job_with(JobPropertyId::DYNAMIC_CONTENT)?;
    job.add_file(Some(&origin.url("/made")), Some(&c.local("made.bin")))?;
    let begun_at = c.now()?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, DAY)?;
    c.is("job5.dynamic_content.no_throttle", c.now()?.since(begun_at), Duration::ZERO)?;
    c.is("job5.dynamic_content.no_throttle", time_for(c, &origin, JobPriority::NORMAL, 100_000)?, SECOND * 10)
}

/// The last request, and the state the job has come to.
fn last_asked(origin: &Origin) -> Option<String> {
    asked(&origin.journal()).pop()
}

fn a_limit_of_zero_stops_a_transfer_that_later_goes_on_by_range(c: &mut Bench) -> Outcome {
    let origin = origin_of(c, 150_000)?;
    c.set_policies(|policies| {
        policies.max_internet_bandwidth =
            Some(InternetBandwidth { from: 1, to: 3, inside: Some(0), outside: Some(80) });
    })?;
    c.advance(SECOND * 3_590)?;
    let job = begin(c, &origin.url("/file"), JobPriority::NORMAL)?;
    c.advance(Duration::from_millis(9_999))?;
    let before = (job.state()?, moved(&job)?);
    c.advance(MINUTE * 30)?;
    let clauses = ["policy.max_bandwidth.zero", "lifecycle.edge.policy_zero"];
    c.is(clauses, (before, job.state()?), ((JobState::TRANSFERRING, 99_990), JobState::TRANSIENT_ERROR))?;
    c.returns(clauses, error_of(&job)?.1)?;
    c.advance(MINUTE * 91)?;
    c.is("http.resume_range", last_asked(&origin), Some("GET bytes=100000-149999".to_owned()))?;
    c.is("policy.max_bandwidth.zero", (job.state()?, moved(&job)?), (JobState::TRANSFERRED, 150_000))
}

fn a_lost_network_stops_a_transfer_that_later_goes_on_by_range(c: &mut Bench) -> Outcome {
    let origin = origin_of(c, 100_000)?;
    c.set_policies(all_day(80))?;
    let job = begin(c, &origin.url("/file"), JobPriority::NORMAL)?;
    let waiting = begin(c, &origin.url("/file"), JobPriority::LOW)?;
    c.advance(SECOND * 3)?;
    c.disconnect()?;
    c.advance(DAY)?;
    let states = vec![job.state()?, waiting.state()?];
    c.is(["net.lost", "lifecycle.edge.net_lost_transferring"], states, vec![JobState::TRANSIENT_ERROR; 2])?;
    c.returns("net.lost", error_of(&job)?.1)?;
    c.is(["net.no_forced_connection", "net.lost"], (moved(&job)?, asked(&origin.journal()).len()), (30_000, 2))?;
    c.connect()?;
    c.settle()?;
    let seen = c.states_of(&job)?;
    let after = seen.iter().rposition(|state| *state == JobState::TRANSIENT_ERROR).map(|at| seen[at + 1]);
    c.is(["net.back", "lifecycle.edge.net_back"], after, Some(JobState::QUEUED))?;
    c.is("http.resume_range", last_asked(&origin), Some("GET bytes=30000-99999".to_owned()))?;
    let back_at = c.now()?;
    c.wait(&job, JobState::TRANSFERRED, DAY)?;
    c.is("net.back", c.now()?.since(back_at), SECOND * 7)
}

fn a_network_that_is_lost_before_the_answer_is_asked_again(c: &mut Bench) -> Outcome {
    let origin = origin_of(c, 100_000)?;
    let gate = origin.gate_method("HEAD", "/file", GateAt::RequestSeen);
    let job = begin(c, &origin.url("/file"), JobPriority::NORMAL)?;
    let before = job.state()?;
    c.disconnect()?;
    c.settle()?;
    let clauses = ["net.lost", "lifecycle.edge.net_lost_connecting"];
    c.is(clauses, (before, job.state()?), (JobState::CONNECTING, JobState::TRANSIENT_ERROR))?;
    gate.open();
    c.connect()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let expected = ["HEAD -", "HEAD -", "GET bytes=0-99999"].map(str::to_owned).to_vec();
    c.is("net.back", asked(&origin.journal()), expected)
}

fn a_network_that_becomes_too_dear_stops_a_transfer_that_later_goes_on_by_range(c: &mut Bench) -> Outcome {
    let origin = origin_of(c, 100_000)?;
    c.set_policies(all_day(80))?;
    let job = begin(c, &origin.url("/file"), JobPriority::NORMAL)?;
    let flags = CostFlags::TRANSFER_NOT_ROAMING.bits();
    job.job5()?.set_property(JobPropertyId::COST_FLAGS, JobPropertyValue::Dword(flags))?;
    c.advance(SECOND * 4)?;
    c.set_cost(NetworkCost::Roaming)?;
    c.advance(DAY)?;
    c.is("cost.blocked", (job.state()?, moved(&job)?), (JobState::TRANSIENT_ERROR, 40_000))?;
    c.set_cost(NetworkCost::UsageBased)?;
    c.settle()?;
    c.is("cost.blocked", job.state()?, JobState::TRANSFERRING)?;
    c.is("http.resume_range", last_asked(&origin), Some("GET bytes=40000-99999".to_owned()))?;
    c.wait(&job, JobState::TRANSFERRED, DAY)?;
    c.is("cost.blocked", moved(&job)?, 100_000)
}

fn the_size_is_known_when_the_server_has_told_it(c: &mut Bench) -> Outcome {
    let origin = origin_of(c, 100_000)?;
    let gate = origin.gate_method("HEAD", "/file", GateAt::RequestSeen);
    let job = begin(c, &origin.url("/file"), JobPriority::NORMAL)?;
    let clauses = ["progress.bytes_total_unknown", "struct.job_progress.bytes_total_unknown"];
    c.value(clauses, job.progress()?.bytes_total)?;
    gate.open();
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("progress.bytes_total_unknown", job.progress()?.bytes_total, 100_000)
}
