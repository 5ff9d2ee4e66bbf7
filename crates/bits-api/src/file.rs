//! A file of a job.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use crate::{File2, File3, File4, File5, File6, FileProgress, Hresult};

/// IBackgroundCopyFile: one file of a job (1.0; clauses `file.*`).
///
/// Had from an enumerator or from an error object; stays readable after the job has ended.
pub trait File: Any + Debug + Send + Sync {
    /// Queries for IBackgroundCopyFile2 (2.0; clauses `file2.interface.query`).
    ///
    /// # Errors
    /// `E_NOINTERFACE` before BITS 2.0.
    fn file2(&self) -> Result<Arc<dyn File2>, Hresult> {
        Err(Hresult::E_NOINTERFACE)
    }

    /// Queries for IBackgroundCopyFile3 (3.0; clauses `file3.interface.obtain`).
    ///
    /// # Errors
    /// `E_NOINTERFACE` before BITS 3.0.
    fn file3(&self) -> Result<Arc<dyn File3>, Hresult> {
        Err(Hresult::E_NOINTERFACE)
    }

    /// Queries for IBackgroundCopyFile4 (4.0; clauses `file4.interface.obtain`).
    ///
    /// # Errors
    /// `E_NOINTERFACE` before BITS 4.0.
    fn file4(&self) -> Result<Arc<dyn File4>, Hresult> {
        Err(Hresult::E_NOINTERFACE)
    }

    /// Queries for IBackgroundCopyFile5 (5.0; clauses `file5.interface.obtain`).
    ///
    /// # Errors
    /// `E_NOINTERFACE` before BITS 5.0.
    fn file5(&self) -> Result<Arc<dyn File5>, Hresult> {
        Err(Hresult::E_NOINTERFACE)
    }

    /// Queries for IBackgroundCopyFile6 (10.1; clauses `file6.interface.obtain`).
    ///
    /// # Errors
    /// `E_NOINTERFACE` before BITS 10.1.
    fn file6(&self) -> Result<Arc<dyn File6>, Hresult> {
        Err(Hresult::E_NOINTERFACE)
    }

    /// The URL, exactly as it was given, or as it was changed since: by [`File2::set_remote_name`],
    /// [`Job3::replace_remote_prefix`](crate::Job3::replace_remote_prefix), or a redirect that the
    /// job reports or refuses ([`SecurityFlags`](crate::SecurityFlags)). Since 1.0; clauses
    /// `file.get_remote_name.*`.
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
