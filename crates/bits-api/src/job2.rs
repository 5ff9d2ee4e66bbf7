//! Replies, command lines and credentials.

use crate::{Answer, AuthCredentials, AuthScheme, AuthTarget, Hresult, Job, JobReplyProgress, ReplyDataError, Success};

/// IBackgroundCopyJob2 (1.5; clauses `job2.*`).
pub trait Job2: Job {
    /// Keeps credentials for a challenge by a server or proxy. There is one record for each pair of
    /// target and scheme; an earlier one of the same pair is replaced. No method reads them back.
    ///
    /// Since 1.5; clauses `job2.set_credentials.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` when the caller is not the owner, an administrator included;
    /// `BG_E_INVALID_AUTH_TARGET` and `BG_E_INVALID_AUTH_SCHEME` for undefined values;
    /// `BG_E_USERNAME_TOO_LARGE` above 300 and `BG_E_PASSWORD_TOO_LARGE` above 65,535 UTF-16
    /// units; `E_INVALIDARG` for an absent name or password with BASIC, DIGEST and PASSPORT, and
    /// for one without the other with NTLM and NEGOTIATE (a decision); `BG_E_INVALID_STATE` in a
    /// final state (a decision).
    fn set_credentials(&self, credentials: &AuthCredentials<'_>) -> Result<Success, Hresult>;

    /// Removes the credentials of a pair; succeeds with `S_FALSE` when there are none.
    ///
    /// Since 1.5; clauses `job2.remove_credentials.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` when the caller is not the owner (a decision);
    /// `BG_E_INVALID_AUTH_TARGET`, `BG_E_INVALID_AUTH_SCHEME` for undefined values (a decision);
    /// `BG_E_INVALID_STATE` in a final state (a decision).
    fn remove_credentials(&self, target: AuthTarget, scheme: AuthScheme) -> Result<Success, Hresult>;

    /// Lets BITS run `program` for the job's owner once the job is TRANSFERRED or in ERROR, as the
    /// notify flags say; without both, no program is run. `parameters` is the whole command line,
    /// the program's own name first. Nothing is expanded, quoted or added. A callback goes first:
    /// the program is run when there is none, or when it fails.
    ///
    /// A program that exits with another code than 0 is run again after the minimum retry delay
    /// (2.0), unless it has completed or cancelled the job. Service accounts get no program run.
    ///
    /// Since 1.5; clauses `job2.set_notify_cmd_line.*`.
    ///
    /// # Errors
    /// `BG_E_STRING_TOO_LONG` for a program above 260 or parameters above 4,000 UTF-16 units;
    /// `E_INVALIDARG` for parameters without a program (a decision); `BG_E_INVALID_STATE` in a
    /// final state.
    fn set_notify_cmd_line(&self, program: Option<&str>, parameters: Option<&str>) -> Result<Success, Hresult>;

    /// The program and the parameters, as they were given; empty strings where none was. Since 1.5;
    /// clauses `job2.get_notify_cmd_line.*`.
    ///
    /// # Errors
    /// None of its own.
    fn notify_cmd_line(&self) -> Result<NotifyCommandLine, Hresult>;

    /// How far the reply of an upload-reply job has come, in bytes. Since 1.5; clauses
    /// `job2.get_reply_progress.*`, `job2.reply_progress.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for a job of another type.
    fn reply_progress(&self) -> Result<JobReplyProgress, Hresult>;

    /// The whole reply of an upload-reply job, `None` when the server application sent nothing. It
    /// can be had before Complete makes the reply file available, and after.
    ///
    /// Since 1.5; clauses `job2.get_reply_data.*`, `limit.reply_in_memory`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for a job of another type; `BG_E_INVALID_STATE` before the job is TRANSFERRED,
    /// and after Cancel; `BG_E_TOO_LARGE`, with the length, above 1 MB.
    fn reply_data(&self) -> Result<Option<Vec<u8>>, ReplyDataError>;

    /// Chooses the full path of the reply file, at most 260 UTF-16 units; with `None` or an empty
    /// name BITS makes one in the folder of the uploaded file.
    ///
    /// Since 1.5; clauses `job2.set_reply_file_name.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for a job of another type (a decision); `BG_E_INVALID_STATE` once the reply has
    /// begun, and in a final state; `E_INVALIDARG` for a name that breaks a rule of local names;
    /// `ERROR_DIRECTORY` (as HRESULT) for a folder that is not there (a decision);
    /// `E_ACCESSDENIED` for one that the caller may not write to.
    fn set_reply_file_name(&self, name: Option<&str>) -> Result<Success, Hresult>;

    /// The full path of the reply file, `None` when no name was set and the job has no file yet,
    /// which is `S_OK` too. Since 1.5; clauses `job2.get_reply_file_name.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for a job of another type.
    fn reply_file_name(&self) -> Result<Answer<Option<String>>, Hresult>;
}

/// What GetNotifyCmdLine hands out (1.5; clauses `job2.get_notify_cmd_line.*`). BITS is documented to hand
/// out empty strings where nothing was set; `None` is a NULL all the same.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NotifyCommandLine {
    /// The program.
    pub program: Option<String>,
    /// The whole command line, the program's own name first.
    pub parameters: Option<String>,
}
