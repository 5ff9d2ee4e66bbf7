//! What a client implements to be told of events.

use std::any::Any;
use std::sync::Arc;

use crate::{File, FileRange, Hresult, Job, JobError, ServerCertificateValidationCallback, Success};

/// IUnknown as far as BITS needs it: asks an object of the client which callbacks it has.
///
/// [`callback_object`], [`callback2_object`] and [`callback3_object`] make one from a callback.
pub trait Unknown: Any + Send + Sync {
    /// Queries for IBackgroundCopyCallback.
    fn callback(&self) -> Option<Arc<dyn Callback>> {
        None
    }

    /// Queries for IBackgroundCopyCallback2.
    fn callback2(&self) -> Option<Arc<dyn Callback2>> {
        None
    }

    /// Queries for IBackgroundCopyCallback3.
    fn callback3(&self) -> Option<Arc<dyn Callback3>> {
        None
    }

    /// Queries for IBackgroundCopyServerCertificateValidationCallback.
    fn server_certificate_validation(&self) -> Option<Arc<dyn ServerCertificateValidationCallback>> {
        None
    }
}

/// IBackgroundCopyCallback (1.0; clauses `callback.*`).
///
/// Methods may call back into BITS, sleep or panic; a panic counts as `E_UNEXPECTED`. At most
/// four callbacks of one user run at a time.
pub trait Callback: Send + Sync {
    /// Every file of the job has been transferred. Called again until it returns `S_OK`; clauses
    /// `callback.job_transferred.*`.
    ///
    /// # Errors
    /// Whatever the client wants; BITS then calls again later.
    fn job_transferred(&self, job: Arc<dyn Job>) -> Result<Success, Hresult>;

    /// The job has failed for good. Called again until it returns `S_OK`; clauses
    /// `callback.job_error.*`.
    ///
    /// # Errors
    /// Whatever the client wants; BITS then calls again later.
    fn job_error(&self, job: Arc<dyn Job>, error: Arc<dyn JobError>) -> Result<Success, Hresult>;

    /// A property, the state or the progress has changed. Not repeated, and may be dropped;
    /// clauses `callback.job_modification.*`.
    ///
    /// # Errors
    /// Ignored.
    fn job_modification(&self, job: Arc<dyn Job>) -> Result<Success, Hresult>;
}

/// IBackgroundCopyCallback2 (3.0; clauses `callback2.*`).
pub trait Callback2: Callback {
    /// One file of the job has been transferred. Called again while it returns a failure;
    /// clauses `callback2.file_transferred.*`.
    ///
    /// # Errors
    /// Whatever the client wants; BITS then calls again later.
    fn file_transferred(&self, job: Arc<dyn Job>, file: Arc<dyn File>) -> Result<Success, Hresult>;
}

/// IBackgroundCopyCallback3 (10.1; clauses `callback3.*`).
pub trait Callback3: Callback2 {
    /// Parts of a file have arrived since the last such call. Not repeated, and no more often than
    /// the job's MINIMUM_NOTIFICATION_INTERVAL_MS says; clauses
    /// `callback3.file_ranges_transferred.*`.
    ///
    /// # Errors
    /// Ignored.
    fn file_ranges_transferred(
        &self,
        job: Arc<dyn Job>,
        file: Arc<dyn File>,
        ranges: &[FileRange],
    ) -> Result<Success, Hresult>;
}

/// An object that answers queries for [`Callback`] with `callback`.
pub fn callback_object(callback: Arc<dyn Callback>) -> Arc<dyn Unknown> {
    Arc::new(Version1(callback))
}

/// An object that answers queries for [`Callback`] and [`Callback2`] with `callback`.
pub fn callback2_object(callback: Arc<dyn Callback2>) -> Arc<dyn Unknown> {
    Arc::new(Version2(callback))
}

/// An object that answers queries for [`Callback`], [`Callback2`] and [`Callback3`] with
/// `callback`.
pub fn callback3_object(callback: Arc<dyn Callback3>) -> Arc<dyn Unknown> {
    Arc::new(Version3(callback))
}

/// An object that answers queries for [`ServerCertificateValidationCallback`] with `callback`.
pub fn server_certificate_validation_object(
    callback: Arc<dyn ServerCertificateValidationCallback>,
) -> Arc<dyn Unknown> {
    Arc::new(Validation(callback))
}

struct Validation(Arc<dyn ServerCertificateValidationCallback>);

impl Unknown for Validation {
    fn server_certificate_validation(&self) -> Option<Arc<dyn ServerCertificateValidationCallback>> {
        Some(Arc::clone(&self.0))
    }
}

struct Version1(Arc<dyn Callback>);

impl Unknown for Version1 {
    fn callback(&self) -> Option<Arc<dyn Callback>> {
        Some(Arc::clone(&self.0))
    }
}

struct Version2(Arc<dyn Callback2>);

impl Unknown for Version2 {
    fn callback(&self) -> Option<Arc<dyn Callback>> {
        Some(Arc::clone(&self.0) as Arc<dyn Callback>)
    }

    fn callback2(&self) -> Option<Arc<dyn Callback2>> {
        Some(Arc::clone(&self.0))
    }
}

struct Version3(Arc<dyn Callback3>);

impl Unknown for Version3 {
    fn callback(&self) -> Option<Arc<dyn Callback>> {
        Some(Arc::clone(&self.0) as Arc<dyn Callback>)
    }

    fn callback2(&self) -> Option<Arc<dyn Callback2>> {
        Some(Arc::clone(&self.0) as Arc<dyn Callback2>)
    }

    fn callback3(&self) -> Option<Arc<dyn Callback3>> {
        Some(Arc::clone(&self.0))
    }
}
