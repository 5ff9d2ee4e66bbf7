//! Parts of files on request, dynamic content, high performance and the limit of size.

use bits_api::{File6, FileRange, JobPriority, JobPropertyId, JobPropertyValue, LENGTH_TO_EOF};
use bits_origin::{GateAt, Origin};

use super::prelude::*;
use super::words::{Notes, asked, bytes, end, job_for, list, named, origin, reach, run};
use crate::bench::ranges;

probes! {
    "file6.position" => a_position_without_requests,
    "file6.position_beyond_end" => a_position_beyond_the_end,
    "file6.resume_again" => requests_after_others_were_met,
    "file6.size_unknown" => a_request_outside_a_file_of_unknown_size,
    "file6.to_eof" => a_request_to_the_end,
    "file6.zero" => requests_of_nothing,
    "file6.max_ranges" => many_requests,
    "job5.dynamic_content.no_ranges" => modes_that_exclude_each_other,
    "job5.dynamic_content.restart" => dynamic_content_that_is_interrupted,
    "job5.dynamic_content.priority" => dynamic_content_in_the_background,
    "job5.high_performance.temporary_name" => the_temporary_name_of_high_performance,
    "job5.max_download_size.exceeded" => files_above_the_limit_of_size,
    "job5.on_demand.when" => on_demand_in_the_middle,
    "job5.on_demand.no_request_pending" => on_demand_without_requests,
}

const SIZE: usize = 1_000;
/// Long enough not to be sent at once.
const LONG: usize = 4 << 20;

const ON: JobPropertyValue = JobPropertyValue::Enable(true);

type Parts<'a> = &'a [(u64, u64)];

fn access(job: &Arc<dyn Job>) -> Result<Arc<dyn File6>, Stop> {
    Ok(first_file(job)?.file6()?)
}

fn request(job: &Arc<dyn Job>, parts: Parts<'_>) -> Result<String, Stop> {
    Ok(named(access(job)?.request_file_ranges(&ranges(parts))))
}

/// The bytes that are there, as HTTP writes them.
fn filled(job: &Arc<dyn Job>) -> Result<String, Stop> {
    let written = |range: &FileRange| format!("{}-{}", range.initial_offset, range.initial_offset + range.length - 1);
    Ok(match access(job)?.filled_file_ranges() {
        Ok(ranges) => list(ranges.iter().map(written)),
        refused => named(refused),
    })
}

/// A suspended job on demand for the file of an origin.
fn on_demand(c: &Bench, origin: &Origin) -> Result<Arc<dyn Job>, Stop> {
    let job = job_for(c, &origin.url("/file"), "demand")?;
    job.job5()?.set_property(JobPropertyId::ON_DEMAND_MODE, ON)?;
    Ok(job)
}

/// What was asked for of the file, but for what it is like.
fn fetched(origin: &Origin) -> String {
    asked(&origin.journal().with_method("GET"))
}

fn a_position_without_requests(c: &mut Bench) -> Answer {
    let origin = origin(c, SIZE)?;
    let job = on_demand(c, &origin)?;
    let mut seen = Notes::default();
    seen.add("UpdateDownloadPosition(500)", named(access(&job)?.update_download_position(500)));
    seen.add("Resume", run(c, &job)?);
    seen.add("fetched", fetched(&origin));
    seen.add("UpdateDownloadPosition(700), then 400", {
        let first = named(access(&job)?.update_download_position(700));
        format!("{first}, {}", named(access(&job)?.update_download_position(400)))
    });
    seen.add("RequestFileRanges 0-99, 450-549, 800-899", request(&job, &[(0, 100), (450, 100), (800, 100)])?);
    seen.add("Resume", run(c, &job)?);
    seen.add("fetched in all", fetched(&origin));
    Ok(seen.told())
}

fn a_position_beyond_the_end(c: &mut Bench) -> Answer {
    let origin = origin(c, SIZE)?;
    let job = on_demand(c, &origin)?;
    request(&job, &[(0, 10)])?;
    let mut seen = Notes::default();
    seen.add("the size is known", run(c, &job)?);
    for offset in [SIZE as u64, SIZE as u64 + 1, u64::MAX] {
        seen.add(format!("UpdateDownloadPosition({offset})"), named(access(&job)?.update_download_position(offset)));
    }
    Ok(seen.told())
}

fn requests_after_others_were_met(c: &mut Bench) -> Answer {
    let origin = origin(c, SIZE)?;
    let job = on_demand(c, &origin)?;
    let mut seen = Notes::default();
    seen.add("RequestFileRanges 0-9", request(&job, &[(0, 10)])?);
    seen.add("Resume", run(c, &job)?);
    seen.add("RequestFileRanges 100-109", request(&job, &[(100, 10)])?);
    seen.add("then", end(c, &job)?);
    seen.add("filled", filled(&job)?);
    seen.add("Resume", run(c, &job)?);
    seen.add("filled", filled(&job)?);
    Ok(seen.told())
}

fn a_request_outside_a_file_of_unknown_size(c: &mut Bench) -> Answer {
    let origin = origin(c, SIZE)?;
    let job = on_demand(c, &origin)?;
    let mut seen = Notes::default();
    seen.add("RequestFileRanges 990-1000 of 1,000 bytes", request(&job, &[(990, 11)])?);
    seen.add("Resume", run(c, &job)?);
    seen.add("fetched", fetched(&origin));
    seen.add("RequestFileRanges 990-999", request(&job, &[(990, 10)])?);
    seen.add("Resume", run(c, &job)?);
    seen.add("filled", filled(&job)?);
    Ok(seen.told())
}

fn a_request_to_the_end(c: &mut Bench) -> Answer {
    let origin = origin(c, SIZE)?;
    let job = on_demand(c, &origin)?;
    let mut seen = Notes::default();
    seen.add("RequestFileRanges from 800, BG_LENGTH_TO_EOF", request(&job, &[(800, LENGTH_TO_EOF)])?);
    seen.add("Resume", run(c, &job)?);
    seen.add("filled", filled(&job)?);
    Ok(seen.told())
}

fn requests_of_nothing(c: &mut Bench) -> Answer {
    let origin = origin(c, SIZE)?;
    let job = on_demand(c, &origin)?;
    let mut seen = Notes::default();
    seen.add("a count of 0", request(&job, &[])?);
    seen.add("a length of 0", request(&job, &[(10, 0)])?);
    Ok(seen.told())
}

fn many_requests(c: &mut Bench) -> Answer {
    let origin = origin(c, 2 * SIZE)?;
    let job = on_demand(c, &origin)?;
    let many: Vec<_> = (0..501).map(|number| (2 * number, 1)).collect();
    let mut seen = Notes::default();
    seen.add("500 ranges", request(&job, &many[..500])?);
    seen.add("501 ranges", request(&job, &many)?);
    Ok(seen.told())
}

/// The ways in which a job is made one of parts, and their names.
fn modes_that_exclude_each_other(c: &mut Bench) -> Answer {
    let origin = origin(c, SIZE)?;
    let url = origin.url("/file");
    let modes = ["dynamic content", "on demand", "a file with ranges"];
    let enter = |job: &Arc<dyn Job>, mode: &str| {
        let result = match mode {
            "dynamic content" => job.job5()?.set_property(JobPropertyId::DYNAMIC_CONTENT, ON),
            "on demand" => job.job5()?.set_property(JobPropertyId::ON_DEMAND_MODE, ON),
            _ => job.job3()?.add_file_with_ranges(Some(&url), Some(&c.local("ranges.bin")), &ranges(&[(0, 10)])),
        };
        Ok::<_, Stop>(named(result))
    };
    let mut seen = Notes::default();
    for first in modes {
        for second in modes.into_iter().filter(|second| *second != first) {
            let job = c.new_job()?;
            job.set_priority(JobPriority::FOREGROUND)?;
            let codes = (enter(&job, first)?, enter(&job, second)?);
            seen.add(format!("{first}, then {second}"), format!("{}, {}", codes.0, codes.1));
            job.cancel()?;
        }
    }
    Ok(seen.told())
}

fn dynamic_content_that_is_interrupted(c: &mut Bench) -> Answer {
    let origin = origin(c, LONG)?;
    let job = job_for(c, &origin.url("/file"), "dynamic")?;
    job.job5()?.set_property(JobPropertyId::DYNAMIC_CONTENT, ON)?;
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(LONG as u64 / 2));
    reach(c, &job, &gate)?;
    let mut seen = Notes::default();
    seen.add("Suspend in the middle", named(job.suspend()));
    gate.open();
    seen.add("Resume", run(c, &job)?);
    seen.add("requests", asked(&origin.journal()));
    Ok(seen.told())
}

fn dynamic_content_in_the_background(c: &mut Bench) -> Answer {
    let origin = c.origin()?;
    origin.put("/file", bytes(SIZE).without_ranges().chunked());
    let mut seen = Notes::default();
    for (name, priority) in [("FOREGROUND", JobPriority::FOREGROUND), ("NORMAL", JobPriority::NORMAL)] {
        let job = job_for(c, &origin.url("/file"), name)?;
        job.set_priority(priority)?;
        seen.add(
            format!("DYNAMIC_CONTENT at {name}"),
            named(job.job5()?.set_property(JobPropertyId::DYNAMIC_CONTENT, ON)),
        );
        seen.add("Resume", run(c, &job)?);
        job.cancel()?;
    }
    Ok(seen.told())
}

fn the_temporary_name_of_high_performance(c: &mut Bench) -> Answer {
    let origin = origin(c, LONG)?;
    let job = c.new_job()?;
    job.set_priority(JobPriority::FOREGROUND)?;
    job.job5()?.set_property(JobPropertyId::HIGH_PERFORMANCE, ON)?;
    job.add_file(Some(&origin.url("/file")), Some(&c.local("fast.bin")))?;
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(LONG as u64 / 2));
    reach(c, &job, &gate)?;
    let file = first_file(&job)?;
    let mut seen = Notes::default();
    let local = file.local_name()?;
    seen.add(
        "GetTemporaryName while TRANSFERRING",
        match file.file3()?.temporary_name() {
            Ok(name) if name == local => "the local name".to_owned(),
            Ok(_) => "another name".to_owned(),
            refused => named(refused),
        },
    );
    gate.open();
    seen.add("then", end(c, &job)?);
    Ok(seen.told())
}

fn files_above_the_limit_of_size(c: &mut Bench) -> Answer {
    let origin = origin(c, 2 * SIZE)?;
    origin.put("/unknown", bytes(2 * SIZE).without_ranges().chunked());
    origin.put("/half", bytes(600));
    let mut seen = Notes::default();
    for (what, paths, is_dynamic) in [
        ("2,000 bytes where 1,000 are the limit", &["/file"][..], false),
        ("the same as dynamic content", &["/file"], true),
        ("the same without Content-Length", &["/unknown"], true),
        ("two files of 600 bytes", &["/half", "/half?again"], false),
    ] {
        let job = c.new_job()?;
        job.set_priority(JobPriority::FOREGROUND)?;
        if is_dynamic {
            job.job5()?.set_property(JobPropertyId::DYNAMIC_CONTENT, ON)?;
        }
        job.job5()?.set_property(JobPropertyId::MAX_DOWNLOAD_SIZE, JobPropertyValue::Uint64(SIZE as u64))?;
        for (number, path) in paths.iter().enumerate() {
            job.add_file(Some(&origin.url(path)), Some(&c.local(&format!("limited{number}.bin"))))?;
        }
        let before = origin.journal().len();
        let ended = run(c, &job)?;
        let requests: Vec<_> = origin.journal().iter().skip(before).map(|request| request.method.clone()).collect();
        seen.add(what, format!("{ended} after {}", list(requests.into_iter())));
        job.cancel()?;
    }
    Ok(seen.told())
}

fn on_demand_in_the_middle(c: &mut Bench) -> Answer {
    let origin = origin(c, LONG)?;
    let job = job_for(c, &origin.url("/file"), "middle")?;
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(LONG as u64 / 2));
    reach(c, &job, &gate)?;
    let mut seen = Notes::default();
    seen.add("ON_DEMAND_MODE while TRANSFERRING", named(job.job5()?.set_property(JobPropertyId::ON_DEMAND_MODE, ON)));
    gate.open();
    seen.add("then", end(c, &job)?);
    Ok(seen.told())
}

fn on_demand_without_requests(c: &mut Bench) -> Answer {
    let origin = origin(c, SIZE)?;
    let job = on_demand(c, &origin)?;
    let mut seen = Notes::default();
    seen.add("Resume", run(c, &job)?);
    seen.add("requests", asked(&origin.journal()));
    Ok(seen.told())
}
