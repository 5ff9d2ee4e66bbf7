//! FileTransferred of IBackgroundCopyCallback2.

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
