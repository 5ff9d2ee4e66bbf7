//! `bitsd` as a user meets it: a child process, its output, its exit code and the files it leaves.

mod agreement;
mod doctor;
mod errors;
mod files;
mod lists;
#[cfg(unix)]
mod signals;
mod state;
mod support;
mod usage;
