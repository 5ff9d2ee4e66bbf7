//! IBackgroundCopyError: what the engine told when it was asked.

use std::fmt;
use std::sync::Arc;

use bits_api::{ErrorContext, File, Hresult, JobError, LanguageId};
use bits_engine::{Engine, ErrorRecord};
use bits_world::FileName;

use crate::file::FileHandle;
use crate::job::JobHandle;
use crate::service::Service;
use crate::text;

pub(crate) struct ErrorHandle {
    job: Arc<JobHandle>,
    error: ErrorRecord,
}

impl ErrorHandle {
    pub(crate) fn new(job: &Arc<JobHandle>, error: ErrorRecord) -> Arc<Self> {
        Arc::new(Self { job: Arc::clone(job), error })
    }

    /// Whether the file that the error is about comes from a share or a drive.
    fn is_of_file(&self, service: &Service) -> bool {
        let Some(index) = self.error.file else { return false };
        let token = self.job.caller().token();
        let names = |engine: &Engine| {
            let names = engine.file_names(&token, self.job.key(), index)?;
            Ok(FileName::parse(names.remote_name).is_some())
        };
        service.read(names).unwrap_or(false)
    }

    /// Language 0 is refused here, though not by the manager (clause
    /// `error.get_error_description.language_zero`).
    fn language(language: LanguageId) -> Result<LanguageId, Hresult> {
        if language.0 == 0 { Err(Hresult::E_INVALIDARG) } else { Ok(language) }
    }
}

impl fmt::Debug for ErrorHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JobError({:?}, {}, {})", self.job, self.error.code, self.error.context)
    }
}

impl JobError for ErrorHandle {
    fn error(&self) -> Result<(ErrorContext, Hresult), Hresult> {
        self.job.service()?;
        Ok((self.error.context, self.error.code))
    }

    fn file(&self) -> Result<Arc<dyn File>, Hresult> {
        self.job.service()?;
        let index = self.error.file.ok_or(Hresult::BG_E_FILE_NOT_AVAILABLE)?;
        Ok(FileHandle::new(&self.job, index))
    }

    fn description(&self, language: LanguageId) -> Result<String, Hresult> {
        self.job.service()?;
        text::of_code(self.error.code, Self::language(language)?)
    }

    fn context_description(&self, language: LanguageId) -> Result<String, Hresult> {
        self.job.service()?;
        text::of_context(self.error.context, Self::language(language)?)
    }

    fn protocol(&self) -> Result<String, Hresult> {
        self.job.service()?;
        match self.error.context {
            ErrorContext::REMOTE_FILE | ErrorContext::REMOTE_APPLICATION | ErrorContext::GENERAL_TRANSPORT => {
                Ok(if self.is_of_file(&*self.job.service()?) { "file" } else { "http" }.into())
            }
            _ => Err(Hresult::BG_E_PROTOCOL_NOT_AVAILABLE),
        }
    }
}
