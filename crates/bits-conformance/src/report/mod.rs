//! What a run looks like: to a person, to a program, to a build server.

mod human;
mod json;
mod junit;

use crate::coverage::Coverage;
use crate::runner::Report;

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

/// How to print coverage.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum CoverageFormat {
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
pub(crate) fn coverage(coverage: &Coverage, format: CoverageFormat) -> String {
    match format {
        CoverageFormat::Human => human::coverage(coverage),
        CoverageFormat::Json => json::coverage(coverage),
    }
}
