//! Adding files: which names are accepted, and what becomes of the file.

use super::prelude::*;

cases![
    a_file_is_appended_to_the_job,
    a_set_of_files_is_appended_in_its_order,
    a_second_file_is_accepted,
    the_names_are_given_back_verbatim,
    a_remote_name_needs_no_file_name,
    absent_and_malformed_names_are_refused,
    other_protocols_are_refused,
    relative_local_names_are_refused,
    wildcards_are_refused,
    illegal_url_characters_are_refused,
    hosts_beyond_ascii_are_refused,
    a_remote_name_has_at_most_2200_characters,
    a_path_segment_has_at_most_260_characters,
    a_local_name_has_at_most_260_characters,
    a_raw_path_prefix_is_refused,
    a_folder_without_write_access_is_refused,
    a_destination_that_exists_is_accepted_and_replaced,
    one_local_name_may_be_given_twice,
    an_empty_set_is_refused,
    a_set_with_one_bad_entry_adds_nothing,
    the_state_is_checked_before_the_names,
    files_may_be_added_in_every_state_but_the_final_ones,
    the_owner_and_administrators_may_add_files,
    files_are_transferred_one_after_the_other,
    a_failed_file_stops_the_rest,
    a_failed_file_cannot_be_taken_out,
    a_finished_file_stays_when_another_one_starts_over,
    a_finished_file_is_not_fetched_again,
    data_goes_to_a_temporary_file_beside_the_destination,
    equal_requests_are_not_merged,
    files_of_a_set_follow_the_same_rules,
    the_size_of_a_file_has_no_limit,
];

const URL: &str = "http://files.example/a.bin";

/// What AddFile, and AddFileSet with the same names as its only entry, return.
fn both(job: &Arc<dyn Job>, remote: &str, local: &str) -> [Result<Success, Hresult>; 2] {
    let info = FileInfo { remote_name: remote, local_name: local };
    [job.add_file(Some(remote), Some(local)), job.add_file_set(&[info])]
}

fn is_accepted(c: &Bench, remote: &str, local: &str) -> bool {
    c.new_job().is_ok_and(|job| job.add_file(Some(remote), Some(local)).is_ok())
}

fn a_file_is_appended_to_the_job(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let local = c.local("a.bin");
    c.returns("job.add_file.ok", job.add_file(Some(URL), Some(&local)))?;
    let file = first_file(&job)?;
    c.is(["job.add_file.ok", "job.add_file.params"], file.remote_name()?, URL.to_owned())?;
    c.is("job.add_file.params", file.local_name()?, local)
}

fn a_set_of_files_is_appended_in_its_order(c: &mut Bench) -> Outcome {
    let (job, first) = c.job_with_file(10)?;
    let (x, y) = (c.local("x.bin"), c.local("y.bin"));
    let set = [
        FileInfo { remote_name: "http://files.example/x", local_name: &x },
        FileInfo { remote_name: "http://files.example/y", local_name: &y },
    ];
    c.returns("job.add_file_set.ok", job.add_file_set(&set))?;
    let expected = vec![first.url, set[0].remote_name.to_owned(), set[1].remote_name.to_owned()];
    c.is(["job.add_file_set.ok", "job.enum_files.order"], urls(&job)?, expected)
}

fn a_second_file_is_accepted(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_with_file(10)?;
    c.returns("job.addfile.second", job.add_file(Some("http://files.example/b"), Some(&c.local("b.bin"))))
}

fn the_names_are_given_back_verbatim(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let remote = "HTTP://Files.Example:80/a%20b/../C?q=%7e&r";
    let local = c.local("Mixed Case.BIN");
    job.add_file(Some(remote), Some(&local))?;
    let file = first_file(&job)?;
    c.returns("file.get_remote_name.ok", file.remote_name())?;
    c.is(["file.get_remote_name.ok", "file.get_remote_name.origin"], file.remote_name()?, remote.to_owned())?;
    c.returns(["file.get_local_name.ok", "file.localname.verbatim"], file.local_name())?;
    c.is(["file.get_local_name.ok", "file.localname.verbatim"], file.local_name()?, local.clone())?;
    c.needs(Capability::Servers)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.is("file.get_local_name.fixed", file.local_name()?, local)
}

fn a_remote_name_needs_no_file_name(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let root = c.serve("", 10)?;
    c.returns("job.addfile.http-root", job.add_file(Some(&root.url), Some(&c.local("root.bin"))))?;
    job.resume()?;
    c.settle()?;
    c.is("job.addfile.http-root", job.state()?, JobState::TRANSFERRED)
}

fn absent_and_malformed_names_are_refused(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let local = c.local("a.bin");
    c.returns("job.add_file.invalid_names", job.add_file(None, Some(&local)))?;
    c.returns("job.add_file.invalid_names", job.add_file(Some(URL), None))?;
    for (remote, local) in [("", &*local), ("http://", &local), ("http://a b/c", &local), (URL, "")] {
        let [one, set] = both(&job, remote, local);
        c.returns("job.add_file.invalid_names", one)?;
        c.returns("job.add_file_set.invalid_names", set)?;
    }
    c.is("job.add_file.invalid_names", job.enum_files()?.count()?, 0)
}

fn other_protocols_are_refused(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let local = c.local("a.bin");
    for remote in ["ftp://files.example/a", "gopher://files.example/a", "mailto:a@files.example"] {
        let [one, set] = both(&job, remote, &local);
        c.returns("job.add_file.bad_protocol", one)?;
        c.returns("job.add_file_set.bad_protocol", set)?;
    }
    Ok(())
}

fn relative_local_names_are_refused(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    for local in ["a.bin", r"folder\a.bin", "C:a.bin"] {
        let [one, set] = both(&job, URL, local);
        c.returns("job.add_file.relative_local", one)?;
        c.returns("job.add_file_set.relative_local", set)?;
        c.is("struct.file_info.local_full_path", one.err(), Some(Hresult::E_INVALIDARG))?;
    }
    Ok(())
}

fn wildcards_are_refused(c: &mut Bench) -> Outcome {
    let local = c.local("a.bin");
    for remote in ["http://files.example/*.bin", "http://files.example/*/a.bin"] {
        c.is("struct.file_info.remote_no_wildcards", is_accepted(c, remote, &local), false)?;
    }
    for name in ["*.bin", "a?.bin"] {
        c.is("struct.file_info.local_no_wildcards", is_accepted(c, URL, &c.local(name)), false)?;
    }
    Ok(())
}

fn illegal_url_characters_are_refused(c: &mut Bench) -> Outcome {
    let local = c.local("a.bin");
    for illegal in ['"', '<', '>', '\\', '^', '`', '{', '|', '}', ' ', '\t'] {
        let remote = format!("http://files.example/a{illegal}b");
        c.is("struct.file_info.remote_legal_chars", is_accepted(c, &remote, &local), false)?;
    }
    c.is("struct.file_info.remote_legal_chars", is_accepted(c, "http://files.example/a%20b~c;d=e,f", &local), true)
}

fn hosts_beyond_ascii_are_refused(c: &mut Bench) -> Outcome {
    let local = c.local("a.bin");
    c.is("struct.file_info.remote_idn", is_accepted(c, "http://b\u{fc}cher.example/a", &local), false)?;
    c.is("struct.file_info.remote_idn", is_accepted(c, "http://xn--bcher-kva.example/a", &local), true)
}

fn a_remote_name_has_at_most_2200_characters(c: &mut Bench) -> Outcome {
    let local = c.local("a.bin");
    let of_length = |length: usize| {
        let start = "http://files.example/a?";
        format!("{start}{}", "q".repeat(length - start.len()))
    };
    let longest = (2_195..=2_205).rfind(|length| is_accepted(c, &of_length(*length), &local));
    c.value("struct.file_info.remote_url_max", longest.unwrap_or(0))
}

fn a_path_segment_has_at_most_260_characters(c: &mut Bench) -> Outcome {
    let local = c.local("a.bin");
    let accepted = |length: usize| {
        let segment = "s".repeat(length);
        is_accepted(c, &format!("http://files.example/{segment}/{segment}"), &local)
    };
    let longest = (255..=265).rfind(|length| accepted(*length));
    c.value("struct.file_info.remote_segment_max", longest.unwrap_or(0))
}

fn a_local_name_has_at_most_260_characters(c: &mut Bench) -> Outcome {
    let start = c.local("a").len() - 1;
    let accepted = |length: usize| is_accepted(c, URL, &c.local(&"n".repeat(length - start)));
    let longest = (255..=265).rfind(|length| accepted(*length));
    c.value("struct.file_info.local_max", longest.unwrap_or(0))
}

fn a_raw_path_prefix_is_refused(c: &mut Bench) -> Outcome {
    c.is("struct.file_info.local_no_prefix", is_accepted(c, URL, r"\\?\C:\a.bin"), false)
}

fn a_folder_without_write_access_is_refused(c: &mut Bench) -> Outcome {
    c.harm("locked", StorageFault::Denied)?;
    let job = c.new_job()?;
    let [one, set] = both(&job, URL, &c.local(r"locked\a.bin"));
    c.returns("job.add_file.access_denied", one)?;
    c.returns("job.add_file_set.access_denied", set)?;
    c.is("struct.file_info.local_write", job.enum_files()?.count()?, 0)
}

fn a_destination_that_exists_is_accepted_and_replaced(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::ACKNOWLEDGED)?;
    c.is("file.localname.verbatim", first_file(&job)?.local_name()?, c.local("a.bin"))?;
    let again = c.new_job()?;
    let other = c.serve("other.bin", 70)?;
    c.returns("job.addfile.dest-exists", again.add_file(Some(&other.url), Some(&c.local("a.bin"))))?;
    again.resume()?;
    c.wait(&again, JobState::TRANSFERRED, SOON)?;
    again.complete()?;
    c.is("job.complete.rename", c.local_files()?, vec![("a.bin".to_owned(), 70)])
}

fn one_local_name_may_be_given_twice(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let (first, second) = (c.serve("1.bin", 10)?, c.serve("2.bin", 20)?);
    let local = c.local("same.bin");
    job.add_file(Some(&first.url), Some(&local))?;
    c.returns("job.add_file.duplicate_local", job.add_file(Some(&second.url), Some(&local)))?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    c.is("job.add_file.duplicate_local", c.local_files()?, vec![("same.bin".to_owned(), 20)])
}

fn an_empty_set_is_refused(c: &mut Bench) -> Outcome {
    c.returns("job.add_file_set.zero_count", c.new_job()?.add_file_set(&[]))
}

fn a_set_with_one_bad_entry_adds_nothing(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let local = c.local("a.bin");
    let good = FileInfo { remote_name: URL, local_name: &local };
    let bad = FileInfo { remote_name: URL, local_name: "relative.bin" };
    c.returns("job.add_file_set.relative_local", job.add_file_set(&[good, bad, good]))?;
    c.is("job.add_file_set.invalid_names", job.enum_files()?.count()?, 0)
}

fn the_state_is_checked_before_the_names(c: &mut Bench) -> Outcome {
    let (job, _) = c.job_in(JobState::CANCELLED)?;
    let both_wrong = job.add_file(Some("ftp://files.example/a"), Some("relative")).err();
    c.is("job.add_file.check_order", both_wrong, Some(Hresult::BG_E_INVALID_STATE))?;
    c.set_policies(|policies| policies.max_files_per_job = 0)?;
    let full = c.new_job()?.add_file(Some("ftp://files.example/a"), Some("relative")).err();
    c.is("job.add_file.check_order", full, Some(Hresult::E_INVALIDARG))
}

fn files_may_be_added_in_every_state_but_the_final_ones(c: &mut Bench) -> Outcome {
    for state in LIVING {
        c.start_over();
        let (job, _) = c.job_in(state)?;
        let added = job.add_file(Some("http://files.example/b"), Some(&c.local("b.bin"))).is_ok();
        let (x, y) = (c.local("x.bin"), c.local("y.bin"));
        let set = [
            FileInfo { remote_name: "http://files.example/x", local_name: &x },
            FileInfo { remote_name: "http://files.example/y", local_name: &y },
        ];
        let set_added = job.add_file_set(&set).is_ok();
        c.is("job.add_file.states", added, true)?;
        c.is("job.add_file_set.states", set_added, true)?;
        c.is("lifecycle.add_files_when", job.enum_files()?.count()?, 4)?;
    }
    Ok(())
}

fn the_owner_and_administrators_may_add_files(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let by_admin = c.administrator()?.job(job.id()?)?;
    let local = c.local("a.bin");
    let [one, set] = both(&by_admin, URL, &local);
    let stranger = c.other_user()?.job(job.id()?).err();
    c.is(
        ["job.add_file.who", "manager.create_job.owner"],
        (one.is_ok(), stranger),
        (true, Some(Hresult::E_ACCESSDENIED)),
    )?;
    c.is("job.add_file_set.who", (set.is_ok(), stranger), (true, Some(Hresult::E_ACCESSDENIED)))?;
    c.is("users.admin_no_need_to_own", (job.enum_files()?.count()?, job.owner()?), (2, c.own_sid()?))
}

/// A job with three files of 100 bytes.
fn three_files(c: &Bench) -> Result<(Arc<dyn Job>, Vec<crate::bench::Remote>), Stop> {
    let job = c.new_job()?;
    let mut served = Vec::new();
    for name in ["1.bin", "2.bin", "3.bin"] {
        let file = c.serve(name, 100)?;
        file.add_to(&job)?;
        served.push(file);
    }
    Ok((job, served))
}

fn files_are_transferred_one_after_the_other(c: &mut Bench) -> Outcome {
    for priority in [JobPriority::NORMAL, JobPriority::FOREGROUND] {
        c.start_over();
        let (job, served) = three_files(c)?;
        job.set_priority(priority)?;
        c.hold_at(&served[1], 50)?;
        job.resume()?;
        c.wait(&job, JobState::TRANSFERRING, SOON)?;
        c.settle()?;
        let mut moved = Vec::new();
        for file in files(&job)? {
            moved.push(file.progress()?.bytes_transferred);
        }
        c.is(["job.add_file.sequential", "sched.files.sequential"], moved.clone(), vec![100, 50, 0])?;
        if priority == JobPriority::FOREGROUND {
            c.is("sched.foreground.files_serial", moved, vec![100, 50, 0])?;
        }
        c.let_go(&served[1])?;
        c.wait(&job, JobState::TRANSFERRED, SOON)?;
        let order: Vec<String> = served.into_iter().map(|file| file.url).collect();
        c.is(["job.add_file.sequential", "sched.files.sequential"], c.attempted()?, order)?;
    }
    Ok(())
}

fn a_failed_file_stops_the_rest(c: &mut Bench) -> Outcome {
    let (job, served) = three_files(c)?;
    c.trouble(&served[1], Trouble::NotFound)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.advance(DAY)?;
    c.is(
        [
            "job.add_file.error_stops",
            "sched.files.stop_on_error",
            "lifecycle.error.all_files_needed",
            "job.interface.atomic",
        ],
        (job.state()?, c.attempted()?),
        (JobState::ERROR, vec![served[0].url.clone(), served[1].url.clone()]),
    )?;
    c.is("lifecycle.error.meaning", job.progress()?.files_transferred, 1)
}

fn a_failed_file_cannot_be_taken_out(c: &mut Bench) -> Outcome {
    let (job, served) = three_files(c)?;
    for _ in 0..2 {
        c.trouble(&served[0], Trouble::NotFound)?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
    }
    c.is(
        ["sched.job_atomic", "job.interface.atomic"],
        (job.state()?, job.enum_files()?.count()?),
        (JobState::ERROR, 3),
    )?;
    job.resume()?;
    c.settle()?;
    c.is("sched.job_atomic", job.state()?, JobState::TRANSFERRED)
}

/// Suspends a job whose second file is half done, puts other versions in the place of its files,
/// and lets it go on to byte 10 of the second file.
fn changed_on_the_way(c: &Bench) -> Result<Arc<dyn Job>, Stop> {
    let (job, served) = three_files(c)?;
    c.hold_at(&served[1], 50)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    job.suspend()?;
    c.settle()?;
    for file in &served {
        c.replace(file, 120, FileTime::from_unix_seconds(1_700_000_000))?;
    }
    c.hold_at(&served[1], 10)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    Ok(job)
}

fn a_finished_file_stays_when_another_one_starts_over(c: &mut Bench) -> Outcome {
    let job = changed_on_the_way(c)?;
    let first = files(&job)?[0].progress()?;
    c.is("files.consistency.download_restart", (first.bytes_transferred, first.bytes_total), (100, 100))
}

fn a_finished_file_is_not_fetched_again(c: &mut Bench) -> Outcome {
    let job = changed_on_the_way(c)?;
    let first = urls(&job)?.remove(0);
    let attempts = c.attempted()?.into_iter().filter(|url| *url == first).count();
    c.is(["job.add_file.consistency_set", "files.consistency.finished_not_redone"], attempts, 1)
}

fn data_goes_to_a_temporary_file_beside_the_destination(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    c.settle()?;
    let before = c.local_files()?;
    c.is(["job.add_file.temp_file", "files.temp.place"], before.len(), 1)?;
    let (name, length) = before[0].clone();
    c.is("job.add_file.temp_file", length, 400)?;
    c.holds("files.temp.place", "it is not the destination itself", name != "a.bin")?;
    c.let_go(&file)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    job.complete()?;
    c.is(["job.add_file.temp_file", "files.temp.rename"], c.local_files()?, vec![("a.bin".to_owned(), 1_000)])
}

fn equal_requests_are_not_merged(c: &mut Bench) -> Outcome {
    let file = c.serve("a.bin", 100)?;
    let (one, two) = (c.new_job()?, c.new_job()?);
    for job in [&one, &two] {
        job.set_priority(JobPriority::FOREGROUND)?;
        file.add_to(job)?;
    }
    c.hold_at(&file, 50)?;
    one.resume()?;
    two.resume()?;
    c.settle()?;
    let at_once = (one.progress()?.bytes_transferred, two.progress()?.bytes_transferred);
    c.is("sched.no_dedup", (c.attempted()?.len(), at_once), (2, (50, 50)))?;
    c.let_go(&file)?;
    c.settle()?;
    c.is("sched.no_dedup", (one.state()?, two.state()?), (JobState::TRANSFERRED, JobState::TRANSFERRED))
}

fn files_of_a_set_follow_the_same_rules(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let (first, second) = (c.serve("1.bin", 100)?, c.serve("2.bin", 100)?);
    let set = [&first, &second].map(|file| FileInfo { remote_name: &file.url, local_name: &file.local });
    job.add_file_set(&set)?;
    c.hold_at(&second, 50)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    c.is("job.add_file_set.same_semantics", c.attempted()?, vec![first.url.clone(), second.url.clone()])?;
    job.suspend()?;
    c.settle()?;
    for file in [&first, &second] {
        c.replace(file, 120, FileTime::from_unix_seconds(1_700_000_000))?;
    }
    c.hold_at(&second, 10)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    let moved = vec![files(&job)?[0].progress()?.bytes_transferred, files(&job)?[1].progress()?.bytes_transferred];
    c.is("job.add_file_set.same_semantics", moved, vec![100, 10])?;
    c.start_over();
    let job = c.new_job()?;
    let served = [c.serve("1.bin", 100)?, c.serve("2.bin", 100)?, c.serve("3.bin", 100)?];
    let set = served.each_ref().map(|file| FileInfo { remote_name: &file.url, local_name: &file.local });
    job.add_file_set(&set)?;
    c.trouble(&served[1], Trouble::NotFound)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.advance(DAY)?;
    c.is(
        ["job.add_file_set.error_stops", "job.add_file_set.same_semantics"],
        (job.state()?, c.attempted()?),
        (JobState::ERROR, vec![served[0].url.clone(), served[1].url.clone()]),
    )
}

fn the_size_of_a_file_has_no_limit(c: &mut Bench) -> Outcome {
    const TEN_TERABYTES: u64 = 10_000_000_000_000;
    let (job, _) = c.job_with_file(TEN_TERABYTES)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("struct.file_info.size_http_download", job.progress()?.bytes_transferred, TEN_TERABYTES)
}
