//! IBackgroundCopyFile over a running service.

use std::fmt;
use std::sync::Arc;

use bits_api::{File, FileProgress, Hresult};
use bits_engine::FileIndex;

use crate::job::JobHandle;

pub(crate) struct FileHandle {
    job: Arc<JobHandle>,
    index: FileIndex,
}

impl FileHandle {
    pub(crate) fn new(job: &Arc<JobHandle>, index: FileIndex) -> Arc<Self> {
        Arc::new(Self { job: Arc::clone(job), index })
    }

    fn names(&self) -> Result<(String, String), Hresult> {
        let token = &self.job.caller().token();
        self.job.service()?.read(|engine| {
            let names = engine.file_names(token, self.job.key(), self.index)?;
            Ok((names.remote_name.to_owned(), names.local_name.to_owned()))
        })
    }
}

impl fmt::Debug for FileHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({:?}, {})", self.job, self.index.0)
    }
}

impl File for FileHandle {
    fn remote_name(&self) -> Result<String, Hresult> {
        self.names().map(|(remote, _)| remote)
    }

    fn local_name(&self) -> Result<String, Hresult> {
        self.names().map(|(_, local)| local)
    }

    fn progress(&self) -> Result<FileProgress, Hresult> {
        let token = &self.job.caller().token();
        self.job.service()?.read(|engine| engine.file_progress(token, self.job.key(), self.index))
    }
}
