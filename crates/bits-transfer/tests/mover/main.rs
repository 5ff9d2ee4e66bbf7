//! The mover against servers whose every byte a test writes.

mod downloads;
mod hostile;
mod local;
mod parked;
mod support;
mod tls;
