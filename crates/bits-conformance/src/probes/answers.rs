//! Answers that servers give to good requests: by what they are known again, how long they are, in
//! which version and coding, and with which status.

use bits_origin::{Content, Fault, GateAt, Origin, Rule};

use super::prelude::*;
use super::rest::{Asked, IN_TROUBLE, Rest, Texts, ending, fetched, goes_on, rest, rest_in};

probes![
    "error.files_of_contexts" => the_files_of_errors,
    "http.open.200_for_range" => a_range_is_ignored,
    "http.head_refused" => head_is_refused,
    "http.content_coding" => content_comes_coded,
    "http.status_classes" => every_status,
    "http.open.request_headers" => the_headers_of_requests,
    "http.two_gb" => around_two_gigabytes,
    "http.open.validators" => what_a_file_is_known_by,
    "http.open.412" => a_precondition_fails,
    "http.open.chunked" => without_a_length,
    "http.open.zero_length" => an_empty_file,
    "http.version10" => an_old_server,
    "files.consistency.same_stamp" => another_content_under_the_same_stamp,
    "file2.set_remote_name.no_resume" => a_new_server_without_ranges,
];

const SIZE: u64 = 50_000;
const TWO_GB: u64 = 2_147_483_648;
const STAMP: FileTime = FileTime::from_unix_seconds(1_700_000_000);
const PRIORITIES: [(&str, JobPriority); 2] =
    [("foreground", JobPriority::FOREGROUND), ("background", JobPriority::NORMAL)];

fn content() -> Content {
    Content::synthetic(SIZE, 1).last_modified(STAMP)
}

/// A status and nothing else.
fn status(code: u16) -> Fault {
    Fault::Status { code, retry_after: None }
}

/// What the job has to say of the file that its error is about.
fn culprit(job: &Arc<dyn Job>) -> Result<Texts, Stop> {
    let error = job.error()?;
    let (context, code) = error.error()?;
    let file = error.file().map_or_else(|code| code.tell(), |_| "a file".to_owned());
    Ok(Texts::one(format!("{context} {}, GetFile: {file}", code.tell())))
}

fn the_files_of_errors(c: &mut Bench) -> Answer {
    let origin = c.origin()?;
    let missing = c.job_for(&origin.url("/nothing"), JobPriority::FOREGROUND)?;
    missing.resume()?;
    rest(c, &missing)?;
    let of_remote = culprit(&missing)?;
    missing.cancel()?;

    let nobody = origin.url("/file").replace(&origin.address().port().to_string(), "1");
    let refused = c.job_for(&nobody, JobPriority::FOREGROUND)?;
    refused.resume()?;
    rest(c, &refused)?;
    let of_transport = culprit(&refused)?;
    refused.cancel()?;

    let folder = std::path::PathBuf::from(c.local("for-a-moment"));
    let impossible = |error: std::io::Error| Stop::Failed(format!("{}: {error}", folder.display()));
    std::fs::create_dir(&folder).map_err(impossible)?;
    origin.put("/file", content());
    let homeless = c.new_job()?;
    homeless.set_priority(JobPriority::FOREGROUND)?;
    homeless.add_file(Some(&origin.url("/file")), Some(&folder.join("a.bin").to_string_lossy()))?;
    std::fs::remove_dir(&folder).map_err(impossible)?;
    homeless.resume()?;
    rest(c, &homeless)?;
    let of_local = culprit(&homeless)?;
    homeless.cancel()?;

    let late = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    late.job4()?.set_maximum_download_time(0)?;
    late.resume()?;
    rest(c, &late)?;
    let of_queue = culprit(&late).or_else(|_| Ok::<_, Stop>(Texts::one(Rest::of(&late)?.tell())))?;
    Ok(Seen::new()
        .and("no such file", of_remote)
        .and("nobody listens", of_transport)
        .and("the folder has gone", of_local)
        .and("the time is over", of_queue))
}

fn a_range_is_ignored(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for (name, size) in [("a file of 50,000 bytes", SIZE), ("a file of 1 byte", 1)] {
        c.start_over();
        let origin = c.origin()?;
        let end = fetched(c, &origin, Content::synthetic(size, 1).without_ranges(), JobPriority::NORMAL)?;
        seen = seen.and(name, end).and("asked", Asked::of(&origin.journal()));
    }
    Ok(seen)
}

fn head_is_refused(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for code in [403, 405, 501] {
        c.start_over();
        let origin = c.origin()?;
        let end = fetched(c, &origin, content().refuse_head(code), JobPriority::FOREGROUND)?;
        seen = seen.and(&code.to_string(), end).and("asked", Asked::of(&origin.journal()));
    }
    Ok(seen)
}

/// Twenty bytes of text, by gzip.
const GZIP: [u8; 30] = [
    0x1F, 0x8B, 0x08, 0, 0, 0, 0, 0, 0x02, 0x03, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0xD7, 0x51, 0xC8, 0x40, 0xA2, 0xB8, 0,
    0xE7, 0x42, 0x6E, 0x52, 0x14, 0, 0, 0,
];

fn content_comes_coded(c: &mut Bench) -> Answer {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(GZIP.to_vec()));
    c.follow(Rule::on("/file").fault(Fault::Header("Content-Encoding".to_owned(), "gzip".to_owned())))?;
    let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    job.resume()?;
    let end = rest(c, &job)?;
    let is_there = end.state == JobState::TRANSFERRED;
    let seen = Seen::new().and("the job", end);
    if !is_there {
        return Ok(seen);
    }
    job.complete()?;
    let kept = if c.downloaded()? == GZIP { "as it came" } else { "otherwise than it came" };
    Ok(seen.and("the file", Texts::one(kept)))
}

/// The codes of each class, and what else came of any.
fn every_status(c: &mut Bench) -> Answer {
    let statuses = [
        300, 301, 302, 303, 304, 305, 306, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412,
        413, 414, 415, 416, 417, 426, 429, 451, 500, 501, 502, 503, 504, 505, 507, 599, 600, 999,
    ];
    let origin = c.origin()?;
    let (mut fatal, mut transient, mut other) = (Vec::new(), Vec::new(), Vec::new());
    for code in statuses {
        let path = format!("/{code}");
        c.follow(Rule::on(&path).fault(status(code)))?;
        let end = ending(c, &c.job_for(&origin.url(&path), JobPriority::FOREGROUND)?)?;
        let named = Hresult(0x8019_0000 + u32::from(code)).tell();
        match end.tell() {
            text if text == format!("ERROR {named}") => fatal.push(code.to_string()),
            text if text == format!("TRANSIENT_ERROR {named}") => transient.push(code.to_string()),
            text => other.push(format!("{code} {text}")),
        }
    }
    Ok(Seen::new()
        .and("ERROR with 0x80190000 and the status", Texts(fatal))
        .and("TRANSIENT_ERROR with it", Texts(transient))
        .and("else", Texts(other)))
}

fn the_headers_of_requests(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for (name, priority) in PRIORITIES {
        c.start_over();
        let origin = c.origin()?;
        fetched(c, &origin, content(), priority)?;
        for request in origin.journal().iter() {
            // The host has a port that is different each time.
            let lines = request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("Host"));
            let lines = Texts::new(lines.map(|(name, value)| format!("{name}: {value}")));
            seen = seen.and(&format!("{} of a {name} job", request.method), lines);
        }
    }
    Ok(seen)
}

fn around_two_gigabytes(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for (name, priority) in PRIORITIES {
        for (size_name, size) in [("2 GB less a byte", TWO_GB - 1), ("2 GB", TWO_GB), ("2 GB and a byte", TWO_GB + 1)] {
            c.start_over();
            let origin = c.origin()?;
            origin.put("/file", Content::synthetic(size, 1));
            // Nothing of it is sent.
            let gate = origin.gate_method("GET", "/file", GateAt::RequestSeen);
            let job = c.job_for(&origin.url("/file"), priority)?;
            job.resume()?;
            let asked = gate.wait_reached(SOON).map(|request| super::rest::in_words(&request));
            job.cancel()?;
            seen = seen.and(&format!("{name}, {size_name}"), Texts::one(asked.unwrap_or("no GET".to_owned())));
        }
    }
    Ok(seen)
}

/// A foreground job for `/file` that breaks off after 20,000 bytes, and how many requests that took.
fn broken_off(c: &Bench, origin: &Origin, content: Content) -> Result<(Arc<dyn Job>, usize), Stop> {
    origin.put("/file", content);
    c.follow(Rule::on("/file").method("GET").times(1).fault(Fault::Close(Some(20_000))))?;
    let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    job.resume()?;
    rest_in(c, &job, &IN_TROUBLE)?;
    Ok((job, origin.journal().len()))
}

/// How a job goes on that was broken off, and where it ends.
fn after_a_break(c: &Bench, origin: &Origin, (job, requests): (Arc<dyn Job>, usize)) -> Result<Texts, Stop> {
    let end = ending(c, &job)?;
    Ok(Texts::one(format!("{}, {}", goes_on(&origin.journal(), requests).tell(), end.tell())))
}

fn what_a_file_is_known_by(c: &mut Bench) -> Answer {
    let origin = c.origin()?;
    let job = broken_off(c, &origin, content())?;
    origin.change("/file", content());
    let other_tag = after_a_break(c, &origin, job)?;
    c.start_over();
    let origin = c.origin()?;
    let bare = || Content::synthetic(SIZE, 1).without_etag().without_last_modified();
    let job = broken_off(c, &origin, bare())?;
    let no_validator = after_a_break(c, &origin, job)?;
    Ok(Seen::new()
        .and("another ETag after a break", other_tag)
        .and("neither Last-Modified nor ETag after a break", no_validator))
}

fn a_precondition_fails(c: &mut Bench) -> Answer {
    let origin = c.origin()?;
    let broken = broken_off(c, &origin, content())?;
    c.follow(Rule::on("/file").method("GET").times(1).fault(status(412)))?;
    let resumed = after_a_break(c, &origin, broken)?;
    c.start_over();
    let origin = c.origin()?;
    origin.put("/file", content());
    c.follow(Rule::on("/file").method("GET").fault(status(412)))?;
    let unasked = ending(c, &c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?)?;
    c.start_over();
    let origin = c.origin()?;
    let broken = broken_off(c, &origin, content())?;
    let other_size = Fault::Header("Content-Range".to_owned(), "bytes */40000".to_owned());
    origin.change("/file", Content::synthetic(40_000, 2).last_modified(STAMP));
    c.follow(Rule::on("/file").method("GET").times(1).fault(status(416)).fault(other_size))?;
    let unsatisfiable = after_a_break(c, &origin, broken)?;
    Ok(Seen::new()
        .and("412 after a break", resumed)
        .and("412 without a condition", unasked)
        .and("416 of another size after a break", unsatisfiable))
}

fn without_a_length(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for method in ["HEAD", "GET"] {
        for (name, fault) in [("chunked", Fault::Chunked), ("no length", Fault::Without("Content-Length".to_owned()))] {
            c.start_over();
            let origin = c.origin()?;
            c.fault(method, "/file", fault)?;
            let end = fetched(c, &origin, content(), JobPriority::FOREGROUND)?;
            seen = seen.and(&format!("{name} in the answer to {method}"), end);
        }
    }
    Ok(seen)
}

fn an_empty_file(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for (name, priority) in PRIORITIES {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", Content::bytes(&b""[..]));
        let job = c.job_for(&origin.url("/file"), priority)?;
        job.resume()?;
        let end = rest(c, &job)?;
        seen = seen.and(&format!("{name}, asked"), Asked::of(&origin.journal())).and("the job", end);
        let completed = code(job.complete());
        let length = c.downloaded().map(|bytes| bytes.len()).ok();
        seen = seen.and("Complete", completed).and("bytes of the file", length);
    }
    Ok(seen)
}

type Serve = fn() -> Content;

fn an_old_server(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    let served: [(&str, Serve); 3] = [
        ("with lengths and ranges", || content().http10()),
        ("without ranges", || content().http10().without_ranges()),
        ("without lengths", || content().http10().until_close()),
    ];
    for (priority_name, priority) in PRIORITIES {
        for (name, content) in served {
            c.start_over();
            let origin = c.origin()?;
            seen = seen.and(&format!("{priority_name}, {name}"), fetched(c, &origin, content(), priority)?);
        }
    }
    Ok(seen)
}

fn another_content_under_the_same_stamp(c: &mut Bench) -> Answer {
    let origin = c.origin()?;
    let broken = broken_off(c, &origin, content())?;
    origin.change("/file", Content::synthetic(SIZE, 2).last_modified(STAMP));
    seen(after_a_break(c, &origin, broken)?)
}

fn a_new_server_without_ranges(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for (name, priority) in PRIORITIES {
        c.start_over();
        let origin = c.origin()?;
        origin.put("/file", content());
        origin.put("/other", content().without_ranges());
        c.follow(Rule::on("/file").method("GET").times(1).fault(Fault::Close(Some(20_000))))?;
        let job = c.job_for(&origin.url("/file"), priority)?;
        job.resume()?;
        rest_in(c, &job, &IN_TROUBLE)?;
        let requests = origin.journal().len();
        first_file(&job)?.file2()?.set_remote_name(Some(&origin.url("/other")))?;
        let end = ending(c, &job)?;
        seen = seen.and(&format!("{name}, asked there"), goes_on(&origin.journal(), requests)).and("the job", end);
    }
    Ok(seen)
}
