//! Conformance of a BITS: cases, providers, reports and clause coverage.
//!
//! `bits-conformance --help` tells how it is used, and the README under "Real BITS" how on a Windows machine.
//! Who reads the code begins with a file of [`cases`] and with the [`bench::Bench`] that a case works on;
//! [`provider`] says whose BITS that is, [`claims`] what an assertion notes, [`probes`] what is asked without a
//! verdict. [`plan`] carries out a run, [`report`] prints and compares it. Real BITS comes from
//! `bits_windows::connect`, whose crate has the notes on safety: nothing here is `unsafe`.
//!
//! Every assertion of a case names the clauses of `fixtures/spec/` that it shows. Coverage is
//! computed from the assertions that ran and held; nothing about it is kept by hand. The suite
//! must never know how a provider works inside: it sees what a client, the origin and the world
//! can see.

mod bench;
mod bounded;
mod case;
mod cases;
mod claims;
mod control;
mod coverage;
mod decisions;
mod expectations;
mod expected;
mod falsify;
mod ledger;
mod left_over;
mod machine;
mod notified;
mod passing_client;
mod place;
mod plan;
mod pool;
mod probes;
mod progress;
mod provider;
mod report;
mod runner;
mod source;
mod spec;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};

use bench::Limits;
use cases::MODULES;
use coverage::Coverage;
use expectations::Expectations;
use plan::Plan;
use progress::Progress;
use provider::{Capability, Kind, Provider};
use report::{Format, PlainFormat, ReportFile};

/// Conformance of a BITS to what is documented, clause by clause.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the cases, and say which facts hold.
    ///
    /// The report in JSON also tells what the probes have seen.
    ///
    /// Exits with 0 when nothing failed but what `--expect` lists, 1 when something did or stays behind on this
    /// machine, 2 for wrong usage, or when there is no such BITS here or one that transfers nothing.
    Run {
        /// Only cases with this in their name, or with a claim on a clause whose id is this or begins with it
        /// (`core:job.resume.empty`, `job.resume`).
        #[arg(long, value_name = "ID")]
        filter: Option<String>,
        /// How to print the result.
        #[arg(long, value_enum, default_value = "human")]
        format: Format,
        /// Also write the result in JSON, with what the probes have seen, into this file: anew whenever a module
        /// ends, and marked as incomplete until all have.
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
        /// Run each case again once for each of its claims, with that expectation falsified.
        #[arg(long)]
        sabotage: bool,
        /// What the provider is known to get wrong: those cases fail the run when they pass, the
        /// others when they fail.
        #[arg(long, value_name = "FILE")]
        expect: Option<PathBuf>,
        #[command(flatten)]
        provider: ProviderArguments,
    },
    /// Run the cases and count the clauses that they prove.
    ///
    /// Exits with 0, or with 1 when a case failed or a clause is proven that is listed as unproven.
    Coverage {
        /// List the portable clauses that are not proven.
        #[arg(long)]
        missing: bool,
        /// How to print the result.
        #[arg(long, value_enum, default_value = "human")]
        format: PlainFormat,
        #[command(flatten)]
        provider: ProviderArguments,
    },
    /// Tell what the backend does about each decision, without a verdict.
    ///
    /// Exits with 0, or with 1 when a step on the way failed or the emulator tells something else than what is on
    /// record.
    Probe {
        /// Only decisions whose id, or one of whose clauses, is this or begins with it.
        #[arg(long, value_name = "ID")]
        filter: Option<String>,
        /// How to print the result.
        #[arg(long, value_enum, default_value = "human")]
        format: PlainFormat,
        /// Write what the emulator tells into this file, instead of comparing it with what is on record.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["filter", "without", "elevated"])]
        record: Option<PathBuf>,
        #[command(flatten)]
        provider: ProviderArguments,
    },
    /// Compare two runs that were saved by `run --report`, clause by clause.
    ///
    /// Shown is what differs: clauses that hold in one run and fail in the other, cases that fail in one run before
    /// they come to a clause, decisions that are answered differently. What only one of the runs could show is no
    /// difference; it is counted.
    ///
    /// Exits with 0 when nothing differs, 1 when something does or a run did not come to its end, 2 when a file cannot
    /// be used.
    Compare {
        /// The report of a run.
        a: PathBuf,
        /// The report of another.
        b: PathBuf,
        /// Also show what only one run tells, and every decision; in JSON it is always there.
        #[arg(long)]
        all: bool,
        /// How to print the result.
        #[arg(long, value_enum, default_value = "human")]
        format: PlainFormat,
    },
}

#[derive(clap::Args)]
struct ProviderArguments {
    /// Which BITS to run the cases on.
    #[arg(long, value_enum, default_value = "emulator")]
    provider: Kind,
    /// The longest time in seconds that a case may wait where time cannot be moved.
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds, allow_negative_numbers = true)]
    max_wait: Duration,
    /// Let the emulator's main client be an elevated administrator, as where the suite is run so on Windows.
    #[arg(long)]
    elevated: bool,
    /// Skip what needs this capability, as a provider without it would.
    #[arg(long, value_enum, value_name = "CAPABILITY")]
    without: Vec<Capability>,
}

impl ProviderArguments {
    fn limits(self) -> Result<Limits, String> {
        let progress = Progress::on_stderr();
        let provider = self.open(&progress).inspect_err(|_| progress.ends())?;
        Ok(Limits { max_wait: self.max_wait, progress, without: self.without, ..Limits::of(Arc::new(provider)) })
    }

    fn open(&self, progress: &Progress) -> Result<Provider, String> {
        if self.provider == Kind::Windows {
            // A service that has to be started, or that hangs, takes its time.
            progress.shows("connecting to BITS".to_owned());
        }
        let teller = progress.clone();
        let provider = Provider::open(self.provider, move |left| teller.tells(&format!("bits-conformance: {left}")))?;
        if self.elevated { provider.elevated() } else { Ok(provider) }
    }
}

fn seconds(text: &str) -> Result<Duration, &'static str> {
    text.parse().map(Duration::from_secs).map_err(|_| "a whole number of seconds is wanted, such as 120")
}

/// Wrong usage.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    if let Some(code) = notified::run(std::env::args_os()) {
        return code;
    }
    if let Some(code) = passing_client::run(std::env::args_os()) {
        std::process::exit(code);
    }
    match execute(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bits-conformance: {error}");
            ExitCode::from(USAGE)
        }
    }
}

fn execute(command: Command) -> Result<ExitCode, String> {
    case::check(MODULES)?;
    match command {
        Command::Run { filter, format, report: file, sabotage, expect, provider } => {
            let entries = case::choose(MODULES, filter.as_deref())?;
            let all = case::choose(MODULES, None)?;
            let expected = expect.map(|path| Expectations::read(&path, &all)).transpose()?;
            // No other format tells what they have seen.
            let is_told = file.is_some() || matches!(format, Format::Json);
            let asked = if is_told { probes::run::choose(filter.as_deref()) } else { Vec::new() };
            let (limits, file) = (provider.limits()?, file.map(ReportFile::at));
            let plan = Plan { limits: &limits, sabotage, expected: expected.as_ref(), file: file.as_ref() };
            let report = carried_out(&plan, &entries, &asked)?;
            let written = file.map_or(Ok(()), |file| file.write_last(&report));
            let code = ended(&report, &report::run(&report, format));
            written.map(|()| code)
        }
        Command::Coverage { missing, format, provider } => {
            let entries = case::choose(MODULES, None)?;
            let limits = provider.limits()?;
            let plan = Plan { limits: &limits, sabotage: false, expected: None, file: None };
            let report = carried_out(&plan, &entries, &[])?;
            for (case, why) in report.failures() {
                eprintln!("FAILED {}\n    {why}", case.entry.name());
            }
            let coverage = Coverage::of(&report, missing);
            let code = ended(&report, &report::coverage(&coverage, format));
            Ok(if coverage.stale.is_empty() { code } else { ExitCode::FAILURE })
        }
        Command::Compare { a, b, all, format } => {
            let (text, differs) = report::compare(&a, &b, format, all)?;
            say(&text);
            Ok(if differs { ExitCode::FAILURE } else { ExitCode::SUCCESS })
        }
        Command::Probe { filter, format, record, provider } => {
            probe(filter.as_deref(), format, record.as_deref(), &provider.limits()?)
        }
    }
}

fn probe(
    filter: Option<&str>,
    format: PlainFormat,
    record: Option<&Path>,
    limits: &Limits,
) -> Result<ExitCode, String> {
    let decisions = probes::run::choose(filter);
    if decisions.is_empty() {
        return Err(format!("no decision has the id {}, or answers a clause of it", filter.unwrap_or_default()));
    }
    // The record is the emulator's. What real BITS does is nobody's mistake; that a step did not work is.
    let is_on_record = limits.provider.kind == Kind::Emulator;
    if record.is_some() && !is_on_record {
        return Err("what is on record is what the emulator tells".to_owned());
    }
    limits.progress.expects(probes::run::count(&decisions));
    let (observations, left) = performed(limits, || probes::run::run(&decisions, limits))?;
    if let Some(file) = record {
        let written = std::fs::write(file, probes::record::write(&observations)?);
        written.map_err(|error| format!("{}: {error}", file.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    say(&report::probes(&observations, format));
    if !is_on_record {
        let has_failed = observations.iter().any(|one| one.failure().is_some());
        return Ok(if has_failed || !left.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    // Some things no administrator can ask.
    let is_less = !limits.without.is_empty() || limits.provider.is_elevated();
    let differences = probes::record::compare(&observations, filter.is_none(), is_less)?;
    eprint!("{}", report::differences(&differences));
    Ok(if differences.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Carries out a plan to its end.
fn carried_out(
    plan: &Plan<'_>,
    entries: &[case::Entry],
    asked: &[&'static decisions::Decision],
) -> Result<runner::Report, String> {
    let (mut report, left) = performed(plan.limits, || plan.carry_out(entries, asked))?;
    report.finish(left);
    Ok(report)
}

/// Does what runs cases on a machine that has passed the control, and clears up; tells also what stays behind
/// nevertheless.
fn performed<T>(limits: &Limits, work: impl FnOnce() -> Result<T, String>) -> Result<(T, Vec<String>), String> {
    let result = quietly(|| control::pass(limits).and_then(|()| work()));
    limits.progress.ends();
    let left = limits.provider.clear();
    result.map(|done| (done, left))
}

fn say(text: &str) {
    // Whoever reads may have had enough: the exit code tells the rest.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Prints what came of a run.
fn ended(report: &runner::Report, text: &str) -> ExitCode {
    say(text);
    if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A case that panics is reported with its message: the default hook would say it twice.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some(pool::THREAD) {
            hook(panic);
        }
    }));
    let result = work();
    drop(std::panic::take_hook());
    result
}
