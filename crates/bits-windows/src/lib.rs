//! Real BITS behind the traits of [`bits_api`]: each call becomes a call of COM.
//!
//! This crate translates and nothing more: every HRESULT, success codes too, comes through as BITS
//! gave it, and an interface that this BITS does not have is `E_NOINTERFACE`. It must never repair,
//! retry or guess; what BITS does is what the caller sees.
//!
//! # Safety
//!
//! This is the only crate of the project with `unsafe` code, all of it calls into COM. What they
//! rely on:
//!
//! - *Apartments.* Proxies of BITS are made, used and released in the multithreaded apartment only,
//!   which a parked thread keeps alive ([`apartment`]). Callers may be anywhere; that is why handles
//!   are `Send` and `Sync`.
//! - *Pointers in.* Strings and arrays live until the call has returned; BITS copies what it keeps.
//! - *Pointers out.* What a call hands out belongs to the caller of COM: interfaces are owned by a
//!   [`proxy::Proxy`], strings and arrays are copied and given back to COM's allocator ([`memory`]).
//! - *Objects of clients* are called on any thread. Each interface of theirs is the address of its
//!   table inside the object, which lives until the last reference is released ([`callback`]).
//! - *Signatures* are those of the `windows` crate's bindings, which are made from Windows' metadata.
#![cfg_attr(windows, allow(unsafe_code))]

#[cfg(windows)]
mod apartment;
#[cfg(windows)]
mod call;
#[cfg(windows)]
mod callback;
mod connection;
#[cfg(windows)]
mod enumerator;
#[cfg(windows)]
mod error;
#[cfg(windows)]
mod file;
#[cfg(windows)]
mod http_options;
#[cfg(windows)]
mod impersonation;
#[cfg(windows)]
mod job;
#[cfg(windows)]
mod job2;
#[cfg(windows)]
mod job3;
#[cfg(windows)]
mod manager;
#[cfg(windows)]
mod memory;
#[cfg(windows)]
mod peer_cache;
#[cfg(windows)]
mod property;
#[cfg(windows)]
mod proxy;
#[cfg(windows)]
mod ranges;
#[cfg(windows)]
mod settings;
#[cfg(windows)]
mod token_options;

#[cfg(windows)]
pub use connection::initialize_security;
pub use connection::{ConnectError, Connection, Version, connect};
