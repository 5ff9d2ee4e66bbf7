//! A queue that lives as long as its store.

use std::collections::BTreeMap;

use bits_api::Guid;
use bits_engine::{CachePreferences, CacheRecord, Change, FileIndex, FileRecord, JobKey, JobRecord, Saved, SavedCache};

use crate::StoreError;

/// The records, by key.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    jobs: BTreeMap<JobKey, JobRecord>,
    files: BTreeMap<(JobKey, FileIndex), FileRecord>,
    cached: BTreeMap<Guid, CacheRecord>,
    preferences: CachePreferences,
}

impl Memory {
    pub(crate) fn commit(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.refuse_orphans(changes)?;
        for change in changes {
            match change {
                Change::Job(job) => {
                    self.jobs.insert(job.key, JobRecord::clone(job));
                }
                Change::File(file) => {
                    self.files.insert((file.job, file.index), FileRecord::clone(file));
                }
                Change::Remove(job) => {
                    self.jobs.remove(job);
                    while let Some((&key, _)) = self.files.range(files_of(*job)).next() {
                        self.files.remove(&key);
                    }
                }
                Change::Cached(record) => _ = self.cached.insert(record.id, CacheRecord::clone(record)),
                Change::Uncached(id) => _ = self.cached.remove(id),
                Change::CachePreferences(preferences) => self.preferences = *preferences,
            }
        }
        Ok(())
    }

    pub(crate) fn load(&self) -> impl Iterator<Item = Saved> {
        self.jobs.values().map(|job| Saved {
            job: job.clone(),
            files: self.files.range(files_of(job.key)).map(|(_, file)| file.clone()).collect(),
            lost_secrets: false,
        })
    }

    pub(crate) fn load_cache(&self) -> SavedCache {
        SavedCache { preferences: self.preferences, records: self.cached.values().cloned().collect() }
    }

    /// Looks before anything is changed, so that a refused commit leaves no trace.
    fn refuse_orphans(&self, changes: &[Change]) -> Result<(), StoreError> {
        let mut on_record = BTreeMap::new();
        for change in changes {
            match change {
                Change::Job(job) => _ = on_record.insert(job.key, true),
                Change::Remove(job) => _ = on_record.insert(*job, false),
                Change::File(file) => {
                    let known = on_record.get(&file.job).copied();
                    if !known.unwrap_or_else(|| self.jobs.contains_key(&file.job)) {
                        return Err(StoreError::FileWithoutJob { job: file.job, file: file.index });
                    }
                }
                Change::Cached(_) | Change::Uncached(_) | Change::CachePreferences(_) => {}
            }
        }
        Ok(())
    }
}

fn files_of(job: JobKey) -> std::ops::RangeInclusive<(JobKey, FileIndex)> {
    (job, FileIndex(0))..=(job, FileIndex(u32::MAX))
}
