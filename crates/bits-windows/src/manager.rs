//! IBackgroundCopyManager.

use std::sync::Arc;

use bits_api::{
    CreatedJob, EnumJobs, EnumJobsFlags, Guid, Hresult, Job, JobType, LanguageId, Manager, PeerCacheAdministration,
};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{GUID, HRESULT};

use crate::call::{guid, windows_guid};
use crate::enumerator::Walk;
use crate::job::JobHandle;
use crate::memory::{ObjectOut, Text, TextOut};
use crate::peer_cache::PeerCacheHandle;
use crate::proxy::Proxy;

#[derive(Debug)]
pub(crate) struct ManagerHandle(Proxy<bits::IBackgroundCopyManager>);

impl ManagerHandle {
    pub(crate) fn new(manager: Proxy<bits::IBackgroundCopyManager>) -> Self {
        Self(manager)
    }
}

impl Manager for ManagerHandle {
    fn create_job(&self, display_name: Option<&str>, job_type: JobType) -> Result<CreatedJob, Hresult> {
        let (name, mut id, mut job) = (Text::new(display_name)?, GUID::zeroed(), ObjectOut::new());
        let job_type = bits::BG_JOB_TYPE(job_type.0.cast_signed());
        self.0.call(|table| table.CreateJob, (&name, job_type, &mut id, &mut job))?;
        Ok(CreatedJob { id: guid(id), job: JobHandle::of(job.take())? })
    }

    fn job(&self, id: Guid) -> Result<Arc<dyn Job>, Hresult> {
        let (id, mut job) = (windows_guid(id), ObjectOut::new());
        self.0.call(|table| table.GetJob, (&id, &mut job))?;
        JobHandle::of(job.take())
    }

    fn enum_jobs(&self, flags: EnumJobsFlags) -> Result<Arc<EnumJobs>, Hresult> {
        let mut jobs = ObjectOut::new();
        self.0.call(|table| table.EnumJobs, (flags.bits(), &mut jobs))?;
        Walk::<bits::IEnumBackgroundCopyJobs>::of(jobs.take())
    }

    fn peer_cache_administration(&self) -> Result<Arc<dyn PeerCacheAdministration>, Hresult> {
        self.0.query().map(PeerCacheHandle::arc)
    }

    fn error_description(&self, code: Hresult, language: LanguageId) -> Result<String, Hresult> {
        let (code, mut text) = (HRESULT(code.0.cast_signed()), TextOut::new());
        self.0.call(|table| table.GetErrorDescription, (code, language.0, &mut text))?;
        Ok(text.text().unwrap_or_default())
    }
}
