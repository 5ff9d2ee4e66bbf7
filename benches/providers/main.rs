//! The same jobs through real BITS and through the emulator, from a server on loopback.
//!
//! `cargo bench -p bits-emulator --bench providers` measures on Windows (or on Wine, whose BITS is
//! Wine's own then) both, and prints how much longer real BITS takes; elsewhere there is the emulator
//! alone. A client with nothing of BITS fetches the small files, too: what the system takes for that, no
//! BITS can do without. `BITS_BENCH_JOBS` (200) and `BITS_BENCH_MIB` (1024) make a quick try possible.
//!
//! The server is part of this process, unless `BITS_BENCH_SERVER` is the URL of one: behind `--` the word
//! `--serve` makes such a server, which prints its URL and serves as long as its input is open.
//! `tests/wine/providers.sh` does both, so that what Wine takes for a server is no part of what is measured.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bits_emulator::api::Manager;
use bits_emulator::{Provider, ProviderError};

mod bare;
mod downloads;
mod server;

use bare::Bare;
use downloads::Download;
use server::Server;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// So many jobs at once: a user may have 60.
const AT_ONCE: usize = 50;

fn main() -> Result<()> {
    let work = Work { jobs: number("BITS_BENCH_JOBS", 200)?, mib: number("BITS_BENCH_MIB", 1024)? };
    if std::env::args().any(|argument| argument == "--serve") {
        return server::serve(work.mib);
    }
    let server = Server::find(work.mib)?;
    work.measure_bare(&server)?;
    let mut measured = Vec::new();
    for (name, provider) in [("emulator", Provider::Emulator), ("real BITS", Provider::Windows)] {
        let bits = match provider.start() {
            Ok(bits) => bits,
            Err(ProviderError::Connect(error)) => {
                println!("no {name}: {error}");
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let figures = work.measure(&bits.manager()?, &server)?;
        figures.print(name, &work);
        measured.push(figures);
    }
    if let [emulated, real] = &measured[..] {
        emulated.compare(real, &work);
    }
    Ok(())
}

/// What is done through each BITS.
struct Work {
    jobs: usize,
    mib: usize,
}

/// How long it took.
struct Figures {
    in_turn: Duration,
    at_once: Duration,
    large: Duration,
}

impl Work {
    /// The small files; and the large one once, uncounted: whoever is the first to write so much waits
    /// until the system has found the memory for it.
    fn measure_bare(&self, server: &Server) -> Result<()> {
        let (small, large) = (server.url("/small"), server.url("/large"));
        let mut bare = Bare::connect(&small)?;
        bare.measure(&small, 1)?;
        let each = each(bare.measure(&small, self.jobs)?, self.jobs);
        println!("nothing of BITS, HEAD and GET by hyper on one connection: {each} a small file");
        bare.measure(&large, 1)?;
        Ok(())
    }

    fn measure(&self, manager: &Arc<dyn Manager>, server: &Server) -> Result<Figures> {
        let folder = tempfile::tempdir()?;
        let begin = |path: &str, name: &str| Download::begin(manager, &server.url(path), &folder.path().join(name));
        begin("/small", "first")?.finish()?;
        let in_turn =
            timed(|| (0..self.jobs).try_for_each(|number| begin("/small", &format!("turn{number}"))?.finish()))?;
        let at_once = timed(|| {
            for first in (0..self.jobs).step_by(AT_ONCE) {
                let numbers = first..self.jobs.min(first + AT_ONCE);
                let downloads =
                    numbers.map(|number| begin("/small", &format!("once{number}"))).collect::<Result<Vec<_>>>()?;
                downloads.into_iter().try_for_each(Download::finish)?;
            }
            Ok(())
        })?;
        let large = timed(|| begin("/large", "large")?.finish())?;
        Ok(Figures { in_turn, at_once, large })
    }

    /// The work's parts, as they are printed.
    fn names(&self) -> [String; 3] {
        let Self { jobs, mib } = self;
        [
            format!("{jobs} jobs of 4 KiB, one after the other"),
            format!("{jobs} jobs of 4 KiB, {AT_ONCE} at once"),
            format!("one file of {mib} MiB"),
        ]
    }
}

impl Figures {
    fn print(&self, provider: &str, work: &Work) {
        let [in_turn, at_once, large] = work.names();
        println!("{provider}, {in_turn}: {:.1?}, {} a job", self.in_turn, each(self.in_turn, work.jobs));
        println!("{provider}, {at_once}: {:.1?}, {} a job", self.at_once, each(self.at_once, work.jobs));
        println!("{provider}, {large}: {:.1?}, {:.0} MiB/s", self.large, per_second(work.mib, self.large));
    }

    fn compare(&self, real: &Self, work: &Work) {
        let pairs = [(real.in_turn, self.in_turn), (real.at_once, self.at_once), (real.large, self.large)];
        for (name, (real, emulated)) in work.names().iter().zip(pairs) {
            println!("real BITS takes {:.1} times as long for {name}", real.as_secs_f64() / emulated.as_secs_f64());
        }
    }
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed())
}

fn number(name: &str, default: usize) -> Result<usize> {
    match std::env::var(name) {
        Ok(text) => text.parse().map_err(|_| format!("{name} is {text:?}, not a number").into()),
        Err(_) => Ok(default),
    }
}

#[allow(clippy::cast_precision_loss)]
fn each(time: Duration, number: usize) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0 / number as f64)
}

#[allow(clippy::cast_precision_loss)]
fn per_second(mib: usize, time: Duration) -> f64 {
    mib as f64 / time.as_secs_f64()
}
