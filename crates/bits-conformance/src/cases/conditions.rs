//! Power, games and locked volumes: what of the machine keeps jobs from transferring.

use bits_world::Profile;

use super::prelude::*;

cases![
    the_battery_saver_stops_background_jobs,
    a_game_stops_background_jobs,
    a_machine_in_standby_goes_on_when_it_is_plugged_in,
    a_locked_volume_stops_the_job_until_it_is_unlocked,
    a_job_may_wait_for_several_conditions,
    data_move_soon_after_the_network_is_back,
];

/// A background and a foreground job that are held in TRANSFERRING.
fn both(c: &Bench) -> Result<[Arc<dyn Job>; 2], Stop> {
    let (background, _) = c.job_in(JobState::TRANSFERRING)?;
    let foreground = c.new_job()?;
    foreground.set_priority(JobPriority::FOREGROUND)?;
    let file = c.serve("f.bin", 1_000)?;
    file.add_to(&foreground)?;
    c.hold_at(&file, 5)?;
    foreground.resume()?;
    c.settle()?;
    Ok([background, foreground])
}

fn states(jobs: &[Arc<dyn Job>; 2]) -> Result<(JobState, JobState), Stop> {
    Ok((jobs[0].state()?, jobs[1].state()?))
}

/// Claims that something stops the background job and not the other, and what happens at its end.
fn stops_the_background(c: &mut Bench, code: Hresult, set: impl Fn(&Bench, bool) -> Outcome) -> Outcome {
    let jobs = both(c)?;
    set(c, true)?;
    c.advance(DAY)?;
    c.is("lifecycle.transient_error.reasons", states(&jobs)?, (JobState::TRANSIENT_ERROR, JobState::TRANSFERRING))?;
    c.is("lifecycle.transient_error.reasons", error_of(&jobs[0])?.1, code)?;
    c.is("lifecycle.transient_error.reasons", (jobs[0].error_count()?, c.attempted()?.len()), (0, 2))?;
    set(c, false)?;
    c.settle()?;
    c.is("lifecycle.transient_error.reasons", states(&jobs)?, (JobState::TRANSFERRING, JobState::TRANSFERRING))
}

fn the_battery_saver_stops_background_jobs(c: &mut Bench) -> Outcome {
    stops_the_background(c, Hresult::BG_E_BLOCKED_BY_BATTERY_SAVER, |c, is_on| {
        c.set_power(|power| power.battery_saver = is_on)
    })
}

fn a_game_stops_background_jobs(c: &mut Bench) -> Outcome {
    stops_the_background(c, Hresult::BG_E_BLOCKED_BY_GAME_MODE, Bench::set_game_mode)
}

fn a_machine_in_standby_goes_on_when_it_is_plugged_in(c: &mut Bench) -> Outcome {
    let jobs = both(c)?;
    c.set_power(|power| power.standby = true)?;
    c.advance(MINUTE)?;
    c.is("net.standby", states(&jobs)?, (JobState::TRANSFERRING, JobState::TRANSFERRING))?;
    c.set_power(|power| power.plugged_in = false)?;
    c.advance(MINUTE)?;
    c.is("net.standby", states(&jobs)?, (JobState::TRANSIENT_ERROR, JobState::TRANSIENT_ERROR))?;
    c.is("net.standby", error_of(&jobs[0])?.1, Hresult::BG_E_BLOCKED_BY_BATTERY_POLICY)?;
    c.set_power(|power| power.standby = false)?;
    c.settle()?;
    c.is("net.standby", states(&jobs)?, (JobState::TRANSFERRING, JobState::TRANSFERRING))?;
    c.start_over();
    c.play(Profile::V10_2)?;
    let jobs = both(c)?;
    c.set_power(|power| power.standby = true)?;
    c.settle()?;
    c.is("net.standby", states(&jobs)?, (JobState::TRANSIENT_ERROR, JobState::TRANSIENT_ERROR))
}

fn a_locked_volume_stops_the_job_until_it_is_unlocked(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    c.set_locked(true)?;
    c.settle()?;
    c.let_go(&file)?;
    c.advance(DAY)?;
    c.returns("files.volume_locked", error_of(&job)?.1)?;
    let clauses = [
        "files.volume_locked",
        "retry.none_network",
        "job.set_minimum_retry_delay.no_retry_cases",
        "enum.job_state.transient_no_retry",
    ];
    c.is(clauses, (job.state()?, c.attempted()?.len()), (JobState::TRANSIENT_ERROR, 1))?;
    c.is("job.get_error_count.not_counted", job.error_count()?, 0)?;
    c.set_locked(false)?;
    c.settle()?;
    c.is(clauses, (job.state()?, c.attempted()?.len()), (JobState::TRANSFERRED, 2))
}

fn a_job_may_wait_for_several_conditions(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    c.disconnect()?;
    c.set_locked(true)?;
    c.settle()?;
    let first = error_of(&job)?.1;
    c.connect()?;
    c.settle()?;
    c.is(
        ["retry.none_network", "lifecycle.transient_error.reasons"],
        (job.state()?, first, error_of(&job)?.1),
        (JobState::TRANSIENT_ERROR, Hresult::BG_E_NETWORK_DISCONNECTED, Hresult::BG_E_DESTINATION_LOCKED),
    )
}

fn data_move_soon_after_the_network_is_back(c: &mut Bench) -> Outcome {
    c.disconnect()?;
    let (job, _) = c.job_with_file(1_000)?;
    job.resume()?;
    c.advance(DAY)?;
    let before = job.progress()?.bytes_transferred;
    c.connect()?;
    c.advance(SOON)?;
    c.is("net.back_delay", (before, job.progress()?.bytes_transferred), (0, 1_000))
}
