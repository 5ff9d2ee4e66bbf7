//! Ranges, other remote names and file security.

use crate::{FileAclFlags, FileRange, Hresult, Job2, Setting, Success, Value};

/// IBackgroundCopyJob3 (2.0; clauses `job3.*`).
pub trait Job3: Job2 {
    /// Adds a file of which only these parts are fetched; in the local file they follow each other
    /// in the order given.
    ///
    /// Since 2.0; clauses `job3.add_file_with_ranges.*`.
    ///
    /// # Errors
    /// Those of [`Job::add_file`](crate::Job::add_file); `E_INVALIDARG` without ranges;
    /// `BG_E_INVALID_RANGE` for a range that no file can have or that is empty (a decision);
    /// `BG_E_OVERLAPPING_RANGES`; `BG_E_TOO_MANY_RANGES_IN_FILE` above the policy's limit (3.0);
    /// `E_NOTIMPL` unless the job is a download; `BG_E_UNSUPPORTED_JOB_CONFIGURATION` for dynamic
    /// content and in on-demand mode (decisions).
    fn add_file_with_ranges(
        &self,
        remote_name: Option<&str>,
        local_name: Option<&str>,
        ranges: &[FileRange],
    ) -> Result<Success, Hresult>;

    /// Replaces the beginning of every remote name that begins with `old`, letter for letter;
    /// `S_FALSE` when none does.
    ///
    /// Since 2.0; clauses `job3.replace_remote_prefix.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for an absent or empty prefix, and when a name would not be valid: then none
    /// is replaced (a decision); `E_NOTIMPL` unless the job is a download; `BG_E_INVALID_STATE` in
    /// a final state.
    fn replace_remote_prefix(&self, old: Option<&str>, new: Option<&str>) -> Result<Success, Hresult>;

    /// Replaces the parts of the files' security that go along over SMB; HTTP ignores them.
    ///
    /// Since 2.0; clauses `job3.set_file_acl_flags.*`.
    ///
    /// # Errors
    /// `E_INVALIDARG` for undefined bits; `BG_E_INVALID_STATE` once the job is TRANSFERRED.
    fn set_file_acl_flags(&self, flags: FileAclFlags) -> Result<Success, Hresult> {
        self.set(Setting::FileAclFlags, Value::Number(flags.bits()))
    }

    /// The parts of the files' security that go along; none when never set. Since 2.0; clauses
    /// `job3.get_file_acl_flags.*`.
    ///
    /// # Errors
    /// None of its own.
    fn file_acl_flags(&self) -> Result<FileAclFlags, Hresult> {
        self.get(Setting::FileAclFlags).and_then(|value| value.number()).map(FileAclFlags::from_bits_retain)
    }
}
