//! Peer caching, the limit of download time, and the owner's token.

use crate::{Hresult, Job3, PeerCachingFlags, Setting, Success, Value};

/// IBackgroundCopyJob4 (3.0; clauses `job4.*`).
pub trait Job4: Job3 {
    /// Replaces what the job wants of peers and BranchCache.
    ///
    /// Since 3.0; clauses `job4.set_peer_caching_flags.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for undefined bits; `BG_E_INVALID_STATE` in a final state (a decision).
    fn set_peer_caching_flags(&self, flags: PeerCachingFlags) -> Result<Success, Hresult> {
        self.set(Setting::PeerCachingFlags, Value::Number(flags.bits()))
    }

    /// What the job itself wants of peers and BranchCache; nothing when never set. Since 3.0;
    /// clauses `job4.get_peer_caching_flags.*`.
    ///
    /// # Errors
    /// None of its own.
    fn peer_caching_flags(&self) -> Result<PeerCachingFlags, Hresult> {
        self.get(Setting::PeerCachingFlags).and_then(|value| value.number()).map(PeerCachingFlags::from_bits_retain)
    }

    /// Replaces how long the job may be CONNECTING and TRANSFERRING, in seconds, in place of the
    /// policy.
    ///
    /// Since 3.0; clauses `job4.set_maximum_download_time.*`.
    ///
    /// # Errors
    /// `BG_E_INVALID_STATE` in a final state (a decision).
    fn set_maximum_download_time(&self, seconds: u32) -> Result<Success, Hresult> {
        self.set(Setting::MaximumDownloadTime, Value::Number(seconds))
    }

    /// How long the job may be CONNECTING and TRANSFERRING, in seconds; the policy's time when
    /// never set. Since 3.0; clauses `job4.get_maximum_download_time.*`.
    ///
    /// # Errors
    /// None of its own.
    fn maximum_download_time(&self) -> Result<u32, Hresult> {
        self.get(Setting::MaximumDownloadTime).and_then(|value| value.number())
    }

    /// The integrity level of the token of whoever created or last took over the job, as a
    /// mandatory-integrity RID (0x2000 is medium). Since 3.0; clauses
    /// `job4.get_owner_integrity_level.*`.
    ///
    /// # Errors
    /// None of its own.
    fn owner_integrity_level(&self) -> Result<u32, Hresult>;

    /// Whether the token of whoever created or last took over the job was elevated. Since 3.0;
    /// clauses `job4.get_owner_elevation_state.*`.
    ///
    /// # Errors
    /// None of its own.
    fn owner_elevation_state(&self) -> Result<bool, Hresult>;
}
