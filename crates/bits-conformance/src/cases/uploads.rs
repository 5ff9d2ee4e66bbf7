//! Upload and upload-reply jobs: their one file, its way to the server, and their end.

use super::prelude::*;

cases![
    a_job_has_the_upload_type_it_was_made_with,
    an_upload_takes_one_file,
    a_set_is_added_to_an_upload_if_it_is_one_file,
    an_smb_name_is_refused_for_an_upload_with_reply,
    an_upload_is_transferred_when_the_server_has_the_file,
    an_upload_above_the_servers_limit_fails,
    progress_counts_the_bytes_that_the_server_has,
    an_uploaded_file_is_complete_without_complete,
    complete_renames_nothing_of_an_upload,
    complete_of_an_upload_needs_no_network,
    an_upload_cannot_be_completed_early,
    a_changed_source_is_a_fatal_local_error,
    a_changed_source_is_sent_anew_after_resume,
    cancel_of_an_unfinished_upload_cleans_the_server_up,
    cancel_of_a_finished_upload_leaves_it,
    an_idle_upload_is_cancelled_and_stands,
    uploads_are_told_of_as_jobs_and_not_as_files,
    an_upload_keeps_its_session_over_a_restart,
    the_download_time_counts_for_uploads,
];

const UPLOADS: [JobType; 2] = [JobType::UPLOAD, JobType::UPLOAD_REPLY];

fn a_job_has_the_upload_type_it_was_made_with(c: &mut Bench) -> Outcome {
    let upload = c.new_job_of(JobType::UPLOAD)?.job_type()?;
    c.value(["enum.job_type.upload", "jobtype.upload"], upload)?;
    let reply = c.new_job_of(JobType::UPLOAD_REPLY)?.job_type()?;
    c.value(["enum.job_type.upload_reply", "jobtype.upload_reply"], reply)?;
    let made = [upload, reply].map(|job_type| c.new_job_of(job_type).and_then(|job| Ok(job.job_type()?)));
    let [upload, reply] = made;
    c.is("manager.create_job.type_values", (upload?, reply?), (JobType::UPLOAD, JobType::UPLOAD_REPLY))
}

fn an_upload_takes_one_file(c: &mut Bench) -> Outcome {
    for job_type in UPLOADS {
        let (job, _) = c.upload_job(job_type, 10)?;
        let second = c.outgoing("second.bin", 10)?;
        let refused = job.add_file(Some(&second.url), Some(&second.local));
        c.returns(["job.add_file.upload_single", "limit.upload_files"], refused)?;
        c.is("job.add_file.upload_single", urls(&job)?.len(), 1)?;
        c.value(["job.add_file.upload_max", "limit.upload_files"], files(&job)?.len())?;
    }
    Ok(())
}

fn a_set_is_added_to_an_upload_if_it_is_one_file(c: &mut Bench) -> Outcome {
    for job_type in UPLOADS {
        let job = c.new_job_of(job_type)?;
        let (one, two) = (c.outgoing("1.bin", 10)?, c.outgoing("2.bin", 10)?);
        let [one, two] = [&one, &two].map(|file| FileInfo { remote_name: &file.url, local_name: &file.local });
        c.returns(["job.add_file_set.upload_many", "limit.upload_files"], job.add_file_set(&[one, two]))?;
        c.is("job.add_file_set.upload_many", files(&job)?.len(), 0)?;
        c.returns("job.add_file_set.upload_one", job.add_file_set(&[one]))?;
        c.is("job.add_file_set.upload_one", urls(&job)?, vec![one.remote_name.to_owned()])?;
        c.returns("job.add_file_set.upload_has_file", job.add_file_set(&[two]))?;
        c.is("job.add_file_set.upload_has_file", urls(&job)?, vec![one.remote_name.to_owned()])?;
    }
    Ok(())
}

fn an_smb_name_is_refused_for_an_upload_with_reply(c: &mut Bench) -> Outcome {
    let job = c.new_job_of(JobType::UPLOAD_REPLY)?;
    let file = c.outgoing("up.bin", 10)?;
    for share in [r"\\server\share\up.bin", "file://server/share/up.bin"] {
        c.returns("struct.file_info.remote_smb_upload_reply", job.add_file(Some(share), Some(&file.local)))?;
    }
    Ok(())
}

fn an_upload_is_transferred_when_the_server_has_the_file(c: &mut Bench) -> Outcome {
    let (job, file) = c.upload_job(JobType::UPLOAD, 1_000)?;
    c.hold_at(&file, 999)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    let all_but_one = (job.state()?, c.on_server()?);
    c.let_go(&file)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        ["lifecycle.edge.upload_done", "enum.job_state.upload_transferred"],
        (all_but_one, c.on_server()?),
        ((JobState::TRANSFERRING, ("unfinished", 999)), ("stored", 1_000)),
    )
}

fn an_upload_above_the_servers_limit_fails(c: &mut Bench) -> Outcome {
    let mut ends = Vec::new();
    for size in [1_000, 1_001] {
        c.start_over();
        c.limit_uploads(1_000)?;
        let (job, _) = c.upload_job(JobType::UPLOAD, size)?;
        job.resume()?;
        c.settle()?;
        ends.push((job.state()?, error_of(&job).ok().map(|(_, code)| code)));
    }
    c.is(
        "struct.file_info.size_upload",
        ends,
        vec![(JobState::TRANSFERRED, None), (JobState::ERROR, Some(Hresult::BG_E_TOO_LARGE))],
    )
}

fn progress_counts_the_bytes_that_the_server_has(c: &mut Bench) -> Outcome {
    let (job, _) = c.upload_in(JobType::UPLOAD, JobState::TRANSFERRING)?;
    c.settle()?;
    let progress = job.progress()?;
    c.is("struct.job_progress.bytes_transferred", (progress.bytes_transferred, progress.bytes_total), (400, 1_000))?;
    let file = first_file(&job)?.progress()?;
    c.is("struct.file_progress.bytes_transferred", (file.bytes_transferred, file.bytes_total), (400, 1_000))
}

fn an_uploaded_file_is_complete_without_complete(c: &mut Bench) -> Outcome {
    for job_type in UPLOADS {
        c.start_over();
        let (job, file) = c.upload_in(job_type, JobState::TRANSFERRING)?;
        let before = first_file(&job)?.progress()?.completed;
        c.let_go(&file)?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        let after = first_file(&job)?.progress()?.completed;
        c.is("struct.file_progress.completed_upload", (before, after), (false, true))?;
    }
    Ok(())
}

fn complete_renames_nothing_of_an_upload(c: &mut Bench) -> Outcome {
    let (job, _) = c.upload_in(JobType::UPLOAD, JobState::TRANSFERRED)?;
    let (stored, files) = (c.on_server()?, c.local_files()?);
    let done = job.complete() == Ok(Success::OK);
    c.is("lifecycle.edge.complete_upload", (done, job.state()?), (true, JobState::ACKNOWLEDGED))?;
    c.is(
        "job.complete.upload",
        (stored, c.local_files()? == files && files == [("up.bin".to_owned(), 1_000)]),
        (("stored", 1_000), true),
    )
}

fn complete_of_an_upload_needs_no_network(c: &mut Bench) -> Outcome {
    let (job, _) = c.upload_in(JobType::UPLOAD, JobState::TRANSFERRED)?;
    c.disconnect()?;
    let done = job.complete() == Ok(Success::OK);
    c.is("job.complete.network", (done, job.state()?), (true, JobState::ACKNOWLEDGED))
}

fn an_upload_cannot_be_completed_early(c: &mut Bench) -> Outcome {
    for job_type in UPLOADS {
        for state in LIVING.into_iter().filter(|state| *state != JobState::TRANSFERRED) {
            c.start_over();
            let (job, _) = c.upload_in(job_type, state)?;
            let refused = job.complete();
            c.returns(["job.complete.invalid_state_upload", "lifecycle.edge.complete_upload_early"], refused)?;
            c.is(
                ["job.complete.invalid_state_upload", "callback.job_error.complete_upload"],
                (refused.err(), job.state()?),
                (Some(Hresult::BG_E_INVALID_STATE), state),
            )?;
        }
    }
    Ok(())
}

/// An upload, added by AddFile or by AddFileSet, whose source becomes another one in mid-transfer.
fn change_in_transfer(c: &mut Bench, as_set: bool, size: u64) -> Result<Arc<dyn Job>, Stop> {
    c.start_over();
    let job = c.new_job_of(JobType::UPLOAD)?;
    let file = c.outgoing("up.bin", 1_000)?;
    if as_set {
        job.add_file_set(&[FileInfo { remote_name: &file.url, local_name: &file.local }])?;
    } else {
        file.add_to(&job)?;
    }
    c.bring(&job, &file, JobState::TRANSFERRING)?;
    c.rewrite("up.bin", size)?;
    c.let_go(&file)?;
    c.wait(&job, JobState::ERROR, SOON)?;
    Ok(job)
}

fn a_changed_source_is_a_fatal_local_error(c: &mut Bench) -> Outcome {
    // Another size, and the same size written at another time.
    for size in [2_000, 1_000] {
        let job = change_in_transfer(c, false, size)?;
        let (context, code) = error_of(&job)?;
        let clauses = [
            "job.add_file.upload_changed",
            "lifecycle.edge.upload_changed",
            "files.consistency.upload_change",
            "retry.fatal.local_changed",
        ];
        c.returns(clauses, code)?;
        c.is(
            ["job.add_file.upload_changed", "files.consistency.upload_change"],
            (context, job.state()?),
            (ErrorContext::LOCAL_FILE, JobState::ERROR),
        )?;
    }
    let job = change_in_transfer(c, true, 2_000)?;
    let (context, code) = error_of(&job)?;
    c.returns("job.add_file_set.upload_changed", code)?;
    c.is("job.add_file_set.upload_changed", context, ErrorContext::LOCAL_FILE)?;
    // It is not tried again.
    c.advance(DAY)?;
    c.is("retry.fatal.local_changed", (job.state()?, job.error_count()?), (JobState::ERROR, 1))
}

fn a_changed_source_is_sent_anew_after_resume(c: &mut Bench) -> Outcome {
    let job = change_in_transfer(c, false, 2_000)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("errors.options", (c.on_server()?, job.progress()?.bytes_total), (("stored", 2_000), 2_000))
}

fn cancel_of_an_unfinished_upload_cleans_the_server_up(c: &mut Bench) -> Outcome {
    for state in [JobState::TRANSFERRING, JobState::SUSPENDED] {
        c.start_over();
        let (job, _) = c.upload_in(JobType::UPLOAD, JobState::TRANSFERRING)?;
        if state == JobState::SUSPENDED {
            job.suspend()?;
        }
        c.settle()?;
        let before = c.on_server()?;
        job.cancel()?;
        c.settle()?;
        c.is(
            ["job.cancel.server_temp", "lifecycle.cancel.upload_incomplete"],
            (before, c.on_server()?),
            (("unfinished", 400), ("discarded", 0)),
        )?;
        c.is("lifecycle.cancel.upload_incomplete", job.state()?, JobState::CANCELLED)?;
    }
    Ok(())
}

fn cancel_of_a_finished_upload_leaves_it(c: &mut Bench) -> Outcome {
    let (job, _) = c.upload_in(JobType::UPLOAD, JobState::TRANSFERRED)?;
    job.cancel()?;
    c.settle()?;
    c.is("job.cancel.upload_done", (job.state()?, c.on_server()?), (JobState::CANCELLED, ("stored", 1_000)))
}

fn an_idle_upload_is_cancelled_and_stands(c: &mut Bench) -> Outcome {
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&file, b"thanks")?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let before = c.local_files()?.len();
    c.wait(&job, JobState::CANCELLED, DAY * 91)?;
    c.is(
        ["lifecycle.inactivity.files", "job.complete.inactivity", "callback.job_transferred.inactivity"],
        (before, c.local_files()?.len(), c.on_server()?),
        (2, 1, ("stored", 1_000)),
    )
}

fn uploads_are_told_of_as_jobs_and_not_as_files(c: &mut Bench) -> Outcome {
    let (upload, _) = c.upload_job(JobType::UPLOAD, 10)?;
    let (replied, file) = c.upload_job(JobType::UPLOAD_REPLY, 10)?;
    c.reply_with(&file, b"thanks")?;
    let mut told = Vec::new();
    for job in [upload, replied] {
        let recorder = Recorder::new();
        job.set_notify_flags(NotifyFlags::JOB_TRANSFERRED | NotifyFlags::FILE_TRANSFERRED)?;
        job.set_notify_interface(Some(recorder.object2()))?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.settle()?;
        told.push(recorder.methods());
    }
    c.is(
        "callback2.file_transferred.job_types",
        told,
        vec![vec!["JobTransferred"], vec!["FileTransferred", "JobTransferred"]],
    )
}

fn an_upload_keeps_its_session_over_a_restart(c: &mut Bench) -> Outcome {
    let (job, file) = c.upload_in(JobType::UPLOAD, JobState::TRANSFERRING)?;
    let id = job.id()?;
    c.settle()?;
    c.restart_service()?;
    c.let_go(&file)?;
    let job = c.find(id)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("lifecycle.persist.resume_after_restart", (c.uploads_seen()?, c.on_server()?), (1, ("stored", 1_000)))
}

fn the_download_time_counts_for_uploads(c: &mut Bench) -> Outcome {
    for job_type in UPLOADS {
        c.start_over();
        let (job, file) = c.upload_job(job_type, 1_000)?;
        job.job4()?.set_maximum_download_time(60)?;
        c.hold_at(&file, 1)?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, MINUTE * 2)?;
        c.is("job4.set_maximum_download_time.upload", error_of(&job)?.1, Hresult::BG_E_MAXDOWNLOAD_TIMEOUT)?;
    }
    Ok(())
}
