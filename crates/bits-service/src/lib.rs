//! The running emulator: engine, outbox, store, mover, clients and callbacks.
//!
//! This is the room where the engine's decisions meet threads. It implements the traits of
//! bits-api over a running [`Emulator`] and decides nothing itself: which state a job is in, what
//! a call returns and whom to notify comes from the engine.

mod accounts;
mod answers;
mod asserting;
mod attempts;
mod bell;
mod builder;
mod callbacks;
mod certificates;
mod classes;
mod client;
mod commands;
mod driver;
mod emulator;
mod error;
mod explain;
mod failure;
mod faults;
mod file;
mod guarded;
mod guids;
mod job;
mod job2;
mod job_versions;
mod kept;
mod leftovers;
mod manager;
mod peer_cache;
mod running;
mod scripted;
mod seed;
mod service;
mod sim;
mod snapshot;
mod text;
mod timeline;
mod token_options;
mod verbs;
mod vetting;
mod world_turn;

pub use bits_engine::{
    Cause, CommandOutcome, Ending, Explanation, FileInWork, Hold, JobEnd, Judged, LeftJob, LogEvent, Reason, Suspender,
};
pub use bits_wire::attempt::{AttemptEnd, Failure, Validators};
pub use bits_wire::proxy::{Hop, ProxyServer};
pub use bits_wire::redacted;
pub use builder::Builder;
pub use client::{Client, Impersonation, impersonate};
pub use commands::{CommandLimits, CommandRun, Commands};
pub use emulator::Emulator;
pub use failure::{StartError, TimeError};
pub use faults::Fault;
pub use leftovers::{Leftovers, NoLeftovers};
pub use peer_cache::PeerRead;
pub use running::Latch;
pub use scripted::{CallbackCall, ScriptedCallback};
pub use seed::{Seed, SeedError, SeedFile};
pub use sim::{SimFailure, SimGuard, SimHold, SimReply, SimScheme, SimServer, SimUpload, SimUploadStage, Simulation};
pub use timeline::{Entry, Timeline, What};
pub use verbs::{Fate, Loss, Thing, Verb};
