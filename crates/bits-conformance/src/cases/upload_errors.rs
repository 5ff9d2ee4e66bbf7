//! What goes wrong with uploads, and in which context errors arise.

use super::prelude::*;

cases![
    an_error_of_the_server_application_has_its_own_context,
    statuses_of_the_server_application_have_classes,
    reply_progress_tells_which_part_failed,
    job_error_tells_which_part_failed,
    cancel_after_an_error_of_the_reply_leaves_the_upload,
    a_server_that_tells_of_no_reply_fails_the_upload,
    an_error_of_no_file_has_no_file,
    contexts_have_their_numbers,
    every_context_has_a_text_of_its_own,
];

fn an_error_of_the_server_application_has_its_own_context(c: &mut Bench) -> Outcome {
    for job_type in [JobType::UPLOAD, JobType::UPLOAD_REPLY] {
        c.start_over();
        let (job, file) = c.upload_job(job_type, 1_000)?;
        c.application_answers(&file, 404)?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let error = job.error()?;
        let (context, code) = error.error()?;
        c.value(
            [
                "errors.server_app_context",
                "errors.context.enum_remote_application",
                "enum.error_context.remote_application",
            ],
            context,
        )?;
        c.is(
            "job.get_error.upload_reply_app",
            (context, code),
            (ErrorContext::REMOTE_APPLICATION, Hresult::BG_E_HTTP_ERROR_404),
        )?;
        c.is(
            ["error.get_file.ok", "error.get_protocol.http"],
            (error.file()?.remote_name()?, error.protocol()?),
            (file.url, "http".to_owned()),
        )?;
    }
    Ok(())
}

/// The state of a job after the server application has answered its upload with `status`.
fn after_status(c: &mut Bench, status: u16) -> Result<(JobState, Hresult), Stop> {
    c.start_over();
    let (job, file) = c.upload_job(JobType::UPLOAD, 1_000)?;
    c.application_answers(&file, status)?;
    job.resume()?;
    c.settle()?;
    Ok((job.state()?, error_of(&job)?.1))
}

fn statuses_of_the_server_application_have_classes(c: &mut Bench) -> Outcome {
    let fatal = [300, 301, 302, 303, 304, 305, 307, 400, 403, 404, 410, 413, 499, 501, 505];
    let transient = [100, 204, 299, 306, 308, 399, 408, 409, 500, 502, 503, 504, 599, 600];
    let classes = [(JobState::ERROR, fatal.as_slice()), (JobState::TRANSIENT_ERROR, &transient)];
    for (class, statuses) in classes {
        for status in statuses {
            let (state, code) = after_status(c, *status)?;
            c.is("retry.http_codes.server_app", (*status, state), (*status, class))?;
            c.is("errors.http_conversion", code, Hresult(0x8019_0000 + u32::from(*status)))?;
        }
    }
    Ok(())
}

/// The clauses on which part of an upload-reply job has failed.
const WHICH_PART: [&str; 3] =
    ["job.get_error.upload_reply_which", "errors.reply_side", "callback.job_error.upload_reply_which"];

fn reply_progress_tells_which_part_failed(c: &mut Bench) -> Outcome {
    let (job, _) = c.upload_in(JobType::UPLOAD_REPLY, JobState::ERROR)?;
    let upload_failed = (error_of(&job)?.0, job.job2()?.reply_progress()?.bytes_total);
    c.value("errors.reply_side", upload_failed.1)?;
    c.start_over();
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&file, &[7; 200])?;
    c.trouble(&file.reply(), Trouble::Refuses(50))?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let reply_failed = (error_of(&job)?.0, job.job2()?.reply_progress()?.bytes_total);
    c.is(
        WHICH_PART,
        (upload_failed, reply_failed),
        ((ErrorContext::REMOTE_FILE, SIZE_UNKNOWN), (ErrorContext::REMOTE_FILE, 200)),
    )?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("errors.options", (c.uploads_seen()?, job.job2()?.reply_progress()?.bytes_transferred), (1, 200))
}

fn job_error_tells_which_part_failed(c: &mut Bench) -> Outcome {
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&file, &[7; 200])?;
    c.application_answers(&file, 403)?;
    c.trouble(&file.reply(), Trouble::Refuses(50))?;
    let recorder = Recorder::new();
    job.set_notify_interface(Some(recorder.object()))?;
    for _ in 0..2 {
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        c.settle()?;
    }
    let contexts: Vec<ErrorContext> = recorder
        .told()
        .into_iter()
        .filter_map(|told| if let Told::Error { context, .. } = told { Some(context) } else { None })
        .collect();
    c.is(
        "callback.job_error.upload_reply_which",
        contexts,
        vec![ErrorContext::REMOTE_APPLICATION, ErrorContext::REMOTE_FILE],
    )
}

fn cancel_after_an_error_of_the_reply_leaves_the_upload(c: &mut Bench) -> Outcome {
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&file, &[7; 200])?;
    c.trouble(&file.reply(), Trouble::NotFound)?;
    let recorder = Recorder::acting(|job| job.cancel());
    job.set_notify_interface(Some(recorder.object()))?;
    job.resume()?;
    c.wait(&job, JobState::CANCELLED, SOON)?;
    c.settle()?;
    c.is(
        ["callback.job_error.cancel_upload", "job.cancel.upload_reply"],
        (recorder.count("JobError"), c.on_server()?, c.keeps_reply()?),
        (1, ("stored", 1_000), false),
    )
}

fn a_server_that_tells_of_no_reply_fails_the_upload(c: &mut Bench) -> Outcome {
    let (job, file) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.withhold_reply(&file)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is("errors.reply_side", job.job2()?.reply_progress()?.bytes_total, SIZE_UNKNOWN)?;
    c.reply_with(&file, b"late")?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("errors.options", job.job2()?.reply_progress()?.bytes_total, 4)
}

fn an_error_of_no_file_has_no_file(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(10)?;
    c.fail_in(&file, ErrorContext::GENERAL_TRANSPORT, Hresult::BG_E_CONNECTION_CLOSED)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let error = job.error()?;
    c.returns(["error.get_file.none", "errors.getfile_na"], error.file())?;
    c.is("error.get_error.ok", error.error()?, (ErrorContext::GENERAL_TRANSPORT, Hresult::BG_E_CONNECTION_CLOSED))
}

/// The contexts that the header defines, with the clauses that number them.
const CONTEXTS: [(ErrorContext, &[&str]); 9] = [
    (ErrorContext::NONE, &["errors.context.enum_none", "enum.error_context.none"]),
    (ErrorContext::UNKNOWN, &["errors.context.enum_unknown", "enum.error_context.unknown"]),
    (
        ErrorContext::GENERAL_QUEUE_MANAGER,
        &["errors.context.enum_general_queue_manager", "enum.error_context.general_queue_manager"],
    ),
    (
        ErrorContext::QUEUE_MANAGER_NOTIFICATION,
        &["errors.context.enum_queue_manager_notification", "enum.error_context.queue_manager_notification"],
    ),
    (ErrorContext::LOCAL_FILE, &["errors.context.enum_local_file", "enum.error_context.local_file"]),
    (ErrorContext::REMOTE_FILE, &["errors.context.enum_remote_file", "enum.error_context.remote_file"]),
    (
        ErrorContext::GENERAL_TRANSPORT,
        &["errors.context.enum_general_transport", "enum.error_context.general_transport"],
    ),
    (
        ErrorContext::REMOTE_APPLICATION,
        &["errors.context.enum_remote_application", "enum.error_context.remote_application"],
    ),
    (ErrorContext::SERVER_CERTIFICATE_CALLBACK, &["errors.context.enum_server_certificate_callback"]),
];

/// A job whose attempt fails in that context, for good.
fn failed_in(c: &mut Bench, context: ErrorContext) -> Result<Arc<dyn Job>, Stop> {
    c.start_over();
    let (job, file) = c.job_with_file(10)?;
    c.fail_in(&file, context, Hresult::E_FAIL)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    Ok(job)
}

fn contexts_have_their_numbers(c: &mut Bench) -> Outcome {
    for (context, clauses) in CONTEXTS {
        let job = failed_in(c, context)?;
        let (told, _) = error_of(&job)?;
        for clause in clauses {
            c.value(*clause, told)?;
        }
    }
    Ok(())
}

fn every_context_has_a_text_of_its_own(c: &mut Bench) -> Outcome {
    let mut texts = Vec::new();
    for (context, _) in CONTEXTS {
        texts.push(failed_in(c, context)?.error()?.context_description(LanguageId::ENGLISH_US)?);
    }
    texts.sort();
    texts.dedup();
    c.is("error.get_error_context_description.ok", texts.len(), CONTEXTS.len())
}
