//! `bitsd get`: files as jobs, real time.

mod certs;
mod claim;
mod downloads;
mod jobs;
mod login;
mod proxy;
mod service;
mod settings;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bits_api::JobPriority;
use bits_service::{CommandLimits, Emulator, StartError};
use bits_world::clock::Clock;
use clap::ValueEnum;

use crate::{Doing, Failure};
use certs::CertArguments;
use downloads::{Download, Range};
use jobs::Jobs;
use login::LoginArguments;
use proxy::ProxyArguments;
use service::{Provider, Service};
use settings::Settings;
use watch::Watch;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to download, http:// or https://
    #[arg(required_unless_present = "input")]
    url: Option<String>,
    /// Where to; an existing file is replaced once the download is complete
    #[arg(required_unless_present = "input")]
    file: Option<PathBuf>,
    /// Parts of the file, one behind the other: 0-99,500-599,1000-
    #[arg(
        long,
        value_name = "FIRST-LAST",
        value_delimiter = ',',
        conflicts_with = "input",
        allow_negative_numbers = true
    )]
    ranges: Vec<Range>,
    /// Downloads what a list names, a URL and a FILE in each line; - is standard input
    #[arg(long, value_name = "LIST", conflicts_with_all = ["url", "file"])]
    input: Option<PathBuf>,
    /// Deals the list out to so many jobs; foreground jobs run all at once, a job's files one by one
    #[arg(long, value_name = "N", default_value = "1", conflicts_with_all = ["url", "file"], value_parser = number_of_jobs, allow_negative_numbers = true)]
    jobs: u32,
    /// How urgent the jobs are: all but foreground ask for ranges, as background jobs do
    #[arg(long, value_enum, default_value_t = Priority::Foreground)]
    priority: Priority,
    /// Whose BITS downloads
    ///
    /// With windows the queue is the one of the user, beside the jobs of other programs, and
    /// keeps itself; servers are believed, and proxies found, as Windows is set up to.
    #[arg(long, value_enum, default_value_t = Provider::Emulator, verbatim_doc_comment)]
    provider: Provider,
    /// Certificates to trust beside the machine's roots
    #[arg(long, value_name = "PEMFILE")]
    ca: Option<PathBuf>,
    /// Folder that keeps the queue and the certificate stores; without it, the queue is in memory
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Say on stderr why the download waits; on a terminal it is said anyway
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    login: LoginArguments,
    #[command(flatten)]
    proxy: ProxyArguments,
    #[command(flatten)]
    certs: CertArguments,
}

fn number_of_jobs(text: &str) -> Result<u32, &'static str> {
    text.parse().ok().filter(|number| *number > 0).ok_or("a number of jobs is wanted, 1 or more")
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

impl Arguments {
    /// Finds options of another provider.
    fn check_provider(&self) -> Result<(), Failure> {
        if self.provider == Provider::Emulator {
            return self.certs.check(self.state.as_deref());
        }
        let only_emulated = [
            (self.ca.is_some(), "--ca", "Windows trusts the authorities in its own ROOT stores"),
            (self.state.is_some(), "--state", "the queue and the stores of Windows keep themselves"),
            (self.login.has_kdc(), "--kdc", "Windows finds the KDCs of its realms"),
            (self.login.has_nexus(), "--passport-nexus", "Windows knows its own"),
            (self.certs.has_lists(), "--crl", "Windows gets its lists from the authorities"),
        ];
        match only_emulated.into_iter().find(|(is_given, ..)| *is_given) {
            Some((_, option, why)) => {
                Err(Failure::Usage(format!("{option} is for the emulator, not for --provider windows: {why}")))
            }
            None => Ok(()),
        }
    }

    fn downloads(&self) -> Result<Vec<Download>, Failure> {
        let downloads = match (&self.input, &self.url, &self.file) {
            (Some(list), ..) => downloads::list(list),
            (None, Some(url), Some(file)) => downloads::one(url, file, &self.ranges),
            // What is required is there.
            _ => Err(Failure::Failed("neither URL and FILE nor a list".into())),
        }?;
        if self.provider == Provider::Emulator {
            downloads.iter().try_for_each(Download::check_emulated)?;
        }
        Ok(downloads)
    }
}

/// What a person is told whom the end of a run keeps waiting.
const CANCELLING: &str = "waiting for BITS to cancel the download, which may take until it is through with the server; \
                          Ctrl-C ends this program at once, and leaves the job where it is";

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let interrupted = watch_for_interrupts()?;
    let watch = Watch { interrupted: &interrupted, explain: arguments.explain };
    let downloads = arguments.downloads()?;
    arguments.proxy.check()?;
    arguments.check_provider()?;
    let logins = arguments.login.logins(arguments.provider, arguments.state.is_some())?;
    let settings = Settings {
        provider: arguments.provider,
        priority: arguments.priority.into(),
        logins,
        proxy: &arguments.proxy,
        certs: &arguments.certs,
    };
    let service = match arguments.provider {
        Provider::Emulator => Service::Emulator(start(arguments)?),
        Provider::Windows => watch.waiting_for("waiting for the BITS service to answer", Service::of_windows)?,
    };
    let manager = service.manager()?;
    let shares = shares(&downloads, arguments.jobs);
    let mut jobs = Jobs::new(&service, &manager, &shares, &settings)?;
    let Err(failure) = jobs.download(watch) else {
        return service.let_programs_end();
    };
    // From now on Ctrl-C has nothing else to ask for than the end.
    interrupted.store(true, Ordering::SeqCst);
    let uncancelled = watch.waiting_for(CANCELLING, || jobs.cancel());
    Err(match service::left_behind(arguments.provider, &uncancelled) {
        None => failure,
        Some(left) => Failure::Failed(format!("{failure}; and {left}")),
    })
}

/// What each of `jobs` jobs downloads: equal shares, in the order of the list.
fn shares(downloads: &[Download], jobs: u32) -> Vec<&[Download]> {
    let jobs = usize::try_from(jobs).unwrap_or(usize::MAX).min(downloads.len());
    let mut shares = Vec::new();
    let mut rest = downloads;
    for left in (1..=jobs).rev() {
        let (share, others) = rest.split_at(rest.len().div_ceil(left));
        shares.push(share);
        rest = others;
    }
    shares
}

/// Notes Ctrl-C and requests to end. The second one ends the program at once: whatever the first
/// one waits for does not come.
fn watch_for_interrupts() -> Result<Arc<AtomicBool>, Failure> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    let note = move || {
        if flag.swap(true, Ordering::SeqCst) {
            crate::say_aside("ended without cleaning up");
            std::process::exit(Failure::INTERRUPTED.into());
        }
    };
    ctrlc::set_handler(note).doing("cannot listen for Ctrl-C")?;
    Ok(interrupted)
}

fn start(arguments: &Arguments) -> Result<Emulator, Failure> {
    let mut builder = Emulator::builder().clock(Clock::system()).before_logon().run_commands(CommandLimits::default());
    let mut changed = Ok(());
    builder = builder.world(|world| {
        let state = arguments.state.as_deref();
        changed = arguments.login.change(world).and_then(|()| arguments.certs.change(world, state));
    });
    changed?;
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
