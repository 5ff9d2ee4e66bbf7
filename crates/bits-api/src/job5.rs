//! Properties by number.

use crate::{Hresult, Job4, JobPropertyId, JobPropertyValue, Success};

/// IBackgroundCopyJob5 (5.0; clauses `job5.*`).
pub trait Job5: Job4 {
    /// Replaces a property. The id says which member of the value is read.
    ///
    /// Since 5.0; clauses `job5.set_property.*`.
    ///
    /// # Errors
    /// `BG_E_UNKNOWN_PROPERTY_ID` for an id that this BITS does not know; `E_INVALIDARG` for a
    /// value of another type than the id's (a decision: a union cannot show the mistake);
    /// `BG_E_PROPERTY_SUPPORTED_FOR_DOWNLOAD_JOBS_ONLY`, `BG_E_READ_ONLY_PROPERTY_AFTER_ADDFILE`
    /// and `BG_E_READ_ONLY_PROPERTY_AFTER_RESUME` by the property; `BG_E_INVALID_STATE` in a final
    /// state.
    fn set_property(&self, id: JobPropertyId, value: JobPropertyValue) -> Result<Success, Hresult>;

    /// Reads a property. Since 5.0; clauses `job5.get_property.*`.
    ///
    /// # Errors
    /// `BG_E_UNKNOWN_PROPERTY_ID` for an id that this BITS does not know. A real BITS may know ids that
    /// these traits do not: then `bits-windows` gives a code that is none of Windows', its `UNKNOWN_TYPE`.
    fn property(&self, id: JobPropertyId) -> Result<JobPropertyValue, Hresult>;
}
