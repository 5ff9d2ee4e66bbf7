//! What a client of BITS sees: one object-safe trait for each BITS object, and every enum, flag,
//! struct and HRESULT with Windows' own values.
//!
//! This crate holds the interface that the emulator and real BITS share. It must never contain
//! behaviour: no I/O, no clock, no decisions. Enums and flags are newtypes over Windows' integers,
//! since a client may send undefined values and each has a documented answer; proper Rust enums
//! begin inside the engine, after validation.
//!
//! All methods are synchronous and may be called from any thread, inside and outside async
//! runtimes. A handle never keeps the service alive: once the service is gone, every method
//! returns [`Hresult::RPC_S_SERVER_UNAVAILABLE`].
//!
//! Objects of a provider are [`Any`](std::any::Any), and so is what a client hands in as
//! [`Unknown`]: a provider finds its own type behind them again. They show themselves by `Debug`,
//! so that a result can be unwrapped either way.
//!
//! References to clauses such as `job.resume.empty` name entries of `fixtures/spec/`.

mod callback;
mod certificate;
mod credentials;
mod enumerator;
mod error;
mod file;
mod file_versions;
mod flags;
pub mod hresult;
mod http_options;
mod job;
mod job2;
mod job3;
mod job4;
mod job5;
mod manager;
mod peer_cache;
mod property;
mod proxy;
mod reply;
mod setting;
mod structs;
pub mod text;
mod token_options;

pub use callback::{
    Callback, Callback2, Callback3, Unknown, callback_object, callback2_object, callback3_object,
    server_certificate_validation_object,
};
pub use certificate::{CertStoreLocation, ClientCertificate, ServerCertificate, ServerCertificateValidationCallback};
pub use credentials::AuthCredentials;
pub use enumerator::{EnumFiles, EnumJobs, Enumerator, Fetched};
pub use error::JobError;
pub use file::File;
pub use file_versions::{File2, File3, File4, File5, File6, FilePropertyId, FilePropertyValue};
pub use flags::{
    AuthScheme, AuthTarget, CostFlags, EnumJobsFlags, ErrorContext, FileAclFlags, JobPriority, JobState, JobType,
    NotifyFlags, PeerCacheFlags, PeerCachingFlags, ProxyUsage, SecurityFlags, TokenFlags,
};
pub use hresult::{Hresult, Success};
pub use http_options::{HttpOptions, HttpOptions2, HttpOptions3};
pub use job::Job;
pub use job2::{Job2, NotifyCommandLine};
pub use job3::Job3;
pub use job4::Job4;
pub use job5::Job5;
pub use manager::{CreatedJob, LanguageId, Manager};
pub use peer_cache::{EnumPeerCacheRecords, EnumPeers, Peer, PeerCacheAdministration, PeerCacheRecord};
pub use property::{JobPropertyId, JobPropertyValue};
pub use proxy::ProxySettings;
pub use reply::ReplyDataError;
pub use setting::{Setting, Settings, Value};
pub use structs::{
    Answer, FileInfo, FileProgress, FileRange, FileTime, JobProgress, JobReplyProgress, JobTimes, LENGTH_TO_EOF,
    PeerDownloadStats, SIZE_UNKNOWN,
};
pub use token_options::TokenOptions;
pub use uuid::Uuid as Guid;
