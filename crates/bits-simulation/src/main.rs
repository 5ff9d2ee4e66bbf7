//! Runs seeds of the simulation: `bits-simulation [FIRST] [COUNT]`, or one of them aloud, which
//! the environment variable `BITS_SEED` names.

use std::process::ExitCode;
use std::time::Instant;

use bits_simulation::{SEED_VARIABLE, run, run_aloud};

/// How many seeds run when nobody says otherwise.
const SEEDS: u64 = 2_000;

fn main() -> ExitCode {
    match begin() {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn begin() -> Result<(), String> {
    if let Ok(seed) = std::env::var(SEED_VARIABLE) {
        let outcome = run_aloud(number(&seed)?).map_err(|failure| failure.to_string())?;
        println!("seed {seed} finds nothing; {} events, hash {:016x}", outcome.events, outcome.hash);
        return Ok(());
    }
    let numbers: Vec<u64> = std::env::args().skip(1).map(|text| number(&text)).collect::<Result<_, _>>()?;
    let (first, count) = match numbers[..] {
        [] => (0, SEEDS),
        [first] => (first, SEEDS),
        [first, count] => (first, count),
        _ => return Err("usage: bits-simulation [FIRST] [COUNT]".into()),
    };
    let start = Instant::now();
    let mut events = 0;
    for seed in first..first + count {
        events += run(seed).map_err(|failure| failure.to_string())?.events;
    }
    println!("{count} seeds from {first} find nothing; {events} events in {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is not the number of a seed"))
}
