//! The administration of the peer cache.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use crate::{Answer, Enumerator, FileRange, FileTime, Guid, Hresult, PeerCacheFlags, Success};

/// IEnumBitsPeerCacheRecords (3.0; clauses `peer_cache.enum_records.*`).
pub type EnumPeerCacheRecords = dyn Enumerator<dyn PeerCacheRecord>;

/// IEnumBitsPeers (3.0; clauses `peer_cache.enum_peers.*`).
pub type EnumPeers = dyn Enumerator<dyn Peer>;

/// IBitsPeerCacheAdministration, had from a manager (3.0; clauses `peer_cache.admin.*`).
///
/// From BITS 4.0 on every method does nothing and answers `S_FALSE`, with 0 or nothing beside it
/// (clause `peer_cache.admin.since_4_0_s_false`). What changes the cache, its limits or the list of
/// peers fails with `E_ACCESSDENIED` for a caller without administrator rights.
pub trait PeerCacheAdministration: Any + Debug + Send + Sync {
    /// The most of the disk that the cache may take, in percent: the policy's, else what was set.
    ///
    /// # Errors
    /// None of its own.
    fn maximum_cache_size(&self) -> Result<Answer<u32>, Hresult>;

    /// Replaces the most of the disk that the cache may take, in percent. `S_FALSE` when a policy
    /// is in force instead. Clauses `peer_cache.admin.set_maximum_cache_size.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` above 80 (a decision).
    fn set_maximum_cache_size(&self, percent: u32) -> Result<Success, Hresult>;

    /// How long a file may lie in the cache without being asked for, in seconds.
    ///
    /// # Errors
    /// None of its own.
    fn maximum_content_age(&self) -> Result<Answer<u32>, Hresult>;

    /// Replaces how long a file may lie in the cache, in seconds: 1 to 120 days. `S_FALSE` when a
    /// policy is in force instead. Clauses `peer_cache.admin.set_maximum_content_age.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for another time (a decision).
    fn set_maximum_content_age(&self, seconds: u32) -> Result<Success, Hresult>;

    /// What the computer does with peers: the policy's, else what was set.
    ///
    /// # Errors
    /// None of its own.
    fn configuration_flags(&self) -> Result<Answer<PeerCacheFlags>, Hresult>;

    /// Replaces what the computer does with peers. `BG_S_OVERRIDDEN_BY_POLICY` when a policy says
    /// otherwise. Clauses `peer_cache.admin.set_configuration_flags.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for undefined bits (a decision).
    fn set_configuration_flags(&self, flags: PeerCacheFlags) -> Result<Success, Hresult>;

    /// Lists the records of the cache as they are now.
    ///
    /// # Errors
    /// None of its own.
    fn enum_records(&self) -> Result<Answer<Option<Arc<EnumPeerCacheRecords>>>, Hresult>;

    /// The record with this identifier.
    ///
    /// # Errors
    /// `BG_E_NOT_FOUND` when there is none (a decision).
    fn record(&self, id: Guid) -> Result<Answer<Option<Arc<dyn PeerCacheRecord>>>, Hresult>;

    /// Removes every record; those in use as soon as they are free.
    ///
    /// # Errors
    /// None of its own.
    fn clear_records(&self) -> Result<Success, Hresult>;

    /// Removes one record.
    ///
    /// # Errors
    /// `BG_E_BUSYCACHERECORD` while it is in use; `BG_E_NOT_FOUND` when there is none (a decision).
    fn delete_record(&self, id: Guid) -> Result<Success, Hresult>;

    /// Removes the records of one URL. `S_FALSE` when there is none.
    ///
    /// # Errors
    /// `E_INVALIDARG` for `None`; `BG_E_BUSYCACHERECORD` while one of them is in use.
    fn delete_url(&self, url: Option<&str>) -> Result<Success, Hresult>;

    /// Lists the known peers as they are now.
    ///
    /// # Errors
    /// None of its own.
    fn enum_peers(&self) -> Result<Answer<Option<Arc<EnumPeers>>>, Hresult>;

    /// Empties the list of peers.
    ///
    /// # Errors
    /// None of its own.
    fn clear_peers(&self) -> Result<Success, Hresult>;

    /// Builds the list of peers anew.
    ///
    /// # Errors
    /// None of its own.
    fn discover_peers(&self) -> Result<Success, Hresult>;
}

/// IBitsPeerCacheRecord: a file in the cache (3.0; clauses `peer_cache.record.*`).
///
/// A record that has left the cache answers with `BG_E_RECORD_DELETED` (a decision).
pub trait PeerCacheRecord: Any + Debug + Send + Sync {
    /// The identifier, unique to the record.
    ///
    /// # Errors
    /// None of its own.
    fn id(&self) -> Result<Guid, Hresult>;

    /// Where the file came from.
    ///
    /// # Errors
    /// None of its own.
    fn origin_url(&self) -> Result<String, Hresult>;

    /// Its size in bytes.
    ///
    /// # Errors
    /// None of its own.
    fn file_size(&self) -> Result<u64, Hresult>;

    /// When it last changed on its server.
    ///
    /// # Errors
    /// None of its own.
    fn file_modification_time(&self) -> Result<FileTime, Hresult>;

    /// When it was last asked for in the cache.
    ///
    /// # Errors
    /// None of its own.
    fn last_access_time(&self) -> Result<FileTime, Hresult>;

    /// `S_OK` when it may be served to peers, `S_FALSE` while nobody has declared it valid.
    ///
    /// # Errors
    /// None of its own.
    fn is_file_validated(&self) -> Result<Success, Hresult>;

    /// The parts of the file that are there, at least one.
    ///
    /// # Errors
    /// None of its own.
    fn file_ranges(&self) -> Result<Vec<FileRange>, Hresult>;
}

/// IBitsPeer: a computer that may serve content (3.0; clauses `peer_cache.peer.*`).
pub trait Peer: Any + Debug + Send + Sync {
    /// The server principal name, `server$.domain.suffix`.
    ///
    /// # Errors
    /// None of its own.
    fn peer_name(&self) -> Result<String, Hresult>;

    /// Whether it has shown who it is; never before a job has turned to it.
    ///
    /// # Errors
    /// None of its own.
    fn is_authenticated(&self) -> Result<bool, Hresult>;

    /// Whether it is online and can serve.
    ///
    /// # Errors
    /// None of its own.
    fn is_available(&self) -> Result<bool, Hresult>;
}
