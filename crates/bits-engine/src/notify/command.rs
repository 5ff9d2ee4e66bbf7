//! The program that is run for a job's end (clauses `job2.set_notify_cmd_line.*`, `notify.cmd.*`).

use bits_api::{Hresult, text};
use bits_world::Profile;
use serde::{Deserialize, Serialize};

/// A notification command line, as it was given: nothing is expanded, quoted or added.
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
pub struct CommandLine {
    /// The program.
    pub program: String,
    /// The whole command line that the program gets, its own name first.
    pub parameters: Option<String>,
}

impl CommandLine {
    /// The longest program in UTF-16 units: MAX_PATH.
    const MAX_PROGRAM: usize = 260;
    /// The longest parameters in UTF-16 units.
    const MAX_PARAMETERS: usize = 4_000;

    /// The command line that these arguments ask for; none for two absent ones.
    ///
    /// # Errors
    /// `E_INVALIDARG` for parameters without a program (a decision) and a string with NUL,
    /// `BG_E_STRING_TOO_LONG` above a limit.
    pub(crate) fn check(program: Option<&str>, parameters: Option<&str>) -> Result<Option<Self>, Hresult> {
        let checked = |given: &str, max| {
            let given = text::required(Some(given))?;
            if text::utf16_len(given) > max { Err(Hresult::BG_E_STRING_TOO_LONG) } else { Ok(given.to_owned()) }
        };
        let Some(program) = program else {
            return if parameters.is_none() { Ok(None) } else { Err(Hresult::E_INVALIDARG) };
        };
        let program = checked(program, Self::MAX_PROGRAM)?;
        let parameters = parameters.map(|parameters| checked(parameters, Self::MAX_PARAMETERS)).transpose()?;
        Ok(Some(Self { program, parameters }))
    }
}

/// What became of a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CommandOutcome {
    /// The program has ended with this exit code.
    Exited(u32),
    /// The program could not be started.
    NotStarted(Hresult),
}

impl CommandOutcome {
    /// Whether the client has been told (clauses `job2.set_notify_cmd_line.exit_*`, `.bits15_once`).
    pub(super) fn settles(self, profile: Profile) -> bool {
        match self {
            Self::Exited(code) => code == 0 || profile < Profile::V2_0,
            Self::NotStarted(_) => false,
        }
    }
}
