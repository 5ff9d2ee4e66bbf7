//! FileRangesTransferred of IBackgroundCopyCallback3.

use bits_api::{FileRange, JobPropertyId, JobPropertyValue};
use bits_world::Profile;

use super::prelude::*;

cases![
    ranges_are_told_as_they_arrive,
    ranges_that_wait_are_told_together,
    ranges_of_a_failed_callback_are_not_told_again,
    an_object_of_an_older_version_is_told_of_no_ranges,
    ranges_are_not_told_without_their_flag,
    an_older_bits_does_not_know_the_flag,
    all_methods_reach_one_object,
    bytes_that_were_there_are_not_told_again,
    requested_ranges_are_told_as_they_arrive,
    a_request_begins_another_window,
    requested_bytes_that_are_there_are_not_told_again,
    jobs_without_random_access_are_told_of_no_ranges,
];

const RANGES: NotifyFlags = NotifyFlags::FILE_RANGES_TRANSFERRED;

/// A job whose file stands at 100 bytes, watched by an object of version 3.
fn watched(c: &Bench, recorder: &Arc<Recorder>) -> Result<(Arc<dyn Job>, crate::bench::Remote), Stop> {
    let (job, file) = c.job_with_file(1_000)?;
    job.set_notify_interface(Some(recorder.object3()))?;
    job.set_notify_flags(RANGES)?;
    c.hold_at(&file, 100)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    Ok((job, file))
}

/// What each call told, as first byte and length.
fn told(recorder: &Recorder) -> Vec<Vec<(u64, u64)>> {
    let pairs = |ranges: Vec<FileRange>| ranges.into_iter().map(|range| (range.initial_offset, range.length)).collect();
    let calls = recorder.told().into_iter();
    calls.filter_map(|told| if let Told::Ranges { ranges, .. } = told { Some(pairs(ranges)) } else { None }).collect()
}

fn ranges_are_told_as_they_arrive(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, file) = watched(c, &recorder)?;
    c.advance(SECOND)?;
    c.move_to(&file, 400)?;
    c.advance(SECOND)?;
    c.let_go(&file)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.advance(DAY)?;
    let calls = [(0, 100), (100, 300), (400, 600)];
    c.is(
        [
            "callback3.file_ranges_transferred.when",
            "callback3.file_ranges_transferred.since_last",
            "callback3.file_ranges_transferred.non_on_demand",
            "callback3.interface.register",
            "job.set_notify_flags.file_ranges",
        ],
        told(&recorder),
        calls.iter().map(|range| vec![*range]).collect::<Vec<_>>(),
    )?;
    let expected = |(initial_offset, length): &(u64, u64)| Told::Ranges {
        url: file.url.clone(),
        ranges: vec![FileRange { initial_offset: *initial_offset, length: *length }],
    };
    c.holds(
        ["callback3.file_ranges_transferred.params", "callback3.file_ranges_transferred.return_ok"],
        "each call tells the file and its ranges, once",
        recorder.told() == calls.iter().map(expected).collect::<Vec<_>>(),
    )?;
    c.value(["job.set_notify_flags.file_ranges", "callback3.flag.file_ranges_transferred"], job.notify_flags()?)
}

fn ranges_that_wait_are_told_together(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (_, file) = watched(c, &recorder)?;
    for bytes in [200, 300, 400] {
        c.move_to(&file, bytes)?;
        c.settle()?;
    }
    c.is("callback3.file_ranges_transferred.since_last", told(&recorder), vec![vec![(0, 100)]])?;
    c.advance(SECOND)?;
    c.is("callback3.file_ranges_transferred.since_last", told(&recorder), vec![vec![(0, 100)], vec![(100, 300)]])
}

fn ranges_of_a_failed_callback_are_not_told_again(c: &mut Bench) -> Outcome {
    let recorder = Recorder::answering(vec![Err(Hresult::E_FAIL); 10]);
    let (_, file) = watched(c, &recorder)?;
    c.advance(DAY)?;
    c.is("callback3.file_ranges_transferred.return_failure", told(&recorder), vec![vec![(0, 100)]])?;
    c.move_to(&file, 300)?;
    c.advance(DAY)?;
    c.is("callback3.file_ranges_transferred.return_failure", told(&recorder), vec![vec![(0, 100)], vec![(100, 200)]])
}

const EVERYTHING: NotifyFlags = NotifyFlags::JOB_TRANSFERRED
    .union(NotifyFlags::JOB_ERROR)
    .union(NotifyFlags::JOB_MODIFICATION)
    .union(NotifyFlags::FILE_TRANSFERRED)
    .union(RANGES);

fn an_object_of_an_older_version_is_told_of_no_ranges(c: &mut Bench) -> Outcome {
    let recorders = [Recorder::new(), Recorder::new()];
    let objects = [recorders[0].object(), recorders[1].object2()];
    for (recorder, object) in recorders.iter().zip(objects) {
        let (job, _) = c.job_with_file(1_000)?;
        let registered = job.set_notify_interface(Some(object));
        c.is("callback3.interface.optional", registered.is_ok(), true)?;
        job.set_notify_flags(EVERYTHING)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.advance(DAY)?;
        c.is("callback3.interface.optional", recorder.count("FileRangesTransferred"), 0)?;
        c.is("callback3.interface.optional", recorder.count("JobTransferred"), 1)?;
    }
    Ok(())
}

fn ranges_are_not_told_without_their_flag(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, _) = c.job_with_file(1_000)?;
    job.set_notify_interface(Some(recorder.object3()))?;
    job.set_notify_flags(EVERYTHING - RANGES)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.advance(DAY)?;
    c.is("callback3.interface.register", recorder.count("FileRangesTransferred"), 0)?;
    c.is("callback3.interface.register", recorder.count("FileTransferred"), 1)
}

fn an_older_bits_does_not_know_the_flag(c: &mut Bench) -> Outcome {
    c.play(Profile::V5_0)?;
    let job = c.new_job()?;
    c.returns("callback3.flag.old_version", job.set_notify_flags(RANGES))
}

fn all_methods_reach_one_object(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, file) = c.job_with_file(1_000)?;
    job.set_notify_interface(Some(recorder.object3()))?;
    job.set_notify_flags(EVERYTHING)?;
    c.trouble(&file, Trouble::NotFound)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.settle()?;
    job.resume()?;
    c.advance(SECOND)?;
    let mut methods = recorder.methods();
    methods.sort_unstable();
    methods.dedup();
    c.is(
        "callback3.interface.inherits",
        methods,
        vec!["FileRangesTransferred", "FileTransferred", "JobError", "JobModification", "JobTransferred"],
    )
}

fn bytes_that_were_there_are_not_told_again(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, file) = watched(c, &recorder)?;
    job.suspend()?;
    c.advance(SECOND)?;
    c.move_to(&file, 250)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.advance(SECOND)?;
    c.is("callback3.file_ranges_transferred.since_last", told(&recorder), vec![vec![(0, 100)], vec![(100, 150)]])
}

/// A suspended on-demand job, watched by an object of version 3, with a file of 1,000 bytes.
fn on_demand(c: &Bench, recorder: &Arc<Recorder>) -> Result<(Arc<dyn Job>, crate::bench::Remote), Stop> {
    let (job, file) = c.job_with_file(1_000)?;
    job.job5()?.set_property(JobPropertyId::ON_DEMAND_MODE, JobPropertyValue::Enable(true))?;
    job.set_notify_interface(Some(recorder.object3()))?;
    job.set_notify_flags(RANGES)?;
    Ok((job, file))
}

fn request(job: &Arc<dyn Job>, ranges: &[(u64, u64)]) -> Result<Success, Hresult> {
    let ranges: Vec<_> = ranges
        .iter()
        .map(|(initial_offset, length)| FileRange { initial_offset: *initial_offset, length: *length })
        .collect();
    let files = job.enum_files()?.next(1)?.items;
    files[0].file6()?.request_file_ranges(&ranges)
}

fn requested_ranges_are_told_as_they_arrive(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, file) = on_demand(c, &recorder)?;
    request(&job, &[(100, 50), (150, 50), (600, 100)])?;
    c.hold_at(&file, 80)?;
    job.resume()?;
    c.settle()?;
    c.is("callback3.file_ranges_transferred.partial", told(&recorder), vec![vec![(100, 80)]])?;
    c.let_go(&file)?;
    c.advance(SECOND)?;
    c.is(
        ["callback3.file_ranges_transferred.not_as_requested", "notify.callback3"],
        told(&recorder),
        vec![vec![(100, 80)], vec![(180, 20), (600, 100)]],
    )
}

fn a_request_begins_another_window(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, file) = on_demand(c, &recorder)?;
    request(&job, &[(100, 300)])?;
    c.hold_at(&file, 50)?;
    job.resume()?;
    c.settle()?;
    c.move_to(&file, 150)?;
    c.settle()?;
    // The second hundred bytes have arrived, and nobody was told yet.
    request(&job, &[(700, 10)])?;
    c.advance(SECOND)?;
    let clauses = ["file6.request_file_ranges.callback_window", "callback3.file_ranges_transferred.since_last"];
    c.is(clauses, told(&recorder), vec![vec![(100, 50)], vec![(250, 150)]])?;
    c.let_go(&file)?;
    c.advance(SECOND)?;
    c.is(clauses, told(&recorder).last().cloned(), Some(vec![(700, 10)]))
}

fn requested_bytes_that_are_there_are_not_told_again(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (job, _) = on_demand(c, &recorder)?;
    request(&job, &[(100, 100)])?;
    job.resume()?;
    c.advance(SECOND)?;
    request(&job, &[(50, 200)])?;
    job.resume()?;
    c.advance(SECOND)?;
    c.is(
        "callback3.file_ranges_transferred.no_repeats",
        told(&recorder),
        vec![vec![(100, 100)], vec![(50, 50), (200, 50)]],
    )
}

fn jobs_without_random_access_are_told_of_no_ranges(c: &mut Bench) -> Outcome {
    let recorder = Recorder::new();
    let (dynamic, _) = c.job_with_file(1_000)?;
    dynamic.job5()?.set_property(JobPropertyId::DYNAMIC_CONTENT, JobPropertyValue::Enable(true))?;
    let (upload, _) = c.upload_job(JobType::UPLOAD, 1_000)?;
    let (reply, replied) = c.upload_job(JobType::UPLOAD_REPLY, 1_000)?;
    c.reply_with(&replied, b"a reply")?;
    for job in [dynamic, upload, reply] {
        job.set_notify_interface(Some(recorder.object3()))?;
        c.returns("callback3.flag.any_job", job.set_notify_flags(RANGES))?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.advance(SECOND)?;
        c.is(["callback3.flag.delivery", "job.set_notify_flags.ranges_any_job"], told(&recorder), vec![])?;
    }
    Ok(())
}
