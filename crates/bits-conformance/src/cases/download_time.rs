//! How long a job may spend on its downloads.

use super::prelude::*;

cases![
    connecting_and_transferring_count_for_the_job_as_a_whole,
    waiting_does_not_count,
    rest_does_not_count,
    a_job_whose_time_is_over_has_failed_for_good,
    resume_begins_the_time_anew,
    ninety_days_are_the_default,
    the_time_goes_on_counting_over_a_restart,
    a_jobs_own_time_replaces_the_policys,
    a_time_that_is_lowered_below_what_has_passed_is_over_at_once,
    a_time_of_zero_is_over_when_the_job_begins,
    a_machine_that_sleeps_uses_the_time_up,
];

const LIMIT: Duration = Duration::from_mins(10);

/// A job that may spend ten minutes and is held in TRANSFERRING.
fn transferring(c: &Bench) -> Result<Arc<dyn Job>, Stop> {
    c.set_policies(|policies| policies.max_download_time = LIMIT)?;
    Ok(c.job_in(JobState::TRANSFERRING)?.0)
}

fn connecting_and_transferring_count_for_the_job_as_a_whole(c: &mut Bench) -> Outcome {
    c.set_policies(|policies| policies.max_download_time = LIMIT)?;
    let (job, first) = c.job_in(JobState::CONNECTING)?;
    let second = c.serve("second.bin", 100)?;
    second.add_to(&job)?;
    c.hold_at(&second, 10)?;
    c.advance(MINUTE * 4)?;
    let before = job.state()?;
    c.let_go(&first)?;
    c.advance(MINUTE * 5)?;
    c.is(
        ["job4.set_maximum_download_time.counted_states", "retry.max_download_counts_active"],
        (before, job.state()?),
        (JobState::CONNECTING, JobState::TRANSFERRING),
    )?;
    c.advance(MINUTE)?;
    c.is(
        [
            "job4.set_maximum_download_time.counted_states",
            "job4.set_maximum_download_time.whole_job",
            "job4.set_maximum_download_time.policy_default",
            "job4.set_maximum_download_time.expiry_state",
            "lifecycle.edge.max_download_time",
        ],
        job.state()?,
        JobState::ERROR,
    )
}

fn waiting_does_not_count(c: &mut Bench) -> Outcome {
    let job = transferring(c)?;
    c.advance(MINUTE * 4)?;
    c.block_background()?;
    c.set_policies(|policies| policies.max_download_time = DAY * 9)?;
    let queued = job.state()?;
    c.advance(DAY)?;
    let blocker = c.serve("blocker.bin", 1_000)?;
    c.let_go(&blocker)?;
    c.settle()?;
    c.set_policies(|policies| policies.max_download_time = LIMIT)?;
    c.disconnect()?;
    c.settle()?;
    let transient = job.state()?;
    c.advance(DAY)?;
    c.connect()?;
    c.advance(MINUTE * 5)?;
    let after = job.state()?;
    c.is(
        ["job4.set_maximum_download_time.uncounted_states", "retry.max_download_counts_active"],
        vec![queued, transient, after],
        vec![JobState::QUEUED, JobState::TRANSIENT_ERROR, JobState::TRANSFERRING],
    )?;
    c.advance(MINUTE * 2)?;
    c.is("job4.set_maximum_download_time.uncounted_states", job.state()?, JobState::ERROR)
}

fn rest_does_not_count(c: &mut Bench) -> Outcome {
    for state in [JobState::SUSPENDED, JobState::ERROR, JobState::TRANSFERRED] {
        c.start_over();
        c.set_policies(|policies| policies.max_download_time = LIMIT)?;
        let (job, _) = c.job_in(state)?;
        let error = error_of(&job).ok();
        c.advance(DAY)?;
        c.is("job4.set_maximum_download_time.uncounted_others", job.state()?, state)?;
        c.is("job4.set_maximum_download_time.uncounted_others", error_of(&job).ok(), error)?;
    }
    Ok(())
}

fn a_job_whose_time_is_over_has_failed_for_good(c: &mut Bench) -> Outcome {
    let job = transferring(c)?;
    c.advance(LIMIT)?;
    let code = error_of(&job)?.1;
    c.returns(["job4.set_maximum_download_time.expiry_code", "lifecycle.edge.max_download_time"], code)?;
    c.advance(DAY)?;
    c.is(
        "job4.set_maximum_download_time.expiry_not_transient",
        (job.state()?, c.attempted()?.len()),
        (JobState::ERROR, 1),
    )?;
    job.resume()?;
    c.settle()?;
    c.is("job4.set_maximum_download_time.expiry_not_transient", job.state()?, JobState::TRANSFERRING)
}

fn resume_begins_the_time_anew(c: &mut Bench) -> Outcome {
    let job = transferring(c)?;
    c.advance(MINUTE * 9)?;
    job.suspend()?;
    job.resume()?;
    c.advance(MINUTE * 9)?;
    let before = job.state()?;
    c.advance(MINUTE)?;
    c.is(
        "job4.set_maximum_download_time.resume_resets",
        (before, job.state()?),
        (JobState::TRANSFERRING, JobState::ERROR),
    )
}

fn ninety_days_are_the_default(c: &mut Bench) -> Outcome {
    c.set_policies(|policies| policies.job_inactivity_timeout = DAY * 1_000)?;
    let (job, _) = c.job_in(JobState::TRANSFERRING)?;
    let began_at = c.now()?;
    c.wait(&job, JobState::ERROR, DAY * 100)?;
    let lasted = c.now()?.since(began_at);
    c.value(["policy.max_download_time.default", "job4.set_maximum_download_time.default"], lasted)?;
    c.returns("lifecycle.edge.max_download_time", error_of(&job)?.1)
}

fn the_time_goes_on_counting_over_a_restart(c: &mut Bench) -> Outcome {
    let job = transferring(c)?;
    let id = job.id()?;
    c.advance(MINUTE * 6)?;
    c.block_background()?;
    c.restart_service()?;
    let blocker = c.serve("blocker.bin", 1_000)?;
    c.let_go(&blocker)?;
    let job = c.find(id)?;
    c.advance(MINUTE * 3)?;
    let before = job.state()?;
    c.advance(MINUTE * 2)?;
    c.is("job4.set_maximum_download_time.persist", (before, job.state()?), (JobState::TRANSFERRING, JobState::ERROR))
}

fn set_own(job: &Arc<dyn Job>, time: Duration) -> Outcome {
    job.job4()?.set_maximum_download_time(u32::try_from(time.as_secs()).unwrap_or(u32::MAX))?;
    Ok(())
}

fn a_jobs_own_time_replaces_the_policys(c: &mut Bench) -> Outcome {
    for own in [MINUTE * 4, MINUTE * 25] {
        c.start_over();
        let job = transferring(c)?;
        set_own(&job, own)?;
        c.advance(own.saturating_sub(MINUTE))?;
        let before = job.state()?;
        c.advance(MINUTE)?;
        c.is(
            ["job4.set_maximum_download_time.overrides_policy", "policy.max_download_time.override"],
            (before, job.state()?),
            (JobState::TRANSFERRING, JobState::ERROR),
        )?;
    }
    Ok(())
}

fn a_time_that_is_lowered_below_what_has_passed_is_over_at_once(c: &mut Bench) -> Outcome {
    let job = transferring(c)?;
    c.advance(MINUTE * 5)?;
    set_own(&job, MINUTE * 6)?;
    let before = job.state()?;
    set_own(&job, MINUTE * 3)?;
    let clause = "job4.set_maximum_download_time.lowered_below_elapsed";
    c.is(clause, (before, job.state()?), (JobState::TRANSFERRING, JobState::ERROR))?;
    c.returns(clause, error_of(&job)?.1)
}

fn a_time_of_zero_is_over_when_the_job_begins(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(1_000)?;
    set_own(&job, Duration::ZERO)?;
    let suspended = job.state()?;
    job.resume()?;
    c.settle()?;
    let clause = "job4.set_maximum_download_time.zero";
    c.is(clause, (suspended, job.state()?, c.attempted()?.len()), (JobState::SUSPENDED, JobState::ERROR, 0))?;
    c.returns(clause, error_of(&job)?.1)
}

fn a_machine_that_sleeps_uses_the_time_up(c: &mut Bench) -> Outcome {
    let job = transferring(c)?;
    c.sleep(LIMIT.saturating_sub(MINUTE))?;
    c.advance(Duration::from_secs(59))?;
    let before = job.state()?;
    c.advance(Duration::from_secs(1))?;
    let clause = "job4.set_maximum_download_time.sleep_counts";
    c.is(clause, (before, job.state()?), (JobState::TRANSFERRING, JobState::ERROR))?;
    c.start_over();
    let job = transferring(c)?;
    c.sleep(LIMIT)?;
    c.is(clause, (job.state()?, error_of(&job)?.1), (JobState::ERROR, Hresult::BG_E_MAXDOWNLOAD_TIMEOUT))
}
