//! A transfer job.

use std::sync::Arc;

use crate::{
    EnumFiles, FileInfo, Guid, Hresult, HttpOptions, HttpOptions2, HttpOptions3, Job2, Job3, Job4, Job5, JobError,
    JobPriority, JobProgress, JobState, JobTimes, JobType, NotifyFlags, ProxySettings, ProxyUsage, Setting, Settings,
    Success, TokenOptions, Unknown, Value,
};

/// IBackgroundCopyJob: a set of files that are moved together (1.0; clauses `job.*`).
///
/// Every method fails with `E_ACCESSDENIED` when the caller is neither the owner nor an
/// administrator (a decision, clause `job.interface.not_owner`) and, since 3.0, when the owner was
/// elevated and the caller is not; what changes the job also fails so from a lower integrity level
/// (clauses `uac.*`) and, since 1.5, with a restricted token. Since 4.0 the caller is whoever has
/// asked for the interface, and a query for another one is where a stranger is refused. Every method
/// fails with `RPC_S_SERVER_UNAVAILABLE` (as HRESULT) once the service is gone. A handle stays
/// readable after the job has reached a final state.
pub trait Job: Settings {
    /// Queries for IBackgroundCopyJob2 (1.5; clauses `job2.interface.*`).
    ///
    /// # Errors
    /// `E_NOINTERFACE` before BITS 1.5.
    fn job2(&self) -> Result<Arc<dyn Job2>, Hresult>;

    /// Queries for IBackgroundCopyJob3 (2.0; clauses `job3.interface.*`).
    ///
    /// # Errors
    /// `E_NOINTERFACE` before BITS 2.0.
    fn job3(&self) -> Result<Arc<dyn Job3>, Hresult>;

    /// Queries for IBackgroundCopyJob4 (3.0; clauses `job4.interface.*`).
    ///
    /// # Errors
    /// `E_NOINTERFACE` before BITS 3.0.
    fn job4(&self) -> Result<Arc<dyn Job4>, Hresult>;

    /// Queries for IBackgroundCopyJob5 (5.0; clauses `job5.interface.*`).
    ///
    /// # Errors
    /// `E_NOINTERFACE` before BITS 5.0.
    fn job5(&self) -> Result<Arc<dyn Job5>, Hresult>;

    /// Queries for IBackgroundCopyJobHttpOptions (2.5; clauses `http_options.interface.*`).
    ///
    /// # Errors
    /// `E_NOINTERFACE` before BITS 2.5.
    fn http_options(&self) -> Result<Arc<dyn HttpOptions>, Hresult>;

    /// Queries for IBackgroundCopyJobHttpOptions2 (10.2; clauses `http_options2.interface.*`).
    ///
    /// # Errors
    /// `E_NOINTERFACE` before BITS 10.2.
    fn http_options2(&self) -> Result<Arc<dyn HttpOptions2>, Hresult>;

    /// Queries for IBackgroundCopyJobHttpOptions3 (10.3; clauses `http_options3.interface.*`).
    ///
    /// # Errors
    /// `E_NOINTERFACE` before BITS 10.3.
    fn http_options3(&self) -> Result<Arc<dyn HttpOptions3>, Hresult>;

    /// Queries for IBitsTokenOptions (4.0; clauses `token.interface.*`).
    ///
    /// # Errors
    /// `E_NOINTERFACE` before BITS 4.0; `E_ACCESSDENIED` when the caller is neither the owner nor
    /// an administrator.
    fn token_options(&self) -> Result<Arc<dyn TokenOptions>, Hresult>;

    /// Adds one file. `remote_name` is a URL, `local_name` a full path whose folder exists.
    ///
    /// Since 1.0; clauses `job.add_file.*`, `struct.file_info.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for a name that is absent, malformed, too long, relative, with wildcards or
    /// of a protocol that BITS does not speak; `E_ACCESSDENIED` when the caller may not write to
    /// the folder; `ERROR_DIRECTORY` (as HRESULT) when the folder is missing (a decision);
    /// `BG_E_TOO_MANY_FILES_IN_JOB` above the policy's limit (3.0); `BG_E_INVALID_STATE` in a
    /// final state.
    fn add_file(&self, remote_name: Option<&str>, local_name: Option<&str>) -> Result<Success, Hresult>;

    /// Adds several files in order, all or none.
    ///
    /// Since 1.0; clauses `job.add_file_set.*`.
    ///
    /// # Errors
    /// Those of [`Job::add_file`] for any of the entries; `E_INVALIDARG` for an empty set (a
    /// decision).
    fn add_file_set(&self, files: &[FileInfo<'_>]) -> Result<Success, Hresult>;

    /// Lists the files in the order in which they were added: a snapshot of live objects.
    ///
    /// Since 1.0; clauses `job.enum_files.*`.
    ///
    /// # Errors
    /// None of its own.
    fn enum_files(&self) -> Result<Arc<EnumFiles>, Hresult>;

    /// Stops all transfers of the job until [`Job::resume`]. What has arrived is kept.
    ///
    /// Since 1.0; clauses `job.suspend.*`, `lifecycle.edge.suspend_any`.
    ///
    /// # Errors
    /// `BG_E_INVALID_STATE` in a final state.
    fn suspend(&self) -> Result<Success, Hresult>;

    /// Puts the job into the queue. The state has changed when this returns.
    ///
    /// A job in TRANSIENT_ERROR is tried at once, one in ERROR is tried again, an active one
    /// stays as it is. Since 1.0; clauses `job.resume.*`.
    ///
    /// # Errors
    /// `BG_E_EMPTY` when the job has no files; `BG_E_INVALID_STATE` in a final state.
    fn resume(&self) -> Result<Success, Hresult>;

    /// Ends the job and deletes its temporary files.
    ///
    /// Succeeds with `BG_S_UNABLE_TO_DELETE_FILES` when some could not be deleted. Since 1.0;
    /// clauses `job.cancel.*`.
    ///
    /// # Errors
    /// `BG_E_INVALID_STATE` in a final state.
    fn cancel(&self) -> Result<Success, Hresult>;

    /// Ends the job and gives its finished files their names.
    ///
    /// A download may be completed early: succeeds with `BG_S_PARTIAL_COMPLETE`, files that were
    /// not finished are deleted. `BG_S_UNABLE_TO_DELETE_FILES` when some of those could not be.
    /// Since 1.0; clauses `job.complete.*`.
    ///
    /// # Errors
    /// `BG_E_INVALID_STATE` in a final state; the error of a rename that failed: the job then
    /// stays, and Complete can be called again.
    fn complete(&self) -> Result<Success, Hresult>;

    /// The identifier, made at creation and never changed. Since 1.0; clauses `job.get_id.*`.
    ///
    /// # Errors
    /// None of its own.
    fn id(&self) -> Result<Guid, Hresult>;

    /// The type given at creation. Since 1.0; clauses `job.get_type.*`.
    ///
    /// # Errors
    /// None of its own.
    fn job_type(&self) -> Result<JobType, Hresult>;

    /// Sums over the files, in bytes. Since 1.0; clauses `job.get_progress.*`,
    /// `struct.job_progress.*`.
    ///
    /// # Errors
    /// None of its own.
    fn progress(&self) -> Result<JobProgress, Hresult>;

    /// When the job was made, changed and done (UTC). Since 1.0; clauses `job.get_times.*`.
    ///
    /// # Errors
    /// None of its own.
    fn times(&self) -> Result<JobTimes, Hresult>;

    /// The current state. Since 1.0; clauses `job.get_state.*`, `enum.job_state.*`.
    ///
    /// # Errors
    /// None of its own.
    fn state(&self) -> Result<JobState, Hresult>;

    /// Replaces which proxies the job goes through. `list` and `bypass_list` are the proxies and the
    /// hosts without proxy of [`ProxyUsage::OVERRIDE`], at most 4,000 UTF-16 units each; with any
    /// other usage both are `None`. What they say is looked at when the job transfers.
    ///
    /// Since 1.0; clauses `job.set_proxy_settings.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for an undefined usage, which AUTODETECT is before 2.0; `E_INVALIDARG` for
    /// OVERRIDE without a list, and for a list with another usage (a decision);
    /// `BG_E_PROXY_LIST_TOO_LARGE` and `BG_E_PROXY_BYPASS_LIST_TOO_LARGE` above the limits;
    /// `BG_E_INVALID_STATE` in a final state.
    fn set_proxy_settings(
        &self,
        usage: ProxyUsage,
        list: Option<&str>,
        bypass_list: Option<&str>,
    ) -> Result<Success, Hresult>;

    /// Which proxies the job goes through; PRECONFIG when never set. Since 1.0; clauses
    /// `job.get_proxy_settings.*`.
    ///
    /// # Errors
    /// None of its own.
    fn proxy_settings(&self) -> Result<ProxySettings, Hresult>;

    /// The error that stopped the job. Since 1.0; clauses `job.get_error.*`.
    ///
    /// # Errors
    /// `BG_E_ERROR_INFORMATION_UNAVAILABLE` when there was none, or when data has moved since.
    fn error(&self) -> Result<Arc<dyn JobError>, Hresult>;

    /// How many attempts ended in an error; never set back. Since 1.0; clauses
    /// `job.get_error_count.*`.
    ///
    /// # Errors
    /// None of its own.
    fn error_count(&self) -> Result<u32, Hresult>;

    /// Makes the caller the owner. Credentials, client certificate, custom headers and the
    /// notification command line are taken off the job; the notify interface stays. A job that
    /// transfers starts again in the new owner's name (a decision).
    ///
    /// Since 1.0; clauses `job.take_ownership.*`, `users.take_ownership.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` when the caller is no administrator, or not elevated (3.0);
    /// `BG_E_NEW_OWNER_NO_FILE_ACCESS` when the caller may not use the temporary files;
    /// `BG_E_INVALID_STATE` in a final state.
    fn take_ownership(&self) -> Result<Success, Hresult>;

    /// The owner's SID as text, `S-1-…`. Since 1.0; clauses `job.get_owner.*`.
    ///
    /// # Errors
    /// None of its own.
    fn owner(&self) -> Result<String, Hresult>;

    /// Registers the object that is told of events, or removes it with `None`. It is lost when
    /// the client ends or the service restarts. [`callback_object`](crate::callback_object) and its
    /// kin make one of a callback.
    ///
    /// Since 1.0; clauses `job.set_notify_interface.*`.
    ///
    /// # Errors
    /// `E_NOINTERFACE` when the object is no callback (a decision); `BG_E_INVALID_STATE` in a
    /// final state.
    fn set_notify_interface(&self, object: Option<Arc<dyn Unknown>>) -> Result<Success, Hresult>;

    /// The object given to [`Job::set_notify_interface`], or `None`. Since 1.0; clauses
    /// `job.get_notify_interface.*`.
    ///
    /// # Errors
    /// None of its own.
    fn notify_interface(&self) -> Result<Option<Arc<dyn Unknown>>, Hresult>;

    /// Replaces the display name: 1 to 256 UTF-16 units.
    ///
    /// Since 1.0; clauses `job.set_display_name.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for `None`; `BG_E_STRING_TOO_LONG` above 256 units (a decision);
    /// `BG_E_INVALID_STATE` in a final state.
    fn set_display_name(&self, name: Option<&str>) -> Result<Success, Hresult> {
        self.set(Setting::DisplayName, Value::Text(name.map(str::to_owned)))
    }

    /// The display name. Since 1.0; clauses `job.get_display_name.*`.
    ///
    /// # Errors
    /// None of its own.
    fn display_name(&self) -> Result<String, Hresult> {
        self.get(Setting::DisplayName).and_then(Value::text)
    }

    /// Replaces the description: at most 1,024 UTF-16 units.
    ///
    /// Since 1.0; clauses `job.set_description.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for `None`; `BG_E_STRING_TOO_LONG` above 1,024 units;
    /// `BG_E_INVALID_STATE` in a final state.
    fn set_description(&self, description: Option<&str>) -> Result<Success, Hresult> {
        self.set(Setting::Description, Value::Text(description.map(str::to_owned)))
    }

    /// The description; empty when never set (a decision). Since 1.0; clauses
    /// `job.get_description.*`.
    ///
    /// # Errors
    /// None of its own.
    fn description(&self) -> Result<String, Hresult> {
        self.get(Setting::Description).and_then(Value::text)
    }

    /// Replaces the priority, in any state that is not final.
    ///
    /// Since 1.0; clauses `job.set_priority.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for an undefined value; `BG_E_INVALID_STATE` in a final state.
    fn set_priority(&self, priority: JobPriority) -> Result<Success, Hresult> {
        self.set(Setting::Priority, Value::Number(priority.0))
    }

    /// The priority; NORMAL when never set. Since 1.0; clauses `job.get_priority.*`.
    ///
    /// # Errors
    /// None of its own.
    fn priority(&self) -> Result<JobPriority, Hresult> {
        self.get(Setting::Priority).and_then(|value| value.number()).map(JobPriority)
    }

    /// Chooses the events that the notify interface is told of.
    ///
    /// Since 1.0; clauses `job.set_notify_flags.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for undefined bits; `BG_E_INVALID_STATE` in a final state.
    fn set_notify_flags(&self, flags: NotifyFlags) -> Result<Success, Hresult> {
        self.set(Setting::NotifyFlags, Value::Number(flags.bits()))
    }

    /// The chosen events; transferred and error when never set (clause
    /// `job.notifyflags.default`). Since 1.0; clauses `job.get_notify_flags.*`.
    ///
    /// # Errors
    /// None of its own.
    fn notify_flags(&self) -> Result<NotifyFlags, Hresult> {
        self.get(Setting::NotifyFlags).and_then(|value| value.number()).map(NotifyFlags::from_bits_retain)
    }

    /// Replaces the shortest time between a transient error and the next attempt, in seconds;
    /// values under 5 become 5.
    ///
    /// Since 1.0; clauses `job.set_minimum_retry_delay.*`.
    ///
    /// # Errors
    /// `BG_E_INVALID_STATE` in a final state.
    fn set_minimum_retry_delay(&self, seconds: u32) -> Result<Success, Hresult> {
        self.set(Setting::MinimumRetryDelay, Value::Number(seconds))
    }

    /// The minimum retry delay in seconds; 600 when never set. Since 1.0; clauses
    /// `job.get_minimum_retry_delay.*`.
    ///
    /// # Errors
    /// None of its own.
    fn minimum_retry_delay(&self) -> Result<u32, Hresult> {
        self.get(Setting::MinimumRetryDelay).and_then(|value| value.number())
    }

    /// Replaces the time without progress, in seconds, after which a transient error becomes
    /// fatal; with 0 every error is fatal. A job in TRANSIENT_ERROR is judged anew at once.
    ///
    /// Since 1.0; clauses `job.set_no_progress_timeout.*`.
    ///
    /// # Errors
    /// `BG_E_INVALID_STATE` in a final state.
    fn set_no_progress_timeout(&self, seconds: u32) -> Result<Success, Hresult> {
        self.set(Setting::NoProgressTimeout, Value::Number(seconds))
    }

    /// The no-progress timeout in seconds; 1,209,600 (14 days) when never set. Since 1.0;
    /// clauses `job.get_no_progress_timeout.*`.
    ///
    /// # Errors
    /// None of its own.
    fn no_progress_timeout(&self) -> Result<u32, Hresult> {
        self.get(Setting::NoProgressTimeout).and_then(|value| value.number())
    }
}
