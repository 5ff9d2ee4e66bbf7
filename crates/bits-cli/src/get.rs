//! `bitsd get`: one file, one job, real time.

use std::io::{IsTerminal, Write};
use std::mem::{Discriminant, discriminant};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bits_api::{EnumJobsFlags, Hresult, Job, JobPriority, JobProgress, JobState, JobType, Manager, SIZE_UNKNOWN};
use bits_service::{CommandLimits, Emulator, Reason, StartError, What, redacted};
use bits_world::clock::Clock;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{Doing, Failure};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to download, http:// or https://
    url: String,
    /// Where to; an existing file is replaced once the download is complete
    file: PathBuf,
    /// How urgent the job is: all but foreground ask for ranges, as background jobs do
    #[arg(long, value_enum, default_value_t = Priority::Foreground)]
    priority: Priority,
    /// Certificates to trust beside the machine's roots
    #[arg(long, value_name = "PEMFILE")]
    ca: Option<PathBuf>,
    /// Folder that keeps the queue; without it, the queue is in memory
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Say on stderr why the download waits; on a terminal it is said anyway
    #[arg(long)]
    explain: bool,
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
    let interrupted = watch_for_interrupts()?;
    let names = Names { url: &arguments.url, local: &full_path(&arguments.file)? };
    let emulator = start(arguments)?;
    let client = emulator.client("bitsd");
    let manager = client.manager().doing("cannot connect")?;
    let job = match take_up(&manager, names).doing("cannot read the queue")? {
        Some(job) => job,
        None => manager.create_job(Some("bitsd get"), JobType::DOWNLOAD).map_err(|code| names.failed(told(code)))?.job,
    };
    let watch = Watch { interrupted: &interrupted, explain: arguments.explain };
    let Err(failure) = download(&emulator, &job, names, arguments.priority.into(), watch) else {
        return let_programs_end(&emulator);
    };
    Err(match job.cancel() {
        // Of a service that has gone the failure tells already.
        Ok(_) | Err(Hresult::RPC_S_SERVER_UNAVAILABLE) => failure,
        Err(code) => Failure::Failed(format!("{failure}; and the job cannot be cancelled: {}", told(code))),
    })
}

/// What is downloaded, and where to.
#[derive(Clone, Copy)]
struct Names<'a> {
    url: &'a str,
    local: &'a str,
}

impl Names<'_> {
    fn failed(self, why: impl std::fmt::Display) -> Failure {
        Failure::Failed(format!("cannot download {} to {}: {why}", redacted(self.url), self.local))
    }

    /// Says of names that BITS refuses what the code alone does not.
    fn refused(self, code: Hresult) -> Failure {
        let scheme = self.url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        let why = match code {
            Hresult::E_INVALIDARG if !matches!(scheme.as_deref(), Some("http" | "https")) => {
                " (the URL has to begin with http:// or https://)"
            }
            Hresult::E_INVALIDARG if Path::new(self.local).is_dir() => " (FILE is a folder)",
            Hresult::E_INVALIDARG if std::fs::metadata(self.local).is_ok_and(|found| !found.is_file()) => {
                " (FILE is there and is not a regular file)"
            }
            Hresult::E_INVALIDARG => " (BITS takes no such URL, or no such file name)",
            Hresult::ERROR_DIRECTORY => " (FILE is to be in a folder that is not there)",
            _ => "",
        };
        self.failed(format!("{}{why}", told(code)))
    }
}

/// Notes Ctrl-C and requests to end. The second one ends the program at once: whatever the first
/// one waits for does not come.
fn watch_for_interrupts() -> Result<Arc<AtomicBool>, Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    let note = move || {
        if flag.swap(true, Ordering::SeqCst) {
            std::process::exit(Failure::INTERRUPTED.into());
        }
    };
    ctrlc::set_handler(note).doing("cannot listen for Ctrl-C")?;
    Ok(interrupted)
}

/// FILE as a full path without `..`, which BITS does not take.
fn full_path(file: &Path) -> Result<String, Failure> {
    let mut path = std::path::absolute(file).doing("FILE is no path")?;
    if path.components().any(|part| part == Component::ParentDir)
        && let (Some(folder), Some(name)) = (path.parent(), path.file_name())
    {
        let folder = folder.canonicalize().map_err(|error| {
            let code = told(Hresult::ERROR_DIRECTORY);
            Failure::Failed(format!("cannot download to {}: {code} ({error})", path.display()))
        })?;
        path = folder.join(name);
    }
    path.into_os_string()
        .into_string()
        .map_err(|path| Failure::Failed(format!("FILE is not Unicode: {}", Path::new(&path).display())))
}

fn start(arguments: &Arguments) -> Result<Emulator, Failure> {
    let mut builder = Emulator::builder().clock(Clock::system()).run_commands(CommandLimits::default());
    if let Some(ca) = &arguments.ca {
        let pem = std::fs::read(ca).doing(&format!("cannot read {}", ca.display()))?;
        builder = builder.trust(String::from_utf8_lossy(&pem));
    }
    if let Some(state) = &arguments.state {
        builder = builder.state_folder(state);
    }
    builder.start().map_err(|error| match (error, &arguments.ca) {
        (StartError::Trust(what), Some(ca)) => Failure::Failed(format!("cannot use {}: {what}", ca.display())),
        (error, _) => Failure::Failed(error.to_string()),
    })
}

/// Lets the notification programs of jobs in the state folder come to their end, which is not far:
/// they would be killed with the service.
fn let_programs_end(emulator: &Emulator) -> Result<(), Failure> {
    let commands = emulator.commands();
    emulator.run_until(|| commands.running() == 0, CommandLimits::default().time).doing("cannot wait")?;
    Ok(())
}

/// The job that an earlier run has left for this download. What it has left of others stands
/// still while this program runs, until a run names them.
fn take_up(manager: &Arc<dyn Manager>, names: Names<'_>) -> Result<Option<Arc<dyn Job>>, Hresult> {
    let mut found = None;
    let jobs = manager.enum_jobs(EnumJobsFlags::empty())?;
    for job in jobs.next(jobs.count()?)?.items {
        if found.is_none() && is_for(&job, names)? {
            found = Some(job);
        } else if is_active(job.state()?) {
            job.suspend()?;
        }
    }
    Ok(found)
}

fn is_for(job: &Arc<dyn Job>, names: Names<'_>) -> Result<bool, Hresult> {
    match job.enum_files()?.next(1)?.items.as_slice() {
        [file] => Ok(file.remote_name()? == names.url && file.local_name()? == names.local),
        _ => Ok(false),
    }
}

fn is_active(state: JobState) -> bool {
    matches!(state, JobState::QUEUED | JobState::CONNECTING | JobState::TRANSFERRING | JobState::TRANSIENT_ERROR)
}

/// Leads a new job, or one that is taken up, to its end.
fn download(
    emulator: &Emulator,
    job: &Arc<dyn Job>,
    names: Names<'_>,
    priority: JobPriority,
    watch: Watch<'_>,
) -> Result<(), Failure> {
    let failed = |code| names.failed(why_unavailable(emulator, code).unwrap_or_else(|| told(code)));
    if job.enum_files().and_then(|files| files.count()).map_err(failed)? == 0 {
        job.add_file(Some(names.url), Some(names.local)).map_err(|code| names.refused(code))?;
    }
    job.set_priority(priority).map_err(failed)?;
    // Every error is final: a person waits in front of this program, not a service for weeks.
    job.set_no_progress_timeout(0).map_err(failed)?;
    job.resume().map_err(failed)?;
    wait(emulator, job, watch)?;
    if job.state().map_err(failed)? != JobState::TRANSFERRED {
        let (context, code) = job.error().and_then(|error| error.error()).map_err(failed)?;
        return Err(names.failed(format!("{} ({context})", told(code))));
    }
    match job.complete() {
        Ok(_) => Ok(()),
        Err(code) => Err(names.failed(format!("the file has arrived but cannot be given its name: {}", told(code)))),
    }
}

/// How a person looks on.
#[derive(Clone, Copy)]
struct Watch<'a> {
    /// Whether that person has had enough.
    interrupted: &'a AtomicBool,
    explain: bool,
}

/// Waits until the job has come to an end, good or bad.
fn wait(emulator: &Emulator, job: &Arc<dyn Job>, watch: Watch<'_>) -> Result<(), Failure> {
    const LOOK: Duration = Duration::from_millis(100);
    let bar = Bar::new();
    let mut idle = Idle::default();
    let is_over = || matches!(job.state(), Ok(JobState::TRANSFERRED | JobState::ERROR) | Err(_));
    loop {
        let over = emulator.run_until(is_over, LOOK).doing("cannot wait")?;
        if watch.interrupted.load(Ordering::SeqCst) {
            return Err(Failure::Interrupted);
        }
        if over {
            return Ok(());
        }
        bar.show(job);
        if let Some(why) = idle.look(emulator, job) {
            bar.say(&why, watch.explain);
        }
    }
}

/// Notices a job that waits: one that has not moved between two looks.
#[derive(Default)]
struct Idle {
    seen: Option<JobProgress>,
    told: Option<Discriminant<Reason>>,
}

impl Idle {
    /// Why the job waits, told once as long as the reason is the same.
    fn look(&mut self, emulator: &Emulator, job: &Arc<dyn Job>) -> Option<String> {
        let progress = job.progress().ok();
        if self.seen != progress {
            (self.seen, self.told) = (progress, None);
            return None;
        }
        let why = emulator.explain(job.id().ok()?);
        let kind = discriminant(&why.reason);
        (self.told.replace(kind) != Some(kind)).then(|| why.to_string())
    }
}

/// Why the service has gone, if `code` says that it has: the last that it told.
fn why_unavailable(emulator: &Emulator, code: Hresult) -> Option<String> {
    let told_last = emulator.timeline().entries().into_iter().rev().find_map(|entry| match entry.what {
        What::Service(text) => Some(text),
        _ => None,
    });
    told_last.filter(|_| code == Hresult::RPC_S_SERVER_UNAVAILABLE).map(|text| format!("{}: {text}", told(code)))
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
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {bytes:>10} of {total_bytes} {bytes_per_sec} {eta}")
        {
            bar.set_style(style);
        }
        Self(Some(bar))
    }

    /// Tells a person why nothing moves, `elsewhere` too.
    fn say(&self, why: &str, elsewhere: bool) {
        match &self.0 {
            Some(bar) => bar.println(why),
            None if !elsewhere => {}
            // Whoever has closed stderr does not want to know.
            None => _ = writeln!(std::io::stderr(), "bitsd: {}", crate::one_line(why)),
        }
    }

    fn show(&self, job: &Arc<dyn Job>) {
        let (Some(bar), Ok(progress)) = (&self.0, job.progress()) else { return };
        if progress.bytes_total != SIZE_UNKNOWN {
            bar.set_length(progress.bytes_total);
        }
        bar.set_position(progress.bytes_transferred);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
