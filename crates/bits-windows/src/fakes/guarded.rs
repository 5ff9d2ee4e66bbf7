//! A peer whose calls cannot be made in the caller's name.

use std::ffi::c_void;
use std::sync::Arc;

use bits_api::Hresult;
use windows::Win32::Foundation::E_NOTIMPL;
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::Win32::System::Com::{
    EOLE_AUTHENTICATION_CAPABILITIES, IClientSecurity, IClientSecurity_Impl, RPC_C_AUTHN_LEVEL, RPC_C_IMP_LEVEL,
};
use windows::core::{BOOL, Error, IUnknown, Interface, PCWSTR, PWSTR, Ref, Result, implement};

use super::FakeService;
use crate::call::windows_hresult;

/// It has blankets, as a proxy has, one of which cannot be set.
#[implement(bits::IBitsPeer, IClientSecurity)]
pub(crate) struct FakeGuarded {
    service: Arc<FakeService>,
    refused: Blanket,
    refusal: Hresult,
}

/// Whose blanket it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Blanket {
    /// That of the interface whose methods are called.
    Interface,
    /// That of the object's IUnknown, for queries.
    Object,
}

impl Blanket {
    fn of(interface: &IUnknown) -> Result<Self> {
        // An object is known by the address of its IUnknown.
        let object: IUnknown = interface.cast()?;
        Ok(if object.as_raw() == interface.as_raw() { Self::Object } else { Self::Interface })
    }
}

impl FakeGuarded {
    /// Setting that blanket fails with `refusal`, which the methods of `service` know nothing of.
    pub(crate) fn interface(service: &Arc<FakeService>, refused: Blanket, refusal: Hresult) -> bits::IBitsPeer {
        Self { service: Arc::clone(service), refused, refusal }.into()
    }
}

impl bits::IBitsPeer_Impl for FakeGuarded_Impl {
    fn GetPeerName(&self) -> Result<PWSTR> {
        self.service.tell("GetPeerName", "a peer")
    }

    fn IsAuthenticated(&self) -> Result<BOOL> {
        self.service.hear("IsAuthenticated").map(|()| true.into())
    }

    fn IsAvailable(&self) -> Result<BOOL> {
        self.service.hear("IsAvailable").map(|()| true.into())
    }
}

impl IClientSecurity_Impl for FakeGuarded_Impl {
    fn QueryBlanket(
        &self,
        _: Ref<IUnknown>,
        _: *mut u32,
        _: *mut u32,
        _: *mut *mut u16,
        _: *mut RPC_C_AUTHN_LEVEL,
        _: *mut RPC_C_IMP_LEVEL,
        _: *mut *mut c_void,
        _: *mut u32,
    ) -> Result<()> {
        Err(Error::from_hresult(E_NOTIMPL))
    }

    fn SetBlanket(
        &self,
        interface: Ref<IUnknown>,
        _: u32,
        _: u32,
        _: &PCWSTR,
        _: RPC_C_AUTHN_LEVEL,
        _: RPC_C_IMP_LEVEL,
        _: *const c_void,
        _: &EOLE_AUTHENTICATION_CAPABILITIES,
    ) -> Result<()> {
        match Blanket::of(interface.ok()?)? {
            blanket if blanket == self.refused => Err(Error::from_hresult(windows_hresult(self.refusal))),
            _ => Ok(()),
        }
    }

    fn CopyProxy(&self, _: Ref<IUnknown>) -> Result<IUnknown> {
        Err(Error::from_hresult(E_NOTIMPL))
    }
}
