//! What becomes of the local file: while it is temporary, at Complete, at Cancel.

use std::path::{Path, PathBuf};

use bits_api::JobPriority;
use bits_origin::{Content, GateAt};

use super::prelude::*;

probes! {
    "job.suspend.keeps_data" => what_resume_asks_for,
    "job.complete.unable_to_delete" => |b| {
        let (job, _) = b.job_in(JobState::TRANSFERRING)?;
        let _pinned = b.pin_files()?;
        Ok(Seen::new().and("Complete", job.complete()).and("then", job.state()))
    },
    "files.local_failures" => a_folder_that_is_removed,
    "job.add_file.duplicate_local" => one_name_for_two_files,
    "job.complete.dest_read_only" => a_destination_that_is_read_only,
    "files.temp.hidden" => whether_temporary_files_are_hidden,
    "smb.failures" => files_that_are_not_there,
    "job.add_file.dest_exists" => a_destination_that_is_there,
    "files.temp.name" => temporary_names,
    "job.complete.rename_failed_early" => a_destination_that_became_a_folder,
    "job.complete.length_changed" => a_temporary_file_that_was_cut_short,
}

const SIZE: u64 = 1_000_000;
const PART: u64 = 300_000;

/// A foreground job of one file, which its server holds in the middle.
struct Held {
    job: Arc<dyn Job>,
    origin: Arc<bits_origin::Origin>,
    gate: bits_origin::Gate,
}

fn held(b: &mut Bench) -> Result<Held, Stop> {
    let origin = b.origin()?;
    origin.put("/file", Content::synthetic(SIZE, 1));
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(PART));
    let job = b.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    job.resume()?;
    arrived(b, &job, 0)?;
    Ok(Held { job, origin, gate })
}

/// Waits until more than so many bytes of the job are there.
fn arrived(b: &Bench, job: &Arc<dyn Job>, bytes: u64) -> Result<(), Stop> {
    let has_arrived = || job.progress().is_ok_and(|progress| progress.bytes_transferred > bytes);
    if b.until(has_arrived, SOON)? { Ok(()) } else { failed("nothing of the file has arrived") }
}

/// A job whose only file is there, under its temporary name.
fn transferred(b: &mut Bench) -> Result<Arc<dyn Job>, Stop> {
    let origin = b.origin()?;
    b.download(&origin, Content::synthetic(SIZE, 1), JobPriority::FOREGROUND, JobState::TRANSFERRED)
}

/// The only file in the local folder.
fn only_file(b: &Bench) -> Result<PathBuf, Stop> {
    match &b.local_files()?[..] {
        [(name, _)] => Ok(PathBuf::from(b.local(name))),
        files => failed(format!("one local file was expected, not {}", files.len())),
    }
}

fn what_resume_asks_for(b: &mut Bench) -> Answer {
    let Held { job, origin, gate } = held(b)?;
    job.suspend()?;
    let asked = origin.journal().len();
    gate.open();
    job.resume()?;
    let state = b.rest(&job)?;
    let journal = origin.journal();
    let next = journal.iter().skip(asked).find(|request| request.method == "GET");
    let range = next.and_then(|request| request.header("Range").map(str::to_owned));
    let from = Words(match range {
        Some(range) if range.starts_with("bytes=0-") => "a range from the beginning",
        Some(_) => "a range from the middle",
        None if next.is_none() => "nothing",
        None => "the whole file",
    });
    Ok(Seen::new().and("the first GET after Resume asks for", from).and("the job rests in", state))
}

fn a_folder_that_is_removed(b: &mut Bench) -> Answer {
    let origin = b.origin()?;
    origin.put("/file", Content::synthetic(SIZE, 1));
    let folder = PathBuf::from(b.local("here"));
    done(std::fs::create_dir(&folder))?;
    let job = b.new_job()?;
    job.add_file(Some(&origin.url("/file")), Some(&folder.join("a.bin").to_string_lossy()))?;
    done(std::fs::remove_dir(&folder))?;
    job.resume()?;
    Ok(Seen::new().and("the job rests in", b.rest(&job)?).and("GetError", error_of(&job)))
}

fn one_name_for_two_files(b: &mut Bench) -> Answer {
    let job = b.new_job()?;
    let (first, second) = (b.serve("1.bin", 10)?, b.serve("2.bin", 20)?);
    let local = b.local("same.bin");
    job.add_file(Some(&first.url), Some(&local))?;
    let told = Seen::new().and("the second AddFile", job.add_file(Some(&second.url), Some(&local)));
    job.resume()?;
    let told = told.and("the job rests in", b.rest(&job)?).and("Complete", job.complete());
    Ok(told.and("length of the file, of 10 and 20", b.local_length("same.bin")?))
}

fn a_destination_that_is_read_only(b: &mut Bench) -> Answer {
    let job = transferred(b)?;
    let destination = PathBuf::from(b.local("download.bin"));
    done(std::fs::write(&destination, "before"))?;
    protect(&destination, true)?;
    let told = Seen::new().and("Complete", job.complete()).and("then", job.state());
    protect(&destination, false)?;
    Ok(told.and("the destination", content_of(&destination)))
}

fn protect(file: &Path, is_read_only: bool) -> Result<(), Stop> {
    let mut permissions = done(std::fs::metadata(file))?.permissions();
    permissions.set_readonly(is_read_only);
    done(std::fs::set_permissions(file, permissions))
}

/// Whether the destination is what was there before.
fn content_of(destination: &Path) -> Words {
    Words(match std::fs::metadata(destination).map(|found| found.len()) {
        Ok(SIZE) => "is the new file",
        Ok(_) => "is the old file",
        Err(_) => "is not there",
    })
}

fn whether_temporary_files_are_hidden(b: &mut Bench) -> Answer {
    let Held { gate, .. } = held(b)?;
    let is_hidden = is_hidden(&only_file(b)?)?;
    drop(gate);
    seen(Words(if is_hidden { "hidden" } else { "an ordinary file" }))
}

#[cfg(windows)]
fn is_hidden(file: &Path) -> Result<bool, Stop> {
    use std::os::windows::fs::MetadataExt;
    const FILE_ATTRIBUTE_HIDDEN: u32 = 2;
    Ok(done(std::fs::metadata(file))?.file_attributes() & FILE_ATTRIBUTE_HIDDEN != 0)
}

/// Elsewhere a dot hides a file.
#[cfg(not(windows))]
fn is_hidden(file: &Path) -> Result<bool, Stop> {
    done(std::fs::metadata(file))?;
    Ok(file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')))
}

/// Files of a drive, a share and a server that cannot be had.
fn files_that_are_not_there(b: &mut Bench) -> Answer {
    b.origin()?;
    let mut told = Seen::new();
    for (what, name) in [
        ("no such file", b.on_drive("missing.bin")),
        ("no such folder", b.on_drive(r"missing\a.bin")),
        ("no such share", b.on_no_share()?),
        // A label this long is no name, so that nobody on the network is asked for it.
        ("no such server", format!(r"\\{}.invalid\share\a.bin", "n".repeat(64))),
    ] {
        let job = b.new_job()?;
        job.add_file(Some(&name), Some(&b.local("a.bin")))?;
        job.resume()?;
        told = told.and(what, b.rest(&job)?).and("GetError", error_of(&job));
        job.cancel()?;
    }
    Ok(told)
}

fn a_destination_that_is_there(b: &mut Bench) -> Answer {
    let origin = b.origin()?;
    let destination = PathBuf::from(b.local("download.bin"));
    done(std::fs::write(&destination, "before"))?;
    origin.put("/file", Content::synthetic(SIZE, 1));
    let job = b.new_job()?;
    let told =
        Seen::new().and("AddFile", job.add_file(Some(&origin.url("/file")), Some(&destination.to_string_lossy())));
    job.resume()?;
    let told = told.and("the job rests in", b.rest(&job)?).and("Complete", job.complete());
    Ok(told.and("the destination", content_of(&destination)))
}

fn temporary_names(b: &mut Bench) -> Answer {
    let origin = b.origin()?;
    origin.put("/file", Content::synthetic(SIZE, 1));
    let gate = origin.gate_method("GET", "/file", GateAt::Byte(PART));
    let job = b.job_for(&origin.url("/file"), JobPriority::FOREGROUND)?;
    let file = first_file(&job)?;
    let temporary = || file.file3()?.temporary_name().map(|name| shape(Path::new(&name)));
    let told = Seen::new().and("files before Resume", b.local_files()?.len()).and("GetTemporaryName", temporary());
    job.resume()?;
    arrived(b, &job, 0)?;
    let listed: Vec<_> = b.local_files()?.iter().map(|(name, _)| shape(Path::new(name))).collect();
    drop(gate);
    Ok(told.and("files in the middle", listed).and("GetTemporaryName", temporary()))
}

/// The last part of a name, with an asterisk for the hexadecimal digits after its first three letters.
fn shape(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
    let start: String = stem.chars().take(3).collect();
    let rest: String = stem.chars().skip(3).collect();
    let digits = if rest.chars().all(|c| c.is_ascii_hexdigit()) { "*" } else { rest.as_str() };
    format!("{start}{digits}.{extension}")
}

/// Completes a job in the middle of its second file, after a folder has taken the first one's place.
fn a_destination_that_became_a_folder(b: &mut Bench) -> Answer {
    let origin = b.origin()?;
    origin.put("/whole", Content::synthetic(1_000, 1));
    origin.put("/part", Content::synthetic(SIZE, 2));
    let gate = origin.gate_method("GET", "/part", GateAt::Byte(PART));
    let job = b.new_job()?;
    job.set_priority(JobPriority::FOREGROUND)?;
    for name in ["whole", "part"] {
        job.add_file(Some(&origin.url(&format!("/{name}"))), Some(&b.local(name)))?;
    }
    job.resume()?;
    arrived(b, &job, 1_000)?;
    done(std::fs::create_dir(b.local("whole")))?;
    let told = Seen::new().and("Complete", job.complete()).and("then", job.state());
    drop(gate);
    Ok(told)
}

fn a_temporary_file_that_was_cut_short(b: &mut Bench) -> Answer {
    let job = transferred(b)?;
    let temporary = done(std::fs::OpenOptions::new().write(true).open(only_file(b)?))?;
    done(temporary.set_len(PART))?;
    drop(temporary);
    let told = Seen::new().and("Complete", job.complete()).and("then", job.state());
    let length = Path::new(&b.local("download.bin")).metadata().map(|found| found.len()).ok();
    Ok(told.and("length of the destination", length))
}
