//! Walking over jobs and files.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use crate::{File, Hresult, Job, Success};

/// IEnumBackgroundCopyJobs (1.0; clauses `enum_jobs.*`).
pub type EnumJobs = dyn Enumerator<dyn Job>;

/// IEnumBackgroundCopyFiles (1.0; clauses `enum_files.*`).
pub type EnumFiles = dyn Enumerator<dyn File>;

/// What [`Enumerator::next`] hands out.
#[derive(Debug)]
pub struct Fetched<T: ?Sized> {
    /// `S_OK` when as many items came as were asked for, else `S_FALSE`.
    pub success: Success,
    /// The items.
    pub items: Vec<Arc<T>>,
}

/// A position in a snapshot of live objects.
pub trait Enumerator<T: ?Sized>: Any + Debug + Send + Sync {
    /// Hands out the next `count` items and moves past them. Since 1.0; clauses `enum_*.next.*`.
    ///
    /// # Errors
    /// None of its own; too few items are `S_FALSE`.
    fn next(&self, count: u32) -> Result<Fetched<T>, Hresult>;

    /// Moves past `count` items: `S_OK`, or `S_FALSE` when fewer were left. Since 1.0; clauses
    /// `enum_*.skip.*`.
    ///
    /// # Errors
    /// None of its own.
    fn skip(&self, count: u32) -> Result<Success, Hresult>;

    /// Goes back to the first item; the snapshot stays the same. Since 1.0; clauses
    /// `enum_*.reset.*`.
    ///
    /// # Errors
    /// None of its own.
    fn reset(&self) -> Result<Success, Hresult>;

    /// A new enumerator over the same items at the same position. Since 1.0; clauses
    /// `enum_*.clone.*`.
    ///
    /// # Errors
    /// None of its own.
    fn clone_enumerator(&self) -> Result<Arc<dyn Enumerator<T>>, Hresult>;

    /// The number of items in the snapshot, wherever the position is. Since 1.0; clauses
    /// `enum_*.get_count.*`.
    ///
    /// # Errors
    /// None of its own.
    fn count(&self) -> Result<u32, Hresult>;
}
