//! A behavioural emulator of the Windows BITS job service, in pure Rust.
//!
//! A test owns the clock, the users, the network and the server; a client sees the documented
//! BITS. The README tells the story; [`Emulator`] is the way in.
#![doc = include_str!("../README.md")]

pub use bits_service::{
    Builder, Client, Emulator, Entry, SimFailure, SimHold, Simulation, StartError, TimeError, Timeline, What,
};

/// The interface that a BITS client sees, shared by the emulator and real BITS.
pub mod api {
    pub use bits_api::*;
}

/// The world around the service, and its clock.
pub mod world {
    pub use bits_world::*;
}

/// The HTTP origin that tests download from.
pub mod origin {
    pub use bits_origin::*;
}
