//! Real BITS behind the traits of [`bits_api`]: each call becomes a call of COM.
//!
//! [`connect`] gives the [`Manager`](bits_api::Manager), from which everything else comes, and the
//! [`Version`] of BITS that was found:
//!
//! ```no_run
//! use bits_api::JobType;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bits = bits_windows::connect()?; // on any thread; elsewhere than on Windows an error that says so
//! println!("BITS {}", bits.version);
//! let job = bits.manager.create_job(Some("update"), JobType::DOWNLOAD)?.job;
//! job.add_file(Some("http://example.org/setup.exe"), Some(r"C:\downloads\setup.exe"))?;
//! job.resume()?;
//! # Ok(())
//! # }
//! ```
//!
//! A program that is to run on the emulator too has `bits_emulator::Provider` choose between both. What a
//! code of COM or of the service means for a person is told by [`advice()`]. A program that owns its process
//! sets the security of COM with [`initialize_security`] first; without it, each object is secured alone.
//!
//! # What comes through
//!
//! This crate translates and nothing more: every failure comes through with the HRESULT that BITS gave,
//! and an interface that this BITS does not have is `E_NOINTERFACE`. It must never repair, retry or guess;
//! what BITS does is what the caller sees.
//!
//! Success codes come through where the traits have a place for one: a [`Success`](bits_api::Success),
//! alone, beside a value in an [`Answer`](bits_api::Answer) or beside what Next
//! [fetched](bits_api::Fetched). Every other method, most getters among them, gives a value or
//! an object alone: of its success only that it is one is told, and `S_FALSE` looks like `S_OK` there.
//!
//! Some codes are not of BITS, and these are all:
//!
//! - What the binary interface cannot carry is refused before BITS. A string with a NUL inside, a list
//!   longer than 32 bits count and a value of another type than its property or setting are
//!   `E_INVALIDARG`; a hash that is not as long as a hash is `RPC_X_BAD_STUB_DATA`, or without the name of
//!   a store `RPC_X_NULL_REF_POINTER`. So are objects that are not of BITS, in calls of a callback that
//!   another program has registered: `E_INVALIDARG`.
//! - A setting of an interface that this BITS does not have is `E_NOTIMPL`, as [`bits_api::Settings`]
//!   promises.
//! - A property whose id BITS knows and this crate does not is [`UNKNOWN_TYPE`].
//! - A call that succeeds and yet hands out no object, where there must be one, is `E_UNEXPECTED`.
//! - A call that cannot be made where it must be made, or in the caller's name, fails with what Windows
//!   says to that. A panic in a client's callback is `E_UNEXPECTED` to BITS.
//!
//! # Safety
//!
//! This is the only crate of the project with `unsafe` code, all of it calls into COM. What they
//! rely on:
//!
//! - *Apartments.* Proxies of BITS are made, used and released in the multithreaded apartment only,
//!   which a parked thread keeps alive (`apartment`). Callers may be anywhere; that is why handles are
//!   `Send` and `Sync`. A call that goes to another thread is made in the name of whomever the
//!   caller's thread impersonates (`impersonation`), or not at all; nor is any made through a proxy whose
//!   security blanket could not be set. Asking an object for another interface is such a call, too.
//!   BITS may act in the caller's name; an object that another client has registered may only learn it.
//!   What COM does by itself is not: it starts the service in [`connect`] and gives references back as
//!   the process is known, which [`initialize_security`] sets.
//! - *Pointers in.* Strings and arrays live until the call has returned; BITS copies what it keeps.
//!   Our copies of strings are wiped, since one may be a password.
//! - *Pointers out.* What a call hands out belongs to the caller of COM: interfaces are owned by a
//!   `proxy::Proxy`, strings and arrays are copied and given back to COM's allocator (`memory`).
//! - *Objects of clients* are called on any thread. Each interface of theirs is the address of its
//!   table inside the object, which lives until the last reference is released (`callback`).
//! - *Unions* begin as zeros, so that every byte is defined whichever member is written and read.
//! - *Signatures* are those of the `windows` crate's bindings, which are made from Windows' metadata.
//!   They say nothing of which interface a `*mut c_void` is: which method is called with which objects,
//!   and as what the object is read that it hands out, is part of the unsafe surface though the functions
//!   for it (`Proxy::call`, `memory::ObjectOut`) are safe to call inside this crate. The tests call each
//!   method once, at objects that would not be taken for others.
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

use bits_api::Hresult;

/// Reading a property has succeeded, but of which type an id is that this crate does not know, only the
/// documentation of that BITS can tell.
///
/// The code is none of Windows', by the bit for customers' codes, so that nobody takes it for an answer of
/// BITS. What came with the property is left alone: whether it is memory to be freed nobody can tell either.
pub const UNKNOWN_TYPE: Hresult = Hresult(0xA000_0001);

pub use advice::{advice, is_lost};
pub use connection::{ConnectError, Connection, Version, connect, initialize_security};
