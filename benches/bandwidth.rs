//! Background jobs under a limit of bandwidth, in real time: how near they come to it over ten
//! seconds and in each of them, from an origin on loopback.
//!
//! Run with `cargo bench -p bits-cli --bench bandwidth`. Needs a quarter of a gigabyte of room;
//! `BITS_BENCH_SECONDS` changes how long each limit is measured.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use bits_api::{Job, JobType, Manager};
use bits_origin::{Content, Origin};
use bits_service::Emulator;
use bits_world::InternetBandwidth;
use bits_world::clock::Clock;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// What is measured.
struct Measure {
    name: &'static str,
    kilobits: u32,
    secure: bool,
    /// Bytes of each file; a job has as many as it takes.
    file: u64,
}

const LARGE: u64 = 1 << 40;

#[rustfmt::skip]
const MEASURES: &[Measure] = &[
    Measure { name: "one file, HTTP",             kilobits: 256,     secure: false, file: LARGE },
    Measure { name: "one file, HTTP",             kilobits: 2_000,   secure: false, file: LARGE },
    Measure { name: "one file, HTTP",             kilobits: 20_000,  secure: false, file: LARGE },
    Measure { name: "one file, HTTP",             kilobits: 200_000, secure: false, file: LARGE },
    Measure { name: "one file, HTTPS",            kilobits: 20_000,  secure: true,  file: LARGE },
    Measure { name: "files of 256 KiB, HTTP",     kilobits: 20_000,  secure: false, file: 1 << 18 },
];

fn main() -> Result<()> {
    let seconds = match std::env::var("BITS_BENCH_SECONDS") {
        Ok(text) => text.parse().map_err(|_| format!("BITS_BENCH_SECONDS is {text:?}, not a number"))?,
        Err(_) => 10,
    };
    println!("{:<24} {:>9} {:>9} {:>9} {:>22} {:>9}", "", "limit", "measured", "error", "seconds, min .. max", "CPU");
    for measure in MEASURES {
        measure.run(seconds)?;
    }
    Ok(())
}

impl Measure {
    fn run(&self, seconds: u64) -> Result<()> {
        let folder = tempfile::tempdir()?;
        let origin = Origin::start(Clock::system())?;
        let limit = InternetBandwidth::all_day(self.kilobits);
        let emulator = Emulator::builder()
            .clock(Clock::system())
            .trust(origin.ca_pem())
            .world(|world| world.policies.max_internet_bandwidth = Some(limit))
            .start()?;
        let job = self.job(&emulator.client("bench.exe").manager()?, &origin, folder.path(), seconds)?;
        job.resume()?;
        while moved(folder.path())? == 0 {
            sleep(Duration::from_millis(1));
        }
        let (begun, cpu) = (Instant::now(), cpu_seconds());
        let mut looks = vec![(Duration::ZERO, moved(folder.path())?)];
        for second in 1..=seconds {
            sleep(Duration::from_secs(second).saturating_sub(begun.elapsed()));
            looks.push((begun.elapsed(), moved(folder.path())?));
        }
        let cpu =
            cpu_seconds().zip(cpu).map_or_else(|| "-".to_owned(), |(after, before)| format!("{:.2} s", after - before));
        job.cancel()?;
        let each: Vec<f64> = looks.windows(2).map(|two| kilobits(two[0], two[1])).collect();
        let (least, most) =
            each.iter().fold((f64::MAX, 0.0_f64), |(least, most), rate| (least.min(*rate), most.max(*rate)));
        let measured = kilobits(looks[0], looks[looks.len() - 1]);
        let error = 100.0 * (measured / f64::from(self.kilobits) - 1.0);
        println!(
            "{:<24} {:>9} {measured:>9.0} {error:>8.2}% {:>22} {cpu:>9}",
            self.name,
            self.kilobits,
            format!("{least:.0} .. {most:.0}")
        );
        Ok(())
    }

    /// A job that has enough to do.
    fn job(&self, manager: &Arc<dyn Manager>, origin: &Origin, folder: &Path, seconds: u64) -> Result<Arc<dyn Job>> {
        origin.put("/file", Content::synthetic(self.file, 1));
        let url = if self.secure { origin.https_url("/file") } else { origin.url("/file") };
        let job = manager.create_job(Some("bench"), JobType::DOWNLOAD)?.job;
        let enough = 2 * seconds * u64::from(self.kilobits) * 125;
        for number in 0..enough.div_ceil(self.file) {
            job.add_file(Some(&url), Some(&folder.join(number.to_string()).to_string_lossy()))?;
        }
        Ok(job)
    }
}

/// Bytes of all temporary files: what has arrived, to the byte.
fn moved(folder: &Path) -> Result<u64> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len())).sum()
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn kilobits(from: (Duration, u64), to: (Duration, u64)) -> f64 {
    (to.1 - from.1) as f64 / 125.0 / to.0.abs_diff(from.0).as_secs_f64()
}

/// What this process, its origin included, has used so far, where the system tells.
fn cpu_seconds() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11..13)?.iter().filter_map(|field| field.parse::<f64>().ok()).sum();
    Some(ticks / 100.0)
}
