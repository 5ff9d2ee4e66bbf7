//! AddFileWithRanges: files of which only parts are fetched.

use bits_api::LENGTH_TO_EOF;
use bits_origin::{Content, Synthetic};
use bits_service::SimServer;
use bits_world::Profile;

use super::http::asked;
use super::prelude::*;

cases![
    parts_of_a_file_are_added,
    names_of_files_with_parts_obey_the_rules,
    parts_that_no_file_can_have_are_refused,
    parts_may_touch_and_stand_in_any_order,
    so_many_parts_and_no_more,
    parts_are_for_downloads_that_have_not_ended,
    the_second_interface_of_a_file_gives_its_parts_back,
    parts_are_written_in_the_order_given,
    the_bytes_of_parts_are_those_of_the_file,
    parts_outside_the_file_are_found_by_the_transfer,
    parts_need_a_server_with_ranges,
    a_file_with_parts_is_of_one_version,
    files_of_one_job_may_be_of_several_versions,
];

type Parts<'a> = &'a [(u64, u64)];

/// What AddFileWithRanges gives for parts of a served file of 1,000 bytes.
fn added(c: &Bench, parts: Parts<'_>) -> Result<Result<Success, Hresult>, Stop> {
    let file = c.serve("parts.bin", 1_000)?;
    Ok(c.new_job()?.job3()?.add_file_with_ranges(Some(&file.url), Some(&file.local), &ranges(parts)))
}

/// A job with these parts of a file of 1,000 bytes.
fn job_of(c: &Bench, parts: Parts<'_>) -> Result<(Arc<dyn Job>, crate::bench::Remote), Stop> {
    let job = c.new_job()?;
    let file = c.serve("parts.bin", 1_000)?;
    file.add_parts_to(&job, parts)?;
    Ok((job, file))
}

fn parts_of_a_file_are_added(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let file = c.serve("parts.bin", 1_000)?;
    let result = job.job3()?.add_file_with_ranges(Some(&file.url), Some(&file.local), &ranges(&[(100, 50)]));
    c.returns("job3.add_file_with_ranges.ok", result)?;
    let added = first_file(&job)?;
    let names = (added.remote_name()?, added.local_name()?);
    c.is(["job3.add_file_with_ranges.ok", "job3.add_file_with_ranges.remote"], names, (file.url, file.local))?;
    c.is("struct.file_progress.bytes_total_ranges", added.progress()?.bytes_total, 50)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        ["struct.file_progress.bytes_total_ranges", "struct.job_progress.bytes_total_ranges"],
        (added.progress()?.bytes_total, job.progress()?.bytes_total),
        (50, 50),
    )
}

fn names_of_files_with_parts_obey_the_rules(c: &mut Bench) -> Outcome {
    let job = c.new_job()?.job3()?;
    let local = c.local("a.bin");
    let add = |remote: Option<&str>, local: Option<&str>| job.add_file_with_ranges(remote, local, &ranges(&[(0, 10)]));
    let long = format!("http://files.example/?{}", "x".repeat(2_200));
    for remote in [None, Some("http://files.example/a b"), Some(long.as_str())] {
        let refused = add(remote, Some(&local));
        c.returns("job3.add_file_with_ranges.bad_name", refused)?;
        c.is("job3.add_file_with_ranges.remote", refused, Err(Hresult::E_INVALIDARG))?;
    }
    let url = Some("http://files.example/a.bin");
    for name in [None, Some(""), Some(r"C:\a*.bin")] {
        let refused = add(url, name);
        c.returns("job3.add_file_with_ranges.bad_name", refused)?;
        c.is("job3.add_file_with_ranges.local", refused, Err(Hresult::E_INVALIDARG))?;
    }
    c.returns("job3.add_file_with_ranges.bad_protocol", add(Some("ftp://files.example/a.bin"), Some(&local)))?;
    c.returns("job3.add_file_with_ranges.relative_local", add(url, Some(r"folder\a.bin")))?;
    // AddFile takes and refuses the same remote names.
    let start = "http://files.example/?";
    let of_length = |length: usize| format!("{start}{}", "q".repeat(length - start.len()));
    let of_segment = |length: usize| format!("http://files.example/{}", "s".repeat(length));
    for (remote, is_taken) in [
        (of_length(2_200), true),
        (of_length(2_201), false),
        (of_segment(260), true),
        (of_segment(261), false),
        ("https://files.example/a%20b".to_owned(), true),
        ("http://files.example/*.bin".to_owned(), false),
        ("http://b\u{fc}cher.example/a".to_owned(), false),
        (String::new(), false),
    ] {
        let plain = c.new_job()?.add_file(Some(&remote), Some(&local));
        let parts = c.new_job()?.job3()?.add_file_with_ranges(Some(&remote), Some(&local), &ranges(&[(0, 10)]));
        let expected = if is_taken { Ok(Success::OK) } else { Err(Hresult::E_INVALIDARG) };
        c.is("job3.add_file_with_ranges.remote", (remote.clone(), plain, parts), (remote, expected, expected))?;
    }
    c.harm("closed", StorageFault::Denied)?;
    c.returns("job3.add_file_with_ranges.access_denied", add(url, Some(&c.local(r"closed\a.bin"))))?;
    c.returns("job3.add_file_with_ranges.zero_count", job.add_file_with_ranges(url, Some(&local), &[]))?;
    c.is("job3.add_file_with_ranges.zero_count", job.enum_files()?.count()?, 0)
}

fn parts_that_no_file_can_have_are_refused(c: &mut Bench) -> Outcome {
    for parts in [[(LENGTH_TO_EOF, 1)], [(u64::MAX - 1, 2)]] {
        c.returns("job3.add_file_with_ranges.invalid_range", added(c, &parts)?)?;
    }
    c.returns("job3.file_range.length_zero", added(c, &[(10, 0)])?)?;
    let overlapping: [Parts<'_>; 5] = [
        &[(100, 50), (100, 50)],
        &[(100, 50), (149, 10)],
        &[(400, 10), (0, 401)],
        &[(100, LENGTH_TO_EOF), (200, LENGTH_TO_EOF)],
        &[(100, LENGTH_TO_EOF), (900, 5)],
    ];
    for parts in overlapping {
        c.returns("job3.add_file_with_ranges.overlapping", added(c, parts)?)?;
    }
    c.returns("job3.add_file_with_ranges.same_offset_reverse", added(c, &[(100, 5), (100, 0)])?)
}

fn parts_may_touch_and_stand_in_any_order(c: &mut Bench) -> Outcome {
    c.returns("job3.add_file_with_ranges.adjacent", added(c, &[(100, 100), (200, 100)])?)?;
    c.returns("job3.add_file_with_ranges.any_order", added(c, &[(24, 17), (111, 20), (83, 7)])?)?;
    c.returns("job3.add_file_with_ranges.eof_not_last", added(c, &[(24, 17), (111, LENGTH_TO_EOF), (83, 7)])?)
}

fn so_many_parts_and_no_more(c: &mut Bench) -> Outcome {
    c.needs(Capability::StandardUser)?;
    c.needs(Capability::DefaultPolicies)?;
    let parts: Vec<_> = (0..501).map(|n| (n * 2, 1)).collect();
    let file = c.serve("parts.bin", 2_000)?;
    let most = (1..=501).find(|count| {
        let job = c.new_job().and_then(|job| Ok(job.job3()?));
        job.is_ok_and(|job| {
            let parts = ranges(&parts[..*count]);
            job.add_file_with_ranges(Some(&file.url), Some(&file.local), &parts).is_err() || job.cancel().is_err()
        })
    });
    let default = ["job3.add_file_with_ranges.max_default", "policy.max_ranges_per_file.default"];
    c.value(default, most.map_or(0, |refused| refused - 1))?;
    c.is("policy.files_download_jobs", most.map(|refused| refused - 1), Some(500))?;
    let limit = ["job3.add_file_with_ranges.too_many", "policy.max_ranges_per_file.exceeded"];
    c.returns(limit, added(c, &parts)?)?;
    let exempt = ["job3.add_file_with_ranges.max_exempt", "policy.max_ranges_per_file.exempt"];
    for manager in [c.administrator()?, c.local_system()?] {
        let job = new_job(&manager)?;
        let result = job.job3()?.add_file_with_ranges(Some(&file.url), Some(&file.local), &ranges(&parts));
        c.is(exempt, result, Ok(Success::OK))?;
    }
    c.set_policies(|policies| policies.max_ranges_per_file = 2)?;
    c.returns(limit, added(c, &parts[..3])?)?;
    c.is(limit, added(c, &parts[..2])?, Ok(Success::OK))
}

fn parts_are_for_downloads_that_have_not_ended(c: &mut Bench) -> Outcome {
    for state in FINAL {
        let (job, file) = c.job_in(state)?;
        let result = job.job3()?.add_file_with_ranges(Some(&file.url), Some(&file.local), &ranges(&[(0, 10)]));
        c.returns("job3.add_file_with_ranges.invalid_state", result)?;
    }
    for job_type in [JobType::UPLOAD, JobType::UPLOAD_REPLY] {
        let job = c.new_job_of(job_type)?;
        let file = c.serve("parts.bin", 1_000)?;
        let result = job.job3()?.add_file_with_ranges(Some(&file.url), Some(&file.local), &ranges(&[(0, 10)]));
        c.returns("job3.add_file_with_ranges.not_download", result)?;
        c.is("limit.ranges_download_only", (result.is_err(), job.enum_files()?.count()?), (true, 0))?;
    }
    Ok(())
}

fn the_second_interface_of_a_file_gives_its_parts_back(c: &mut Bench) -> Outcome {
    let parts = [(24, 17), (111, LENGTH_TO_EOF), (83, 7)];
    let (job, _) = job_of(c, &parts)?;
    let file = first_file(&job)?.file2();
    c.returns("file2.interface.query", &file)?;
    let file = file?;
    let given = file.file_ranges();
    c.returns("file2.get_file_ranges.ok", &given)?;
    let given = given?.value;
    c.is(["file2.get_file_ranges.ok", "job3.add_file_with_ranges.range_array"], pairs(&given), parts.to_vec())?;
    c.value("job3.file_range.length_to_eof", given[1].length)?;
    c.is("file2.interface.inherits", file.progress()?.completed, false)?;
    c.is("job3.interface.methods", job.job3()?.file_acl_flags()?.bits(), 0)?;
    let (whole, _) = c.job_with_file(10)?;
    let none = first_file(&whole)?.file2()?.file_ranges();
    c.returns("file2.get_file_ranges.none", &none)?;
    c.is("file2.get_file_ranges.none", pairs(&none?.value), vec![])?;
    let (upload, _) = c.upload_job(JobType::UPLOAD, 10)?;
    let none = first_file(&upload)?.file2()?.file_ranges();
    c.returns("file2.get_file_ranges.upload", &none)?;
    c.is("file2.get_file_ranges.upload", pairs(&none?.value), vec![])?;
    c.start_over();
    c.play(Profile::V1_5)?;
    let (old, _) = c.job_with_file(10)?;
    c.returns("file2.interface.query_old_bits", first_file(&old)?.file2().map(drop).map(|()| Success::OK))
}

fn parts_are_written_in_the_order_given(c: &mut Bench) -> Outcome {
    let (job, file) = job_of(c, &[(100, 100), (900, 100), (400, 100)])?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(
        ["job3.add_file_with_ranges.local_layout", "job3.file_range.initial_offset", "job3.file_range.length"],
        c.fetched(&file)?,
        vec![(100, 100), (900, 100), (400, 100)],
    )?;
    job.complete()?;
    c.is("job3.add_file_with_ranges.local_size", c.local_length("parts.bin")?, Some(300))
}

fn the_bytes_of_parts_are_those_of_the_file(c: &mut Bench) -> Outcome {
    for priority in [JobPriority::FOREGROUND, JobPriority::NORMAL] {
        c.start_over();
        let origin = c.origin()?;
        let bytes = Synthetic::new(1_000, 1).bytes(0..1_000);
        origin.put("/file", Content::bytes(bytes.clone()));
        let job = c.new_job()?;
        job.set_priority(priority)?;
        let parts = ranges(&[(24, 17), (111, LENGTH_TO_EOF), (83, 7)]);
        job.job3()?.add_file_with_ranges(Some(&origin.url("/file")), Some(&c.local("download.bin")), &parts)?;
        let unknown = first_file(&job)?.progress()?.bytes_total;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        let known = first_file(&job)?.progress()?.bytes_total;
        c.is("struct.file_progress.bytes_total_ranges", (unknown, known), (SIZE_UNKNOWN, 1_000 - 87))?;
        job.complete()?;
        let expected = [&bytes[24..41], &bytes[111..], &bytes[83..90]].concat();
        c.holds(
            [
                "job3.add_file_with_ranges.eof_middle_layout",
                "job3.file_range.length_to_eof",
                "job3.add_file_with_ranges.local_layout",
            ],
            "the parts follow each other in the order given",
            c.downloaded()? == expected,
        )?;
        let asked = asked(&origin.journal());
        let expected = ["HEAD -", "GET bytes=24-40,111-999", "GET bytes=83-89"].map(str::to_owned);
        c.is("job3.file_range.initial_offset", asked, expected.to_vec())?;
    }
    Ok(())
}

fn parts_outside_the_file_are_found_by_the_transfer(c: &mut Bench) -> Outcome {
    let clauses = ["job3.file_range.must_exist", "job3.add_file_with_ranges.err_out_of_bounds"];
    for parts in [[(990, 11)], [(1_000, 1)], [(2_000, LENGTH_TO_EOF)]] {
        let (job, _) = job_of(c, &parts)?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        c.returns(clauses, error_of(&job)?.1)?;
        job.cancel()?;
    }
    Ok(())
}

fn parts_need_a_server_with_ranges(c: &mut Bench) -> Outcome {
    for priority in [JobPriority::FOREGROUND, JobPriority::NORMAL] {
        let (job, file) = job_of(c, &[(0, 10)])?;
        job.set_priority(priority)?;
        c.serve_by(&file, SimServer { ranges: false, ..SimServer::default() })?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        c.returns("job3.add_file_with_ranges.err_no_range_support", error_of(&job)?.1)?;
        job.cancel()?;
    }
    Ok(())
}

fn a_file_with_parts_is_of_one_version(c: &mut Bench) -> Outcome {
    // No gate stands inside an answer in several parts.
    c.needs(Capability::Servers)?;
    for (size, stamp) in [(1_200, 1_600_000_000), (1_000, 1_700_000_000)] {
        let (job, file) = job_of(c, &[(100, 100), (900, 100)])?;
        c.hold_at(&file, 150)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRING, SOON)?;
        job.suspend()?;
        c.settle()?;
        let before = c.fetched(&file)?.len();
        c.replace(&file, size, FileTime::from_unix_seconds(stamp))?;
        c.let_go(&file)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        c.is(
            "job3.add_file_with_ranges.version_consistency",
            c.fetched(&file)?[before..].to_vec(),
            vec![(100, 100), (900, 100)],
        )?;
        job.cancel()?;
    }
    Ok(())
}

fn files_of_one_job_may_be_of_several_versions(c: &mut Bench) -> Outcome {
    let (job, first) = job_of(c, &[(0, 10)])?;
    let second = c.serve("second.bin", 1_000)?;
    second.add_parts_to(&job, &[(0, 10)])?;
    c.hold_connecting(&second)?;
    job.resume()?;
    c.settle()?;
    c.replace(&first, 2_000, FileTime::from_unix_seconds(1_700_000_000))?;
    c.let_go(&second)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("job3.add_file_with_ranges.no_cross_file_consistency", c.attempted()?, vec![first.url, second.url])
}
