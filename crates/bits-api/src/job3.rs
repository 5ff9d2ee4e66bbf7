//! Ranges, other remote names and file security.

use crate::{FileAclFlags, Hresult, Job2, Setting, Success, Value};

/// IBackgroundCopyJob3 (2.0; clauses `job3.*`).
pub trait Job3: Job2 {
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
