//! An origin, looked at by a client that shares no code with it.

mod client;
mod faults;
mod gates;
mod plays;
mod proxying;
mod serving;
mod virtual_time;
