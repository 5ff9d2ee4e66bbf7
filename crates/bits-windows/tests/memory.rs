//! Nothing that a call hands out stays behind.
//!
//! Alone in its process, whose heap is measured. As many calls, with everything that BITS can hand out, are
//! counted piece by piece in the tests of the crate itself, at objects of this process; here it is COM that
//! carries everything, at the BITS of this machine. (Wine's has no times, owners and properties to give.)
#![cfg(windows)]
// Looking through the heap.
#![allow(unsafe_code)]

mod support;

use std::sync::Arc;

use bits_api::{
    Callback, EnumJobsFlags, File, Hresult, Job, JobError, JobPropertyId, JobState, Manager, Success, Unknown,
    callback_object,
};
use windows::Win32::System::Memory::{GetProcessHeap, HeapLock, HeapUnlock, HeapWalk, PROCESS_HEAP_ENTRY};

use support::{OwnJob, manager};

const HEADERS: &str = "X-Client: 1\r\n";

/// PROCESS_HEAP_ENTRY_BUSY: a piece that is in use.
const BUSY: u16 = 4;

const CALLS: usize = 100_000;

/// A dozen bytes that were lost each round would be more.
const BOUND: usize = 1 << 14;

/// How often a round asks for plain values, which take a tenth of the time of an object.
const TIMES: usize = 5;

/// A round of calls that hand out something of every kind; how many they are.
fn round(manager: &dyn Manager, own: &OwnJob, client: &Arc<dyn Unknown>) -> usize {
    let job = &own.job;
    let (file, options) = (first_file(&**job), job.clone().http_options().unwrap());
    for _ in 0..TIMES {
        let strings = [job.display_name(), job.description(), file.remote_name(), file.local_name()];
        assert!(strings.iter().all(|text| text.as_ref().is_ok_and(|text| !text.is_empty())));
        assert_eq!((job.id(), job.state()), (Ok(own.id), Ok(JobState::SUSPENDED)));
        job.progress().unwrap();
        file.progress().unwrap();
        assert_eq!(options.custom_headers().unwrap().value.as_deref(), Some(HEADERS));
    }
    job.set_notify_interface(Some(Arc::clone(client))).unwrap();
    assert!(job.notify_interface().unwrap().is_some());
    given(job.times());
    given(job.owner());
    given(job.clone().job5().and_then(|job| job.property(JobPropertyId::NOTIFICATION_CLSID)));
    // A failure hands out nothing, and a plain success code is no object.
    assert!(job.error().is_err());
    let again = manager.job(own.id).unwrap();
    again.job2().unwrap();
    let jobs = manager.enum_jobs(EnumJobsFlags::empty()).unwrap();
    assert!(!jobs.next(2).unwrap().items.is_empty());
    // Of which the enumerators have counted, and asked for a further interface, once each.
    TIMES * 9 + 16
}

/// What BITS gives, and Wine's BITS does not have.
fn given<T>(result: Result<T, Hresult>) {
    let code = result.err();
    assert!(code.is_none_or(|code| [Hresult::E_NOTIMPL, Hresult::E_NOINTERFACE].contains(&code)), "{code:?}");
}

/// A client that is told of its job, were there anything to tell.
struct Deaf;

impl Callback for Deaf {
    fn job_transferred(&self, _: Arc<dyn Job>) -> Result<Success, Hresult> {
        Ok(Success::OK)
    }

    fn job_error(&self, _: Arc<dyn Job>, _: Arc<dyn JobError>) -> Result<Success, Hresult> {
        Ok(Success::OK)
    }

    fn job_modification(&self, _: Arc<dyn Job>) -> Result<Success, Hresult> {
        Ok(Success::OK)
    }
}

fn first_file(job: &dyn Job) -> Arc<dyn File> {
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
    own.job.clone().http_options().unwrap().set_custom_headers(Some(HEADERS)).unwrap();
    let client = callback_object(Arc::new(Deaf));
    for _ in 0..50 {
        round(&*manager, &own, &client);
    }
    let before = held();

    let mut calls = 0;
    while calls < CALLS {
        calls += round(&*manager, &own, &client);
    }

    let grown = held().saturating_sub(before);
    println!("{calls} calls, {grown} bytes more");
    assert!(grown < BOUND, "{grown} bytes more after {calls} calls");
}
