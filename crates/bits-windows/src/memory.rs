//! What calls of COM take and hand out by pointer: strings, arrays, interfaces.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::null_mut;
use std::slice;

use bits_api::Hresult;
use windows::Win32::System::Com::CoTaskMemFree;
use windows::core::{Interface, PCWSTR, PWSTR};
use zeroize::Zeroizing;

use crate::call::{Argument, List};
use crate::proxy::Proxy;

/// A string on its way to COM: wide and with a terminator, or absent. It is wiped when it is no longer
/// needed, as it may be a password.
pub(crate) struct Text(Option<Zeroizing<Vec<u16>>>);

impl Text {
    /// # Errors
    /// `E_INVALIDARG` for a string with a NUL inside: COM would cut it there.
    pub(crate) fn new(text: Option<&str>) -> Result<Self, Hresult> {
        if text.is_some_and(|text| text.contains('\0')) {
            return Err(Hresult::E_INVALIDARG);
        }
        Ok(Self(text.map(|text| {
            // Room for all from the start: a vector that grows leaves copies behind.
            let mut wide = Zeroizing::new(Vec::with_capacity(text.len() + 1));
            wide.extend(text.encode_utf16().chain([0]));
            wide
        })))
    }

    /// The pointer, null if the string is absent. Good as long as `self` lives.
    pub(crate) fn pointer(&self) -> PCWSTR {
        self.0.as_ref().map_or(PCWSTR::null(), |wide| PCWSTR(wide.as_ptr()))
    }

    /// The same for a structure that says that its strings can be written to, of which a call makes no
    /// use.
    pub(crate) fn writable(&self) -> PWSTR {
        PWSTR(self.pointer().0.cast_mut())
    }

    pub(crate) fn is_absent(&self) -> bool {
        self.0.is_none()
    }
}

// SAFETY: null, or a string with a terminator that lives during the call.
unsafe impl Argument for &Text {
    type Raw = PCWSTR;

    fn raw(self) -> PCWSTR {
        self.pointer()
    }
}

/// Bytes on their way to COM.
pub(crate) struct Bytes<'a> {
    bytes: &'a [u8],
    count: u32,
}

impl<'a> Bytes<'a> {
    /// # Errors
    /// `E_INVALIDARG` for more of them than COM can count.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Hresult> {
        let count = u32::try_from(bytes.len()).map_err(|_| Hresult::E_INVALIDARG)?;
        Ok(Self { bytes, count })
    }
}

// SAFETY: the count is that of the very slice.
unsafe impl List for Bytes<'_> {
    type Element = u8;

    fn count(&self) -> u32 {
        self.count
    }

    fn first(&self) -> *const u8 {
        self.bytes.as_ptr()
    }
}

/// A string that a call hands out.
pub(crate) struct TextOut(PWSTR);

// SAFETY: memory of COM's allocator may be read and freed by any thread.
unsafe impl Send for TextOut {}

impl TextOut {
    pub(crate) fn new() -> Self {
        Self(PWSTR::null())
    }

    /// The string; `None` if the call has handed out none. What is no Unicode is replaced.
    pub(crate) fn text(&self) -> Option<String> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: a string that was handed out has a terminator, and is ours until it is freed.
        Some(String::from_utf16_lossy(unsafe { self.0.as_wide() }))
    }
}

/// A string of COM's allocator that is nobody else's.
impl From<PWSTR> for TextOut {
    fn from(text: PWSTR) -> Self {
        Self(text)
    }
}

// SAFETY: a place for one pointer, which lives and is exclusive during the call.
unsafe impl Argument for &mut TextOut {
    type Raw = *mut PWSTR;

    fn raw(self) -> *mut PWSTR {
        &raw mut self.0
    }
}

impl Drop for TextOut {
    fn drop(&mut self) {
        // SAFETY: the string is null or of COM's allocator, and nobody else frees it.
        unsafe { CoTaskMemFree(Some(self.0.0.cast_const().cast())) };
    }
}

/// An array that a call hands out.
pub(crate) struct ArrayOut<T: Copy>(*mut T);

// SAFETY: memory of COM's allocator may be read and freed by any thread.
unsafe impl<T: Copy + Send> Send for ArrayOut<T> {}

impl<T: Copy> ArrayOut<T> {
    pub(crate) fn new() -> Self {
        Self(null_mut())
    }

    /// Copies the elements; `None` if the call has handed out no array.
    ///
    /// # Safety
    /// If the call has handed out an array, it has at least `count` elements.
    pub(crate) unsafe fn elements(&self, count: usize) -> Option<Vec<T>> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: the caller knows the number; the array is ours until it is freed.
        Some(unsafe { slice::from_raw_parts(self.0, count) }.to_vec())
    }
}

// SAFETY: a place for one pointer, which lives and is exclusive during the call.
unsafe impl<T: Copy> Argument for &mut ArrayOut<T> {
    type Raw = *mut *mut T;

    fn raw(self) -> *mut *mut T {
        &raw mut self.0
    }
}

impl<T: Copy> Drop for ArrayOut<T> {
    fn drop(&mut self) {
        // SAFETY: the array is null or of COM's allocator, and nobody else frees it.
        unsafe { CoTaskMemFree(Some(self.0.cast_const().cast())) };
    }
}

/// An interface that a call hands out. The table says `*mut c_void` of each: that it is an `I`, whoever
/// calls must have from the method's documentation.
pub(crate) struct ObjectOut<I: Interface> {
    pointer: *mut c_void,
    interface: PhantomData<I>,
}

// SAFETY: the pointer is used in the multithreaded apartment only, as that of a proxy.
unsafe impl<I: Interface> Send for ObjectOut<I> {}

impl<I: Interface> ObjectOut<I> {
    pub(crate) fn new() -> Self {
        Self { pointer: null_mut(), interface: PhantomData }
    }

    /// The object; `None` if the call has handed out none.
    pub(crate) fn take(&mut self) -> Option<Proxy<I>> {
        let pointer = std::mem::replace(&mut self.pointer, null_mut());
        // SAFETY: `I` is the kind that the method documents (which each caller answers for, as `Proxy::call`
        // says), and the call has handed out one reference with it, which is passed on.
        (!pointer.is_null()).then(|| Proxy::new(unsafe { I::from_raw(pointer) }))
    }
}

// SAFETY: a place for one pointer, which lives and is exclusive during the call.
unsafe impl<I: Interface> Argument for &mut ObjectOut<I> {
    type Raw = *mut *mut c_void;

    fn raw(self) -> *mut *mut c_void {
        &raw mut self.pointer
    }
}

impl<I: Interface> Drop for ObjectOut<I> {
    fn drop(&mut self) {
        drop(self.take());
    }
}
