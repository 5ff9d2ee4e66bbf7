//! What a run looks like: to a person, to a program, to a build server.

mod compared;
mod comparison;
mod decided;
mod ended;
mod file;
mod human;
mod json;
mod junit;
mod probes;
mod saved;

use std::path::Path;

use crate::coverage::Coverage;
use crate::probes::record::Difference;
use crate::probes::run::Observation;
use crate::runner::Report;
use comparison::Comparison;
pub(crate) use file::ReportFile;

/// How to print a run.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table for a person.
    Human,
    /// One JSON object.
    Json,
    /// JUnit's XML.
    Junit,
}

/// How to print what no build server reads.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum PlainFormat {
    /// A table for a person.
    Human,
    /// One JSON object.
    Json,
}

/// The whole text of a run.
pub(crate) fn run(report: &Report, format: Format) -> String {
    match format {
        Format::Human => human::run(report),
        Format::Json => json::run(report),
        Format::Junit => junit::run(report),
    }
}

/// The whole text of a coverage.
pub(crate) fn coverage(coverage: &Coverage, format: PlainFormat) -> String {
    match format {
        PlainFormat::Human => human::coverage(coverage),
        PlainFormat::Json => json::coverage(coverage),
    }
}

/// Compares the saved reports of two runs: the text, and whether they differ. `all` shows a person what
/// is no difference, too.
///
/// # Errors
/// In one line, what is wrong with which file.
pub(crate) fn compare(a: &Path, b: &Path, format: PlainFormat, all: bool) -> Result<(String, bool), String> {
    let comparison = Comparison::of(saved::load(a)?, saved::load(b)?);
    let text = match format {
        PlainFormat::Human => compared::human(&comparison, all),
        PlainFormat::Json => json::comparison(&comparison),
    };
    Ok((text, comparison.differs()))
}

/// The whole text of what probes have seen.
pub(crate) fn probes(observations: &[Observation], format: PlainFormat) -> String {
    match format {
        PlainFormat::Human => probes::human(observations),
        PlainFormat::Json => json::pretty(&probes::json(observations)),
    }
}

/// Where probes tell something else than what is on record, for a person.
pub(crate) fn differences(differences: &[Difference]) -> String {
    let words = |told: &Option<String>| told.clone().unwrap_or_else(|| "nothing".to_owned());
    let line = |one: &Difference| {
        format!("DIFFERS {}\n    on record {}\n    now       {}\n", one.id, words(&one.recorded), words(&one.now))
    };
    differences.iter().map(line).collect()
}
