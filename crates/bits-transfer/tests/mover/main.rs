//! The mover against servers whose every byte a test writes.

mod asked;
mod certificates;
mod downloads;
mod hostile;
mod inquiry;
mod local;
mod paced;
mod parked;
mod parts;
mod proxies;
mod requests;
mod spares;
mod support;
mod tls;
