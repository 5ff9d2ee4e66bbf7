#![doc = include_str!("../README.md")]

use std::sync::Arc;

pub use bits_service::{
    Builder, Client, Emulator, Entry, Impersonation, SimFailure, SimHold, SimReply, SimUpload, SimUploadStage,
    Simulation, StartError, TimeError, Timeline, What, impersonate,
};

// For the author of a test.
pub use bits_service::{
    AttemptEnd, CallbackCall, Cause, CommandLimits, CommandOutcome, CommandRun, Commands, Ending, Explanation, Failure,
    Fate, Fault, FileInWork, Hold, Hop, JobEnd, Latch, LeftJob, Leftovers, LogEvent, Loss, NoLeftovers, PeerRead,
    ProxyServer, Reason, ScriptedCallback, Seed, SeedError, SeedFile, SimServer, Suspender, Thing, Validators, Verb,
};

/// The interface that a BITS client sees, shared by the emulator and real BITS.
pub mod api {
    pub use bits_api::*;
}

/// The world around the service, and its clock.
pub mod world {
    pub use bits_world::*;
}

/// Certificates for the stores of the world, from PEM, DER and PKCS#12, and from folders of such
/// files.
pub mod certificates {
    pub use bits_certs::folder::*;
    pub use bits_certs::identity::*;
}

/// The HTTP origin that tests download from.
pub mod origin {
    pub use bits_origin::*;
}

/// Enters each request that `origin` sees into the emulator's timeline.
pub fn log_requests(emulator: &Emulator, origin: &bits_origin::Origin) {
    let timeline = emulator.timeline().clone();
    origin.on_request(Arc::new(move |request| {
        let range = request.header("range").map(|range| format!(", {range}")).unwrap_or_default();
        timeline.request(request.at, format!("{} {}{range}", request.method, request.path));
    }));
}
