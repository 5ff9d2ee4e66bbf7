//! Files that have arrived: their temporary name, what the client thinks of them, where their bytes
//! came from, and what their server said.

use std::time::Duration;

use bits_api::{File3, FilePropertyId, FilePropertyValue};
use bits_origin::{Content, Fault, Rule, Step};

use super::prelude::*;
use super::rest::{Rest, Texts, rest};

probes![
    "file3.temporary_name.final_state" => the_temporary_name_of_an_ended_job,
    "file3.validation.true" => a_valid_file,
    "file3.validation.false" => an_invalid_file,
    "file3.validation.again" => two_invalid_files,
    "file3.validation.repeat" => judged_twice,
    "file3.validation.after_complete" => after_complete,
    "file4.stats" => where_the_bytes_came_from,
    "file5.unknown_id" => an_unknown_property,
    "file5.read_only" => a_property_that_is_read,
    "file5.null_string" => headers_before_an_answer,
    "file5.heads_kept" => how_many_heads,
    "file5.complete_set" => the_head_of_an_answer,
];

/// Longer than what comes at once takes.
const A_MOMENT: Duration = Duration::from_secs(3);

const HEADERS: FilePropertyId = FilePropertyId::HTTP_RESPONSE_HEADERS;

/// A job, and its files.
type WithFiles = (Arc<dyn Job>, Vec<Arc<dyn File3>>);

/// A job, and its one file.
type WithFile<F> = (Arc<dyn Job>, Arc<F>);

/// A TRANSFERRED job of so many files of 1,000 bytes.
fn transferred(c: &mut Bench, count: usize) -> Result<WithFiles, Stop> {
    c.start_over();
    let origin = c.origin()?;
    origin.put("/file", Content::synthetic(1_000, 1));
    let job = c.new_job()?;
    job.set_priority(JobPriority::FOREGROUND)?;
    for number in 0..count {
        job.add_file(Some(&origin.url("/file")), Some(&c.local(&format!("{number}.bin"))))?;
    }
    job.resume()?;
    let end = rest(c, &job)?;
    if end.state != JobState::TRANSFERRED {
        return failed(format!("the download ends in {}", end.tell()));
    }
    let files = files(&job)?.iter().map(|file| Ok(file.file3()?)).collect::<Result<_, Stop>>()?;
    Ok((job, files))
}

/// A TRANSFERRED job of one file.
fn one(c: &mut Bench) -> Result<WithFile<dyn File3>, Stop> {
    let (job, mut files) = transferred(c, 1)?;
    files.pop().map(|file| (job, file)).ok_or_else(|| Stop::Failed("the job has no file".to_owned()))
}

/// A suspended job with a file that nobody serves.
fn waiting(c: &Bench) -> Result<WithFile<dyn File>, Stop> {
    let job = c.new_job()?;
    job.add_file(Some("http://127.0.0.1/file"), Some(&c.local("download.bin")))?;
    let file = first_file(&job)?;
    Ok((job, file))
}

fn the_temporary_name_of_an_ended_job(c: &mut Bench) -> Answer {
    let (job, file) = one(c)?;
    let before = code(file.temporary_name());
    job.complete()?;
    let after_complete = code(file.temporary_name());
    let (job, file) = one(c)?;
    job.cancel()?;
    Ok(Seen::new()
        .and("TRANSFERRED", before)
        .and("ACKNOWLEDGED", after_complete)
        .and("CANCELLED", code(file.temporary_name())))
}

fn a_valid_file(c: &mut Bench) -> Answer {
    let (job, file) = one(c)?;
    let (before, set) = (file.validation_state(), file.set_validation_state(true));
    Ok(Seen::new()
        .and("GetValidationState before", before)
        .and("SetValidationState(TRUE)", set)
        .and("GetValidationState after", file.validation_state())
        .and("the job", Rest::of(&job)?)
        .and("its file", file.progress()))
}

fn an_invalid_file(c: &mut Bench) -> Answer {
    let (job, file) = one(c)?;
    let set = file.set_validation_state(false);
    let culprit = job.error().and_then(|error| error.file()).map(|_| Texts::one("a file"));
    Ok(Seen::new()
        .and("SetValidationState(FALSE)", set)
        .and("the job", job.state())
        .and("GetError", error_of(&job))
        .and("GetFile", culprit)
        .and("GetErrorCount", job.error_count())
        .and("its file", file.progress()))
}

fn two_invalid_files(c: &mut Bench) -> Answer {
    let (job, files) = transferred(c, 2)?;
    let recorder = Recorder::new();
    job.set_notify_flags(NotifyFlags::JOB_ERROR)?;
    job.set_notify_interface(Some(recorder.object2()))?;
    let mut seen = Seen::new();
    for (file, name) in files.iter().zip(["the first", "the second"]) {
        let before = recorder.count("JobError");
        let set = file.set_validation_state(false);
        let told = c.until(|| recorder.count("JobError") > before, A_MOMENT)?;
        let culprit = job.error().and_then(|error| error.file()).and_then(|file| file.local_name());
        let is_culprit = culprit.is_ok_and(|name| file.local_name().is_ok_and(|own| own == name));
        seen = seen
            .and(&format!("SetValidationState(FALSE) on {name}"), set)
            .and("JobError comes", told)
            .and("GetError tells of it", is_culprit)
            .and("GetErrorCount", job.error_count());
    }
    Ok(seen)
}

fn judged_twice(c: &mut Bench) -> Answer {
    let mut seen = Seen::new();
    for (name, judgements) in [("TRUE and FALSE", [true, false]), ("FALSE and TRUE", [false, true])] {
        let (job, file) = one(c)?;
        let codes = judgements.map(|valid| code(file.set_validation_state(valid)));
        seen = seen.and(name, codes.to_vec()).and("the job", Rest::of(&job)?);
    }
    Ok(seen)
}

fn after_complete(c: &mut Bench) -> Answer {
    let (job, file) = one(c)?;
    let before = file.validation_state();
    job.complete()?;
    Ok(Seen::new().and("before Complete", before).and("after it", file.validation_state()))
}

fn where_the_bytes_came_from(c: &mut Bench) -> Answer {
    let told = |file: Arc<dyn File>| {
        let stats = file.file4().and_then(|file| file.peer_download_stats());
        stats.map(|stats| Texts::one(format!("{} from the origin, {} from peers", stats.from_origin, stats.from_peers)))
    };
    let (_, file) = waiting(c)?;
    let before = told(file);
    let (job, _) = one(c)?;
    Ok(Seen::new().and("before the transfer", before).and("after 1,000 bytes", told(first_file(&job)?)))
}

fn string() -> FilePropertyValue {
    FilePropertyValue::String(Some("X: y".to_owned()))
}

fn an_unknown_property(c: &mut Bench) -> Answer {
    let (_, file) = waiting(c)?;
    let file = file.file5()?;
    let unknown = FilePropertyId(2);
    Ok(Seen::new()
        .and("GetProperty(2)", file.property(unknown))
        .and("SetProperty(2)", file.set_property(unknown, string())))
}

fn a_property_that_is_read(c: &mut Bench) -> Answer {
    let (_, file) = waiting(c)?;
    seen(file.file5()?.set_property(HEADERS, string()))
}

/// The response headers of a file.
fn headers(file: &Arc<dyn File>) -> Result<Option<String>, Hresult> {
    file.file5()?.property(HEADERS).map(|answer| match answer.value {
        FilePropertyValue::String(headers) => headers,
        other => Some(format!("{other:?}")),
    })
}

fn headers_before_an_answer(c: &mut Bench) -> Answer {
    let (_, file) = waiting(c)?;
    seen(file.file5()?.property(HEADERS))
}

fn how_many_heads(c: &mut Bench) -> Answer {
    const FILES: usize = 100;
    let origin = c.origin()?;
    origin.put("/file", Content::synthetic(10, 1));
    c.follow(Rule::on("/file").fault(Fault::Header("X-Long".to_owned(), "x".repeat(60 * 1024))))?;
    let job = c.new_job()?;
    job.set_priority(JobPriority::FOREGROUND)?;
    for number in 0..FILES {
        job.add_file(Some(&origin.url("/file")), Some(&c.local(&format!("{number}.bin"))))?;
    }
    job.resume()?;
    let end = rest(c, &job)?;
    let mut kept = Vec::new();
    for (number, file) in files(&job)?.iter().enumerate() {
        if headers(file)?.is_some_and(|headers| headers.contains("X-Long")) {
            kept.push(number);
        }
    }
    let which = match kept.first() {
        None => "none".to_owned(),
        Some(0) if kept.len() == FILES => "all".to_owned(),
        Some(first) if kept.len() == FILES - first => format!("the last {}", kept.len()),
        Some(_) => format!("{} of them", kept.len()),
    };
    Ok(Seen::new().and("100 files with heads of 60 KiB", end).and("heads that are told", Texts::one(which)))
}

fn the_head_of_an_answer(c: &mut Bench) -> Answer {
    let origin = c.origin()?;
    origin.put("/file", Content::bytes(&b"0123456789"[..]));
    let answer = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n\
                  HTTP/1.1 200 Well\r\nx-ODD_name:   as it IS\r\nContent-Length: 10\r\n\r\n0123456789";
    c.follow(Rule::on("/file").method("GET").fault(Fault::Play(vec![Step::Send(answer.into())])))?;
    let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    job.resume()?;
    let end = rest(c, &job)?;
    let told = headers(&first_file(&job)?);
    Ok(Seen::new().and("the job", end).and("its headers", told))
}
