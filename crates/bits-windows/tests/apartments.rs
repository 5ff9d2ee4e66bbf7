//! Threads of every apartment use BITS, alone and at once.
#![cfg(windows)]
// Entering an apartment.
#![allow(unsafe_code)]

mod support;

use std::sync::{Arc, Barrier};
use std::thread;

use bits_api::{EnumJobsFlags, Guid, Manager};
use windows::Win32::System::Com::{
    COINIT, COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED, CoInitializeEx, CoUninitialize,
};

use support::OwnJob;

/// What `work` gives on a new thread in an apartment of `kind`, or in none.
fn in_apartment<T: Send + 'static>(kind: Option<COINIT>, work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::spawn(move || {
        if let Some(kind) = kind {
            // SAFETY: the thread is new and has no apartment yet.
            unsafe { CoInitializeEx(None, kind) }.unwrap();
        }
        let result = work();
        if kind.is_some() {
            // SAFETY: the thread has entered an apartment once.
            unsafe { CoUninitialize() };
        }
        result
    });
    thread.join().unwrap()
}

/// Makes a job, uses it and all that it and its manager hand out, and lets go of everything.
fn use_bits() {
    let manager = support::manager();
    let created = OwnJob::of(&manager, "http://127.0.0.1:9/a");

    let files = created.job.enum_files().unwrap();
    assert_eq!(files.count(), Ok(1));
    assert_eq!(files.next(1).unwrap().items[0].remote_name().as_deref(), Ok("http://127.0.0.1:9/a"));
    assert!(ids(&*manager).contains(&created.id));
    assert_eq!(created.job.job2().unwrap().id(), Ok(created.id));
    created.job.cancel().unwrap();
}

fn ids(manager: &dyn Manager) -> Vec<Guid> {
    let jobs = manager.enum_jobs(EnumJobsFlags::empty()).unwrap();
    let all = jobs.next(jobs.count().unwrap()).unwrap();
    all.items.iter().map(|job| job.id().unwrap()).collect()
}

#[test]
fn a_thread_without_com_uses_bits() {
    in_apartment(None, use_bits);
}

#[test]
fn a_thread_of_the_multithreaded_apartment_uses_bits() {
    in_apartment(Some(COINIT_MULTITHREADED), use_bits);
}

#[test]
fn a_thread_of_a_single_threaded_apartment_uses_bits() {
    in_apartment(Some(COINIT_APARTMENTTHREADED), use_bits);
}

#[test]
fn eight_threads_use_bits_at_once() {
    let kinds = [None, Some(COINIT_MULTITHREADED), Some(COINIT_APARTMENTTHREADED), Some(COINIT_APARTMENTTHREADED)];
    let start = Arc::new(Barrier::new(8));

    let threads: Vec<_> = (0..8)
        .map(|index| {
            let start = Arc::clone(&start);
            thread::spawn(move || {
                in_apartment(kinds[index % kinds.len()], move || {
                    start.wait();
                    (0..5).for_each(|_| use_bits());
                });
            })
        })
        .collect();

    assert!(threads.into_iter().all(|thread| thread.join().is_ok()));
}

#[test]
fn a_job_of_one_apartment_is_used_and_let_go_in_others() {
    let kinds = [None, Some(COINIT_MULTITHREADED), Some(COINIT_APARTMENTTHREADED)];
    for (made, used) in kinds.into_iter().flat_map(|made| kinds.map(|used| (made, used))) {
        let own = in_apartment(made, || OwnJob::new(&support::manager()));
        let id = own.id;

        let (known, cancelled) = in_apartment(used, move || (own.job.id(), own.job.cancel()));

        assert_eq!(known, Ok(id), "made in {made:?}, used in {used:?}");
        assert!(cancelled.is_ok(), "made in {made:?}, used in {used:?}: {cancelled:?}");
    }
}
