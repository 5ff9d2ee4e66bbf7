//! The threads that move bytes: one runtime on each, shared by every emulator of the process.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, available_parallelism};

use bits_wire::attempt::ChainId;
use tokio::runtime::{Builder, Handle};

/// Deals the chains of one mover out to the workers.
#[derive(Debug)]
pub(crate) struct Desk {
    first: usize,
    dealt: Mutex<Dealt>,
}

#[derive(Debug, Default)]
struct Dealt {
    /// The worker of each chain.
    workers: HashMap<ChainId, usize>,
    /// How many chains each worker has.
    loads: [usize; MAX_WORKERS],
}

impl Desk {
    /// Each mover begins at another worker: most have one chain.
    pub(crate) fn new() -> Self {
        static DESKS: AtomicUsize = AtomicUsize::new(0);
        Self { first: DESKS.fetch_add(1, Ordering::Relaxed), dealt: Mutex::default() }
    }

    /// The worker of a chain, the same one until it is released: a connection stays where it was made. A
    /// new one goes to the first of those who have the fewest: so chains after each other, each of
    /// which may go on with the connection of the one before, are all with one worker.
    pub(crate) fn worker(&self, chain: ChainId) -> &'static Handle {
        let workers = workers();
        let mut dealt = self.dealt();
        let Dealt { workers: places, loads } = &mut *dealt;
        let place = *places.entry(chain).or_insert_with(|| {
            let from_first = (0..workers.len()).map(|number| self.first.wrapping_add(number) % workers.len());
            let place = from_first.min_by_key(|place| loads[*place]).unwrap_or_default();
            loads[place] += 1;
            place
        });
        &workers[place]
    }

    /// The chain is at its end.
    pub(crate) fn release(&self, chain: ChainId) {
        let mut dealt = self.dealt();
        if let Some(place) = dealt.workers.remove(&chain) {
            dealt.loads[place] -= 1;
        }
    }

    fn dealt(&self) -> MutexGuard<'_, Dealt> {
        self.dealt.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tokio::runtime::Id;

    use super::*;

    fn worker(desk: &Desk, chain: u64) -> Id {
        desk.worker(ChainId(chain)).id()
    }

    #[test]
    fn a_chain_stays_with_its_worker_whoever_comes_and_goes() {
        let desk = Desk::new();
        let of_first = worker(&desk, 1);

        (2..10).for_each(|chain| _ = worker(&desk, chain));
        (2..9).for_each(|chain| desk.release(ChainId(chain)));

        assert_eq!(worker(&desk, 1), of_first);
    }

    #[test]
    fn chains_after_each_other_are_with_one_worker() {
        let desk = Desk::new();

        let of_each = (0..10).map(|chain| {
            let worker = worker(&desk, chain);
            desk.release(ChainId(chain));
            worker
        });

        assert_eq!(of_each.collect::<HashSet<_>>().len(), 1);
    }

    #[test]
    fn chains_at_once_are_with_all_workers_alike() {
        let desk = Desk::new();
        let count = workers().len() as u64;

        let mut of_each = HashMap::<_, usize>::new();
        (0..count * 3).for_each(|chain| *of_each.entry(worker(&desk, chain)).or_default() += 1);

        assert_eq!(of_each.into_values().collect::<Vec<_>>(), vec![3; workers().len()]);
    }
}
