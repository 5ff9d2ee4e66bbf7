//! The content of a file before Complete: where it is, and what the client thinks of it.

use bits_api::File3;
use bits_origin::{Content, Synthetic};
use bits_world::Profile;

use super::http::asked;
use super::prelude::*;

cases![
    a_file_gives_its_third_interface,
    the_temporary_file_holds_what_has_arrived,
    before_the_transfer_there_is_no_temporary_name,
    an_upload_has_no_temporary_name,
    complete_ends_the_temporary_file,
    cancel_ends_the_temporary_file,
    inactivity_ends_the_temporary_file,
    another_version_sets_the_progress_back,
    a_file_that_is_all_there_can_be_told_by_its_progress,
    a_valid_file_changes_nothing_but_its_mark,
    a_file_must_be_there_to_be_judged,
    each_file_is_judged_by_itself,
    an_invalid_file_fails_the_job,
    every_invalid_file_is_told_as_an_error,
    an_invalid_file_is_fetched_again_by_resume,
    an_invalid_file_is_fetched_again_from_its_server,
    before_4_0_a_job_with_an_invalid_file_cannot_be_resumed,
    judgements_can_be_repeated,
    an_upload_cannot_be_judged,
    complete_declares_files_valid,
    files_are_judged_without_any_cache,
    nothing_comes_from_peers,
    a_callback_may_judge_the_file,
    a_file_fetched_again_is_told_again,
];

/// A job and its one file.
type Judged = (Arc<dyn Job>, Arc<dyn File3>);

/// A TRANSFERRED job, and its one file of 1,000 bytes.
fn transferred(c: &Bench) -> Result<Judged, Stop> {
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    let file = first_file(&job)?.file3()?;
    Ok((job, file))
}

/// The name of a file without its folder, and its folder.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once(['\\', '/']).unwrap_or(("", path))
}

fn a_file_gives_its_third_interface(c: &mut Bench) -> Outcome {
    let (job, remote) = c.job_with_file(1_000)?;
    let file = first_file(&job)?.file3();
    c.holds("file3.interface.obtain", "a file gives its third interface", file.is_ok())?;
    let names = (file.clone()?.remote_name()?, file?.file_ranges()?.value.len());
    c.is("file3.interface.inherits", names, (remote.url, 0))?;
    c.start_over();
    c.play(Profile::V2_5)?;
    let (job, _) = c.job_with_file(1_000)?;
    let code = first_file(&job)?.file3().map(drop).err();
    c.is("file3.interface.obtain", code, Some(Hresult::E_NOINTERFACE))
}

fn the_temporary_file_holds_what_has_arrived(c: &mut Bench) -> Outcome {
    let (job, remote) = c.job_in(JobState::TRANSFERRING)?;
    c.settle()?;
    let file = first_file(&job)?.file3()?;
    let name = file.temporary_name();
    c.returns("file3.get_temporary_name.ok", &name)?;
    let name = name?;
    let (folder, short) = split(&name);
    c.is("file3.get_temporary_name.same_folder", folder.to_owned(), split(&remote.local).0.to_owned())?;
    let length = c.local_length(short)?;
    c.is(["file3.get_temporary_name.param", "file3.get_temporary_name.content"], length, Some(400))?;
    c.is("file3.get_temporary_name.bytes_available", Some(file.progress()?.bytes_transferred), length)?;
    c.let_go(&remote)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("file3.get_temporary_name.content", c.local_length(short)?, Some(1_000))
}

fn before_the_transfer_there_is_no_temporary_name(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(1_000)?;
    c.returns("file3.get_temporary_name.before_transfer", first_file(&job)?.file3()?.temporary_name())
}

fn an_upload_has_no_temporary_name(c: &mut Bench) -> Outcome {
    let (job, _) = c.upload_in(JobType::UPLOAD, JobState::TRANSFERRED)?;
    c.returns("file3.get_temporary_name.upload", first_file(&job)?.file3()?.temporary_name())
}

/// The temporary file of a TRANSFERRED job, by its short name.
fn temporary(file: &Arc<dyn File3>) -> Result<String, Stop> {
    Ok(split(&file.temporary_name()?).1.to_owned())
}

fn complete_ends_the_temporary_file(c: &mut Bench) -> Outcome {
    let (job, file) = transferred(c)?;
    let short = temporary(&file)?;
    c.is("file3.get_temporary_name.lifetime_complete", c.local_length(&short)?, Some(1_000))?;
    job.complete()?;
    let after = (c.local_length(&short)?, c.local_length("a.bin")?);
    c.is("file3.get_temporary_name.lifetime_complete", after, (None, Some(1_000)))?;
    c.returns("file3.get_temporary_name.final_state", file.temporary_name())
}

fn cancel_ends_the_temporary_file(c: &mut Bench) -> Outcome {
    let (job, file) = transferred(c)?;
    let short = temporary(&file)?;
    c.is("file3.get_temporary_name.lifetime_cancel", c.local_length(&short)?, Some(1_000))?;
    job.cancel()?;
    c.is("file3.get_temporary_name.lifetime_cancel", c.local_length(&short)?, None)
}

fn inactivity_ends_the_temporary_file(c: &mut Bench) -> Outcome {
    let (_, file) = transferred(c)?;
    let short = temporary(&file)?;
    c.advance(89 * DAY)?;
    c.is("file3.get_temporary_name.lifetime_policy", c.local_length(&short)?, Some(1_000))?;
    c.advance(2 * DAY)?;
    c.is("file3.get_temporary_name.lifetime_policy", c.local_length(&short)?, None)
}

fn another_version_sets_the_progress_back(c: &mut Bench) -> Outcome {
    let (job, remote) = c.job_in(JobState::TRANSFERRING)?;
    c.settle()?;
    let file = first_file(&job)?;
    c.is("file3.get_temporary_name.progress_reset", file.progress()?.bytes_transferred, 400)?;
    job.suspend()?;
    c.settle()?;
    c.replace(&remote, 1_000, FileTime::from_unix_seconds(1_700_000_000))?;
    c.hold_at(&remote, 100)?;
    job.resume()?;
    c.settle()?;
    c.is("file3.get_temporary_name.progress_reset", file.progress()?.bytes_transferred, 100)
}

fn a_file_that_is_all_there_can_be_told_by_its_progress(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let job = c.new_job()?;
    for name in ["1.bin", "2.bin"] {
        c.serve(name, 100)?.add_to(&job)?;
    }
    c.hold_at(&c.serve("2.bin", 100)?, 10)?;
    job.set_notify_interface(Some(recorder.object2()))?;
    job.set_notify_flags(NotifyFlags::FILE_TRANSFERRED)?;
    job.resume()?;
    c.settle()?;
    let mut done = Vec::new();
    for file in files(&job)? {
        let progress = file.progress()?;
        if progress.bytes_transferred == progress.bytes_total {
            done.push(Told::File { url: file.remote_name()? });
        }
    }
    c.holds("file3.get_temporary_name.file_done_test", "progress and callback agree", done == recorder.told())?;
    c.is("file3.get_temporary_name.file_done_test", done.len(), 1)
}

fn a_valid_file_changes_nothing_but_its_mark(c: &mut Bench) -> Outcome {
    let (job, file) = transferred(c)?;
    let before = file.validation_state();
    c.returns("file3.get_validation_state.ok", before)?;
    c.value("file3.get_validation_state.default", before?)?;
    let result = file.set_validation_state(true);
    c.returns("file3.set_validation_state.ok", result)?;
    let state = file.validation_state()?;
    c.is(
        ["file3.get_validation_state.true", "file3.get_validation_state.param", "file3.set_validation_state.param"],
        state,
        true,
    )?;
    let after = (job.state()?, file.progress()?.bytes_transferred);
    c.is("file3.set_validation_state.true_job_unchanged", after, (JobState::TRANSFERRED, 1_000))
}

fn a_file_must_be_there_to_be_judged(c: &mut Bench) -> Outcome {
    for state in [JobState::SUSPENDED, JobState::TRANSFERRING] {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        let file = first_file(&job)?.file3()?;
        c.returns("file3.set_validation_state.pending", file.set_validation_state(true))?;
        c.returns("file3.set_validation_state.pending", file.set_validation_state(false))?;
        c.returns("file3.get_validation_state.ok", file.validation_state())?;
    }
    Ok(())
}

fn each_file_is_judged_by_itself(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    for name in ["1.bin", "2.bin"] {
        c.serve(name, 100)?.add_to(&job)?;
    }
    c.hold_at(&c.serve("2.bin", 100)?, 10)?;
    job.resume()?;
    c.settle()?;
    let files = files(&job)?;
    let (first, second) = (files[0].file3()?, files[1].file3()?);
    c.returns("file3.set_validation_state.ok", first.set_validation_state(true))?;
    c.returns("file3.set_validation_state.pending", second.set_validation_state(true))?;
    let states = (first.validation_state()?, second.validation_state()?);
    c.is("file3.set_validation_state.per_file", states, (true, false))?;
    first.set_validation_state(false)?;
    c.is("file3.set_validation_state.param", first.validation_state()?, false)
}

fn an_invalid_file_fails_the_job(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, file) = transferred(c)?;
    job.set_notify_flags(NotifyFlags::JOB_ERROR | NotifyFlags::FILE_TRANSFERRED)?;
    job.set_notify_interface(Some(recorder.object2()))?;
    c.settle()?;
    let result = file.set_validation_state(false);
    c.returns("file3.set_validation_state.false_origin_returns", result)?;
    c.is(
        ["file3.set_validation_state.false_origin_state", "lifecycle.edge.validation_false_origin"],
        job.state()?,
        JobState::ERROR,
    )?;
    let (_, code) = error_of(&job)?;
    c.returns(["file3.set_validation_state.false_origin_code", "lifecycle.edge.validation_false_origin"], code)?;
    c.is("file3.set_validation_state.false_origin_progress", file.progress()?.bytes_transferred, 0)?;
    c.settle()?;
    c.is("file3.set_validation_state.false_origin_error_callback", recorder.count("JobError"), 1)
}

fn every_invalid_file_is_told_as_an_error(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let job = c.new_job()?;
    for name in ["a.bin", "b.bin"] {
        c.serve(name, 1_000)?.add_to(&job)?;
    }
    job.set_notify_flags(NotifyFlags::JOB_ERROR)?;
    job.set_notify_interface(Some(recorder.object2()))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let mut told = Vec::new();
    for file in files(&job)? {
        file.file3()?.set_validation_state(false)?;
        c.settle()?;
        let culprit = job.error()?.file()?.remote_name()?;
        told.push((recorder.count("JobError"), culprit == file.remote_name()?, job.error_count()?));
    }
    c.is("file3.set_validation_state.false_origin_error_callback", told, vec![(1, true, 1), (2, true, 2)])
}

fn an_invalid_file_is_fetched_again_from_its_server(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/good", Content::synthetic(1_000, 1));
    origin.put("/file", Content::synthetic(2_000, 2));
    let job = c.new_job()?;
    for (path, name) in [("/good", "good.bin"), ("/file", "download.bin")] {
        job.add_file(Some(&origin.url(path)), Some(&c.local(name)))?;
    }
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let Some(judged) = files(&job)?.into_iter().nth(1) else { return failed("there is no second file") };
    let before = origin.journal().len();
    // What is served in its place is told apart by its bytes alone.
    origin.put("/file", Content::synthetic(2_000, 3));
    judged.file3()?.set_validation_state(false)?;
    c.is("files.validation.false_origin", job.state()?, JobState::ERROR)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let paths = origin.journal().iter().skip(before).map(|request| request.path.clone()).collect::<Vec<_>>();
    c.is("file3.set_validation_state.resume_redownloads", paths, vec!["/file".to_owned(); 2])?;
    let again = asked(&origin.journal()).split_off(before);
    let expected = ["HEAD -", "GET bytes=0-1999"].map(str::to_owned);
    c.is("file3.set_validation_state.resume_redownloads", again, expected.to_vec())?;
    job.complete()?;
    let is_new = c.downloaded()? == Synthetic::new(2_000, 3).bytes(0..2_000);
    c.holds("file3.set_validation_state.resume_redownloads", "the file is what was served last", is_new)
}

fn an_invalid_file_is_fetched_again_by_resume(c: &mut Bench) -> Outcome {
    let (job, file) = transferred(c)?;
    file.set_validation_state(false)?;
    let attempts = c.attempted()?.len();
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let again = (c.attempted()?.len() - attempts, file.progress()?.bytes_transferred);
    c.is("file3.set_validation_state.resume_redownloads", again, (1, 1_000))
}

fn before_4_0_a_job_with_an_invalid_file_cannot_be_resumed(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let (job, file) = transferred(c)?;
    file.set_validation_state(false)?;
    let resumed = job.resume().err();
    c.is("file3.set_validation_state.resume_3_0", resumed, Some(Hresult::BG_E_INVALID_STATE))?;
    c.is("file3.set_validation_state.resume_3_0", job.state()?, JobState::ERROR)?;
    job.cancel()?;
    c.is("file3.set_validation_state.resume_3_0", job.state()?, JobState::CANCELLED)
}

fn judgements_can_be_repeated(c: &mut Bench) -> Outcome {
    let (job, file) = transferred(c)?;
    file.set_validation_state(true)?;
    file.set_validation_state(false)?;
    c.is("file3.set_validation_state.repeat", job.state()?, JobState::ERROR)?;
    c.returns("file3.set_validation_state.repeat", file.set_validation_state(true))
}

fn an_upload_cannot_be_judged(c: &mut Bench) -> Outcome {
    let (job, _) = c.upload_in(JobType::UPLOAD, JobState::TRANSFERRED)?;
    c.returns("file3.set_validation_state.upload", first_file(&job)?.file3()?.set_validation_state(true))
}

fn complete_declares_files_valid(c: &mut Bench) -> Outcome {
    let (job, file) = transferred(c)?;
    c.is("file3.set_validation_state.complete_implies_true", file.validation_state()?, false)?;
    job.complete()?;
    let state = file.validation_state()?;
    c.is(["file3.set_validation_state.complete_implies_true", "file3.get_validation_state.after_complete"], state, true)
}

fn files_are_judged_without_any_cache(c: &mut Bench) -> Outcome {
    c.play(Profile::V4_0)?;
    let (job, file) = transferred(c)?;
    file.set_validation_state(false)?;
    c.is("file3.set_validation_state.works_without_cache", job.state()?, JobState::ERROR)
}

fn nothing_comes_from_peers(c: &mut Bench) -> Outcome {
    let (job, remote) = c.job_with_file(1_000)?;
    let file = first_file(&job)?.file3()?;
    let untouched = file.is_downloaded_from_peer();
    c.returns("file3.is_downloaded_from_peer.ok", untouched)?;
    c.is("file3.is_downloaded_from_peer.false", untouched?, false)?;
    c.bring(&job, &remote, JobState::TRANSFERRED)?;
    c.is(
        ["file3.is_downloaded_from_peer.false", "file3.is_downloaded_from_peer.param", "peer.origin_default"],
        file.is_downloaded_from_peer()?,
        false,
    )
}

/// A job whose client judges each file when it is told of it, and what it found in it.
fn judged_in_callback(c: &Bench) -> Result<(Arc<dyn Job>, Arc<Recorder>), Stop> {
    let recorder = Recorder::judging();
    let (job, _) = c.job_with_file(1_000)?;
    job.set_notify_interface(Some(recorder.object2()))?;
    job.set_notify_flags(NotifyFlags::FILE_TRANSFERRED | NotifyFlags::JOB_TRANSFERRED | NotifyFlags::JOB_ERROR)?;
    job.resume()?;
    c.settle()?;
    Ok((job, recorder))
}

fn a_callback_may_judge_the_file(c: &mut Bench) -> Outcome {
    let (job, recorder) = judged_in_callback(c)?;
    c.is(
        [
            "callback2.file_transferred.validate_inside",
            "callback2.file_transferred.invalid_origin",
            "callback.job_transferred.invalid_content_origin",
        ],
        (job.state()?, recorder.count("JobTransferred")),
        (JobState::ERROR, 0),
    )?;
    let inside = recorder.temporary_names();
    c.is("callback2.file_transferred.temp_name_inside", inside.len(), 1)?;
    for name in inside {
        c.holds(
            "callback2.file_transferred.temp_name_inside",
            "the name leads into the folder of the destination",
            split(&name).0 == split(&c.local("a.bin")).0,
        )?;
    }
    Ok(())
}

fn a_file_fetched_again_is_told_again(c: &mut Bench) -> Outcome {
    let (job, recorder) = judged_in_callback(c)?;
    c.is("callback2.file_transferred.again_after_resume", recorder.count("FileTransferred"), 1)?;
    job.resume()?;
    c.settle()?;
    c.is("callback2.file_transferred.again_after_resume", recorder.count("FileTransferred"), 2)
}
