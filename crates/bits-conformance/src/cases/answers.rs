//! Requests as they go out, and answers of servers that do less, or other things, than asked.

use bits_origin::{Content, Fault, Journal, Origin, Request, Rule, Synthetic};

use super::prelude::*;

cases![
    requests_carry_the_known_headers,
    the_files_of_a_job_share_a_connection,
    only_the_file_that_changes_starts_over,
    every_status_becomes_its_code,
    a_status_is_captured_in_the_middle_of_a_job,
    a_chunked_get_without_a_length_is_an_error,
    http_1_0_without_ranges_is_not_enough_for_a_background_job,
];

const SIZE: u64 = 50_000;

const STAMP: FileTime = FileTime::from_unix_seconds(1_700_000_000);

fn content() -> Content {
    Content::synthetic(SIZE, 1).last_modified(STAMP)
}

/// A request's header lines that BITS is known for, without what the case itself varies.
fn known_headers(request: &Request) -> Vec<String> {
    let names = ["Connection", "Accept", "Accept-Encoding", "If-Unmodified-Since", "Range", "User-Agent"];
    names.iter().map(|name| format!("{name}: {}", request.header(name).unwrap_or("-"))).collect()
}

fn expected_headers(stamp: &str, range: &str) -> Vec<String> {
    let lines = [
        "Connection: Keep-Alive",
        "Accept: */*",
        "Accept-Encoding: identity",
        &format!("If-Unmodified-Since: {stamp}"),
        &format!("Range: {range}"),
        "User-Agent: Microsoft BITS/7.8",
    ];
    lines.map(str::to_owned).to_vec()
}

fn requests_carry_the_known_headers(c: &mut Bench) -> Outcome {
    let stamp = "Tue, 14 Nov 2023 22:13:20 GMT";
    for (priority, conditions) in
        [(JobPriority::FOREGROUND, ("-", "-")), (JobPriority::NORMAL, (stamp, "bytes=0-49999"))]
    {
        c.start_over();
        let origin = c.origin()?;
        c.download(&origin, content(), priority, JobState::TRANSFERRED)?;
        let journal = origin.journal();
        let sent: Vec<_> = journal.iter().map(|request| (request.method.clone(), known_headers(request))).collect();
        let expected = [("HEAD", ("-", "-")), ("GET", conditions)];
        let expected =
            expected.map(|(method, (stamp, range))| (method.to_owned(), expected_headers(stamp, range))).to_vec();
        c.is("http.open.request_headers", sent, expected)?;
    }
    Ok(())
}

/// A resumed foreground job for files of the origin, one for each path.
fn job_for_all(c: &Bench, origin: &Origin, paths: &[&str]) -> Result<Arc<dyn Job>, Stop> {
    let job = c.new_job()?;
    job.set_priority(JobPriority::FOREGROUND)?;
    for path in paths {
        job.add_file(Some(&origin.url(path)), Some(&c.local(path.trim_start_matches('/'))))?;
    }
    job.resume()?;
    Ok(job)
}

/// Method and path of each request, in order.
fn asked(journal: &Journal) -> Vec<String> {
    journal.iter().map(|request| format!("{} {}", request.method, request.path)).collect()
}

fn the_files_of_a_job_share_a_connection(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    for path in ["/1", "/2", "/3"] {
        origin.put(path, content());
    }
    let job = job_for_all(c, &origin, &["/1", "/2", "/3"])?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let journal = origin.journal();
    let expected = ["HEAD /1", "GET /1", "HEAD /2", "GET /2", "HEAD /3", "GET /3"].map(str::to_owned).to_vec();
    c.is("sched.files.sequential", asked(&journal), expected)?;
    let connections: Vec<u64> = journal.iter().map(|request| request.connection).collect();
    c.is("http.open.request_headers", connections, vec![1; 6])
}

fn only_the_file_that_changes_starts_over(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let paths = ["/1", "/2", "/3"];
    for path in paths {
        origin.put(path, content());
    }
    c.fault_times("GET", "/2", Fault::Close(Some(20_000)), 1)?;
    let job = job_for_all(c, &origin, &paths)?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    for path in &paths[..2] {
        origin.change(path, Content::synthetic(SIZE, 2).last_modified(STAMP.plus(DAY)));
    }
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    let count = |path: &str| asked(&origin.journal()).into_iter().filter(|asked| asked.ends_with(path)).count();
    c.is(
        ["files.consistency.finished_not_redone", "job.add_file.consistency_set"],
        (count("/1"), count("/3")),
        (2, 2),
    )?;
    let versions = [1, 2, 1].map(|version| Synthetic::new(SIZE, version).bytes(0..SIZE));
    for (name, version) in ["1", "2", "3"].into_iter().zip(versions) {
        let path = c.local(name);
        let got = std::fs::read(&path).map_err(|error| Stop::Failed(format!("{path}: {error}")))?;
        c.holds(
            ["files.consistency.download_restart", "job.add_file.consistency_file"],
            "the second file alone is the new version",
            got == version,
        )?;
    }
    Ok(())
}

fn every_status_becomes_its_code(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let statuses = [400, 401, 403, 404, 405, 407, 408, 409, 410, 416, 429, 500, 501, 502, 503, 504, 505];
    for status in statuses {
        let path = format!("/{status}");
        c.follow(Rule::on(&path).fault(Fault::Status { code: status, retry_after: None }))?;
        let job = c.job_for(&origin.url(&path), JobPriority::FOREGROUND)?;
        job.resume()?;
        c.settle()?;
        let error = error_of(&job)?;
        c.is("errors.http_conversion", error, (ErrorContext::REMOTE_FILE, Hresult(0x8019_0000 + u32::from(status))))?;
    }
    Ok(())
}

fn a_status_is_captured_in_the_middle_of_a_job(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    for path in ["/1", "/2"] {
        origin.put(path, content());
    }
    c.fault("GET", "/2", Fault::Status { code: 410, retry_after: None })?;
    let job = job_for_all(c, &origin, &["/1", "/2"])?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let error = job.error()?;
    c.is("errors.http_conversion", error.error()?.1, Hresult(0x8019_0000 + 410))?;
    c.is(["error.get_file.ok", "errors.context_remote_file"], error.file()?.remote_name()?, origin.url("/2"))?;
    c.is("struct.job_progress.files_transferred", job.progress()?.files_transferred, 1)
}

/// Claims that a download at that priority ends in ERROR with the code of the clauses, in the
/// context of the remote file, and that no file appears.
fn ends_in_error<const N: usize>(
    c: &mut Bench,
    origin: &Origin,
    served: Content,
    priority: JobPriority,
    clauses: [&'static str; N],
) -> Result<Hresult, Stop> {
    let job = c.download(origin, served, priority, JobState::ERROR)?;
    let (context, code) = error_of(&job)?;
    c.returns(clauses, code)?;
    c.is(clauses, context, ErrorContext::REMOTE_FILE)?;
    job.cancel()?;
    c.is(clauses, c.local_files()?.len(), 0)?;
    Ok(code)
}

fn a_chunked_get_without_a_length_is_an_error(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    c.fault("GET", "/file", Fault::Chunked)?;
    ends_in_error(c, &origin, content(), JobPriority::FOREGROUND, ["http.get_length", "http.dynamic"])?;
    let methods: Vec<String> = origin.journal().iter().map(|request| request.method.clone()).collect();
    c.is("http.get_length", methods, vec!["HEAD".to_owned(), "GET".to_owned()])
}

fn http_1_0_without_ranges_is_not_enough_for_a_background_job(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let served = content().http10().without_ranges();
    let code = ends_in_error(c, &origin, served, JobPriority::NORMAL, ["http.version"])?;
    c.is("http.version10", code, Hresult::BG_E_INSUFFICIENT_HTTP_SUPPORT)
}
