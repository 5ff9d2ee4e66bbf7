//! Which remote and local names a file may have.
//!
//! Each rule is a row: what it looks at, and the code that a name gets which breaks it. What only
//! the disk knows (is the folder there, may the caller write to it) is asked of the probe
//! afterwards.

use std::path::PathBuf;

use bits_api::{FileInfo, Hresult, text};
use bits_world::{Drives, FileName, LocalPathError};
use url::Url;

/// A rule that a name must obey.
struct Rule {
    /// Whether the name obeys.
    holds: fn(&str) -> bool,
    /// What is returned when it does not.
    otherwise: Hresult,
}

/// Rules for remote names (clauses `struct.file_info.remote_*`), in the order in which they are
/// looked at.
const REMOTE: &[Rule] = &[
    // A NUL would end the string before BITS sees the rest.
    rule(has_no_nul),
    // remote_url_max
    rule(|name| text::utf16_len(name) <= 2_200),
    // remote_protocols
    rule(|name| has_scheme(name, "http://") || has_scheme(name, "https://")),
    // remote_legal_chars
    rule(|name| name.chars().all(is_legal_in_url)),
    // remote_idn
    rule(|name| authority(name).is_ascii()),
    // remote_no_wildcards; a question mark begins the query
    rule(|name| !path_of_url(name).contains('*')),
    // remote_segment_max
    rule(|name| path_of_url(name).split('/').all(|segment| text::utf16_len(segment) <= MAX_PATH)),
    // a host, and a port that is one
    rule(|name| !authority(name).is_empty() && Url::parse(origin(name)).is_ok_and(|url| url.has_host())),
];

/// Rules for the path of a remote name that leads to a file, behind its server and share or its
/// drive (clauses `struct.file_info.remote_*`; a decision, `smb.names`).
const FILE: &[Rule] = &[
    // characters that no file name has, wildcards among them
    rule(|path| !path.contains(['<', '>', '"', '|', ':', '*', '?'])),
    rule(|path| !path.chars().any(char::is_control)),
    rule(names_a_file),
    rule(has_no_dots),
    // remote_segment_max
    rule(|path| path.split(['\\', '/']).all(|segment| text::utf16_len(segment) <= MAX_PATH)),
];

/// Rules for local names (clauses `struct.file_info.local_*`), in the order in which they are
/// looked at.
const LOCAL: &[Rule] = &[
    rule(has_no_nul),
    // local_no_prefix
    rule(|name| !name.starts_with(r"\\?")),
    // local_max; a decision: 260 without the terminator
    rule(|name| text::utf16_len(name) <= MAX_PATH),
    // local_no_wildcards
    rule(|name| !name.contains(['*', '?'])),
    // characters that Windows allows in no name; a second colon would begin a stream
    // (local_no_streams)
    rule(|name| match windows_path(name) {
        Some(path) => !path.contains(['<', '>', '"', '|', ':']) && !path.chars().any(char::is_control),
        None => true,
    }),
    rule(names_a_file),
    rule(has_no_dots),
    // names of devices, and such as would be empty without the dots and spaces that Windows drops (a
    // decision, struct.file_info.local_windows_names)
    rule(|name| match windows_path(name) {
        Some(path) => path.split(['\\', '/']).filter(|part| !part.is_empty()).all(names_no_device),
        None => true,
    }),
];

/// Windows' MAX_PATH.
const MAX_PATH: usize = 260;

const fn rule(holds: fn(&str) -> bool) -> Rule {
    Rule { holds, otherwise: Hresult::E_INVALIDARG }
}

/// Where the file of this name goes to on this machine.
///
/// # Errors
/// `E_INVALIDARG` for a name that breaks a rule or is no full path; `ERROR_DIRECTORY` for a drive
/// that is not there.
pub(crate) fn check(file: &FileInfo<'_>, takes_files: bool, drives: &Drives) -> Result<PathBuf, Hresult> {
    check_remote(file.remote_name, takes_files)?;
    check_local(file.local_name, drives)
}

/// Where the file of this local name is on this machine.
///
/// # Errors
/// Those of [`check`].
pub(crate) fn check_local(name: &str, drives: &Drives) -> Result<PathBuf, Hresult> {
    obeys(LOCAL, name)?;
    drives.resolve(name).map_err(|error| match error {
        LocalPathError::NoSuchDrive => Hresult::ERROR_DIRECTORY,
        _ => Hresult::E_INVALIDARG,
    })
}

/// What two local names have in common that lead to one file: on a drive, and on Windows anywhere,
/// names in any case do.
pub(crate) fn same_file(name: &str, drives: &Drives) -> String {
    let path = drives.resolve(name).map_or_else(|_| name.into(), |path| path.to_string_lossy().into_owned());
    if drives.is_mounted(name) || cfg!(windows) { path.to_lowercase() } else { path }
}

/// Whether a file may be had from there: from the web, or, where it `takes_files`, from a share or a
/// drive.
///
/// # Errors
/// `E_INVALIDARG` for a name that breaks a rule.
pub(crate) fn check_remote(name: &str, takes_files: bool) -> Result<(), Hresult> {
    match FileName::parse(name) {
        Some(file) if takes_files => {
            obeys(&REMOTE[..2], name)?;
            obeys(FILE, file.path())
        }
        // No name of the web has one of these forms.
        Some(_) | None => obeys(REMOTE, name),
    }
}

fn obeys(rules: &[Rule], name: &str) -> Result<(), Hresult> {
    match rules.iter().find(|rule| !(rule.holds)(name)) {
        Some(broken) => Err(broken.otherwise),
        None => Ok(()),
    }
}

/// A file, not a folder.
fn names_a_file(path: &str) -> bool {
    path.split(['\\', '/']).next_back().is_some_and(|last| !last.is_empty())
}

/// No way out of the drive or share: a path with dots is not full.
fn has_no_dots(path: &str) -> bool {
    !path.split(['\\', '/']).any(|part| part == "." || part == "..")
}

/// Whether a part of a path is no device's name, whatever extension it has.
fn names_no_device(part: &str) -> bool {
    const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
    let stem = part.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let is_numbered = ["COM", "LPT"].iter().any(|kind| {
        let digit = stem.strip_prefix(kind);
        digit.is_some_and(|digit| "1 2 3 4 5 6 7 8 9 \u{b9} \u{b2} \u{b3}".split(' ').any(|one| one == digit))
    });
    !DEVICES.contains(&&*stem) && !is_numbered && !part.trim_end_matches([' ', '.']).is_empty()
}

fn has_no_nul(name: &str) -> bool {
    !name.contains('\0')
}

fn has_scheme(name: &str, scheme: &str) -> bool {
    name.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
}

/// RFC 3986, and what lies beyond ASCII: BITS itself encodes that (`remote_unicode_old`).
fn is_legal_in_url(c: char) -> bool {
    match c {
        '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | ' ' => false,
        c => !c.is_control(),
    }
}

fn after_scheme(name: &str) -> &str {
    name.split_once("://").map_or("", |(_, rest)| rest)
}

/// Scheme and authority.
fn origin(name: &str) -> &str {
    &name[..name.len() - after_scheme(name).len() + authority(name).len()]
}

fn authority(name: &str) -> &str {
    after_scheme(name).split(['/', '?', '#']).next().unwrap_or_default()
}

fn path_of_url(name: &str) -> &str {
    let path = &after_scheme(name)[authority(name).len()..];
    path.split(['?', '#']).next().unwrap_or_default()
}

/// What follows the drive letter and its colon.
fn windows_path(name: &str) -> Option<&str> {
    let rest = name.strip_prefix(|c: char| c.is_ascii_alphabetic())?;
    rest.strip_prefix(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drives() -> Drives {
        let mut drives = Drives::default();
        drives.mount('c', "/c");
        drives.unmount('d');
        drives
    }

    fn remote(remote_name: &str) -> Result<PathBuf, Hresult> {
        check(&FileInfo { remote_name, local_name: r"C:\a.bin" }, true, &drives())
    }

    fn local(local_name: &str) -> Result<PathBuf, Hresult> {
        check(&FileInfo { remote_name: "http://example.org/a", local_name }, false, &drives())
    }

    #[test]
    fn urls_of_the_usual_forms_are_accepted() {
        for name in [
            "http://example.org/",
            "http://example.org",
            "HTTPS://Example.org:8443/dir/a.bin?x=*&y#z",
            "http://user:secret@example.org/a",
            "http://[::1]:80/a",
            "http://127.0.0.1:9/gr\u{fc}n",
        ] {
            assert!(remote(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn remote_names_that_break_a_rule_are_refused() {
        for name in [
            "",
            "a",
            "ftp://example.org/a",
            "file:///a",
            r"\\server\share",
            r"\\server\share\",
            r"\\server\share\*.bin",
            r"\\server\share\..\a",
            r"\\server\share\a:stream",
            r"\\server\pipe\a",
            r"\\?\C:\a",
            r"C:\dir\",
            "file://C:/a\0",
            &format!(r"\\server\share\{}", "x".repeat(261)),
            "http://",
            "http:///a",
            "http://example.org:port/a",
            "http://example.org/a b",
            "http://example.org/a\tb",
            "http://example.org/*.bin",
            "http://example.org/a\0",
            r"http://example.org\a",
            "http://m\u{fc}ller.example/a",
            &format!("http://example.org/{}", "x".repeat(261)),
            &format!("http://example.org/?{}", "x".repeat(2_200)),
        ] {
            assert_eq!(remote(name), Err(Hresult::E_INVALIDARG), "{name}");
        }
    }

    #[test]
    fn names_of_files_are_accepted_where_they_are_taken() {
        let forms =
            [r"\\server\share\dir\a b.bin", r"C:\dir\a", r"file://C:\a", "file:///C:/a", "file://server/share/a"];
        for name in forms {
            assert_eq!(check_remote(name, true), Ok(()), "{name}");
            assert_eq!(check_remote(name, false), Err(Hresult::E_INVALIDARG), "{name}");
        }
    }

    #[test]
    fn names_that_windows_keeps_for_devices_are_no_files() {
        for name in ["CON", "nul", "aux.txt", "COM1", "lpt9.bin", "COM\u{b2}", "NUL .txt", "conin$", "...", " ", ". ."]
        {
            assert_eq!(local(&format!(r"C:\{name}")), Err(Hresult::E_INVALIDARG), "{name:?}");
            assert_eq!(local(&format!(r"C:\{name}\a")), Err(Hresult::E_INVALIDARG), "{name:?}");
        }
        for name in ["CONSOLE", "COM", "COM0", "COM10", "nully.txt", "a.nul", ".con", "a."] {
            assert!(local(&format!(r"C:\{name}")).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn the_longest_url_and_the_longest_segment_are_accepted() {
        assert!(remote(&format!("http://example.org/{}", "x".repeat(260))).is_ok());
        let start = "http://example.org/?";
        assert!(remote(&format!("{start}{}", "x".repeat(2_200 - start.len()))).is_ok());
    }

    #[test]
    fn a_full_local_path_leads_to_its_drive() {
        assert_eq!(local(r"C:\dir\a.bin"), Ok(PathBuf::from("/c/dir/a.bin")));
    }

    /// On Windows all of them begin with a drive or a share.
    #[cfg(not(windows))]
    #[test]
    fn a_full_path_of_the_machine_stands_for_itself() {
        for name in ["/dir/a.bin", "/dir/nul"] {
            assert_eq!(local(name), Ok(PathBuf::from(name)));
        }
        assert_ne!(same_file("/dir/A", &drives()), same_file("/dir/a", &drives()));
    }

    #[test]
    fn local_names_that_break_a_rule_are_refused() {
        for name in [
            "",
            "a.bin",
            r"dir\a.bin",
            r"C:a.bin",
            r"\\?\C:\a.bin",
            r"C:\*.bin",
            r"C:\a?.bin",
            r"C:\dir\",
            "/",
            r"C:\..\a.bin",
            r"C:\a.bin:stream",
            "C:\\a\0.bin",
            "C:\\a\n.bin",
            &format!(r"C:\{}", "x".repeat(258)),
        ] {
            assert_eq!(local(name), Err(Hresult::E_INVALIDARG), "{name}");
        }
    }

    #[test]
    fn names_of_one_file_on_a_drive_are_the_same_in_any_case_and_form() {
        let same = |name| same_file(name, &drives());
        assert_eq!(same(r"C:\Dir\A.bin"), same("c:/dir/a.BIN. "));
        assert_ne!(same(r"C:\a"), same(r"C:\b"));
    }

    #[cfg(windows)]
    #[test]
    fn names_of_one_file_on_a_drive_of_the_machine_are_the_same_in_any_case_and_form() {
        assert_eq!(same_file(r"E:\Dir\A.bin", &drives()), same_file("e:/dir/a.BIN. ", &drives()));
    }

    #[test]
    fn the_longest_local_name_is_accepted() {
        assert!(local(&format!(r"C:\{}", "x".repeat(257))).is_ok());
    }

    #[test]
    fn a_drive_that_is_not_there_is_a_missing_folder() {
        assert_eq!(local(r"D:\a.bin"), Err(Hresult::ERROR_DIRECTORY));
    }
}
