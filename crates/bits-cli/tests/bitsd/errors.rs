//! Downloads that fail: one line, exit code 1, nothing left behind.

use std::fs;

use crate::support::{MIB, Place};

/// Runs `bitsd get URL FILE`, which is to fail as `pattern` says and to leave no file.
#[track_caller]
fn fails(place: &Place, url: &str, file: &str, pattern: &str) {
    place.get([url, file]).fails(pattern);
    assert!(place.files().is_empty(), "{:?}", place.files());
}

#[test]
fn what_is_no_url_of_http_is_refused() {
    let place = Place::new();
    for url in ["", "server/a", "ftp://server/a", "file:///a"] {
        place.get([url, "a"]).is_misused(&format!(
            "bitsd: cannot download {url} to [..]a: 0x80070057 E_INVALIDARG: argument not valid \
             (the URL has to begin with http:// or https://)"
        ));
        assert!(place.files().is_empty(), "{:?}", place.files());
    }
}

#[test]
fn a_file_of_a_share_cannot_be_reached_from_here() {
    Place::new().get([r"\\server\share\a", "a"]).is_misused(
        r"bitsd: cannot download //server/share/a to [..]a: there are no shares here, only servers of HTTP and HTTPS",
    );
}

#[test]
fn a_url_that_bits_does_not_take_leaves_an_existing_file_alone() {
    let place = Place::new();
    fs::write(place.folder().join("a"), "old").unwrap();

    place.get(["http://server/with space", "a"]).is_misused(
        "bitsd: cannot download http://server/with space to [..]a: 0x80070057 E_INVALIDARG: argument not valid \
         (BITS takes no such URL)",
    );

    assert_eq!(place.read("a"), b"old");
}

#[test]
fn an_error_is_one_line_whatever_the_names_are() {
    let place = Place::new();

    let ended = place.get(["http://server/a\nb\u{1b}[2J", "a"]);

    ended.is_misused(
        "bitsd: cannot download http://server/a/nb/u{1b}[2J to [..]a: 0x80070057 E_INVALIDARG: \
         argument not valid (BITS takes no such URL)",
    );
}

#[test]
fn a_status_of_the_server_has_its_own_code() {
    let place = Place::new();
    fails(
        &place,
        &place.origin.url("/none"),
        "a",
        "bitsd: cannot download http://127.0.0.1:[..]/none to [..]a: 0x80190194 BG_E_HTTP_ERROR_404: \
         HTTP status 404: [..] (BG_ERROR_CONTEXT_REMOTE_FILE)",
    );
    let url = place.serve("/busy", 10);
    place.script("/busy: status 503");
    fails(
        &place,
        &url,
        "a",
        "bitsd: cannot download [..] to [..]: 0x801901F7 BG_E_HTTP_ERROR_503: [..] (BG_ERROR_CONTEXT_REMOTE_FILE)",
    );
    place.origin.journal().requests_to("/busy").count(1);
}

#[test]
fn a_server_that_is_not_there_cannot_be_connected_to() {
    fails(
        &Place::new(),
        "http://127.0.0.1:1/a",
        "a",
        "bitsd: cannot download http://127.0.0.1:1/a to [..]a: 0x80072EFD ERROR_WINHTTP_CANNOT_CONNECT: \
         cannot connect (BG_ERROR_CONTEXT_REMOTE_FILE)",
    );
}

#[test]
fn a_host_without_an_address_is_not_resolved() {
    fails(
        &Place::new(),
        "http://server.invalid/a",
        "a",
        "bitsd: cannot download http://server.invalid/a to [..]a: 0x80072EE7 ERROR_WINHTTP_NAME_NOT_RESOLVED: \
         host name not resolved (BG_ERROR_CONTEXT_REMOTE_FILE)",
    );
}

#[test]
fn a_server_that_tells_no_length_is_refused() {
    let place = Place::new();
    let url = place.serve("/a", MIB);
    place.script("/a: without content-length");
    fails(
        &place,
        &url,
        "a",
        "bitsd: cannot download [..] to [..]: 0x80200011 BG_E_MISSING_FILE_SIZE: [..] (BG_ERROR_CONTEXT_REMOTE_FILE)",
    );
}

#[test]
fn a_line_that_breaks_in_the_middle_leaves_nothing() {
    let place = Place::new();
    let url = place.serve("/a", 3 * MIB);
    place.script("GET /a: close after 1 MiB");
    fails(
        &place,
        &url,
        "a",
        "bitsd: cannot download [..] to [..]: 0x80072EFE ERROR_WINHTTP_CONNECTION_ERROR: [..] \
         (BG_ERROR_CONTEXT_[..])",
    );
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let place = Place::new();
    place.serve("/a", 10);
    fails(
        &place,
        &place.origin.https_url("/a"),
        "a",
        "bitsd: cannot download https://127.0.0.1:[..]/a to [..]a: 0x80072F0D ERROR_WINHTTP_SECURE_INVALID_CA: [..] \
         (BG_ERROR_CONTEXT_REMOTE_FILE); --ca PEMFILE trusts it, --ignore ca takes it nevertheless",
    );
    assert!(place.origin.journal().is_empty());
}

#[test]
fn a_folder_that_is_not_there_is_refused_before_anything_is_asked() {
    let place = Place::new();
    let url = place.serve("/a", 10);
    let missing = "bitsd: cannot download [..] to [..]: 0x8007010B HRESULT_FROM_WIN32(ERROR_DIRECTORY): \
                   the directory name is invalid ([..])";
    fails(&place, &url, "none/a", missing);
    place.get([&*url, "none/../a"]).says(&missing.replace("[..] to", "to"));
    assert!(place.origin.journal().is_empty());
}

#[test]
fn a_folder_is_no_file() {
    let place = Place::new();
    let url = place.serve("/a", 10);
    for folder in [".", "..", place.folder().to_str().unwrap()] {
        fails(
            &place,
            &url,
            folder,
            "bitsd: cannot download [..] to [..]: 0x80070057 E_INVALIDARG: argument not valid (FILE is a folder)",
        );
    }
}

#[test]
fn a_file_name_that_bits_does_not_take_is_refused() {
    let place = Place::new();
    let url = place.serve("/a", 10);
    fails(
        &place,
        &url,
        "what*",
        "bitsd: cannot download [..] to [..]: 0x80070057 E_INVALIDARG: argument not valid (BITS takes no such file name)",
    );
}

#[test]
fn a_file_that_cannot_be_replaced_is_told_of_before_anything_is_asked() {
    let place = Place::new();
    let url = place.serve("/a", 10);
    let file = place.folder().join("a");
    fs::write(&file, "old").unwrap();
    let mut permissions = fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&file, permissions).unwrap();

    place.get([&url, "a"]).fails("bitsd: cannot download [..]/a to [..]a: FILE is there and write-protected");

    assert!(place.origin.journal().is_empty());
}

#[test]
fn a_name_that_ends_as_a_folders_is_no_files() {
    let place = Place::new();
    let url = place.serve("/a", 10);
    fails(
        &place,
        &url,
        "new/",
        "bitsd: cannot download [..]/a to [..]: FILE ends as a folder does, and is to be the name of a file",
    );
}

#[cfg(unix)]
#[test]
fn a_device_is_not_replaced() {
    let place = Place::new();
    let url = place.serve("/a", 10);
    fails(
        &place,
        &url,
        "/dev/null",
        "bitsd: cannot download [..] to /dev/null: 0x80070057 E_INVALIDARG: argument not valid \
         (FILE is there and is not a regular file)",
    );
}

/// Not even the superuser can make a file there.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_files_denies_access() {
    let place = Place::new();
    let url = place.serve("/a", 10);
    fails(
        &place,
        &url,
        "/proc/self/a",
        "bitsd: cannot download [..] to /proc/self/a: 0x80070005 E_ACCESSDENIED: access denied \
         (the folder of FILE cannot be written to)",
    );
}

#[test]
fn certificates_that_cannot_be_read_are_named() {
    let place = Place::new();
    let url = place.serve("/a", 10);
    let (missing, wrong) = (place.aside("missing.pem"), place.aside("wrong.pem"));
    fs::write(&wrong, b"\xff no certificate").unwrap();

    place.get([&*url, "a", "--ca", missing.to_str().unwrap()]).fails("bitsd: cannot read [..]missing.pem: [..]");
    place
        .get([&*url, "a", "--ca", wrong.to_str().unwrap()])
        .fails("bitsd: cannot use [..]wrong.pem: trusted certificate 1: there is no PEM certificate in the text");
    // A key that has lost its line breaks, where a certificate should be.
    fs::write(&wrong, "-----BEGIN PRIVATE KEY-----MIIE-----END PRIVATE KEY-----").unwrap();
    place.get([&*url, "a", "--ca", wrong.to_str().unwrap()]).fails(
        "bitsd: cannot use [..]wrong.pem: trusted certificate 1: a BEGIN line has no END line: are all lines there?",
    );

    assert!(place.files().is_empty() && place.origin.journal().is_empty());
}
