//! Where the bytes of a file came from, and what its server said of it.

use bits_api::{FilePropertyId, FilePropertyValue};
use bits_origin::{Content, GateAt};
use bits_world::Profile;

use super::http::{bytes, content};
use super::prelude::*;

cases![
    later_interfaces_of_a_file_come_with_their_version,
    all_bytes_come_from_the_origin,
    whoever_sees_the_job_may_ask_for_its_statistics,
    the_headers_of_the_last_answer_are_given_whole,
    before_an_answer_there_are_no_headers,
    only_the_last_answer_counts,
    each_file_has_its_own_headers,
    headers_stay_readable_after_complete,
    headers_outlive_the_service,
    an_upload_has_no_headers,
    no_property_can_be_set,
];

const HEADERS: FilePropertyId = FilePropertyId::HTTP_RESPONSE_HEADERS;

/// The response headers of a file.
fn headers(file: &Arc<dyn File>) -> Result<Option<String>, Stop> {
    match file.file5()?.property(HEADERS)?.value {
        FilePropertyValue::String(headers) => Ok(headers),
        other => failed(format!("the headers came as {other:?}")),
    }
}

/// Whether a line of the headers is this one.
fn has_line(headers: Option<&String>, line: &str) -> bool {
    headers.is_some_and(|headers| headers.lines().any(|found| found.eq_ignore_ascii_case(line)))
}

/// A clause about obtaining an interface, one about what it inherits, the last BITS without it, and
/// how a query for it fails.
type Query = (&'static str, &'static str, Profile, fn(&dyn File) -> Option<Hresult>);

fn later_interfaces_of_a_file_come_with_their_version(c: &mut Bench) -> Outcome {
    let queries: [Query; 3] = [
        ("file4.interface.obtain", "file4.interface.inherits", Profile::V3_0, |file| file.file4().map(drop).err()),
        ("file5.interface.obtain", "file5.interface.inherits", Profile::V4_0, |file| file.file5().map(drop).err()),
        ("file6.interface.obtain", "file6.interface.inherits", Profile::V5_0, |file| file.file6().map(drop).err()),
    ];
    for (obtain, _, before, query) in queries {
        c.start_over();
        c.play(before)?;
        let (job, _) = c.job_with_file(100)?;
        c.is(obtain, query(&*first_file(&job)?), Some(Hresult::E_NOINTERFACE))?;
        c.start_over();
        let (job, _) = c.job_with_file(100)?;
        c.is(obtain, query(&*first_file(&job)?), None)?;
    }
    c.start_over();
    c.play(Profile::V5_0)?;
    let (job, _) = c.job_with_file(100)?;
    c.returns("file6.interface.min_os", first_file(&job)?.file6())?;
    c.start_over();
    let (job, remote) = c.job_with_file(100)?;
    let file = first_file(&job)?;
    let (fourth, fifth, sixth) = (file.file4()?, file.file5()?, file.file6()?);
    c.is(queries[0].1, (fourth.remote_name()?, fourth.validation_state()?), (remote.url.clone(), false))?;
    c.is(queries[1].1, (fifth.remote_name()?, fifth.peer_download_stats()?.from_peers), (remote.url.clone(), 0))?;
    let property = sixth.property(HEADERS)?.value == FilePropertyValue::String(None);
    c.is(queries[2].1, (sixth.remote_name()?, property), (remote.url, true))
}

fn all_bytes_come_from_the_origin(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let job = c.download(&origin, content(), JobPriority::NORMAL, JobState::TRANSFERRED)?;
    let stats = first_file(&job)?.file4()?.peer_download_stats();
    c.returns("file4.get_peer_download_stats.ok", stats)?;
    let stats = stats?;
    let size = bytes().len() as u64;
    c.is(
        [
            "file4.get_peer_download_stats.no_peer",
            "file4.get_peer_download_stats.params",
            "file4.get_peer_download_stats.file_data_only",
            "peer.stats",
        ],
        (stats.from_origin, stats.from_peers),
        (size, 0),
    )
}

fn whoever_sees_the_job_may_ask_for_its_statistics(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::TRANSFERRED)?;
    let own = first_file(&job)?.file4()?.peer_download_stats()?.from_origin;
    let seen = c.administrator()?.job(job.id()?)?;
    let others = first_file(&seen)?.file4()?.peer_download_stats()?.from_origin;
    c.is("file4.get_peer_download_stats.who", (own, others), (1_000, 1_000))
}

fn the_headers_of_the_last_answer_are_given_whole(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let job = c.download(&origin, content(), JobPriority::NORMAL, JobState::TRANSFERRED)?;
    let file = first_file(&job)?;
    let result = file.file5()?.property(HEADERS);
    c.returns("file5.get_property.ok", &result)?;
    let told = headers(&file)?;
    let size = bytes().len();
    let names: Vec<_> = told.iter().flat_map(|told| told.lines()).filter_map(|line| line.split_once(':')).collect();
    let mut names: Vec<_> = names.into_iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort_unstable();
    let sent =
        ["accept-ranges", "content-length", "content-range", "content-type", "date", "etag", "last-modified", "server"];
    c.is(
        ["file5.property_id.http_response_headers", "file5.get_property.complete_set"],
        names,
        sent.map(str::to_owned).to_vec(),
    )?;
    for line in [format!("Content-Length: {size}"), "Accept-Ranges: bytes".to_owned()] {
        c.holds(
            [
                "file5.property_id.http_response_headers",
                "file5.property_value.string",
                "file5.get_property.complete_set",
            ],
            &format!("{line} is among {told:?}"),
            has_line(told.as_ref(), &line),
        )?;
    }
    c.value("file5.property_id.http_response_headers", HEADERS)?;
    c.holds("file5.get_property.params", "the property of the file holds them as a string", told.is_some())?;
    for undefined in [0, 2, u32::MAX] {
        let result = file.file5()?.property(FilePropertyId(undefined));
        c.returns("file5.get_property.unknown_id", &result)?;
        c.is("file5.property_id.only_one", result.is_err(), true)?;
    }
    Ok(())
}

fn before_an_answer_there_are_no_headers(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(100)?;
    let result = first_file(&job)?.file5()?.property(HEADERS);
    c.returns("file5.get_property.null_string", &result)?;
    c.is(["file5.get_property.null_string", "http.response_headers"], headers(&first_file(&job)?)?, None)
}

fn only_the_last_answer_counts(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", content());
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(20_000));
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    job.resume()?;
    c.settle()?;
    let first = headers(&first_file(&job)?)?;
    let size = bytes().len();
    let whole = format!("Content-Range: bytes 0-{}/{size}", size - 1);
    c.holds("file5.get_property.last_response", "the first range is told", has_line(first.as_ref(), &whole))?;
    job.suspend()?;
    gate.open();
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let last = headers(&first_file(&job)?)?;
    let is_of_the_rest = last
        .as_ref()
        .is_some_and(|headers| headers.to_lowercase().contains("content-range:") && !has_line(Some(headers), &whole));
    c.holds(
        ["file5.get_property.last_response", "http.response_headers"],
        "the answer to the rest took its place",
        is_of_the_rest,
    )
}

fn each_file_has_its_own_headers(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let job = c.new_job()?;
    for (name, size) in [("one", 1_000), ("two", 2_000)] {
        origin.put(&format!("/{name}"), Content::synthetic(size, 1));
        job.add_file(Some(&origin.url(&format!("/{name}"))), Some(&c.local(name)))?;
    }
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let mut lengths = Vec::new();
    for (file, size) in files(&job)?.iter().zip([1_000, 2_000]) {
        lengths.push(has_line(headers(file)?.as_ref(), &format!("Content-Length: {size}")));
    }
    c.is("file5.get_property.per_file", lengths, vec![true, true])
}

fn headers_stay_readable_after_complete(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let job = c.download(&origin, content(), JobPriority::NORMAL, JobState::TRANSFERRED)?;
    let before = headers(&first_file(&job)?)?;
    job.complete()?;
    c.is("file5.get_property.after_complete", job.state()?, JobState::ACKNOWLEDGED)?;
    let after = headers(&first_file(&job)?)?;
    c.holds("file5.get_property.after_complete", "they are still told", before.is_some())?;
    c.is("file5.get_property.after_complete", after, before)
}

fn headers_outlive_the_service(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let job = c.download(&origin, content(), JobPriority::NORMAL, JobState::TRANSFERRED)?;
    let (id, before) = (job.id()?, headers(&first_file(&job)?)?);
    c.restart_service()?;
    let after = headers(&first_file(&c.find(id)?)?)?;
    c.holds("file5.get_property.persist", "there were some", before.is_some())?;
    c.is("file5.get_property.persist", after, before)
}

fn an_upload_has_no_headers(c: &mut Bench) -> Outcome {
    let (job, _) = c.upload_in(JobType::UPLOAD, JobState::TRANSFERRED)?;
    c.is("file5.get_property.upload", headers(&first_file(&job)?)?, None)
}

fn no_property_can_be_set(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(100)?;
    let file = first_file(&job)?.file5()?;
    let value = || FilePropertyValue::String(Some("X: y".to_owned()));
    let refused = file.set_property(HEADERS, value());
    c.returns("file5.set_property.read_only", refused)?;
    c.holds("file5.set_property.params", "an id and a value are taken by value", refused.is_err())?;
    c.returns("file5.set_property.unknown_id", file.set_property(FilePropertyId(2), value()))?;
    c.is("file5.set_property.read_only", headers(&first_file(&job)?)?, None)
}
