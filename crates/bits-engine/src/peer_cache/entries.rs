//! The records of the cache and the indexes over them.

use std::collections::{BTreeMap, BTreeSet};

use bits_api::{FileTime, Guid};

use super::CacheRecord;
use crate::visits::Counted;
use crate::{FileIndex, JobKey};

/// A record, and who reads it.
#[derive(Debug)]
struct Entry {
    record: CacheRecord,
    readers: u32,
    /// To be removed once nobody reads it.
    doomed: bool,
}

/// Every record of the cache.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    by_id: BTreeMap<Counted<Guid>, Entry>,
    by_access: BTreeSet<Counted<(FileTime, Guid)>>,
    by_url: BTreeSet<(String, Guid)>,
    by_source: BTreeMap<Counted<(JobKey, FileIndex)>, Guid>,
    unvalidated: BTreeSet<Guid>,
    bytes: u64,
}

impl Entries {
    pub(crate) fn get(&self, id: Guid) -> Option<&CacheRecord> {
        self.by_id.get(&Counted(id)).map(|entry| &entry.record)
    }

    pub(crate) fn is_read(&self, id: Guid) -> bool {
        self.by_id.get(&Counted(id)).is_some_and(|entry| entry.readers > 0)
    }

    /// What the cache takes, in bytes, without what is to be removed.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = Guid> {
        self.by_id.keys().map(|Counted(id)| *id)
    }

    /// Those that nobody has declared valid.
    pub(crate) fn unvalidated(&self) -> impl Iterator<Item = Guid> {
        self.unvalidated.iter().copied()
    }

    /// Every record that is to stay, the one that was asked for longest ago first.
    pub(crate) fn oldest_first(&self) -> impl Iterator<Item = &CacheRecord> {
        self.by_access.iter().filter_map(|Counted((_, id))| self.get(*id))
    }

    /// The records of one URL.
    pub(crate) fn of_url(&self, url: &str) -> Vec<Guid> {
        let from = (url.to_owned(), Guid::nil());
        self.by_url.range(from..).take_while(|(of, _)| of == url).map(|(_, id)| *id).collect()
    }

    /// The record that a file of a job has brought.
    pub(crate) fn of_source(&self, source: (JobKey, FileIndex)) -> Option<Guid> {
        self.by_source.get(&Counted(source)).copied()
    }

    /// The records that the files of a job have brought.
    pub(crate) fn of_job(&self, job: JobKey) -> Vec<Guid> {
        let files = Counted((job, FileIndex(0)))..=Counted((job, FileIndex(u32::MAX)));
        self.by_source.range(files).map(|(_, id)| *id).collect()
    }

    pub(crate) fn insert(&mut self, record: CacheRecord) {
        let id = record.id;
        self.by_access.insert(Counted((record.accessed, id)));
        self.by_url.insert((record.url.clone(), id));
        self.by_source.insert(Counted(record.source), id);
        if !record.validated {
            self.unvalidated.insert(id);
        }
        self.bytes = self.bytes.saturating_add(record.size);
        self.by_id.insert(Counted(id), Entry { record, readers: 0, doomed: false });
    }

    pub(crate) fn remove(&mut self, id: Guid) -> Option<CacheRecord> {
        let Entry { record, doomed, .. } = self.by_id.remove(&Counted(id))?;
        self.by_access.remove(&Counted((record.accessed, id)));
        self.by_url.remove(&(record.url.clone(), id));
        self.by_source.remove(&Counted(record.source));
        self.unvalidated.remove(&id);
        if !doomed {
            self.bytes = self.bytes.saturating_sub(record.size);
        }
        Some(record)
    }

    /// Marks a record that is in use for removal. From now on neither its age nor its size counts.
    pub(crate) fn doom(&mut self, id: Guid) {
        if let Some(entry) = self.by_id.get_mut(&Counted(id))
            && !std::mem::replace(&mut entry.doomed, true)
        {
            self.by_access.remove(&Counted((entry.record.accessed, id)));
            self.bytes = self.bytes.saturating_sub(entry.record.size);
        }
    }

    pub(crate) fn validate(&mut self, id: Guid) -> Option<&CacheRecord> {
        self.unvalidated.remove(&id);
        let entry = self.by_id.get_mut(&Counted(id))?;
        entry.record.validated = true;
        Some(&entry.record)
    }

    /// Somebody begins to read a record that is to stay.
    pub(crate) fn begin_read(&mut self, id: Guid, at: FileTime) -> Option<&CacheRecord> {
        let entry = self.by_id.get_mut(&Counted(id)).filter(|entry| !entry.doomed)?;
        self.by_access.remove(&Counted((entry.record.accessed, id)));
        self.by_access.insert(Counted((at, id)));
        entry.record.accessed = at;
        entry.readers += 1;
        Some(&entry.record)
    }

    /// Somebody has read; whether the record is to be removed now.
    pub(crate) fn end_read(&mut self, id: Guid) -> bool {
        let Some(entry) = self.by_id.get_mut(&Counted(id)) else { return false };
        entry.readers = entry.readers.saturating_sub(1);
        entry.readers == 0 && entry.doomed
    }
}
