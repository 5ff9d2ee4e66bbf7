//! Ranges: those that a file is added with, those that are asked for later, and prefixes of names.

use bits_api::LENGTH_TO_EOF;
use bits_origin::{Content, Origin};

use super::prelude::*;
use super::rest::{Asked, Texts, ending, rest};

probes![
    "files.ranges.zero_length" => |c| seen(added(c, &[(10, 0)])?),
    "files.ranges.adjacent" => |c| seen(added(c, &[(100, 100), (200, 100)])?),
    "files.ranges.same_offset" => two_ranges_at_one_offset,
    "files.ranges.total_known" => the_total_before_the_transfer,
    "http.ranges_per_request" => how_many_ranges_in_a_request,
    "job3.replace_remote_prefix.no_files" => a_prefix_of_nothing,
    "job3.replace_remote_prefix.all_or_nothing" => one_name_gets_too_long,
    "file6.without_mode" => requests_in_an_ordinary_job,
    "file6.files_with_ranges" => requests_beside_ranges,
];

const SIZE: u64 = 50_000;

type Parts<'a> = &'a [(u64, u64)];

/// A new job to which these ranges of a file are added, and what AddFileWithRanges gave.
fn add(c: &Bench, url: &str, parts: Parts<'_>) -> Result<(Arc<dyn Job>, Hresult), Stop> {
    let job = c.new_job()?;
    job.set_priority(JobPriority::FOREGROUND)?;
    let added = job.job3()?.add_file_with_ranges(Some(url), Some(&c.local("download.bin")), &ranges(parts));
    Ok((job, code(added)))
}

/// What AddFileWithRanges gives for these.
fn added(c: &mut Bench, parts: Parts<'_>) -> Result<Hresult, Stop> {
    let origin = served(c)?;
    let (job, code) = add(c, &origin.url("/file"), parts)?;
    job.cancel()?;
    Ok(code)
}

fn served(c: &mut Bench) -> Result<Arc<Origin>, Stop> {
    c.start_over();
    let origin = c.origin()?;
    origin.put("/file", Content::synthetic(SIZE, 1));
    Ok(origin)
}

fn two_ranges_at_one_offset(c: &mut Bench) -> Answer {
    Ok(Seen::new()
        .and("5 bytes and none at 100", added(c, &[(100, 5), (100, 0)])?)
        .and("none and 5 bytes at 100", added(c, &[(100, 0), (100, 5)])?))
}

fn the_total_before_the_transfer(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    let to_the_end = [(100, 50), (300, LENGTH_TO_EOF)];
    for (name, parts) in [("50 and 70 bytes", [(100, 50), (300, 70)]), ("50 bytes and the rest", to_the_end)] {
        let origin = served(c)?;
        let (job, _) = add(c, &origin.url("/file"), &parts)?;
        let (of_job, of_file) = (job.progress(), first_file(&job)?.progress());
        seen = seen.and(&format!("{name}, the job"), of_job).and("its file", of_file);
    }
    Ok(seen)
}

/// How many ranges each GET asks for, and how many such requests follow each other.
fn per_request(origin: &Origin) -> Texts {
    let journal = origin.journal();
    let asked = journal.iter().filter_map(|request| request.header("Range"));
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for count in asked.map(|range| range.split(',').count()) {
        match runs.last_mut() {
            Some((same, times)) if *same == count => *times += 1,
            _ => runs.push((count, 1)),
        }
    }
    Texts::new(
        runs.into_iter()
            .map(|(count, times)| if times == 1 { count.to_string() } else { format!("{times} times {count}") }),
    )
}

fn how_many_ranges_in_a_request(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    let ascending: Vec<_> = (0..500).map(|n| (n * 100, 50)).collect();
    let touching: Vec<_> = (0..10).map(|n| (n * 50, 50)).collect();
    for (name, parts) in [
        ("500 ranges that ascend", &ascending[..]),
        ("10 ranges that touch", &touching[..]),
        ("3 ranges of which the second goes back", &[(1_000, 10), (0, 10), (2_000, 10)][..]),
    ] {
        let origin = served(c)?;
        let (job, _) = add(c, &origin.url("/file"), parts)?;
        let end = ending(c, &job)?;
        seen = seen.and(&format!("{name}, asked for in each GET"), per_request(&origin)).and("the job", end);
    }
    Ok(seen)
}

fn a_prefix_of_nothing(c: &mut Bench) -> Answer {
    let job = c.new_job()?.job3()?;
    seen(job.replace_remote_prefix(Some("http://127.0.0.1/"), Some("http://localhost/")))
}

fn one_name_gets_too_long(c: &mut Bench) -> Answer {
    let job = c.new_job()?;
    let long = format!("http://127.0.0.1/b?{}", "x".repeat(2_170));
    for (url, name) in [("http://127.0.0.1/a", "a.bin"), (long.as_str(), "b.bin")] {
        job.add_file(Some(url), Some(&c.local(name)))?;
    }
    let replaced =
        job.job3()?.replace_remote_prefix(Some("http://127.0.0.1/"), Some("http://a-much-longer-name.invalid/"));
    let first = first_file(&job)?.remote_name()?;
    Ok(Seen::new().and("ReplaceRemotePrefix", replaced).and("the short name then", first))
}

fn requests_in_an_ordinary_job(c: &mut Bench) -> Answer {
    let origin = served(c)?;
    let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    let file = first_file(&job)?.file6()?;
    let asked_for = file.request_file_ranges(&ranges(&[(30_000, 1_000)]));
    let placed = file.update_download_position(40_000);
    job.resume()?;
    let end = rest(c, &job)?;
    let filled = file.filled_file_ranges();
    job.cancel()?;
    Ok(Seen::new()
        .and("RequestFileRanges of 1,000 bytes at 30,000", asked_for)
        .and("UpdateDownloadPosition to 40,000", placed)
        .and("asked", Asked::of(&origin.journal()))
        .and("the job", end)
        .and("GetFilledFileRanges then", filled))
}

fn requests_beside_ranges(c: &mut Bench) -> Answer {
    let origin = served(c)?;
    let (job, _) = add(c, &origin.url("/file"), &[(100, 50), (300, 70)])?;
    seen(first_file(&job)?.file6()?.request_file_ranges(&ranges(&[(1_000, 100)])))
}
