//! Certificates as Windows judges them.
//!
//! A client of BITS excuses each fault of a server's certificate by a flag of its own, so that the
//! *set* of faults counts, not the first that a library meets. [`Authorities`] holds whom the
//! machine trusts and tells that set, with what [`Revocations`] tell; a [`Description`] is for
//! people, [`identity`] takes certificates apart for the stores of the world, and [`folder`] keeps
//! such stores as files, the only ones that are opened in here. Nothing opens a socket, looks at a
//! clock, or decides what a fault does to a job.

mod authorities;
mod certificate;
mod description;
mod fault;
pub mod folder;
pub mod identity;
mod revocation;
mod serialized;

pub use authorities::{Authorities, Chain};
pub use description::Description;
pub use fault::of_pem as fault_of_pem;
pub use revocation::{Revocations, lists_from};
pub use serialized::{certificates_of, serialized_store};
