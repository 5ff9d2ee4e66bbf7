//! No BITS, or none any more: what the caller is told then.
//!
//! Each of these needs a machine of its own, so all are ignored until somebody asks for one by name.
//! They are run in a Wine prefix that is thrown away:
//!
//! ```text
//! wine64 reg delete 'HKLM\Software\Classes\CLSID\{4991D34B-80A1-4291-83B6-3328366B9097}' /f
//! cargo test -p bits-windows --test no_bits -- --ignored --exact the_class_is_not_registered
//!
//! wine64 reg add 'HKLM\System\CurrentControlSet\Services\BITS' /v Start /t REG_DWORD /d 4 /f
//! wineserver64 -k       # services are read when they are first needed
//! cargo test -p bits-windows --test no_bits -- --ignored --exact the_service_is_disabled
//!
//! cargo test -p bits-windows --test no_bits -- --ignored --exact the_service_is_killed
//! ```
//!
//! Wine never says `CO_E_SERVER_EXEC_FAILURE`: a local server that ends at once is `E_NOINTERFACE` there, one
//! that is no program `ERROR_FILE_NOT_FOUND`, and so is a service whose `ImagePath` is no program, ends at
//! once or hosts no BITS. What is told of it is tested where [`connect`] is.
#![cfg(windows)]
// Killing the service.
#![allow(unsafe_code)]

mod support;

use std::fmt::Debug;
use std::sync::{Arc, Barrier};
use std::thread;

use bits_api::{EnumJobsFlags, Hresult, JobType};
use bits_windows::{ConnectError, advice, connect};
use windows::Win32::Foundation::{HANDLE, WAIT_OBJECT_0};
use windows::Win32::System::Services::{
    CloseServiceHandle, OpenSCManagerW, OpenServiceW, QueryServiceStatusEx, SC_HANDLE, SC_MANAGER_CONNECT,
    SC_STATUS_PROCESS_INFO, SERVICE_QUERY_STATUS, SERVICE_STATUS_PROCESS,
};
use windows::Win32::System::Threading::{
    OpenProcess, PROCESS_SYNCHRONIZE, PROCESS_TERMINATE, TerminateProcess, WaitForSingleObject,
};
use windows::core::{Owned, w};

use support::{BOUND, OwnJob};

fn refusal() -> (Hresult, String) {
    match connect() {
        Err(error @ ConnectError::Refused(code)) => (code, error.to_string()),
        other => panic!("there is a BITS: {other:?}"),
    }
}

#[test]
#[ignore = "needs a machine without the class of BITS"]
fn the_class_is_not_registered() {
    let (code, message) = refusal();

    assert_eq!(code, Hresult::REGDB_E_CLASSNOTREG);
    assert!(message.contains("REGDB_E_CLASSNOTREG: no class of BITS is registered on this machine"), "{message}");
}

#[test]
#[ignore = "needs a machine whose service BITS is disabled"]
fn the_service_is_disabled() {
    let (code, message) = refusal();

    // Wine does not tell a service that is disabled from one without a program.
    assert!([Hresult::ERROR_SERVICE_DISABLED, Hresult::ERROR_FILE_NOT_FOUND].contains(&code), "{message}");
    assert!(message.contains("disabled") && message.contains("`sc "), "{message}");
}

#[test]
#[ignore = "kills the service BITS of this machine"]
fn the_service_is_killed() {
    let manager = connect().unwrap().manager;
    let own = OwnJob::new(&manager);
    let job = Arc::clone(&own.job);
    let jobs = manager.enum_jobs(EnumJobsFlags::empty()).unwrap();
    let begun = Arc::new(Barrier::new(5));
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let (job, begun) = (Arc::clone(&job), Arc::clone(&begun));
            thread::spawn(move || {
                assert!(job.display_name().is_ok());
                begun.wait();
                // Whichever call is under way when the service goes is the last one.
                (0..).find_map(|_| job.display_name().err())
            })
        })
        .collect();
    begun.wait();

    kill_bits();

    for caller in callers {
        assert_lost("a call that was under way", Err::<(), _>(caller.join().unwrap().unwrap()));
    }
    assert_lost("a getter", job.state());
    assert_lost("a setter", job.set_description(Some("lost")));
    assert_lost("a verb", job.resume());
    assert_lost("an object", job.error());
    assert_lost("an enumerator", jobs.next(1));
    assert_lost("the manager", manager.create_job(Some("lost"), JobType::DOWNLOAD));
    // Handles are let go of without anybody to tell, and whoever connects again is served by a new
    // service; under Wine there is none before everything has ended.
    drop((own, job, jobs, manager));
    if let Err(error) = connect() {
        assert_eq!(error, ConnectError::Refused(Hresult::RPC_S_SERVER_UNAVAILABLE));
    }
}

/// A call has failed, with a code that tells its reader that the service is gone.
fn assert_lost(what: &str, result: Result<impl Debug, Hresult>) {
    let code = result.unwrap_err();
    let advice = advice(code).unwrap_or_else(|| panic!("{what}: {code}"));
    assert!(advice.contains("the service BITS"), "{what}: {code}: {advice}");
}

/// Ends the process of the service, as a crash does.
fn kill_bits() {
    let process = service_process();
    // SAFETY: a handle of our own; what the process held is the system's to clean up.
    unsafe { TerminateProcess(*process, 1) }.unwrap();
    let bound = u32::try_from(BOUND.as_millis()).unwrap();
    // SAFETY: a handle of our own.
    assert_eq!(unsafe { WaitForSingleObject(*process, bound) }, WAIT_OBJECT_0);
}

fn service_process() -> Owned<HANDLE> {
    let mut status = SERVICE_STATUS_PROCESS::default();
    let status_bytes = (&raw mut status).cast::<u8>();
    // SAFETY: the structure is plain, and nothing else uses it until its bytes are filled in.
    let bytes = unsafe { std::slice::from_raw_parts_mut(status_bytes, size_of::<SERVICE_STATUS_PROCESS>()) };
    // SAFETY: the handles are closed once, and after their last use.
    unsafe {
        let services: SC_HANDLE = OpenSCManagerW(None, None, SC_MANAGER_CONNECT).unwrap();
        let bits = OpenServiceW(services, w!("BITS"), SERVICE_QUERY_STATUS).unwrap();
        QueryServiceStatusEx(bits, SC_STATUS_PROCESS_INFO, Some(bytes), &mut 0).unwrap();
        CloseServiceHandle(bits).unwrap();
        CloseServiceHandle(services).unwrap();
    }
    // SAFETY: the handle is ours, and closed by its owner.
    unsafe { Owned::new(OpenProcess(PROCESS_TERMINATE | PROCESS_SYNCHRONIZE, false, status.dwProcessId).unwrap()) }
}
