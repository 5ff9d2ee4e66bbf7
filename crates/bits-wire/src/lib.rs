//! What goes over the wire, as pure functions, and the seam between those who decide about
//! transfers and those who carry them out.
//!
//! [`download`] tells what a transfer asks for, what BITS accepts as an answer, and with which code
//! it refuses: over header types and lengths. [`proxy`] tells the way to a server. [`layout`] and [`spans`] count its bytes. [`attempt`] is the vocabulary in which the engine and
//! the transfer core meet; neither knows the other, so the traits of those who move bytes and touch
//! files are named there and implemented elsewhere. Nothing in this crate opens a socket or a
//! file, or looks at a clock.

pub mod attempt;
pub mod auth;
pub mod certificates;
mod custom_headers;
pub mod download;
pub mod layout;
pub mod proxy;
mod redact;
pub mod spans;
pub mod upload;

pub use bits_world::Secret;
pub use custom_headers::CustomHeaders;
pub use redact::redacted;
