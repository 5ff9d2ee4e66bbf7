//! The same jobs through real BITS and through the emulator, from a server on loopback.
//!
//! `cargo bench -p bits-emulator --bench providers` measures on Windows (or on Wine, whose BITS is
//! Wine's own then) both, and prints how much longer real BITS takes; elsewhere there is the emulator
//! alone. `BITS_BENCH_JOBS` (200) and `BITS_BENCH_MIB` (1024) make a quick try possible.
//!
//! The server is part of this process, unless `BITS_BENCH_SERVER` is the URL of one: behind `--` the word
//! `--serve` makes such a server, which prints its URL and serves as long as its input is open.
//! `tests/wine/providers.sh` does both, so that what Wine takes for a server is no part of what is measured.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bits_emulator::api::{
    Callback, Hresult, Job, JobError, JobPriority, JobState, JobType, Manager, Success, callback_object,
};
use bits_emulator::origin::{Content, Origin};
use bits_emulator::world::clock::Clock;
use bits_emulator::{Provider, ProviderError};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// So long may one job take.
const PATIENCE: Duration = Duration::from_mins(10);

fn main() -> Result<()> {
    let (jobs, mib) = (number("BITS_BENCH_JOBS", 200)?, number("BITS_BENCH_MIB", 1024)?);
    if std::env::args().any(|argument| argument == "--serve") {
        return serve(mib);
    }
    let server = Server::find(mib)?;
    let large = format!("one file of {mib} MiB");
    let small = format!("{jobs} jobs of 4 KiB, one after the other");

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
        let manager = bits.manager()?;
        let folder = tempfile::tempdir()?;
        let small_url = server.url("/small");
        download(&manager, &small_url, &folder.path().join("first"))?;
        let began = Instant::now();
        for number in 0..jobs {
            download(&manager, &small_url, &folder.path().join(format!("small{number}")))?;
        }
        let of_small = began.elapsed();
        let began = Instant::now();
        download(&manager, &server.url("/large"), &folder.path().join("large"))?;
        let of_large = began.elapsed();
        println!("{name:<10} {small}: {of_small:.1?}; {large}: {of_large:.1?}, {:.0} MiB/s", per_second(mib, of_large));
        measured.push((of_small, of_large));
    }
    if let [(small_emulated, large_emulated), (small_real, large_real)] = measured[..] {
        println!("real BITS takes {:.1} times as long for {small}", ratio(small_real, small_emulated));
        println!("real BITS takes {:.1} times as long for {large}", ratio(large_real, large_emulated));
    }
    Ok(())
}

/// Where the files come from.
enum Server {
    /// A server of this process.
    Here(Origin),
    /// One that somebody has started, by its URL.
    There(String),
}

impl Server {
    fn find(mib: u64) -> Result<Self> {
        match std::env::var("BITS_BENCH_SERVER") {
            Ok(url) => Ok(Self::There(url)),
            Err(_) => Ok(Self::Here(origin(mib)?)),
        }
    }

    fn url(&self, path: &str) -> String {
        match self {
            Self::Here(origin) => origin.url(path),
            Self::There(url) => format!("{url}{path}"),
        }
    }
}

fn origin(mib: u64) -> Result<Origin> {
    let origin = Origin::start(Clock::system())?;
    // From memory: the server is to be no part of what is measured.
    origin.put("/small", Content::bytes(vec![1; 4 * KIB]));
    origin.put("/large", Content::bytes(vec![2; usize::try_from(mib)? * MIB]));
    Ok(origin)
}

/// Serves until nobody holds the other end of our input any more.
fn serve(mib: u64) -> Result<()> {
    let origin = origin(mib)?;
    println!("{}", origin.url(""));
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

/// A job from its creation to its end.
fn download(manager: &Arc<dyn Manager>, url: &str, local: &Path) -> Result<()> {
    let job = manager.create_job(Some("benchmark"), JobType::DOWNLOAD)?.job;
    let (bell, rung) = Bell::new();
    let done = lead(&job, url, &local.to_string_lossy(), bell, &rung);
    if done.is_err() {
        // Why it has failed is worth more than that it cannot be taken away either.
        _ = job.cancel();
    }
    done
}

fn lead(job: &Arc<dyn Job>, url: &str, local: &str, bell: Arc<Bell>, rung: &Receiver<()>) -> Result<()> {
    job.set_priority(JobPriority::FOREGROUND)?;
    job.add_file(Some(url), Some(local))?;
    job.set_notify_interface(Some(callback_object(bell)))?;
    fail_at_once(job)?;
    job.resume()?;
    rung.recv_timeout(PATIENCE)?;
    match job.state()? {
        JobState::TRANSFERRED => {}
        _ => return Err(job.error()?.error()?.1.into()),
    }
    job.complete()?;
    Ok(())
}

/// Makes of a passing error, of which nobody is told, one that ends the job.
fn fail_at_once(job: &Arc<dyn Job>) -> Result<()> {
    match job.set_no_progress_timeout(0) {
        // A BITS without the method is not kept from being measured.
        Ok(_) | Err(Hresult::E_NOTIMPL) => Ok(()),
        Err(code) => Err(code.into()),
    }
}

/// Rings when a job is at its end.
struct Bell(Mutex<Sender<()>>);

impl Bell {
    fn new() -> (Arc<Self>, Receiver<()>) {
        let (sender, receiver) = channel();
        (Arc::new(Self(Mutex::new(sender))), receiver)
    }

    fn ring(&self) -> std::result::Result<Success, Hresult> {
        let sender = self.0.lock().map_err(|_| Hresult::E_UNEXPECTED)?;
        // Whoever waits no longer has given up.
        _ = sender.send(());
        Ok(Success::OK)
    }
}

impl Callback for Bell {
    fn job_transferred(&self, _job: Arc<dyn Job>) -> std::result::Result<Success, Hresult> {
        self.ring()
    }

    fn job_error(&self, _job: Arc<dyn Job>, _error: Arc<dyn JobError>) -> std::result::Result<Success, Hresult> {
        self.ring()
    }

    fn job_modification(&self, _job: Arc<dyn Job>) -> std::result::Result<Success, Hresult> {
        Ok(Success::OK)
    }
}

fn number(name: &str, default: u64) -> Result<u64> {
    match std::env::var(name) {
        Ok(text) => text.parse().map_err(|_| format!("{name} is {text:?}, not a number").into()),
        Err(_) => Ok(default),
    }
}

#[allow(clippy::cast_precision_loss)]
fn per_second(mib: u64, time: Duration) -> f64 {
    mib as f64 / time.as_secs_f64()
}

fn ratio(longer: Duration, shorter: Duration) -> f64 {
    longer.as_secs_f64() / shorter.as_secs_f64()
}
