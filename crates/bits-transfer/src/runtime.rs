//! The threads that move bytes: one runtime on each, shared by every emulator of the process.

use std::num::NonZero;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, available_parallelism};

use bits_wire::attempt::ChainId;
use tokio::runtime::{Builder, Handle};

/// Deals the chains of one mover out to the workers.
#[derive(Debug)]
pub(crate) struct Desk {
    first: usize,
}

impl Desk {
    /// Each mover begins at another worker: most have one chain.
    pub(crate) fn new() -> Self {
        static DESKS: AtomicUsize = AtomicUsize::new(0);
        Self { first: DESKS.fetch_add(1, Ordering::Relaxed) }
    }

    /// The worker of a chain, always the same one: a connection stays where it was made.
    pub(crate) fn worker(&self, chain: ChainId) -> &'static Handle {
        let workers = workers();
        let chain = usize::try_from(chain.0 % workers.len() as u64).unwrap_or_default();
        &workers[self.first.wrapping_add(chain) % workers.len()]
    }
}

/// The workers; they start at the first call and live as long as the process.
///
/// Each polls its own sockets, and only while it has nothing to do. On a runtime of several
/// threads an idle one wakes up for each packet that arrives while another reads and writes, which
/// costs as much as the transfer. A few do for any number of attempts: they wait for sockets
/// nearly all the time, and what they write goes to the page cache.
fn workers() -> &'static [Handle] {
    static WORKERS: OnceLock<Vec<Handle>> = OnceLock::new();
    WORKERS.get_or_init(|| {
        let count = available_parallelism().map_or(MIN_WORKERS, NonZero::get).clamp(MIN_WORKERS, MAX_WORKERS);
        (0..count).map(|_| start()).collect()
    })
}

fn start() -> Handle {
    let runtime = Builder::new_current_thread()
        .thread_name("bits-blocking")
        .max_blocking_threads(MAX_BLOCKING)
        .enable_all()
        .build()
        // Without an event queue the process cannot do anything it is for.
        .expect("the system refuses an event queue to a transfer worker");
    let handle = runtime.handle().clone();
    thread::Builder::new()
        .name("bits-transfer".into())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))
        // Nor without threads.
        .expect("the system refuses a thread to a transfer worker");
    handle
}

/// So that one slow disk write does not hold up every attempt.
const MIN_WORKERS: usize = 2;
const MAX_WORKERS: usize = 4;
/// Look-ups of host names, and whatever else has to block, for each worker.
const MAX_BLOCKING: usize = 16;
