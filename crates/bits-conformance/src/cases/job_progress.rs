//! Progress, times and the other things that are read from a job.

use bits_api::FileProgress;

use super::prelude::*;

cases![
    the_size_is_unknown_until_the_server_has_answered,
    progress_counts_bytes_and_files,
    a_job_of_several_files_adds_them_up,
    one_unknown_size_makes_the_sum_unknown,
    an_empty_job_has_no_bytes,
    a_job_has_three_times,
    every_change_renews_the_modification_time,
    reading_leaves_the_modification_time_alone,
    moved_bytes_renew_the_modification_time,
    the_completion_time_is_that_of_transferred,
    a_file_has_all_its_methods,
    the_state_can_be_polled,
    a_job_that_nobody_registered_for_has_to_be_polled,
    the_type_never_changes,
];

fn the_size_is_unknown_until_the_server_has_answered(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    let of_file = first_file(&job)?;
    let initial = FileProgress { bytes_total: SIZE_UNKNOWN, bytes_transferred: 0, completed: false };
    c.is("file.progress.initial", of_file.progress()?, initial)?;
    c.hold_connecting(&file)?;
    job.resume()?;
    c.wait(&job, JobState::CONNECTING, SOON)?;
    c.value("struct.file_progress.bytes_total_unknown", of_file.progress()?.bytes_total)?;
    c.value(["struct.job_progress.bytes_total_unknown", "progress.bytes_total_unknown"], job.progress()?.bytes_total)?;
    c.hold_at(&file, 1)?;
    job.suspend()?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.is("struct.file_progress.bytes_total", of_file.progress()?.bytes_total, 1_000)?;
    c.is("struct.job_progress.bytes_total", job.progress()?.bytes_total, 1_000)
}

fn progress_counts_bytes_and_files(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    c.value(["enum.job_state.transferring", "lifecycle.enum.transferring"], job.state()?)?;
    c.settle()?;
    let of_file = first_file(&job)?;
    c.returns("file.get_progress.ok", of_file.progress())?;
    c.is(
        ["file.get_progress.ok", "file.get_progress.params", "struct.file_progress.bytes_transferred"],
        (of_file.progress()?.bytes_transferred, of_file.progress()?.completed),
        (400, false),
    )?;
    c.returns("job.get_progress.ok", job.progress())?;
    let half = JobProgress { bytes_total: 1_000, bytes_transferred: 400, files_total: 1, files_transferred: 0 };
    c.is(["job.get_progress.ok", "job.get_progress.params", "struct.job_progress.layout"], job.progress()?, half)?;
    c.is(
        ["struct.job_progress.bytes_transferred", "lifecycle.transferring.meaning"],
        job.progress()?.bytes_transferred,
        400,
    )?;
    c.let_go(&file)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let done = FileProgress { bytes_total: 1_000, bytes_transferred: 1_000, completed: false };
    c.is("struct.file_progress.layout", of_file.progress()?, done)?;
    c.is(
        "struct.file_progress.transferred_test",
        of_file.progress()?.bytes_transferred,
        of_file.progress()?.bytes_total,
    )?;
    c.is("struct.job_progress.files_transferred", job.progress()?.files_transferred, 1)
}

fn a_job_of_several_files_adds_them_up(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let (first, second) = (c.serve("1.bin", 100)?, c.serve("2.bin", 200)?);
    first.add_to(&job)?;
    second.add_to(&job)?;
    c.is("struct.job_progress.files_total", job.progress()?.files_total, 2)?;
    c.hold_at(&second, 50)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    let halfway = JobProgress { bytes_total: 300, bytes_transferred: 150, files_total: 2, files_transferred: 1 };
    c.is(
        [
            "struct.job_progress.bytes_total",
            "struct.job_progress.bytes_transferred",
            "struct.job_progress.files_total",
            "struct.job_progress.files_transferred",
        ],
        job.progress()?,
        halfway,
    )
}

fn one_unknown_size_makes_the_sum_unknown(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    let more = c.serve("more.bin", 10)?;
    more.add_to(&job)?;
    c.value("struct.job_progress.bytes_total_unknown", job.progress()?.bytes_total)?;
    c.is("job.get_progress.division", job.progress()?.bytes_total, SIZE_UNKNOWN)
}

fn an_empty_job_has_no_bytes(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    c.is(["job.get_progress.division", "progress.bytes_total_zero"], job.progress()?.bytes_total, 0)?;
    let empty = c.serve("empty.bin", 0)?;
    empty.add_to(&job)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("progress.bytes_total_zero", job.progress()?.bytes_total, 0)
}

fn a_job_has_three_times(c: &mut Bench) -> Outcome {
    let made_at = c.now()?;
    let (job, _) = c.job_with_file(10)?;
    c.advance(MINUTE)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let done_at = c.now()?;
    c.advance(MINUTE)?;
    job.set_description(Some("later"))?;
    let changed_at = c.now()?;
    c.returns("job.get_times.ok", job.times())?;
    let times = job.times()?;
    c.is(
        ["job.get_times.ok", "job.get_times.params", "struct.job_times.layout"],
        vec![times.creation, times.modification, times.transfer_completion],
        vec![made_at, changed_at, done_at],
    )?;
    c.is("struct.job_times.creation", times.creation, made_at)?;
    c.is("struct.job_times.completion", times.transfer_completion, done_at)
}

/// Whether `change` renews the modification time.
fn renews(c: &Bench, job: &Arc<dyn Job>, change: impl FnOnce() -> Result<(), Stop>) -> Result<bool, Stop> {
    c.advance(MINUTE)?;
    let before = job.times()?.modification;
    change()?;
    Ok(job.times()?.modification == c.now()? && before != c.now()?)
}

type Setter = fn(&dyn Job) -> Result<Success, Hresult>;

fn every_change_renews_the_modification_time(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let file = c.serve("a.bin", 10)?;
    let added = renews(c, &job, || file.add_to(&job))?;
    c.is(["struct.job_times.modification_set", "job.add_file.modification_event"], added, true)?;
    let info = FileInfo { remote_name: "http://files.example/x", local_name: &c.local("x.bin") };
    let set_added = renews(c, &job, || Ok(job.add_file_set(&[info]).map(|_| ())?))?;
    c.is(["struct.job_times.modification_set", "job.add_file_set.modification_event"], set_added, true)?;
    let setters: [Setter; 7] = [
        |job| job.set_display_name(Some("n")),
        |job| job.set_description(Some("d")),
        |job| job.set_priority(JobPriority::HIGH),
        |job| job.set_notify_flags(NotifyFlags::JOB_ERROR),
        |job| job.set_minimum_retry_delay(9),
        |job| job.set_no_progress_timeout(90),
        |job| job.set_notify_interface(None),
    ];
    for set in setters {
        let renewed = renews(c, &job, || Ok(set(&*job).map(|_| ())?))?;
        c.is("struct.job_times.modification_set", renewed, true)?;
    }
    c.hold_connecting(&file)?;
    let resumed = renews(c, &job, || Ok(job.resume().map(|_| ())?))?;
    c.is(["struct.job_times.modification_state", "job.resume.modification"], resumed, true)?;
    let suspended = renews(c, &job, || Ok(job.suspend().map(|_| ())?))?;
    c.is(["struct.job_times.modification_state", "job.suspend.modification"], suspended, true)?;
    let cancelled = renews(c, &job, || Ok(job.cancel().map(|_| ())?))?;
    c.is(["struct.job_times.modification_state", "job.cancel.modification"], cancelled, true)?;
    c.start_over();
    let (done, _) = c.job_in(JobState::TRANSFERRED)?;
    let completed = renews(c, &done, || Ok(done.complete().map(|_| ())?))?;
    c.is(["struct.job_times.modification_state", "job.complete.modification"], completed, true)
}

fn reading_leaves_the_modification_time_alone(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(10)?;
    let before = job.times()?.modification;
    c.advance(MINUTE)?;
    job.state()?;
    job.progress()?;
    job.display_name()?;
    job.priority()?;
    job.error_count()?;
    job.notify_interface()?;
    first_file(&job)?.progress()?;
    c.manager()?.job(job.id()?)?.times()?;
    c.is("struct.job_times.modification_getters", job.times()?.modification, before)
}

fn moved_bytes_renew_the_modification_time(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    c.advance(MINUTE)?;
    let more = c.serve("more.bin", 10)?;
    more.add_to(&job)?;
    c.hold_at(&more, 5)?;
    c.advance(MINUTE)?;
    let before = job.times()?.modification;
    c.let_go(&file)?;
    c.settle()?;
    c.holds("struct.job_times.modification_bytes", "some minutes have passed", before != c.now()?)?;
    c.is(
        "struct.job_times.modification_bytes",
        (job.state()?, job.times()?.modification),
        (JobState::TRANSFERRING, c.now()?),
    )
}

fn the_completion_time_is_that_of_transferred(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    c.advance(MINUTE)?;
    c.is("struct.job_times.completion_before", job.times()?.transfer_completion, FileTime::ZERO)?;
    c.let_go(&file)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let done_at = c.now()?;
    c.advance(DAY)?;
    job.complete()?;
    c.is("struct.job_times.completion", job.times()?.transfer_completion, done_at)
}

fn a_file_has_all_its_methods(c: &mut Bench) -> Outcome {
    let (job, served) = c.job_in(JobState::TRANSFERRED)?;
    let file = first_file(&job)?;
    let names = vec![file.remote_name()?, file.local_name()?];
    c.is("file.interface.methods", (names, file.progress()?.bytes_total), (vec![served.url, served.local], 1_000))
}

fn the_state_can_be_polled(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(10)?;
    let mut seen = vec![job.state()?];
    c.hold_connecting(&file)?;
    job.resume()?;
    c.settle()?;
    seen.push(job.state()?);
    c.value(["enum.job_state.connecting", "lifecycle.enum.connecting"], job.state()?)?;
    c.let_go(&file)?;
    c.settle()?;
    seen.push(job.state()?);
    c.returns("job.get_state.ok", job.state())?;
    c.is(
        ["job.get_state.ok", "job.get_state.params"],
        seen,
        vec![JobState::SUSPENDED, JobState::CONNECTING, JobState::TRANSFERRED],
    )?;
    c.value("job.transferred.by-polling", job.state()?)
}

fn a_job_that_nobody_registered_for_has_to_be_polled(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let watched = c.new_job()?;
    watched.set_notify_flags(NotifyFlags::from_bits_retain(0xb))?;
    watched.set_notify_interface(Some(recorder.object()))?;
    let (job, file) = c.job_with_file(10)?;
    job.set_notify_flags(NotifyFlags::from_bits_retain(0xb))?;
    c.settle()?;
    let told = recorder.methods().len();
    let mut seen = vec![job.state()?];
    c.trouble(&file, Trouble::NotFound)?;
    for state in [JobState::ERROR, JobState::TRANSFERRED] {
        job.resume()?;
        c.wait(&job, state, SOON)?;
        c.settle()?;
        seen.push(job.state()?);
    }
    c.is(
        ["job.get_state.polling", "notify.default_poll"],
        (seen, recorder.methods().len()),
        (vec![JobState::SUSPENDED, JobState::ERROR, JobState::TRANSFERRED], told),
    )
}

fn the_type_never_changes(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    c.returns("job.get_type.ok", job.job_type())?;
    job.complete()?;
    c.is(["job.get_type.ok", "job.get_type.params"], job.job_type()?, JobType::DOWNLOAD)
}
