//! The HTTP origin for tests: files, ranges, gates, scripted faults and a journal.
//!
//! An [`Origin`] serves HTTP and HTTPS on loopback, in process, on the [`Clock`] of the test, and is a
//! forward proxy to whoever speaks to it as to one. Its
//! server is its own, down to the parsing: it must never share code with the client half that it
//! is there to test, or a misreading would pass on both ends.
//!
//! On a virtual clock the origin tells when it has nothing left to do: a connection that a
//! [`Gate`], a delay or a slow answer holds is *held* in the sense of [`Line`], and a test's
//! `settle()` then returns although the transfer is not over.
//!
//! [`Clock`]: bits_world::clock::Clock
//! [`Line`]: bits_world::clock::Line

mod answer;
mod connection;
mod content;
mod fault;
mod folder;
mod gate;
mod guard;
mod head;
mod issuer;
mod journal;
mod origin;
mod parts;
mod play;
mod range;
mod requests;
mod script;
mod script_text;
mod shared;
mod socket;
mod synthetic;
mod tls;

pub use content::Content;
pub use fault::Fault;
pub use gate::{Gate, GateAt};
pub use guard::{Digest, Guard, Passport, PassportOddity, Scheme, Slip};
pub use issuer::ListFlaw;
pub use journal::{Cut, Hook, Outcome, Request, TimedOut};
pub use origin::Origin;
pub use parts::Muddle;
pub use play::Step;
pub use requests::{Journal, Nth};
pub use script::{Rule, Script, ScriptError};
pub use synthetic::Synthetic;
pub use tls::{ClientCertificates, Flaw, Handshake, TlsVersions};
