//! `bitsd`: the emulator from the command line.

mod demo;
mod get;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A behavioural emulator of the Windows BITS job service.
#[derive(Parser)]
#[command(name = "bitsd", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Shows the emulator at work: jobs over HTTP and HTTPS from a server in this process
    Demo,
    /// Downloads one file as a BITS job
    Get(get::Arguments),
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let done = match Arguments::parse().command {
        Command::Demo => demo::run(),
        Command::Get(arguments) => get::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bitsd: {failure}");
            failure.exit_code()
        }
    }
}

/// Why a command failed: one line for a person.
#[derive(Debug)]
enum Failure {
    /// What went wrong.
    Failed(String),
    /// The user pressed Ctrl-C.
    Interrupted,
}

impl Failure {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::FAILURE,
            Self::Interrupted => ExitCode::from(130),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed(line) => f.write_str(line),
            Self::Interrupted => f.write_str("interrupted; the job was cancelled"),
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
