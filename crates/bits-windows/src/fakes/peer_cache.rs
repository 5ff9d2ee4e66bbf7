//! A peer cache, its records and its peers. No two of their values are alike.

use std::sync::Arc;

use bits_api::{Hresult, Peer, PeerCacheRecord};
use windows::Win32::Foundation::FILETIME;
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{BOOL, GUID, HRESULT, PCWSTR, PWSTR, Result, implement};

use super::manager::FakeManager_Impl;
use super::{FakePeers, FakeRecords, FakeService, filetime, shown};
use crate::peer_cache::{PeerHandle, RecordHandle};
use crate::proxy::Proxy;

impl bits::IBitsPeerCacheAdministration_Impl for FakeManager_Impl {
    fn GetMaximumCacheSize(&self) -> Result<u32> {
        self.0.hear("GetMaximumCacheSize").map(|()| 41)
    }

    fn SetMaximumCacheSize(&self, percent: u32) -> Result<()> {
        self.0.hear(format_args!("SetMaximumCacheSize({percent})"))
    }

    fn GetMaximumContentAge(&self) -> Result<u32> {
        self.0.hear("GetMaximumContentAge").map(|()| 42)
    }

    fn SetMaximumContentAge(&self, seconds: u32) -> HRESULT {
        self.0.hear(format_args!("SetMaximumContentAge({seconds})")).map_or_else(|error| error.code(), |()| HRESULT(0))
    }

    fn GetConfigurationFlags(&self) -> Result<u32> {
        self.0.hear("GetConfigurationFlags").map(|()| 0x8000_0002)
    }

    fn SetConfigurationFlags(&self, flags: u32) -> Result<()> {
        self.0.hear(format_args!("SetConfigurationFlags({flags:#x})"))
    }

    fn EnumRecords(&self) -> Result<bits::IEnumBitsPeerCacheRecords> {
        self.0.hear("EnumRecords").map(|()| FakeRecords::interface(&FakeService::answering(Hresult::S_OK)))
    }

    fn GetRecord(&self, id: *const GUID) -> Result<bits::IBitsPeerCacheRecord> {
        // SAFETY: the caller's identifier.
        let id = unsafe { *id };
        let record = || FakeRecord::interface(&FakeService::answering(Hresult::S_OK), 9);
        self.0.hear(format_args!("GetRecord({id:?})")).map(|()| record())
    }

    fn ClearRecords(&self) -> Result<()> {
        self.0.hear("ClearRecords")
    }

    fn DeleteRecord(&self, id: *const GUID) -> Result<()> {
        // SAFETY: the caller's identifier.
        self.0.hear(format_args!("DeleteRecord({:?})", unsafe { *id }))
    }

    fn DeleteUrl(&self, url: &PCWSTR) -> Result<()> {
        self.0.hear(format_args!("DeleteUrl({})", shown(*url)))
    }

    fn EnumPeers(&self) -> Result<bits::IEnumBitsPeers> {
        self.0.hear("EnumPeers").map(|()| FakePeers::interface(&FakeService::answering(Hresult::S_OK)))
    }

    fn ClearPeers(&self) -> Result<()> {
        self.0.hear("ClearPeers")
    }

    fn DiscoverPeers(&self) -> Result<()> {
        self.0.hear("DiscoverPeers")
    }
}

#[implement(bits::IBitsPeerCacheRecord)]
pub(crate) struct FakeRecord {
    service: Arc<FakeService>,
    number: u32,
}

impl FakeRecord {
    /// As a client has it.
    pub(crate) fn of(service: &Arc<FakeService>) -> Arc<dyn PeerCacheRecord> {
        RecordHandle::arc(Proxy::new(Self::interface(service, 1)))
    }

    /// As BITS has it: one of many.
    pub(crate) fn interface(service: &Arc<FakeService>, number: u32) -> bits::IBitsPeerCacheRecord {
        Self { service: Arc::clone(service), number }.into()
    }
}

impl bits::IBitsPeerCacheRecord_Impl for FakeRecord_Impl {
    fn GetId(&self) -> Result<GUID> {
        self.service.hear("GetId").map(|()| GUID::from_u128(0x1111_2222_3333_4444_5555_6666_7777_8888))
    }

    fn GetOriginUrl(&self) -> Result<PWSTR> {
        self.service.tell("GetOriginUrl", "an origin")
    }

    fn GetFileSize(&self) -> Result<u64> {
        self.service.hear("GetFileSize").map(|()| (1 << 40) + u64::from(self.number))
    }

    fn GetFileModificationTime(&self) -> Result<FILETIME> {
        self.service.hear("GetFileModificationTime").map(|()| filetime(0x0000_0001_8000_0002))
    }

    fn GetLastAccessTime(&self) -> Result<FILETIME> {
        self.service.hear("GetLastAccessTime").map(|()| filetime(0x0000_0003_0000_0004))
    }

    fn IsFileValidated(&self) -> Result<()> {
        self.service.hear("IsFileValidated")
    }

    fn GetFileRanges(&self, count: *mut u32, ranges: *mut *mut bits::BG_FILE_RANGE) -> Result<()> {
        // SAFETY: the caller's places.
        unsafe { self.service.ranges(&[(51, 52)], count, ranges) };
        self.service.hear("GetFileRanges")
    }
}

#[implement(bits::IBitsPeer)]
pub(crate) struct FakePeer {
    service: Arc<FakeService>,
    number: u32,
}

impl FakePeer {
    /// As a client has it.
    pub(crate) fn of(service: &Arc<FakeService>) -> Arc<dyn Peer> {
        PeerHandle::arc(Proxy::new(Self::interface(service, 1)))
    }

    /// As BITS has it: one of many.
    pub(crate) fn interface(service: &Arc<FakeService>, number: u32) -> bits::IBitsPeer {
        Self { service: Arc::clone(service), number }.into()
    }
}

impl bits::IBitsPeer_Impl for FakePeer_Impl {
    fn GetPeerName(&self) -> Result<PWSTR> {
        self.service.tell("GetPeerName", &format!("peer {}", self.number))
    }

    fn IsAuthenticated(&self) -> Result<BOOL> {
        self.service.hear("IsAuthenticated").map(|()| true.into())
    }

    fn IsAvailable(&self) -> Result<BOOL> {
        self.service.hear("IsAvailable").map(|()| false.into())
    }
}
