//! Real BITS behind the traits of [`bits_api`]: each call becomes a call of COM.
//!
//! This crate translates and nothing more: every HRESULT, success codes too, comes through as BITS
//! gave it, and an interface that this BITS does not have is `E_NOINTERFACE`. It must never repair,
//! retry or guess; what BITS does is what the caller sees. Only what the binary interface cannot carry
//! is refused before BITS: a string with a NUL inside, a hash that is not as long as a hash, a property
//! of another type than its id says.
//!
//! # Safety
//!
//! This is the only crate of the project with `unsafe` code, all of it calls into COM. What they
//! rely on:
//!
//! - *Apartments.* Proxies of BITS are made, used and released in the multithreaded apartment only,
//!   which a parked thread keeps alive (`apartment`). Callers may be anywhere; that is why handles are
//!   `Send` and `Sync`. A call that goes to another thread is made in the name of whomever the
//!   caller's thread impersonates (`impersonation`), or not at all.
//! - *Pointers in.* Strings and arrays live until the call has returned; BITS copies what it keeps.
//!   Our copies of strings are wiped, since one may be a password.
//! - *Pointers out.* What a call hands out belongs to the caller of COM: interfaces are owned by a
//!   `proxy::Proxy`, strings and arrays are copied and given back to COM's allocator (`memory`).
//! - *Objects of clients* are called on any thread. Each interface of theirs is the address of its
//!   table inside the object, which lives until the last reference is released (`callback`).
//! - *Unions* begin as zeros, so that every byte is defined whichever member is written and read.
//! - *Signatures* are those of the `windows` crate's bindings, which are made from Windows' metadata.
#![cfg_attr(windows, allow(unsafe_code))]

mod advice;
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
#[cfg(all(test, windows))]
mod fakes;
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
#[cfg(all(test, windows))]
mod tests;
#[cfg(windows)]
mod token_options;
#[cfg(any(windows, test))]
mod values;

pub use advice::advice;
#[cfg(windows)]
pub use connection::initialize_security;
pub use connection::{ConnectError, Connection, Version, connect};
