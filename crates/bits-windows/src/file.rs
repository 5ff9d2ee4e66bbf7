//! IBackgroundCopyFile and what came after it.

use std::sync::Arc;

use bits_api::{File, FileProgress, Hresult};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;

use crate::proxy::Proxy;

#[derive(Debug)]
pub(crate) struct FileHandle(Proxy<bits::IBackgroundCopyFile>);

impl FileHandle {
    pub(crate) fn arc(file: Proxy<bits::IBackgroundCopyFile>) -> Arc<dyn File> {
        Arc::new(Self(file))
    }
}

impl File for FileHandle {
    fn remote_name(&self) -> Result<String, Hresult> {
        self.0.text(|table| table.GetRemoteName).map(Option::unwrap_or_default)
    }

    fn local_name(&self) -> Result<String, Hresult> {
        self.0.text(|table| table.GetLocalName).map(Option::unwrap_or_default)
    }

    fn progress(&self) -> Result<FileProgress, Hresult> {
        let progress: bits::BG_FILE_PROGRESS = self.0.read(|table| table.GetProgress)?;
        Ok(FileProgress {
            bytes_total: progress.BytesTotal,
            bytes_transferred: progress.BytesTransferred,
            completed: progress.Completed.as_bool(),
        })
    }
}
