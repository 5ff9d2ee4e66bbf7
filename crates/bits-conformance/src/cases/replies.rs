//! The reply of an upload-reply job: its progress, its data, its file and that file's name.

use std::sync::Mutex;

use bits_api::{Job2, ReplyDataError};

use super::prelude::*;

cases![
    a_reply_is_asked_for_by_the_type_of_the_job,
    the_reply_is_fetched_from_where_the_server_says,
    a_reply_job_is_transferred_once_the_reply_is_there,
    progress_of_a_reply_is_unknown_before_it_begins,
    progress_of_a_reply_is_in_bytes,
    progress_of_the_job_is_that_of_the_upload,
    replies_are_for_reply_jobs_only,
    progress_and_name_can_be_read_in_any_state,
    reply_data_is_a_copy_of_the_whole_reply,
    no_reply_is_no_data_and_an_empty_file,
    reply_data_has_a_limit,
    reply_data_is_there_in_transferred_and_after,
    the_reply_file_appears_with_complete,
    complete_releases_the_job_with_its_reply,
    reply_data_can_be_had_in_job_transferred,
    job_transferred_comes_after_the_reply,
    a_program_completes_the_job_for_its_reply,
    cancel_leaves_no_reply,
    a_reply_has_no_name_before_the_job_has_a_file,
    a_reply_name_is_made_beside_the_uploaded_file,
    a_reply_name_can_be_set_and_dropped,
    a_reply_name_is_a_full_path_of_260_characters,
    reply_names_that_break_a_rule_are_refused,
    a_reply_name_needs_a_folder_that_takes_files,
    a_reply_name_can_be_set_until_the_reply_begins,
];

const REPLY: &[u8] = b"<receipt/>";

/// The limit of GetReplyData in bytes.
const LIMIT: usize = 1_048_576;

/// A job, as a client of BITS 1.5 and as one of 1.0 has it.
type Both = (Arc<dyn Job2>, Arc<dyn Job>);

/// A job of 1,000 bytes that is answered with these.
fn replied(c: &Bench, reply: &[u8]) -> Result<Both, Stop> {
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&file, reply)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    Ok((job.job2()?, job))
}

/// An upload-reply job in that state.
fn reply_job_in(c: &Bench, state: JobState) -> Result<Arc<dyn Job2>, Stop> {
    Ok(c.upload_in(JobType::UPLOAD_REPLY, state)?.0.job2()?)
}

fn a_reply_is_asked_for_by_the_type_of_the_job(c: &mut Bench) -> Outcome {
    let mut fetched = Vec::new();
    for job_type in [JobType::UPLOAD, JobType::UPLOAD_REPLY] {
        c.start_over();
        let (job, file) = c.upload_job(job_type, 10)?;
        c.reply_with(&file, REPLY)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        fetched.push(c.attempted()?.len() - 1);
    }
    c.is("job2.reply.type", fetched, vec![0, 1])
}

fn the_reply_is_fetched_from_where_the_server_says(c: &mut Bench) -> Outcome {
    let (_, job) = replied(c, REPLY)?;
    let uploaded_to = first_file(&job)?.remote_name()?;
    let reply_url = format!("{uploaded_to}.reply");
    c.is(["job2.reply.url", "reply.auto_download"], c.attempted()?, vec![uploaded_to, reply_url])
}

fn a_reply_job_is_transferred_once_the_reply_is_there(c: &mut Bench) -> Outcome {
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&file, REPLY)?;
    let reply = file.reply();
    c.hold_at(&reply, 9)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    let before = (job.state()?, c.on_server()?.0, job.job2()?.reply_data().is_ok());
    c.let_go(&reply)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        [
            "lifecycle.edge.reply_done",
            "enum.job_state.upload_reply_transferred",
            "job2.reply.available_when",
            "reply.available",
        ],
        (before, job.job2()?.reply_data().is_ok()),
        ((JobState::TRANSFERRING, "stored", false), true),
    )
}

fn progress_of_a_reply_is_unknown_before_it_begins(c: &mut Bench) -> Outcome {
    for state in [JobState::SUSPENDED, JobState::TRANSFERRING] {
        c.start_over();
        let progress = reply_job_in(c, state)?.reply_progress();
        c.returns("job2.get_reply_progress.ok", progress)?;
        let progress = progress?;
        c.value("job2.reply_progress.bytes_total_unknown", progress.bytes_total)?;
        c.is("progress.reply.not_begun", (progress.bytes_total, progress.bytes_transferred), (SIZE_UNKNOWN, 0))?;
    }
    Ok(())
}

fn progress_of_a_reply_is_in_bytes(c: &mut Bench) -> Outcome {
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&file, &[7; 200])?;
    let reply = file.reply();
    c.hold_at(&reply, 50)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    let job2 = job.job2()?;
    let half_way = job2.reply_progress()?;
    c.is("job2.reply_progress.bytes_total", half_way.bytes_total, 200)?;
    c.is("job2.reply_progress.bytes_transferred", half_way.bytes_transferred, 50)?;
    c.is("job2.get_reply_progress.percent", half_way.bytes_transferred * 100 / half_way.bytes_total, 25)?;
    c.let_go(&reply)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let whole = job2.reply_progress()?;
    c.is("job2.get_reply_progress.percent", whole.bytes_transferred * 100 / whole.bytes_total, 100)
}

fn progress_of_the_job_is_that_of_the_upload(c: &mut Bench) -> Outcome {
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&file, REPLY)?;
    let whole = |files_transferred| JobProgress {
        bytes_total: 1_000,
        bytes_transferred: 1_000,
        files_total: 1,
        files_transferred,
    };
    let reply = file.reply();
    c.hold_at(&reply, 5)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    let clauses = ["progress.upload_means_upload", "struct.job_progress.upload_reply"];
    c.is(clauses, job.progress()?, whole(1))?;
    c.let_go(&reply)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(clauses, job.progress()?, whole(1))
}

fn replies_are_for_reply_jobs_only(c: &mut Bench) -> Outcome {
    for job_type in [JobType::DOWNLOAD, JobType::UPLOAD] {
        let job = c.new_job_of(job_type)?.job2()?;
        c.returns(["job2.get_reply_progress.not_implemented", "progress.reply.not_reply_job"], job.reply_progress())?;
        c.returns("job2.get_reply_data.not_implemented", job.reply_data())?;
        c.returns("job2.get_reply_file_name.not_implemented", job.reply_file_name())?;
        c.returns("job2.set_reply_file_name.type", job.set_reply_file_name(Some(&c.local("reply.xml"))))?;
    }
    Ok(())
}

fn progress_and_name_can_be_read_in_any_state(c: &mut Bench) -> Outcome {
    for state in LIVING.into_iter().chain(FINAL) {
        c.start_over();
        let job = reply_job_in(c, state)?;
        c.returns("job2.get_reply_progress.states", job.reply_progress())?;
        c.returns("job2.get_reply_file_name.states", job.reply_file_name())?;
    }
    Ok(())
}

fn reply_data_is_a_copy_of_the_whole_reply(c: &mut Bench) -> Outcome {
    let (job, _) = replied(c, REPLY)?;
    let data = job.reply_data();
    c.returns("job2.get_reply_data.ok", &data)?;
    let text = |data: Option<Vec<u8>>| String::from_utf8(data.unwrap_or_default()).unwrap_or_default();
    c.is(["job2.get_reply_data.ok", "job2.get_reply_data.buffer"], text(data?), text(Some(REPLY.to_vec())))
}

fn no_reply_is_no_data_and_an_empty_file(c: &mut Bench) -> Outcome {
    let (job, _) = c.upload_in(JobType::UPLOAD_REPLY, JobState::TRANSFERRED)?;
    let job = job.job2()?;
    let data = job.reply_data();
    c.returns(["job2.get_reply_data.no_reply", "reply.data_null"], &data)?;
    c.is(["job2.get_reply_data.no_reply", "reply.data_null"], data?.is_some(), false)?;
    let name = base_name(&job.reply_file_name()?.value.unwrap_or_default());
    let before = c.local_length(&name)?;
    job.complete()?;
    c.is(
        ["job2.get_reply_file_name.empty_file", "job2.set_reply_file_name.empty_file"],
        (before, c.local_length(&name)?),
        (None, Some(0)),
    )
}

fn reply_data_has_a_limit(c: &mut Bench) -> Outcome {
    let (job, _) = replied(c, &vec![1; LIMIT])?;
    let most = job.reply_data()?.map(|data| data.len()).unwrap_or_default();
    c.value(["job2.get_reply_data.limit", "limit.reply_in_memory"], most)?;
    c.start_over();
    let (job, _) = replied(c, &vec![1; LIMIT + 1])?;
    let refused = job.reply_data();
    c.returns(["job2.get_reply_data.too_large", "limit.reply_in_memory"], &refused)?;
    let too_large = ReplyDataError { code: Hresult::BG_E_TOO_LARGE, length: LIMIT as u64 + 1 };
    c.holds("job2.get_reply_data.too_large", "the length comes with the code", refused == Err(too_large))?;
    c.is("job2.get_reply_data.limit", refused.is_ok(), false)?;
    let name = job.reply_file_name()?.value.unwrap_or_default();
    job.complete()?;
    c.is("job2.get_reply_data.too_large_way_out", c.local_length(&base_name(&name))?, Some(LIMIT as u64 + 1))
}

fn reply_data_is_there_in_transferred_and_after(c: &mut Bench) -> Outcome {
    for state in LIVING.into_iter().chain([JobState::CANCELLED]).filter(|state| *state != JobState::TRANSFERRED) {
        c.start_over();
        c.returns("job2.get_reply_data.invalid_state", reply_job_in(c, state)?.reply_data())?;
    }
    c.start_over();
    let (job, _) = replied(c, REPLY)?;
    let before = job.reply_data()?;
    job.complete()?;
    let after = job.reply_data();
    let same = before.as_deref() == Some(REPLY) && after? == before;
    c.is(
        ["reply.data_when", "job2.get_reply_data.after_complete"],
        (same, job.state()?),
        (true, JobState::ACKNOWLEDGED),
    )
}

fn the_reply_file_appears_with_complete(c: &mut Bench) -> Outcome {
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&file, REPLY)?;
    let job2 = job.job2()?;
    job2.set_reply_file_name(Some(&c.local("reply.xml")))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let (name, data) = (job2.reply_file_name().is_ok(), job2.reply_data().is_ok());
    c.is(
        [
            "job2.get_reply_data.before_complete_file_hidden",
            "job2.get_reply_file_name.open_after_complete",
            "reply.file_when",
        ],
        (name && data, c.local_length("reply.xml")?),
        (true, None),
    )?;
    job.complete()?;
    c.is(
        [
            "job.complete.upload_reply",
            "job2.set_reply_file_name.available",
            "job2.get_reply_file_name.open_after_complete",
            "reply.file_when",
        ],
        c.local_files()?,
        vec![("reply.xml".to_owned(), REPLY.len() as u64), ("up.bin".to_owned(), 1_000)],
    )
}

fn complete_releases_the_job_with_its_reply(c: &mut Bench) -> Outcome {
    let (job2, job) = replied(c, REPLY)?;
    let id = job.id()?;
    let before = c.manager()?.job(id).is_ok();
    job.complete()?;
    let after = c.manager()?.job(id).err();
    c.is("job2.reply.complete_removes_job", (before, after), (true, Some(Hresult::BG_E_NOT_FOUND)))?;
    let kept = job2.reply_file_name()?.value.is_some() && job.progress()?.files_transferred == 1;
    c.holds("job2.reply.complete_removes_job", "a kept pointer still tells of the job", kept)
}

fn reply_data_can_be_had_in_job_transferred(c: &mut Bench) -> Outcome {
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&file, REPLY)?;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let inside = Arc::clone(&seen);
    let recorder = Recorder::acting(move |job| {
        let job2 = job.job2()?;
        let data = job2.reply_data().map_err(|error| error.code)?;
        let text = String::from_utf8(data.unwrap_or_default()).unwrap_or_default();
        let named = job2.reply_file_name()?.value.is_some();
        inside.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((text, named));
        Ok(Success::OK)
    });
    job.set_notify_interface(Some(recorder.object()))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.settle()?;
    let seen = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    c.is(
        ["job2.get_reply_data.in_callback", "callback.job_transferred.reply_data"],
        seen,
        vec![("<receipt/>".to_owned(), true)],
    )
}

fn job_transferred_comes_after_the_reply(c: &mut Bench) -> Outcome {
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&file, REPLY)?;
    let reply = file.reply();
    c.hold_at(&reply, 9)?;
    let recorder = Recorder::new();
    job.set_notify_interface(Some(recorder.object()))?;
    job.resume()?;
    c.settle()?;
    let before = (c.on_server()?.0, recorder.count("JobTransferred"));
    c.let_go(&reply)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.settle()?;
    c.is("callback.job_transferred.upload_reply", (before, recorder.count("JobTransferred")), (("stored", 0), 1))
}

fn a_program_completes_the_job_for_its_reply(c: &mut Bench) -> Outcome {
    const PROGRAM: &str = r"C:\tools\replied.exe";
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&file, REPLY)?;
    let job2 = job.job2()?;
    job2.set_reply_file_name(Some(&c.local("reply.xml")))?;
    job2.set_notify_cmd_line(Some(PROGRAM), Some(&format!("{PROGRAM} {}", job.id()?)))?;
    let manager = c.manager()?;
    c.programs()?.act(move |run| {
        let argument = run.parameters.as_deref().and_then(|line| line.split(' ').nth(1));
        let id = argument.and_then(|id| Guid::parse_str(id).ok());
        u32::from(id.is_none_or(|id| manager.job(id).and_then(|job| job.complete()).is_err()))
    });
    job.resume()?;
    c.settle()?;
    c.is(
        "job2.reply.cmd_line",
        (job.state()?, c.local_length("reply.xml")?),
        (JobState::ACKNOWLEDGED, Some(REPLY.len() as u64)),
    )
}

fn cancel_leaves_no_reply(c: &mut Bench) -> Outcome {
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&file, REPLY)?;
    c.hold_at(&file.reply(), 5)?;
    job.resume()?;
    c.settle()?;
    let before = (c.keeps_reply()?, c.local_files()?.len());
    job.cancel()?;
    c.settle()?;
    c.is(
        ["job.cancel.upload_reply", "lifecycle.cancel.reply"],
        (before, c.on_server()?, (c.keeps_reply()?, c.local_files()?.len())),
        ((true, 2), ("stored", 1_000), (false, 1)),
    )
}

fn a_reply_has_no_name_before_the_job_has_a_file(c: &mut Bench) -> Outcome {
    let job = c.new_job_of(JobType::UPLOAD_REPLY)?.job2()?;
    let name = job.reply_file_name();
    c.returns("job2.get_reply_file_name.null_before_file", &name)?;
    c.is("job2.get_reply_file_name.null_before_file", name?.value, None)
}

fn a_reply_name_is_made_beside_the_uploaded_file(c: &mut Bench) -> Outcome {
    let job = c.new_job_of(JobType::UPLOAD_REPLY)?;
    let file = c.outgoing(r"out\up.bin", 1_000)?;
    c.reply_with(&file, REPLY)?;
    file.add_to(&job)?;
    let job2 = job.job2()?;
    let made = job2.reply_file_name()?.value.unwrap_or_default();
    c.is("job2.get_reply_file_name.generated_after_file", made.is_empty(), false)?;
    let folder = c.local(r"out\");
    c.holds(
        ["job2.set_reply_file_name.generated_directory", "reply.default_name", "job.resume.reply_name_first"],
        "the name is in the folder of the uploaded file",
        made.starts_with(&folder) && made.len() > folder.len(),
    )?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    let arrived = c.local_length(&base_name(&made))?;
    c.is(
        ["job2.set_reply_file_name.generated_if_unset_at_resume", "reply.default_name"],
        (job2.reply_file_name()?.value, arrived),
        (Some(made), Some(REPLY.len() as u64)),
    )
}

fn a_reply_name_can_be_set_and_dropped(c: &mut Bench) -> Outcome {
    let (job, _) = c.upload_job(JobType::UPLOAD_REPLY, 10)?;
    let job = job.job2()?;
    let made = job.reply_file_name()?.value;
    let path = c.local("reply.xml");
    let set = job.set_reply_file_name(Some(&path));
    c.returns("job2.set_reply_file_name.ok", set)?;
    let name = job.reply_file_name();
    c.returns("job2.get_reply_file_name.ok", &name)?;
    c.is(
        [
            "job2.get_reply_file_name.ok",
            "job2.get_reply_file_name.out",
            "job2.set_reply_file_name.param",
            "job2.set_reply_file_name.ok",
            "job.resume.reply_name_first",
        ],
        name?.value,
        Some(path.clone()),
    )?;
    for nothing in [None, Some("")] {
        job.set_reply_file_name(Some(&path))?;
        c.returns("job2.set_reply_file_name.null_or_empty", job.set_reply_file_name(nothing))?;
        let dropped = job.reply_file_name()?.value;
        c.is(["job2.set_reply_file_name.null_or_empty", "job2.set_reply_file_name.param"], dropped, made.clone())?;
    }
    Ok(())
}

fn a_reply_name_is_a_full_path_of_260_characters(c: &mut Bench) -> Outcome {
    let job = c.new_job_of(JobType::UPLOAD_REPLY)?.job2()?;
    let drive = r"C:\";
    let mut longest = 0;
    for length in 255..270 {
        let name = format!("{drive}{}", "x".repeat(length - drive.len()));
        if job.set_reply_file_name(Some(&name)).is_ok() {
            longest = length;
        }
    }
    c.value("job2.set_reply_file_name.limit", longest)?;
    let long = format!("{drive}{}", "x".repeat(261 - drive.len()));
    c.returns("job2.set_reply_file_name.invalid", job.set_reply_file_name(Some(&long)))?;
    for relative in ["reply.xml", r"C:reply.xml", r"folder\reply.xml"] {
        c.returns("job2.set_reply_file_name.invalid", job.set_reply_file_name(Some(relative)))?;
        c.is("job2.set_reply_file_name.param", job.reply_file_name()?.value == Some(relative.to_owned()), false)?;
    }
    Ok(())
}

fn reply_names_that_break_a_rule_are_refused(c: &mut Bench) -> Outcome {
    let job = c.new_job_of(JobType::UPLOAD_REPLY)?.job2()?;
    for wild in [r"C:\*.xml", r"C:\reply?.xml", r"C:\fol*der\reply.xml"] {
        c.returns("job2.set_reply_file_name.no_wildcards", job.set_reply_file_name(Some(wild)))?;
    }
    c.returns("job2.set_reply_file_name.no_streams", job.set_reply_file_name(Some(r"C:\reply.xml:stream")))?;
    c.returns("job2.set_reply_file_name.no_long_prefix", job.set_reply_file_name(Some(r"\\?\C:\reply.xml")))?;
    c.is(
        [
            "job2.set_reply_file_name.no_wildcards",
            "job2.set_reply_file_name.no_streams",
            "job2.set_reply_file_name.no_long_prefix",
        ],
        job.reply_file_name()?.value,
        None,
    )
}

fn a_reply_name_needs_a_folder_that_takes_files(c: &mut Bench) -> Outcome {
    let job = c.new_job_of(JobType::UPLOAD_REPLY)?.job2()?;
    c.harm("gone", StorageFault::Missing)?;
    c.harm("closed", StorageFault::Denied)?;
    let missing = job.set_reply_file_name(Some(&c.local(r"gone\reply.xml")));
    c.returns("job2.set_reply_file_name.directory_must_exist", missing)?;
    let closed = job.set_reply_file_name(Some(&c.local(r"closed\reply.xml")));
    c.returns("job2.set_reply_file_name.access_denied", closed)?;
    c.is(
        ["job2.set_reply_file_name.directory_must_exist", "job2.set_reply_file_name.access_denied"],
        job.reply_file_name()?.value,
        None,
    )
}

fn a_reply_name_can_be_set_until_the_reply_begins(c: &mut Bench) -> Outcome {
    for state in LIVING.into_iter().filter(|state| *state != JobState::TRANSFERRED) {
        c.start_over();
        let (job, file) = c.upload_in(JobType::UPLOAD_REPLY, state)?;
        let set = job.job2()?.set_reply_file_name(Some(&c.local("late.xml")));
        c.is("job2.set_reply_file_name.any_time_before_reply", (state, set), (state, Ok(Success::OK)))?;
        if state == JobState::TRANSFERRING {
            c.reply_with(&file, REPLY)?;
            c.let_go(&file)?;
            c.wait(&job, JobState::TRANSFERRED, SOON)?;
            job.complete()?;
            let late = c.local_length("late.xml")?;
            c.is("job2.set_reply_file_name.any_time_before_reply", late, Some(REPLY.len() as u64))?;
        }
    }
    c.start_over();
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&file, REPLY)?;
    let reply = file.reply();
    c.hold_at(&reply, 5)?;
    job.resume()?;
    c.settle()?;
    let job2 = job.job2()?;
    let begun = (job.state()?, job2.reply_progress()?.bytes_total);
    c.is("job2.set_reply_file_name.invalid_state", begun, (JobState::TRANSFERRING, REPLY.len() as u64))?;
    c.returns("job2.set_reply_file_name.invalid_state", job2.set_reply_file_name(Some(&c.local("late.xml"))))?;
    c.let_go(&reply)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.returns("job2.set_reply_file_name.invalid_state", job2.set_reply_file_name(Some(&c.local("late.xml"))))
}

/// A name without its folder.
fn base_name(path: &str) -> String {
    path.rsplit(['\\', '/']).next().unwrap_or_default().to_owned()
}
