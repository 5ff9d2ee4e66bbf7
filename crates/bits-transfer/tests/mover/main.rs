//! The mover against servers whose every byte a test writes.

mod downloads;
mod support;
