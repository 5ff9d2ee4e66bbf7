//! What goes over the wire, as pure functions.
//!
//! Here stands what a transfer asks for, what BITS accepts as an answer, and with which code it
//! refuses: over header types and lengths, without sockets, files or time. The engine and the
//! transfer core meet in the vocabulary of [`attempt`]; neither knows the other.

pub mod attempt;
pub mod download;
mod redact;

pub use redact::redacted;
