//! What happens to the local file beyond the bytes that come over the wire.

use std::path::PathBuf;

use bits_origin::{Content, Fault};

use super::prelude::*;

cases![
    a_file_keeps_size_and_time_of_the_server,
    what_others_put_into_the_temporary_file_is_not_noticed,
    access_denied_is_fatal,
];

const SIZE: u64 = 50_000;

const STAMP: FileTime = FileTime::from_unix_seconds(784_111_777);

fn content() -> Content {
    Content::synthetic(SIZE, 1).last_modified(STAMP)
}

fn possible<T>(result: std::io::Result<T>) -> Result<T, Stop> {
    result.map_err(|error| Stop::Failed(format!("the local folder cannot be worked on: {error}")))
}

/// The only file in the local folder.
fn only_file(c: &Bench) -> Result<PathBuf, Stop> {
    match &c.local_files()?[..] {
        [(name, _)] => Ok(PathBuf::from(c.local(name))),
        files => failed(format!("one local file was expected, not {files:?}")),
    }
}

fn a_file_keeps_size_and_time_of_the_server(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let job = c.download(&origin, content(), JobPriority::NORMAL, JobState::TRANSFERRED)?;
    job.complete()?;
    let found = possible(std::fs::metadata(c.local("download.bin")))?;
    let modified = FileTime::from(possible(found.modified())?);
    c.is("http.server_model", (found.len(), modified), (SIZE, STAMP))
}

fn what_others_put_into_the_temporary_file_is_not_noticed(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let job = c.download(&origin, content(), JobPriority::NORMAL, JobState::TRANSFERRED)?;
    let foreign = vec![7; usize::try_from(SIZE).unwrap_or(usize::MAX)];
    possible(std::fs::write(only_file(c)?, &foreign))?;
    c.is("job.complete.integrity", job.complete()?.hresult(), Hresult::S_OK)?;
    c.holds("job.complete.integrity", "the foreign bytes are given out as the file", c.downloaded()? == foreign)
}

fn access_denied_is_fatal(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    c.fault_times("GET", "/file", Fault::Close(Some(20_000)), 1)?;
    let job = c.download(&origin, content(), JobPriority::FOREGROUND, JobState::TRANSIENT_ERROR)?;
    let temporary = only_file(c)?;
    possible(std::fs::remove_file(&temporary))?;
    // A folder cannot be opened as a file, whatever rights one has.
    possible(std::fs::create_dir(&temporary))?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let (context, code) = error_of(&job)?;
    c.returns("retry.fatal.example", code)?;
    c.is("retry.fatal.example", context, ErrorContext::LOCAL_FILE)?;
    let requests = origin.journal().len();
    c.advance(DAY)?;
    c.is("retry.fatal.example", (job.state()?, origin.journal().len()), (JobState::ERROR, requests))
}
