//! `bitsd`: the emulator from the command line.

mod cert;
mod demo;
mod doctor;
mod get;
mod password;
mod remote;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

use bits_api::Hresult;
use clap::{Parser, Subcommand};

/// A behavioural emulator of the Windows BITS job service
#[derive(Parser)]
// Lines are as they are written: another crate of the same build may switch on that clap breaks them.
#[command(name = "bitsd", version, term_width = 0)]
struct Arguments {
    /// Folder that keeps the queue and the certificate stores, for `get` and `cert`
    #[arg(long = "state", value_name = "DIR")]
    state_before: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Shows the emulator at work: jobs over HTTP and HTTPS from a server in this process
    ///
    /// Needs no network. The clock is virtual: ten minutes until a retry take no time.
    /// Exits with 1 if anything is not as it should be.
    #[command(verbatim_doc_comment)]
    Demo,
    /// Downloads files as BITS jobs
    ///
    /// FILE appears when it is complete; until then, what has arrived is in a file
    /// BITxxxx.tmp beside it. The first error ends the download: nothing is tried again,
    /// and no file is left behind. Ctrl-C cancels the job; pressed once more, it ends the
    /// program without cleaning up.
    ///
    /// With --input there are many files: one job fetches them one by one and completes
    /// them together, --jobs deals them out in equal shares. What an error or Ctrl-C finds
    /// complete stays.
    ///
    /// With --state a run that was killed is taken up by the next one with the same DIR
    /// and the same URL, FILE and ranges, or the same list and --jobs: it fetches only what
    /// is missing. Other downloads in DIR wait meanwhile, until a run names them. One
    /// program at a time can use DIR. Notification programs that jobs in DIR have are
    /// really run, for a minute at most.
    ///
    /// Exits with 0 when every file is complete, 1 on an error (one line tells which), 2
    /// for wrong usage, such as a URL that BITS never takes, 130 when interrupted.
    #[command(
        verbatim_doc_comment,
        override_usage = "bitsd get [OPTIONS] <URL> <FILE>\n       bitsd get [OPTIONS] --input <LIST>"
    )]
    Get(Box<get::Arguments>),
    /// Says what BITS would make of a server: the requests of a download, judged
    ///
    /// The requests of a foreground and of a background job are made, and those after a
    /// break, with little of each body; then some that explain. Each finding has the
    /// HRESULT that a client would see, and how to mend the server. Nothing is written.
    ///
    /// Exits with 0 when all of these would succeed, 1 when not, 2 for wrong usage, such
    /// as a URL that BITS never takes.
    #[command(verbatim_doc_comment)]
    Doctor(doctor::Arguments),
    /// Keeps the certificate stores of a state folder, for `get --cert`
    ///
    /// A store is LOCATION/STORE, as in CURRENT_USER/MY: CA, MY, ROOT and SPC are the stores
    /// of the system, and any other name may be a store of yours. With SERVICES and USERS the
    /// name begins with the service or user, as in SERVICES/BITS\MY. Servers are believed
    /// that an authority in ROOT vouches for.
    ///
    /// The stores are folders of files, DIR/certificates/CURRENT_USER/MY/...pem; those that
    /// are written here may be read by their owner alone.
    #[command(verbatim_doc_comment)]
    Cert(cert::Arguments),
}

impl Command {
    /// Takes a `--state` that stands before the command.
    fn with_state(&mut self, before: Option<PathBuf>) -> Result<(), Failure> {
        let Some(before) = before else { return Ok(()) };
        let own = match self {
            Self::Get(arguments) => &mut arguments.state,
            Self::Cert(arguments) => &mut arguments.state,
            Self::Demo | Self::Doctor(_) => return Err(Failure::Usage("--state is for get and cert alone".into())),
        };
        match own.replace(before) {
            Some(_) => Err(Failure::Usage("--state is there twice".into())),
            None => Ok(()),
        }
    }

    fn run(&self) -> Result<ExitCode, Failure> {
        match self {
            Self::Demo => demo::run().map(|()| ExitCode::SUCCESS),
            Self::Get(arguments) => get::run(arguments).map(|()| ExitCode::SUCCESS),
            Self::Doctor(arguments) => doctor::run(arguments),
            Self::Cert(arguments) => cert::run(arguments).map(|()| ExitCode::SUCCESS),
        }
    }
}

fn main() -> ExitCode {
    // Without being asked for, a log would only repeat the line that an error gets.
    if std::env::var_os("RUST_LOG").is_some() {
        tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_writer(std::io::stderr)
            .init();
    }
    let Arguments { state_before, mut command } = Arguments::parse();
    match command.with_state(state_before).and_then(|()| command.run()) {
        Ok(code) => code,
        Err(failure) => {
            say_aside(&failure.to_string());
            failure.exit_code()
        }
    }
}

/// Prints a line on stderr; whoever has closed it does not want to know.
fn say_aside(line: &str) {
    let _ = writeln!(std::io::stderr(), "bitsd: {}", one_line(line));
}

/// Names come from outside and may hold anything.
fn one_line(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// A moment, in seconds since 1970; what is beyond the year 9999 is its end.
fn date(seconds: u64) -> String {
    const LAST: u64 = 253_402_300_799;
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds.min(LAST)))
}

/// A code with its name and text.
fn told(code: Hresult) -> String {
    match code.text() {
        Some(text) => format!("{code}: {text}"),
        None => code.to_string(),
    }
}

/// Why a command failed: one line for a person.
#[derive(Debug)]
enum Failure {
    /// What went wrong.
    Failed(String),
    /// An argument, or a list that it names, is wrong wherever and whenever it is given.
    Usage(String),
    /// The user pressed Ctrl-C.
    Interrupted,
}

impl Failure {
    /// The exit code of an interrupted program, as shells have it: 128 + SIGINT.
    const INTERRUPTED: u8 = 130;
    /// The exit code for wrong usage, which clap has too.
    const USAGE: u8 = 2;

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::FAILURE,
            Self::Usage(_) => ExitCode::from(Self::USAGE),
            Self::Interrupted => ExitCode::from(Self::INTERRUPTED),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(line) | Self::Usage(line) => f.write_str(line),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

/// Puts what was being done in front of an error.
trait Doing<T> {
    fn doing(self, what: &str) -> Result<T, Failure>;
}

impl<T, E: std::fmt::Display> Doing<T> for Result<T, E> {
    fn doing(self, what: &str) -> Result<T, Failure> {
        self.map_err(|error| Failure::Failed(format!("{what}: {error}")))
    }
}
