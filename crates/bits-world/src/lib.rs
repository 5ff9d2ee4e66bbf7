//! Everything around the service that BITS looks at: users and their tokens, the network, policies,
//! volumes, and the clock.
//!
//! The world is data. A test changes it while the service runs, and the engine reads it; nothing
//! in here decides what BITS does. The clock is the one room with behaviour: it belongs to the
//! test, outlives restarts of the service, and knows when everything that runs on it has settled.

mod accounts;
mod bandwidth;
mod certificates;
pub mod clock;
mod decisions;
mod kdcs;
mod passport;
mod paths;
mod peers;
mod permissions;
mod policy;
mod power;
mod preset;
mod profile;
mod proxy;
mod revocation;
mod secret;
mod sessions;
mod shares;
mod storage;
mod token;
mod uplink;
mod world;

pub use accounts::{Account, AccountError, Accounts, ImplicitPolicy, UseLmCompat};
pub use bandwidth::{
    InternetBandwidth, LimitsInForce, MaintenanceLimits, PriorityRates, Rate, Weekday, WeeklyHours, WorkLimits,
};
pub use certificates::{Certificate, CertificateStore, CertificateStores, PrivateKey, StoreRefusal, Vouchers};
pub use decisions::{Decisions, Switch};
pub use kdcs::{Kdc, Kdcs, NoKdc};
pub use passport::{Passport, PassportError};
pub use paths::{Drives, LocalPathError, Volume};
pub use peers::{PeerCachePolicies, PeerComputer, Peers};
pub use permissions::Permissions;
pub use policy::Policies;
pub use power::Power;
pub use preset::{Preset, UnknownPreset};
pub use profile::Profile;
pub use proxy::{InternetSettings, Proxies, ProxyScript, host_matches};
pub use revocation::RevocationLists;
pub use secret::Secret;
pub use sessions::{Logon, Presence, Session, SessionId};
pub use shares::{FileName, FileServer, ShareError, Shares, UncName};
pub use storage::{LocalStorage, Storage, StorageFault, Touch};
pub use token::{ImpersonationLevel, Integrity, Sid, Token};
pub use uplink::{Gateway, Uplink};
pub use world::{Network, NetworkCost, World};
