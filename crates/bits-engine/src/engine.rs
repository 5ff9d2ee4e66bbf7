//! The public methods of the engine.

use bits_api::{
    EnumJobsFlags, FileInfo, FileProgress, Guid, Hresult, JobProgress, JobState, JobTimes, JobType, Setting, Value,
};
use bits_world::clock::Monotonic;
use bits_world::{Sid, Token};

use crate::{Action, CallbackId, Config, Cx, ErrorRecord, Event, FileIndex, JobKey, Reply, Saved};

/// The queue of jobs and everything that decides about it.
#[derive(Debug)]
pub struct Engine {
    _config: Config,
}

#[allow(clippy::unused_self, clippy::needless_pass_by_value, clippy::needless_pass_by_ref_mut, missing_docs)]
impl Engine {
    pub fn new(config: Config) -> Self {
        Self { _config: config }
    }
    pub fn restore(config: Config, _saved: impl IntoIterator<Item = Saved>, _cx: Cx<'_>) -> Self {
        Self::new(config)
    }
    pub fn create_job(
        &mut self, _cx: Cx<'_>, _caller: &Token, _id: Guid, _display_name: Option<&str>, _job_type: JobType,
    ) -> Result<JobKey, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    pub fn find_job(&mut self, _cx: Cx<'_>, _caller: &Token, _id: Guid) -> Result<JobKey, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    pub fn enum_jobs(&mut self, _cx: Cx<'_>, _caller: &Token, _flags: EnumJobsFlags) -> Result<Vec<JobKey>, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    /// The key of the queued job with this identifier, whoever asks (for the service: no access check).
    pub fn key(&self, _id: Guid) -> Option<JobKey> {
        None
    }
    /// The identifier of a job that is queued or held, whoever asks (for the service: no access check).
    pub fn guid(&self, _job: JobKey) -> Option<Guid> {
        None
    }
    pub fn retain(&mut self, _job: JobKey) {}
    pub fn release(&mut self, _job: JobKey) {}
    pub fn add_files(&mut self, _cx: Cx<'_>, _caller: &Token, _job: JobKey, _files: &[FileInfo<'_>]) -> Reply {
        Reply::Now(Err(Hresult::E_NOTIMPL))
    }
    pub fn suspend(&mut self, _cx: Cx<'_>, _caller: &Token, _job: JobKey) -> Reply {
        Reply::Now(Err(Hresult::E_NOTIMPL))
    }
    pub fn resume(&mut self, _cx: Cx<'_>, _caller: &Token, _job: JobKey) -> Reply {
        Reply::Now(Err(Hresult::E_NOTIMPL))
    }
    pub fn cancel(&mut self, _cx: Cx<'_>, _caller: &Token, _job: JobKey) -> Reply {
        Reply::Now(Err(Hresult::E_NOTIMPL))
    }
    pub fn complete(&mut self, _cx: Cx<'_>, _caller: &Token, _job: JobKey) -> Reply {
        Reply::Now(Err(Hresult::E_NOTIMPL))
    }
    pub fn set(&mut self, _cx: Cx<'_>, _caller: &Token, _job: JobKey, _setting: Setting, _value: &Value) -> Reply {
        Reply::Now(Err(Hresult::E_NOTIMPL))
    }
    pub fn set_callback(
        &mut self, _cx: Cx<'_>, _caller: &Token, _job: JobKey, _callback: Option<CallbackId>, _file_transferred: bool,
    ) -> Reply {
        Reply::Now(Err(Hresult::E_NOTIMPL))
    }
    pub fn get(&self, _caller: &Token, _job: JobKey, _setting: Setting) -> Result<Value, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    pub fn callback(&self, _caller: &Token, _job: JobKey) -> Result<Option<CallbackId>, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    pub fn state(&self, _caller: &Token, _job: JobKey) -> Result<JobState, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    pub fn id(&self, _caller: &Token, _job: JobKey) -> Result<Guid, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    pub fn job_type(&self, _caller: &Token, _job: JobKey) -> Result<JobType, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    pub fn progress(&self, _caller: &Token, _job: JobKey) -> Result<JobProgress, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    pub fn times(&self, _caller: &Token, _job: JobKey) -> Result<JobTimes, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    pub fn error(&self, _caller: &Token, _job: JobKey) -> Result<ErrorRecord, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    pub fn error_count(&self, _caller: &Token, _job: JobKey) -> Result<u32, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    pub fn owner(&self, _caller: &Token, _job: JobKey) -> Result<Sid, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    pub fn file_count(&self, _caller: &Token, _job: JobKey) -> Result<u32, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    pub fn file_names(&self, _caller: &Token, _job: JobKey, _file: FileIndex) -> Result<FileInfo<'_>, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    pub fn file_progress(&self, _caller: &Token, _job: JobKey, _file: FileIndex) -> Result<FileProgress, Hresult> {
        Err(Hresult::E_NOTIMPL)
    }
    pub fn handle(&mut self, _cx: Cx<'_>, _event: Event) {}
    pub fn poll(&mut self) -> Option<Action> {
        None
    }
    pub fn next_deadline(&self) -> Option<Monotonic> {
        None
    }
    pub fn explain(&self, _job: JobKey) -> String {
        String::new()
    }
}
