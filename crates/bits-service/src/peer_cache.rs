//! IBitsPeerCacheAdministration and its objects over a running service.

use std::fmt;
use std::sync::{Arc, Weak};

use bits_api::{
    Answer, EnumPeerCacheRecords, EnumPeers, FileRange, FileTime, Guid, Hresult, Peer, PeerCacheAdministration,
    PeerCacheFlags, PeerCacheRecord, Success,
};
use bits_engine::{CacheRecord, Cx, Engine};

use crate::client::Caller;
use crate::service::Service;
use crate::snapshot::Snapshot;

/// The administration, for one caller.
pub(crate) struct Administration {
    service: Weak<Service>,
    caller: Caller,
}

impl Administration {
    pub(crate) fn new(service: Weak<Service>, caller: Caller) -> Arc<Self> {
        Arc::new(Self { service, caller })
    }

    fn service(&self) -> Result<Arc<Service>, Hresult> {
        self.caller.check()?;
        Service::of(&self.service)
    }

    fn read<T>(&self, read: impl FnOnce(&Engine, Cx<'_>) -> T) -> Result<T, Hresult> {
        self.service()?.call(|engine, cx| Ok(read(engine, cx)))
    }

    fn change(
        &self,
        method: &'static str,
        change: impl FnOnce(&mut Engine, Cx<'_>) -> Result<Success, Hresult>,
    ) -> Result<Success, Hresult> {
        let service = self.service()?;
        let result = service.call(change);
        let code = result.map_or_else(|code| code, Success::hresult);
        service.log_call(&self.caller, method, None, code);
        result
    }

    fn record_of(&self, id: Guid) -> Arc<dyn PeerCacheRecord> {
        Arc::new(Record { service: Weak::clone(&self.service), caller: self.caller.clone(), id })
    }
}

impl fmt::Debug for Administration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerCacheAdministration({})", self.caller.client)
    }
}

impl PeerCacheAdministration for Administration {
    fn maximum_cache_size(&self) -> Result<Answer<u32>, Hresult> {
        self.read(Engine::cache_size)
    }

    fn set_maximum_cache_size(&self, percent: u32) -> Result<Success, Hresult> {
        let token = &self.caller.token();
        self.change("SetMaximumCacheSize", |engine, cx| engine.set_cache_size(cx, token, percent))
    }

    fn maximum_content_age(&self) -> Result<Answer<u32>, Hresult> {
        self.read(Engine::content_age)
    }

    fn set_maximum_content_age(&self, seconds: u32) -> Result<Success, Hresult> {
        let token = &self.caller.token();
        self.change("SetMaximumContentAge", |engine, cx| engine.set_content_age(cx, token, seconds))
    }

    fn configuration_flags(&self) -> Result<Answer<PeerCacheFlags>, Hresult> {
        self.read(Engine::configuration_flags)
    }

    fn set_configuration_flags(&self, flags: PeerCacheFlags) -> Result<Success, Hresult> {
        let token = &self.caller.token();
        self.change("SetConfigurationFlags", |engine, cx| engine.set_configuration_flags(cx, token, flags))
    }

    fn enum_records(&self) -> Result<Answer<Option<Arc<EnumPeerCacheRecords>>>, Hresult> {
        let ids = self.read(|engine, _| engine.cache_records())?;
        Ok(answer(ids.map(|ids| {
            let records: Vec<_> = ids.into_iter().map(|id| self.record_of(id)).collect();
            Snapshot::new(Weak::clone(&self.service), records) as Arc<EnumPeerCacheRecords>
        })))
    }

    fn record(&self, id: Guid) -> Result<Answer<Option<Arc<dyn PeerCacheRecord>>>, Hresult> {
        let found = self.read(|engine, _| engine.cache_record(id).map(|record| record.is_some()))??;
        Ok(answer(found.then(|| self.record_of(id))))
    }

    fn clear_records(&self) -> Result<Success, Hresult> {
        let token = &self.caller.token();
        self.change("ClearRecords", |engine, _| engine.clear_records(token))
    }

    fn delete_record(&self, id: Guid) -> Result<Success, Hresult> {
        let token = &self.caller.token();
        self.change("DeleteRecord", |engine, _| engine.delete_record(token, id))
    }

    fn delete_url(&self, url: Option<&str>) -> Result<Success, Hresult> {
        let token = &self.caller.token();
        self.change("DeleteUrl", |engine, _| engine.delete_url(token, url))
    }

    fn enum_peers(&self) -> Result<Answer<Option<Arc<EnumPeers>>>, Hresult> {
        let peers = self.read(|engine, _| engine.known_peers().map(<[_]>::to_vec))?;
        Ok(answer(peers.map(|peers| {
            let peers: Vec<_> = peers
                .into_iter()
                .map(|peer| {
                    Arc::new(PeerHandle { service: Weak::clone(&self.service), name: peer.name }) as Arc<dyn Peer>
                })
                .collect();
            Snapshot::new(Weak::clone(&self.service), peers) as Arc<EnumPeers>
        })))
    }

    fn clear_peers(&self) -> Result<Success, Hresult> {
        let token = &self.caller.token();
        self.change("ClearPeers", |engine, _| engine.clear_peers(token))
    }

    fn discover_peers(&self) -> Result<Success, Hresult> {
        let token = &self.caller.token();
        self.change("DiscoverPeers", |engine, cx| engine.discover_peers(cx, token))
    }
}

/// Nothing comes with `S_FALSE`.
fn answer<T>(value: Option<T>) -> Answer<Option<T>> {
    Answer { code: if value.is_some() { Success::OK } else { Success::FALSE }, value }
}

/// A record in somebody's hands.
struct Record {
    service: Weak<Service>,
    caller: Caller,
    id: Guid,
}

impl Record {
    fn read<T>(&self, read: impl FnOnce(&CacheRecord) -> T) -> Result<T, Hresult> {
        self.caller.check()?;
        Service::of(&self.service)?.read(|engine| match engine.cache_record(self.id) {
            Ok(Some(record)) => Ok(read(record)),
            _ => Err(Hresult::BG_E_RECORD_DELETED),
        })
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerCacheRecord({})", self.id)
    }
}

impl PeerCacheRecord for Record {
    fn id(&self) -> Result<Guid, Hresult> {
        self.read(|record| record.id)
    }

    fn origin_url(&self) -> Result<String, Hresult> {
        self.read(|record| record.url.clone())
    }

    fn file_size(&self) -> Result<u64, Hresult> {
        self.read(|record| record.size)
    }

    fn file_modification_time(&self) -> Result<FileTime, Hresult> {
        self.read(|record| record.modified)
    }

    fn last_access_time(&self) -> Result<FileTime, Hresult> {
        self.read(|record| record.accessed)
    }

    fn is_file_validated(&self) -> Result<Success, Hresult> {
        self.read(|record| if record.validated { Success::OK } else { Success::FALSE })
    }

    fn file_ranges(&self) -> Result<Vec<FileRange>, Hresult> {
        self.read(|record| record.ranges.clone())
    }
}

/// A peer in somebody's hands.
struct PeerHandle {
    service: Weak<Service>,
    name: String,
}

impl fmt::Debug for PeerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({})", self.name)
    }
}

impl Peer for PeerHandle {
    fn peer_name(&self) -> Result<String, Hresult> {
        Service::of(&self.service).map(|_| self.name.clone())
    }

    fn is_authenticated(&self) -> Result<bool, Hresult> {
        // No job ever turns to a peer here.
        Service::of(&self.service).map(|_| false)
    }

    fn is_available(&self) -> Result<bool, Hresult> {
        let service = Service::of(&self.service)?;
        let world = service.world();
        Ok(world.peers.computers.iter().any(|peer| peer.name == self.name && peer.available))
    }
}

/// A peer that reads a file of the cache, until this is dropped.
#[derive(Debug)]
pub struct PeerRead {
    service: Weak<Service>,
    record: Guid,
}

impl PeerRead {
    /// Lets a peer ask for a URL; `None` when it would not be served.
    pub(crate) fn begin(service: &Service, url: &str) -> Option<Self> {
        let record = service.call(|engine, cx| Ok(engine.begin_peer_read(cx, url))).ok().flatten()?;
        Some(Self { service: service.weak(), record })
    }

    /// The record that is read.
    pub fn record(&self) -> Guid {
        self.record
    }
}

impl Drop for PeerRead {
    fn drop(&mut self) {
        if let Some(service) = self.service.upgrade() {
            _ = service.step(|engine, _| {
                engine.end_peer_read(self.record);
                Ok(())
            });
        }
    }
}
