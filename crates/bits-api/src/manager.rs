//! The entry point of BITS.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use crate::{EnumJobs, EnumJobsFlags, Guid, Hresult, Job, JobType, PeerCacheAdministration};

/// A LANGID: the language of a text, as MAKELANGID builds it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LanguageId(pub u32);

impl LanguageId {
    /// English (United States).
    pub const ENGLISH_US: Self = Self(0x0409);
}

/// What [`Manager::create_job`] hands out.
#[derive(Clone, Debug)]
pub struct CreatedJob {
    /// The identifier, the only unique name of the job.
    pub id: Guid,
    /// The job itself.
    pub job: Arc<dyn Job>,
}

/// IBackgroundCopyManager: creates, finds and lists jobs (1.0; clauses `manager.*`).
pub trait Manager: Any + Debug + Send + Sync {
    /// Creates a job, SUSPENDED and without files. The caller becomes its owner.
    ///
    /// `display_name` has at most 256 UTF-16 units and need not be unique.
    /// Since 1.0; clauses `manager.create_job.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for an absent or too long name; `E_NOTIMPL` for a type that is undefined
    /// or that this provider does not have; `BG_E_TOO_MANY_JOBS_PER_USER` and
    /// `BG_E_TOO_MANY_JOBS_PER_MACHINE` when a limit is reached (3.0).
    fn create_job(&self, display_name: Option<&str>, job_type: JobType) -> Result<CreatedJob, Hresult>;

    /// Finds a queued job by its identifier, from whichever process created it.
    ///
    /// Since 1.0; clauses `manager.get_job.*`.
    ///
    /// # Errors
    /// `BG_E_NOT_FOUND` when no such job is in the queue; `E_ACCESSDENIED` when the caller is
    /// neither its owner nor an administrator.
    fn job(&self, id: Guid) -> Result<Arc<dyn Job>, Hresult>;

    /// Lists the queued jobs of the caller, or of every user with
    /// [`EnumJobsFlags::ALL_USERS`]. The list is a snapshot in no promised order; what its jobs
    /// tell of themselves is live.
    ///
    /// Since 1.0; clauses `manager.enum_jobs.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` for all users without administrator rights; `E_NOTIMPL` for undefined
    /// flags (a decision).
    fn enum_jobs(&self, flags: EnumJobsFlags) -> Result<Arc<EnumJobs>, Hresult>;

    /// Queries for IBitsPeerCacheAdministration (3.0; clauses `peer_cache.admin.obtain`).
    ///
    /// # Errors
    /// `E_NOINTERFACE` before BITS 3.0.
    fn peer_cache_administration(&self) -> Result<Arc<dyn PeerCacheAdministration>, Hresult>;

    /// The text of an error code.
    ///
    /// Since 1.0; clauses `manager.get_error_description.*`.
    ///
    /// # Errors
    /// `ERROR_RESOURCE_LANG_NOT_FOUND` (as HRESULT) when there is no text in that language;
    /// `ERROR_MR_MID_NOT_FOUND` (as HRESULT) for an unknown code (a decision).
    fn error_description(&self, code: Hresult, language: LanguageId) -> Result<String, Hresult>;
}
