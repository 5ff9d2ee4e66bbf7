//! Replies, command lines and credentials.

use crate::{Hresult, Job, Success};

/// IBackgroundCopyJob2 (1.5; clauses `job2.*`).
pub trait Job2: Job {
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
}

/// What GetNotifyCmdLine hands out (1.5; clauses `job2.get_notify_cmd_line.*`).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NotifyCommandLine {
    /// The program.
    pub program: String,
    /// The whole command line, the program's own name first.
    pub parameters: String,
}
