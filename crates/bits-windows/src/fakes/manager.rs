//! A manager, which administers the peer cache too.

use std::sync::Arc;

use bits_api::{Hresult, Manager, PeerCacheAdministration};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{GUID, HRESULT, OutRef, PCWSTR, PWSTR, Result, implement};

use super::{FakeJob, FakeJobs, FakeService, older, shown};
use crate::manager::ManagerHandle;
use crate::proxy::Proxy;

#[implement(bits::IBackgroundCopyManager, bits::IBitsPeerCacheAdministration)]
pub(crate) struct FakeManager(pub(super) Arc<FakeService>);

impl FakeManager {
    /// As a client has it.
    pub(crate) fn of(service: &Arc<FakeService>) -> Arc<dyn Manager> {
        Arc::new(ManagerHandle::new(Proxy::new(Self(Arc::clone(service)).into())))
    }

    /// The same without the peer cache: one of an older BITS.
    pub(crate) fn of_older(service: &Arc<FakeService>) -> Arc<dyn Manager> {
        let manager: bits::IBackgroundCopyManager = Self(Arc::clone(service)).into();
        older::limit(&manager, Vec::new());
        Arc::new(ManagerHandle::new(Proxy::new(manager)))
    }

    /// Its peer cache, as a client has it.
    pub(crate) fn peer_cache(service: &Arc<FakeService>) -> Arc<dyn PeerCacheAdministration> {
        Self::of(service).peer_cache_administration().expect("it has one")
    }
}

impl bits::IBackgroundCopyManager_Impl for FakeManager_Impl {
    fn CreateJob(
        &self,
        name: &PCWSTR,
        job_type: bits::BG_JOB_TYPE,
        id: *mut GUID,
        job: OutRef<'_, bits::IBackgroundCopyJob>,
    ) -> Result<()> {
        self.0.hear(format_args!("CreateJob({}, {})", shown(*name), job_type.0))?;
        // SAFETY: the caller's place.
        unsafe { *id = GUID::from_u128(0x8888_7777_6666_5555_4444_3333_2222_1111) };
        job.write(Some(FakeJob::interface(&FakeService::answering(Hresult::S_OK))))
    }

    fn GetJob(&self, id: *const GUID) -> Result<bits::IBackgroundCopyJob> {
        let job = || FakeJob::interface(&FakeService::answering(Hresult::S_OK));
        // SAFETY: the caller's identifier.
        self.0.hear(format_args!("GetJob({:?})", unsafe { *id })).map(|()| job())
    }

    fn EnumJobs(&self, flags: u32) -> Result<bits::IEnumBackgroundCopyJobs> {
        let jobs = || FakeJobs::interface(&FakeService::answering(Hresult::S_OK));
        self.0.hear(format_args!("EnumJobs({flags:#x})")).map(|()| jobs())
    }

    fn GetErrorDescription(&self, code: HRESULT, language: u32) -> Result<PWSTR> {
        self.0.tell(format_args!("GetErrorDescription({:#x}, {language:#x})", code.0), "a text")
    }
}
