//! Objects of an older BITS: they do not say of every interface that they have it.

use std::ffi::c_void;
use std::mem;
use std::ptr;

use windows::Win32::Foundation::E_NOINTERFACE;
use windows::core::{GUID, HRESULT, IUnknown, IUnknown_Vtbl, Interface};

type Query = unsafe extern "system" fn(*mut c_void, *const GUID, *mut *mut c_void) -> HRESULT;

/// A table in place of the whole one.
#[repr(C)]
struct Limited<T> {
    whole: T,
    query: Query,
    interfaces: Vec<GUID>,
}

/// Leaves `object`, of which there must be no other reference, only these interfaces.
pub(super) fn limit<I: Interface>(object: &I, interfaces: Vec<GUID>) {
    // SAFETY: a table is plain addresses of functions.
    let mut whole: I::Vtable = unsafe { ptr::read(object.vtable()) };
    // SAFETY: every table begins with that of IUnknown.
    let unknown = unsafe { &mut *(&raw mut whole).cast::<IUnknown_Vtbl>() };
    let query = mem::replace(&mut unknown.QueryInterface, Limited::<I::Vtable>::query);
    let limited: *const Limited<I::Vtable> = Box::leak(Box::new(Limited { whole, query, interfaces }));
    // SAFETY: an interface begins with the address of its table; nobody else has this object yet.
    unsafe { *object.as_raw().cast::<*const Limited<I::Vtable>>() = limited };
}

impl<T> Limited<T> {
    unsafe extern "system" fn query(this: *mut c_void, id: *const GUID, object: *mut *mut c_void) -> HRESULT {
        // SAFETY: whoever calls this has an object with this table, and the identifier lives.
        let (table, asked) = unsafe { (&**this.cast::<*const Self>(), *id) };
        if asked == IUnknown::IID || table.interfaces.contains(&asked) {
            // SAFETY: as above.
            return unsafe { (table.query)(this, id, object) };
        }
        // SAFETY: the caller's place.
        unsafe { *object = ptr::null_mut() };
        E_NOINTERFACE
    }
}
