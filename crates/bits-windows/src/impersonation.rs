//! In whose name a thread calls.
//!
//! Calls of BITS are made in the name of the calling thread: of whomever it impersonates, else of its
//! process. A call that is made on another thread takes that along.

use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};

use bits_api::Hresult;
use windows::Win32::Foundation::{ERROR_NO_TOKEN, HANDLE};
use windows::Win32::Security::{TOKEN_IMPERSONATE, TOKEN_QUERY};
use windows::Win32::System::Threading::{GetCurrentThread, OpenThreadToken, SetThreadToken};

use crate::call::failure;

/// The token of whomever this thread impersonates, if it does.
///
/// # Errors
/// What Windows says when the token is not to be had: a call must not be made in the name of the
/// process then.
pub(crate) fn of_this_thread() -> Result<Option<OwnedHandle>, Hresult> {
    let mut token = HANDLE::default();
    // SAFETY: the handle of this thread needs no closing; the place for the token lives.
    match unsafe { OpenThreadToken(GetCurrentThread(), TOKEN_IMPERSONATE | TOKEN_QUERY, true, &raw mut token) } {
        // SAFETY: the handle was made for us, and nobody else closes it.
        Ok(()) => Ok(Some(unsafe { OwnedHandle::from_raw_handle(token.0) })),
        Err(error) if error.code() == ERROR_NO_TOKEN.to_hresult() => Ok(None),
        Err(error) => Err(failure(&error)),
    }
}

/// Lets this thread impersonate whom `token` is of, until it ends.
///
/// # Errors
/// What Windows says.
pub(crate) fn take_on(token: &OwnedHandle) -> Result<(), Hresult> {
    // SAFETY: no thread means this one; the token is open.
    unsafe { SetThreadToken(None, Some(HANDLE(token.as_raw_handle()))) }.map_err(|error| failure(&error))
}
