//! The queue on record as plain data: what a store must give back.

use std::collections::BTreeMap;

use bits_engine::{Change, FileRecord, JobKey, JobRecord, Saved};

/// Every job on record, with its files.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shadow(BTreeMap<JobKey, (JobRecord, Vec<FileRecord>)>);

impl Shadow {
    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::Job(job) => match self.0.get_mut(&job.key) {
                Some((known, _)) => known.clone_from(job),
                None => _ = self.0.insert(job.key, ((**job).clone(), Vec::new())),
            },
            Change::File(file) => {
                let (_, files) = self.0.get_mut(&file.job).expect("a file goes on record after its job");
                let place = file.index.0 as usize;
                assert!(place <= files.len(), "files go on record in their order: {file:?}");
                if place == files.len() {
                    files.push((**file).clone());
                } else {
                    files[place].clone_from(file);
                }
            }
            Change::Remove(job) => {
                assert!(self.0.remove(job).is_some(), "{job:?} leaves the record once");
            }
            Change::Cached(_) | Change::Uncached(_) | Change::CachePreferences(_) => {
                unreachable!("the profile has no peer cache")
            }
        }
    }

    pub(crate) fn job(&self, key: JobKey) -> Option<&JobRecord> {
        self.0.get(&key).map(|(job, _)| job)
    }

    pub(crate) fn files(&self, key: JobKey) -> &[FileRecord] {
        self.0.get(&key).map_or(&[], |(_, files)| files)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = JobKey> {
        self.0.keys().copied()
    }

    /// The same without the secrets of these jobs.
    pub(crate) fn without_secrets_of(&self, jobs: &[JobKey]) -> Self {
        let mut shadow = self.clone();
        shadow.0.iter_mut().filter(|(key, _)| jobs.contains(key)).for_each(|(_, (job, _))| job.secrets = None);
        shadow
    }

    pub(crate) fn saved(&self) -> Vec<Saved> {
        self.0
            .values()
            .map(|(job, files)| Saved { job: job.clone(), files: files.clone(), lost_secrets: false })
            .collect()
    }
}

impl FromIterator<Saved> for Shadow {
    fn from_iter<I: IntoIterator<Item = Saved>>(saved: I) -> Self {
        Self(saved.into_iter().map(|Saved { job, files, .. }| (job.key, (job, files))).collect())
    }
}
