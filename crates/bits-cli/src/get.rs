//! `bitsd get`: one file, one job, real time.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bits_api::{EnumJobsFlags, Hresult, Job, JobPriority, JobState, JobType, Manager, SIZE_UNKNOWN};
use bits_service::Emulator;
use bits_world::clock::Clock;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{Doing, Failure};

/// Downloads one file as a BITS job.
///
/// The first error ends it: nothing is tried again, and no file is left behind. With --state a
/// run that was killed is taken up by the next one with the same folder, URL and FILE.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to download, http or https
    url: String,
    /// Where to; an existing file is replaced when the download is complete
    file: PathBuf,
    /// How urgent the job is
    #[arg(long, value_enum, default_value_t = Priority::Foreground)]
    priority: Priority,
    /// Certificates to trust beside the machine's roots
    #[arg(long, value_name = "PEMFILE")]
    ca: Option<PathBuf>,
    /// Folder that keeps the queue
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Priority {
    Foreground,
    High,
    Normal,
    Low,
}

impl From<Priority> for JobPriority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Foreground => Self::FOREGROUND,
            Priority::High => Self::HIGH,
            Priority::Normal => Self::NORMAL,
            Priority::Low => Self::LOW,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || flag.store(true, Ordering::SeqCst)).doing("cannot listen for Ctrl-C")?;
    let local = std::path::absolute(&arguments.file).doing("FILE is no path")?;
    let local = local.to_str().ok_or_else(|| Failure::Failed(format!("FILE is not Unicode: {}", local.display())))?;

    let emulator = start(arguments)?;
    let client = emulator.client("bitsd");
    let manager = client.manager().doing("cannot connect")?;
    let job = match adopt(&manager, &arguments.url, local).doing("cannot read the queue")? {
        Some(job) => job,
        None => create(&manager, arguments, local)?,
    };
    job.set_priority(arguments.priority.into()).doing("SetPriority")?;
    job.resume().doing("Resume")?;
    let outcome = transfer(&emulator, &job, &interrupted);
    if outcome.is_err() {
        // What stopped the transfer is what the user is told, even if Cancel fails as well.
        let _ = job.cancel();
    }
    outcome
}

fn start(arguments: &Arguments) -> Result<Emulator, Failure> {
    let mut builder = Emulator::builder().clock(Clock::system());
    if let Some(ca) = &arguments.ca {
        builder = builder.trust(read(ca)?);
    }
    if let Some(state) = &arguments.state {
        builder = builder.state_folder(state);
    }
    builder.start().map_err(|error| Failure::Failed(error.to_string()))
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).doing(&format!("cannot read {}", path.display()))
}

/// The job that an earlier run has left in the queue.
fn adopt(manager: &Arc<dyn Manager>, url: &str, local: &str) -> Result<Option<Arc<dyn Job>>, Hresult> {
    let jobs = manager.enum_jobs(EnumJobsFlags::empty())?;
    for job in jobs.next(jobs.count()?)?.items {
        for file in job.enum_files()?.next(1)?.items {
            if file.remote_name()? == url && file.local_name()? == local {
                return Ok(Some(job));
            }
        }
    }
    Ok(None)
}

fn create(manager: &Arc<dyn Manager>, arguments: &Arguments, local: &str) -> Result<Arc<dyn Job>, Failure> {
    let created = manager.create_job(Some("bitsd get"), JobType::DOWNLOAD).doing("CreateJob")?;
    let job = created.job;
    if let Err(code) = job.add_file(Some(&arguments.url), Some(local)) {
        let _ = job.cancel();
        return Err(Failure::Failed(format!("cannot download {} to {local}: {}", arguments.url, told(code))));
    }
    // Every error is final: a person waits in front of this program, not a service for weeks.
    job.set_no_progress_timeout(0).doing("SetNoProgressTimeout")?;
    Ok(job)
}

fn transfer(emulator: &Emulator, job: &Arc<dyn Job>, interrupted: &AtomicBool) -> Result<(), Failure> {
    const LOOK: Duration = Duration::from_millis(100);
    let bar = Bar::new();
    loop {
        let over = || matches!(job.state(), Ok(JobState::TRANSFERRED | JobState::ERROR) | Err(_));
        let over = emulator.run_until(over, LOOK).map_err(|error| Failure::Failed(error.to_string()))?;
        if interrupted.load(Ordering::SeqCst) {
            return Err(Failure::Interrupted);
        }
        bar.show(job);
        if over {
            break;
        }
    }
    bar.finish();
    match job.state().doing("GetState")? {
        JobState::TRANSFERRED => job.complete().map(drop).map_err(|code| {
            Failure::Failed(format!("the file has arrived but cannot be given its name: {}", told(code)))
        }),
        _ => Err(job_error(job)),
    }
}

/// The job's error in a line.
fn job_error(job: &Arc<dyn Job>) -> Failure {
    let told = job.error().and_then(|error| {
        let (context, code) = error.error()?;
        let file = error.file().and_then(|file| file.remote_name()).unwrap_or_default();
        Ok(format!("{} ({context}) {file}", told(code)))
    });
    Failure::Failed(told.unwrap_or_else(|code| format!("the job failed, and its error is not to be had: {code}")))
}

/// A code with its name and text.
fn told(code: Hresult) -> String {
    match code.text() {
        Some(text) => format!("{code}: {text}"),
        None => code.to_string(),
    }
}

/// A progress bar on a terminal, nothing elsewhere.
struct Bar(Option<ProgressBar>);

impl Bar {
    fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let style = "{bar:40} {bytes:>10} of {total_bytes} {bytes_per_sec} {eta}";
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Self(Some(bar))
    }

    fn show(&self, job: &Arc<dyn Job>) {
        let (Some(bar), Ok(progress)) = (&self.0, job.progress()) else { return };
        if progress.bytes_total != SIZE_UNKNOWN {
            bar.set_length(progress.bytes_total);
        }
        bar.set_position(progress.bytes_transferred);
    }

    fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
