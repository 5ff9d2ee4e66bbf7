//! The computers around this one, for the peer cache of BITS 3.0.

/// A computer of the same subnet and domain that answers when peers are looked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PeerComputer {
    /// The server principal name, `server$.domain.suffix`.
    pub name: String,
    /// Whether it is online and can serve.
    pub available: bool,
}

/// What of the neighbourhood and the machine concerns the peer cache of BITS 3.0.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Peers {
    /// The computers that may answer.
    pub computers: Vec<PeerComputer>,
    /// How much the system disk holds, in bytes: the cache takes a share of it.
    pub disk_bytes: u64,
}

impl Default for Peers {
    fn default() -> Self {
        Self { computers: Vec::new(), disk_bytes: 100 << 30 }
    }
}

/// The policies about the peer cache of BITS 3.0; `None` is not configured (clauses
/// `peer_cache.v3.policy_names`).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PeerCachePolicies {
    /// EnablePeerCaching.
    pub enabled: Option<bool>,
    /// DisablePeerCachingClient.
    pub client_disabled: bool,
    /// DisablePeerCachingServer.
    pub server_disabled: bool,
    /// MaxCacheSize, in percent of the disk.
    pub max_cache_size: Option<u32>,
    /// MaxContentAge, in seconds.
    pub max_content_age: Option<u32>,
}
