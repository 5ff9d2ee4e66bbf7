//! IBackgroundCopyError.

use std::sync::Arc;

use bits_api::{ErrorContext, File, Hresult, JobError, LanguageId};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::HRESULT;

use crate::call::hresult;
use crate::file::FileHandle;
use crate::memory::TextOut;
use crate::proxy::Proxy;

#[derive(Debug)]
pub(crate) struct ErrorHandle(pub(crate) Proxy<bits::IBackgroundCopyError>);

impl JobError for ErrorHandle {
    fn error(&self) -> Result<(ErrorContext, Hresult), Hresult> {
        let (mut context, mut code) = (bits::BG_ERROR_CONTEXT::default(), HRESULT::default());
        self.0.call(|table| table.GetError, (&mut context, &mut code))?;
        Ok((ErrorContext(context.0.cast_unsigned()), hresult(code)))
    }

    fn file(&self) -> Result<Arc<dyn File>, Hresult> {
        self.0.object(|table| table.GetFile).map(FileHandle::arc)
    }

    fn description(&self, language: LanguageId) -> Result<String, Hresult> {
        let mut text = TextOut::new();
        self.0.call(|table| table.GetErrorDescription, (language.0, &mut text))?;
        Ok(text.text().unwrap_or_default())
    }

    fn context_description(&self, language: LanguageId) -> Result<String, Hresult> {
        let mut text = TextOut::new();
        self.0.call(|table| table.GetErrorContextDescription, (language.0, &mut text))?;
        Ok(text.text().unwrap_or_default())
    }

    fn protocol(&self) -> Result<String, Hresult> {
        self.0.text(|table| table.GetProtocol).map(Option::unwrap_or_default)
    }
}
