//! IBackgroundCopyFile to IBackgroundCopyFile6 over a running service: one object has them all.

use std::fmt;
use std::sync::{Arc, Weak};

use bits_api::{
    Answer, File, File2, File3, File4, File5, File6, FileInfo, FileProgress, FilePropertyId, FilePropertyValue,
    FileRange, Hresult, PeerDownloadStats, Success,
};
use bits_engine::{Cx, Engine, FileIndex, Reply};
use bits_world::{Profile, Token};

use crate::job::JobHandle;

pub(crate) struct FileHandle {
    job: Arc<JobHandle>,
    index: FileIndex,
    this: Weak<Self>,
}

impl FileHandle {
    pub(crate) fn new(job: &Arc<JobHandle>, index: FileIndex) -> Arc<Self> {
        Arc::new_cyclic(|this| Self { job: Arc::clone(job), index, this: Weak::clone(this) })
    }

    fn token(&self) -> Arc<Token> {
        self.job.caller().token()
    }

    fn read<T>(&self, read: impl FnOnce(&Engine) -> Result<T, Hresult>) -> Result<T, Hresult> {
        self.job.service()?.read(read)
    }

    fn mutate(
        &self,
        method: &'static str,
        change: impl FnMut(&mut Engine, Cx<'_>) -> Reply,
    ) -> Result<Success, Hresult> {
        self.job.mutate(method, change)
    }

    /// QueryInterface for an interface that came with `since`.
    fn query(&self, since: Profile) -> Result<Arc<Self>, Hresult> {
        let job = self.job.query(since)?;
        if Arc::ptr_eq(&job, &self.job) {
            return self.this.upgrade().ok_or(Hresult::E_UNEXPECTED);
        }
        Ok(Self::new(&job, self.index))
    }

    fn name(&self, which: fn(FileInfo<'_>) -> &str) -> Result<String, Hresult> {
        self.read(|engine| {
            engine.file_names(&self.token(), self.job.key(), self.index).map(|names| which(names).to_owned())
        })
    }
}

impl fmt::Debug for FileHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({:?}, {})", self.job, self.index.0)
    }
}

impl File for FileHandle {
    fn file2(&self) -> Result<Arc<dyn File2>, Hresult> {
        Ok(self.query(Profile::V2_0)?)
    }

    fn file3(&self) -> Result<Arc<dyn File3>, Hresult> {
        Ok(self.query(Profile::V3_0)?)
    }

    fn file4(&self) -> Result<Arc<dyn File4>, Hresult> {
        Ok(self.query(Profile::V4_0)?)
    }

    fn file5(&self) -> Result<Arc<dyn File5>, Hresult> {
        Ok(self.query(Profile::V5_0)?)
    }

    fn file6(&self) -> Result<Arc<dyn File6>, Hresult> {
        Ok(self.query(Profile::V10_1)?)
    }

    fn remote_name(&self) -> Result<String, Hresult> {
        self.name(|names| names.remote_name)
    }

    fn local_name(&self) -> Result<String, Hresult> {
        self.name(|names| names.local_name)
    }

    fn progress(&self) -> Result<FileProgress, Hresult> {
        self.read(|engine| engine.file_progress(&self.token(), self.job.key(), self.index))
    }
}

impl File2 for FileHandle {
    fn file_ranges(&self) -> Result<Answer<Vec<FileRange>>, Hresult> {
        let ranges = self.read(|engine| engine.file_ranges(&self.token(), self.job.key(), self.index))?;
        let code = if ranges.is_some() { Success::OK } else { Success::FALSE };
        Ok(Answer { code, value: ranges.unwrap_or_default() })
    }

    fn set_remote_name(&self, url: Option<&str>) -> Result<Success, Hresult> {
        self.mutate("SetRemoteName", |engine, cx| {
            engine.set_remote_name(cx, &self.token(), self.job.key(), self.index, url)
        })
    }
}

impl File3 for FileHandle {
    fn temporary_name(&self) -> Result<String, Hresult> {
        self.read(|engine| engine.temporary_name(&self.token(), self.job.key(), self.index))
    }

    fn set_validation_state(&self, valid: bool) -> Result<Success, Hresult> {
        self.mutate("SetValidationState", |engine, cx| {
            engine.set_validation_state(cx, &self.token(), self.job.key(), self.index, valid)
        })
    }

    fn validation_state(&self) -> Result<bool, Hresult> {
        self.read(|engine| engine.validation_state(&self.token(), self.job.key(), self.index))
    }

    fn is_downloaded_from_peer(&self) -> Result<bool, Hresult> {
        self.peer_download_stats().map(|stats| stats.from_peers > 0)
    }
}

impl File4 for FileHandle {
    fn peer_download_stats(&self) -> Result<PeerDownloadStats, Hresult> {
        self.read(|engine| engine.peer_download_stats(&self.token(), self.job.key(), self.index))
    }
}

impl File5 for FileHandle {
    fn property(&self, id: FilePropertyId) -> Result<Answer<FilePropertyValue>, Hresult> {
        match id {
            FilePropertyId::HTTP_RESPONSE_HEADERS => self.read(|engine| {
                let head = engine.response_head(&self.token(), self.job.key(), self.index)?;
                Ok(Answer { code: Success::OK, value: FilePropertyValue::String(head.map(str::to_owned)) })
            }),
            _ => Err(Hresult::BG_E_UNKNOWN_PROPERTY_ID),
        }
    }

    fn set_property(&self, id: FilePropertyId, _value: FilePropertyValue) -> Result<Success, Hresult> {
        self.job.refuse(
            "SetProperty",
            match id {
                FilePropertyId::HTTP_RESPONSE_HEADERS => Hresult::BG_E_READ_ONLY_PROPERTY,
                _ => Hresult::BG_E_UNKNOWN_PROPERTY_ID,
            },
        )
    }
}

impl File6 for FileHandle {
    fn update_download_position(&self, offset: u64) -> Result<Success, Hresult> {
        self.mutate("UpdateDownloadPosition", |engine, cx| {
            engine.update_download_position(cx, &self.token(), self.job.key(), self.index, offset)
        })
    }

    fn request_file_ranges(&self, ranges: &[FileRange]) -> Result<Success, Hresult> {
        self.mutate("RequestFileRanges", |engine, cx| {
            engine.request_file_ranges(cx, &self.token(), self.job.key(), self.index, ranges)
        })
    }

    fn filled_file_ranges(&self) -> Result<Vec<FileRange>, Hresult> {
        self.read(|engine| engine.filled_file_ranges(&self.token(), self.job.key(), self.index))
    }
}
