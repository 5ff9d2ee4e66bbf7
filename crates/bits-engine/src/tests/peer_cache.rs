//! The records of the peer cache, over time and over restarts.

use std::time::Duration;

use bits_api::{FileRange, FileTime, Guid, JobPriority, PeerCacheFlags, PeerCachingFlags, Setting, Success};
use bits_world::Profile;

use super::house::{House, administrator, config};
use crate::{CachePreferences, CacheRecord, FileIndex, JobKey, SavedCache};

const URL: &str = "http://example.org/kept.bin";
const DAY: Duration = Duration::from_hours(24);

fn record(accessed: FileTime) -> CacheRecord {
    CacheRecord {
        id: Guid::from_u64_pair(7, 7),
        url: URL.into(),
        size: 100,
        modified: FileTime::ZERO,
        accessed,
        validated: true,
        ranges: vec![FileRange { initial_offset: 0, length: 100 }],
        source: (JobKey(0), FileIndex(0)),
    }
}

/// A computer that serves its peers, with one record of a job that is long gone.
fn serving() -> House {
    let mut house = House::with(config(Profile::V3_0));
    let saved = SavedCache { preferences: CachePreferences::default(), records: vec![record(house.now.wall)] };
    house.act(|engine, cx| engine.restore_cache(cx, saved));
    let flags = PeerCacheFlags::ENABLE_SERVER;
    let set = house.act(|engine, cx| engine.set_configuration_flags(cx, &administrator(), flags));
    assert_eq!(set, Ok(Success::OK));
    house
}

fn records(house: &House) -> Vec<Guid> {
    house.engine.cache_records().expect("BITS 3.0 has a cache")
}

#[test]
fn a_job_after_a_restart_is_not_taken_for_the_one_that_brought_a_record() {
    let mut house = serving();
    let job = house.resumed_job(JobPriority::FOREGROUND);
    assert_eq!(house.set(job, Setting::PeerCachingFlags, PeerCachingFlags::ENABLE_SERVER.bits()), Ok(Success::OK));
    house.transfer_file(job);
    assert_eq!(records(&house).len(), 2);
    assert_eq!(house.judge(job, 0, false), Ok(Success::OK));
    assert_eq!(records(&house), [Guid::from_u64_pair(7, 7)]);
}

#[test]
fn a_record_that_is_too_old_and_still_read_is_looked_at_no_more_until_it_is_read() {
    let mut house = serving();
    let read = house.act(|engine, cx| engine.begin_peer_read(cx, URL)).expect("it is served");
    house.sleep(DAY * 91);
    assert_eq!(records(&house), [read]);
    let due = house.engine.next_deadline();
    assert!(due.is_none_or(|due| due > house.now.monotonic), "a deadline that does not go: {due:?}");

    house.act(|engine, _| engine.end_peer_read(read));
    assert!(records(&house).is_empty());
}

#[test]
fn a_record_that_goes_once_it_is_read_pushes_no_other_out() {
    let mut house = serving();
    let read = house.act(|engine, cx| engine.begin_peer_read(cx, URL)).expect("it is served");
    let other = CacheRecord {
        id: Guid::from_u64_pair(8, 8),
        url: format!("{URL}?"),
        source: (JobKey(0), FileIndex(1)),
        ..record(house.now.wall)
    };
    let kept = other.id;
    let saved = SavedCache {
        preferences: CachePreferences { flags: Some(2), ..CachePreferences::default() },
        records: vec![other],
    };
    house.act(|engine, cx| engine.restore_cache(cx, saved));
    house.change_world(|world| world.peers.disk_bytes = 10_000);
    assert_eq!(records(&house), [read, kept]);
    house.change_world(|world| world.peers.disk_bytes = 10_001);
    assert_eq!(records(&house), [read, kept], "one percent of the disk has room for one of them");
}

#[test]
fn a_restart_is_no_change_of_what_the_computer_does_with_peers() {
    let mut house = House::with(config(Profile::V3_0));
    let job = house.resumed_job(JobPriority::FOREGROUND);
    assert_eq!(house.set(job, Setting::PeerCachingFlags, PeerCachingFlags::ENABLE_CLIENT.bits()), Ok(Success::OK));
    house.restart(Duration::ZERO);
    let preferences =
        CachePreferences { flags: Some(PeerCacheFlags::ENABLE_CLIENT.bits()), ..CachePreferences::default() };
    house.act(|engine, cx| engine.restore_cache(cx, SavedCache { preferences, records: Vec::new() }));
    house.transitions.clear();

    house.change_world(|_| ());

    assert!(house.transitions.is_empty(), "{:?}", house.transitions);
}

#[test]
fn a_policy_that_came_while_the_service_was_away_removes_what_nobody_declared_valid() {
    let mut house = House::with(config(Profile::V3_0));
    house.world.policies.peer_cache.enabled = Some(false);
    let records = vec![CacheRecord { validated: false, ..record(house.now.wall) }];
    house.act(|engine, cx| engine.restore_cache(cx, SavedCache { records, ..SavedCache::default() }));
    assert!(self::records(&house).is_empty());
}
