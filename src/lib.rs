//! Windows BITS as an emulator, and real BITS behind the same interface.
//!
//! In a test begin with [`Emulator::builder`], and with [`origin::Origin`] for a server to download from. In a
//! program that is to run on real BITS as well, [`Provider`] chooses; the [`Bits`] that it starts hands out the
//! [`api::Manager`], and a test hands in its own by [`Bits::from`]. [`api`] is what a client sees, [`world`] what
//! is around the service. Real BITS is reached by [`bits_windows::connect`] in the one crate with `unsafe` code,
//! which says what that relies on: [`bits_windows`](bits_windows#safety).
#![doc = include_str!("../README.md")]

mod provider;
mod real;

use std::sync::Arc;

pub use bits_windows::ConnectError;
pub use provider::{Bits, Provider, ProviderError};

pub use bits_service::{
    Builder, Client, Emulator, Entry, Impersonation, SimFailure, SimGuard, SimHold, SimReply, SimScheme, SimUpload,
    SimUploadStage, Simulation, StartError, TimeError, Timeline, What, impersonate,
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
/// files; lists of revoked ones for `world.revocation`.
pub mod certificates {
    pub use bits_certs::folder::*;
    pub use bits_certs::identity::*;
    pub use bits_certs::lists_from;
}

/// The HTTP origin that tests download from.
///
/// Its guards ask who one is, so that a test sees how a client meets 401:
///
/// ```
/// use std::time::Duration;
/// use bits_emulator::Emulator;
/// use bits_emulator::api::{AuthCredentials, AuthScheme, AuthTarget, Hresult, JobState, JobType};
/// use bits_emulator::origin::{Content, Guard, Origin, Scheme};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let emulator = Emulator::builder().world(|w| w.drives.mount('C', folder.path())).start()?;
/// let origin = Origin::start(emulator.clock().clone())?;
/// origin.put("/setup.exe", Content::bytes("MZ…"));
/// origin.guard("*", Guard::new("updates").offers(Scheme::Basic).knows("joe", "secret"));
///
/// let job = emulator.client("updater.exe").manager()?.create_job(Some("update"), JobType::DOWNLOAD)?.job;
/// job.add_file(Some(&origin.url("/setup.exe")), Some(r"C:\setup.exe"))?;
/// job.resume()?;
/// emulator.wait_state(&job, JobState::ERROR, Duration::from_hours(1))?; // for good: nothing is tried again
/// assert_eq!(job.error()?.error()?.1, Hresult::BG_E_HTTP_ERROR_401);
///
/// job.job2()?.set_credentials(&AuthCredentials {
///     target: AuthTarget::SERVER,
///     scheme: AuthScheme::BASIC,
///     user_name: Some("joe"),
///     password: Some("secret"),
/// })?;
/// job.resume()?;
/// emulator.wait_state(&job, JobState::TRANSFERRED, Duration::from_hours(1))?;
/// job.complete()?;
/// # Ok(())
/// # }
/// ```
///
/// A second origin can be the proxy, which answers 407:
///
/// ```
/// # use std::time::Duration;
/// # use bits_emulator::Emulator;
/// # use bits_emulator::api::{AuthCredentials, AuthScheme, AuthTarget, Hresult, JobState, JobType, ProxyUsage};
/// # use bits_emulator::origin::{Content, Guard, Origin, Scheme};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let emulator = Emulator::builder().world(|w| w.drives.mount('C', folder.path())).start()?;
/// # let origin = Origin::start(emulator.clock().clone())?;
/// # origin.put("/setup.exe", Content::bytes("MZ…"));
/// let proxy = Origin::start(emulator.clock().clone())?;
/// proxy.guard_proxy(Guard::new("way out").offers(Scheme::Basic).knows("joe", "secret"));
///
/// let job = emulator.client("updater.exe").manager()?.create_job(Some("update"), JobType::DOWNLOAD)?.job;
/// job.add_file(Some(&origin.url("/setup.exe")), Some(r"C:\setup.exe"))?;
/// job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&proxy.address().to_string()), None)?;
/// # let (target, scheme) = (AuthTarget::PROXY, AuthScheme::BASIC);
/// # let wrong = AuthCredentials { target, scheme, user_name: Some("joe"), password: Some("Secret") };
/// job.job2()?.set_credentials(&wrong)?; // for AuthTarget::PROXY
/// job.resume()?;
/// emulator.wait_state(&job, JobState::ERROR, Duration::from_hours(1))?;
/// assert_eq!(job.error()?.error()?.1, Hresult::BG_E_HTTP_ERROR_407);
/// assert!(origin.journal().is_empty()); // it was the proxy that has refused
/// # job.cancel()?;
/// # Ok(())
/// # }
/// ```
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
