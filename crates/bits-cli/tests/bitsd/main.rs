//! `bitsd` as a user meets it: a child process, its output, its exit code and the files it leaves.

mod agreement;
mod certificates;
mod credentials;
mod doctor;
mod errors;
mod files;
mod lists;
mod logins;
#[cfg(unix)]
mod programs;
mod provider;
mod proxies;
#[cfg(unix)]
mod signals;
mod state;
mod support;
#[cfg(target_os = "linux")]
mod terminal;
mod usage;
