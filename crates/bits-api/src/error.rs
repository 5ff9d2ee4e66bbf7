//! Why a job stopped.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use crate::{ErrorContext, File, Hresult, LanguageId};

/// IBackgroundCopyError: the error that stopped a job (1.0; clauses `error.*`).
///
/// A snapshot: it keeps telling of the error it was made for.
pub trait JobError: Any + Debug + Send + Sync {
    /// Where the error arose, and its code. Since 1.0; clauses `error.get_error.*`.
    ///
    /// # Errors
    /// None of its own.
    fn error(&self) -> Result<(ErrorContext, Hresult), Hresult>;

    /// The file that the job was working on. Since 1.0; clauses `error.get_file.*`.
    ///
    /// # Errors
    /// `BG_E_FILE_NOT_AVAILABLE` when the error is not tied to a file.
    fn file(&self) -> Result<Arc<dyn File>, Hresult>;

    /// The text of the code. Since 1.0; clauses `error.get_error_description.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for language 0; `ERROR_RESOURCE_LANG_NOT_FOUND` (as HRESULT) when there is
    /// no text in that language.
    fn description(&self, language: LanguageId) -> Result<String, Hresult>;

    /// The text of the context. Since 1.0; clauses `error.get_error_context_description.*`.
    ///
    /// # Errors
    /// Those of [`JobError::description`].
    fn context_description(&self, language: LanguageId) -> Result<String, Hresult>;

    /// The protocol in use: `http` for HTTP and HTTPS. Since 1.0; clauses `error.get_protocol.*`.
    ///
    /// # Errors
    /// `BG_E_PROTOCOL_NOT_AVAILABLE` when the error is not tied to a remote transfer.
    fn protocol(&self) -> Result<String, Hresult>;
}
