//! Walking over jobs, files, and what the peer cache knows.

use std::ffi::c_void;
use std::fmt;
use std::sync::Arc;

use bits_api::{Enumerator, Fetched, File, Hresult, Job, Peer, PeerCacheRecord, Success};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{HRESULT, Interface};

use crate::call::success;
use crate::file::FileHandle;
use crate::job::JobHandle;
use crate::memory::ObjectOut;
use crate::peer_cache::{PeerHandle, RecordHandle};
use crate::proxy::Proxy;

type Next = unsafe extern "system" fn(*mut c_void, u32, *mut *mut c_void, *mut u32) -> HRESULT;
type Skip = unsafe extern "system" fn(*mut c_void, u32) -> HRESULT;
type Reset = unsafe extern "system" fn(*mut c_void) -> HRESULT;
type Twin = unsafe extern "system" fn(*mut c_void, *mut *mut c_void) -> HRESULT;
type GetCount = unsafe extern "system" fn(*mut c_void, *mut u32) -> HRESULT;

/// How many places there are for items if GetCount does not say how many can come; of what more is asked
/// for, nothing is lost: the next call has it. That GetCount has failed is not said: Next was asked for.
const MOST_WITHOUT_A_COUNT: u32 = 1 << 16;

/// An enumerator of COM: all have the same methods, each in a table of its own.
pub(crate) trait Enumeration: Interface + fmt::Debug + 'static {
    /// What it hands out.
    type Item: Interface;
    /// What a client sees of that.
    type Object: ?Sized + fmt::Debug + Send + Sync + 'static;

    fn methods(table: &Self::Vtable) -> (Next, Skip, Reset, Twin, GetCount);

    fn object(item: Proxy<Self::Item>) -> Arc<Self::Object>;
}

macro_rules! enumerations {
    ($($interface:ty: $item:ty => $object:ty, $handle:path;)*) => { $(
        impl Enumeration for $interface {
            type Item = $item;
            type Object = $object;

            fn methods(table: &Self::Vtable) -> (Next, Skip, Reset, Twin, GetCount) {
                (table.Next, table.Skip, table.Reset, table.Clone, table.GetCount)
            }

            fn object(item: Proxy<$item>) -> Arc<$object> {
                $handle(item)
            }
        }
    )* };
}

enumerations! {
    bits::IEnumBackgroundCopyJobs: bits::IBackgroundCopyJob => dyn Job, JobHandle::arc;
    bits::IEnumBackgroundCopyFiles: bits::IBackgroundCopyFile => dyn File, FileHandle::arc;
    bits::IEnumBitsPeerCacheRecords: bits::IBitsPeerCacheRecord => dyn PeerCacheRecord, RecordHandle::arc;
    bits::IEnumBitsPeers: bits::IBitsPeer => dyn Peer, PeerHandle::arc;
}

/// An enumerator in the service.
#[derive(Debug)]
pub(crate) struct Walk<I: Enumeration>(Proxy<I>);

impl<I: Enumeration> Walk<I> {
    pub(crate) fn arc(enumerator: Proxy<I>) -> Arc<dyn Enumerator<I::Object>> {
        Arc::new(Self(enumerator))
    }

    /// # Errors
    /// `E_UNEXPECTED` for a call that has handed out nothing.
    pub(crate) fn of(handed_out: Option<Proxy<I>>) -> Result<Arc<dyn Enumerator<I::Object>>, Hresult> {
        handed_out.map(Self::arc).ok_or(Hresult::E_UNEXPECTED)
    }
}

impl<I: Enumeration> Enumerator<I::Object> for Walk<I> {
    fn next(&self, count: u32) -> Result<Fetched<I::Object>, Hresult> {
        // One more than there are is too many, as any other number above.
        let asked = count.min(self.count().map_or(MOST_WITHOUT_A_COUNT, |there| there.saturating_add(1)));
        let (success, items) = self.0.within(|interface| {
            let mut items: Vec<*mut c_void> = vec![std::ptr::null_mut(); asked as usize];
            let mut fetched = 0;
            let (next, ..) = I::methods(interface.vtable());
            // SAFETY: there is room for as many items as are asked for.
            let code = unsafe { next(interface.as_raw(), asked, items.as_mut_ptr(), &raw mut fetched) };
            let items = items.into_iter().filter(|item| !item.is_null());
            // SAFETY: what was handed out is an item of the enumerator, with one reference.
            let items = items.map(|item| Proxy::new(unsafe { I::Item::from_raw(item) }));
            // Each is owned before anything is said of them: one that came with a failure, or that was not
            // counted, is let go of.
            let items: Vec<_> = items.collect();
            success(code).map(|success| (success, items.into_iter().take(fetched as usize).map(I::object).collect()))
        })?;
        Ok(Fetched { success, items })
    }

    fn skip(&self, count: u32) -> Result<Success, Hresult> {
        self.0.call(|table| I::methods(table).1, (count,))
    }

    fn reset(&self) -> Result<Success, Hresult> {
        self.0.call(|table| I::methods(table).2, ())
    }

    fn clone_enumerator(&self) -> Result<Arc<dyn Enumerator<I::Object>>, Hresult> {
        let mut twin = ObjectOut::<I>::new();
        self.0.call(|table| I::methods(table).3, (&mut twin,))?;
        Self::of(twin.take())
    }

    fn count(&self) -> Result<u32, Hresult> {
        self.0.read(|table| I::methods(table).4)
    }
}
