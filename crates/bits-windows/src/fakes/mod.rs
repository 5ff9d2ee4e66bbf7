//! Objects of BITS that live in this process, for tests of what the BITS at hand does not have: they
//! note what they are called with, hand out known values, and know what was given back.
// What `#[implement]` makes is written that way.
#![allow(clippy::inline_always, clippy::ref_as_ptr)]

mod careless;
mod enumerator;
mod error;
mod file;
mod guarded;
mod job;
mod manager;
mod memory;
mod older;
mod peer_cache;

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use bits_api::Hresult;
use windows::Win32::Foundation::FILETIME;
use windows::Win32::Networking::BackgroundIntelligentTransferService::BG_FILE_RANGE;
use windows::core::{Error, PCWSTR, PWSTR, Result};

use crate::call::windows_hresult;

pub(crate) use self::careless::FakeCareless;
pub(crate) use self::enumerator::{FakeFiles, FakeJobs, FakePeers, FakeRecords};
pub(crate) use self::error::FakeError;
pub(crate) use self::file::FakeFile;
pub(crate) use self::guarded::{Blanket, FakeGuarded};
pub(crate) use self::job::FakeJob;
pub(crate) use self::manager::FakeManager;
use self::memory::Loans;
pub(crate) use self::peer_cache::{FakePeer, FakeRecord};

/// What is behind the objects of a test.
#[derive(Debug)]
pub(crate) struct FakeService {
    answer: Hresult,
    calls: Mutex<Vec<String>>,
    loans: Loans,
}

impl FakeService {
    /// A service whose methods all return `answer`.
    pub(crate) fn answering(answer: Hresult) -> Arc<Self> {
        Arc::new(Self { answer, calls: Mutex::default(), loans: Loans::new() })
    }

    /// The calls since this was asked last.
    pub(crate) fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many strings and arrays were handed out and are not freed.
    pub(crate) fn outstanding(&self) -> usize {
        self.loans.outstanding()
    }

    /// Notes a call. It returns what this is: to the macro's tables another success code than `S_OK`
    /// is an error too.
    fn hear(&self, call: impl Display) -> Result<()> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call.to_string());
        match self.answer {
            Hresult::S_OK => Ok(()),
            code => Err(Error::from_hresult(windows_hresult(code))),
        }
    }

    /// Notes a call that hands out a string.
    fn tell(&self, call: impl Display, text: &str) -> Result<PWSTR> {
        self.hear(call).map(|()| self.text(text))
    }

    /// A string for the caller to free.
    fn text(&self, text: &str) -> PWSTR {
        let wide: Vec<u16> = text.encode_utf16().chain([0]).collect();
        PWSTR(self.loans.lend(&wide))
    }

    /// An array for the caller to free.
    fn bytes(&self, bytes: &[u8]) -> *mut u8 {
        self.loans.lend(bytes)
    }

    /// Hands out parts of a file, each an offset and a length.
    ///
    /// # Safety
    /// Both places are good.
    unsafe fn ranges(&self, told: &[(u64, u64)], count: *mut u32, ranges: *mut *mut BG_FILE_RANGE) {
        let told: Vec<_> =
            told.iter().map(|&(offset, length)| BG_FILE_RANGE { InitialOffset: offset, Length: length }).collect();
        // SAFETY: the caller's word.
        unsafe {
            *count = told.len().try_into().expect("a short list");
            *ranges = self.loans.lend(&told);
        }
    }
}

/// A string that a method was called with.
fn shown(text: PCWSTR) -> String {
    if text.is_null() {
        return "null".to_owned();
    }
    // SAFETY: the caller's string lives during the call.
    format!("{:?}", String::from_utf16_lossy(unsafe { text.as_wide() }))
}

fn filetime(time: u64) -> FILETIME {
    let [low, high] = [time, time >> 32].map(|half| u32::try_from(half & u64::from(u32::MAX)).expect("a half"));
    FILETIME { dwLowDateTime: low, dwHighDateTime: high }
}
