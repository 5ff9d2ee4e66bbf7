//! Code of clients, which may panic: their own failure, and nobody else's.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the client's `code` gives; `None` for a panic.
pub(crate) fn guarded<T>(code: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(value) => Some(value),
        Err(payload) => {
            // It is the client's too, and may panic when it is dropped: it never is.
            mem::forget(payload);
            None
        }
    }
}
