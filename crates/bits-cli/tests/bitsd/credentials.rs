//! `--server-auth` and `--proxy-auth`: who asks, and where the password is.

use std::fs;
#[cfg(unix)]
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use bits_origin::Origin;
use bits_world::clock::Clock;

use crate::support::{Ended, Place};

/// Appears in no output and in no list of processes.
const PASSWORD: &str = "hunter2-Pässwort";
const VARIABLE: &str = "BITSD_TEST_PASSWORD";

impl Place {
    /// A file with these bytes.
    fn password_file(&self, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.aside("password");
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Runs `bitsd get URL a` with a login whose password is in this file.
    fn get_with_file(&self, url: &str, login: &str, file: &std::path::Path) -> Ended {
        self.get([url, "a", "--server-auth", login, "--server-password-file", file.to_str().unwrap()])
    }
}

#[test]
fn what_is_no_scheme_and_user_is_told_without_showing_it() {
    let wanted = "SCHEME:USER is wanted, where SCHEME is basic, digest, ntlm, negotiate or passport, as in digest:joe";
    let table = [
        ("hunter2", wanted),
        ("joe:hunter2", wanted),
        ("kerberos:joe", wanted),
        ("basic:", "USER is missing"),
        ("basic:joe:hunter2", "no USER has a colon, and the password does not belong here: [..]"),
    ];
    for (login, why) in table {
        for option in ["--server-auth", "--proxy-auth"] {
            let ended = Place::new().get(["http://server/a", "a", option, login]);
            ended.is_misused(&format!("bitsd: {option}: {why}"));
            assert!(!ended.stderr.contains("hunter2"), "{login}");
        }
    }
}

#[test]
fn a_scheme_has_one_user() {
    Place::new()
        .get(["http://server/a", "a", "--server-auth", "digest:joe", "--server-auth", "DIGEST:jim"])
        .is_misused("bitsd: --server-auth: digest can have one USER only");
}

#[test]
fn what_no_scheme_looks_at_is_wrong_usage_unless_a_job_may_have_it() {
    let place = Place::new();
    let url = place.serve("/a", 10);

    place.get([&*url, "a", "--kdc", "dc1:88"]).is_misused("bitsd: --kdc is for negotiate, and nobody logs in by that");
    place
        .get([&*url, "a", "--passport-nexus", "https://nexus.example/"])
        .is_misused("bitsd: --passport-nexus is for passport, and nobody logs in by that");
    place.get([&*url, "a", "--kdc", "dc1:88", "--state", place.aside("state").to_str().unwrap()]).is_quiet_success();
}

#[test]
fn passport_wants_to_be_told_its_nexus() {
    let login = ["http://server/a", "a", "--server-auth", "passport:joe@example.org"];
    let place = Place::new();
    let url = place.serve("/a", 10);

    place.get(login).is_misused("bitsd: --server-auth: passport wants --passport-nexus URL");
    let file = place.password_file(PASSWORD);
    for nexus in ["nexus.example", "https://joe:hunter2@nexus.example/"] {
        let login = [&*url, "a", "--server-auth", "passport:joe@example.org", "--passport-nexus", nexus];
        let ended = place.get(login.into_iter().chain(["--server-password-file", file.to_str().unwrap()]));
        ended.is_misused("bitsd: [..]a server of Passport[..]");
        assert!(!ended.stderr.contains("hunter2"), "{}", ended.stderr);
    }
}

#[test]
fn a_user_name_longer_than_bits_takes_is_wrong_usage() {
    let place = Place::new();
    let url = place.serve("/a", 10);

    let ended = place.get_with_file(&url, &format!("basic:{}", "j".repeat(301)), &place.password_file(PASSWORD));

    ended.is_misused("bitsd: cannot log in with basic:jjj[..]: 0x80200025 BG_E_USERNAME_TOO_LARGE: [..]");
}

#[test]
fn a_user_name_that_a_scheme_cannot_send_is_wrong_usage() {
    let place = Place::new();
    let url = place.serve("/a", 10);

    let ended = place.get_with_file(&url, r"ntlm:A\B\joe", &place.password_file(PASSWORD));

    ended.is_misused("bitsd: cannot log in with ntlm:A/B/joe: 0x80200040 BG_E_INVALID_CREDENTIALS: [..]");
}

#[test]
fn without_a_terminal_nobody_is_asked_for_a_password() {
    let place = Place::new();

    for (option, password) in [("--server-auth", "--server-password"), ("--proxy-auth", "--proxy-password")] {
        place.get(["http://server/a", "a", option, "digest:joe"]).fails(&format!(
            "bitsd: no password for joe[..], and no terminal to ask at: \
             name its variable by {password}-env or its file by {password}-file"
        ));
    }
}

#[test]
fn a_file_without_a_password_in_it_is_named() {
    let place = Place::new();
    let table: [(&[u8], &str); 7] = [
        (b"", "is empty: [..]"),
        (b"\r\n", "is empty: [..]"),
        (b"\xef\xbb\xbf\n", "is empty: [..]"),
        (b"hunter2\nhunter3\n", "has more than one line: [..]"),
        (b"hunter2\0\n", "has a NUL in it: [..]"),
        (b"\xff\xfeh\0u\0n\0t\0", "is not UTF-8"),
        (&"h".repeat(300_000).into_bytes(), "is longer than any password"),
    ];
    for (bytes, why) in table {
        let ended = place.get_with_file("http://server/a", "basic:joe", &place.password_file(bytes));
        ended.fails(&format!("bitsd: [..]password {why}"));
        assert!(!ended.stderr.contains("hunter"), "{}", ended.stderr);
    }
    place
        .get_with_file("http://server/a", "basic:joe", &place.aside("missing"))
        .fails("bitsd: cannot read [..]missing: [..]");
    place.get_with_file("http://server/a", "basic:joe", place.folder()).fails("bitsd: cannot read [..]: [..]");
}

#[test]
fn a_variable_without_a_password_in_it_is_named() {
    let place = Place::new();
    let arguments = ["http://server/a", "a", "--proxy-auth", "ntlm:joe", "--proxy-password-env", VARIABLE];
    let get = |value: &str| Ended::new(place.command(arguments).env(VARIABLE, value).output().unwrap());

    place.get(arguments).fails("bitsd: the environment variable BITSD_TEST_PASSWORD is not set");
    get("").fails("bitsd: the environment variable BITSD_TEST_PASSWORD is empty: [..]");
    get("a\nb").fails("bitsd: the environment variable BITSD_TEST_PASSWORD has more than one line: [..]");
    #[cfg(unix)]
    Ended::new(place.command(arguments).env(VARIABLE, std::ffi::OsStr::from_bytes(b"\xff")).output().unwrap())
        .fails("bitsd: the environment variable BITSD_TEST_PASSWORD is not Unicode");
}

#[test]
fn a_server_that_wants_a_login_says_which_option_gives_one() {
    let place = Place::new();
    let url = place.serve("/a", 10);
    place.script("/a: status 401");

    place.get([&*url, "a"]).fails(
        "bitsd: cannot download [..] to [..]: 0x80190191 BG_E_HTTP_ERROR_401: [..] \
         (BG_ERROR_CONTEXT_REMOTE_FILE); the server wants a login: --server-auth SCHEME:USER",
    );
}

#[test]
fn a_proxy_that_wants_a_login_says_which_option_gives_one() {
    let (place, proxy) = (Place::new(), Origin::start(Clock::system()).unwrap());
    let url = place.serve("/a", 10);
    proxy.script(bits_origin::Script::parse("test", "/a: status 407").unwrap());

    place.get([&*url, "a", "--proxy", &proxy.url("")]).fails(
        "bitsd: cannot download [..] to [..]: 0x80190197 BG_E_HTTP_ERROR_407: [..] \
         (BG_ERROR_CONTEXT_[..]); the proxy wants a login: --proxy-auth SCHEME:USER",
    );
}
