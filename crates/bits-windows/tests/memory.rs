//! Nothing that a call hands out stays behind.
//!
//! Alone in its process, whose heap is measured. A hundred thousand calls, with everything that BITS
//! can hand out, are counted piece by piece in the tests of the crate itself, at objects of this process;
//! here it is COM that carries everything, at the BITS of this machine.
#![cfg(windows)]
// Looking through the heap.
#![allow(unsafe_code)]

mod support;

use bits_api::{EnumJobsFlags, Job, Manager};
use windows::Win32::System::Memory::{GetProcessHeap, HeapLock, HeapUnlock, HeapWalk, PROCESS_HEAP_ENTRY};

use support::{OwnJob, manager};

/// PROCESS_HEAP_ENTRY_BUSY: a piece that is in use.
const BUSY: u16 = 4;

const CALLS: usize = 4_800;

/// The description alone, of 2,000 bytes, would make more than twice this if it were lost each time.
const BOUND: usize = 1 << 18;

/// A round of calls that hand out something of every kind; how many they are.
fn round(manager: &dyn Manager, own: &OwnJob) -> usize {
    let job = &*own.job;
    let strings = [job.display_name().unwrap(), job.description().unwrap()];
    assert!(strings.iter().all(|text| !text.is_empty()));
    assert_eq!(job.id(), Ok(own.id));
    job.progress().unwrap();
    let file = first_file(job);
    assert!(!file.remote_name().unwrap().is_empty() && !file.local_name().unwrap().is_empty());
    file.progress().unwrap();
    // A failure hands out nothing, and a plain success code is no object.
    assert!(job.error().is_err());
    let again = manager.job(own.id).unwrap();
    again.job2().unwrap();
    let jobs = manager.enum_jobs(EnumJobsFlags::empty()).unwrap();
    assert!(!jobs.next(2).unwrap().items.is_empty());
    // Of which the enumerators have counted, and asked for a further interface, once each.
    16
}

fn first_file(job: &dyn Job) -> std::sync::Arc<dyn bits_api::File> {
    let files = job.enum_files().unwrap();
    files.next(1).unwrap().items.remove(0)
}

/// What the heap of this process holds, in bytes: COM and Rust have all that they allocate there. (The
/// private bytes of a process do not tell: under Wine they stay the same.)
fn held() -> usize {
    let mut entry = PROCESS_HEAP_ENTRY::default();
    let mut held = 0;
    // SAFETY: the heap of the process stays; it is locked while its entries are read, and nothing is
    // allocated meanwhile.
    unsafe {
        let heap = GetProcessHeap().unwrap();
        HeapLock(heap).unwrap();
        while HeapWalk(heap, &raw mut entry).is_ok() {
            if entry.wFlags & BUSY != 0 {
                held += entry.cbData as usize;
            }
        }
        HeapUnlock(heap).unwrap();
    }
    held
}

#[test]
fn calls_leave_nothing_behind() {
    let manager = manager();
    let own = OwnJob::of(&manager, &format!("http://127.0.0.1:9/{}", "a".repeat(2_000)));
    own.job.set_description(Some(&"d".repeat(1_000))).unwrap();
    for _ in 0..50 {
        round(&*manager, &own);
    }
    let before = held();

    let mut calls = 0;
    while calls < CALLS {
        calls += round(&*manager, &own);
    }

    let grown = held().saturating_sub(before);
    println!("{calls} calls, {grown} bytes more");
    assert!(grown < BOUND, "{grown} bytes more after {calls} calls");
}
