//! Files that are copied from shares and drives, as downloads.

#[cfg(unix)]
use bits_api::FileAclFlags;
use bits_api::JobPropertyId;
use bits_origin::{Content, Synthetic};
use bits_world::{InternetBandwidth, Profile, Sid};

use super::prelude::*;
use crate::bench::Remote;

cases![
    a_remote_name_is_of_http_https_or_smb,
    bits_2_0_has_added_smb_and_more,
    a_shared_file_goes_through_the_life_of_a_download,
    a_copy_keeps_bytes,
    a_copy_goes_on_where_it_was_broken_off,
    a_source_that_has_changed_is_copied_from_its_beginning,
    an_error_of_a_shared_file_has_the_protocol_file,
    a_file_that_cannot_be_had_is_an_error,
    headers_are_for_http_alone,
    files_of_drives_are_added_by_all_their_names,
    files_of_drives_are_copied,
    ranges_of_shared_files_are_for_old_versions,
    a_share_takes_the_place_of_a_web_server,
    what_is_asked_for_of_owner_and_access_is_kept,
    another_volume_is_an_error,
];

fn bytes(length: u64) -> Vec<u8> {
    Synthetic::new(length, 3).bytes(0..length)
}

fn possible<T>(result: std::io::Result<T>) -> Result<T, Stop> {
    result.map_err(|error| Stop::Failed(format!("a folder cannot be worked on: {error}")))
}

fn accepts(c: &Bench, remote: &str) -> Result<bool, Stop> {
    Ok(c.new_job()?.add_file(Some(remote), Some(&c.local("any.bin"))).is_ok())
}

/// Runs a job for one file until it is TRANSFERRED.
fn run_to_end(c: &Bench, job: &Arc<dyn Job>) -> Outcome {
    job.resume()?;
    c.wait(job, JobState::TRANSFERRED, SOON)
}

fn a_remote_name_is_of_http_https_or_smb(c: &mut Bench) -> Outcome {
    let names = ["http://server/a", "https://server/a", r"\\server\share\a", "ftp://server/a", "smb://server/share/a"];
    let mut taken = Vec::new();
    for name in names {
        taken.push(accepts(c, name)?);
    }
    let clauses = ["struct.file_info.remote_protocols", "net.smb_http"];
    c.is(clauses, taken, vec![true, true, true, false, false])?;
    let forms =
        [r"\\server\share\dir\a.bin", "file://server/share/a.bin", r"file://\\server\share\a.bin", r"Z:\dir\a.bin"];
    for form in forms {
        c.is("struct.file_info.remote_smb_forms", (form, accepts(c, form)?), (form, true))?;
    }
    for device in [r"\\server\pipe\a", r"\\server\mailslot\a", r"\\.\PhysicalDrive0\a\b"] {
        c.is("struct.file_info.remote_smb_devices", (device, accepts(c, device)?), (device, false))?;
    }
    let upload = c.new_job_of(JobType::UPLOAD_REPLY)?;
    c.outgoing("up.bin", 10)?;
    c.returns(
        "struct.file_info.remote_smb_upload_reply",
        upload.add_file(Some(r"\\server\share\a"), Some(&c.local("up.bin"))),
    )
}

/// What a client finds of what 2.0 has added: SMB names, ranges and other names for remote files,
/// the policy for bandwidth, and foreground jobs that run at once.
fn features(c: &mut Bench, profile: Profile) -> Result<Vec<bool>, Stop> {
    c.start_over();
    c.play(profile)?;
    c.set_policies(|policies| policies.max_internet_bandwidth = Some(InternetBandwidth::all_day(80)))?;
    let smb = accepts(c, r"\\server\share\a.bin")?;
    let (slow, _) = c.job_with_file(20_000)?;
    slow.resume()?;
    c.settle()?;
    let is_limited = slow.state()? == JobState::TRANSFERRING;
    slow.cancel()?;
    let mut started = 0;
    for name in ["1.bin", "2.bin"] {
        let (file, job) = (c.serve(name, 100)?, c.new_job()?);
        job.set_priority(JobPriority::FOREGROUND)?;
        file.add_to(&job)?;
        c.hold_at(&file, 10)?;
        job.resume()?;
        c.settle()?;
        started += u32::from(job.state()? == JobState::TRANSFERRING);
    }
    let (job, _) = c.job_with_file(100)?;
    let (has_job3, has_file2) = (job.job3().is_ok(), first_file(&job)?.file2().is_ok());
    Ok(vec![smb, has_job3, has_file2, is_limited, started == 2])
}

fn bits_2_0_has_added_smb_and_more(c: &mut Bench) -> Outcome {
    for (profile, is_there) in [(Profile::V1_5, false), (Profile::V2_0, true)] {
        let found = features(c, profile)?;
        c.is(["version.2_0.added", "service.features_2_0"], found, vec![is_there; 5])?;
    }
    let job = c.new_job()?;
    let (url, parts) = ("http://files.example/parts.bin", ranges(&[(10, 20), (50, 5)]));
    job.job3()?.add_file_with_ranges(Some(url), Some(&c.local("parts.bin")), &parts)?;
    let file = first_file(&job)?.file2()?;
    c.is("version.2_0.added", pairs(&file.file_ranges()?.value), vec![(10, 20), (50, 5)])?;
    job.job3()?.replace_remote_prefix(Some("http://"), Some("https://"))?;
    c.is("version.2_0.added", file.remote_name()?, "https://files.example/parts.bin".to_owned())
}

/// A job that copies a shared file of 1,000 bytes and is held when 400 are there.
fn held_copy(c: &mut Bench) -> Result<(Arc<dyn Job>, Remote), Stop> {
    c.file_server()?;
    let file = c.share_file("a.bin", 1_000)?;
    let job = c.new_job()?;
    file.add_to(&job)?;
    c.hold_at(&file, 400)?;
    job.resume()?;
    c.wait(&job, JobState::TRANSFERRING, SOON)?;
    c.settle()?;
    Ok((job, file))
}

fn a_shared_file_goes_through_the_life_of_a_download(c: &mut Bench) -> Outcome {
    let (job, file) = held_copy(c)?;
    let progress = first_file(&job)?.progress()?;
    let clauses = ["net.smb_http", "struct.file_info.remote_protocols"];
    c.is(clauses, (progress.bytes_transferred, progress.bytes_total), (400, 1_000))?;
    c.let_go(&file)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(clauses, c.local_length("a.bin")?, None)?;
    job.complete()?;
    c.is(clauses, c.local_length("a.bin")?, Some(1_000))
}

fn a_copy_keeps_bytes(c: &mut Bench) -> Outcome {
    c.origin()?;
    c.file_server()?;
    // More than is read at once.
    let file = c.share_bytes("a.bin", &bytes(2_500_000))?;
    let job = c.new_job()?;
    file.add_to(&job)?;
    run_to_end(c, &job)?;
    job.complete()?;
    c.holds("net.smb_http", "the copy is the file", possible(std::fs::read(&file.local))? == bytes(2_500_000))
}

fn a_copy_goes_on_where_it_was_broken_off(c: &mut Bench) -> Outcome {
    let (job, file) = held_copy(c)?;
    c.change_server(|server| server.online = false)?;
    c.wait(&job, JobState::TRANSIENT_ERROR, SOON)?;
    c.let_go(&file)?;
    c.change_server(|server| server.online = true)?;
    c.advance(Duration::from_mins(10))?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is("net.smb_http", c.fetched(&file)?, vec![(0, 1_000)])
}

fn a_source_that_has_changed_is_copied_from_its_beginning(c: &mut Bench) -> Outcome {
    let (job, file) = held_copy(c)?;
    c.share_file("a.bin", 1_200)?;
    c.let_go(&file)?;
    c.wait(&job, JobState::TRANSFERRED, SOON)?;
    c.is(["files.consistency.download_restart", "files.consistency.by"], c.fetched(&file)?, vec![(0, 400), (0, 1_200)])
}

fn an_error_of_a_shared_file_has_the_protocol_file(c: &mut Bench) -> Outcome {
    c.file_server()?;
    for file in [c.remote_of("missing.bin"), c.serve("web.bin", 10)?] {
        let job = c.new_job()?;
        file.add_to(&job)?;
        if file.url.starts_with("http") {
            c.trouble(&file, Trouble::NotFound)?;
        }
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let protocol = job.error()?.protocol();
        if file.url.starts_with("http") {
            c.value("error.get_protocol.http", protocol?)?;
        } else {
            c.returns("error.get_protocol.smb", protocol.clone())?;
            c.value("error.get_protocol.smb", protocol?)?;
        }
    }
    Ok(())
}

fn a_file_that_cannot_be_had_is_an_error(c: &mut Bench) -> Outcome {
    for (name, clause) in [
        ("missing.bin", "file2.set_remote_name.smb_file_not_found"),
        (r"missing\a.bin", "file2.set_remote_name.smb_path_not_found"),
        ("secret.bin", "file2.set_remote_name.smb_access_denied"),
    ] {
        c.start_over();
        let origin = c.origin()?;
        c.file_server()?;
        c.share_bytes("secret.bin", &bytes(10))?;
        let secret = c.shared("secret.bin");
        c.change_sessions(|world| world.permissions.allow_only(secret, [Sid::of_name("another")]))?;
        let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
        first_file(&job)?.file2()?.set_remote_name(Some(&c.remote_of(name).url))?;
        job.resume()?;
        c.wait(&job, JobState::ERROR, SOON)?;
        let (context, code) = error_of(&job)?;
        c.returns(clause, code)?;
        c.is(clause, context, ErrorContext::REMOTE_FILE)?;
    }
    Ok(())
}

fn headers_are_for_http_alone(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    c.file_server()?;
    origin.put("/web.bin", Content::bytes(bytes(100)));
    let shared = c.share_bytes("a.bin", &bytes(100))?;
    let job = c.new_job()?;
    job.http_options()?.set_custom_headers(Some("X-Client: yes"))?;
    job.add_file(Some(&origin.url("/web.bin")), Some(&c.local("web.bin")))?;
    shared.add_to(&job)?;
    run_to_end(c, &job)?;
    job.complete()?;
    let told = origin.journal().iter().filter(|request| request.header("X-Client").is_some()).count();
    let asked = origin.journal().iter().filter(|request| request.path.contains("a.bin")).count();
    let clause = "http_options.set_custom_headers.http_only";
    c.is(clause, (told == origin.journal().len(), asked), (true, 0))?;
    c.holds(clause, "the shared file is there", possible(std::fs::read(&shared.local))? == bytes(100))
}

fn files_of_drives_are_added_by_all_their_names(c: &mut Bench) -> Outcome {
    let job = c.new_job()?;
    let plain = job.add_file(Some(r"C:\source\a.bin"), Some(&c.local("1.bin")));
    c.returns(["job.addfile.local-path-remote", "job.addfile.source-missing"], plain)?;
    let two = job.add_file(Some(r"file://C:\source\a.bin"), Some(&c.local("2.bin")));
    c.returns(["job.addfile.file-url-two-slashes", "job.addfile.source-missing"], two)?;
    let three = job.add_file(Some("file:///C:/source/a b.bin"), Some(&c.local("3.bin")));
    c.returns("job.addfile.file-url-three-slashes", three)?;
    let last = files(&job)?.remove(2);
    c.returns("file.remotename.verbatim", last.remote_name())?;
    c.is("file.remotename.verbatim", last.remote_name()?, "file:///C:/source/a b.bin".to_owned())?;
    let progress = last.progress()?;
    c.is(
        "file.progress.initial",
        (progress.bytes_total, progress.bytes_transferred, progress.completed),
        (SIZE_UNKNOWN, 0, false),
    )?;
    let (x, y) = (c.local("x.bin"), c.local("y.bin"));
    let pair = [
        FileInfo { remote_name: r"C:\source\x.bin", local_name: &x },
        FileInfo { remote_name: r"C:\source\y.bin", local_name: &y },
    ];
    let set = c.new_job()?;
    c.returns("job.addfileset.two", set.add_file_set(&pair))?;
    c.is("job.addfileset.two", urls(&set)?, vec![r"C:\source\x.bin".to_owned(), r"C:\source\y.bin".to_owned()])
}

fn files_of_drives_are_copied(c: &mut Bench) -> Outcome {
    let forms = [
        ("", vec!["job.local.transfer"]),
        ("file://", vec!["job.local.transfer-url", "job.addfile.file-url-two-slashes"]),
    ];
    for (prefix, clauses) in forms {
        c.start_over();
        c.origin()?;
        let job = c.new_job()?;
        for (name, length) in [("x", 30), ("y", 40)] {
            let source = format!("{name}.source");
            possible(std::fs::write(c.local(&source), bytes(length)))?;
            let remote = format!("{prefix}{}", c.on_drive(&source));
            job.add_file(Some(&remote), Some(&c.local(&format!("{name}.copy"))))?;
        }
        run_to_end(c, &job)?;
        let states = c.states_of(&job)?;
        let done = job.complete();
        let copies = [possible(std::fs::read(c.local("x.copy")))?, possible(std::fs::read(c.local("y.copy")))?];
        for clause in clauses {
            c.returns(clause, done)?;
            c.holds(clause, "the copies are byte-identical", copies == [bytes(30), bytes(40)])?;
            let is_usual = |state: &JobState| !matches!(*state, JobState::SUSPENDED | JobState::ERROR);
            c.holds(clause, "no other states are seen", states.iter().skip(1).all(is_usual))?;
        }
    }
    Ok(())
}

fn ranges_of_shared_files_are_for_old_versions(c: &mut Bench) -> Outcome {
    for profile in [Profile::V2_0, Profile::V2_5, Profile::V3_0, Profile::V10_3] {
        c.start_over();
        c.origin()?;
        c.play(profile)?;
        c.file_server()?;
        let file = c.share_bytes("a.bin", &bytes(1_000))?;
        let job = c.new_job()?;
        let added =
            job.job3()?.add_file_with_ranges(Some(&file.url), Some(&file.local), &ranges(&[(900, 50), (10, 5)]));
        if profile >= Profile::V3_0 {
            c.is("job3.add_file_with_ranges.smb_new", added, Err(Hresult::E_INVALIDARG))?;
            continue;
        }
        run_to_end(c, &job)?;
        job.complete()?;
        let whole = bytes(1_000);
        let expected = [&whole[900..950], &whole[10..15]].concat();
        let copy = possible(std::fs::read(&file.local))?;
        c.holds("job3.add_file_with_ranges.smb_old", "the ranges are there in the order given", copy == expected)?;
    }
    c.start_over();
    let job = c.job_with(JobPropertyId::ON_DEMAND_MODE)?;
    let refused = job.add_file(Some(r"\\files\public\a.bin"), Some(&c.local("a.bin")));
    c.is("job5.on_demand.req_http", refused, Err(Hresult::E_INVALIDARG))
}

fn a_share_takes_the_place_of_a_web_server(c: &mut Bench) -> Outcome {
    let origin = c.origin()?;
    c.file_server()?;
    let shared = c.share_bytes("file", &bytes(1_000))?;
    let job = c.job_for(&origin.url("/file"), JobPriority::NORMAL)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    first_file(&job)?.file2()?.set_remote_name(Some(&shared.url))?;
    run_to_end(c, &job)?;
    job.complete()?;
    c.holds("file2.set_remote_name.purpose", "the file is the one of the share", c.downloaded()? == bytes(1_000))?;
    let again = c.new_job()?;
    shared.add_to(&again)?;
    let moved = again.job3()?.replace_remote_prefix(Some(r"\\files"), Some(r"\\newfiles"));
    c.is(
        "job3.replace_remote_prefix.smb_prefix",
        (moved, urls(&again)?),
        (Ok(Success::OK), vec![r"\\newfiles\public\file".to_owned()]),
    )
}

/// The access list of a file is what this machine has of one.
#[cfg(unix)]
fn what_is_asked_for_of_owner_and_access_is_kept(c: &mut Bench) -> Outcome {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    let all = FileAclFlags::OWNER | FileAclFlags::GROUP | FileAclFlags::DACL;
    for (flags, mode) in [(all, 0o640), (FileAclFlags::DACL, 0o604), (FileAclFlags::empty(), 0o700)] {
        c.start_over();
        c.origin()?;
        c.file_server()?;
        let file = c.share_bytes("a.bin", &bytes(100))?;
        possible(std::fs::set_permissions(c.shared("a.bin"), Permissions::from_mode(mode)))?;
        let job = c.new_job()?;
        file.add_to(&job)?;
        job.job3()?.set_file_acl_flags(flags)?;
        run_to_end(c, &job)?;
        job.complete()?;
        let (source, copy) =
            (possible(std::fs::metadata(c.shared("a.bin")))?, possible(std::fs::metadata(&file.local))?);
        let is_kept = (copy.mode() & 0o777 == mode, (copy.uid(), copy.gid()) == (source.uid(), source.gid()));
        c.is("files.acl_flags", is_kept, (!flags.is_empty(), true))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn what_is_asked_for_of_owner_and_access_is_kept(_: &mut Bench) -> Outcome {
    Err(Stop::Skipped("this machine's access lists cannot be read without system calls".to_owned()))
}

fn another_volume_is_an_error(c: &mut Bench) -> Outcome {
    let (job, file) = c.job_in(JobState::TRANSFERRING)?;
    c.settle()?;
    c.exchange_volume(7)?;
    c.wait(&job, JobState::ERROR, SOON)?;
    let (context, code) = error_of(&job)?;
    c.returns("files.volume_changed", code)?;
    c.is("files.volume_changed", context, ErrorContext::LOCAL_FILE)?;
    job.resume()?;
    c.wait(&job, JobState::ERROR, SOON)?;
    c.returns("files.volume_changed", error_of(&job)?.1)?;
    c.exchange_volume(0)?;
    c.let_go(&file)?;
    run_to_end(c, &job)?;
    c.is("files.volume_changed", c.fetched(&file)?, vec![(0, 1_000)])?;
    c.exchange_volume(7)?;
    c.returns("files.volume_changed", job.complete())?;
    c.exchange_volume(0)?;
    c.is("files.volume_changed", job.complete(), Ok(Success::OK))
}
