//! An error of a file that is not there.

use std::sync::Arc;

use bits_api::JobError;
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{HRESULT, PWSTR, Result, implement};

use super::{FakeFile, FakeService};
use crate::error::ErrorHandle;
use crate::proxy::Proxy;

#[implement(bits::IBackgroundCopyError)]
pub(crate) struct FakeError(Arc<FakeService>);

impl FakeError {
    /// As a client has it.
    pub(crate) fn of(service: &Arc<FakeService>) -> Arc<dyn JobError> {
        Arc::new(ErrorHandle(Proxy::new(Self::interface(service))))
    }

    /// As BITS has it.
    pub(crate) fn interface(service: &Arc<FakeService>) -> bits::IBackgroundCopyError {
        Self(Arc::clone(service)).into()
    }
}

impl bits::IBackgroundCopyError_Impl for FakeError_Impl {
    fn GetError(&self, context: *mut bits::BG_ERROR_CONTEXT, code: *mut HRESULT) -> Result<()> {
        // SAFETY: the caller's places.
        unsafe {
            *context = bits::BG_ERROR_CONTEXT_REMOTE_FILE;
            *code = HRESULT(0x8019_0194_u32.cast_signed());
        }
        self.0.hear("GetError")
    }

    fn GetFile(&self) -> Result<bits::IBackgroundCopyFile> {
        self.0.hear("GetFile").map(|()| FakeFile::interface(&self.0, 5))
    }

    fn GetErrorDescription(&self, language: u32) -> Result<PWSTR> {
        self.0.tell(format_args!("GetErrorDescription({language:#x})"), "not there")
    }

    fn GetErrorContextDescription(&self, language: u32) -> Result<PWSTR> {
        self.0.tell(format_args!("GetErrorContextDescription({language:#x})"), "the remote file")
    }

    fn GetProtocol(&self) -> Result<PWSTR> {
        self.0.tell("GetProtocol", "http")
    }
}
