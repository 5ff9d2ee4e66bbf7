//! The machine that a run is made on: what it is, and whose.

use std::process::Command;

/// The operating system and its version, in words.
pub(crate) fn system() -> String {
    let (program, arguments): (_, &[&str]) = if cfg!(windows) { ("cmd", &["/c", "ver"]) } else { ("uname", &["-srm"]) };
    spoken(program, arguments).unwrap_or_else(|| std::env::consts::OS.to_owned())
}

/// The SID of whoever runs the suite, as Windows writes it.
pub(crate) fn own_sid() -> Option<String> {
    let line = spoken("whoami", &["/user", "/fo", "csv", "/nh"])?;
    let sid = line.rsplit(',').next()?.trim_matches('"');
    sid.starts_with("S-1-").then(|| sid.to_owned())
}

/// What a program has to say, in one line.
fn spoken(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}
