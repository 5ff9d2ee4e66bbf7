//! Transient errors: how long they last, and when they become fatal.

use super::prelude::*;

cases![
    a_transient_error_is_retried_after_the_delay,
    the_delay_is_the_least_that_passes,
    the_default_delay_is_ten_minutes,
    a_changed_clock_does_not_touch_the_delay,
    resume_does_not_wait_for_the_delay,
    no_progress_for_the_whole_timeout_is_fatal,
    the_timeout_starts_with_the_first_transient_error,
    progress_resets_the_timeout,
    a_changed_clock_does_not_touch_the_timeout,
    a_changed_clock_counts_for_the_delay_after_a_restart,
    a_changed_clock_counts_for_the_timeout_after_a_restart,
    a_timeout_of_zero_makes_every_error_fatal,
    a_delay_above_the_timeout_makes_every_error_fatal,
    a_delay_equal_to_the_timeout_is_retried,
    a_timeout_set_in_transient_error_is_judged_at_once,
    the_policy_wins_over_a_longer_timeout,
    an_unavailable_server_is_a_transient_error,
    a_retry_before_bits_2_0_is_not_counted,
    without_a_gateway_a_job_is_retried,
    a_foreground_job_can_be_made_impatient,
];

/// A job whose server is not available for a long time, in TRANSIENT_ERROR.
fn unavailable(c: &Bench, set: impl FnOnce(&dyn Job) -> Result<Success, Hresult>) -> Result<Arc<dyn Job>, Stop> {
    let (job, file) = c.job_with_file(1_000)?;
    set(&*job)?;
    for _ in 0..10_000 {
        c.trouble(&file, Trouble::Unavailable)?;
    }
    job.resume()?;
    c.settle()?;
    Ok(job)
}

/// How long after each other the attempts at the job began.
fn pauses(c: &Bench, job: &Arc<dyn Job>) -> Result<Vec<Duration>, Stop> {
    let attempts = c.attempts_of(job)?;
    Ok(attempts.windows(2).map(|pair| pair[1].since(pair[0])).collect())
}

fn a_transient_error_is_retried_after_the_delay(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSIENT_ERROR)?;
    job.set_minimum_retry_delay(60)?;
    c.start_over();
    let (job, file) = c.job_with_file(1_000)?;
    job.set_minimum_retry_delay(60)?;
    c.trouble(&file, Trouble::Unavailable)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    let failed_at = c.now()?;
    c.wait(&job, JobState::TRANSFERRED, MINUTE * 2)?;
    let states = c.states_of(&job)?;
    let after = states.iter().position(|state| *state == JobState::TRANSIENT_ERROR).map(|at| states[at + 1]);
    c.is(["lifecycle.edge.transient_retry", "enum.job_state.transient_retry"], after, Some(JobState::QUEUED))?;
    c.is(
        ["lifecycle.transient_error.meaning", "enum.job_state.transient_retry"],
        c.attempts_of(&job)?[1].since(failed_at),
        MINUTE,
    )
}

fn the_delay_is_the_least_that_passes(c: &mut Bench) -> Outcome {
    let job = unavailable(c, |job| job.set_minimum_retry_delay(100))?;
    c.advance(Duration::from_secs(99))?;
    c.is(
        ["job.set_minimum_retry_delay.effect", "retry.delay.meaning"],
        (job.state()?, c.attempts_of(&job)?.len()),
        (JobState::TRANSIENT_ERROR, 1),
    )?;
    c.advance(Duration::from_secs(1_000))?;
    let shortest = pauses(c, &job)?.into_iter().min().unwrap_or_default();
    c.holds(
        ["job.set_minimum_retry_delay.effect", "retry.delay.meaning"],
        "there are retries, and none comes before its delay",
        shortest >= Duration::from_secs(100),
    )
}

fn the_default_delay_is_ten_minutes(c: &mut Bench) -> Outcome {
    let job = unavailable(c, |_| Ok(Success::OK))?;
    c.advance(MINUTE * 21)?;
    let delay = pauses(c, &job)?.into_iter().min().unwrap_or_default();
    c.value(["retry.delay.default", "job.set_minimum_retry_delay.default"], delay)
}

fn a_changed_clock_does_not_touch_the_delay(c: &mut Bench) -> Outcome {
    for jump in [DAY, Duration::ZERO] {
        c.start_over();
        let job = unavailable(c, |job| job.set_minimum_retry_delay(600))?;
        let base = FileTime::from_unix_seconds(1_000_000_000);
        let wall = if jump.is_zero() { base } else { c.now()?.plus(jump) };
        c.set_wall_clock(wall)?;
        c.advance(MINUTE * 9)?;
        let before = c.attempts_of(&job)?.len();
        c.advance(MINUTE * 2)?;
        c.is(["job.set_minimum_retry_delay.clock", "retry.delay.clock"], (before, c.attempts_of(&job)?.len()), (1, 2))?;
    }
    Ok(())
}

fn resume_does_not_wait_for_the_delay(c: &mut Bench) -> Outcome {
    let job = unavailable(c, |_| Ok(Success::OK))?;
    let failed_at = c.now()?;
    job.resume()?;
    c.settle()?;
    let attempts = c.attempts_of(&job)?;
    c.is(
        ["job.set_minimum_retry_delay.resume_overrides", "retry.delay.resume_overrides"],
        (attempts.len(), attempts[1]),
        (2, failed_at),
    )
}

fn no_progress_for_the_whole_timeout_is_fatal(c: &mut Bench) -> Outcome {
    let job = unavailable(c, |job| job.set_no_progress_timeout(3_600))?;
    c.advance(Duration::from_secs(3_599))?;
    let before = job.state()?;
    c.advance(Duration::from_secs(2))?;
    c.is(
        [
            "job.set_no_progress_timeout.expiry",
            "retry.timeout.expire",
            "lifecycle.edge.transient_timeout",
            "enum.job_state.transient_to_error",
        ],
        (before, job.state()?),
        (JobState::TRANSIENT_ERROR, JobState::ERROR),
    )
}

fn the_timeout_starts_with_the_first_transient_error(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    job.set_no_progress_timeout(3_600)?;
    c.hold_connecting(&file)?;
    job.resume()?;
    c.advance(DAY)?;
    c.trouble(&file, Trouble::Unavailable)?;
    for _ in 0..100 {
        c.trouble(&file, Trouble::Unavailable)?;
    }
    c.let_go(&file)?;
    c.settle()?;
    c.advance(MINUTE * 59)?;
    let before = job.state()?;
    c.advance(MINUTE)?;
    c.is(
        ["job.set_no_progress_timeout.start", "retry.timeout.start"],
        (before, job.state()?),
        (JobState::TRANSIENT_ERROR, JobState::ERROR),
    )
}

fn progress_resets_the_timeout(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    job.set_no_progress_timeout(1_000)?;
    // Every attempt moves a little and breaks: never a thousand seconds without progress.
    for at in 1..=5 {
        c.trouble(&file, Trouble::Breaks(100 * at))?;
    }
    job.resume()?;
    c.advance(DAY)?;
    let lasted = c.attempts_of(&job)?;
    let lasted = lasted[lasted.len() - 1].since(lasted[0]);
    c.holds("retry.timeout.reset", "the errors lasted longer than the timeout", lasted > Duration::from_secs(1_000))?;
    c.is(["job.set_no_progress_timeout.reset", "retry.timeout.reset"], job.state()?, JobState::TRANSFERRED)
}

fn a_changed_clock_does_not_touch_the_timeout(c: &mut Bench) -> Outcome {
    let job = unavailable(c, |job| job.set_no_progress_timeout(3_600))?;
    c.set_wall_clock(c.now()?.plus(DAY * 30))?;
    c.advance(MINUTE * 59)?;
    let before = job.state()?;
    c.set_wall_clock(FileTime::from_unix_seconds(1_000_000_000))?;
    c.advance(MINUTE * 2)?;
    c.is(
        ["job.set_no_progress_timeout.clock", "retry.timeout.clock"],
        (before, job.state()?),
        (JobState::TRANSIENT_ERROR, JobState::ERROR),
    )
}

fn a_changed_clock_counts_for_the_delay_after_a_restart(c: &mut Bench) -> Outcome {
    // Of a delay of ten minutes two have passed; a minute is taken away by the clock, or added.
    for (forward, left) in [(true, MINUTE * 7), (false, MINUTE * 9)] {
        c.start_over();
        let job = unavailable(c, |job| job.set_minimum_retry_delay(600))?;
        let id = job.id()?;
        let failed_at = c.now()?;
        c.advance(MINUTE * 2)?;
        c.set_wall_clock(failed_at.plus(if forward { MINUTE * 3 } else { MINUTE }))?;
        c.restart_service()?;
        let job = c.find(id)?;
        c.advance(left.saturating_sub(Duration::from_secs(1)))?;
        let before = c.attempts_of(&job)?.len();
        c.advance(Duration::from_secs(1))?;
        let attempts = c.attempts_of(&job)?;
        c.is(
            ["job.set_minimum_retry_delay.clock", "retry.delay.clock"],
            (before, attempts.last().map(|last| last.since(failed_at))),
            (attempts.len() - 1, Some(MINUTE * 10)),
        )?;
    }
    Ok(())
}

fn a_changed_clock_counts_for_the_timeout_after_a_restart(c: &mut Bench) -> Outcome {
    let job = unavailable(c, |job| job.set_no_progress_timeout(3_600))?;
    let id = job.id()?;
    c.advance(MINUTE * 2)?;
    c.set_wall_clock(c.now()?.plus(MINUTE * 40))?;
    c.restart_service()?;
    let job = c.find(id)?;
    c.advance(Duration::from_secs(18 * 60 - 1))?;
    let before = job.state()?;
    c.advance(Duration::from_secs(1))?;
    c.is(
        ["job.set_no_progress_timeout.clock", "retry.timeout.clock"],
        (before, job.state()?),
        (JobState::TRANSIENT_ERROR, JobState::ERROR),
    )
}

fn a_timeout_of_zero_makes_every_error_fatal(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    job.set_no_progress_timeout(0)?;
    c.trouble(&file, Trouble::Unavailable)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, Duration::ZERO)?;
    c.advance(DAY)?;
    c.is(
        ["job.set_no_progress_timeout.zero", "retry.timeout.zero"],
        (job.state()?, c.attempted()?.len()),
        (JobState::ERROR, 1),
    )
}

fn a_delay_above_the_timeout_makes_every_error_fatal(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    job.set_no_progress_timeout(60)?;
    job.set_minimum_retry_delay(61)?;
    c.trouble(&file, Trouble::Unavailable)?;
    job.resume()?;
    c.settle()?;
    c.advance(DAY)?;
    c.is(
        ["job.set_minimum_retry_delay.over_timeout", "retry.delay.above_timeout"],
        (job.state()?, c.attempted()?.len()),
        (JobState::ERROR, 1),
    )
}

fn a_delay_equal_to_the_timeout_is_retried(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    job.set_no_progress_timeout(60)?;
    job.set_minimum_retry_delay(60)?;
    c.trouble(&file, Trouble::Unavailable)?;
    job.resume()?;
    c.settle()?;
    c.is("enum.job_state.connect_fail", job.state()?, JobState::TRANSIENT_ERROR)
}

fn a_timeout_set_in_transient_error_is_judged_at_once(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let job = unavailable(c, |job| job.set_notify_interface(Some(recorder.object())))?;
    c.is("callback.job_error.not_transient", recorder.methods().len(), 0)?;
    job.set_no_progress_timeout(0)?;
    c.settle()?;
    c.is(
        ["job.set_no_progress_timeout.expiry_notify", "retry.timeout.notify"],
        (job.state()?, recorder.count("JobError")),
        (JobState::ERROR, 1),
    )
}

fn the_policy_wins_over_a_longer_timeout(c: &mut Bench) -> Outcome {
    c.set_policies(|policies| policies.job_inactivity_timeout = DAY * 2)?;
    c.disconnect()?;
    let (job, _) = c.job_with_file(1_000)?;
    job.set_no_progress_timeout(4 * 86_400)?;
    job.resume()?;
    c.advance(DAY * 3)?;
    c.is(
        ["job.set_no_progress_timeout.over_inactivity", "retry.timeout.vs_inactivity"],
        job.state()?,
        JobState::CANCELLED,
    )
}

fn an_unavailable_server_is_a_transient_error(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSIENT_ERROR)?;
    c.advance(MINUTE * 9)?;
    let before = job.state()?;
    c.advance(MINUTE)?;
    c.is(
        ["retry.transient.example", "lifecycle.transient_error.meaning"],
        (before, job.state()?),
        (JobState::TRANSIENT_ERROR, JobState::TRANSFERRED),
    )
}

fn a_retry_before_bits_2_0_is_not_counted(c: &mut Bench) -> Outcome {
    c.play(bits_world::Profile::V1_5)?;
    let job = unavailable(c, |_| Ok(Success::OK))?;
    c.advance(MINUTE * 35)?;
    c.is("job.get_error_count.retry_old", (c.attempts_of(&job)?.len(), job.error_count()?), (4, 1))
}

fn a_foreground_job_can_be_made_impatient(c: &mut Bench) -> Outcome {
    let job = unavailable(c, |job| {
        job.set_priority(JobPriority::FOREGROUND)?;
        job.set_minimum_retry_delay(60)?;
        job.set_no_progress_timeout(150)
    })?;
    c.advance(Duration::from_secs(30))?;
    job.resume()?;
    c.settle()?;
    c.is("retry.foreground_advice", pauses(c, &job)?, vec![Duration::from_secs(30)])?;
    c.advance(MINUTE)?;
    let pause = pauses(c, &job)?[1];
    c.value("retry.foreground_advice", pause)?;
    c.wait(&job, JobState::ERROR, MINUTE * 2)?;
    c.is("retry.foreground_advice", error_of(&job)?.1, Hresult::BG_E_HTTP_ERROR_503)
}

fn without_a_gateway_a_job_is_retried(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(1_000)?;
    c.lose_gateway()?;
    job.resume()?;
    c.settle()?;
    let (_, code) = error_of(&job)?;
    c.returns("failure.no_default_gateway", code)?;
    c.value("failure.no_default_gateway", code)?;
    let state = job.state()?;
    c.connect()?;
    c.wait(&job, JobState::TRANSFERRED, MINUTE * 11)?;
    c.is("failure.no_default_gateway", (state, c.attempts_of(&job)?.len()), (JobState::TRANSIENT_ERROR, 1))
}
