//! Parts of files: what is asked for, and what was moved of them.

use std::sync::Arc;

use bits_api::{FileRange, Job, JobPropertyId, JobPropertyValue};
use bits_service::SimServer;

use super::{Bench, Outside, Remote};
use crate::claims::{Outcome, Stop};

/// Ranges by their first byte and their length.
pub(crate) fn ranges(ranges: &[(u64, u64)]) -> Vec<FileRange> {
    ranges
        .iter()
        .map(|(initial_offset, length)| FileRange { initial_offset: *initial_offset, length: *length })
        .collect()
}

/// The first byte and the length of each range.
pub(crate) fn pairs(ranges: &[FileRange]) -> Vec<(u64, u64)> {
    ranges.iter().map(|range| (range.initial_offset, range.length)).collect()
}

impl Remote {
    /// Adds parts of the file to a job.
    pub(crate) fn add_parts_to(&self, job: &Arc<dyn Job>, parts: &[(u64, u64)]) -> Outcome {
        job.job3()?.add_file_with_ranges(Some(&self.url), Some(&self.local), &ranges(parts))?;
        Ok(())
    }
}

impl Bench {
    /// Lets the file be served by a server that can do no more than this.
    pub(crate) fn serve_by(&self, file: &Remote, server: SimServer) -> Outcome {
        match &self.outside {
            Outside::Simulated(simulation) => {
                simulation.serve_by(&file.url, server);
                Ok(())
            }
            Outside::Real(real) => real.serve_by(file, server),
        }
    }

    /// What was moved of the file so far, in the order in which it was.
    pub(crate) fn fetched(&self, file: &Remote) -> Result<Vec<(u64, u64)>, Stop> {
        match &self.outside {
            Outside::Simulated(simulation) => Ok(pairs(&simulation.fetched(&file.url))),
            Outside::Real(real) => real.fetched(file),
        }
    }

    /// A new download job with that property on.
    pub(crate) fn job_with(&self, property: JobPropertyId) -> Result<Arc<dyn Job>, Stop> {
        let job = self.new_job()?;
        job.job5()?.set_property(property, JobPropertyValue::Enable(true))?;
        Ok(job)
    }
}
