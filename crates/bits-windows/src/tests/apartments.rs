//! Where calls are made, and in whose name, by the apartment of the caller.

use std::thread::{self, ThreadId};

use bits_api::Hresult;
use windows::Win32::Foundation::ERROR_CANT_OPEN_ANONYMOUS;
use windows::Win32::Security::{
    ImpersonateSelf, RevertToSelf, SECURITY_IMPERSONATION_LEVEL, SecurityAnonymous, SecurityImpersonation,
};
use windows::Win32::System::Com::{COINIT, COINIT_APARTMENTTHREADED, COINIT_MULTITHREADED, CoInitializeEx};

use crate::apartment;
use crate::call::hresult;
use crate::impersonation;

/// What `work` gives on a new thread in an apartment of `kind`, or in none.
fn in_apartment<T: Send + 'static>(kind: Option<COINIT>, work: fn() -> T) -> T {
    apartment::keep_alive().unwrap();
    let thread = thread::spawn(move || {
        if let Some(kind) = kind {
            // SAFETY: the thread is new and has no apartment yet. It ends with its thread.
            assert_eq!(hresult(unsafe { CoInitializeEx(None, kind) }), Hresult::S_OK);
        }
        work()
    });
    thread.join().unwrap()
}

/// What `work` gives on a thread that impersonates its own user.
fn impersonating<T>(level: SECURITY_IMPERSONATION_LEVEL, work: impl FnOnce() -> T) -> T {
    // SAFETY: only this thread is changed, and changed back below.
    unsafe { ImpersonateSelf(level) }.unwrap();
    let result = work();
    // SAFETY: as above.
    unsafe { RevertToSelf() }.unwrap();
    result
}

fn is_impersonating() -> Result<bool, Hresult> {
    impersonation::of_this_thread().map(|token| token.is_some())
}

/// The thread that asks, and the one that a call is made on.
fn threads() -> (ThreadId, Result<ThreadId, Hresult>) {
    (thread::current().id(), apartment::enter(|| Ok(thread::current().id())))
}

#[test]
fn a_call_from_the_multithreaded_apartment_is_made_on_its_thread() {
    for kind in [None, Some(COINIT_MULTITHREADED)] {
        let (asks, calls) = in_apartment(kind, threads);

        assert_eq!(calls, Ok(asks));
    }
}

#[test]
fn a_call_from_a_single_threaded_apartment_is_made_outside() {
    let (asks, calls) = in_apartment(Some(COINIT_APARTMENTTHREADED), threads);

    assert_ne!(calls, Ok(asks));
}

#[test]
fn a_call_is_made_in_the_name_of_whom_its_thread_impersonates() {
    for kind in [None, Some(COINIT_MULTITHREADED), Some(COINIT_APARTMENTTHREADED)] {
        let (before, during, after) = in_apartment(kind, || {
            let call = || apartment::enter(is_impersonating);
            (call(), impersonating(SecurityImpersonation, call), call())
        });

        assert_eq!((before, during, after), (Ok(false), Ok(true), Ok(false)), "{kind:?}");
    }
}

#[test]
fn a_call_is_not_made_when_nobody_can_tell_in_whose_name() {
    let result = in_apartment(Some(COINIT_APARTMENTTHREADED), || {
        impersonating(SecurityAnonymous, || apartment::enter(|| Ok("made all the same")))
    });

    assert_eq!(result, Err(hresult(ERROR_CANT_OPEN_ANONYMOUS.to_hresult())));
}

#[test]
fn a_panic_comes_back_to_the_thread_that_called() {
    let panic = in_apartment(Some(COINIT_APARTMENTTHREADED), || {
        let call = || apartment::enter::<()>(|| panic!("outside"));
        std::panic::catch_unwind(call).map_err(|panic| *panic.downcast_ref::<&str>().unwrap())
    });

    assert_eq!(panic, Err("outside"));
}
