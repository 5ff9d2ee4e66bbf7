//! What comes into the cache, and what leaves it by itself.

use std::time::Duration;

use bits_api::{FileRange, FileTime, Guid, Hresult, JobState, LENGTH_TO_EOF, PeerCacheFlags, PeerCachingFlags};
use bits_world::clock::Monotonic;

use super::{CacheRecord, SavedCache, Seen, job_flags};
use crate::engine::take;
use crate::job::{File, file_index};
use crate::jobs::Shelf;
use crate::temporary::mix;
use crate::{Action, Cause, Change, Cx, Engine, FileIndex, JobKey};

impl Engine {
    /// Takes back what is on record of the cache. Called once, after [`Engine::restore`].
    pub fn restore_cache(&mut self, cx: Cx<'_>, saved: SavedCache) {
        self.peer_cache.preferences = saved.preferences;
        for record in saved.records {
            self.peer_cache.next = self.peer_cache.next.max(serial_of(record.id) + 1);
            // A record outlives its job, whose key no other job may get.
            self.numbers.job = self.numbers.job.max(record.source.0.0 + 1);
            self.peer_cache.entries.insert(record);
        }
        if self.has_peer_cache() {
            // Jobs that have just begun need not begin again.
            self.peer_cache.seen = self.peers_seen(cx);
            if !self.peer_cache.seen.flags.contains(PeerCacheFlags::ENABLE_SERVER) {
                self.remove_all_unvalidated();
            }
        }
    }

    /// A file has arrived from its origin: it comes into the cache if the computer and the job
    /// allow it (clauses `peer_cache.v3.job_opt_in_cache`, `job4.set_peer_caching_flags.both_levels_server`).
    pub(crate) fn cache_file(&mut self, cx: Cx<'_>, key: JobKey, place: usize) {
        let job = &self.jobs[key];
        let file = &job.files[place];
        let is_http = ["http://", "https://"]
            .iter()
            .any(|scheme| file.remote_name.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
        if !is_http || !self.may_cache(cx, job) || file.have > self.cache_room(cx) {
            return;
        }
        let source = (key, file_index(place));
        let serial = take(&mut self.peer_cache.next);
        let record = CacheRecord {
            id: Guid::from_u64_pair(mix(self.config.seed ^ mix(serial)), serial),
            url: file.remote_name.to_string(),
            size: file.have,
            modified: file.validators.and_then(|known| known.last_modified).unwrap_or(FileTime::ZERO),
            accessed: cx.now.wall,
            validated: false,
            ranges: parts(file),
            source,
        };
        if let Some(before) = self.peer_cache.entries.of_source(source) {
            self.remove_cached(before);
        }
        self.make_room(cx, record.size);
        self.push(Action::Persist(Change::Cached(Box::new(record.clone()))));
        self.peer_cache.forgotten.remove(&source);
        self.peer_cache.entries.insert(record);
    }

    /// The client has said whether a file is what it should be (clauses
    /// `file3.set_validation_state.*`).
    ///
    /// # Errors
    /// `BG_E_RECORD_DELETED` when the file's record has been deleted.
    pub(crate) fn cache_validated(&mut self, key: JobKey, place: usize, valid: bool) -> Result<(), Hresult> {
        let source = (key, file_index(place));
        if self.peer_cache.forgotten.contains(&source) {
            return Err(Hresult::BG_E_RECORD_DELETED);
        }
        if let Some(id) = self.peer_cache.entries.of_source(source) {
            if valid {
                self.validate_cached(id);
            } else {
                self.remove_cached(id);
            }
        }
        Ok(())
    }

    /// A job ends: Complete declares valid what nobody has judged, Cancel leaves nothing unjudged
    /// behind (clause `file3.set_validation_state.complete_implies_true`).
    pub(crate) fn cache_job_ends(&mut self, key: JobKey, completed: bool) {
        let unvalidated = |engine: &Self, id: &Guid| engine.peer_cache.entries.get(*id).is_some_and(|at| !at.validated);
        for id in self.peer_cache.entries.of_job(key) {
            match completed {
                true => self.validate_cached(id),
                false if unvalidated(self, &id) => self.remove_cached(id),
                false => {}
            }
        }
        let files = (key, FileIndex(0))..=(key, FileIndex(u32::MAX));
        let forgotten: Vec<_> = self.peer_cache.forgotten.range(files).copied().collect();
        for source in forgotten {
            self.peer_cache.forgotten.remove(&source);
        }
    }

    /// The job wants something else of peers: what was not declared valid leaves the cache, and a
    /// transfer chooses anew between peers and origin (clauses
    /// `job4.set_peer_caching_flags.unvalidated_file_removed`, `.toggle_job_reschedules`).
    pub(crate) fn job_peer_flags_changed(&mut self, cx: Cx<'_>, key: JobKey, before: PeerCachingFlags) {
        let after = job_flags(&self.jobs[key]);
        if !after.contains(PeerCachingFlags::ENABLE_SERVER) {
            for id in self.peer_cache.entries.of_job(key) {
                self.remove_unvalidated(id);
            }
        }
        let flipped = (before ^ after).contains(PeerCachingFlags::ENABLE_CLIENT);
        if flipped && self.peer_flags(cx).contains(PeerCacheFlags::ENABLE_CLIENT) {
            self.choose_source_anew(cx, key);
        }
    }

    /// Looks at what the computer's policies and preferences say of peers, and acts on what has
    /// changed (clause `peer_cache.admin.set_configuration_flags.reschedule`).
    pub(crate) fn observe_peer_cache(&mut self, cx: Cx<'_>) {
        if !self.has_peer_cache() {
            return;
        }
        let seen = self.peers_seen(cx);
        let after = seen.flags;
        let before = std::mem::replace(&mut self.peer_cache.seen, seen).flags;
        if before.contains(PeerCacheFlags::ENABLE_SERVER) && !after.contains(PeerCacheFlags::ENABLE_SERVER) {
            self.remove_all_unvalidated();
        }
        if (before ^ after).contains(PeerCacheFlags::ENABLE_CLIENT) {
            let active: Vec<_> = self.jobs.on_shelf(Shelf::Active, None).collect();
            for key in active {
                if job_flags(&self.jobs[key]).contains(PeerCachingFlags::ENABLE_CLIENT) {
                    self.choose_source_anew(cx, key);
                }
            }
        }
        self.make_room(cx, 0);
    }

    fn peers_seen(&self, cx: Cx<'_>) -> Seen {
        Seen { flags: self.peer_flags(cx), age: Duration::from_secs(self.maximum_content_age(cx).into()) }
    }

    fn choose_source_anew(&mut self, cx: Cx<'_>, key: JobKey) {
        if matches!(self.jobs[key].shown(), JobState::CONNECTING | JobState::TRANSFERRING) {
            self.enqueue(cx, key, Cause::PeersChanged);
        }
    }

    /// When the file that nobody has asked for longest is too old.
    pub(crate) fn cache_deadline(&self) -> Option<Monotonic> {
        let oldest = self.peer_cache.entries.oldest_first().next()?;
        let due = oldest.accessed.plus(self.peer_cache.seen.age);
        Some(self.facts.now.monotonic.plus(due.since(self.facts.now.wall)))
    }

    /// Removes what is too old (clause `peer_cache.admin.set_maximum_content_age.evict`).
    pub(crate) fn remove_aged(&mut self, cx: Cx<'_>) {
        let age = self.peer_cache.seen.age;
        let is_aged = |record: &&CacheRecord| record.accessed.plus(age) <= cx.now.wall;
        let aged: Vec<_> = self.peer_cache.entries.oldest_first().take_while(is_aged).map(|record| record.id).collect();
        for id in aged {
            self.remove_cached(id);
        }
    }

    /// Removes the files that were asked for longest ago until `more` bytes fit in (clauses
    /// `peer_cache.admin.set_maximum_cache_size.evict`, `.shrink`).
    pub(super) fn make_room(&mut self, cx: Cx<'_>, more: u64) {
        let room = self.cache_room(cx);
        let mut taken = self.peer_cache.entries.bytes().saturating_add(more);
        let mut goes = Vec::new();
        for record in self.peer_cache.entries.oldest_first() {
            if taken <= room {
                break;
            }
            taken = taken.saturating_sub(record.size);
            goes.push(record.id);
        }
        for id in goes {
            self.remove_cached(id);
        }
    }

    fn validate_cached(&mut self, id: Guid) {
        if let Some(record) = self.peer_cache.entries.validate(id) {
            let record = Box::new(record.clone());
            self.push(Action::Persist(Change::Cached(record)));
        }
    }

    fn remove_all_unvalidated(&mut self) {
        let unvalidated: Vec<_> = self.peer_cache.entries.unvalidated().collect();
        for id in unvalidated {
            self.remove_cached(id);
        }
    }

    fn remove_unvalidated(&mut self, id: Guid) {
        if self.peer_cache.entries.get(id).is_some_and(|record| !record.validated) {
            self.remove_cached(id);
        }
    }

    /// Removes a record, at once or when nobody reads it any more.
    pub(super) fn remove_cached(&mut self, id: Guid) {
        if self.peer_cache.entries.is_read(id) {
            self.peer_cache.entries.doom(id);
        } else if let Some(record) = self.peer_cache.entries.remove(id) {
            let (job, _) = record.source;
            if !record.validated && self.jobs.get(job).is_some_and(|job| !job.is_final()) {
                self.peer_cache.forgotten.insert(record.source);
            }
            self.push(Action::Persist(Change::Uncached(id)));
        }
    }

    /// A peer asks for a URL: the record that it is served from, for as long as it reads. `None`
    /// when the computer serves nothing, or nothing valid of that URL is there (clause
    /// `peer_cache.v3.served_after_validation`).
    pub fn begin_peer_read(&mut self, cx: Cx<'_>, url: &str) -> Option<Guid> {
        self.observe(cx);
        if !self.peer_flags(cx).contains(PeerCacheFlags::ENABLE_SERVER) {
            return None;
        }
        let valid = |id: &Guid| self.peer_cache.entries.get(*id).is_some_and(|record| record.validated);
        let id = self.peer_cache.entries.of_url(url).into_iter().find(valid)?;
        let record = Box::new(self.peer_cache.entries.begin_read(id, cx.now.wall)?.clone());
        self.push(Action::Persist(Change::Cached(record)));
        Some(id)
    }

    /// The peer has read.
    pub fn end_peer_read(&mut self, id: Guid) {
        if self.peer_cache.entries.end_read(id) {
            self.remove_cached(id);
        }
    }
}

/// The parts of the remote file that are there; one to the end has the length that it came to.
fn parts(file: &File) -> Vec<FileRange> {
    let whole = [FileRange { initial_offset: 0, length: file.have }];
    let parts = file.ranges.as_deref().unwrap_or(&whole);
    let bounded: u64 = parts.iter().filter(|part| part.length != LENGTH_TO_EOF).map(|part| part.length).sum();
    let length = |part: &FileRange| match part.length {
        LENGTH_TO_EOF => file.have.saturating_sub(bounded),
        length => length,
    };
    parts.iter().map(|part| FileRange { length: length(part), ..*part }).collect()
}

/// The second half of an identifier, which counts them.
fn serial_of(id: Guid) -> u64 {
    id.as_u64_pair().1
}
