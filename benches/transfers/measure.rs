//! What a run costs: time, processor, memory.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use wait4::{ResourceUsage, Wait4};

use crate::Result;
use crate::programs::Command;

/// What one run has used.
pub(crate) struct Used {
    wall: Duration,
    usage: ResourceUsage,
}

/// Runs a command to its end; only the client is measured.
pub(crate) fn run(command: &mut Command) -> Result<Used> {
    let mut process = command.process()?;
    let begun = Instant::now();
    let used = process.spawn()?.wait4()?;
    let wall = begun.elapsed();
    if !used.status.success() {
        return Err(format!("{} ended with {}", command.line(), used.status).into());
    }
    Ok(Used { wall, usage: used.rusage })
}

/// The runs of one program.
#[derive(Default)]
pub(crate) struct Measured {
    pub(crate) wall: Vec<f64>,
    pub(crate) cpu: Vec<f64>,
    pub(crate) memory: Vec<f64>,
}

impl Measured {
    pub(crate) fn add(&mut self, used: &Used) {
        self.wall.push(used.wall.as_secs_f64());
        self.cpu.push((used.usage.utime + used.usage.stime).as_secs_f64());
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        self.memory.push(used.usage.maxrss as f64 / 1024.0 / 1024.0);
    }

    /// min / median / max of wall, processor and memory.
    pub(crate) fn spreads(&self) -> [String; 3] {
        [spread(&self.wall, 2), spread(&self.cpu, 2), spread(&self.memory, 0)]
    }
}

/// The ratio of each round, ours to theirs.
pub(crate) fn ratios(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect()
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

pub(crate) fn spread(values: &[f64], digits: usize) -> String {
    let min = values.iter().copied().fold(f64::INFINITY, f64::min);
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{min:.digits$} / {:.digits$} / {max:.digits$}", median(values))
}

/// Removes everything in `folder`.
pub(crate) fn empty(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        fs::remove_file(entry?.path())?;
    }
    Ok(())
}

/// Runs `start` on the core of servers: what it starts stays there.
pub(crate) fn on_the_core_of_servers<T>(start: impl FnOnce() -> Result<T>) -> Result<T> {
    stay_on(1);
    start()
}

/// From now on everything that is started has the core of clients.
pub(crate) fn stay_on_the_core_of_clients() {
    stay_on(0);
}

/// Binds this thread, and every process that it starts, to one core.
#[cfg(target_os = "linux")]
fn stay_on(core: usize) {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(core);
    if let Err(error) = rustix::thread::sched_setaffinity(None, &cores) {
        println!("core {core} cannot be had alone ({error}): the figures scatter more");
    }
}

#[cfg(not(target_os = "linux"))]
fn stay_on(core: usize) {
    println!("core {core} cannot be had alone on this system: the figures scatter more");
}
