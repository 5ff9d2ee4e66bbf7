//! What a run does, in which order, and what is written down of it on the way.

use std::time::Instant;

use crate::bench::Limits;
use crate::case::Entry;
use crate::decisions::Decision;
use crate::expectations::Expectations;
use crate::probes;
use crate::report::ReportFile;
use crate::runner::{self, Report};

/// A run that is to be made.
pub(crate) struct Plan<'a> {
    pub(crate) limits: &'a Limits,
    /// Whether each case is run again once for each of its claims, with that expectation falsified.
    pub(crate) sabotage: bool,
    pub(crate) expected: Option<&'a Expectations>,
    /// Where the report goes as modules end.
    pub(crate) file: Option<&'a ReportFile>,
}

impl Plan<'_> {
    /// Runs `entries`, then asks about `decisions`. The report is not complete yet: jobs may be left.
    ///
    /// # Errors
    /// Those of the runner, and of writing the report before anything is run.
    pub(crate) fn carry_out(&self, entries: &[Entry], decisions: &[&'static Decision]) -> Result<Report, String> {
        let began = Instant::now();
        let mut report = Report { about: self.limits.provider.about(), ..Report::default() };
        // What cannot be written is told before anything is run.
        report.took = began.elapsed();
        self.file.map_or(Ok(()), |file| file.write(&report))?;
        self.limits.progress.expects(entries.len() + probes::run::count(decisions));
        // Modules can run at once where nobody wants to know which have ended.
        for module in entries.chunk_by(|a, b| self.file.is_none() || a.module.name == b.module.name) {
            let mut cases = runner::run(module, self.limits)?;
            if let Some(expected) = self.expected {
                expected.judge(&mut cases);
            }
            report.cases.append(&mut cases);
            self.note(&mut report, began);
        }
        if let Some(expected) = self.expected {
            expected.judge_texts(&mut report.cases);
        }
        if self.sabotage {
            report.sabotage = Some(runner::falsify(&report.cases, self.limits)?);
        }
        for asked in decisions.chunk_by(|a, b| self.file.is_none() || topic(a) == topic(b)) {
            report.probes.extend(probes::run::run(asked, self.limits)?);
            self.note(&mut report, began);
        }
        report.took = began.elapsed();
        Ok(report)
    }

    /// Writes down how far the run has come. Where that cannot be done, it can be when the next module ends.
    fn note(&self, report: &mut Report, began: Instant) {
        report.took = began.elapsed();
        if let Some(Err(error)) = self.file.map(|file| file.write(report)) {
            eprintln!("bits-conformance: the report is not up to date: {error}");
        }
    }
}

/// What a decision is about, as its id begins.
fn topic(decision: &Decision) -> Option<&str> {
    decision.id().split('.').next()
}
