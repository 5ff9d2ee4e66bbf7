//! The peer cache: its administration, its records, and the peers.

use std::sync::Arc;

use bits_api::{
    Answer, EnumPeerCacheRecords, EnumPeers, FileRange, FileTime, Guid, Hresult, Peer, PeerCacheAdministration,
    PeerCacheFlags, PeerCacheRecord, Success,
};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::BOOL;

use crate::call::{file_time, guid, windows_guid};
use crate::enumerator::Walk;
use crate::memory::{ArrayOut, ObjectOut, Text};
use crate::proxy::Proxy;
use crate::ranges;

#[derive(Debug)]
pub(crate) struct PeerCacheHandle(Proxy<bits::IBitsPeerCacheAdministration>);

type Table = <bits::IBitsPeerCacheAdministration as windows::core::Interface>::Vtable;
type Get = unsafe extern "system" fn(*mut std::ffi::c_void, *mut u32) -> windows::core::HRESULT;

impl PeerCacheHandle {
    pub(crate) fn arc(administration: Proxy<bits::IBitsPeerCacheAdministration>) -> Arc<dyn PeerCacheAdministration> {
        Arc::new(Self(administration))
    }

    /// A number, and the code that came with it.
    fn number(&self, get: impl FnOnce(&Table) -> Get + Send) -> Result<Answer<u32>, Hresult> {
        let mut value = 0;
        let code = self.0.call(get, (&mut value,))?;
        Ok(Answer { code, value })
    }
}

impl PeerCacheAdministration for PeerCacheHandle {
    fn maximum_cache_size(&self) -> Result<Answer<u32>, Hresult> {
        self.number(|table| table.GetMaximumCacheSize)
    }

    fn set_maximum_cache_size(&self, percent: u32) -> Result<Success, Hresult> {
        self.0.call(|table| table.SetMaximumCacheSize, (percent,))
    }

    fn maximum_content_age(&self) -> Result<Answer<u32>, Hresult> {
        self.number(|table| table.GetMaximumContentAge)
    }

    fn set_maximum_content_age(&self, seconds: u32) -> Result<Success, Hresult> {
        self.0.call(|table| table.SetMaximumContentAge, (seconds,))
    }

    fn configuration_flags(&self) -> Result<Answer<PeerCacheFlags>, Hresult> {
        let Answer { code, value } = self.number(|table| table.GetConfigurationFlags)?;
        Ok(Answer { code, value: PeerCacheFlags::from_bits_retain(value) })
    }

    fn set_configuration_flags(&self, flags: PeerCacheFlags) -> Result<Success, Hresult> {
        self.0.call(|table| table.SetConfigurationFlags, (flags.bits(),))
    }

    fn enum_records(&self) -> Result<Answer<Option<Arc<EnumPeerCacheRecords>>>, Hresult> {
        let mut records = ObjectOut::<bits::IEnumBitsPeerCacheRecords>::new();
        let code = self.0.call(|table| table.EnumRecords, (&mut records,))?;
        Ok(Answer { code, value: records.take().map(Walk::arc) })
    }

    fn record(&self, id: Guid) -> Result<Answer<Option<Arc<dyn PeerCacheRecord>>>, Hresult> {
        let (id, mut record) = (windows_guid(id), ObjectOut::new());
        let code = self.0.call(|table| table.GetRecord, (&id, &mut record))?;
        Ok(Answer { code, value: record.take().map(RecordHandle::arc) })
    }

    fn clear_records(&self) -> Result<Success, Hresult> {
        self.0.call(|table| table.ClearRecords, ())
    }

    fn delete_record(&self, id: Guid) -> Result<Success, Hresult> {
        self.0.call(|table| table.DeleteRecord, (&windows_guid(id),))
    }

    fn delete_url(&self, url: Option<&str>) -> Result<Success, Hresult> {
        self.0.call(|table| table.DeleteUrl, (&Text::new(url)?,))
    }

    fn enum_peers(&self) -> Result<Answer<Option<Arc<EnumPeers>>>, Hresult> {
        let mut peers = ObjectOut::<bits::IEnumBitsPeers>::new();
        let code = self.0.call(|table| table.EnumPeers, (&mut peers,))?;
        Ok(Answer { code, value: peers.take().map(Walk::arc) })
    }

    fn clear_peers(&self) -> Result<Success, Hresult> {
        self.0.call(|table| table.ClearPeers, ())
    }

    fn discover_peers(&self) -> Result<Success, Hresult> {
        self.0.call(|table| table.DiscoverPeers, ())
    }
}

#[derive(Debug)]
pub(crate) struct RecordHandle(Proxy<bits::IBitsPeerCacheRecord>);

impl RecordHandle {
    pub(crate) fn arc(record: Proxy<bits::IBitsPeerCacheRecord>) -> Arc<dyn PeerCacheRecord> {
        Arc::new(Self(record))
    }
}

impl PeerCacheRecord for RecordHandle {
    fn id(&self) -> Result<Guid, Hresult> {
        self.0.read(|table| table.GetId).map(guid)
    }

    fn origin_url(&self) -> Result<String, Hresult> {
        self.0.text(|table| table.GetOriginUrl).map(Option::unwrap_or_default)
    }

    fn file_size(&self) -> Result<u64, Hresult> {
        self.0.read(|table| table.GetFileSize)
    }

    fn file_modification_time(&self) -> Result<FileTime, Hresult> {
        self.0.read(|table| table.GetFileModificationTime).map(file_time)
    }

    fn last_access_time(&self) -> Result<FileTime, Hresult> {
        self.0.read(|table| table.GetLastAccessTime).map(file_time)
    }

    fn is_file_validated(&self) -> Result<Success, Hresult> {
        self.0.call(|table| table.IsFileValidated, ())
    }

    fn file_ranges(&self) -> Result<Vec<FileRange>, Hresult> {
        let (mut count, mut ranges) = (0, ArrayOut::new());
        self.0.call(|table| table.GetFileRanges, (&mut count, &mut ranges))?;
        // SAFETY: the call has succeeded, and counts what it has handed out.
        Ok(unsafe { ranges::handed_out(&ranges, count) })
    }
}

#[derive(Debug)]
pub(crate) struct PeerHandle(Proxy<bits::IBitsPeer>);

impl PeerHandle {
    pub(crate) fn arc(peer: Proxy<bits::IBitsPeer>) -> Arc<dyn Peer> {
        Arc::new(Self(peer))
    }
}

impl Peer for PeerHandle {
    fn peer_name(&self) -> Result<String, Hresult> {
        self.0.text(|table| table.GetPeerName).map(Option::unwrap_or_default)
    }

    fn is_authenticated(&self) -> Result<bool, Hresult> {
        self.0.read(|table| table.IsAuthenticated).map(BOOL::as_bool)
    }

    fn is_available(&self) -> Result<bool, Hresult> {
        self.0.read(|table| table.IsAvailable).map(BOOL::as_bool)
    }
}
