//! A file of a job.

use std::any::Any;
use std::fmt::Debug;

use crate::{FileProgress, Hresult};

/// IBackgroundCopyFile: one file of a job (1.0; clauses `file.*`).
///
/// Had from an enumerator or from an error object; stays readable after the job has ended.
pub trait File: Any + Debug + Send + Sync {
    /// The URL, exactly as it was given. Since 1.0; clauses `file.get_remote_name.*`.
    ///
    /// # Errors
    /// None of its own.
    fn remote_name(&self) -> Result<String, Hresult>;

    /// The full path, exactly as it was given; never the temporary name. Since 1.0; clauses
    /// `file.get_local_name.*`.
    ///
    /// # Errors
    /// None of its own.
    fn local_name(&self) -> Result<String, Hresult>;

    /// How far the file has come, in bytes. Since 1.0; clauses `file.get_progress.*`.
    ///
    /// # Errors
    /// None of its own.
    fn progress(&self) -> Result<FileProgress, Hresult>;
}
