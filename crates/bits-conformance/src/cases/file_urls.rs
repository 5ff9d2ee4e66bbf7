//! Other remote names for files of a job: SetRemoteName and ReplaceRemotePrefix.

use bits_origin::{Content, Fault, Gate, GateAt, Origin, Synthetic};
use bits_service::SimServer;

use super::http::asked;
use super::prelude::*;
use crate::bench::Remote;

cases![
    a_file_gets_another_url,
    an_invalid_url_is_refused,
    another_url_is_for_downloads_that_have_not_ended,
    a_url_can_be_changed_in_every_other_state,
    urls_are_changed_while_the_enumerator_walks,
    a_new_url_goes_on_record_with_resume,
    the_same_version_elsewhere_is_gone_on_with,
    another_version_elsewhere_starts_over,
    a_server_that_cannot_resume_is_asked_for_all,
    a_transferred_file_is_not_fetched_from_its_new_url,
    a_running_transfer_moves_to_the_new_url,
    a_prefix_is_replaced_in_every_name_that_has_it,
    a_prefix_that_no_name_has_changes_nothing,
    names_that_would_be_invalid_change_nothing,
    a_prefix_is_compared_letter_by_letter,
    a_prefix_is_for_downloads_that_have_not_ended,
    a_failed_job_goes_on_at_another_server,
    a_prefix_moves_files_as_a_url_does,
    bytes_go_on_at_another_server,
    the_url_of_any_state_is_the_one_that_is_asked,
    bytes_begin_anew_at_a_server_that_cannot_go_on,
];

fn url_of(job: &Arc<dyn Job>) -> Result<String, Stop> {
    Ok(first_file(job)?.remote_name()?)
}

fn set_url(job: &Arc<dyn Job>, url: &str) -> Result<Result<Success, Hresult>, Stop> {
    Ok(first_file(job)?.file2()?.set_remote_name(Some(url)))
}

/// A file of 1,000 bytes on another server, of the version that [`Bench::serve`] serves.
fn elsewhere(c: &Bench) -> Result<Remote, Stop> {
    let file = c.serve("other/a.bin", 1_000)?;
    Ok(file)
}

fn a_file_gets_another_url(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    let new = "https://other.example/b.bin?x=1";
    c.returns("file2.set_remote_name.ok", set_url(&job, new)?)?;
    c.is(
        [
            "file2.set_remote_name.ok",
            "files.set_remote_name",
            "file.get_remote_name.changed",
            "file2.set_remote_name.purpose",
            "file2.set_remote_name.param",
        ],
        url_of(&job)?,
        new.to_owned(),
    )?;
    c.is("file.get_local_name.fixed", first_file(&job)?.local_name()?, file.local)?;
    let methods = first_file(&job)?.file2()?;
    c.is("file2.interface.methods", (methods.file_ranges()?.value.len(), methods.remote_name()?), (0, new.to_owned()))
}

fn an_invalid_url_is_refused(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    let file2 = first_file(&job)?.file2()?;
    for url in [None, Some(""), Some("b.bin"), Some("ftp://other.example/b"), Some("http://other.example/*.bin")] {
        let refused = file2.set_remote_name(url);
        c.returns("file2.set_remote_name.invalid", refused)?;
        c.is("file2.set_remote_name.param", refused, Err(Hresult::E_INVALIDARG))?;
    }
    let start = "http://other.example/?";
    let long = |length: usize| format!("{start}{}", "x".repeat(length - start.len()));
    c.returns("file2.set_remote_name.too_long", file2.set_remote_name(Some(&long(2_201))))?;
    c.is("file2.set_remote_name.invalid", url_of(&job)?, file.url)?;
    c.is("file2.set_remote_name.too_long", file2.set_remote_name(Some(&long(2_200))), Ok(Success::OK))?;
    c.value("file2.set_remote_name.too_long", url_of(&job)?.len())
}

fn another_url_is_for_downloads_that_have_not_ended(c: &mut Bench) -> Outcome {
    for state in FINAL {
        let (job, _) = c.job_in(state)?;
        c.returns("file2.set_remote_name.invalid_state", set_url(&job, "http://other.example/b")?)?;
    }
    for job_type in [JobType::UPLOAD, JobType::UPLOAD_REPLY] {
        let (job, _) = c.upload_job(job_type, 10)?;
        c.returns("file2.set_remote_name.not_download", set_url(&job, "http://other.example/b")?)?;
    }
    Ok(())
}

fn a_url_can_be_changed_in_every_other_state(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        let result = set_url(&job, "http://other.example/b.bin")?;
        c.is(
            "file2.set_remote_name.other_states",
            (result, url_of(&job)?),
            (Ok(Success::OK), "http://other.example/b.bin".into()),
        )?;
    }
    c.start_over();
    let (job, _) = c.job_in(JobState::ERROR)?;
    let there = elsewhere(c)?;
    set_url(&job, &there.url)??;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("file2.set_remote_name.other_states", c.attempted()?.last().cloned(), Some(there.url))
}

fn urls_are_changed_while_the_enumerator_walks(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    for name in ["a.bin", "b.bin"] {
        c.serve(name, 10)?.add_to(&job)?;
    }
    let list = job.enum_files()?;
    for n in 0..2 {
        let file = list.next(1)?.items.remove(0);
        file.file2()?.set_remote_name(Some(&format!("http://other.example/{n}")))?;
    }
    let expected: Vec<_> = (0..2).map(|n| format!("http://other.example/{n}")).collect();
    c.is("file2.set_remote_name.through_enumerator", urls(&job)?, expected)
}

fn a_new_url_goes_on_record_with_resume(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    let there = elsewhere(c)?;
    let id = job.id()?;
    set_url(&job, &there.url)??;
    c.restart_service()?;
    let job = c.find(id)?;
    c.is("file2.set_remote_name.not_serialized", url_of(&job)?, file.url)?;
    job.suspend()?;
    set_url(&job, &there.url)??;
    c.hold_connecting(&there)?;
    job.resume()?;
    c.restart_service()?;
    c.is("file2.set_remote_name.serialize_by_resume", url_of(&c.find(id)?)?, there.url)
}

/// A job with 400 of 1,000 bytes, suspended, at that priority.
fn broken_off(c: &Bench, priority: JobPriority) -> Result<(Arc<dyn Job>, Remote), Stop> {
    let (job, file) = c.job_with_file(1_000)?;
    job.set_priority(priority)?;
    c.hold_at(&file, 400)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    job.suspend()?;
    c.settle()?;
    Ok((job, file))
}

/// Resumes the job and gives what is fetched of the file that it goes to.
fn fetched_there(c: &Bench, job: &Arc<dyn Job>, there: &Remote) -> Result<Vec<(u64, u64)>, Stop> {
    job.resume()?;
    c.wait(job, JobState::TRANSFERRED, SOON)?;
    c.fetched(there)
}

fn the_same_version_elsewhere_is_gone_on_with(c: &mut Bench) -> Outcome {
    let (job, _) = broken_off(c, JobPriority::NORMAL)?;
    let there = elsewhere(c)?;
    set_url(&job, &there.url)??;
    c.is("file2.set_remote_name.resume", fetched_there(c, &job, &there)?, vec![(400, 600)])
}

fn another_version_elsewhere_starts_over(c: &mut Bench) -> Outcome {
    for (size, stamp) in [(1_200, 1_600_000_000), (1_000, 1_700_000_000)] {
        c.start_over();
        let (job, _) = broken_off(c, JobPriority::NORMAL)?;
        let there = elsewhere(c)?;
        c.replace(&there, size, FileTime::from_unix_seconds(stamp))?;
        set_url(&job, &there.url)??;
        c.is("file2.set_remote_name.restart", fetched_there(c, &job, &there)?, vec![(0, size)])?;
    }
    Ok(())
}

fn a_server_that_cannot_resume_is_asked_for_all(c: &mut Bench) -> Outcome {
    let none = SimServer { ranges: false, ..SimServer::default() };
    let (job, _) = broken_off(c, JobPriority::FOREGROUND)?;
    let there = elsewhere(c)?;
    c.serve_by(&there, none)?;
    set_url(&job, &there.url)??;
    c.is("file2.set_remote_name.restart", fetched_there(c, &job, &there)?, vec![(0, 1_000)])?;
    c.start_over();
    let (job, _) = broken_off(c, JobPriority::FOREGROUND)?;
    let there = elsewhere(c)?;
    c.serve_by(&there, none)?;
    job.job3()?.replace_remote_prefix(Some(&c.site()?), Some(&format!("{}other/", c.site()?)))?;
    c.is("job3.replace_remote_prefix.restart", fetched_there(c, &job, &there)?, vec![(0, 1_000)])
}

fn a_transferred_file_is_not_fetched_from_its_new_url(c: &mut Bench) -> Outcome {
    for whole in [false, true] {
        c.start_over();
        let (job, file) = c.job_in(JobState::TRANSFERRED)?;
        let clause = if whole {
            job.job3()?.replace_remote_prefix(Some("http://files."), Some("http://other."))?;
            "job3.replace_remote_prefix.transferred_untouched"
        } else {
            set_url(&job, "http://other.example/a.bin")??;
            "file2.set_remote_name.transferred_untouched"
        };
        job.resume()?;
        c.settle()?;
        c.is(clause, (job.state()?, c.attempted()?), (JobState::TRANSFERRED, vec![file.url]))?;
    }
    Ok(())
}

fn a_running_transfer_moves_to_the_new_url(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_with_file(1_000)?;
    c.hold_at(&file, 400)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    let there = elsewhere(c)?;
    set_url(&job, &there.url)??;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("file2.set_remote_name.resume", (c.fetched(&file)?, c.fetched(&there)?), (vec![(0, 400)], vec![(400, 600)]))?;
    c.holds(
        "file2.set_remote_name.other_states",
        "the job stays TRANSFERRING meanwhile",
        c.states_of(&job)?.ends_with(&[JobState::CONNECTING, JobState::TRANSFERRING, JobState::TRANSFERRED]),
    )
}

/// A job with files of these URLs.
fn job_of(c: &Bench, urls: &[&str]) -> Result<Arc<dyn Job>, Stop> {
    let job = c.new_job()?;
    for (n, url) in urls.iter().enumerate() {
        job.add_file(Some(url), Some(&c.local(&format!("{n}.bin"))))?;
    }
    Ok(job)
}

fn replace(job: &Arc<dyn Job>, old: &str, new: &str) -> Result<Result<Success, Hresult>, Stop> {
    Ok(job.job3()?.replace_remote_prefix(Some(old), Some(new)))
}

fn a_prefix_is_replaced_in_every_name_that_has_it(c: &mut Bench) -> Outcome {
    let job = job_of(c, &["http://Server/Path/File.ext", "http://Server2/b", "http://old/Server/c"])?;
    c.returns("job3.replace_remote_prefix.ok", replace(&job, "http://Server", "http://NewServerName")?)?;
    let expected = ["http://NewServerName/Path/File.ext", "http://NewServerName2/b", "http://old/Server/c"];
    c.is(
        [
            "job3.replace_remote_prefix.ok",
            "job3.replace_remote_prefix.textual",
            "job3.replace_remote_prefix.all_files",
            "job3.replace_remote_prefix.params",
            "job3.replace_remote_prefix.purpose",
            "files.rename_remote_prefix",
            "file.get_remote_name.changed",
        ],
        urls(&job)?,
        expected.map(str::to_owned).to_vec(),
    )?;
    c.returns("job3.replace_remote_prefix.http_to_https", replace(&job, "http://", "https://")?)?;
    c.is("job3.replace_remote_prefix.http_to_https", urls(&job)?[2].clone(), "https://old/Server/c".to_owned())
}

fn a_prefix_that_no_name_has_changes_nothing(c: &mut Bench) -> Outcome {
    let job = job_of(c, &["http://server/a"])?;
    for old in ["http://other", "server", "http://server/a/"] {
        let result = replace(&job, old, "http://new")?;
        c.returns("job3.replace_remote_prefix.no_match", result)?;
        c.is("job3.replace_remote_prefix.params", result, Ok(Success::FALSE))?;
    }
    c.is("job3.replace_remote_prefix.no_match", urls(&job)?, vec!["http://server/a".to_owned()])?;
    let empty = c.new_job()?;
    c.returns("job3.replace_remote_prefix.no_files", replace(&empty, "http://server", "http://new")?)
}

fn names_that_would_be_invalid_change_nothing(c: &mut Bench) -> Outcome {
    let long = format!("http://server/{}?{}", "b", "x".repeat(2_180));
    let before = vec!["http://server/a".to_owned(), long.clone()];
    let job = job_of(c, &["http://server/a", &long])?;
    for new in ["ftp://server", "server", "http://a b"] {
        c.returns("job3.replace_remote_prefix.bad_result", replace(&job, "http://server", new)?)?;
    }
    c.returns("job3.replace_remote_prefix.too_long", replace(&job, "http://server", "http://a-longer-server")?)?;
    c.is(
        ["job3.replace_remote_prefix.bad_result", "job3.replace_remote_prefix.too_long"],
        urls(&job)?,
        before.clone(),
    )?;
    let job3 = job.job3()?;
    for (old, new) in [(Some(""), Some("http://new")), (Some("http://server"), Some("")), (None, Some("http://new"))] {
        c.returns("job3.replace_remote_prefix.empty", job3.replace_remote_prefix(old, new))?;
    }
    let exact = format!("http://server{}", "s".repeat(2_200 - long.len()));
    replace(&job, "http://server", &exact)??;
    c.value("job3.replace_remote_prefix.too_long", urls(&job)?[1].len())
}

fn a_prefix_is_compared_letter_by_letter(c: &mut Bench) -> Outcome {
    let job = job_of(c, &["http://Server/stra\u{df}e", "http://server/b"])?;
    for old in ["HTTP://Server", "http://SERVER", "http://Server/strasse", "http://Server/STRA\u{1e9e}E"] {
        let result = replace(&job, old, "http://new")?;
        c.is(
            ["job3.replace_remote_prefix.case_sensitive", "job3.replace_remote_prefix.no_locale"],
            result,
            Ok(Success::FALSE),
        )?;
    }
    replace(&job, "http://Server/stra\u{df}e", "http://new/c")??;
    c.is(
        ["job3.replace_remote_prefix.case_sensitive", "job3.replace_remote_prefix.no_locale"],
        urls(&job)?,
        vec!["http://new/c".to_owned(), "http://server/b".to_owned()],
    )
}

fn a_prefix_is_for_downloads_that_have_not_ended(c: &mut Bench) -> Outcome {
    for state in FINAL {
        let (job, _) = c.job_in(state)?;
        c.returns("job3.replace_remote_prefix.invalid_state", replace(&job, "http://", "https://")?)?;
    }
    for job_type in [JobType::UPLOAD, JobType::UPLOAD_REPLY] {
        let (job, _) = c.upload_job(job_type, 10)?;
        c.returns("job3.replace_remote_prefix.not_download", replace(&job, "http://", "https://")?)?;
    }
    Ok(())
}

fn a_failed_job_goes_on_at_another_server(c: &mut Bench) -> Outcome {
    for state in [JobState::ERROR, JobState::TRANSIENT_ERROR] {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        let there = elsewhere(c)?;
        replace(&job, &c.site()?, &format!("{}other/", c.site()?))??;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.is(
            ["job3.replace_remote_prefix.remedy", "job3.replace_remote_prefix.purpose", "errors.mend_remote"],
            c.attempted()?.last().cloned(),
            Some(there.url),
        )?;
    }
    Ok(())
}

fn a_prefix_moves_files_as_a_url_does(c: &mut Bench) -> Outcome {
    for (size, stamp, expected) in
        [(1_000, 1_600_000_000, (400, 600)), (1_200, 1_600_000_000, (0, 1_200)), (1_000, 1_700_000_000, (0, 1_000))]
    {
        c.start_over();
        let (job, _) = broken_off(c, JobPriority::NORMAL)?;
        let there = elsewhere(c)?;
        c.replace(&there, size, FileTime::from_unix_seconds(stamp))?;
        replace(&job, &c.site()?, &format!("{}other/", c.site()?))??;
        let clause =
            if expected.0 == 0 { "job3.replace_remote_prefix.restart" } else { "job3.replace_remote_prefix.resume" };
        c.is(clause, fetched_there(c, &job, &there)?, vec![expected])?;
    }
    Ok(())
}

fn bytes_go_on_at_another_server(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let bytes = Synthetic::new(50_000, 1).bytes(0..50_000);
    let content = || Content::bytes(bytes.clone()).last_modified(FileTime::from_unix_seconds(1_700_000_000));
    origin.put("/file", content());
    origin.put("/mirror", content());
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(20_000));
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    job.resume()?;
    c.settle()?;
    set_url(&job, &origin.url("/mirror"))??;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    gate.open();
    job.complete()?;
    c.is(
        "file2.set_remote_name.resume",
        asked(&origin.journal()).last().cloned(),
        Some("GET bytes=20000-49999".into()),
    )?;
    c.holds("file2.set_remote_name.resume", "the file is whole", c.downloaded()? == bytes)
}

/// A job for `/file` of the origin in that state, on the way to it or behind it.
fn over_http(c: &Bench, origin: &Origin, state: JobState) -> Result<(Arc<dyn Job>, Option<Gate>), Stop> {
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    let mut gate = None;
    let refused = |code| Fault::Status { code, retry_after: None };
    match state {
        JobState::SUSPENDED => return Ok((job, None)),
        JobState::QUEUED => {
            c.disconnect()?;
            job.resume()?;
            c.settle()?;
            c.log_off()?;
            c.connect()?;
        }
        JobState::CONNECTING => gate = Some(origin.gate_method("HEAD", "/file", GateAt::RequestSeen)),
        JobState::TRANSFERRING => gate = Some(origin.gate_method("GET", "/file", GateAt::Byte(20_000))),
        JobState::TRANSIENT_ERROR => c.fault("HEAD", "/file", refused(503))?,
        JobState::ERROR => c.fault("HEAD", "/file", refused(404))?,
        _ => {}
    }
    if state != JobState::QUEUED {
        job.resume()?;
    }
    c.wait(&job, state, SOON)?;
    c.settle()?;
    Ok((job, gate))
}

fn the_url_of_any_state_is_the_one_that_is_asked(c: &mut Bench) -> Outcome {
    let bytes = Synthetic::new(50_000, 1).bytes(0..50_000);
    let content = || Content::bytes(bytes.clone()).last_modified(FileTime::from_unix_seconds(1_700_000_000));
    let whole = ["HEAD -", "GET bytes=0-49999"].map(str::to_owned).to_vec();
    for state in LIVING {
        for by_prefix in [false, true] {
            c.start_over();
            let origin = c.origin()?;
            origin.put("/file", content());
            origin.put("/mirror", content());
            let (job, _gate) = over_http(c, &origin, state)?;
            let before = origin.journal().len();
            let renamed = if by_prefix {
                replace(&job, &origin.url("/fi"), &origin.url("/mirror?"))?
            } else {
                set_url(&job, &origin.url("/mirror"))?
            };
            let clause =
                if by_prefix { "job3.replace_remote_prefix.purpose" } else { "file2.set_remote_name.other_states" };
            c.is(clause, renamed, Ok(Success::OK))?;
            if state == JobState::QUEUED {
                c.log_on()?;
            }
            if [JobState::SUSPENDED, JobState::TRANSIENT_ERROR, JobState::ERROR].contains(&state) {
                job.resume()?;
            }
            c.wait(&job, JobState::TRANSFERRED, SOON)?;
            let there = origin.journal();
            let there: Vec<_> = there.iter().skip(before).map(|request| request.path.starts_with("/mirror")).collect();
            c.is(clause, there.iter().all(|is_there| *is_there), true)?;
            let expected = match state {
                JobState::TRANSFERRING => vec!["GET bytes=20000-49999".to_owned()],
                JobState::TRANSFERRED => vec![],
                _ => whole.clone(),
            };
            c.is(clause, asked(&origin.journal()).split_off(before), expected)?;
            job.complete()?;
            c.holds(clause, "the file is whole", c.downloaded()? == bytes)?;
        }
    }
    Ok(())
}

fn bytes_begin_anew_at_a_server_that_cannot_go_on(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    let bytes = Synthetic::new(50_000, 1).bytes(0..50_000);
    let content = || Content::bytes(bytes.clone()).last_modified(FileTime::from_unix_seconds(1_700_000_000));
    origin.put("/file", content());
    origin.put("/mirror", content().without_ranges());
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(20_000));
    let job = c.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    job.resume()?;
    c.settle()?;
    set_url(&job, &origin.url("/mirror"))??;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    gate.open();
    job.complete()?;
    let asked = asked(&origin.journal());
    c.holds(
        "file2.set_remote_name.restart",
        &format!("the rest was asked for before all of it: {asked:?}"),
        asked.iter().any(|request| request == "GET bytes=20000-49999"),
    )?;
    c.holds("file2.set_remote_name.restart", "the file is whole", c.downloaded()? == bytes)
}
