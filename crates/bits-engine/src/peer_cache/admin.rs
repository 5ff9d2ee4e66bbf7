//! IBitsPeerCacheAdministration, its records and its peers.

use bits_api::{Answer, Guid, Hresult, PeerCacheFlags, Success, text};
use bits_world::Token;

use super::{CacheRecord, KnownPeer};
use crate::{Action, Change, Cx, Engine};

/// What a limit of the administration may be.
const MAX_SIZE_PERCENT: u32 = 80;
const DAY: u32 = 24 * 60 * 60;

/// From BITS 4.0 on all of them do nothing and answer `S_FALSE`; what changes something fails with
/// `E_ACCESSDENIED` for a caller without administrator rights.
impl Engine {
    /// GetMaximumCacheSize, in percent.
    pub fn cache_size(&self, cx: Cx<'_>) -> Answer<u32> {
        self.told(self.maximum_cache_size(cx))
    }

    /// GetMaximumContentAge, in seconds.
    pub fn content_age(&self, cx: Cx<'_>) -> Answer<u32> {
        self.told(self.maximum_content_age(cx))
    }

    /// GetConfigurationFlags.
    pub fn configuration_flags(&self, cx: Cx<'_>) -> Answer<PeerCacheFlags> {
        self.told(self.peer_flags(cx))
    }

    fn told<T: Default>(&self, value: T) -> Answer<T> {
        if self.has_peer_cache() {
            Answer { code: Success::OK, value }
        } else {
            Answer { code: Success::FALSE, value: T::default() }
        }
    }

    /// SetMaximumCacheSize.
    ///
    /// # Errors
    /// `E_INVALIDARG` above 80 percent.
    pub fn set_cache_size(&mut self, cx: Cx<'_>, caller: &Token, percent: u32) -> Result<Success, Hresult> {
        self.administer(caller, |engine| {
            if percent > MAX_SIZE_PERCENT {
                return Err(Hresult::E_INVALIDARG);
            }
            engine.peer_cache.preferences.maximum_size = Some(percent);
            engine.persist_preferences();
            engine.make_room(cx, 0);
            let overridden = cx.world.policies.peer_cache.max_cache_size.is_some();
            Ok(if overridden { Success::FALSE } else { Success::OK })
        })
    }

    /// SetMaximumContentAge.
    ///
    /// # Errors
    /// `E_INVALIDARG` for less than a day and more than 120.
    pub fn set_content_age(&mut self, cx: Cx<'_>, caller: &Token, seconds: u32) -> Result<Success, Hresult> {
        self.administer(caller, |engine| {
            if !(DAY..=120 * DAY).contains(&seconds) {
                return Err(Hresult::E_INVALIDARG);
            }
            engine.peer_cache.preferences.maximum_age = Some(seconds);
            engine.persist_preferences();
            engine.observe(cx);
            engine.remove_aged(cx);
            let overridden = cx.world.policies.peer_cache.max_content_age.is_some();
            Ok(if overridden { Success::FALSE } else { Success::OK })
        })
    }

    /// SetConfigurationFlags.
    ///
    /// # Errors
    /// `E_NOTIMPL` for undefined bits.
    pub fn set_configuration_flags(
        &mut self,
        cx: Cx<'_>,
        caller: &Token,
        flags: PeerCacheFlags,
    ) -> Result<Success, Hresult> {
        self.administer(caller, |engine| {
            if !(PeerCacheFlags::ENABLE_CLIENT | PeerCacheFlags::ENABLE_SERVER).contains(flags) {
                return Err(Hresult::E_NOTIMPL);
            }
            engine.peer_cache.preferences.flags = Some(flags.bits());
            engine.persist_preferences();
            engine.observe(cx);
            engine.schedule(cx);
            let is_in_force = engine.peer_flags(cx) == flags;
            Ok(if is_in_force { Success::OK } else { Success::OVERRIDDEN_BY_POLICY })
        })
    }

    /// EnumRecords: what is in the cache now; `None` from BITS 4.0 on.
    pub fn cache_records(&self) -> Option<Vec<Guid>> {
        self.has_peer_cache().then(|| self.peer_cache.entries.ids().collect())
    }

    /// GetRecord and the methods of a record; `None` from BITS 4.0 on.
    ///
    /// # Errors
    /// `BG_E_NOT_FOUND` for a record that is not there.
    pub fn cache_record(&self, id: Guid) -> Result<Option<&CacheRecord>, Hresult> {
        if !self.has_peer_cache() {
            return Ok(None);
        }
        self.peer_cache.entries.get(id).map(Some).ok_or(Hresult::BG_E_NOT_FOUND)
    }

    /// ClearRecords.
    ///
    /// # Errors
    /// None of its own.
    pub fn clear_records(&mut self, caller: &Token) -> Result<Success, Hresult> {
        self.administer(caller, |engine| {
            let all: Vec<_> = engine.peer_cache.entries.ids().collect();
            for id in all {
                engine.remove_cached(id);
            }
            Ok(Success::OK)
        })
    }

    /// DeleteRecord.
    ///
    /// # Errors
    /// `BG_E_NOT_FOUND` for a record that is not there, `BG_E_BUSYCACHERECORD` for one in use.
    pub fn delete_record(&mut self, caller: &Token, id: Guid) -> Result<Success, Hresult> {
        self.administer(caller, |engine| {
            if engine.peer_cache.entries.get(id).is_none() {
                return Err(Hresult::BG_E_NOT_FOUND);
            }
            engine.delete_unless_read(&[id])
        })
    }

    /// DeleteUrl.
    ///
    /// # Errors
    /// `E_INVALIDARG` for an absent URL, `BG_E_BUSYCACHERECORD` when a record of it is in use.
    pub fn delete_url(&mut self, caller: &Token, url: Option<&str>) -> Result<Success, Hresult> {
        self.administer(caller, |engine| {
            let of_url = engine.peer_cache.entries.of_url(text::required(url)?);
            if of_url.is_empty() { Ok(Success::FALSE) } else { engine.delete_unless_read(&of_url) }
        })
    }

    fn delete_unless_read(&mut self, ids: &[Guid]) -> Result<Success, Hresult> {
        if ids.iter().any(|id| self.peer_cache.entries.is_read(*id)) {
            return Err(Hresult::BG_E_BUSYCACHERECORD);
        }
        for id in ids {
            self.remove_cached(*id);
        }
        Ok(Success::OK)
    }

    /// EnumPeers: the list of peers as it is now; `None` from BITS 4.0 on.
    pub fn known_peers(&self) -> Option<&[KnownPeer]> {
        self.has_peer_cache().then_some(&self.peer_cache.peers)
    }

    /// ClearPeers.
    ///
    /// # Errors
    /// None of its own.
    pub fn clear_peers(&mut self, caller: &Token) -> Result<Success, Hresult> {
        self.administer(caller, |engine| {
            engine.peer_cache.peers.clear();
            Ok(Success::OK)
        })
    }

    /// DiscoverPeers: the computers that answer now.
    ///
    /// # Errors
    /// None of its own.
    pub fn discover_peers(&mut self, cx: Cx<'_>, caller: &Token) -> Result<Success, Hresult> {
        self.administer(caller, |engine| {
            let answers = cx.world.peers.computers.iter().filter(|peer| peer.available);
            engine.peer_cache.peers = answers.map(|peer| KnownPeer { name: peer.name.clone() }).collect();
            Ok(Success::OK)
        })
    }

    fn administer(
        &mut self,
        caller: &Token,
        change: impl FnOnce(&mut Self) -> Result<Success, Hresult>,
    ) -> Result<Success, Hresult> {
        if !self.has_peer_cache() {
            return Ok(Success::FALSE);
        }
        if !caller.administrator {
            return Err(Hresult::E_ACCESSDENIED);
        }
        change(self)
    }

    fn persist_preferences(&mut self) {
        let preferences = self.peer_cache.preferences;
        self.push(Action::Persist(Change::CachePreferences(preferences)));
    }
}
