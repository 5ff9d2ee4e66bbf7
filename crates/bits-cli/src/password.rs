//! Where passwords come from: the environment, a file, or a person at a terminal. Never the command
//! line, which everybody on the machine can read; and nothing in here is ever printed.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::{Doing, Failure};

/// A password, which is overwritten when it goes.
pub(crate) type Password = Zeroizing<String>;

/// More bytes than the longest password of BITS has.
const TOO_MANY: usize = 256 * 1024;

/// Where a password is.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// The variable of this name.
    Environment(&'a OsStr),
    /// The only line of this file.
    File(&'a Path),
    /// Somebody knows it.
    Terminal {
        /// The option that can name a variable or a file instead, without its end.
        option: &'a str,
    },
}

impl<'a> Source<'a> {
    /// What the options say, whose names begin as `option`.
    pub(crate) fn of(variable: Option<&'a OsString>, file: Option<&'a PathBuf>, option: &'a str) -> Self {
        match (variable, file) {
            (Some(name), _) => Self::Environment(name),
            (None, Some(path)) => Self::File(path),
            (None, None) => Self::Terminal { option },
        }
    }

    /// The password of `whom`.
    pub(crate) fn read(self, whom: &str) -> Result<Password, Failure> {
        match self {
            Self::Environment(name) => from_environment(name),
            Self::File(path) => from_file(path),
            Self::Terminal { option } => from_terminal(whom, option),
        }
    }
}

fn from_environment(name: &OsStr) -> Result<Password, Failure> {
    let shown = format!("the environment variable {}", name.display());
    let value = std::env::var_os(name).ok_or_else(|| Failure::Failed(format!("{shown} is not set")))?;
    let password = value.into_string().map_err(|_| Failure::Failed(format!("{shown} is not Unicode")))?;
    checked(Zeroizing::new(password), &shown)
}

fn from_file(path: &Path) -> Result<Password, Failure> {
    let shown = path.display().to_string();
    let file = File::open(path).doing(&format!("cannot read {shown}"))?;
    warn_of_readers(&file, &shown);
    let mut bytes = Zeroizing::new(Vec::with_capacity(TOO_MANY));
    file.take(TOO_MANY as u64).read_to_end(&mut bytes).doing(&format!("cannot read {shown}"))?;
    if bytes.len() == TOO_MANY {
        return Err(Failure::Failed(format!("{shown} is longer than any password")));
    }
    let text = str::from_utf8(&bytes).map_err(|_| Failure::Failed(format!("{shown} is not UTF-8")))?;
    // Editors put a mark before, and an end of line behind.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let line = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    checked(Zeroizing::new(line.to_owned()), &shown)
}

/// Tells a person at a terminal, who can mend it. Elsewhere, as in a container, files of secrets are
/// made by others, and everybody in there is the same user.
fn warn_of_readers(file: &File, shown: &str) {
    #[cfg(unix)]
    if io::stderr().is_terminal()
        && let Ok(found) = file.metadata()
        && found.is_file()
        && std::os::unix::fs::MetadataExt::mode(&found) & 0o077 != 0
    {
        crate::say_aside(&format!("others may read {shown}; chmod 600 would keep it to yourself"));
    }
    #[cfg(not(unix))]
    let _ = (file, shown);
}

fn from_terminal(whom: &str, option: &str) -> Result<Password, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::Failed(format!(
            "no password for {whom}, and no terminal to ask at: \
             name its variable by {option}-env or its file by {option}-file"
        )));
    }
    match rpassword::prompt_password(format!("Password of {}: ", crate::one_line(whom))) {
        Ok(password) if password.is_empty() => Err(Failure::Failed(format!("no password was given for {whom}"))),
        Ok(password) => Ok(Zeroizing::new(password)),
        Err(error) if error.kind() == ErrorKind::Interrupted => Err(Failure::Interrupted),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Err(Failure::Failed(format!("no password was given for {whom}")))
        }
        Err(error) => Err(error).doing("cannot ask for a password"),
    }
}

/// What cannot be meant for a password, such as a file of another kind.
fn checked(password: Password, shown: &str) -> Result<Password, Failure> {
    let wrong = if password.is_empty() {
        "is empty"
    } else if password.contains(['\n', '\r']) {
        "has more than one line"
    } else if password.contains('\0') {
        "has a NUL in it"
    } else {
        return Ok(password);
    };
    Err(Failure::Failed(format!("{shown} {wrong}: there is no password in it")))
}
