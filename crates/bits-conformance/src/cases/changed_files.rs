//! A remote file that becomes another one while it is downloaded, and how that shows.
//!
//! Every way in which a server can tell of it is served by the origin: whether the file starts
//! over is decided by what comes over the wire.

use bits_origin::{Content, Fault, Gate, GateAt, Origin, Rule, Synthetic};

use super::http::{SIZE, asked, bytes, content, held};
use super::prelude::*;

cases![
    a_new_stamp_starts_the_file_over_by_the_precondition,
    a_new_stamp_starts_the_file_over_without_the_precondition,
    another_size_under_the_same_stamp_starts_the_file_over,
    a_file_that_has_become_shorter_than_what_is_there_starts_over,
    a_file_without_a_stamp_starts_over_always,
    whoever_stands_between_can_put_another_file_in_its_place,
    what_is_stale_under_a_url_is_taken_and_another_url_gives_another_version,
];

const STAMP: FileTime = FileTime::from_unix_seconds(1_700_000_000);

/// The length of the second version where that does not matter.
const LONGER: u64 = 60_000;

/// The clauses on what makes a file start over.
const CHANGED: [&str; 3] =
    ["files.consistency.by", "files.consistency.download_restart", "job.add_file.consistency_file"];

fn second_version(size: u64) -> Vec<u8> {
    Synthetic::new(size, 2).bytes(0..size)
}

/// Suspends a job at byte 20,000 of its file, puts `new` in the place of that, and lets the job go
/// on until an answer has had `until` bytes.
fn replaced(c: &Bench, origin: &Origin, old: Content, new: Content, until: u64) -> Result<(Arc<dyn Job>, Gate), Stop> {
    let (job, first) = held(c, origin, old)?;
    job.suspend()?;
    c.settle()?;
    first.open();
    origin.change("/file", new);
    let second = origin.gate_method("GET", "/file", GateAt::Byte(until));
    job.resume()?;
    c.settle()?;
    Ok((job, second))
}

/// So much of the second version is there when it is looked at: less than there was of the first.
const LITTLE: u64 = 5_000;

/// More than the rest of a file is after 20,000 bytes of it, so that only a whole one is held here.
const MUCH: u64 = 45_000;

/// Claims that a job begins its file anew and gets the second version when `new`, which is that, is
/// served in its place.
fn starts_over(c: &mut Bench, origin: &Origin, new: Content, until: u64) -> Outcome {
    let size = new.length();
    let (job, gate) = replaced(c, origin, content().last_modified(STAMP), new, until)?;
    c.is(CHANGED, (job.state()?, first_file(&job)?.progress()?.bytes_transferred), (JobState::TRANSFERRING, until))?;
    if until == LITTLE {
        c.is("struct.file_progress.reset", first_file(&job)?.progress()?.bytes_transferred, until)?;
    }
    gate.open();
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    c.holds(CHANGED, "the file is the new version, from its beginning", c.downloaded()? == second_version(size))?;
    c.is(CHANGED, job.error_count()?, 0)
}

/// How many requests were answered with that status.
fn answered(origin: &Origin, status: u16) -> usize {
    origin.journal().iter().filter(|request| request.status == Some(status)).count()
}

fn a_new_stamp_starts_the_file_over_by_the_precondition(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let new = Content::bytes(second_version(LONGER)).last_modified(STAMP.plus(DAY));
    starts_over(c, &origin, new, LITTLE)?;
    c.is("files.consistency.by", answered(&origin, 412), 1)
}

fn a_new_stamp_starts_the_file_over_without_the_precondition(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    // The origin sees no change of the stamp, and so no failed precondition; it says another one
    // from the second answer to GET on.
    let stamp = Fault::Header("Last-Modified".to_owned(), "Wed, 15 Nov 2023 22:13:20 GMT".to_owned());
    c.follow(Rule::on("/file").method("GET").numbers(2..=u64::MAX).fault(stamp.clone()))?;
    c.follow(Rule::on("/file").method("HEAD").numbers(2..=u64::MAX).fault(stamp))?;
    starts_over(c, &origin, Content::bytes(second_version(SIZE as u64)).last_modified(STAMP), MUCH)?;
    c.is("files.consistency.by", (answered(&origin, 412), answered(&origin, 206)), (0, 1))
}

fn another_size_under_the_same_stamp_starts_the_file_over(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    starts_over(c, &origin, Content::bytes(second_version(LONGER)).last_modified(STAMP), MUCH)?;
    c.is("files.consistency.by", (answered(&origin, 412), answered(&origin, 206)), (0, 1))
}

fn a_file_that_has_become_shorter_than_what_is_there_starts_over(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    starts_over(c, &origin, Content::bytes(second_version(10_000)).last_modified(STAMP), LITTLE)?;
    c.is("files.consistency.by", answered(&origin, 416), 1)
}

fn a_file_without_a_stamp_starts_over_always(c: &mut Bench) -> Outcome {
    for new in [second_version(LONGER), bytes()] {
        c.start_over();
        let origin = c.origin()?;
        let bare = |bytes: Vec<u8>| Content::bytes(bytes).without_last_modified().without_etag();
        let (job, gate) = replaced(c, &origin, bare(bytes()), bare(new.clone()), LITTLE)?;
        c.is("http.open.validators", first_file(&job)?.progress()?.bytes_transferred, LITTLE)?;
        gate.open();
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        job.complete()?;
        c.holds("http.open.validators", "the file is what is served last", c.downloaded()? == new)?;
        c.is(
            "http.open.validators",
            asked(&origin.journal()).split_off(2),
            vec!["HEAD -".to_owned(), "GET -".to_owned()],
        )?;
    }
    Ok(())
}

fn whoever_stands_between_can_put_another_file_in_its_place(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let gate = origin.gate_method("GET", "/file", GateAt::RequestSeen);
    origin.put("/file", content().last_modified(STAMP));
    let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    job.resume()?;
    c.settle()?;
    // Size and time stamp are those of the true file.
    let forged = second_version(SIZE as u64);
    origin.put("/file", Content::bytes(forged.clone()).last_modified(STAMP));
    gate.open();
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    c.holds("files.consistency.mitm", "what was put in its place arrives without a word", c.downloaded()? == forged)
}

fn what_is_stale_under_a_url_is_taken_and_another_url_gives_another_version(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    // As a cache on the way keeps them: each URL has the version that it was first asked for.
    origin.put("/file?1", content().last_modified(STAMP));
    origin.put("/file?2", Content::bytes(second_version(LONGER)).last_modified(STAMP.plus(DAY)));
    for (url, expected) in [("/file?1", bytes()), ("/file?2", second_version(LONGER))] {
        let job = c.job_for(&origin.url(url), JobPriority::NORMAL)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        job.complete()?;
        c.holds("files.consistency.new_url", &format!("{url} gives its own version"), c.downloaded()? == expected)?;
    }
    // Nothing that is sent makes a cache look for another version.
    let journal = origin.journal();
    let names = journal.iter().flat_map(|request| request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()));
    let asks_anew = names.filter(|name| ["cache-control", "pragma", "if-modified-since"].contains(&name.as_str()));
    c.is("files.consistency.new_url", asks_anew.count(), 0)
}
