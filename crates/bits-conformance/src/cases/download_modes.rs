//! Dynamic content, high performance, and a limit on what a job may download.

use bits_api::{JobPropertyId, JobPropertyValue};
use bits_origin::{Content, GateAt, Synthetic};
use bits_service::SimServer;
use bits_world::InternetBandwidth;

use super::http::asked;
use super::prelude::*;
use crate::bench::Remote;

cases![
    dynamic_content_needs_nothing_of_its_server,
    static_content_needs_all_of_it,
    the_size_of_dynamic_content_is_known_at_its_end,
    dynamic_content_always_begins_at_the_first_byte,
    dynamic_content_is_transferred_at_any_priority,
    dynamic_content_is_not_slowed_down,
    dynamic_content_and_parts_exclude_each_other,
    direct_files_stand_at_their_place_before_complete,
    each_file_of_a_direct_job_stands_at_its_place,
    direct_files_stay_when_the_job_is_cancelled,
    direct_files_stay_when_the_job_fails,
    a_job_of_direct_files_keeps_no_progress,
    a_direct_file_is_its_own_temporary_file,
    direct_bytes_are_those_of_the_file,
    a_job_downloads_no_more_than_its_limit,
    dynamic_content_ends_at_the_limit,
];

fn dynamic_job(c: &Bench) -> Result<(Arc<dyn Job>, Remote), Stop> {
    let job = c.job_with(JobPropertyId::DYNAMIC_CONTENT)?;
    job.set_priority(JobPriority::FOREGROUND)?;
    let file = c.serve("dynamic.bin", 1_000)?;
    file.add_to(&job)?;
    Ok((job, file))
}

fn dynamic_content_needs_nothing_of_its_server(c: &mut Bench) -> Outcome {
    let lacking = [
        ("job5.dynamic_content.lifts_head", SimServer { head: false, ..SimServer::default() }),
        ("job5.dynamic_content.lifts_content_length", SimServer { length: false, ..SimServer::default() }),
        ("job5.dynamic_content.lifts_content_range", SimServer { ranges: false, ..SimServer::default() }),
    ];
    for (clause, server) in lacking {
        let (job, file) = dynamic_job(c)?;
        c.serve_by(&file, server)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        job.complete()?;
        c.is(clause, c.local_length("dynamic.bin")?, Some(1_000))?;
    }
    c.start_over();
    let origin = c.origin()?;
    let bytes = Synthetic::new(5_000, 1).bytes(0..5_000);
    origin.put("/file", Content::bytes(bytes.clone()).chunked().without_ranges().refuse_head(405));
    let job = c.job_with(JobPropertyId::DYNAMIC_CONTENT)?;
    job.set_priority(JobPriority::FOREGROUND)?;
    job.add_file(Some(&origin.url("/file")), Some(&c.local("download.bin")))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    let whole = c.downloaded()? == bytes;
    for (clause, _) in lacking {
        c.holds([clause, "http.dynamic_property"], "the file has the bytes of the server's", whole)?;
    }
    c.is("job5.dynamic_content.lifts_head", asked(&origin.journal()), vec!["GET -".to_owned()])
}

fn static_content_needs_all_of_it(c: &mut Bench) -> Outcome {
    let lacking = [
        SimServer { head: false, ..SimServer::default() },
        SimServer { length: false, ..SimServer::default() },
        SimServer { ranges: false, ..SimServer::default() },
    ];
    for server in lacking {
        let (job, file) = c.job_with_file(1_000)?;
        c.serve_by(&file, server)?;
        job.resume()?;
        c.settle()?;
        c.is("job5.dynamic_content.without_it", job.state()?, JobState::ERROR)?;
        job.cancel()?;
    }
    Ok(())
}

fn the_size_of_dynamic_content_is_known_at_its_end(c: &mut Bench) -> Outcome {
    let (job, file) = dynamic_job(c)?;
    c.serve_by(&file, SimServer::DYNAMIC)?;
    c.hold_at(&file, 400)?;
    job.resume()?;
    c.settle()?;
    let progress = first_file(&job)?.progress()?;
    c.is(
        "job5.dynamic_content.size_unknown",
        (progress.bytes_total, progress.bytes_transferred, job.progress()?.bytes_total),
        (SIZE_UNKNOWN, 400, SIZE_UNKNOWN),
    )?;
    c.let_go(&file)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("job5.dynamic_content.size_unknown", first_file(&job)?.progress()?.bytes_total, 1_000)
}

fn dynamic_content_always_begins_at_the_first_byte(c: &mut Bench) -> Outcome {
    // Also from a server that could do better.
    for server in [SimServer::DYNAMIC, SimServer::default()] {
        c.start_over();
        let (job, file) = dynamic_job(c)?;
        c.serve_by(&file, server)?;
        c.hold_at(&file, 400)?;
        job.resume()?;
        c.settle()?;
        job.suspend()?;
        c.settle()?;
        job.resume()?;
        c.settle()?;
        c.is("job5.dynamic_content.suspend_resume", c.fetched(&file)?, vec![(0, 400), (0, 400)])?;
        c.disconnect()?;
        c.connect()?;
        c.settle()?;
        c.is("job5.dynamic_content.no_resume", c.fetched(&file)?, vec![(0, 400); 3])?;
        let id = job.id()?;
        c.restart_service()?;
        let job = c.find(id)?;
        c.let_go(&file)?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.is("job5.dynamic_content.no_resume", c.fetched(&file)?.iter().all(|(first, _)| *first == 0), true)?;
    }
    Ok(())
}

fn dynamic_content_is_transferred_at_any_priority(c: &mut Bench) -> Outcome {
    for priority in [JobPriority::FOREGROUND, JobPriority::HIGH, JobPriority::NORMAL, JobPriority::LOW] {
        let (job, file) = dynamic_job(c)?;
        c.serve_by(&file, SimServer::DYNAMIC)?;
        job.set_priority(priority)?;
        job.resume()?;
        c.settle()?;
        c.is("job5.dynamic_content.needs_foreground", job.state()?, JobState::TRANSFERRED)?;
        job.cancel()?;
    }
    Ok(())
}

fn dynamic_content_is_not_slowed_down(c: &mut Bench) -> Outcome {
    c.set_policies(|policies| policies.max_internet_bandwidth = Some(InternetBandwidth::all_day(8)))?;
    let (job, _) = dynamic_job(c)?;
    job.set_priority(JobPriority::NORMAL)?;
    job.resume()?;
    c.settle()?;
    let (slow, _) = c.job_with_file(1_000)?;
    slow.resume()?;
    c.settle()?;
    c.is(
        "job5.dynamic_content.no_throttle",
        (job.state()?, slow.state()?),
        (JobState::TRANSFERRED, JobState::TRANSFERRING),
    )?;
    c.wait(&slow, JobState::TRANSFERRED, SOON)?;
    // A limit that comes while it runs does not count either.
    c.set_policies(|policies| policies.max_internet_bandwidth = None)?;
    let (job, file) = dynamic_job(c)?;
    job.set_priority(JobPriority::NORMAL)?;
    c.hold_at(&file, 400)?;
    job.resume()?;
    c.settle()?;
    c.set_policies(|policies| policies.max_internet_bandwidth = Some(InternetBandwidth::all_day(8)))?;
    c.let_go(&file)?;
    c.settle()?;
    c.is("job5.dynamic_content.no_throttle", job.state()?, JobState::TRANSFERRED)
}

fn dynamic_content_and_parts_exclude_each_other(c: &mut Bench) -> Outcome {
    let (job, file) = dynamic_job(c)?;
    let add = job.job3()?.add_file_with_ranges(Some(&file.url), Some(&c.local("parts.bin")), &ranges(&[(0, 10)]));
    c.returns("job5.dynamic_content.no_ranges", add)?;
    let parts = c.new_job()?;
    file.add_parts_to(&parts, &[(0, 10)])?;
    let set = parts.job5()?.set_property(JobPropertyId::DYNAMIC_CONTENT, JobPropertyValue::Enable(true));
    c.returns("job5.dynamic_content.no_ranges", set)
}

/// A job that writes its file of 1,000 bytes where it will stay.
fn direct_job(c: &Bench) -> Result<(Arc<dyn Job>, Remote), Stop> {
    let job = c.job_with(JobPropertyId::HIGH_PERFORMANCE)?;
    let file = c.serve("direct.bin", 1_000)?;
    file.add_to(&job)?;
    Ok((job, file))
}

/// The job, of whose file 400 bytes are there.
fn direct_job_under_way(c: &Bench) -> Result<(Arc<dyn Job>, Remote), Stop> {
    let (job, file) = direct_job(c)?;
    c.hold_at(&file, 400)?;
    job.resume()?;
    c.settle()?;
    Ok((job, file))
}

fn alone(length: u64) -> Vec<(String, u64)> {
    vec![("direct.bin".to_owned(), length)]
}

fn direct_files_stand_at_their_place_before_complete(c: &mut Bench) -> Outcome {
    let (job, file) = direct_job_under_way(c)?;
    c.is("job5.high_performance.direct_write", c.local_files()?, alone(400))?;
    c.let_go(&file)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        [
            "job5.high_performance.visible_before_complete",
            "job.complete.high_performance",
            "lifecycle.complete.high_performance",
        ],
        c.local_files()?,
        alone(1_000),
    )?;
    let result = job.complete();
    let ended = (result, job.state()?);
    c.is(
        [
            "job5.high_performance.visible_before_complete",
            "job.complete.high_performance",
            "lifecycle.complete.high_performance",
        ],
        ended,
        (Ok(Success::OK), JobState::ACKNOWLEDGED),
    )?;
    c.is("job5.high_performance.direct_write", c.local_files()?, alone(1_000))
}

fn each_file_of_a_direct_job_stands_at_its_place(c: &mut Bench) -> Outcome {
    let job = c.job_with(JobPropertyId::HIGH_PERFORMANCE)?;
    c.serve("first.bin", 1_000)?.add_to(&job)?;
    let parts = c.serve("parts.bin", 1_000)?;
    job.job3()?.add_file_with_ranges(Some(&parts.url), Some(&parts.local), &ranges(&[(0, 100), (500, 200)]))?;
    let third = c.serve("third.bin", 1_000)?;
    third.add_to(&job)?;
    c.hold_at(&third, 400)?;
    job.resume()?;
    c.settle()?;
    let expected = [("first.bin", 1_000), ("parts.bin", 300), ("third.bin", 400)];
    let expected = expected.map(|(name, length)| (name.to_owned(), length)).to_vec();
    c.is("job5.high_performance.direct_write", c.local_files()?, expected)
}

fn direct_files_stay_when_the_job_is_cancelled(c: &mut Bench) -> Outcome {
    let (job, _) = direct_job_under_way(c)?;
    job.cancel()?;
    c.is("job5.high_performance.no_cleanup_cancel", c.local_files()?, alone(400))
}

fn direct_files_stay_when_the_job_fails(c: &mut Bench) -> Outcome {
    let (job, file) = direct_job(c)?;
    c.trouble(&file, Trouble::Refuses(400))?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is("job5.high_performance.no_cleanup_error", c.local_files()?, alone(400))?;
    job.cancel()?;
    c.is("job5.high_performance.no_cleanup_error", c.local_files()?, alone(400))
}

fn a_job_of_direct_files_keeps_no_progress(c: &mut Bench) -> Outcome {
    let (job, file) = direct_job_under_way(c)?;
    let second = c.serve("second.bin", 1_000)?;
    second.add_to(&job)?;
    c.hold_at(&second, 300)?;
    c.let_go(&file)?;
    c.settle()?;
    let id = job.id()?;
    c.is("job5.high_performance.job_survives", job.progress()?.bytes_transferred, 1_300)?;
    c.restart_service()?;
    c.settle()?;
    let job = c.find(id)?;
    c.is(
        "job5.high_performance.job_survives",
        (job.display_name()?, job.enum_files()?.count()?),
        (job_name().to_owned(), 2),
    )?;
    c.let_go(&second)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        ["job5.high_performance.no_progress_persist", "job5.high_performance.unexpected_shutdown"],
        (c.fetched(&file)?.last().copied(), c.fetched(&second)?.last().copied()),
        (Some((0, 1_000)), Some((0, 1_000))),
    )?;
    let moved: u64 = c.fetched(&file)?.iter().map(|(_, length)| length).sum();
    c.is("job5.high_performance.unexpected_shutdown", moved, 2_000)
}

fn a_direct_file_is_its_own_temporary_file(c: &mut Bench) -> Outcome {
    let (job, file) = direct_job_under_way(c)?;
    c.is("job5.high_performance.temporary_name", first_file(&job)?.file3()?.temporary_name(), Ok(file.local))
}

fn direct_bytes_are_those_of_the_file(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let bytes = Synthetic::new(50_000, 1).bytes(0..50_000);
    origin.put("/file", Content::bytes(bytes.clone()));
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(20_000));
    let job = c.job_with(JobPropertyId::HIGH_PERFORMANCE)?;
    std::fs::write(c.local("download.bin"), "what was there before")
        .map_err(|error| Stop::Failed(error.to_string()))?;
    job.add_file(Some(&origin.url("/file")), Some(&c.local("download.bin")))?;
    job.resume()?;
    c.settle()?;
    c.holds("job5.high_performance.direct_write", "the first bytes are there", c.downloaded()? == bytes[..20_000])?;
    gate.open();
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.holds("job5.high_performance.visible_before_complete", "the file is whole", c.downloaded()? == bytes)?;
    job.complete()?;
    c.is("job5.high_performance.direct_write", c.local_files()?, vec![("download.bin".to_owned(), 50_000)])
}

fn limited(job: &Arc<dyn Job>, bytes: u64) -> Outcome {
    job.job5()?.set_property(JobPropertyId::MAX_DOWNLOAD_SIZE, JobPropertyValue::Uint64(bytes))?;
    Ok(())
}

fn a_job_downloads_no_more_than_its_limit(c: &mut Bench) -> Outcome {
    for (limit, state) in [(1_500, JobState::TRANSFERRED), (1_499, JobState::ERROR)] {
        c.start_over();
        let job = c.new_job()?;
        limited(&job, limit)?;
        c.serve("first.bin", 1_000)?.add_to(&job)?;
        let second = c.serve("second.bin", 500)?;
        second.add_to(&job)?;
        job.resume()?;
        c.settle()?;
        c.is(["job5.max_download_size.scope", "job5.max_download_size.with_static"], job.state()?, state)?;
        if state == JobState::ERROR {
            let (context, code) = error_of(&job)?;
            c.returns("job5.max_download_size.exceeded", code)?;
            c.is(
                "job5.max_download_size.exceeded",
                (context, c.fetched(&second)?),
                (ErrorContext::REMOTE_FILE, vec![]),
            )?;
        }
    }
    Ok(())
}

fn dynamic_content_ends_at_the_limit(c: &mut Bench) -> Outcome {
    for (limit, state) in [(1_000, JobState::TRANSFERRED), (999, JobState::ERROR)] {
        c.start_over();
        let (job, file) = dynamic_job(c)?;
        c.serve_by(&file, SimServer::DYNAMIC)?;
        limited(&job, limit)?;
        job.resume()?;
        c.settle()?;
        c.is(["job5.max_download_size.exceeded", "job5.max_download_size.scope"], job.state()?, state)?;
    }
    c.start_over();
    let origin = c.origin()?;
    origin.put("/file", Content::synthetic(50_000, 1).chunked());
    let job = c.job_with(JobPropertyId::DYNAMIC_CONTENT)?;
    limited(&job, 20_000)?;
    job.add_file(Some(&origin.url("/file")), Some(&c.local("download.bin")))?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.returns("job5.max_download_size.exceeded", error_of(&job)?.1)?;
    let most = c.local_files()?.iter().map(|(_, length)| *length).max();
    c.holds("job5.max_download_size.scope", "no more than the limit is there", most.is_none_or(|most| most <= 20_000))
}
