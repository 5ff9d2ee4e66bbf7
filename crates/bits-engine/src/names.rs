//! Which remote and local names a file may have.
//!
//! Each rule is a row: what it looks at, and the code that a name gets which breaks it. What only
//! the disk knows (is the folder there, may the caller write to it) is asked of the probe
//! afterwards.

use std::path::PathBuf;

use bits_api::{FileInfo, Hresult, text};
use bits_world::{Drives, LocalPathError};
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
    // remote_protocols; SMB names are not spoken yet
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
    // a file, not a folder, and no way out of the drive: a path with dots is not full
    rule(|name| name.split(['\\', '/']).next_back().is_some_and(|last| !last.is_empty())),
    rule(|name| !name.split(['\\', '/']).any(|part| part == "." || part == "..")),
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
pub(crate) fn check(file: &FileInfo<'_>, drives: &Drives) -> Result<PathBuf, Hresult> {
    check_remote(file.remote_name)?;
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

/// Whether a file may be had from there.
///
/// # Errors
/// `E_INVALIDARG` for a name that breaks a rule.
pub(crate) fn check_remote(name: &str) -> Result<(), Hresult> {
    obeys(REMOTE, name)
}

fn obeys(rules: &[Rule], name: &str) -> Result<(), Hresult> {
    match rules.iter().find(|rule| !(rule.holds)(name)) {
        Some(broken) => Err(broken.otherwise),
        None => Ok(()),
    }
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
        drives
    }

    fn remote(remote_name: &str) -> Result<PathBuf, Hresult> {
        check(&FileInfo { remote_name, local_name: r"C:\a.bin" }, &drives())
    }

    fn local(local_name: &str) -> Result<PathBuf, Hresult> {
        check(&FileInfo { remote_name: "http://example.org/a", local_name }, &drives())
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
            "file://C:/a",
            r"\\server\share\a",
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
    fn the_longest_url_and_the_longest_segment_are_accepted() {
        assert!(remote(&format!("http://example.org/{}", "x".repeat(260))).is_ok());
        let start = "http://example.org/?";
        assert!(remote(&format!("{start}{}", "x".repeat(2_200 - start.len()))).is_ok());
    }

    #[test]
    fn a_full_local_path_leads_to_its_drive() {
        assert_eq!(local(r"C:\dir\a.bin"), Ok(PathBuf::from("/c/dir/a.bin")));
        assert_eq!(local("/dir/a.bin"), Ok(PathBuf::from("/dir/a.bin")));
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
    fn the_longest_local_name_is_accepted() {
        assert!(local(&format!(r"C:\{}", "x".repeat(257))).is_ok());
    }

    #[test]
    fn a_drive_that_is_not_there_is_a_missing_folder() {
        assert_eq!(local(r"D:\a.bin"), Err(Hresult::ERROR_DIRECTORY));
    }
}
