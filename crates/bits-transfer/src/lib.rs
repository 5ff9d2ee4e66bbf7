//! Moves bytes: sockets, TLS, HTTP and files.
//!
//! [`HttpMover`] carries out attempts over real sockets; [`LocalDisk`] answers for local files. What
//! an answer means is decided in `bits-wire`; this room only asks, reads and writes. It never
//! decides about jobs, never keeps a pool of connections (an authenticated connection belongs to
//! one chain of attempts), and never blocks a caller.

mod attempt;
mod disk;
mod guard;
mod link;
mod mover;
mod partial;
mod runtime;
mod socket;
mod throttle;
mod tls;
mod verifier;
mod watchdog;
mod way;

pub use disk::LocalDisk;
pub use guard::GuardedDisk;
pub use mover::HttpMover;
