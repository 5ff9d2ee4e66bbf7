//! Background jobs use what others leave of the network.
//!
//! What Windows measures is told by the world of the emulator: how fast an interface is, and who
//! uses it.

use bits_world::{Gateway, InternetBandwidth, Profile, Uplink};

use super::prelude::*;

cases![
    background_jobs_follow_what_others_use,
    a_network_that_nobody_else_uses_is_used_up,
    a_busy_network_still_moves_a_little,
    background_jobs_yield_to_foreground_ones,
    a_policy_counts_when_it_is_lower,
    the_counters_of_a_gateway_are_better_than_those_of_an_interface,
    without_useful_counters_the_interface_is_measured,
];

/// 800 kbit/s: 100,000 bytes a second.
const SPEED: u32 = 800;

/// A job of that priority that transfers a file of so many bytes.
fn transferring(c: &Bench, priority: JobPriority, bytes: u64) -> Result<Arc<dyn Job>, Stop> {
    let job = c.new_job()?;
    job.set_priority(priority)?;
    c.serve("file.bin", bytes)?.add_to(&job)?;
    job.resume()?;
    c.settle()?;
    Ok(job)
}

/// How many bytes move in the next seconds, one after the other.
fn moved_in(c: &Bench, job: &Arc<dyn Job>, seconds: u32) -> Result<u64, Stop> {
    let before = job.progress()?.bytes_transferred;
    c.advance(SECOND * seconds)?;
    Ok(job.progress()?.bytes_transferred - before)
}

/// How many bytes a background job moves in a second over this interface.
fn moved_over(c: &mut Bench, profile: Profile, uplink: Uplink) -> Result<u64, Stop> {
    c.start_over();
    c.play(profile)?;
    c.set_uplink(uplink)?;
    let job = transferring(c, JobPriority::NORMAL, 10_000_000)?;
    moved_in(c, &job, 1)
}

fn background_jobs_follow_what_others_use(c: &mut Bench) -> Outcome {
    c.set_uplink(Uplink::of(SPEED))?;
    let job = transferring(c, JobPriority::NORMAL, 10_000_000)?;
    let mut moved = Vec::new();
    for used in [0, 400, 720, 80] {
        c.set_uplink(Uplink { used, ..Uplink::of(SPEED) })?;
        moved.push(moved_in(c, &job, 1)?);
    }
    c.is("net.idle_only", moved, vec![100_000, 50_000, 10_000, 90_000])
}

fn a_network_that_nobody_else_uses_is_used_up(c: &mut Bench) -> Outcome {
    let alone = moved_over(c, Profile::default(), Uplink::of(SPEED))?;
    c.is("net.nic_alone", alone, 100_000)
}

fn a_busy_network_still_moves_a_little(c: &mut Bench) -> Outcome {
    for used in [SPEED, 2 * SPEED] {
        let moved = moved_over(c, Profile::default(), Uplink { used, ..Uplink::of(SPEED) })?;
        c.is("net.minimum_trickle", moved, 250)?;
    }
    Ok(())
}

fn background_jobs_yield_to_foreground_ones(c: &mut Bench) -> Outcome {
    c.set_uplink(Uplink::of(SPEED))?;
    let background = transferring(c, JobPriority::HIGH, 10_000_000)?;
    let alone = moved_in(c, &background, 1)?;
    let foreground = c.new_job()?;
    foreground.set_priority(JobPriority::FOREGROUND)?;
    let file = c.serve("foreground.bin", 1_000)?;
    file.add_to(&foreground)?;
    c.hold_at(&file, 999)?;
    foreground.resume()?;
    c.settle()?;
    let (at_once, beside_it) = (foreground.progress()?.bytes_transferred, moved_in(c, &background, 1)?);
    c.let_go(&file)?;
    c.wait(&foreground, JobState::TRANSFERRED, SOON)?;
    let after = moved_in(c, &background, 1)?;
    c.is("net.idle_only", (alone, beside_it, after), (100_000, 250, 100_000))?;
    c.is("sched.priority.foreground", at_once, 999)
}

fn a_policy_counts_when_it_is_lower(c: &mut Bench) -> Outcome {
    c.set_uplink(behind_gateway(200))?;
    let job = transferring(c, JobPriority::NORMAL, 10_000_000)?;
    let mut moved = Vec::new();
    for kilobits in [80, 8_000] {
        c.set_policies(|policies| policies.max_internet_bandwidth = Some(InternetBandwidth::all_day(kilobits)))?;
        moved.push(moved_in(c, &job, 1)?);
    }
    c.is("net.client_side_only", moved, vec![10_000, 100_000])
}

/// A gateway with a way to the Internet that is slower than the interface, and another user.
fn behind_gateway(ticks: u32) -> Uplink {
    Uplink { gateway: Some(Gateway { speed: 160, used: 80, ticks }), ..Uplink::of(SPEED) }
}

fn the_counters_of_a_gateway_are_better_than_those_of_an_interface(c: &mut Bench) -> Outcome {
    let moved =
        [moved_over(c, Profile::V2_0, behind_gateway(199))?, moved_over(c, Profile::V2_5, behind_gateway(199))?];
    c.is("net.igd.use", moved.to_vec(), vec![100_000, 10_000])
}

fn without_useful_counters_the_interface_is_measured(c: &mut Bench) -> Outcome {
    let none = moved_over(c, Profile::default(), Uplink { gateway: None, ..behind_gateway(0) })?;
    let late = moved_over(c, Profile::default(), behind_gateway(200))?;
    let in_time = moved_over(c, Profile::default(), behind_gateway(199))?;
    c.is("net.igd.use", (none, late, in_time), (100_000, 100_000, 10_000))
}
