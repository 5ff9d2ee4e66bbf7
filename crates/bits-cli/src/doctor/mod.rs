//! `bitsd doctor`: what would BITS make of this server?
//!
//! The downloads of a foreground and of a background job are played to the server, by the rules by
//! which the emulator goes; then comes what only explains. Nothing is written to disk.

mod auth;
mod checks;
mod evidence;
mod json;
mod mend;
mod play;
mod report;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bits_service::redacted;
use bits_transfer::Inquirer;
use bits_wire::download::Target;
use bits_world::{Decisions, Profile};

use crate::{Doing, Failure, remote};
use checks::{Finding, Severity, examine};
use evidence::Evidence;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What a client would download, http:// or https://
    url: String,
    /// Certificates to trust beside the machine's roots
    #[arg(long, value_name = "PEMFILE")]
    ca: Option<PathBuf>,
    /// How long to wait for a connection, for an answer, and for what is read of a body
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = patience, allow_negative_numbers = true)]
    timeout: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Print every request and what came back, too
    #[arg(long)]
    requests: bool,
}

fn patience(text: &str) -> Result<u64, &'static str> {
    text.parse().ok().filter(|seconds| (1..=3600).contains(seconds)).ok_or("seconds are wanted, from 1 to 3600")
}

/// What was found, as both renderings need it.
struct Report {
    url: String,
    library: &'static str,
    evidence: Evidence,
    findings: Vec<Finding>,
}

impl Report {
    /// Whether every job would download the file, and all of it.
    fn is_content(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity < Severity::Failure)
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let shown = redacted(&arguments.url);
    let usage = |why| Failure::Usage(format!("cannot ask {shown}: {why}"));
    remote::accepted(&arguments.url).map_err(usage)?;
    if Target::parse(&arguments.url).is_err() {
        return Err(usage("only servers of HTTP and HTTPS can be asked".to_owned()));
    }
    let mut trusted = Vec::new();
    if let Some(ca) = &arguments.ca {
        let pem = std::fs::read(ca).doing(&format!("cannot read {}", ca.display()))?;
        trusted.push(String::from_utf8_lossy(&pem).into_owned());
    }
    let (decisions, library) = (Decisions::default(), Profile::default().library());
    let patience = Duration::from_secs(arguments.timeout);
    let mut inquirer = Inquirer::new(&decisions, &trusted, patience).map_err(|why| match &arguments.ca {
        Some(ca) => Failure::Failed(format!("cannot use {}: {why}", ca.display())),
        None => Failure::Failed(why),
    })?;
    let evidence = Evidence::gather(&mut inquirer, &arguments.url, library, &decisions);
    let findings = examine(&evidence);
    let report = Report { url: shown.into_owned(), library, evidence, findings };
    let text = if arguments.json { json::render(&report)? } else { report::render(&report, arguments.requests) };
    std::io::stdout().write_all(text.as_bytes()).doing("cannot print")?;
    Ok(if report.is_content() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
