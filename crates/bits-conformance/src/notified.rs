//! The suite as a notification program: what BITS starts, to see whether and how it does.
//!
//! It must do nothing but write down that it ran, and how it was called.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

/// Stands in the command line before the folder to write to and the exit code.
const MARK: &str = "bits-conformance-notified";

/// How the names of files begin that are not yet whole.
const DRAFT: &str = "bits-notified-";

/// What stands in the parameters before the mark.
const FIRST: &str = "first";

/// Parameters with which this program writes into `folder` and exits with `code`.
pub(crate) fn parameters(folder: &Path, code: u8) -> String {
    format!("{FIRST} {MARK} \"{}\" {code}", folder.display())
}

/// How the first of the parameters came to the program, in each of its runs that wrote into `folder`.
///
/// # Errors
/// Those of reading the folder.
pub(crate) fn runs(folder: &Path) -> std::io::Result<Vec<String>> {
    let written =
        |entry: std::io::Result<std::fs::DirEntry>| entry.and_then(|entry| std::fs::read_to_string(entry.path()));
    std::fs::read_dir(folder)?.map(written).collect()
}

/// Does what the parameters ask for, if this is a run as a notification program.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    run_with(arguments, &std::env::temp_dir())
}

/// Does so with drafts in that folder.
fn run_with(arguments: impl Iterator<Item = OsString>, drafts: &Path) -> Option<ExitCode> {
    let mut arguments = arguments.take(8);
    let place = arguments.position(|argument| argument == MARK)?;
    let folder = PathBuf::from(arguments.next()?);
    let code = arguments.next()?.to_str()?.parse::<u8>().ok()?;
    let called = if place > 1 { "an argument" } else { "no argument" };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    // Whoever waits for the file must not see one that is empty.
    let draft = drafts.join(format!("{DRAFT}{}-{now}", std::process::id()));
    let written = std::fs::write(&draft, called)
        .and_then(|()| std::fs::rename(&draft, folder.join(format!("{}-{now}", std::process::id()))));
    if written.is_err() {
        // It may never have been there.
        let _ = std::fs::remove_file(&draft);
    }
    Some(if written.is_ok() { ExitCode::from(code) } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(line: &[&str], folder: &Path) -> Option<ExitCode> {
        let folder = folder.to_string_lossy().into_owned();
        run(line.iter().map(|word| OsString::from(if *word == "FOLDER" { &folder } else { *word })))
    }

    #[test]
    fn what_comes_before_the_mark_tells_how_the_program_was_called() {
        let folder = tempfile::tempdir().expect("a folder");
        let lines = [["first", MARK, "FOLDER", "0", ""], ["suite.exe", "first", MARK, "FOLDER", "0"]];
        for (line, expected) in lines.iter().zip(["no argument", "an argument"]) {
            assert!(called(line, folder.path()).is_some());
            assert!(runs(folder.path()).expect("a folder").iter().any(|run| run == expected), "{line:?}");
        }
    }

    #[test]
    fn no_draft_stays_where_the_folder_is_gone() {
        let drafts = tempfile::tempdir().expect("a folder");
        let line = ["first", MARK, "/no/such/folder", "0"].map(OsString::from);

        assert!(run_with(line.into_iter(), drafts.path()).is_some());

        assert_eq!(std::fs::read_dir(drafts.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn any_other_command_line_is_not_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        for line in [&["suite.exe", "run"][..], &["suite.exe", MARK], &["suite.exe", MARK, "FOLDER", "x"]] {
            assert!(called(line, folder.path()).is_none(), "{line:?}");
        }
    }
}
