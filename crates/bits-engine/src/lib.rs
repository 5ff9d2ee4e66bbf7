//! What BITS decides: a deterministic state machine without I/O.
//!
//! The engine owns the queue. It reads no clock, draws no chance, touches no file or socket and
//! spawns nothing; whatever varies comes in through [`Cx`], [`Config`] and [`Event`]. The same
//! inputs give the same actions, byte for byte.
//!
//! # The contract
//! - Every call and every [`Engine::handle`] is followed by [`Engine::poll`] until it is empty.
//! - Actions are carried out in the order in which they come out: a state is durable before its
//!   reply is given and before anyone is told of it.
//! - [`Action::Publish`], [`Action::Delete`], [`Action::Notify`], [`Action::Activate`] and
//!   [`Action::RunCommand`] are answered by an event.
//! - A call that must wait for such an answer gives [`Reply::Later`]; [`Action::Reply`] follows.
//!   One that meets a job in the middle of being completed or cancelled gives [`Reply::Busy`]: it
//!   changes nothing, and is to be made again after [`Action::Wake`].
//! - [`Engine::next_deadline`] tells when [`Event::Deadline`] is due.

mod access;
mod action;
mod calls;
mod certificate;
mod change;
mod content;
mod engine;
mod event;
mod eventlog;
mod explain;
mod finish;
mod giving_up;
mod heads;
mod helper;
mod history;
mod hold;
mod idle;
mod job;
mod jobs;
mod left;
mod logins;
mod logon;
mod method;
mod names;
mod notify;
mod pages;
mod peer_cache;
mod proxies;
mod ranges;
mod reads;
mod record;
mod remote;
mod restore;
mod retry;
mod revocation;
mod schedule;
mod scramble;
mod secrets;
mod settings;
mod sources;
mod table;
mod temporary;
#[cfg(test)]
mod tests;
mod timers;
mod transfer;
mod upload;
mod users;
mod vetting;
mod visits;
mod world;

pub use access::OwnerRights;
pub use action::{Action, Cause, Notification, Transition};
pub use certificate::ChosenCertificate;
pub use engine::Engine;
pub use event::{Event, NotifyOutcome};
pub use eventlog::{JobEnd, Judged, LogEvent};
pub use explain::{Ending, Explanation, FileInWork, Reason, Suspender};
pub use history::History;
pub use hold::Hold;
pub use left::LeftJob;
pub use notify::{CallbackInterface, CommandLine, CommandOutcome};
pub use peer_cache::{CachePreferences, CacheRecord, KnownPeer, SavedCache};
pub use ranges::Access;
pub use record::{Change, ErrorRecord, FileDetails, FileRecord, FileStage, JobRecord, Saved, UploadRecord};
pub use secrets::{Login, Secrets};
pub use settings::{LaterSettings, Stored};
pub use upload::ReplyAt;
pub use vetting::JobVetting;
#[cfg(any(test, feature = "visits"))]
pub use visits::visits;

use bits_api::{Hresult, Success};
use bits_wire::attempt::Probe;
use bits_world::clock::Now;
use bits_world::{Decisions, Profile, World};

/// What a call or an event may look at beyond its own arguments.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// The moment.
    pub now: Now,
    /// The world as it is at that moment.
    pub world: &'a World,
    /// Read-only questions about local files.
    pub probe: &'a dyn Probe,
}

/// How an engine plays its part.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which BITS is played.
    pub profile: Profile,
    /// Choices where the documentation is silent.
    pub decisions: Decisions,
    /// Chooses where BITS promises no order.
    pub seed: u64,
    /// Does by this seed what BITS may do and seldom does: enumerates jobs in another order each
    /// time, loses modifications, lets notifications overtake each other, gives slices of other
    /// lengths.
    pub scramble: Option<u64>,
    /// Whether who carries attempts out can upload; without it there are no upload jobs.
    pub uploads: bool,
}

/// A job inside one engine: handed out in order of creation, never used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize)]
pub struct JobKey(pub u64);

/// A file of a job, by its place.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize)]
pub struct FileIndex(pub u32);

/// An object that is called back; the service keeps it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CallbackId(pub u64);

/// A call whose result comes later.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CallId(pub u64);

/// Ties the outcome of an action to it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticket(pub u64);

/// What a call that depends on actions gives at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Reply {
    /// The result.
    Now(Result<Success, Hresult>),
    /// The result comes with [`Action::Reply`].
    Later(CallId),
    /// The job is being completed or cancelled: call again after [`Action::Wake`].
    Busy,
}
