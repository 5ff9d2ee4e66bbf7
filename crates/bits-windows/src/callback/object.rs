//! Our traits as an object of COM.
//!
//! Made by hand, since the `windows` crate's macro cannot do two things that BITS' clients may:
//! decide at run time which interfaces an object has, and return a success code of their own.
//!
//! The object begins with one table for each interface, so that an interface is the address of its
//! table in the object. COM calls on any thread, several at a time. A panic of the client must not
//! cross COM: it is [`Hresult::E_UNEXPECTED`].

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::{mem, slice};

use bits_api::{
    Callback, Callback2, Callback3, Hresult, ServerCertificate, ServerCertificateValidationCallback, Success, Unknown,
};
use windows::Win32::Foundation::{E_NOINTERFACE, E_POINTER, S_OK};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{GUID, HRESULT, IUnknown, IUnknown_Vtbl, Interface};

use crate::call::windows_hresult;
use crate::error::ErrorHandle;
use crate::file::FileHandle;
use crate::job::JobHandle;
use crate::proxy::Proxy;
use crate::ranges;

/// The places of the interfaces in the object. IUnknown is the first one.
const CALLBACK: usize = 0;
const CALLBACK2: usize = 1;
const CALLBACK3: usize = 2;
const VALIDATION: usize = 3;

#[repr(C)]
struct Object {
    tables: [*const c_void; 4],
    references: AtomicU32,
    /// What is behind each interface. They are asked for once: an object of COM must not change its
    /// mind about them.
    jobs: [Option<Arc<dyn Callback>>; 3],
    files: [Option<Arc<dyn Callback2>>; 2],
    ranges: Option<Arc<dyn Callback3>>,
    validation: Option<Arc<dyn ServerCertificateValidationCallback>>,
    registered: Arc<dyn Unknown>,
}

struct Tables {
    callback: bits::IBackgroundCopyCallback_Vtbl,
    callback2: bits::IBackgroundCopyCallback2_Vtbl,
    callback3: bits::IBackgroundCopyCallback3_Vtbl,
    validation: bits::IBackgroundCopyServerCertificateValidationCallback_Vtbl,
}

static TABLES: Tables = Tables {
    callback: jobs::<CALLBACK>(),
    callback2: files::<CALLBACK2>(),
    callback3: bits::IBackgroundCopyCallback3_Vtbl {
        base__: files::<CALLBACK3>(),
        FileRangesTransferred: file_ranges_transferred,
    },
    validation: bits::IBackgroundCopyServerCertificateValidationCallback_Vtbl {
        base__: unknown::<VALIDATION>(),
        ValidateServerCertificate: validate_server_certificate,
    },
};

const fn unknown<const PLACE: usize>() -> IUnknown_Vtbl {
    IUnknown_Vtbl { QueryInterface: query::<PLACE>, AddRef: add_reference::<PLACE>, Release: release::<PLACE> }
}

const fn jobs<const PLACE: usize>() -> bits::IBackgroundCopyCallback_Vtbl {
    bits::IBackgroundCopyCallback_Vtbl {
        base__: unknown::<PLACE>(),
        JobTransferred: job_transferred::<PLACE>,
        JobError: job_error::<PLACE>,
        JobModification: job_modification::<PLACE>,
    }
}

const fn files<const PLACE: usize>() -> bits::IBackgroundCopyCallback2_Vtbl {
    bits::IBackgroundCopyCallback2_Vtbl { base__: jobs::<PLACE>(), FileTransferred: file_transferred::<PLACE> }
}

/// An object of COM with one reference, which has the interfaces that `registered` has.
pub(super) fn new(registered: Arc<dyn Unknown>) -> IUnknown {
    let (callback, callback2, callback3) = (registered.callback(), registered.callback2(), registered.callback3());
    let object = Box::new(Object {
        tables: [
            (&raw const TABLES.callback).cast(),
            (&raw const TABLES.callback2).cast(),
            (&raw const TABLES.callback3).cast(),
            (&raw const TABLES.validation).cast(),
        ],
        references: AtomicU32::new(1),
        jobs: [
            callback,
            callback2.clone().map(|callback| callback as Arc<dyn Callback>),
            callback3.clone().map(|callback| callback as Arc<dyn Callback>),
        ],
        files: [callback2, callback3.clone().map(|callback| callback as Arc<dyn Callback2>)],
        ranges: callback3,
        validation: registered.server_certificate_validation(),
        registered,
    });
    // SAFETY: the first table begins with IUnknown's, and the object has a reference to pass on.
    unsafe { IUnknown::from_raw(Box::into_raw(object).cast()) }
}

/// What was registered, if `identity` is the IUnknown of an object that was made here.
pub(super) fn ours(identity: &IUnknown) -> Option<Arc<dyn Unknown>> {
    let this = identity.as_raw();
    // SAFETY: every object of COM begins with the address of its table.
    let table = unsafe { this.cast::<*const c_void>().read() };
    let is_ours = std::ptr::eq(table, (&raw const TABLES.callback).cast());
    // SAFETY: only objects that were made here have this table.
    is_ours.then(|| Arc::clone(&unsafe { behind::<CALLBACK>(this) }.registered))
}

impl Object {
    /// Where an interface is, if the object has it.
    fn place(&self, interface: &GUID) -> Option<usize> {
        let places = [
            (IUnknown::IID, CALLBACK, true),
            (bits::IBackgroundCopyCallback::IID, CALLBACK, self.jobs[CALLBACK].is_some()),
            (bits::IBackgroundCopyCallback2::IID, CALLBACK2, self.jobs[CALLBACK2].is_some()),
            (bits::IBackgroundCopyCallback3::IID, CALLBACK3, self.jobs[CALLBACK3].is_some()),
            (bits::IBackgroundCopyServerCertificateValidationCallback::IID, VALIDATION, self.validation.is_some()),
        ];
        places.into_iter().find(|(known, _, has)| known == interface && *has).map(|(_, place, _)| place)
    }
}

/// The object that an interface belongs to.
///
/// # Safety
/// `this` is the interface at `PLACE` of an object that was made here and lives for `'a`.
unsafe fn behind<'a, const PLACE: usize>(this: *mut c_void) -> &'a Object {
    // SAFETY: the tables are the first fields, and this is the address of the one at `PLACE`.
    unsafe { &*this.cast::<*const c_void>().sub(PLACE).cast::<Object>() }
}

unsafe extern "system" fn query<const PLACE: usize>(
    this: *mut c_void,
    interface: *const GUID,
    handed_out: *mut *mut c_void,
) -> HRESULT {
    if interface.is_null() || handed_out.is_null() {
        return E_POINTER;
    }
    // SAFETY: this method is in the table at `PLACE` only, and COM holds a reference while it calls.
    let object = unsafe { behind::<PLACE>(this) };
    // SAFETY: COM's caller gives one identifier, and a place for one pointer.
    let (interface, handed_out) = unsafe { (&*interface, &mut *handed_out) };
    let Some(place) = object.place(interface) else {
        *handed_out = null_mut();
        return E_NOINTERFACE;
    };
    object.references.fetch_add(1, Ordering::Relaxed);
    *handed_out = this.cast::<*const c_void>().wrapping_sub(PLACE).wrapping_add(place).cast();
    S_OK
}

unsafe extern "system" fn add_reference<const PLACE: usize>(this: *mut c_void) -> u32 {
    // SAFETY: as in `query`.
    unsafe { behind::<PLACE>(this) }.references.fetch_add(1, Ordering::Relaxed) + 1
}

unsafe extern "system" fn release<const PLACE: usize>(this: *mut c_void) -> u32 {
    // SAFETY: as in `query`.
    let left = unsafe { behind::<PLACE>(this) }.references.fetch_sub(1, Ordering::Release) - 1;
    if left == 0 {
        fence(Ordering::Acquire);
        let object = this.cast::<*const c_void>().wrapping_sub(PLACE).cast::<Object>();
        // SAFETY: that was the last reference to what `new` has made as a box.
        let object = unsafe { Box::from_raw(object) };
        // What a client does when it is dropped is its own.
        _ = guarded(|| drop(object));
    }
    left
}

unsafe extern "system" fn job_transferred<const PLACE: usize>(this: *mut c_void, job: *mut c_void) -> HRESULT {
    answer(|| {
        // SAFETY: as in `query`; the argument is what the signature says.
        let (object, job) = unsafe { (behind::<PLACE>(this), lent(job)?) };
        with(object.jobs[PLACE].as_ref())?.job_transferred(JobHandle::arc(job))
    })
}

unsafe extern "system" fn job_error<const PLACE: usize>(
    this: *mut c_void,
    job: *mut c_void,
    error: *mut c_void,
) -> HRESULT {
    answer(|| {
        // SAFETY: as in `query`; the arguments are what the signature says.
        let (object, job, error) = unsafe { (behind::<PLACE>(this), lent(job)?, lent(error)?) };
        with(object.jobs[PLACE].as_ref())?.job_error(JobHandle::arc(job), Arc::new(ErrorHandle(error)))
    })
}

unsafe extern "system" fn job_modification<const PLACE: usize>(
    this: *mut c_void,
    job: *mut c_void,
    _reserved: u32,
) -> HRESULT {
    answer(|| {
        // SAFETY: as in `query`; the argument is what the signature says.
        let (object, job) = unsafe { (behind::<PLACE>(this), lent(job)?) };
        with(object.jobs[PLACE].as_ref())?.job_modification(JobHandle::arc(job))
    })
}

unsafe extern "system" fn file_transferred<const PLACE: usize>(
    this: *mut c_void,
    job: *mut c_void,
    file: *mut c_void,
) -> HRESULT {
    answer(|| {
        // SAFETY: as in `query`; the arguments are what the signature says.
        let (object, job, file) = unsafe { (behind::<PLACE>(this), lent(job)?, lent(file)?) };
        with(object.files[PLACE - CALLBACK2].as_ref())?.file_transferred(JobHandle::arc(job), FileHandle::arc(file))
    })
}

unsafe extern "system" fn file_ranges_transferred(
    this: *mut c_void,
    job: *mut c_void,
    file: *mut c_void,
    count: u32,
    ranges: *const bits::BG_FILE_RANGE,
) -> HRESULT {
    answer(|| {
        // SAFETY: as in `query`; the arguments are what the signature says.
        let (object, job, file) = unsafe { (behind::<CALLBACK3>(this), lent(job)?, lent(file)?) };
        // SAFETY: the array is as long as the count says, until this call returns.
        let ranges = ranges::ours(unsafe { elements(ranges, count) });
        with(object.ranges.as_ref())?.file_ranges_transferred(JobHandle::arc(job), FileHandle::arc(file), &ranges)
    })
}

unsafe extern "system" fn validate_server_certificate(
    this: *mut c_void,
    job: *mut c_void,
    file: *mut c_void,
    certificate_length: u32,
    certificate: *const u8,
    encoding: u32,
    store_length: u32,
    store: *const u8,
) -> HRESULT {
    answer(|| {
        // SAFETY: as in `query`; the arguments are what the signature says.
        let (object, job, file) = unsafe { (behind::<VALIDATION>(this), lent(job)?, lent(file)?) };
        // SAFETY: both are as long as their lengths say, until this call returns.
        let (certificate, store) =
            unsafe { (elements(certificate, certificate_length), elements(store, store_length)) };
        let server = ServerCertificate { certificate, encoding, store };
        with(object.validation.as_ref())?.validate_server_certificate(
            JobHandle::arc(job),
            FileHandle::arc(file),
            &server,
        )
    })
}

/// Lets the client answer.
fn answer(client: impl FnOnce() -> Result<Success, Hresult>) -> HRESULT {
    let answer = guarded(client).unwrap_or(Err(Hresult::E_UNEXPECTED));
    windows_hresult(answer.map_or_else(|code| code, Success::hresult))
}

/// What the client's `work` gives; `None` for a panic.
fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(value) => Some(value),
        Err(payload) => {
            // It is the client's too, and may panic when it is dropped: it never is.
            mem::forget(payload);
            None
        }
    }
}

/// An argument with a reference of its own: the client may keep it.
///
/// # Safety
/// `argument` is null or an interface `I` that lives during the call.
unsafe fn lent<I: Interface>(argument: *mut c_void) -> Result<Proxy<I>, Hresult> {
    // SAFETY: the caller's word.
    let argument = unsafe { I::from_raw_borrowed(&argument) };
    argument.cloned().map(Proxy::new).ok_or(Hresult::E_POINTER)
}

/// What is behind an interface that QueryInterface has handed out.
fn with<T: ?Sized>(callback: Option<&Arc<T>>) -> Result<&T, Hresult> {
    callback.map(|callback| &**callback).ok_or(Hresult::E_NOINTERFACE)
}

/// The elements of an array that BITS lends.
///
/// # Safety
/// `first` is null or the first of `count` elements that live for `'a`.
unsafe fn elements<'a, T>(first: *const T, count: u32) -> &'a [T] {
    if first.is_null() {
        return &[];
    }
    // SAFETY: the caller's word.
    unsafe { slice::from_raw_parts(first, count as usize) }
}
