//! FileTransferred of IBackgroundCopyCallback2.

use bits_service::{CallbackCall, ScriptedCallback};
use bits_world::Profile;

use super::prelude::*;

cases![
    each_file_is_told_once,
    a_file_is_not_told_without_its_flag,
    an_object_of_version_1_is_not_told_of_files,
    a_failed_answer_repeats_the_file_and_holds_up_the_rest,
    any_success_settles_a_file,
    files_are_told_before_the_jobs_error,
    an_empty_file_is_told,
    files_are_told_since_bits_3_0,
    both_methods_reach_one_object,
    a_file_is_validated_inside_its_callback,
    a_file_that_is_refused_inside_its_callback_fails_the_job,
    a_file_that_arrives_again_is_told_again,
    the_content_is_there_inside_the_callback,
];

const FILES_AND_ENDS: NotifyFlags =
    NotifyFlags::FILE_TRANSFERRED.union(NotifyFlags::JOB_TRANSFERRED).union(NotifyFlags::JOB_ERROR);

/// A job with two files and a registered recorder.
fn two_files(c: &Bench, recorder: &Arc<Recorder>, flags: NotifyFlags) -> Result<Arc<dyn Job>, Stop> {
    let job = c.new_job()?;
    for name in ["1.bin", "2.bin"] {
        let file = c.serve(name, 100)?;
        file.add_to(&job)?;
    }
    job.set_notify_interface(Some(recorder.object2()))?;
    job.set_notify_flags(flags)?;
    Ok(job)
}

/// The URLs that FileTransferred told of, in order.
fn told_files(recorder: &Recorder) -> Vec<String> {
    let told = recorder.told().into_iter();
    told.filter_map(|told| if let Told::File { url } = told { Some(url) } else { None }).collect()
}

fn each_file_is_told_once(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let job = two_files(c, &recorder, FILES_AND_ENDS)?;
    job.resume()?;
    c.advance(DAY)?;
    c.is(
        ["callback2.file_transferred.when", "callback2.file_transferred.params", "callback2.interface.register"],
        told_files(&recorder),
        urls(&job)?,
    )?;
    c.is(
        ["callback2.file_transferred.before_job_transferred", "callback2.file_transferred.return_ok"],
        recorder.methods(),
        vec!["FileTransferred", "FileTransferred", "JobTransferred"],
    )
}

fn a_file_is_not_told_without_its_flag(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let job = two_files(c, &recorder, NotifyFlags::JOB_TRANSFERRED)?;
    job.resume()?;
    c.settle()?;
    c.is("callback2.interface.unregistered_not_called", recorder.methods(), vec!["JobTransferred"])
}

fn an_object_of_version_1_is_not_told_of_files(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let job = two_files(c, &recorder, FILES_AND_ENDS)?;
    job.set_notify_interface(Some(recorder.object()))?;
    job.resume()?;
    c.advance(DAY)?;
    c.is("callback2.interface.discovery", recorder.methods(), vec!["JobTransferred"])
}

fn a_failed_answer_repeats_the_file_and_holds_up_the_rest(c: &mut Bench) -> Outcome {
    let recorder = Recorder::answering([Err(Hresult::E_FAIL), Err(Hresult::E_FAIL)]);
    let job = two_files(c, &recorder, FILES_AND_ENDS)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.settle()?;
    let [first, second] = [urls(&job)?[0].clone(), urls(&job)?[1].clone()];
    c.is(
        ["callback2.file_transferred.blocks_job_transferred", "callback2.file_transferred.serialized"],
        recorder.told().len(),
        1,
    )?;
    c.advance(DAY)?;
    c.is(
        ["callback2.file_transferred.return_failure", "callback2.file_transferred.serialized"],
        told_files(&recorder),
        vec![first.clone(), first.clone(), first, second],
    )?;
    c.is(
        "callback2.file_transferred.blocks_job_transferred",
        recorder.methods().last().copied(),
        Some("JobTransferred"),
    )
}

fn any_success_settles_a_file(c: &mut Bench) -> Outcome {
    let recorder = Recorder::answering([Ok(Success::FALSE)]);
    let job = two_files(c, &recorder, NotifyFlags::FILE_TRANSFERRED)?;
    job.resume()?;
    c.advance(DAY)?;
    c.is("callback2.file_transferred.return_positive", told_files(&recorder), urls(&job)?)
}

fn files_are_told_before_the_jobs_error(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let job = two_files(c, &recorder, FILES_AND_ENDS)?;
    let second = c.serve("2.bin", 100)?;
    c.trouble(&second, Trouble::Refuses(10))?;
    job.resume()?;
    c.settle()?;
    c.is(
        ["callback2.file_transferred.before_job_error", "callback2.file_transferred.when"],
        recorder.methods(),
        vec!["FileTransferred", "JobError"],
    )
}

fn an_empty_file_is_told(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, _) = c.job_with_file(0)?;
    job.set_notify_interface(Some(recorder.object2()))?;
    job.set_notify_flags(NotifyFlags::FILE_TRANSFERRED)?;
    job.resume()?;
    c.settle()?;
    c.is("callback2.file_transferred.zero_length", recorder.methods(), vec!["FileTransferred"])
}

fn files_are_told_since_bits_3_0(c: &mut Bench) -> Outcome {
    c.play(Profile::V3_0)?;
    let recorder = Recorder::new();
    let job = two_files(c, &recorder, NotifyFlags::FILE_TRANSFERRED)?;
    job.resume()?;
    c.settle()?;
    c.value("job.set_notify_flags.file_transferred", job.notify_flags()?)?;
    c.is("callback2.file_transferred.when", recorder.methods().len(), 2)
}

fn both_methods_reach_one_object(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let job = two_files(c, &recorder, FILES_AND_ENDS | NotifyFlags::JOB_MODIFICATION)?;
    let first = c.serve("1.bin", 100)?;
    c.trouble(&first, Trouble::NotFound)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.settle()?;
    job.resume()?;
    c.settle()?;
    let mut methods = recorder.methods();
    methods.sort_unstable();
    methods.dedup();
    c.is(
        ["callback2.interface.inherits", "callback.interface.methods"],
        methods,
        vec!["FileTransferred", "JobError", "JobModification", "JobTransferred"],
    )
}

/// What the client says of the only file of a job.
fn judge(job: &Arc<dyn Job>, valid: bool) -> Result<Success, Hresult> {
    job.enum_files()?.next(1)?.items[0].file3()?.set_validation_state(valid)
}

/// A resumed job of one file with this callback.
fn judged(c: &Bench, callback: &ScriptedCallback) -> Result<Arc<dyn Job>, Stop> {
    let (job, _) = c.job_with_file(1_000)?;
    job.set_notify_interface(Some(callback.object()))?;
    job.set_notify_flags(FILES_AND_ENDS)?;
    job.resume()?;
    c.settle()?;
    Ok(job)
}

/// The methods that were called, in order.
fn methods(callback: &ScriptedCallback) -> Vec<&'static str> {
    let name = |call: &CallbackCall| match call {
        CallbackCall::JobTransferred { .. } => "JobTransferred",
        CallbackCall::JobError { .. } => "JobError",
        CallbackCall::FileTransferred { .. } => "FileTransferred",
        _ => "another",
    };
    callback.calls().iter().map(name).collect()
}

fn a_file_is_validated_inside_its_callback(c: &mut Bench) -> Outcome {
    let callback = ScriptedCallback::new();
    callback.act(|job| judge(job, true));
    let job = judged(c, &callback)?;
    let is_valid = first_file(&job)?.file3()?.validation_state()?;
    c.is("callback2.file_transferred.validate_inside", (job.state()?, is_valid), (JobState::TRANSFERRED, true))?;
    c.is("callback2.file_transferred.validate_inside", methods(&callback), vec!["FileTransferred", "JobTransferred"])
}

fn a_file_that_is_refused_inside_its_callback_fails_the_job(c: &mut Bench) -> Outcome {
    let callback = ScriptedCallback::new();
    callback.act(|job| judge(job, false));
    let job = judged(c, &callback)?;
    c.is(
        ["callback2.file_transferred.invalid_origin", "callback2.file_transferred.validate_inside"],
        job.state()?,
        JobState::ERROR,
    )?;
    c.is(
        "file3.set_validation_state.false_origin_error_callback",
        methods(&callback),
        vec!["FileTransferred", "JobError"],
    )?;
    c.start_over();
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    let callback = ScriptedCallback::new();
    callback.act(|job| judge(job, false));
    job.set_notify_interface(Some(callback.object()))?;
    c.settle()?;
    c.is("callback.job_transferred.invalid_content_origin", job.state()?, JobState::ERROR)?;
    c.is("callback.job_transferred.invalid_content_origin", methods(&callback), vec!["JobTransferred", "JobError"])
}

fn a_file_that_arrives_again_is_told_again(c: &mut Bench) -> Outcome {
    let callback = ScriptedCallback::new();
    callback.act(|job| judge(job, false));
    let job = judged(c, &callback)?;
    job.resume()?;
    c.settle()?;
    c.is(
        "callback2.file_transferred.again_after_resume",
        (job.state()?, methods(&callback)),
        (JobState::TRANSFERRED, vec!["FileTransferred", "JobError", "FileTransferred", "JobTransferred"]),
    )?;
    // Also when the client mends it at once.
    c.start_over();
    let callback = ScriptedCallback::new();
    callback.act(|job| {
        judge(job, false)?;
        job.resume()
    });
    judged(c, &callback)?;
    c.advance(DAY)?;
    c.is("callback2.file_transferred.again_after_resume", methods(&callback).len(), 3)
}

fn the_content_is_there_inside_the_callback(c: &mut Bench) -> Outcome {
    let callback = ScriptedCallback::new();
    let seen = Arc::new(std::sync::Mutex::new(String::new()));
    let name = Arc::clone(&seen);
    callback.act(move |job| {
        let file = job.enum_files()?.next(1)?.items[0].file3()?;
        *name.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = file.temporary_name()?;
        Ok(Success::OK)
    });
    judged(c, &callback)?;
    let name = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let file = name.rsplit(['\\', '/']).next().unwrap_or_default();
    c.is("callback2.file_transferred.temp_name_inside", c.local_length(file)?, Some(1_000))?;
    c.is("callback2.file_transferred.temp_name_inside", c.local_length("a.bin")?, None)
}
