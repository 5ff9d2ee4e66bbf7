//! The machine that a run is made on: what it is, and what earlier runs have left on it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use bits_api::{EnumJobsFlags, Job, JobState, Manager};

use crate::bench::JOB_NAME;
use crate::ledger;

/// How the folders of runs begin, in the folder for temporary files.
const FOLDER: &str = "bits-conformance-";

/// A folder for the files of a run, which goes with the value.
///
/// # Errors
/// Those of making a folder.
pub(crate) fn new_folder() -> io::Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix(FOLDER).tempdir()
}

/// The operating system and its version, in words.
pub(crate) fn system() -> String {
    let (program, arguments): (_, &[&str]) = if cfg!(windows) { ("cmd", &["/c", "ver"]) } else { ("uname", &["-srm"]) };
    spoken(program, arguments).unwrap_or_else(|| std::env::consts::OS.to_owned())
}

/// The SID of whoever runs the suite, as Windows writes it.
pub(crate) fn own_sid() -> Option<String> {
    let line = spoken("whoami", &["/user", "/fo", "csv", "/nh"])?;
    let sid = line.rsplit(',').next()?.trim_matches('"');
    sid.starts_with("S-1-").then(|| sid.to_owned())
}

/// What a program has to say, in one line.
fn spoken(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Cancels the jobs, and deletes the files, that a run which was ended has left behind. `tell` is
/// told of each.
pub(crate) fn clear_away(manager: &dyn Manager, mut tell: impl FnMut(String)) {
    let jobs = manager.enum_jobs(EnumJobsFlags::empty()).and_then(|jobs| jobs.next(u32::MAX));
    for job in jobs.map(|jobs| jobs.items).unwrap_or_default() {
        if !is_left_over(&*job) {
            continue;
        }
        let id = job.id().map_or_else(|code| code.to_string(), |id| id.to_string());
        tell(match ledger::cancel(&*job) {
            Ok(_) => format!("cancelled the job {id}, which an earlier run has left"),
            Err(code) => format!("the job {id}, which an earlier run has left, stays: Cancel gives {code}"),
        });
    }
    for folder in left_over_folders() {
        tell(match std::fs::remove_dir_all(&folder) {
            Ok(()) => format!("deleted {}, which an earlier run has left", folder.display()),
            Err(error) => format!("{}, which an earlier run has left, stays: {error}", folder.display()),
        });
    }
}

/// Whether a job of this user is of a run of the suite: by its name, or by where its files go.
fn is_left_over(job: &dyn Job) -> bool {
    if job.state().is_ok_and(|state| [JobState::ACKNOWLEDGED, JobState::CANCELLED].contains(&state)) {
        return false;
    }
    let is_named = job.display_name().is_ok_and(|name| name == JOB_NAME);
    is_named || {
        let files = job.enum_files().and_then(|files| files.next(u32::MAX)).map(|files| files.items);
        let ours = std::env::temp_dir();
        files.unwrap_or_default().iter().any(|file| {
            file.local_name().is_ok_and(|name| {
                let below = Path::new(&name).strip_prefix(&ours);
                below.is_ok_and(|rest| rest.to_string_lossy().starts_with(FOLDER))
            })
        })
    }
}

fn left_over_folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(FOLDER)).map(|entry| entry.path()).collect()
}
