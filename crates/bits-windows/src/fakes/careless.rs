//! An enumerator that hands out more than it owns to.

use std::sync::Arc;

use bits_api::Hresult;
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{Error, Result, implement};

use super::{FakePeer, FakeService};
use crate::call::windows_hresult;

/// Peers, as many as are asked for, of which it counts `counted`; then Next comes to `code`.
#[implement(bits::IEnumBitsPeers)]
pub(crate) struct FakeCareless {
    service: Arc<FakeService>,
    counted: u32,
    code: Hresult,
}

impl FakeCareless {
    pub(crate) fn interface(service: &Arc<FakeService>, counted: u32, code: Hresult) -> bits::IEnumBitsPeers {
        Self { service: Arc::clone(service), counted, code }.into()
    }
}

impl bits::IEnumBitsPeers_Impl for FakeCareless_Impl {
    fn Next(&self, count: u32, peers: *mut Option<bits::IBitsPeer>, fetched: *mut u32) -> Result<()> {
        for place in 0..count {
            // SAFETY: the caller's array has `count` places.
            unsafe { peers.add(place as usize).write(Some(FakePeer::interface(&self.service, place))) };
        }
        // SAFETY: the caller's place.
        unsafe { *fetched = self.counted };
        Err(Error::from_hresult(windows_hresult(self.code)))
    }

    fn Skip(&self, count: u32) -> Result<()> {
        self.service.hear(format_args!("Skip({count})"))
    }

    fn Reset(&self) -> Result<()> {
        self.service.hear("Reset")
    }

    fn Clone(&self) -> Result<bits::IEnumBitsPeers> {
        self.service.hear("Clone").map(|()| FakeCareless::interface(&self.service, self.counted, self.code))
    }

    fn GetCount(&self) -> Result<u32> {
        self.service.hear("GetCount").map(|()| u32::MAX)
    }
}
