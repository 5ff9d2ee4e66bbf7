//! Schemes of authentication: challenges in, credentials out.
//!
//! No sockets and no files: whoever has a connection brings what the other end has said, and sends
//! what comes out.

mod negotiate;
mod ntlm;
mod package;
#[cfg(test)]
mod tests;

pub use negotiate::{KdcRequest, Negotiate, Turn};
pub use ntlm::Ntlm;
pub use package::{Broken, Token};
