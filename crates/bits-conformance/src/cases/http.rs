//! What goes over the wire in a download, and what BITS makes of the answers.

use bits_origin::{Content, Fault, GateAt, Journal, Origin, Rule, Synthetic};

use super::prelude::*;

cases![
    a_file_arrives_byte_for_byte,
    the_size_is_asked_for_first,
    a_head_without_a_length_is_an_error,
    chunked_content_without_a_length_is_an_error,
    a_get_without_a_length_is_an_error,
    a_server_without_ranges_is_an_error_for_a_background_job,
    a_server_without_ranges_is_good_enough_for_a_foreground_job,
    raising_the_priority_cures_missing_ranges,
    a_foreground_job_that_has_to_resume_needs_ranges,
    a_foreground_job_above_two_gigabytes_asks_for_ranges,
    a_server_without_ranges_is_good_for_two_gigabytes_only,
    a_broken_connection_is_transient_and_goes_on_by_range,
    suspend_and_resume_go_on_by_range,
    a_restart_goes_on_by_range,
    a_known_stamp_needs_no_second_head,
    a_finished_file_stays_as_it_came,
    an_etag_alone_changes_nothing,
    a_change_under_the_same_stamp_goes_unnoticed,
    a_failed_precondition_starts_the_file_over,
    an_empty_file_needs_no_get,
    http_1_0_with_lengths_and_ranges_can_be_used,
    http_1_0_without_lengths_is_not_enough,
    a_refused_request_is_fatal,
    a_missing_file_is_fatal,
    an_unavailable_server_is_transient,
    a_server_that_is_not_there_is_transient,
    garbage_is_a_transient_error_that_is_retried,
    a_name_that_cannot_be_resolved_is_transient,
    header_names_have_no_case,
    a_redirect_is_followed_by_default,
    a_missing_folder_is_found_when_the_file_is_added,
    a_folder_that_vanishes_is_a_local_error,
];

pub(super) const SIZE: usize = 50_000;

const TWO_GB: u64 = 2_147_483_648;

/// The Win32 error.
const ERROR_DIRECTORY: u32 = 267;

/// The bytes of the file that most cases serve.
pub(super) fn bytes() -> Vec<u8> {
    Synthetic::new(SIZE as u64, 1).bytes(0..SIZE as u64)
}

pub(super) fn content() -> Content {
    Content::bytes(bytes())
}

/// Method and Range header of each request, in order.
pub(super) fn asked(journal: &Journal) -> Vec<String> {
    let requests = journal.iter();
    requests.map(|request| format!("{} {}", request.method, request.header("Range").unwrap_or("-"))).collect()
}

fn methods(origin: &Origin) -> Vec<String> {
    origin.journal().iter().map(|request| request.method.clone()).collect()
}

fn a_file_arrives_byte_for_byte(c: &mut Bench) -> Outcome {
    for priority in [JobPriority::FOREGROUND, JobPriority::NORMAL] {
        c.start_over();
        let origin = c.origin()?;
        let job = c.download(&origin, content(), priority, JobState::TRANSFERRED)?;
        job.complete()?;
        c.holds(
            ["job.complete.files-appear", "job.complete.rename", "jobtype.download", "enum.job_type.download"],
            "the file has the bytes of the server's",
            c.downloaded()? == bytes(),
        )?;
        c.is("files.temp.rename", c.local_files()?, vec![("download.bin".to_owned(), SIZE as u64)])?;
        let deleted = std::fs::remove_file(c.local("download.bin")).is_ok();
        c.is("job.complete.files-appear", deleted, true)?;
    }
    Ok(())
}

fn the_size_is_asked_for_first(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let gate = origin.gate_method("GET", "/file", GateAt::RequestSeen);
    origin.put("/file", content());
    let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    job.resume()?;
    c.settle()?;
    c.is("http.client.resume_known_stamp", methods(&origin), vec!["HEAD".to_owned(), "GET".to_owned()])?;
    gate.open();
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("struct.file_progress.bytes_total", first_file(&job)?.progress()?.bytes_total, SIZE as u64)
}

/// Claims that a download at that priority ends in ERROR with the code of the clauses, in the
/// context of the remote file.
fn ends_in_error<const N: usize>(
    c: &mut Bench,
    origin: &Origin,
    served: Content,
    priority: JobPriority,
    clauses: [&'static str; N],
) -> Outcome {
    let job = c.download(origin, served, priority, JobState::ERROR)?;
    let (context, code) = error_of(&job)?;
    c.returns(clauses, code)?;
    c.is(clauses, context, ErrorContext::REMOTE_FILE)
}

fn a_head_without_a_length_is_an_error(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    c.fault("HEAD", "/file", Fault::Without("Content-Length".to_owned()))?;
    ends_in_error(
        c,
        &origin,
        content(),
        JobPriority::FOREGROUND,
        ["http.head_size", "failure.head_without_length", "http.dynamic"],
    )?;
    c.is(["http.head_size", "failure.head_without_length"], methods(&origin), vec!["HEAD".to_owned()])
}

fn chunked_content_without_a_length_is_an_error(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    ends_in_error(c, &origin, content().chunked(), JobPriority::FOREGROUND, ["http.open.chunked", "http.dynamic"])
}

fn a_get_without_a_length_is_an_error(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    c.fault("GET", "/file", Fault::Without("Content-Length".to_owned()))?;
    ends_in_error(c, &origin, content(), JobPriority::FOREGROUND, ["http.get_length", "http.dynamic"])?;
    c.is("http.get_length", methods(&origin), vec!["HEAD".to_owned(), "GET".to_owned()])
}

fn a_server_without_ranges_is_an_error_for_a_background_job(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    ends_in_error(
        c,
        &origin,
        content().without_ranges(),
        JobPriority::NORMAL,
        [
            "http.get_ranges",
            "http.open.200_for_range",
            "failure.full_file_for_range",
            "callback2.example.error_insufficient_range",
        ],
    )?;
    let range = format!("GET bytes=0-{}", SIZE - 1);
    c.is("failure.full_file_for_range", asked(&origin.journal()), vec!["HEAD -".to_owned(), range])
}

fn a_server_without_ranges_is_good_enough_for_a_foreground_job(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let job = c.download(&origin, content().without_ranges(), JobPriority::FOREGROUND, JobState::TRANSFERRED)?;
    let expected = vec!["HEAD -".to_owned(), "GET -".to_owned()];
    c.is(["http.foreground_no_range", "callback2.example.foreground_remedy"], asked(&origin.journal()), expected)?;
    job.complete()?;
    c.holds("http.foreground_no_range", "the file is whole", c.downloaded()? == bytes())
}

fn raising_the_priority_cures_missing_ranges(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let job = c.download(&origin, content().without_ranges(), JobPriority::NORMAL, JobState::ERROR)?;
    c.returns("callback2.example.error_insufficient_range", error_of(&job)?.1)?;
    job.set_priority(JobPriority::FOREGROUND)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        ["job.set_priority.foreground_ranges", "callback2.example.foreground_remedy", "http.foreground_no_range"],
        job.state()?,
        JobState::TRANSFERRED,
    )
}

fn a_foreground_job_that_has_to_resume_needs_ranges(c: &mut Bench) -> Outcome {
    for interrupt in [[Bench::log_off, Bench::log_on], [Bench::disconnect, Bench::connect]] {
        c.start_over();
        let origin = c.origin()?;
        let job = c.download(&origin, content().without_ranges(), JobPriority::NORMAL, JobState::ERROR)?;
        let gate = origin.gate_method("GET", "/file", GateAt::Byte(20_000));
        job.set_priority(JobPriority::FOREGROUND)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRING, SOON)?;
        c.settle()?;
        c.is("retry.foreground_then_range_fail", job.progress()?.bytes_transferred, 20_000)?;
        interrupt[0](c)?;
        c.settle()?;
        gate.open();
        interrupt[1](c)?;
        c.settle()?;
        c.is(
            "retry.foreground_then_range_fail",
            (job.state()?, error_of(&job)?.1),
            (JobState::ERROR, Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT),
        )?;
        let last = asked(&origin.journal()).pop();
        c.is("retry.foreground_then_range_fail", last, Some(format!("GET bytes=20000-{}", SIZE - 1)))?;
    }
    Ok(())
}

fn a_foreground_job_above_two_gigabytes_asks_for_ranges(c: &mut Bench) -> Outcome {
    let mut ranges = Vec::new();
    for size in [TWO_GB - 1, TWO_GB, TWO_GB + 10] {
        c.start_over();
        let origin = c.origin()?;
        let _gate = origin.gate_method("GET", "/file", GateAt::RequestSeen);
        origin.put("/file", Content::synthetic(size, 1));
        let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
        job.resume()?;
        c.settle()?;
        ranges.extend(asked(&origin.journal()).pop());
        job.cancel()?;
    }
    let first = format!("GET bytes=0-{}", TWO_GB - 1);
    // The smallest file that is asked for by range, and the longest range of a larger one.
    let length = ranges[1].rsplit_once('-').and_then(|(_, last)| last.parse::<u64>().ok()).map_or(0, |last| last + 1);
    c.value("callback2.example.two_gb_ranges", length)?;
    c.is(
        ["callback2.example.two_gb_ranges", "job.set_priority.foreground_ranges"],
        ranges,
        vec!["GET -".to_owned(), first.clone(), first],
    )
}

fn a_server_without_ranges_is_good_for_two_gigabytes_only(c: &mut Bench) -> Outcome {
    for (size, state) in
        [(TWO_GB - 1, JobState::TRANSFERRING), (TWO_GB, JobState::ERROR), (TWO_GB + 1, JobState::ERROR)]
    {
        c.start_over();
        let origin = c.origin()?;
        let _gate = origin.gate_method("GET", "/file", GateAt::HeadersSent);
        origin.put("/file", Content::synthetic(size, 1).without_ranges());
        let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
        job.resume()?;
        c.wait(&job, state, SOON)?;
        c.settle()?;
        c.is("limit.foreground_norange_size", job.state()?, state)?;
        job.cancel()?;
    }
    Ok(())
}

fn a_broken_connection_is_transient_and_goes_on_by_range(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    c.fault_times("GET", "/file", Fault::Close(Some(20_000)), 1)?;
    let job = c.download(&origin, content(), JobPriority::FOREGROUND, JobState::TRANSIENT_ERROR)?;
    let code = error_of(&job)?.1;
    c.returns("failure.connection_ended", code)?;
    c.value("failure.connection_ended", code)?;
    c.is("lifecycle.edge.transferring_transient", job.progress()?.bytes_transferred, 20_000)?;
    c.wait(&job, JobState::TRANSFERRED, MINUTE * 11)?;
    let resumed = format!("GET bytes=20000-{}", SIZE - 1);
    c.is("http.resume_range", asked(&origin.journal()).pop(), Some(resumed))?;
    job.complete()?;
    c.holds("http.resume_range", "the file is whole", c.downloaded()? == bytes())
}

/// A foreground job that a gate holds at byte 20,000.
pub(super) fn held(c: &Bench, origin: &Origin, content: Content) -> Result<(Arc<dyn Job>, bits_origin::Gate), Stop> {
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(20_000));
    origin.put("/file", content);
    let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    Ok((job, gate))
}

fn suspend_and_resume_go_on_by_range(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let (job, gate) = held(c, &origin, content())?;
    job.suspend()?;
    c.settle()?;
    gate.open();
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let resumed = format!("GET bytes=20000-{}", SIZE - 1);
    c.is(["http.resume_range", "job.suspend.keeps_data"], asked(&origin.journal()).pop(), Some(resumed))?;
    job.complete()?;
    c.holds("job.suspend.keeps_data", "the file is whole", c.downloaded()? == bytes())
}

fn a_restart_goes_on_by_range(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let (job, gate) = held(c, &origin, content())?;
    let id = job.id()?;
    c.restart_service()?;
    gate.open();
    let job = c.find(id)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let resumed = format!("GET bytes=20000-{}", SIZE - 1);
    c.is(["lifecycle.restart.partial", "http.resume_range"], asked(&origin.journal()).pop(), Some(resumed))?;
    job.complete()?;
    c.holds(
        ["lifecycle.restart.partial", "lifecycle.persist.resume_after_restart"],
        "the file is whole",
        c.downloaded()? == bytes(),
    )
}

fn a_known_stamp_needs_no_second_head(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let (job, gate) = held(c, &origin, content().last_modified(FileTime::from_unix_seconds(1_700_000_000)))?;
    job.suspend()?;
    c.settle()?;
    gate.open();
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let expected = ["HEAD", "GET", "GET"].map(str::to_owned).to_vec();
    c.is("http.client.resume_known_stamp", methods(&origin), expected)?;
    let journal = origin.journal();
    let Some(resumed) = journal.iter().last() else { return failed("there was no request") };
    let header = |name: &str| resumed.header(name).map(str::to_owned);
    let model = vec![Some(resumed.path.clone()), header("Range"), header("If-Unmodified-Since")];
    let range = format!("bytes=20000-{}", SIZE - 1);
    let stamp = "Tue, 14 Nov 2023 22:13:20 GMT".to_owned();
    c.is("http.client.ranges_model", model, vec![Some("/file".to_owned()), Some(range), Some(stamp)])
}

fn a_finished_file_stays_as_it_came(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let job = c.download(&origin, content(), JobPriority::FOREGROUND, JobState::TRANSFERRED)?;
    origin.change("/file", Content::bytes(vec![7; 10]));
    let requests = origin.journal().len();
    job.resume()?;
    c.advance(DAY)?;
    job.complete()?;
    c.is(["files.consistency.finished_not_redone", "job.add_file.consistency_set"], origin.journal().len(), requests)?;
    c.holds("files.consistency.finished_not_redone", "the file is the old version", c.downloaded()? == bytes())
}

fn an_etag_alone_changes_nothing(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let stamp = FileTime::from_unix_seconds(1_700_000_000);
    let (job, gate) = held(c, &origin, content().last_modified(stamp))?;
    job.suspend()?;
    c.settle()?;
    gate.open();
    origin.change("/file", content().last_modified(stamp));
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    let resumed = format!("GET bytes=20000-{}", SIZE - 1);
    c.is("http.open.validators", asked(&origin.journal()).pop(), Some(resumed))?;
    let etags = origin.journal().iter().filter(|request| request.header("If-Match").is_some()).count();
    c.is("http.open.validators", etags, 0)
}

fn a_change_under_the_same_stamp_goes_unnoticed(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let stamp = FileTime::from_unix_seconds(1_700_000_000);
    let (job, gate) = held(c, &origin, content().last_modified(stamp))?;
    job.suspend()?;
    c.settle()?;
    gate.open();
    let other = Synthetic::new(SIZE as u64, 2).bytes(0..SIZE as u64);
    origin.change("/file", Content::bytes(other.clone()).last_modified(stamp));
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    c.holds(
        ["files.consistency.same_stamp", "files.consistency.by"],
        "the file begins as the old version and ends as the new one",
        c.downloaded()? == [&bytes()[..20_000], &other[20_000..]].concat(),
    )
}

fn a_failed_precondition_starts_the_file_over(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let (job, gate) = held(c, &origin, content())?;
    job.suspend()?;
    c.settle()?;
    gate.open();
    let refusal = Fault::Status { code: 412, retry_after: None };
    c.fault_times("GET", "/file", refusal, 1)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    c.is("http.open.412", job.error_count()?, 0)?;
    c.holds("http.open.412", "the file is whole", c.downloaded()? == bytes())?;
    c.is("http.open.412", asked(&origin.journal()).pop(), Some("GET -".to_owned()))
}

fn an_empty_file_needs_no_get(c: &mut Bench) -> Outcome {
    for priority in [JobPriority::FOREGROUND, JobPriority::NORMAL] {
        c.start_over();
        let origin = c.origin()?;
        let job = c.download(&origin, Content::bytes(Vec::new()), priority, JobState::TRANSFERRED)?;
        job.complete()?;
        c.is("http.open.zero_length", (methods(&origin), c.downloaded()?.len()), (vec!["HEAD".to_owned()], 0))?;
        c.is("progress.bytes_total_zero", job.progress()?.bytes_total, 0)?;
    }
    Ok(())
}

fn http_1_0_with_lengths_and_ranges_can_be_used(c: &mut Bench) -> Outcome {
    for priority in [JobPriority::FOREGROUND, JobPriority::NORMAL] {
        c.start_over();
        let origin = c.origin()?;
        let job = c.download(&origin, content().http10(), priority, JobState::TRANSFERRED)?;
        job.complete()?;
        c.holds("http.version10", "the file is whole", c.downloaded()? == bytes())?;
    }
    Ok(())
}

fn http_1_0_without_lengths_is_not_enough(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    ends_in_error(c, &origin, content().http10().until_close(), JobPriority::FOREGROUND, ["http.version"])
}

fn a_refused_request_is_fatal(c: &mut Bench) -> Outcome {
    for method in ["HEAD", "GET"] {
        c.start_over();
        let origin = c.origin()?;
        c.fault(method, "/file", Fault::Status { code: 403, retry_after: None })?;
        ends_in_error(c, &origin, content(), JobPriority::NORMAL, ["failure.http_403"])?;
        let refused = origin.journal().iter().filter(|request| request.status == Some(403)).count();
        c.advance(DAY)?;
        c.is("failure.http_403", refused, 1)?;
    }
    Ok(())
}

fn a_missing_file_is_fatal(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let job = c.job_for(&origin.url("/nothing"), JobPriority::NORMAL)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let (context, code) = error_of(&job)?;
    c.is("lifecycle.edge.connecting_error", code, Hresult::BG_E_HTTP_ERROR_404)?;
    c.is("errors.http_conversion", code.0, 0x8019_0000 + 404)?;
    c.is("enum.error_context.remote_file", context, ErrorContext::REMOTE_FILE)?;
    c.value(["enum.error_context.remote_file", "errors.context.enum_remote_file"], context)?;
    c.is("errors.context_remote_file", job.error()?.file()?.remote_name()?, origin.url("/nothing"))
}

fn an_unavailable_server_is_transient(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    c.fault_times("HEAD", "/file", Fault::Status { code: 503, retry_after: None }, 2)?;
    let job = c.download(&origin, content(), JobPriority::NORMAL, JobState::TRANSIENT_ERROR)?;
    c.is("retry.transient.example", error_of(&job)?.1, Hresult::BG_E_HTTP_ERROR_503)?;
    c.wait(&job, JobState::TRANSFERRED, MINUTE * 21)?;
    let seen: Vec<FileTime> = origin.journal().iter().map(|request| request.at.wall).collect();
    c.is("retry.delay.meaning", vec![seen[1].since(seen[0]), seen[2].since(seen[1])], vec![MINUTE * 10, MINUTE * 10])?;
    c.is("job.get_error_count.retry_increment", job.error_count()?, 2)
}

fn a_server_that_is_not_there_is_transient(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let gone = origin.url("/file");
    origin.put("/file", content());
    let job = c.job_for(&gone.replace(&origin.address().port().to_string(), "1"), JobPriority::NORMAL)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    let states = c.states_of(&job)?;
    c.is(
        ["lifecycle.edge.connecting_transient", "enum.job_state.connect_fail"],
        states[states.len() - 2..].to_vec(),
        vec![JobState::CONNECTING, JobState::TRANSIENT_ERROR],
    )
}

fn garbage_is_a_transient_error_that_is_retried(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    c.fault_times("HEAD", "/file", Fault::Garbage, 1)?;
    let job = c.download(&origin, content(), JobPriority::NORMAL, JobState::TRANSIENT_ERROR)?;
    let code = error_of(&job)?.1;
    c.returns("failure.invalid_server_response", code)?;
    c.value("failure.invalid_server_response", code)?;
    let failed_at = c.now()?;
    c.wait(&job, JobState::TRANSFERRED, MINUTE * 11)?;
    c.is("failure.invalid_server_response", c.now()?.since(failed_at), MINUTE * 10)
}

fn a_name_that_cannot_be_resolved_is_transient(c: &mut Bench) -> Outcome {
    c.origin()?;
    // A label this long is no name, so that no name server needs to be asked.
    let url = format!("http://{}.invalid/file", "n".repeat(64));
    let job = c.job_for(&url, JobPriority::NORMAL)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    let code = error_of(&job)?.1;
    c.returns("failure.name_not_resolved", code)?;
    c.value("failure.name_not_resolved", code)
}

fn header_names_have_no_case(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let rule = Rule::on("/file").method("HEAD").fault(Fault::Without("Content-Length".to_owned()));
    c.follow(rule.fault(Fault::Header("cOnTeNt-LeNgTh".to_owned(), SIZE.to_string())))?;
    let job = c.download(&origin, content(), JobPriority::NORMAL, JobState::TRANSFERRED)?;
    c.is("http.headers_case", job.progress()?.bytes_total, SIZE as u64)
}

fn a_redirect_is_followed_by_default(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    c.trust_origin()?;
    origin.put("/file", content());
    let location = Fault::Header("Location".to_owned(), origin.https_url("/file"));
    c.follow(Rule::on("/short").fault(Fault::Status { code: 302, retry_after: None }).fault(location))?;
    let job = c.job_for(&origin.https_url("/short"), JobPriority::NORMAL)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    c.holds("http.redirect_success", "the file is whole", c.downloaded()? == bytes())
}

fn a_missing_folder_is_found_when_the_file_is_added(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let job = c.new_job()?;
    let added = job.add_file(Some(&origin.url("/file")), Some(&c.local("missing/a.bin")));
    c.returns("struct.file_info.local_dirs_exist", added)?;
    c.is("errors.win32_conversion", added.err().map(|code| code.0), Some(0x8007_0000 | ERROR_DIRECTORY))?;
    c.is("struct.file_info.local_dirs_exist", c.local_files()?.len(), 0)
}

fn a_folder_that_vanishes_is_a_local_error(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    origin.put("/file", content());
    let job = c.new_job()?;
    let folder = std::path::PathBuf::from(c.local("here"));
    let impossible = |error: std::io::Error| Stop::Failed(format!("{}: {error}", folder.display()));
    std::fs::create_dir(&folder).map_err(impossible)?;
    job.add_file(Some(&origin.url("/file")), Some(&folder.join("a.bin").to_string_lossy()))?;
    std::fs::remove_dir(&folder).map_err(impossible)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let error = job.error()?;
    c.value(["enum.error_context.local_file", "errors.context.enum_local_file"], error.error()?.0)?;
    c.is("error.get_file.ok", error.file()?.remote_name()?, origin.url("/file"))
}
