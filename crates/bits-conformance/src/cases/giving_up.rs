//! Cancelled uploads whose server does not answer.

use super::prelude::*;

cases![
    a_silent_server_is_told_for_a_day_that_the_upload_is_cancelled,
    a_shorter_no_progress_timeout_bounds_that_day,
    that_day_goes_on_over_a_restart,
    a_server_that_is_back_is_told_once_more,
];

const HOUR: Duration = Duration::from_hours(1);

/// More often than a server is told in days.
const FOR_EVER: usize = 1_000;

/// A job that was cancelled in the middle of an upload whose server then went silent, with the
/// number of attempts so far.
fn cancelled(c: &Bench, silent_for: usize, timeout: Option<Duration>) -> Result<(Arc<dyn Job>, usize), Stop> {
    let (job, file) = c.upload_in(JobType::UPLOAD, JobState::TRANSFERRING)?;
    if let Some(timeout) = timeout {
        job.set_no_progress_timeout(u32::try_from(timeout.as_secs()).unwrap_or(u32::MAX))?;
    }
    for _ in 0..silent_for {
        c.trouble(&file, Trouble::Unavailable)?;
    }
    let before = c.attempted()?.len();
    job.cancel()?;
    c.settle()?;
    Ok((job, before))
}

/// How often the server was told since, and how often it is told in the week that follows.
fn told(c: &Bench, before: usize) -> Result<(usize, usize), Stop> {
    let so_far = c.attempted()?.len();
    c.advance(DAY * 7)?;
    Ok((so_far - before, c.attempted()?.len() - so_far))
}

fn a_silent_server_is_told_for_a_day_that_the_upload_is_cancelled(c: &mut Bench) -> Outcome {
    let (job, before) = cancelled(c, FOR_EVER, None)?;
    let state = job.state()?;
    let found = (c.queue()?.enum_jobs(EnumJobsFlags::empty())?.count()?, c.find(job.id()?).is_ok());
    c.is("lifecycle.final.not_enumerated", found, (0, false))?;
    let times = c.attempts_of(&job)?.len();
    c.advance(DAY.saturating_sub(Duration::from_secs(1)))?;
    let (last_hour, later) = told(c, before)?;
    c.is("job.cancel.upload_server_down", (state, last_hour, later), (JobState::CANCELLED, 24 * 6, 0))?;
    // From the first time to the last one, and the delay after that.
    let attempts = c.attempts_of(&job)?;
    let lasted = attempts[attempts.len() - 1].since(attempts[times - 1]) + MINUTE * 10;
    c.value("job.cancel.upload_server_down", lasted)?;
    c.is("job.cancel.upload_server_down", c.on_server()?, ("unfinished", 400))
}

fn a_shorter_no_progress_timeout_bounds_that_day(c: &mut Bench) -> Outcome {
    for (timeout, expected) in [(HOUR * 3, 18), (HOUR * 48, 24 * 6)] {
        c.start_over();
        let (_, before) = cancelled(c, FOR_EVER, Some(timeout))?;
        c.advance(DAY * 3)?;
        c.is(
            ["job.cancel.upload_server_down_npt", "job.set_no_progress_timeout.cancel_upload"],
            told(c, before)?,
            (expected, 0),
        )?;
    }
    Ok(())
}

fn that_day_goes_on_over_a_restart(c: &mut Bench) -> Outcome {
    let (_, before) = cancelled(c, FOR_EVER, None)?;
    c.advance(HOUR * 20)?;
    c.restart_service()?;
    c.settle()?;
    let at_restart = c.attempted()?.len();
    c.advance(DAY)?;
    let in_the_rest = c.attempted()?.len() - at_restart;
    c.is("job.cancel.upload_server_down", (at_restart - before, in_the_rest), (20 * 6 + 2, 4 * 6 - 1))
}

fn a_server_that_is_back_is_told_once_more(c: &mut Bench) -> Outcome {
    let (_, before) = cancelled(c, 3, None)?;
    let silent = c.on_server()?;
    c.advance(HOUR)?;
    c.is("job.cancel.upload_server_down", (silent, c.on_server()?), (("unfinished", 400), ("discarded", 0)))?;
    c.is("job.cancel.upload_server_down", told(c, before)?, (4, 0))
}
