//! The report of a run in a file, which is there as far as the run has come.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use super::json;
use crate::bounded;
use crate::runner::Report;

/// How long others may hold the file: what looks for viruses or copies files elsewhere does for a moment.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the report of a run goes.
pub(crate) struct ReportFile {
    path: PathBuf,
    /// How long it is tried anew.
    patience: Duration,
}

impl ReportFile {
    /// At that path; a file that is there is replaced.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self { path, patience: PATIENCE }
    }

    /// Writes the report as it is now. Whoever reads sees the one before, or this one, whole.
    ///
    /// # Errors
    /// In one line, why it cannot be written.
    pub(crate) fn write(&self, report: &Report) -> Result<(), String> {
        let written = self.place().and_then(|path| {
            let beside = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(".".as_ref());
            let mut draft = tempfile::NamedTempFile::new_in(beside)?;
            draft.write_all(json::run(report).as_bytes())?;
            let draft = draft.into_temp_path();
            bounded::patiently(self.patience, || std::fs::rename(&draft, &path))
        });
        written.map_err(|error| format!("{}: {error}", self.path.display()))
    }

    /// Where the file is, or will be. A rename would put it in the place of a link, and of a device too, where the
    /// user may do that.
    fn place(&self) -> io::Result<PathBuf> {
        let path = if self.path.is_symlink() { self.path.canonicalize()? } else { self.path.clone() };
        match path.metadata() {
            Ok(there) if !there.is_file() && !there.is_dir() => {
                Err(io::Error::other("this is a device or a pipe, where a file is wanted"))
            }
            _ => Ok(path),
        }
    }

    /// Writes the report at the end of a run, elsewhere if it must be: a run may have taken hours.
    ///
    /// # Errors
    /// In one line, why it is not where it should be, and where else it is.
    pub(crate) fn write_last(&self, report: &Report) -> Result<(), String> {
        let Err(error) = self.write(report) else { return Ok(()) };
        let name = self.path.with_extension("new.json");
        let elsewhere = [Some(name.clone()), name.file_name().map(|name| std::env::temp_dir().join(name))];
        let written =
            elsewhere.into_iter().flatten().find(|path| Self { path: path.clone(), ..*self }.write(report).is_ok());
        Err(match written {
            Some(path) => format!("{error}; the report is in {}", path.display()),
            None => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place where no file can be put, since a folder is there.
    fn taken(folder: &tempfile::TempDir) -> ReportFile {
        let path = folder.path().join("windows.json");
        std::fs::create_dir(&path).expect("a folder");
        ReportFile { path, patience: Duration::ZERO }
    }

    #[test]
    fn a_last_report_that_cannot_be_where_it_should_be_is_put_beside_and_the_error_says_where() {
        let folder = tempfile::tempdir().expect("a folder");
        let beside = folder.path().join("windows.new.json");

        let error = taken(&folder).write_last(&Report::default()).expect_err("it is not where it should be");

        let told = format!("; the report is in {}", beside.display());
        assert!(error.contains("windows.json: ") && error.ends_with(&told), "{error}");
        assert!(std::fs::read_to_string(&beside).is_ok_and(|text| text.starts_with('{')));
    }

    #[test]
    fn no_draft_stays_of_a_report_that_cannot_be_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = taken(&folder);

        file.write(&Report::default()).expect_err("it cannot be written");

        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_the_report_is_where_it_leads() {
        let folder = tempfile::tempdir().expect("a folder");
        let [file, link] = ["windows.json", "latest.json"].map(|name| folder.path().join(name));
        std::fs::write(&file, "an older one").expect("a file");
        std::os::unix::fs::symlink(&file, &link).expect("a link");

        ReportFile::at(link.clone()).write(&Report::default()).expect("it is written");

        assert!(link.is_symlink());
        assert!(std::fs::read_to_string(&file).is_ok_and(|text| text.starts_with('{')));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_replaced() {
        use std::os::unix::fs::FileTypeExt;

        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("device");
        let _socket = std::os::unix::net::UnixListener::bind(&path).expect("a socket");

        let error = ReportFile::at(path.clone()).write(&Report::default()).expect_err("it is no file");

        assert!(error.ends_with("device: this is a device or a pipe, where a file is wanted"), "{error}");
        assert!(std::fs::metadata(&path).is_ok_and(|there| there.file_type().is_socket()));
    }
}
