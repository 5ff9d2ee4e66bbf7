//! What the emulator is to survive.
//!
//! [`house`] is an emulator with an origin that can be any server of the table of hostile and broken ones
//! ([`bits_servers`]). The tests beside let each of
//! them loose alone, in any order after each other, many at once beside good ones, and watch what
//! they cost. [`fuzz`] has what is fuzzed. Nothing that is shipped knows this crate.

pub mod fuzz;
pub mod house;
