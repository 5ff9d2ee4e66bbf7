//! How a download goes on after every kind of break: what exactly is asked for again.

use bits_api::{JobPropertyId, JobPropertyValue};
use bits_origin::{Content, Fault, GateAt, Origin, Rule, Synthetic};

use super::http::asked;
use super::prelude::*;
use super::several_ranges::{job_of, place};

cases![
    a_file_goes_on_where_it_stopped_after_every_break,
    a_file_without_a_stamp_begins_anew_after_every_break,
    the_second_file_goes_on_and_the_first_is_not_asked_for,
    parts_go_on_in_the_middle_of_one_after_every_break,
    requested_ranges_go_on_in_the_middle_of_one_after_every_break,
    a_requested_range_that_began_after_another_was_whole_goes_on_after_a_restart,
    a_file_above_two_gigabytes_goes_on_by_two_gigabytes,
    dynamic_content_begins_anew_after_every_break,
    a_direct_file_goes_on_unless_the_service_ended,
];

const SIZE: u64 = 50_000;
/// So far a file comes before the break.
const AT: u64 = 20_000;
const STAMP: FileTime = FileTime::from_unix_seconds(1_700_000_000);

/// What breaks a transfer off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Break {
    /// The server closes the connection.
    Connection,
    /// Suspend, and Resume.
    Suspend,
    /// The network goes, and comes back.
    Network,
    /// The owner logs off, and on.
    Logoff,
    /// The service ends, and starts again.
    Restart,
}

const BREAKS: [Break; 5] = [Break::Connection, Break::Suspend, Break::Network, Break::Logoff, Break::Restart];

/// A job under way that is to be broken off.
struct Course {
    job: Arc<dyn Job>,
    /// Bytes that were there at the break.
    there: u64,
    /// Requests before the break.
    requests: usize,
}

/// Resumes `job` and breaks it off when the answer to GET at `path` has brought `at` bytes of body;
/// then lets it go on.
fn broken(c: &Bench, origin: &Origin, path: &str, job: Arc<dyn Job>, at: u64, how: Break) -> Result<Course, Stop> {
    let id = job.id()?;
    if how == Break::Connection {
        c.follow(Rule::on(path).method("GET").times(1).fault(Fault::Close(Some(at))))?;
        job.resume()?;
        c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
        let course = Course { there: job.progress()?.bytes_transferred, requests: origin.journal().len(), job };
        course.job.resume()?;
        return Ok(course);
    }
    let gate = origin.gate_method("GET", path, GateAt::Byte(at));
    job.resume()?;
    c.settle()?;
    let course = Course { there: job.progress()?.bytes_transferred, requests: origin.journal().len(), job };
    match how {
        Break::Connection => {}
        Break::Suspend => drop(course.job.suspend()?),
        Break::Network => c.disconnect()?,
        Break::Logoff => c.log_off()?,
        Break::Restart => c.restart_service()?,
    }
    if how == Break::Restart {
        gate.open();
        return Ok(Course { job: c.find(id)?, ..course });
    }
    c.settle()?;
    gate.open();
    match how {
        Break::Suspend => drop(course.job.resume()?),
        Break::Network => c.connect()?,
        Break::Logoff => c.log_on()?,
        Break::Connection | Break::Restart => {}
    }
    Ok(course)
}

/// Lets the job come to its end; gives the requests since the break.
fn asked_again(c: &Bench, origin: &Origin, course: &Course) -> Result<Vec<String>, Stop> {
    c.wait(&course.job, JobState::TRANSFERRED, SOON)?;
    Ok(asked(&origin.journal()).split_off(course.requests))
}

fn bytes() -> Vec<u8> {
    Synthetic::new(SIZE, 1).bytes(0..SIZE)
}

fn rest() -> Vec<String> {
    vec![format!("GET bytes={AT}-{}", SIZE - 1)]
}

fn a_file_goes_on_where_it_stopped_after_every_break(c: &mut Bench) -> Outcome {
    for priority in [JobPriority::FOREGROUND, JobPriority::NORMAL] {
        for how in BREAKS {
            c.start_over();
            let origin = c.origin()?;
            origin.put("/file", Content::bytes(bytes()).last_modified(STAMP));
            let job = c.job_for(&origin.url("/file"), priority)?;
            let course = broken(c, &origin, "/file", job, AT, how)?;
            c.is("http.resume_range", (course.there, asked_again(c, &origin, &course)?), (AT, rest()))?;
            if how == Break::Restart {
                c.is("lifecycle.restart.partial", asked(&origin.journal()).split_off(2), rest())?;
            }
            course.job.complete()?;
            c.holds("http.resume_range", "the file is whole", c.downloaded()? == bytes())?;
        }
    }
    Ok(())
}

fn a_file_without_a_stamp_begins_anew_after_every_break(c: &mut Bench) -> Outcome {
    for how in BREAKS {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(bytes()).without_last_modified());
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        let course = broken(c, &origin, "/file", job, AT, how)?;
        let expected = vec!["HEAD -".to_owned(), format!("GET bytes=0-{}", SIZE - 1)];
        c.is("http.open.validators", asked_again(c, &origin, &course)?, expected)?;
        course.job.complete()?;
        c.holds("http.open.validators", "the file is whole", c.downloaded()? == bytes())?;
    }
    Ok(())
}

fn the_second_file_goes_on_and_the_first_is_not_asked_for(c: &mut Bench) -> Outcome {
    for how in BREAKS {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/first", Content::synthetic(1_000, 2).last_modified(STAMP));
        origin.put("/file", Content::bytes(bytes()).last_modified(STAMP));
        let job = c.new_job()?;
        job.add_file(Some(&origin.url("/first")), Some(&c.local("first.bin")))?;
        job.add_file(Some(&origin.url("/file")), Some(&c.local("download.bin")))?;
        let course = broken(c, &origin, "/file", job, AT, how)?;
        // What has arrived is served no more: only a request would tell.
        origin.change("/first", Content::synthetic(900, 3));
        c.is(
            ["http.resume_range", "files.consistency.finished_not_redone"],
            asked_again(c, &origin, &course)?,
            rest(),
        )?;
        course.job.complete()?;
        let first = std::fs::read(c.on_disk("first.bin")).unwrap_or_default();
        let is_old = first == Synthetic::new(1_000, 2).bytes(0..1_000);
        c.holds("files.consistency.finished_not_redone", "the first file is as it came", is_old)?;
        c.holds("http.resume_range", "the second file is whole", c.downloaded()? == bytes())?;
    }
    Ok(())
}

/// Parts of a file, and so much of a body that it ends in the second of them.
const PARTS: [(u64, u64); 3] = [(1_000, 500), (10_000, 2_000), (40_000, 100)];
const IN_THE_SECOND: u64 = 500 + 1_000;
/// After so many bytes of the answer its first part is whole, and the second has not begun.
const BEHIND_THE_FIRST: u64 = 500 + 150;

/// The ranges that are missing of [`PARTS`] when so many bytes of them are there.
fn missing(there: u64) -> Vec<String> {
    vec![format!("GET bytes={}-11999,40000-40099", 10_000 + there - 500)]
}

fn parts_go_on_in_the_middle_of_one_after_every_break(c: &mut Bench) -> Outcome {
    let bytes = bytes();
    for how in BREAKS {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(bytes.clone()).last_modified(STAMP));
        let job = job_of(c, &origin, &PARTS)?;
        let course = broken(c, &origin, "/file", job, IN_THE_SECOND, how)?;
        let is_inside = (501..2_500).contains(&course.there);
        c.holds("http.resume_range", &format!("{} bytes end in the second part", course.there), is_inside)?;
        c.is("http.resume_range", asked_again(c, &origin, &course)?, missing(course.there))?;
        course.job.complete()?;
        let expected = [&bytes[1_000..1_500], &bytes[10_000..12_000], &bytes[40_000..40_100]].concat();
        c.holds("job3.add_file_with_ranges.local_layout", "the parts are whole", c.downloaded()? == expected)?;
    }
    Ok(())
}

fn requested_ranges_go_on_in_the_middle_of_one_after_every_break(c: &mut Bench) -> Outcome {
    let bytes = bytes();
    for how in BREAKS {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(bytes.clone()).last_modified(STAMP));
        let job = c.job_with(JobPropertyId::ON_DEMAND_MODE)?;
        job.add_file(Some(&origin.url("/file")), Some(&c.local("download.bin")))?;
        first_file(&job)?.file6()?.request_file_ranges(&ranges(&PARTS))?;
        let course = broken(c, &origin, "/file", job, IN_THE_SECOND, how)?;
        c.wait(&course.job, JobState::SUSPENDED, SOON)?;
        let again = asked(&origin.journal()).split_off(course.requests);
        c.is(["file6.request_file_ranges.no_double_download", "http.resume_range"], again, missing(course.there))?;
        let file = first_file(&course.job)?;
        let filled = pairs(&file.file6()?.filled_file_ranges()?);
        c.is("file6.get_filled_file_ranges.content", filled, PARTS.to_vec())?;
        let there = std::fs::read(file.file3()?.temporary_name()?).unwrap_or_default();
        let is_right = |(first, length): (u64, u64)| {
            let part = place(first)..place(first + length);
            there.get(part.clone()) == bytes.get(part)
        };
        c.holds(
            "file6.get_filled_file_ranges.content",
            "the bytes are at their places",
            PARTS.into_iter().all(is_right),
        )?;
    }
    Ok(())
}

fn a_requested_range_that_began_after_another_was_whole_goes_on_after_a_restart(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(bytes()).last_modified(STAMP));
    let job = c.job_with(JobPropertyId::ON_DEMAND_MODE)?;
    job.add_file(Some(&origin.url("/file")), Some(&c.local("download.bin")))?;
    first_file(&job)?.file6()?.request_file_ranges(&ranges(&PARTS))?;
    let whole = origin.gate_method("GET", "/file", GateAt::Byte(BEHIND_THE_FIRST));
    let begun = origin.gate_method("GET", "/file", GateAt::Byte(IN_THE_SECOND));
    job.resume()?;
    c.settle()?;
    whole.open();
    c.settle()?;
    let (id, there, requests) = (job.id()?, job.progress()?.bytes_transferred, origin.journal().len());
    c.restart_service()?;
    begun.open();
    c.wait(&c.find(id)?, JobState::SUSPENDED, SOON)?;
    let again = asked(&origin.journal()).split_off(requests);
    c.is(["file6.request_file_ranges.no_double_download", "http.resume_range"], again, missing(there))
}

fn a_file_above_two_gigabytes_goes_on_by_two_gigabytes(c: &mut Bench) -> Outcome {
    const TWO_GB: u64 = 1 << 31;
    for (size, range) in [
        (TWO_GB - 1, format!("GET bytes={AT}-{}", TWO_GB - 2)),
        (TWO_GB + AT, format!("GET bytes={AT}-{}", TWO_GB + AT - 1)),
        (TWO_GB + AT + 1, format!("GET bytes={AT}-{}", TWO_GB + AT - 1)),
    ] {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::synthetic(size, 1).last_modified(STAMP));
        let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
        // The second answer is not wanted.
        let _gate = origin.gate_method("GET", "/file", GateAt::Byte(AT));
        job.resume()?;
        c.settle()?;
        job.suspend()?;
        c.settle()?;
        let _gate = origin.gate_method("GET", "/file", GateAt::RequestSeen);
        job.resume()?;
        c.settle()?;
        let first = if size < TWO_GB { "GET -".to_owned() } else { format!("GET bytes=0-{}", TWO_GB - 1) };
        c.is(
            ["callback2.example.two_gb_ranges", "http.resume_range"],
            asked(&origin.journal()).split_off(1),
            vec![first, range],
        )?;
        job.cancel()?;
    }
    Ok(())
}

fn dynamic_content_begins_anew_after_every_break(c: &mut Bench) -> Outcome {
    for how in BREAKS {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(bytes()).last_modified(STAMP));
        let job = c.job_with(JobPropertyId::DYNAMIC_CONTENT)?;
        job.set_priority(JobPriority::FOREGROUND)?;
        job.add_file(Some(&origin.url("/file")), Some(&c.local("download.bin")))?;
        let course = broken(c, &origin, "/file", job, AT, how)?;
        c.is(
            ["http.dynamic_restart", "job5.dynamic_content.no_resume"],
            (course.there, asked_again(c, &origin, &course)?),
            (AT, vec!["GET -".to_owned()]),
        )?;
        course.job.complete()?;
        c.holds("http.dynamic_restart", "the file is whole", c.downloaded()? == bytes())?;
    }
    Ok(())
}

fn a_direct_file_goes_on_unless_the_service_ended(c: &mut Bench) -> Outcome {
    for how in BREAKS {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(bytes()).last_modified(STAMP));
        let job = c.new_job()?;
        job.job5()?.set_property(JobPropertyId::HIGH_PERFORMANCE, JobPropertyValue::Enable(true))?;
        job.add_file(Some(&origin.url("/file")), Some(&c.local("download.bin")))?;
        let course = broken(c, &origin, "/file", job, AT, how)?;
        let again = asked_again(c, &origin, &course)?;
        if how == Break::Restart {
            let first = again.iter().find(|request| request.starts_with("GET")).cloned();
            c.is(
                ["job5.high_performance.no_progress_persist", "job5.high_performance.unexpected_shutdown"],
                first,
                Some(format!("GET bytes=0-{}", SIZE - 1)),
            )?;
        } else {
            c.is("http.resume_range", again, rest())?;
        }
        c.holds("job5.high_performance.direct_write", "the file is whole", c.downloaded()? == bytes())?;
    }
    Ok(())
}
