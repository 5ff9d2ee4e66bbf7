//! Schemes of authentication: challenges in, credentials out.
//!
//! A [`Party`] is our side towards one server or proxy, on one connection. It is told of every
//! challenge and says what to send; how that gets there is the transfer core's affair. Nothing in
//! here opens a socket or a file, and no credential leaves but as the value of a header in a
//! [`Secret`].
//!
//! | room | what it is for |
//! |---|---|
//! | [`challenge`] | takes challenges apart |
//! | `choice` | which of the schemes that are offered is answered |
//! | `party` | one exchange after the other, towards one server or proxy |
//! | `basic`, `digest`, `ntlm`, `negotiate` | a scheme each |
//! | `bound` | what is alike in the last two: several messages, one connection |
//! | `package` | what the two have in common that `sspi` speaks |
//!
//! [`Secret`]: bits_wire::Secret

mod basic;
mod bound;
pub mod challenge;
mod choice;
mod digest;
mod negotiate;
mod ntlm;
mod package;
mod party;
pub mod passport;
#[cfg(test)]
mod tests;

pub use negotiate::KdcRequest;
pub use party::{Asked, Manner, Party, Step, Verdict};
