//! The peer cache of BITS 3.0, as its administration shows it (clauses `peer_cache.*`).
//!
//! What BITS knows of cached files: which they are, whether somebody has declared them valid, when
//! they were last asked for. Their bytes are not kept, and no content is ever taken from a peer:
//! whoever plays one asks by [`Engine::begin_peer_read`] whether it would be served. From BITS 4.0
//! on there is no such cache, and every method answers `S_FALSE`.

mod admin;
mod entries;
mod upkeep;

use std::collections::BTreeSet;
use std::time::Duration;

use bits_api::{FileRange, FileTime, Guid, JobType, PeerCacheFlags, PeerCachingFlags, Setting};
use bits_world::Profile;
use serde::{Deserialize, Serialize};

use crate::job::Job;
use crate::{Cx, Engine, FileIndex, JobKey};
pub(crate) use entries::Entries;

/// A file in the cache, on record.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CacheRecord {
    /// Its identifier.
    pub id: Guid,
    /// Where it came from.
    pub url: String,
    /// Its size in bytes.
    pub size: u64,
    /// The server's time stamp.
    pub modified: FileTime,
    /// When it was last asked for.
    pub accessed: FileTime,
    /// Whether it may be served.
    pub validated: bool,
    /// The parts of the remote file that it holds.
    pub ranges: Vec<FileRange>,
    /// The file of the job that brought it.
    pub source: (JobKey, FileIndex),
}

/// What was set through the administration, on record; `None` was never set.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct CachePreferences {
    /// Percent of the disk.
    pub maximum_size: Option<u32>,
    /// Seconds.
    pub maximum_age: Option<u32>,
    /// BG_ENABLE_PEERCACHING_* bits.
    pub flags: Option<u32>,
}

/// The peer cache as the store gives it back.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SavedCache {
    /// What was set.
    pub preferences: CachePreferences,
    /// The files, in any order.
    pub records: Vec<CacheRecord>,
}

/// A computer on the list of peers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownPeer {
    /// Its server principal name.
    pub name: String,
}

/// All that is known of the cache.
#[derive(Debug, Default)]
pub(crate) struct PeerCache {
    preferences: CachePreferences,
    entries: Entries,
    peers: Vec<KnownPeer>,
    /// Files whose record was deleted while their job still had a say in it.
    forgotten: BTreeSet<(JobKey, FileIndex)>,
    /// For identifiers.
    next: u64,
    seen: Seen,
}

/// What of the policies the cache last saw.
#[derive(Clone, Copy, Debug)]
struct Seen {
    flags: PeerCacheFlags,
    age: Duration,
}

impl Default for Seen {
    fn default() -> Self {
        Self { flags: PeerCacheFlags::empty(), age: Duration::from_secs(DEFAULT_AGE.into()) }
    }
}

const DEFAULT_SIZE: u32 = 1;
const DEFAULT_AGE: u32 = 90 * 24 * 60 * 60;

impl Engine {
    /// Whether the BITS that is played has this cache.
    fn has_peer_cache(&self) -> bool {
        (Profile::V3_0..Profile::V4_0).contains(&self.config.profile)
    }

    /// What the computer does with peers: the policy's word, else the preference (clause
    /// `peer_cache.v3.policy_beats_preference`).
    pub(crate) fn peer_flags(&self, cx: Cx<'_>) -> PeerCacheFlags {
        if !self.has_peer_cache() {
            return PeerCacheFlags::empty();
        }
        policy_flags(cx)
            .unwrap_or_else(|| PeerCacheFlags::from_bits_retain(self.peer_cache.preferences.flags.unwrap_or_default()))
    }

    fn maximum_cache_size(&self, cx: Cx<'_>) -> u32 {
        let policy = cx.world.policies.peer_cache.max_cache_size;
        policy.or(self.peer_cache.preferences.maximum_size).unwrap_or(DEFAULT_SIZE)
    }

    fn maximum_content_age(&self, cx: Cx<'_>) -> u32 {
        let policy = cx.world.policies.peer_cache.max_content_age;
        policy.or(self.peer_cache.preferences.maximum_age).unwrap_or(DEFAULT_AGE)
    }

    /// The share of the disk that the cache may take, in bytes.
    fn cache_room(&self, cx: Cx<'_>) -> u64 {
        let room = u128::from(cx.world.peers.disk_bytes) * u128::from(self.maximum_cache_size(cx)) / 100;
        u64::try_from(room).unwrap_or(u64::MAX)
    }

    /// Whether the files of this job may come into the cache.
    fn may_cache(&self, cx: Cx<'_>, job: &Job) -> bool {
        self.peer_flags(cx).contains(PeerCacheFlags::ENABLE_SERVER)
            && job.kind == JobType::DOWNLOAD
            && job_flags(job).contains(PeerCachingFlags::ENABLE_SERVER)
    }
}

/// What the policy EnablePeerCaching says, if anybody configured it.
fn policy_flags(cx: Cx<'_>) -> Option<PeerCacheFlags> {
    let policies = &cx.world.policies.peer_cache;
    policies.enabled.map(|enabled| {
        let mut flags = PeerCacheFlags::empty();
        flags.set(PeerCacheFlags::ENABLE_CLIENT, enabled && !policies.client_disabled);
        flags.set(PeerCacheFlags::ENABLE_SERVER, enabled && !policies.server_disabled);
        flags
    })
}

/// What the job wants of peers.
pub(crate) fn job_flags(job: &Job) -> PeerCachingFlags {
    PeerCachingFlags::from_bits_retain(job.later.number(Setting::PeerCachingFlags).unwrap_or_default())
}
