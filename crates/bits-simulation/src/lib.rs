//! A seeded simulation: the engine, its store on a disk that fails, a mover, clients, servers and
//! the world, in one thread and in virtual time.
//!
//! A seed decides everything that is left to chance, so a failing seed is the whole report of a
//! failure, and the same seed gives the same [`Outcome::hash`]. A run has two parts. In the first,
//! clients call, servers fail, users log off, the process dies, and whatever happens, nothing that
//! must not be is ever so (the modules `see` and `watch`). In the second the faults stop, and every
//! job must come to its end (the module `calm`).
//!
//! Nothing in here decides what BITS does, and nothing here is shipped: it is a test, in a crate of
//! its own because it needs the engine and the store.

mod asking;
mod callbacks;
mod calm;
mod chance;
mod clients;
mod files;
mod house;
mod medium;
mod mover;
mod origin;
mod plan;
mod restart;
mod see;
mod shadow;
mod steps;
mod trace;
mod uploads;
mod view;
mod wanted;
mod watch;

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use chance::Chance;
use house::House;
use trace::Trace;

/// The environment variable with the one seed that is to run.
pub const SEED_VARIABLE: &str = "BITS_SEED";

/// What a run comes to that finds nothing wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// A hash over everything that happened.
    pub hash: u64,
    /// How many things happened.
    pub events: u64,
}

/// What a run has found.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed that finds it again.
    pub seed: u64,
    /// What is wrong.
    pub what: String,
    /// What happened last.
    pub last: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for event in &self.last {
            writeln!(f, "{event}")?;
        }
        let seed = self.seed;
        writeln!(f, "seed {seed} fails: {}", self.what)?;
        write!(f, "again, with every event: {SEED_VARIABLE}={seed} cargo run --release -p bits-simulation")
    }
}

impl std::error::Error for Failure {}

/// Runs the simulation of `seed`.
///
/// # Errors
/// What it has found.
pub fn run(seed: u64) -> Result<Outcome, Box<Failure>> {
    run_with(seed, &Trace::default())
}

/// Runs the simulation of `seed` and prints every event.
///
/// # Errors
/// What it has found.
pub fn run_aloud(seed: u64) -> Result<Outcome, Box<Failure>> {
    run_with(seed, &Trace::printing())
}

fn run_with(seed: u64, trace: &Trace) -> Result<Outcome, Box<Failure>> {
    let events = trace.clone();
    let found = catch_unwind(AssertUnwindSafe(move || {
        let mut house = House::new(Chance::new(seed), events);
        for _ in 0..house.plan.steps {
            house.step();
        }
        house.calm_down();
    }));
    match found {
        Ok(()) => Ok(Outcome { hash: trace.hash(), events: trace.count() }),
        Err(panic) => Err(Box::new(Failure { seed, what: text_of(&*panic), last: trace.last() })),
    }
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").to_owned()
}
