//! What is left in the queue, for whoever cleans up.

use std::path::PathBuf;

use bits_api::{Guid, JobState};
use bits_world::Sid;

use crate::Engine;
use crate::jobs::Shelf;

/// A job that was neither completed nor cancelled.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeftJob {
    /// Its identifier.
    pub id: Guid,
    /// Its display name.
    pub name: String,
    /// Its owner.
    pub owner: Sid,
    /// Its state.
    pub state: JobState,
}

impl Engine {
    /// Every job that was neither completed nor cancelled, in the order of their creation.
    pub fn left_jobs(&self) -> Vec<LeftJob> {
        let mut keys: Vec<_> = Shelf::LISTED.iter().flat_map(|shelf| self.jobs.on_shelf(*shelf, None)).collect();
        keys.sort_unstable();
        let jobs = keys.into_iter().map(|key| &self.jobs[key]);
        jobs.map(|job| LeftJob {
            id: job.id,
            name: job.display_name.to_string(),
            owner: self.jobs.users.get(job.owner).sid.clone(),
            state: job.shown(),
        })
        .collect()
    }

    /// The paths that the temporary files of the queue have, whether they are there or not.
    pub fn temporary_files(&self) -> Vec<PathBuf> {
        self.temporaries.iter().map(|temporary| temporary.0.path().to_owned()).collect()
    }
}
