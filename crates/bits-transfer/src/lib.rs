//! Moves bytes: sockets, TLS, HTTP and files.
//!
//! [`HttpMover`] carries out attempts over real sockets; [`LocalDisk`] answers for local files;
//! [`Inquirer`] asks servers single questions. What an answer means is decided in `bits-wire`; this
//! room only asks, reads and writes. It never decides about jobs, never lets two chains of attempts
//! use a connection on which anybody is known, and, but for the inquirer, never blocks a caller.

mod askers;
mod attempt;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod binding;
mod disk;
mod guard;
mod handshake;
mod heads;
mod identity;
mod inquiry;
mod kdc;
mod link;
mod mover;
mod partial;
mod parties;
mod runtime;
mod socket;
mod spares;
mod spelling;
mod throttle;
mod tls;
mod turns;
mod verifier;
mod vetted;
mod watchdog;
mod way;

pub use askers::run_elsewhere;
pub use bits_certs::Description;
pub use disk::LocalDisk;
pub use guard::GuardedDisk;
pub use handshake::Handshake;
pub use inquiry::{Inquirer, Reply, Rest, Tried};
pub use mover::HttpMover;
pub use spelling::find_on_drive;
