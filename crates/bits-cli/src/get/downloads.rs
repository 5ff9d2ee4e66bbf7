//! What is to be downloaded, as the command line or a list says it.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use bits_api::{FileInfo, FileRange, Hresult, LENGTH_TO_EOF};
use bits_service::redacted;

use super::settings::refused;
use crate::{Doing, Failure, remote, told};

/// One file.
#[derive(Debug)]
pub(super) struct Download {
    pub(super) url: String,
    pub(super) local: String,
    /// Which parts of it; none is all of it.
    pub(super) ranges: Vec<FileRange>,
    /// The line of a list that names it.
    line: Option<String>,
}

impl Download {
    pub(super) fn new(url: &str, file: &Path, ranges: &[Range]) -> Result<Self, Failure> {
        let ranges = ranges.iter().map(|range| range.0).collect();
        Ok(Self::of_job(url.to_owned(), full_path(file)?, ranges))
    }

    /// One of a job that is there.
    pub(super) fn of_job(url: String, local: String, ranges: Vec<FileRange>) -> Self {
        Self { url, local, ranges, line: None }
    }

    /// Finds what nothing can be downloaded from or to, as far as it can be told before BITS is asked.
    fn check(&self) -> Result<(), Failure> {
        if self.local.ends_with(std::path::is_separator) && !Path::new(&self.local).is_dir() {
            return Err(self.failed("FILE ends as a folder does, and is to be the name of a file"));
        }
        // Else it would be found once everything has arrived.
        if fs::metadata(&self.local).is_ok_and(|found| found.is_file() && found.permissions().readonly()) {
            return Err(self.failed("FILE is there and write-protected"));
        }
        Ok(())
    }

    /// Finds what the emulator of this program cannot be asked for, and real BITS can.
    pub(super) fn check_emulated(&self) -> Result<(), Failure> {
        if remote::is_of_a_share(&self.url) {
            return Err(Failure::Usage(self.told("there are no shares here, only servers of HTTP and HTTPS")));
        }
        Ok(())
    }

    pub(super) fn names(&self) -> FileInfo<'_> {
        FileInfo { remote_name: &self.url, local_name: &self.local }
    }

    pub(super) fn failed(&self, why: impl fmt::Display) -> Failure {
        Failure::Failed(self.told(why))
    }

    fn told(&self, why: impl fmt::Display) -> String {
        let line = self.line.as_ref().map_or_else(String::new, |line| format!("{line}: "));
        format!("{line}cannot download {} to {}: {why}", redacted(&self.url), self.local)
    }

    /// A code of a job with what it means for this download.
    pub(super) fn told_of(&self, code: Hresult) -> String {
        let ignored = code == Hresult::BG_E_EMPTY && !self.ranges.is_empty();
        told(code) + if ignored { " (this BITS has taken --ranges, and does nothing of it)" } else { "" }
    }

    /// Says of a job that is complete that its file is not there.
    pub(super) fn is_missing(&self) -> Failure {
        let folder = Path::new(&self.local).parent().filter(|folder| !folder.is_dir());
        let why = folder.map_or("", |_| ", and neither is its folder; make it first");
        self.failed(format!("BITS calls the job complete, but the file is not there{why}"))
    }

    /// Says of a job that has failed what BITS does not. A URL that it takes nowhere is wrong usage.
    pub(super) fn failed_silently(&self) -> Failure {
        match remote::accepted(&self.url) {
            Err(why) => Failure::Usage(self.told(why)),
            Ok(()) => self.failed("the job has failed, and this BITS does not say why"),
        }
    }

    /// Says of names that BITS refuses what the code alone does not. A URL that it takes nowhere is
    /// wrong usage, and so are parts that overlap.
    pub(super) fn refused(&self, code: Hresult) -> Failure {
        if let Err(why) = remote::accepted(&self.url) {
            return Failure::Usage(self.told(why));
        }
        if !self.ranges.is_empty() && matches!(code, Hresult::E_NOINTERFACE | Hresult::E_NOTIMPL) {
            return refused("--ranges", "IBackgroundCopyJob3", code);
        }
        if code == Hresult::BG_E_OVERLAPPING_RANGES {
            return Failure::Usage(self.told(told(code)));
        }
        let why = match code {
            Hresult::E_INVALIDARG if Path::new(&self.local).is_dir() => " (FILE is a folder)",
            Hresult::E_INVALIDARG if fs::metadata(&self.local).is_ok_and(|found| !found.is_file()) => {
                " (FILE is there and is not a regular file)"
            }
            Hresult::E_INVALIDARG => " (BITS takes no such file name)",
            Hresult::ERROR_DIRECTORY => " (FILE is to be in a folder that is not there; make it first)",
            Hresult::E_ACCESSDENIED => " (the folder of FILE cannot be written to)",
            _ => "",
        };
        self.failed(format!("{}{why}", told(code)))
    }
}

/// A part of a file: `FIRST-LAST`, or `FIRST-` for all from there on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range(FileRange);

impl FromStr for Range {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const NONE: &str = "a range is FIRST-LAST or FIRST-, in bytes";
        const TOO_FAR: &str = "no file is as long as that";
        let (first, last) = text.split_once('-').ok_or(NONE)?;
        let initial_offset = first.parse::<u64>().map_err(|_| NONE)?;
        let length = match last {
            "" => LENGTH_TO_EOF,
            last => {
                let last = last.parse::<u64>().map_err(|_| NONE)?;
                let length = last.checked_sub(initial_offset).ok_or("LAST is below FIRST")?;
                length.checked_add(1).filter(|length| *length != LENGTH_TO_EOF).ok_or(TOO_FAR)?
            }
        };
        Ok(Self(FileRange { initial_offset, length }))
    }
}

/// What one URL and FILE of the command line say.
pub(super) fn one(url: &str, file: &Path, ranges: &[Range]) -> Result<Vec<Download>, Failure> {
    let download = Download::new(url, file, ranges)?;
    download.check()?;
    Ok(vec![download])
}

/// Reads a list: a URL and a FILE a line, with spaces between. `-` is standard input.
pub(super) fn list(path: &Path) -> Result<Vec<Download>, Failure> {
    let text = if path == Path::new("-") { io::read_to_string(io::stdin()) } else { fs::read_to_string(path) };
    let name = if path == Path::new("-") { "standard input".into() } else { path.display().to_string() };
    let text = text.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => Failure::Usage(format!(
            "{name} is no text in UTF-8 (PowerShell writes that by `Set-Content -Encoding utf8`, and not by `>`)"
        )),
        _ => Failure::Failed(format!("cannot read {name}: {error}")),
    })?;
    // What PowerShell calls UTF-8 begins with a mark.
    let lines = text.trim_start_matches('\u{feff}').lines().enumerate().map(|(number, line)| (number + 1, line.trim()));
    let mut downloads = Vec::new();
    let mut lines_of = HashMap::new();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let Some((url, file)) = line.split_once(char::is_whitespace) else {
            return Err(Failure::Usage(format!(
                "line {number} of {name} is not a URL and a FILE with a blank between: {line}"
            )));
        };
        let mut download = Download::new(url, Path::new(file.trim_start()), &[])?;
        download.line = Some(format!("line {number} of {name}"));
        download.check()?;
        if let Some(other) = lines_of.insert(download.local.clone(), number) {
            return Err(Failure::Usage(format!(
                "lines {other} and {number} of {name} have the same FILE: {}",
                download.local
            )));
        }
        downloads.push(download);
    }
    if downloads.is_empty() {
        return Err(Failure::Usage(format!("{name} lists nothing to download")));
    }
    Ok(downloads)
}

/// FILE as a full path without `..`, which BITS does not take.
fn full_path(file: &Path) -> Result<String, Failure> {
    let mut path = std::path::absolute(file).doing("FILE is no path")?;
    if path.components().any(|part| part == Component::ParentDir)
        && let (Some(folder), Some(name)) = (path.parent(), path.file_name())
    {
        let folder = folder.canonicalize().map_err(|error| {
            let code = told(Hresult::ERROR_DIRECTORY);
            Failure::Failed(format!("cannot download to {}: {code} ({error})", path.display()))
        })?;
        path = folder.join(name);
    }
    into_text(path)
}

fn into_text(path: PathBuf) -> Result<String, Failure> {
    path.into_os_string()
        .into_string()
        .map_err(|path| Failure::Failed(format!("FILE is not Unicode: {}", Path::new(&path).display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_without_a_reason_is_told_as_one_and_a_url_that_bits_never_takes_as_wrong_usage() {
        let failure = |url: &str| Download::of_job(url.to_owned(), "a".to_owned(), Vec::new()).failed_silently();

        assert!(
            matches!(failure("http://server/a"), Failure::Failed(line) if line.ends_with("this BITS does not say why"))
        );
        assert!(matches!(failure("gopher://server/a"), Failure::Usage(_)));
    }

    #[test]
    fn what_a_bits_has_not_done_is_told_with_the_likely_reason() {
        let folder = tempfile::tempdir().unwrap();
        let missing = |local: PathBuf| {
            Download::of_job("http://server/a".to_owned(), local.into_os_string().into_string().unwrap(), Vec::new())
                .is_missing()
                .to_string()
        };
        let part = FileRange { initial_offset: 0, length: 10 };
        let parts = Download::of_job("http://server/a".to_owned(), "a".to_owned(), vec![part]);

        assert!(missing(folder.path().join("a")).ends_with("the file is not there"));
        assert!(missing(folder.path().join("none/a")).ends_with("neither is its folder; make it first"));
        assert!(parts.told_of(Hresult::BG_E_EMPTY).contains("--ranges"));
        assert!(!parts.told_of(Hresult::BG_E_INVALID_STATE).contains("--ranges"));
    }
}
