//! Bytes that somebody else has changed.

use super::faults::MemoryDisk;
use super::{Queue, added, try_queue_of};
use crate::{Store, StoreError};

/// A closed queue of three commits, and what it held after each.
fn closed_queue() -> (Vec<u8>, Vec<Queue>) {
    let disk = MemoryDisk::default();
    disk.initialise().unwrap();
    let mut store = disk.open().unwrap();
    let mut stages = vec![Vec::new()];
    for key in 1..=3 {
        store.commit(&added(key, "a job among others", 4)).unwrap();
        stages.push(try_queue_of(&store).unwrap());
    }
    drop(store);
    (disk.bytes(), stages)
}

/// Opens `bytes` and reads what they hold.
fn read(bytes: Vec<u8>) -> Result<Queue, StoreError> {
    let store: Store = MemoryDisk::holding(bytes).open()?;
    try_queue_of(&store)
}

/// A damaged queue gives an error that says so, or one of the states that were committed.
fn see_damage(read: Result<Queue, StoreError>, stages: &[Queue], damage: &str) -> bool {
    match read {
        Ok(queue) => {
            assert!(stages.contains(&queue), "{damage}: {queue:#?}");
            false
        }
        Err(StoreError::Damaged { .. } | StoreError::NotAStore { .. } | StoreError::Storage { .. }) => true,
        Err(error) => panic!("{damage}: {error}"),
    }
}

#[test]
fn a_changed_byte_is_noticed_or_does_not_matter() {
    let (bytes, stages) = closed_queue();
    let header = 0..512;
    let used = (512..bytes.len()).filter(|&at| bytes[at] != 0).step_by(41);
    let mut noticed = 0;

    for at in header.chain(used) {
        let mut damaged = bytes.clone();
        damaged[at] ^= if at % 2 == 0 { 0xFF } else { 0x01 };
        noticed += u32::from(see_damage(read(damaged), &stages, &format!("byte {at}")));
    }

    assert!(noticed > 100, "most damage is noticed: {noticed}");
}

#[test]
fn a_file_that_was_cut_is_an_error() {
    let (bytes, stages) = closed_queue();

    for length in (1..bytes.len()).step_by(4093) {
        let cut = read(bytes[..length].to_vec());
        see_damage(cut, &stages, &format!("cut to {length} bytes"));
    }
    assert!(read(bytes[..bytes.len() / 2].to_vec()).is_err());
}
