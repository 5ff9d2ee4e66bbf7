//! The peer cache comes back like the queue.

use bits_api::{FileRange, FileTime, Guid};
use bits_engine::{CachePreferences, CacheRecord, Change, FileIndex, JobKey, SavedCache};

use super::added;
use crate::Store;

fn cached(number: u128) -> CacheRecord {
    CacheRecord {
        id: Guid::from_u128(number),
        url: format!("https://example.com/{number}.bin"),
        size: 1_000,
        modified: FileTime::from_unix_seconds(1_600_000_000),
        accessed: FileTime::from_unix_seconds(1_700_000_000),
        validated: true,
        ranges: vec![FileRange { initial_offset: 10, length: 1_000 }],
        source: (JobKey(3), FileIndex(1)),
    }
}

/// Two files, of which one leaves again, and preferences that are replaced.
fn changes() -> Vec<Change> {
    let preferences = CachePreferences { maximum_size: Some(7), maximum_age: None, flags: Some(3) };
    vec![
        Change::Cached(Box::new(cached(1))),
        Change::CachePreferences(CachePreferences::default()),
        Change::Cached(Box::new(cached(2))),
        Change::Uncached(Guid::from_u128(1)),
        Change::CachePreferences(preferences),
    ]
}

fn left() -> SavedCache {
    let preferences = CachePreferences { maximum_size: Some(7), maximum_age: None, flags: Some(3) };
    SavedCache { preferences, records: vec![cached(2)] }
}

#[test]
fn the_peer_cache_comes_back_from_both_stores() {
    let folder = tempfile::tempdir().unwrap();
    let mut disk = Store::open(folder.path()).unwrap();
    let mut memory = Store::memory();
    for store in [&mut disk, &mut memory] {
        store.commit(&added(3, "a job beside it", 1)).unwrap();
        store.commit(&changes()).unwrap();
    }
    drop(disk);

    assert_eq!(memory.load_cache().unwrap(), left());
    assert_eq!(Store::open(folder.path()).unwrap().load_cache().unwrap(), left());
}

#[test]
fn a_store_without_a_peer_cache_has_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();

    assert_eq!(store.load_cache().unwrap(), SavedCache::default());
}
