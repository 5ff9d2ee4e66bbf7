//! What probes need: they ask where a job goes, instead of saying where it must go.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bits_api::{Hresult, Job, JobState, Manager, Success};
use bits_world::StorageFault;

use super::live::LOOK;
use super::{Bench, SOON, new_job};
use crate::claims::{Outcome, Stop};
use crate::passing_client;
use crate::provider::{Capability, Kind, Provider};

/// Where a job stays for longer than a probe looks.
const AT_REST: [JobState; 6] = [
    JobState::SUSPENDED,
    JobState::ERROR,
    JobState::TRANSIENT_ERROR,
    JobState::TRANSFERRED,
    JobState::ACKNOWLEDGED,
    JobState::CANCELLED,
];

/// How long the jobs of one probe are given in all: what it has seen must not be lost because each of
/// many jobs takes its time.
const PATIENCE: Duration = Duration::from_secs(45);

/// How long a job is given when that is used up.
const LEAST: Duration = Duration::from_secs(2);

impl Bench {
    /// Where the job comes to rest, or the state in which it still is after half a minute, or less
    /// where others have taken long.
    pub(crate) fn rest(&self, job: &Arc<dyn Job>) -> Result<JobState, Stop> {
        let left = PATIENCE.saturating_sub(self.waited.get()).max(LEAST);
        let within = if self.is_live() { SOON.min(left) } else { SOON };
        let began = Instant::now();
        self.until(|| job.state().is_ok_and(|state| AT_REST.contains(&state)), within)?;
        self.waited.set(self.waited.get() + began.elapsed());
        Ok(job.state()?)
    }

    /// Another BITS on which nothing has happened, in real time: for what the emulator does there alone.
    pub(crate) fn start_over_in_real_time(&mut self) -> Outcome {
        if !self.is_live() {
            let provider = Provider::open(Kind::EmulatorLive, |_| {}).map_err(Stop::Failed)?;
            self.limits.provider = Arc::new(provider);
        }
        self.start_over();
        Ok(())
    }

    /// A full local name on a drive, which that of a real file is on Windows alone.
    pub(crate) fn on_drive(&self, name: &str) -> String {
        if cfg!(windows) { self.local(name) } else { format!(r"C:\{name}") }
    }

    /// Waits until `reached`, at most for `within`; tells whether it came so far.
    pub(crate) fn until(&self, mut reached: impl FnMut() -> bool, within: Duration) -> Result<bool, Stop> {
        self.may_wait(within)?;
        if !self.is_live() {
            return self.emulator()?.run_until(reached, within).map_err(|error| Stop::Failed(format!("{error:?}")));
        }
        let began = Instant::now();
        while !reached() {
            self.limits.given_up.check()?;
            if began.elapsed() > self.limits.patiently(within) {
                return Ok(false);
            }
            thread::sleep(LOOK);
        }
        Ok(true)
    }

    /// Has a program of its own give the job an object that takes every server, and end; returns what BITS
    /// has said to it.
    pub(crate) fn vetted_by_a_passing_client(&self, job: &Arc<dyn Job>) -> Result<Result<Success, Hresult>, Stop> {
        let id = job.id()?;
        if !self.is_windows() {
            let client = self.emulator()?.client_as("passing.exe", self.own_token()?);
            let said = passing_client::give_to(&client.manager()?.job(id)?);
            client.exit();
            return Ok(said);
        }
        let failed = |error| Stop::Failed(format!("the program that is another client: {error}"));
        let mut program = passing_client::command(id).and_then(|mut program| program.spawn()).map_err(failed)?;
        let has_ended = self.until(|| !matches!(program.try_wait(), Ok(None)), SOON);
        // One that hangs is not left behind.
        _ = program.kill();
        let exit = program.wait().map_err(failed)?;
        match (has_ended?, exit.code()) {
            (true, Some(exit)) => Ok(passing_client::said(exit)),
            _ => Err(Stop::Failed("the program that is another client does not end".to_owned())),
        }
    }

    /// The manager, as an administrator has it; on Windows that is whoever runs the suite, or nobody.
    pub(crate) fn elevated(&self) -> Result<Arc<dyn Manager>, Stop> {
        if !self.is_windows() {
            return self.administrator();
        }
        let manager = self.manager()?;
        let job = new_job(&manager)?;
        let is_elevated = job.job4()?.owner_elevation_state()?;
        job.cancel()?;
        if is_elevated { Ok(manager) } else { Err(Capability::Administrator.missing()) }
    }

    /// Keeps the local files from being deleted, as long as the value lives.
    pub(crate) fn pin_files(&self) -> Result<Vec<File>, Stop> {
        if !self.is_windows() {
            self.harm("", StorageFault::Pinned)?;
            return Ok(Vec::new());
        }
        let unreadable = |error| Stop::Failed(format!("a local file cannot be opened: {error}"));
        self.local_files()?.iter().map(|(name, _)| pin(&self.on_disk(name)).map_err(unreadable)).collect()
    }
}

/// Opens the file as a program does that lets others read and write it, but not delete it.
fn pin(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;
        const FILE_SHARE_READ: u32 = 1;
        const FILE_SHARE_WRITE: u32 = 2;
        options.share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Limits;

    #[test]
    fn what_jobs_have_been_given_counts_for_those_on_the_next_bench_too() {
        let provider = Provider::open(Kind::EmulatorLive, |_| {}).expect("the emulator");
        let limits = Limits { patience: Duration::from_millis(20), ..Limits::of(Arc::new(provider)) };
        let mut bench = Bench::new(limits, None);
        let (job, file) = bench.job_with_file(1_000).expect("a job");
        bench.hold_connecting(&file).expect("a gate");
        job.resume().expect("the job is resumed");
        bench.rest(&job).expect("a state");
        let waited = bench.waited.get();
        assert_ne!(waited, Duration::ZERO);

        bench.start_over();

        assert_eq!(bench.waited.get(), waited);
    }
}
