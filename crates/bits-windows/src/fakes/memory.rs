//! Memory of COM's allocator that is watched until it is freed.

use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::copy_nonoverlapping;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError};

use windows::Win32::System::Com::{CoRegisterMallocSpy, CoTaskMemAlloc, IMallocSpy, IMallocSpy_Impl};
use windows::core::{BOOL, implement};

/// Whose each piece of memory is that was lent and not freed yet, by its address.
static LENT: Mutex<Option<HashMap<usize, Arc<AtomicUsize>>>> = Mutex::new(None);

fn with_lent<T>(look: impl FnOnce(&mut HashMap<usize, Arc<AtomicUsize>>) -> T) -> T {
    look(LENT.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

/// Counts what a service hands out and what of it is freed.
#[derive(Debug)]
pub(crate) struct Loans(Arc<AtomicUsize>);

impl Loans {
    pub(crate) fn new() -> Self {
        static WATCH: Once = Once::new();
        WATCH.call_once(|| {
            let watcher: IMallocSpy = Watcher.into();
            // SAFETY: COM takes a reference of its own.
            unsafe { CoRegisterMallocSpy(&watcher) }.expect("nobody else watches COM's allocator");
        });
        Self(Arc::default())
    }

    /// A copy of `elements` for a caller of COM, who is to free it.
    pub(crate) fn lend<T: Copy>(&self, elements: &[T]) -> *mut T {
        // SAFETY: an allocation of this size may fail and does nothing else.
        let copy: *mut T = unsafe { CoTaskMemAlloc(size_of_val(elements)) }.cast();
        assert!(!copy.is_null());
        // SAFETY: there is room for all elements, and nobody else has it.
        unsafe { copy_nonoverlapping(elements.as_ptr(), copy, elements.len()) };
        self.0.fetch_add(1, Ordering::SeqCst);
        with_lent(|lent| lent.insert(copy as usize, Arc::clone(&self.0)));
        copy
    }

    pub(crate) fn outstanding(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// Sees what COM's allocator is asked for, and changes nothing.
#[implement(IMallocSpy)]
struct Watcher;

impl IMallocSpy_Impl for Watcher_Impl {
    fn PreAlloc(&self, size: usize) -> usize {
        size
    }

    fn PostAlloc(&self, memory: *const c_void) -> *mut c_void {
        memory.cast_mut()
    }

    fn PreFree(&self, memory: *const c_void, _: BOOL) -> *mut c_void {
        if let Some(lender) = with_lent(|lent| lent.remove(&(memory as usize))) {
            lender.fetch_sub(1, Ordering::SeqCst);
        }
        memory.cast_mut()
    }

    fn PostFree(&self, _: BOOL) {}

    fn PreRealloc(&self, memory: *const c_void, size: usize, same: *mut *mut c_void, _: BOOL) -> usize {
        // SAFETY: the place is the allocator's, and lives during the call.
        unsafe { *same = memory.cast_mut() };
        size
    }

    fn PostRealloc(&self, memory: *const c_void, _: BOOL) -> *mut c_void {
        memory.cast_mut()
    }

    fn PreGetSize(&self, memory: *const c_void, _: BOOL) -> *mut c_void {
        memory.cast_mut()
    }

    fn PostGetSize(&self, size: usize, _: BOOL) -> usize {
        size
    }

    fn PreDidAlloc(&self, memory: *const c_void, _: BOOL) -> *mut c_void {
        memory.cast_mut()
    }

    fn PostDidAlloc(&self, _: *const c_void, _: BOOL, is_allocated: i32) -> i32 {
        is_allocated
    }

    fn PreHeapMinimize(&self) {}

    fn PostHeapMinimize(&self) {}
}
