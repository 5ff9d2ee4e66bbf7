//! Where proxies may be used: the multithreaded apartment.
//!
//! A proxy that was made there gives `RPC_E_WRONG_THREAD` to a caller from a single-threaded
//! apartment. A thread that has never initialised COM counts as one of the multithreaded apartment as
//! long as that lives, which a thread of this room sees to: it is parked for good.

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use bits_api::Hresult;
use windows::Win32::System::Com::{
    APTTYPE, APTTYPE_MAINSTA, APTTYPE_NA, APTTYPE_STA, APTTYPEQUALIFIER, COINIT_MULTITHREADED, CoGetApartmentType,
    CoInitializeEx,
};

use crate::call::hresult;
use crate::impersonation;

/// Makes sure that there is a multithreaded apartment, for as long as the process lives. What could not be
/// had once may be had the next time.
///
/// # Errors
/// What CoInitializeEx says; `E_OUTOFMEMORY` when there can be no thread.
pub(crate) fn keep_alive() -> Result<(), Hresult> {
    static IS_KEPT: Mutex<bool> = Mutex::new(false);
    let mut is_kept = IS_KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if !*is_kept {
        keep()?;
        *is_kept = true;
    }
    Ok(())
}

fn keep() -> Result<(), Hresult> {
    let (told, entered) = mpsc::sync_channel(1);
    let keeper = thread::Builder::new().name("com-apartment".to_owned()).spawn(move || {
        // SAFETY: the thread is new and has no apartment yet.
        let code = hresult(unsafe { CoInitializeEx(None, COINIT_MULTITHREADED) });
        if told.send(code).is_ok() && !code.is_failure() {
            loop {
                thread::park();
            }
        }
    });
    keeper.map_err(|_| Hresult::E_OUTOFMEMORY)?;
    match entered.recv() {
        Ok(code) if code.is_failure() => Err(code),
        Ok(_) => Ok(()),
        Err(_) => Err(Hresult::E_UNEXPECTED),
    }
}

/// Does `work` where proxies may be used: here, or if this thread has an apartment of its own, on
/// another thread while this one waits, in the name of whomever this one impersonates. A thread of a
/// single-threaded apartment handles no messages meanwhile.
///
/// # Errors
/// Those of `work`; Windows' own when there is no thread, or when it cannot have the token of this one.
pub(crate) fn enter<T: Send>(work: impl FnOnce() -> Result<T, Hresult> + Send) -> Result<T, Hresult> {
    if !is_single_threaded() {
        return work();
    }
    let token = impersonation::of_this_thread()?;
    elsewhere(move || {
        token.as_ref().map_or(Ok(()), impersonation::take_on)?;
        work()
    })?
}

/// Does `work` where proxies may be used, in nobody's name: what asks nothing of the service for
/// anybody.
///
/// # Errors
/// `E_OUTOFMEMORY` when there is no thread to do it.
pub(crate) fn enter_as_anyone<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Hresult> {
    if is_single_threaded() { elsewhere(work) } else { Ok(work()) }
}

fn elsewhere<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Hresult> {
    thread::scope(|scope| {
        let worker = thread::Builder::new().name("com-call".to_owned()).spawn_scoped(scope, work);
        let done = worker.map_err(|_| Hresult::E_OUTOFMEMORY)?.join();
        Ok(done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Whether this thread is in an apartment other than the multithreaded one.
fn is_single_threaded() -> bool {
    let (mut kind, mut qualifier) = (APTTYPE::default(), APTTYPEQUALIFIER::default());
    // SAFETY: both are written to during the call only.
    let known = unsafe { CoGetApartmentType(&raw mut kind, &raw mut qualifier) };
    known.is_ok() && [APTTYPE_STA, APTTYPE_MAINSTA, APTTYPE_NA].contains(&kind)
}
