//! Calls of COM: what goes in, and the code that comes back.
//!
//! The methods of the `windows` crate turn success codes into plain success. Calls go through the
//! table of the interface instead, with arguments that are good by their types: [`Argument`].

use std::ffi::c_void;

use bits_api::{FileTime, Guid, Hresult, Success};
use windows::Win32::Foundation::FILETIME;
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{BOOL, GUID, HRESULT};

/// Something that a method of COM takes.
///
/// # Safety
/// A pointer in `Raw` is good for what the method does with it, at least as long as `self` lives.
pub(crate) unsafe trait Argument {
    /// What the method's signature says.
    type Raw;

    fn raw(self) -> Self::Raw;
}

/// Plain values go in by value, and come out into a place of their own.
macro_rules! plain {
    ($($type:ty),* $(,)?) => { $(
        // SAFETY: there is no pointer in it.
        unsafe impl Argument for $type {
            type Raw = Self;

            fn raw(self) -> Self {
                self
            }
        }

        // SAFETY: a place for one value, which lives and is exclusive during the call.
        unsafe impl Argument for &mut $type {
            type Raw = *mut $type;

            fn raw(self) -> *mut $type {
                self
            }
        }
    )* };
}

plain!(
    u32,
    u64,
    BOOL,
    FILETIME,
    GUID,
    HRESULT,
    bits::BITS_FILE_PROPERTY_ID,
    bits::BG_AUTH_SCHEME,
    bits::BG_AUTH_TARGET,
    bits::BG_CERT_STORE_LOCATION,
    bits::BG_ERROR_CONTEXT,
    bits::BG_FILE_PROGRESS,
    bits::BG_JOB_PRIORITY,
    bits::BG_JOB_PROGRESS,
    bits::BG_JOB_PROXY_USAGE,
    bits::BG_JOB_REPLY_PROGRESS,
    bits::BG_JOB_STATE,
    bits::BG_JOB_TIMES,
    bits::BG_JOB_TYPE,
    bits::BG_TOKEN,
    bits::BITS_JOB_PROPERTY_ID,
    bits::BITS_JOB_PROPERTY_VALUE,
);

// SAFETY: one identifier that lives during the call.
unsafe impl Argument for &GUID {
    type Raw = *const GUID;

    fn raw(self) -> *const GUID {
        self
    }
}

/// The SHA-1 of a certificate: the pointer carries no length, so there is no other.
pub(crate) type Hash = [u8; 20];

// SAFETY: null, or all the bytes that a method with such an argument reads, which live during the call.
unsafe impl Argument for Option<&Hash> {
    type Raw = *const u8;

    fn raw(self) -> *const u8 {
        self.map_or(std::ptr::null(), |hash| hash.as_ptr())
    }
}

/// A list that a method takes as two arguments, how many there are and where the first one is. Here it is
/// one, so that they cannot disagree.
///
/// # Safety
/// Behind `first` are as many elements as `count` says, at least as long as `self` lives.
pub(crate) unsafe trait List {
    type Element;

    fn count(&self) -> u32;

    fn first(&self) -> *const Self::Element;
}

/// A method in the table of an interface, with the arguments `A` after the object.
pub(crate) trait Method<A> {
    /// # Safety
    /// `this` is an object whose table has this method.
    unsafe fn call(self, this: *mut c_void, arguments: A) -> HRESULT;
}

macro_rules! methods {
    ($(($($argument:ident),*))*) => { $(
        impl<$($argument: Argument),*> Method<($($argument,)*)>
            for unsafe extern "system" fn(*mut c_void, $($argument::Raw),*) -> HRESULT
        {
            #[allow(non_snake_case)]
            unsafe fn call(self, this: *mut c_void, ($($argument,)*): ($($argument,)*)) -> HRESULT {
                // SAFETY: the object is the caller's word, the arguments are good by their types.
                unsafe { self(this, $($argument.raw()),*) }
            }
        }
    )* };
}

methods!(()(A)(A, B)(A, B, C)(A, B, C, D));

impl<L: List> Method<(L,)> for unsafe extern "system" fn(*mut c_void, u32, *const L::Element) -> HRESULT {
    unsafe fn call(self, this: *mut c_void, (list,): (L,)) -> HRESULT {
        // SAFETY: the object is the caller's word, the arguments are good by their types.
        unsafe { self(this, list.count(), list.first()) }
    }
}

impl<A: Argument, B: Argument, L: List> Method<(A, B, L)>
    for unsafe extern "system" fn(*mut c_void, A::Raw, B::Raw, u32, *const L::Element) -> HRESULT
{
    unsafe fn call(self, this: *mut c_void, (a, b, list): (A, B, L)) -> HRESULT {
        // SAFETY: as above.
        unsafe { self(this, a.raw(), b.raw(), list.count(), list.first()) }
    }
}

/// Where the one list ends and the other begins, there is a plain number.
impl<A: Argument, B: Argument, L: List, M: List> Method<(A, B, L, u32, M)>
    for unsafe extern "system" fn(
        *mut c_void,
        A::Raw,
        B::Raw,
        u32,
        *const L::Element,
        u32,
        u32,
        *const M::Element,
    ) -> HRESULT
{
    unsafe fn call(self, this: *mut c_void, (a, b, first, number, second): (A, B, L, u32, M)) -> HRESULT {
        // SAFETY: as above.
        unsafe { self(this, a.raw(), b.raw(), first.count(), first.first(), number, second.count(), second.first()) }
    }
}

/// Windows' code as ours.
pub(crate) fn hresult(code: HRESULT) -> Hresult {
    Hresult(code.0.cast_unsigned())
}

/// Our code as Windows'.
pub(crate) fn windows_hresult(code: Hresult) -> HRESULT {
    HRESULT(code.0.cast_signed())
}

/// What a call came to, with its success code.
pub(crate) fn success(code: HRESULT) -> Result<Success, Hresult> {
    Success::new(hresult(code))
}

/// The code in an error of the `windows` crate.
pub(crate) fn failure(error: &windows::core::Error) -> Hresult {
    hresult(error.code())
}

/// Windows' identifier as ours.
pub(crate) fn guid(guid: GUID) -> Guid {
    Guid::from_u128(guid.to_u128())
}

/// Our identifier as Windows'.
pub(crate) fn windows_guid(guid: Guid) -> GUID {
    GUID::from_u128(guid.as_u128())
}

/// Windows' time as ours.
pub(crate) fn file_time(time: FILETIME) -> FileTime {
    FileTime(u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime))
}
