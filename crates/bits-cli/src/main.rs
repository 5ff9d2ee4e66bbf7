//! `bitsd`: the emulator from the command line.

mod demo;
mod doctor;
mod get;
mod remote;

use std::io::Write;
use std::process::ExitCode;

use bits_api::Hresult;
use clap::{Parser, Subcommand};

/// A behavioural emulator of the Windows BITS job service
#[derive(Parser)]
// Lines are as they are written: another crate of the same build may switch on that clap breaks them.
#[command(name = "bitsd", version, term_width = 0)]
struct Arguments {
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
}

fn main() -> ExitCode {
    // Without being asked for, a log would only repeat the line that an error gets.
    if std::env::var_os("RUST_LOG").is_some() {
        tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_writer(std::io::stderr)
            .init();
    }
    let done = match Arguments::parse().command {
        Command::Demo => demo::run().map(|()| ExitCode::SUCCESS),
        Command::Get(arguments) => get::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Doctor(arguments) => doctor::run(&arguments),
    };
    match done {
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
