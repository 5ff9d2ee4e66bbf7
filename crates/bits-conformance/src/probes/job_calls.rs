//! What calls on a job answer, and where they lead it.

use super::prelude::*;

probes! {
    "job.add_file.final_state" => |b| {
        let (job, file) = b.job_in(JobState::CANCELLED)?;
        seen(job.add_file(Some(&file.url), Some(&file.local)))
    },
    "job.after_final" => getters_after_the_end,
    "job.suspend.idempotent" => |b| seen(b.new_job()?.suspend()),
    "job.suspend.auto" => at_rest,
    "job.suspend.from_transferred" => suspend_at_rest,
    "job.resume.active_noop" => resume_in_action,
    "job.resume.from_transferred_no_files" => resume_with_nothing_left,
    "job.complete.none_transferred" => complete_too_early,
    "errors.geterror_states" => errors_of_good_jobs,
    "job.get_error_count.initial" => |b| seen(b.new_job()?.error_count()),
    "job.set_display_name.too_long" => |b| seen(b.new_job()?.set_display_name(Some(&"n".repeat(257)))),
    "job.set_notify_flags.zero" => no_notify_flags,
    "job.set_notify_flags.default" => |b| seen(b.new_job()?.notify_flags()),
    "job.set_notify_interface.bad_object" => an_object_without_callbacks,
    "job.set_minimum_retry_delay.max" => the_longest_delay,
    "job.times.unset_completion" => completion_time,
    "job.times.getters" => times_around_getters,
    "job.progress.empty_job" => |b| seen(b.new_job()?.progress()),
    "job.progress.files_transferred" => |b| seen(b.job_in(JobState::TRANSFERRED)?.0.progress()),
}

fn getters_after_the_end(b: &mut Bench) -> Answer {
    let mut told = Seen::new();
    for (name, state) in [("Complete", JobState::ACKNOWLEDGED), ("Cancel", JobState::CANCELLED)] {
        let (job, _) = b.job_in(state)?;
        let file = files(&job).ok().and_then(|files| files.into_iter().next());
        told = told
            .and(&format!("after {name}: GetState"), job.state())
            .and("GetDisplayName", code(job.display_name()))
            .and("GetType", code(job.job_type()))
            .and("GetPriority", code(job.priority()))
            .and("GetProgress", job.progress())
            .and("GetTimes", code(job.times()))
            .and("EnumFiles", job.enum_files())
            .and("GetRemoteName", file.map(|file| code(file.remote_name())));
    }
    Ok(told)
}

fn at_rest(b: &mut Bench) -> Answer {
    Ok(Seen::new()
        .and("a failed job", b.job_in(JobState::ERROR)?.0.state())
        .and("a finished job", b.job_in(JobState::TRANSFERRED)?.0.state()))
}

fn suspend_at_rest(b: &mut Bench) -> Answer {
    let mut told = Seen::new();
    for state in [JobState::TRANSFERRED, JobState::ERROR] {
        let (job, _) = b.job_in(state)?;
        told = told.and(&format!("Suspend in {state}"), job.suspend()).and("then", job.state());
        told = told.and("Resume", job.resume()).and("it rests in", b.rest(&job)?);
    }
    Ok(told)
}

fn resume_in_action(b: &mut Bench) -> Answer {
    let (job, _) = b.job_in(JobState::TRANSFERRING)?;
    Ok(Seen::new().and("Resume", job.resume()).and("then", job.state()))
}

fn resume_with_nothing_left(b: &mut Bench) -> Answer {
    let job = b.new_job()?;
    let file = b.serve("a.bin", 1_000)?;
    file.add_to(&job)?;
    let recorder = Recorder::new();
    job.set_notify_interface(Some(recorder.object()))?;
    b.bring(&job, &file, JobState::TRANSFERRED)?;
    b.until(|| recorder.count("JobTransferred") > 0, SOON)?;
    let resumed = job.resume();
    let told = Seen::new().and("Resume", resumed).and("it rests in", b.rest(&job)?);
    Ok(told.and("calls of JobTransferred", recorder.count("JobTransferred")))
}

fn complete_too_early(b: &mut Bench) -> Answer {
    let empty = b.new_job()?;
    let (unstarted, _) = b.job_with_file(1_000)?;
    Ok(Seen::new()
        .and("Complete without files", empty.complete())
        .and("then", empty.state())
        .and("with a file that never started", unstarted.complete())
        .and("then", unstarted.state()))
}

fn errors_of_good_jobs(b: &mut Bench) -> Answer {
    let mut told = Seen::new();
    for state in [
        JobState::SUSPENDED,
        JobState::QUEUED,
        JobState::TRANSFERRING,
        JobState::TRANSIENT_ERROR,
        JobState::ERROR,
        JobState::TRANSFERRED,
        JobState::CANCELLED,
    ] {
        b.start_over();
        let (job, _) = b.job_in(state)?;
        told = told.and(&state.to_string(), error_of(&job));
    }
    Ok(told)
}

fn no_notify_flags(b: &mut Bench) -> Answer {
    let job = b.new_job()?;
    let set = job.set_notify_flags(NotifyFlags::empty());
    Ok(Seen::new().and("SetNotifyFlags(0)", set).and("then GetNotifyFlags", job.notify_flags()))
}

fn an_object_without_callbacks(b: &mut Bench) -> Answer {
    seen(b.new_job()?.set_notify_interface(Some(Arc::new(Mute))))
}

/// An object that has IUnknown only.
#[derive(Debug)]
struct Mute;

impl bits_api::Unknown for Mute {}

fn the_longest_delay(b: &mut Bench) -> Answer {
    let job = b.new_job()?;
    let set = job.set_minimum_retry_delay(u32::MAX);
    Ok(Seen::new().and("SetMinimumRetryDelay(0xFFFFFFFF)", set).and("then", job.minimum_retry_delay()))
}

fn completion_time(b: &mut Bench) -> Answer {
    let new = b.new_job()?.times().map(|times| times.transfer_completion);
    let (left, _) = b.job_in(JobState::TRANSFERRED)?;
    let finished = left.times().map(|times| times.transfer_completion);
    let more = b.serve("more.bin", 1_000)?;
    more.add_to(&left)?;
    b.hold_at(&more, 400)?;
    left.resume()?;
    b.wait(&left, JobState::TRANSFERRING, SOON)?;
    let again = left.times().map(|times| times.transfer_completion);
    Ok(Seen::new().and("a new job", new).and("TRANSFERRED", finished).and("TRANSFERRING again", again))
}

fn times_around_getters(b: &mut Bench) -> Answer {
    let (job, _) = b.job_with_file(1_000)?;
    let before = job.times()?;
    let read = [
        code(job.display_name()),
        code(job.description()),
        code(job.priority()),
        code(job.state()),
        code(job.progress()),
        code(job.notify_flags()),
        code(job.owner()),
    ];
    let is_same = job.times()? == before;
    let what = Words(if is_same { "the same times" } else { "other times" });
    Ok(Seen::new().and("getters", read.to_vec()).and("GetTimes before and after", what))
}
