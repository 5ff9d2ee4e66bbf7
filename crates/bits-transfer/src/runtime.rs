//! The one runtime of the process.

use std::num::NonZero;
use std::sync::OnceLock;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Handle, Runtime};

/// The runtime that every emulator of this process shares; it starts at the first call and lives
/// as long as the process.
///
/// A few workers do for any number of attempts: they wait for sockets nearly all the time, and
/// what they write goes to the page cache. More workers than cores only take turns.
pub fn runtime() -> &'static Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            let workers = available_parallelism().map_or(MIN_WORKERS, NonZero::get).clamp(MIN_WORKERS, MAX_WORKERS);
            Builder::new_multi_thread()
                .worker_threads(workers)
                .max_blocking_threads(MAX_BLOCKING)
                .thread_name("bits-transfer")
                .enable_all()
                .build()
                // Without threads or an event queue the process cannot do anything it is for.
                .expect("the system refuses threads or sockets to the transfer runtime")
        })
        .handle()
}

/// So that one slow disk write does not hold up every attempt.
const MIN_WORKERS: usize = 2;
const MAX_WORKERS: usize = 4;
/// Look-ups of host names, and whatever else has to block.
const MAX_BLOCKING: usize = 64;
