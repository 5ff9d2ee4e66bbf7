//! What transfers come to: turns, retries, errors, costs, restarts.

use std::sync::mpsc::{Sender, TryRecvError, channel};
use std::thread;
use std::time::Duration;

use bits_api::{CostFlags, JobPriority, JobPropertyId, JobPropertyValue};
use bits_origin::{Content, Fault};

use super::prelude::*;
use crate::bench::{Remote, Trouble};
use crate::provider::Capability;

probes! {
    "manager.create_job.limit_precedence" => |b| {
        b.needs(Capability::StandardUser)?;
        b.set_policies(|policies| {
            policies.max_jobs_per_user = 1;
            policies.max_jobs_per_machine = 1;
        })?;
        b.new_job()?;
        seen(b.manager()?.create_job(Some(job_name()), JobType::DOWNLOAD))
    },
    "job.interface.not_owner" => |b| {
        let job = b.new_job()?;
        let other = b.other_token()?;
        let _impersonation = b.impersonate(&other)?;
        Ok(Seen::new().and("GetState on behalf of another user", job.state()))
    },
    "job.interface.setters_nonfinal" => setters_in_three_states,
    "job.get_error.available_until_transferring" => an_error_after_resume,
    "job.get_error_count.not_counted" => |b| {
        Ok(Seen::new()
            .and("after a file that is not there", b.job_in(JobState::ERROR)?.0.error_count())
            .and("after a server that is busy", b.job_in(JobState::TRANSIENT_ERROR)?.0.error_count()))
    },
    "job.set_notify_flags.persist" => |b| {
        let job = b.new_job()?;
        job.set_notify_flags(NotifyFlags::JOB_ERROR)?;
        let id = job.id()?;
        b.restart_service()?;
        seen(b.find(id)?.notify_flags())
    },
    "sched.preempt" => who_goes_on_after_a_higher_job,
    "enum.job_priority.starve" => below_a_higher_job_that_fails,
    "retry.delay_against_timeout" => delays_against_timeouts,
    "retry.timeout_error" => an_error_after_the_timeout,
    "retry.timeout_set_while_transient" => a_timeout_set_too_late,
    "retry.quick_attempts" => attempts_before_giving_up,
    "job5.cost_flags.blocked" => on_a_network_that_is_not_allowed,
    "job5.cost_state.old_systems" => |b| seen(b.new_job()?.job5()),
    "lifecycle.edge.connecting_error" => a_file_that_is_not_there,
    "job.complete.while_ending" => what_others_see_while_complete_works,
}

fn setters_in_three_states(b: &mut Bench) -> Answer {
    let mut told = Seen::new();
    for state in [JobState::TRANSFERRING, JobState::ERROR, JobState::TRANSFERRED] {
        b.start_over();
        let (job, _) = b.job_in(state)?;
        let codes = [
            code(job.set_display_name(Some(job_name()))),
            code(job.set_description(Some("what for"))),
            code(job.set_notify_flags(NotifyFlags::JOB_ERROR)),
            code(job.set_minimum_retry_delay(60)),
            code(job.set_no_progress_timeout(600)),
            code(job.set_priority(JobPriority::HIGH)),
            code(job.set_notify_interface(None)),
        ];
        let all_ok = codes.iter().all(|code| *code == Hresult::S_OK);
        told = told.and(&state.to_string(), if all_ok { vec![Hresult::S_OK] } else { codes.to_vec() });
    }
    Ok(told)
}

fn an_error_after_resume(b: &mut Bench) -> Answer {
    let (job, file) = b.job_in(JobState::ERROR)?;
    b.hold_connecting(&file)?;
    job.resume()?;
    b.wait(&job, JobState::CONNECTING, SOON)?;
    let told = Seen::new().and("CONNECTING", error_of(&job));
    job.suspend()?;
    let told = told.and("SUSPENDED", error_of(&job));
    b.let_go(&file)?;
    job.resume()?;
    b.wait(&job, JobState::TRANSFERRED, SOON)?;
    Ok(told.and("TRANSFERRED", error_of(&job)))
}

/// A job of that priority for a file that its server holds in the middle.
fn long_job(b: &Bench, name: &str, priority: JobPriority) -> Result<(Arc<dyn Job>, Remote), Stop> {
    let job = b.new_job()?;
    job.set_priority(priority)?;
    let file = b.serve(name, 1_000)?;
    file.add_to(&job)?;
    b.hold_at(&file, 400)?;
    Ok((job, file))
}

fn is_at_work(job: &Arc<dyn Job>) -> bool {
    job.state().is_ok_and(|state| [JobState::CONNECTING, JobState::TRANSFERRING].contains(&state))
}

fn who_goes_on_after_a_higher_job(b: &mut Bench) -> Answer {
    let (first, _) = long_job(b, "first.bin", JobPriority::NORMAL)?;
    let (second, _) = long_job(b, "second.bin", JobPriority::NORMAL)?;
    let (high, _) = long_job(b, "high.bin", JobPriority::HIGH)?;
    first.resume()?;
    b.wait(&first, JobState::TRANSFERRING, SOON)?;
    second.resume()?;
    high.resume()?;
    b.wait(&high, JobState::TRANSFERRING, SOON)?;
    let told = Seen::new().and("meanwhile", first.state()).and("the other one", second.state());
    high.cancel()?;
    b.until(|| is_at_work(&first) || is_at_work(&second), SOON)?;
    let next = Words(match (is_at_work(&first), is_at_work(&second)) {
        (true, false) => "the one that was preempted",
        (false, true) => "the other one",
        (true, true) => "both",
        (false, false) => "neither",
    });
    Ok(told.and("afterwards there works", next))
}

fn below_a_higher_job_that_fails(b: &mut Bench) -> Answer {
    let (high, file) = long_job(b, "high.bin", JobPriority::HIGH)?;
    b.trouble(&file, Trouble::Unavailable)?;
    high.resume()?;
    b.wait(&high, JobState::TRANSIENT_ERROR, SOON)?;
    let (normal, _) = b.job_with_file(1_000)?;
    normal.resume()?;
    let rested = b.rest(&normal)?;
    Ok(Seen::new().and("the HIGH job", high.state()).and("the NORMAL job rests in", rested))
}

/// A job whose server is busy at the first attempt, and stays so.
fn unavailable(b: &Bench, name: &str, delay: u32, timeout: u32) -> Result<Arc<dyn Job>, Stop> {
    let job = b.new_job()?;
    job.set_minimum_retry_delay(delay)?;
    job.set_no_progress_timeout(timeout)?;
    let file = b.serve(name, 1_000)?;
    file.add_to(&job)?;
    for _ in 0..100 {
        b.trouble(&file, Trouble::Unavailable)?;
    }
    Ok(job)
}

fn delays_against_timeouts(b: &mut Bench) -> Answer {
    let mut told = Seen::new();
    for (delay, timeout) in [(60, 0), (60, 59), (60, 60), (60, 61)] {
        let job = unavailable(b, &format!("{timeout}.bin"), delay, timeout)?;
        job.resume()?;
        told = told.and(&format!("delay {delay}, timeout {timeout}"), b.rest(&job)?);
        job.cancel()?;
    }
    Ok(told)
}

fn an_error_after_the_timeout(b: &mut Bench) -> Answer {
    let job = unavailable(b, "a.bin", 5, 6)?;
    job.resume()?;
    b.until(|| job.state() == Ok(JobState::ERROR), SOON)?;
    Ok(Seen::new().and("GetState", job.state()).and("GetError", error_of(&job)))
}

fn a_timeout_set_too_late(b: &mut Bench) -> Answer {
    let job = unavailable(b, "a.bin", 600, 1_209_600)?;
    let recorder = Recorder::new();
    job.set_notify_interface(Some(recorder.object()))?;
    job.resume()?;
    b.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    let set = job.set_no_progress_timeout(0);
    b.until(|| recorder.count("JobError") > 0, Duration::from_secs(5))?;
    let told = Seen::new().and("SetNoProgressTimeout(0)", set).and("then", job.state());
    Ok(told.and("calls of JobError", recorder.count("JobError")))
}

fn attempts_before_giving_up(b: &mut Bench) -> Answer {
    let origin = b.origin()?;
    origin.put("/file", Content::synthetic(1_000, 1));
    for method in ["HEAD", "GET"] {
        b.fault(method, "/file", Fault::Reset(None))?;
    }
    let job = b.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    job.resume()?;
    let state = b.rest(&job)?;
    Ok(Seen::new().and("the job rests in", state).and("requests until then", origin.journal().len()))
}

/// Allowed on networks of roaming only, which a machine is hardly on.
fn on_a_network_that_is_not_allowed(b: &mut Bench) -> Answer {
    let (job, _) = b.job_with_file(1_000)?;
    let flags = JobPropertyValue::Dword(CostFlags::ROAMING.bits());
    let told = Seen::new().and("SetProperty", job.job5()?.set_property(JobPropertyId::COST_FLAGS, flags));
    job.resume()?;
    let told = told.and("the job rests in", b.rest(&job)?).and("GetError", error_of(&job));
    Ok(told.and("GetErrorCount", job.error_count()))
}

fn a_file_that_is_not_there(b: &mut Bench) -> Answer {
    let (job, file) = b.job_with_file(1_000)?;
    b.trouble(&file, Trouble::NotFound)?;
    b.hold_connecting(&file)?;
    job.resume()?;
    b.wait(&job, JobState::CONNECTING, SOON)?;
    b.let_go(&file)?;
    Ok(Seen::new().and("after CONNECTING the job rests in", b.rest(&job)?))
}

/// So many files as a job may have: their names take Complete a while.
const MANY: usize = 200;

fn what_others_see_while_complete_works(b: &mut Bench) -> Answer {
    let job = b.new_job()?;
    for number in 0..MANY {
        b.serve(&format!("{number}.bin"), 100)?.add_to(&job)?;
    }
    job.resume()?;
    b.wait(&job, JobState::TRANSFERRED, SOON)?;
    let (looks, looked) = channel();
    let (ends, ended) = channel();
    let (completed, states) = thread::scope(|scope| {
        let (job, looks) = (&job, looks);
        let other = scope.spawn(move || {
            let mut states = vec![job.state()];
            _ = looks.send(());
            loop {
                // The last look is after the end.
                let is_over = ended.try_recv() == Err(TryRecvError::Disconnected);
                states.push(job.state());
                states.dedup();
                if is_over {
                    return states;
                }
            }
        });
        _ = looked.recv();
        let completed = job.complete();
        drop::<Sender<()>>(ends);
        (completed, other.join())
    });
    let Ok(states) = states else { return failed("the thread that looks has ended") };
    Ok(Seen::new().and("Complete", completed).and("GetState of another thread, in turn", states))
}
