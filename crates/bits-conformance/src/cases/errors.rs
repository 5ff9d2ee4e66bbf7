//! The error object, and texts of codes.

use bits_api::JobError;

use crate::spec::Spec;

use super::prelude::*;

cases![
    a_failed_job_has_an_error_object,
    a_job_in_transient_error_has_an_error_object,
    a_job_that_never_failed_has_no_error_object,
    a_failed_call_leaves_no_error_object,
    the_error_stays_until_data_moves_again,
    a_transferred_job_has_no_error_object,
    an_error_object_ends_with_its_client,
    an_error_of_a_file_names_the_file,
    an_error_of_no_file_has_no_file_and_no_protocol,
    an_http_error_names_its_protocol,
    contexts_and_codes_have_texts,
    language_zero_is_refused,
    a_language_without_texts_is_refused,
    the_manager_gives_the_same_text,
    every_documented_code_has_a_text,
    an_unknown_code_has_no_text,
    a_failed_call_is_explained_by_the_manager,
    a_language_is_made_of_its_two_parts,
    calls_fail_with_codes_of_several_kinds,
    attempts_that_fail_are_counted,
    an_error_object_has_all_its_methods,
    a_wrong_remote_name_is_mended_and_the_job_resumed,
];

/// The Win32 error.
const ERROR_DIRECTORY: u32 = 267;

const GERMAN: LanguageId = LanguageId(0x0407);

fn a_failed_job_has_an_error_object(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::ERROR)?;
    let error = job.error();
    c.returns("job.get_error.ok", &error)?;
    let error = error?;
    c.is(
        ["job.get_error.ok", "error.interface.when_created", "error.interface.obtain", "errors.two_kinds"],
        error.error()?,
        (ErrorContext::REMOTE_FILE, Hresult::BG_E_HTTP_ERROR_404),
    )?;
    c.is("job.get_error.ok", error.file()?.remote_name()?, file.url)
}

fn a_job_in_transient_error_has_an_error_object(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSIENT_ERROR)?;
    c.value(["enum.job_state.transient_error", "lifecycle.enum.transient_error"], job.state()?)?;
    c.returns("job.get_error.ok", job.error())?;
    let error = job.error()?.error();
    c.returns("error.get_error.ok", error)?;
    c.is(
        ["error.get_error.ok", "error.interface.when_created", "error.get_error.params", "errors.two_kinds"],
        error?,
        (ErrorContext::REMOTE_FILE, Hresult::BG_E_HTTP_ERROR_503),
    )
}

fn a_job_that_never_failed_has_no_error_object(c: &mut Bench) -> Outcome {
    for state in [
        JobState::SUSPENDED,
        JobState::QUEUED,
        JobState::CONNECTING,
        JobState::TRANSFERRING,
        JobState::TRANSFERRED,
        JobState::CANCELLED,
    ] {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        c.returns(["job.get_error.unavailable", "errors.geterror_states"], job.error())?;
    }
    Ok(())
}

fn a_failed_call_leaves_no_error_object(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let code = job.resume().err();
    c.holds("job.get_error.not_for_calls", "the call fails", code == Some(Hresult::BG_E_EMPTY))?;
    let error = job.error().err();
    c.is(
        ["job.get_error.not_for_calls", "error.interface.when_created", "errors.two_kinds"],
        error,
        Some(Hresult::BG_E_ERROR_INFORMATION_UNAVAILABLE),
    )
}

fn the_error_stays_until_data_moves_again(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::ERROR)?;
    c.hold_connecting(&file)?;
    job.resume()?;
    c.wait(&job, JobState::CONNECTING, SOON)?;
    c.returns("job.get_error.available_until_transferring", job.error())?;
    c.hold_at(&file, 1)?;
    job.suspend()?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.returns(["job.get_error.unavailable", "errors.geterror_lost"], job.error())?;
    let gone = job.error().err();
    c.is(
        ["job.get_error.available_until_transferring", "error.interface.lifetime"],
        gone,
        Some(Hresult::BG_E_ERROR_INFORMATION_UNAVAILABLE),
    )
}

fn a_transferred_job_has_no_error_object(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSIENT_ERROR)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.returns(["job.error.before-or-without-error", "errors.geterror_states"], job.error())
}

fn an_error_object_ends_with_its_client(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::ERROR)?;
    let error = job.error()?;
    let before = error.error().is_ok();
    c.end_client()?;
    let after = (error.error().is_err(), job.error().is_err());
    c.is(
        ["job.get_error.available_until_exit", "error.interface.lifetime", "errors.geterror_lost"],
        (before, after),
        (true, (true, true)),
    )
}

fn an_error_of_a_file_names_the_file(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let (good, bad) = (c.serve("good.bin", 10)?, c.serve("bad.bin", 10)?);
    good.add_to(&job)?;
    bad.add_to(&job)?;
    c.trouble(&bad, Trouble::NotFound)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let file = job.error()?.file();
    c.returns("error.get_file.ok", &file)?;
    c.is(["error.get_file.ok", "errors.context_remote_file", "file.interface.obtain"], file?.remote_name()?, bad.url)
}

fn an_error_of_no_file_has_no_file_and_no_protocol(c: &mut Bench) -> Outcome {
    c.disconnect()?;
    let (job, _) = c.job_with_file(10)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    let error = job.error()?;
    c.returns(["error.get_protocol.none", "errors.getprotocol_na"], error.protocol())
}

fn an_http_error_names_its_protocol(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::ERROR)?;
    let protocol = job.error()?.protocol();
    c.returns("error.get_protocol.http", &protocol)?;
    c.value("error.get_protocol.http", protocol?)
}

fn contexts_and_codes_have_texts(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::ERROR)?;
    let error = job.error()?;
    let (code, context) =
        (error.description(LanguageId::ENGLISH_US), error.context_description(LanguageId::ENGLISH_US));
    c.returns("error.get_error_description.ok", &code)?;
    c.returns("error.get_error_context_description.ok", &context)?;
    let (code, context) = (code?, context?);
    c.holds("error.get_error_description.ok", "the text speaks of the status", code.contains("404"))?;
    c.holds("error.get_error_context_description.ok", "it is another text", !context.is_empty() && context != code)
}

fn language_zero_is_refused(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::ERROR)?;
    let error = job.error()?;
    c.returns("error.get_error_description.language_zero", error.description(LanguageId(0)))?;
    c.returns("error.get_error_context_description.language_zero", error.context_description(LanguageId(0)))?;
    let by_manager = c.manager()?.error_description(Hresult::BG_E_EMPTY, LanguageId(0));
    c.returns("manager.get_error_description.language_zero", &by_manager)?;
    let english = c.manager()?.error_description(Hresult::BG_E_EMPTY, LanguageId::ENGLISH_US)?;
    c.is("manager.get_error_description.language_zero", by_manager?, english)
}

fn a_language_without_texts_is_refused(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::ERROR)?;
    let error = job.error()?;
    c.returns("error.get_error_description.no_locale", error.description(GERMAN))?;
    c.returns("error.get_error_context_description.no_locale", error.context_description(GERMAN))?;
    let by_manager = c.manager()?.error_description(Hresult::BG_E_EMPTY, GERMAN);
    c.returns(["manager.get_error_description.no_locale", "errors.description_lang"], by_manager)
}

fn the_manager_gives_the_same_text(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::ERROR)?;
    let (_, code) = error_of(&job)?;
    let by_manager = c.manager()?.error_description(code, LanguageId::ENGLISH_US)?;
    c.is("error.get_error_description.same_as_manager", job.error()?.description(LanguageId::ENGLISH_US)?, by_manager)
}

fn every_documented_code_has_a_text(c: &mut Bench) -> Outcome {
    let manager = c.manager()?;
    for (_, code) in Spec::get().codes.iter() {
        let text = manager.error_description(code, LanguageId::ENGLISH_US);
        c.returns("manager.get_error_description.ok", &text)?;
        c.holds(["manager.get_error_description.ok", "errors.description"], "it is not empty", !text?.is_empty())?;
    }
    Ok(())
}

fn an_unknown_code_has_no_text(c: &mut Bench) -> Outcome {
    let text = c.manager()?.error_description(Hresult(0x8020_0FFF), LanguageId::ENGLISH_US);
    c.is("manager.get_error_description.unknown_code", text.err(), Some(Hresult::from_win32(317)))
}

fn a_failed_call_is_explained_by_the_manager(c: &mut Bench) -> Outcome {
    let Err(code) = c.new_job()?.resume() else { return failed("Resume of an empty job succeeds") };
    let text = c.manager()?.error_description(code, LanguageId::ENGLISH_US)?;
    c.holds("manager.get_error_description.any_failure", "the code has a text", !text.is_empty())?;
    c.holds("job.get_error.not_for_calls", "the code has a text", !text.is_empty())
}

fn a_language_is_made_of_its_two_parts(c: &mut Bench) -> Outcome {
    const ENGLISH: u32 = 0x09;
    const UNITED_STATES: u32 = 0x01;
    let language = LanguageId(UNITED_STATES << 10 | ENGLISH);
    let text = c.manager()?.error_description(Hresult::BG_E_EMPTY, language).is_ok();
    c.is("manager.get_error_description.language_id_form", text, true)
}

fn calls_fail_with_codes_of_several_kinds(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let of_bits = job.resume().err();
    let of_com = job.set_priority(JobPriority(99)).err();
    let of_win32 = job.add_file(Some("http://files.example/a"), Some(r"Q:\no\such\drive")).err();
    c.restart_service()?;
    let of_rpc = job.state().err();
    c.is(
        "errors.others",
        vec![of_bits, of_com, of_win32, of_rpc],
        vec![
            Some(Hresult::BG_E_EMPTY),
            Some(Hresult::E_NOTIMPL),
            Some(Hresult(0x8007_0000 | ERROR_DIRECTORY)),
            Some(Hresult::RPC_S_SERVER_UNAVAILABLE),
        ],
    )
}

fn attempts_that_fail_are_counted(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    for _ in 0..3 {
        c.trouble(&file, Trouble::Breaks(100))?;
    }
    let mut counts = vec![job.error_count()?];
    for _ in 0..3 {
        job.resume()?;
        c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
        counts.push(job.error_count()?);
    }
    c.returns("job.get_error_count.ok", job.error_count())?;
    c.is(
        [
            "job.get_error_count.ok",
            "job.get_error_count.params",
            "job.get_error_count.increment",
            "job.get_error_count.retry_increment",
        ],
        counts,
        vec![0, 1, 2, 3],
    )?;
    c.trouble(&file, Trouble::Refuses(200))?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is("job.get_error_count.increment", job.error_count()?, 4)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let id = job.id()?;
    c.restart_service()?;
    let job = c.find(id)?;
    c.is("job.get_error_count.never_reset", job.error_count()?, 4)
}

fn an_error_object_has_all_its_methods(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::ERROR)?;
    let error: Arc<dyn JobError> = job.error()?;
    let texts =
        vec![error.file()?.remote_name()?, error.protocol()?, error.error()?.1.name().unwrap_or_default().into_owned()];
    c.is("error.interface.methods", texts, vec![file.url, "http".to_owned(), "BG_E_HTTP_ERROR_404".to_owned()])?;
    let described =
        error.description(LanguageId::ENGLISH_US).is_ok() && error.context_description(LanguageId::ENGLISH_US).is_ok();
    c.holds("error.interface.methods", "both descriptions are given", described)
}

fn a_wrong_remote_name_is_mended_and_the_job_resumed(c: &mut Bench) -> Outcome {
    for by_prefix in [true, false] {
        c.start_over();
        let right = c.serve("right.bin", 10)?;
        let wrong = right.url.replace("right.bin", "gone/right.bin");
        let job = c.new_job()?;
        job.add_file(Some(&wrong), Some(&right.local))?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let mended = if by_prefix {
            job.job3()?.replace_remote_prefix(Some(&format!("{}gone/", c.site()?)), Some(&c.site()?))
        } else {
            first_file(&job)?.file2()?.set_remote_name(Some(&right.url))
        };
        job.resume()?;
        c.settle()?;
        c.is("errors.mend_remote", (mended, job.state()?), (Ok(Success::OK), JobState::TRANSFERRED))?;
    }
    Ok(())
}
