//! The report of a run in a file, which is there as far as the run has come.

use std::io::Write;
use std::path::PathBuf;

use super::json;
use crate::runner::Report;

/// Where the report of a run goes.
pub(crate) struct ReportFile(PathBuf);

impl ReportFile {
    /// At that path; what is there is replaced.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Writes the report as it is now. Whoever reads sees the one before, or this one, whole.
    ///
    /// # Errors
    /// In one line, why it cannot be written.
    pub(crate) fn write(&self, report: &Report) -> Result<(), String> {
        let beside = self.0.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(".".as_ref());
        let written = tempfile::NamedTempFile::new_in(beside).and_then(|mut draft| {
            draft.write_all(json::run(report).as_bytes())?;
            draft.persist(&self.0).map(drop).map_err(|error| error.error)
        });
        written.map_err(|error| format!("{}: {error}", self.0.display()))
    }
}
