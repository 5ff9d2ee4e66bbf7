//! The event log of Windows: Microsoft-Windows-Bits-Client.

use bits_service::{CommandOutcome, JobEnd, LogEvent};
use bits_world::{Profile, Sid};

use super::prelude::*;

cases![
    making_resuming_and_suspending_a_job_are_events,
    completing_and_cancelling_a_job_are_events,
    transfers_that_start_and_stop_are_events,
    programs_that_fail_are_events,
    what_the_scheduler_does_is_no_event,
    older_bits_have_no_events,
];

/// The numbers of the events after the first `after`.
fn ids(c: &Bench, after: usize) -> Result<Vec<u16>, Stop> {
    Ok(c.events()?.iter().skip(after).map(LogEvent::id).collect())
}

/// The only event with that number.
fn only(c: &Bench, id: u16) -> Result<LogEvent, Stop> {
    match c.events()?.into_iter().filter(|event| event.id() == id).collect::<Vec<_>>().as_slice() {
        [event] => Ok(event.clone()),
        events => failed(format!("not one event {id}: {events:?}")),
    }
}

/// Claims the number of an event, and that it carries what the page says.
fn told(c: &mut Bench, clause: &'static str, event: &LogEvent, expected: &LogEvent) -> Outcome {
    c.value(clause, u32::from(event.id()))?;
    c.holds(clause, &format!("the event is {expected:?}, not {event:?}"), event == expected)
}

fn making_resuming_and_suspending_a_job_are_events(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    let (id, name, owner) = (job.id()?, job_name().to_owned(), Sid::new(job.owner()?));
    told(c, "event.job_created", &only(c, 3)?, &LogEvent::JobCreated { name: name.clone(), owner })?;
    c.hold_connecting(&file)?;
    job.resume()?;
    told(c, "event.job_resumed", &only(c, 1)?, &LogEvent::JobResumed { name: name.clone(), job: id })?;
    c.settle()?;
    job.suspend()?;
    told(c, "event.job_suspended", &only(c, 2)?, &LogEvent::JobSuspended { name, job: id })
}

fn completing_and_cancelling_a_job_are_events(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    let (id, owner) = (job.id()?, Sid::new(job.owner()?));
    let end = |user: &Sid, id| JobEnd {
        user: user.clone(),
        name: job_name().into(),
        job: id,
        owner: owner.clone(),
        files: 1,
    };
    job.complete()?;
    told(c, "event.job_completed", &only(c, 4)?, &LogEvent::JobCompleted(end(&owner, id)))?;
    let (job, _) = c.job_with_file(10)?;
    let id = job.id()?;
    let admin = c.administrator()?;
    let root = Sid::new(new_job(&admin)?.owner()?);
    admin.job(id)?.cancel()?;
    told(c, "event.job_cancelled", &only(c, 5)?, &LogEvent::JobCancelled(end(&root, id)))
}

fn transfers_that_start_and_stop_are_events(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    let (name, url) = (job_name().to_owned(), file.url.clone());
    c.trouble(&file, Trouble::NotFound)?;
    job.resume()?;
    c.settle()?;
    let started = LogEvent::TransferStarted { name: name.clone(), url: url.clone() };
    told(c, "event.transfer_started", &only(c, 59)?, &started)?;
    let status = Hresult::BG_E_HTTP_ERROR_404;
    let failed = LogEvent::TransferStopped { name: name.clone(), url: url.clone(), status };
    told(c, "event.transfer_stopped_error", &only(c, 61)?, &failed)?;
    job.resume()?;
    c.settle()?;
    let done = LogEvent::TransferStopped { name, url, status: Hresult::S_OK };
    told(c, "event.transfer_stopped_ok", &only(c, 60)?, &done)?;
    c.is(
        ["event.transfer_started", "event.transfer_stopped_error", "event.transfer_stopped_ok"],
        ids(c, 0)?,
        vec![3, 1, 59, 61, 1, 59, 60],
    )
}

fn programs_that_fail_are_events(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(1_000)?;
    let program = r"C:\told.exe".to_owned();
    job.job2()?.set_notify_cmd_line(Some(&program), None)?;
    c.programs()?.next([CommandOutcome::Exited(7), CommandOutcome::NotStarted(Hresult::E_ACCESSDENIED)]);
    let (id, owner) = (job.id()?, Sid::new(job.owner()?));
    job.resume()?;
    c.settle()?;
    let exited = LogEvent::CommandFailed { job: id, owner: owner.clone(), program: program.clone(), error: 7 };
    told(c, "event.command_failed", &only(c, 63)?, &exited)?;
    c.advance(MINUTE * 10)?;
    let error = Hresult::E_ACCESSDENIED;
    let not_started = LogEvent::CommandNotLaunched { job: id, owner, program, error };
    told(c, "event.command_not_launched", &only(c, 64)?, &not_started)?;
    c.advance(DAY)?;
    c.is(["event.command_failed", "event.command_not_launched"], ids(c, 0)?, vec![3, 1, 59, 60, 63, 64])?;
    c.is(["event.command_failed", "event.command_not_launched"], c.programs()?.runs().len(), 3)
}

fn what_the_scheduler_does_is_no_event(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    c.trouble(&file, Trouble::Unavailable)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    let before = c.events()?.len();
    c.disconnect()?;
    c.settle()?;
    c.connect()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(["event.job_resumed", "event.job_suspended"], ids(c, before)?, vec![59, 60])
}

fn older_bits_have_no_events(c: &mut Bench) -> Outcome {
    c.play(Profile::V2_5)?;
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    job.complete()?;
    c.is(["event.job_created", "event.job_completed", "event.transfer_started"], ids(c, 0)?, vec![])?;
    c.start_over();
    c.play(Profile::V3_0)?;
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    job.complete()?;
    c.is(["event.job_created", "event.job_completed", "event.transfer_started"], ids(c, 0)?, vec![3, 1, 59, 60, 4])
}
