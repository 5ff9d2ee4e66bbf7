//! `bitsd doctor`: what it prints, how it exits.

#![expect(clippy::needless_raw_string_hashes, reason = "snapbox writes the expected texts so")]

use bits_origin::{Content, Origin, Script};
use bits_world::clock::Clock;
use serde_json::Value;
use snapbox::str;

use crate::support::{Ended, bitsd};

/// Asks the doctor, as JSON, who waits for so many seconds at most; he trusts `ca`.
pub(crate) fn patient_doctor(url: &str, ca: Option<&str>, seconds: u32) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let mut command = bitsd();
    command.args(["doctor", url, "--json", "--timeout", &seconds.to_string()]);
    if let Some(ca) = ca {
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, ca).unwrap();
        command.arg("--ca").arg(path);
    }
    Ended::new(command.output().unwrap())
}

pub(crate) fn doctor(url: &str, ca: Option<&str>) -> Ended {
    patient_doctor(url, ca, 20)
}

/// The text in a value.
pub(crate) fn told(value: &Value) -> &str {
    value.as_str().unwrap()
}

impl Ended {
    /// The report of the doctor.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.stderr, "");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

fn serve(content: Content, script: &str) -> Origin {
    let origin = Origin::start(Clock::system()).unwrap();
    origin.put("/a.bin", content);
    origin.script(Script::parse("test", script).unwrap());
    origin
}

fn ask(url: &str, more: &[&str]) -> Ended {
    Ended::new(bitsd().args(["doctor", url, "--timeout", "20"]).args(more).output().unwrap())
}

#[test]
fn a_good_server_gets_a_line_for_each_check() {
    let origin = serve(Content::synthetic(100_000, 1), "");

    let ended = ask(&origin.url("/a.bin"), &[]);

    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    snapbox::assert_data_eq!(
        ended.stdout.replace(&origin.address().to_string(), "127.0.0.1:80"),
        str![[r#"
http://127.0.0.1:80/a.bin
asked as Microsoft BITS/7.8; the server is bits-origin

foreground       TRANSFERRED, 100000 bytes
background       TRANSFERRED, 100000 bytes
after a break    TRANSFERRED, 100000 bytes
several ranges   TRANSFERRED, 2 bytes in 2 ranges

ok    connection      127.0.0.1:80
ok    redirects       none
ok    authentication  none asked for
ok    answer          200
ok    HEAD            200
ok    size            100000 bytes
ok    body            comes as announced, as far as it was read
ok    ranges          206 for GET with bytes=0-99999
ok    last byte       bytes 99999-99999/100000
ok    several ranges  a part for each
ok    time stamp      Wed, 01 Jan 2025 00:00:00 GMT
ok    condition       If-Unmodified-Since is heeded
ok    compression     none
ok    HTTP version    HTTP/1.1
ok    proxies         none shows itself
-     not looked at   TLS

"#]]
    );
}

#[test]
fn what_fails_is_told_with_its_code_and_how_to_mend_it() {
    let origin = serve(Content::synthetic(100_000, 1).without_ranges(), "");

    let ended = ask(&origin.url("/a.bin"), &["--requests"]);

    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    snapbox::assert_data_eq!(
        ended.stdout.replace(&origin.address().to_string(), "127.0.0.1:80"),
        str![[r#"
http://127.0.0.1:80/a.bin
asked as Microsoft BITS/7.8; the server is bits-origin

foreground       TRANSFERRED, 100000 bytes
background       ERROR, 0x80200013 BG_E_INSUFFICIENT_RANGE_SUPPORT
after a break    ERROR, 0x80200013 BG_E_INSUFFICIENT_RANGE_SUPPORT
several ranges   ERROR, 0x80200013 BG_E_INSUFFICIENT_RANGE_SUPPORT

ok    connection      127.0.0.1:80
ok    redirects       none
ok    authentication  none asked for
ok    answer          200
ok    HEAD            200
ok    size            100000 bytes
ok    body            comes as announced, as far as it was read
FAIL  ranges          200 and the whole file for GET with bytes=0-99999
ok    time stamp      Wed, 01 Jan 2025 00:00:00 GMT
ok    condition       If-Unmodified-Since is heeded
ok    compression     none
ok    HTTP version    HTTP/1.1
ok    proxies         none shows itself
-     not looked at   TLS, last byte, several ranges

to mend
  ranges          0x80200013 BG_E_INSUFFICIENT_RANGE_SUPPORT in BG_ERROR_CONTEXT_REMOTE_FILE: background, after a break
                  server: answer GET with Range by 206, with Content-Range and the part's Content-Length
                  client: a foreground job under 2 GB asks for no range, as long as nothing breaks

requests: foreground
  HEAD http://127.0.0.1:80/a.bin → HTTP/1.1 200 [content-length: 100000] [last-modified: Wed, 01 Jan 2025 00:00:00 GMT]
  GET http://127.0.0.1:80/a.bin → HTTP/1.1 200 [content-length: 100000] [last-modified: Wed, 01 Jan 2025 00:00:00 GMT]

requests: background
  HEAD http://127.0.0.1:80/a.bin → HTTP/1.1 200 [content-length: 100000] [last-modified: Wed, 01 Jan 2025 00:00:00 GMT]
  GET http://127.0.0.1:80/a.bin [range: bytes=0-99999] [if-unmodified-since: Wed, 01 Jan 2025 00:00:00 GMT] → HTTP/1.1 200 [content-length: 100000] [last-modified: Wed, 01 Jan 2025 00:00:00 GMT]

requests: after a break
  GET http://127.0.0.1:80/a.bin [range: bytes=50000-99999] [if-unmodified-since: Wed, 01 Jan 2025 00:00:00 GMT] → HTTP/1.1 200 [content-length: 100000] [last-modified: Wed, 01 Jan 2025 00:00:00 GMT]

requests: several ranges
  HEAD http://127.0.0.1:80/a.bin → HTTP/1.1 200 [content-length: 100000] [last-modified: Wed, 01 Jan 2025 00:00:00 GMT]
  GET http://127.0.0.1:80/a.bin [range: bytes=0-0,99999-99999] [if-unmodified-since: Wed, 01 Jan 2025 00:00:00 GMT] → HTTP/1.1 200 [content-length: 100000] [last-modified: Wed, 01 Jan 2025 00:00:00 GMT]

requests: further questions
  GET http://127.0.0.1:80/a.bin [range: bytes=99999-99999] → HTTP/1.1 200 [content-length: 100000] [last-modified: Wed, 01 Jan 2025 00:00:00 GMT]
  GET http://127.0.0.1:80/a.bin [range: bytes=0-0] [if-unmodified-since: Sun, 06 Nov 1994 08:49:37 GMT] → HTTP/1.1 412 [content-length: 24]

"#]]
    );
}

/// What the check of that name says of a server.
#[track_caller]
fn check(report: &Value, name: &str) -> (String, String) {
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["check"] == name).unwrap();
    (told(&check["result"]).to_owned(), told(&check["text"]).to_owned())
}

#[test]
fn warnings_leave_bits_content() {
    let table = [
        (Content::synthetic(9000, 1).without_last_modified(), "", "time stamp", "begins anew"),
        (Content::synthetic(9000, 1), "/a.bin: header content-encoding \"br\"", "compression", "br"),
        (Content::synthetic(9000, 1), "GET /a.bin: parts merged", "several ranges", "BG_E_INVALID_SERVER_RESPONSE"),
        (Content::synthetic(9000, 1).http10(), "", "HTTP version", "HTTP/1.0"),
        (Content::synthetic(9000, 1), "/a.bin: header last-modified \"soon\"", "time stamp", "soon"),
    ];
    for (content, script, name, text) in table {
        let origin = serve(content, script);

        let ended = ask(&origin.url("/a.bin"), &["--json"]);

        let (result, said) = check(&ended.json(), name);
        assert_eq!((ended.code, result.as_str()), (Some(0), "warning"), "{name}: {said}");
        assert!(said.contains(text), "{name}: {said}");
    }
}

#[test]
fn proxies_that_show_themselves_are_named() {
    let origin = serve(Content::synthetic(9000, 1), "/a.bin: header via \"1.1 squid\", header age \"17\"");

    let report = ask(&origin.url("/a.bin"), &["--json"]).json();

    assert_eq!(check(&report, "proxies"), ("ok".into(), "via: 1.1 squid, age: 17".into()));
}

#[test]
fn schemes_of_credentials_are_matched_with_those_of_bits() {
    for (challenge, text) in [
        ("Negotiate, NTLM, Basic realm=x", "BG_AUTH_SCHEME_NEGOTIATE, BG_AUTH_SCHEME_NTLM, BG_AUTH_SCHEME_BASIC"),
        ("Bearer realm=x", "BITS knows none of them"),
    ] {
        let script = format!(
            "/a.bin: play send \"HTTP/1.1 401 No\\r\\nWWW-Authenticate: {challenge}\\r\\nContent-Length: 0\\r\\n\\r\\n\" then close"
        );
        let origin = serve(Content::synthetic(9000, 1), &script);

        let ended = ask(&origin.url("/a.bin"), &["--json"]);

        let (result, said) = check(&ended.json(), "authentication");
        assert_eq!((ended.code, result.as_str()), (Some(1), "failure"), "{said}");
        assert!(said.contains(text), "{said}");
    }
}

#[test]
fn a_url_that_is_signed_for_get_only_is_told_apart_from_one_that_is_refused() {
    let signed = serve(Content::synthetic(9000, 1).refuse_head(403), "");
    let refused = serve(Content::synthetic(9000, 1), "/a.bin: status 403");

    let signed = ask(&signed.url("/a.bin"), &["--json"]).json();
    let refused = ask(&refused.url("/a.bin"), &["--json"]).json();

    let (result, said) = check(&signed, "HEAD");
    assert!(result == "failure" && said.contains("signed for GET only"), "{said}");
    let dynamic = signed["jobs"].as_array().unwrap().iter().find(|job| job["job"] == "dynamic content").unwrap();
    assert_eq!((&dynamic["state"], &dynamic["counts"]), (&"TRANSFERRED".into(), &false.into()));
    assert_eq!((check(&refused, "HEAD").0, check(&refused, "answer").0), ("not asked".into(), "failure".into()));
}

#[test]
fn an_empty_file_that_is_not_empty_is_found_out() {
    let lies = serve(Content::synthetic(9000, 1), "HEAD /a.bin: header content-length \"0\"");
    let empty = serve(Content::bytes(""), "");

    let lies = ask(&lies.url("/a.bin"), &["--json"]);
    let empty = ask(&empty.url("/a.bin"), &["--json"]);

    let (result, said) = check(&lies.json(), "size");
    assert!(result == "failure" && said.contains("HEAD says 0 bytes"), "{said}");
    assert_eq!((lies.code, lies.json()["jobs"][0]["state"].as_str()), (Some(1), Some("TRANSFERRED")));
    assert_eq!((empty.code, check(&empty.json(), "size").1), (Some(0), "0 bytes".into()));
}

#[test]
fn servers_that_cannot_be_reached_are_told_apart() {
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = format!("http://{}/a", mute.local_addr().unwrap());
    let table = [
        ("http://127.0.0.1:1/a", "0x80072EFD", "127.0.0.1:1: Connection refused"),
        ("http://server.invalid/a", "0x80072EE7", "server.invalid has no address: "),
        (mute.as_str(), "0x80072EE2", "takes the connection, and then is silent"),
    ];
    for (url, code, text) in table {
        let ended = patient_doctor(url, None, 1);

        let report = ended.json();
        let (result, said) = check(&report, "connection");
        assert_eq!((ended.code, result.as_str()), (Some(1), "failure"), "{said}");
        assert_eq!(report["jobs"][0]["error"]["hresult"], code, "{url}");
        assert!(said.contains(text), "{said}");
    }
}

#[test]
fn a_certificate_is_refused_with_every_reason() {
    let origin = serve(Content::synthetic(9000, 1), "");
    let elsewhere = origin.https_url("/a.bin").replace("127.0.0.1", "127.0.0.2");

    let unknown = doctor(&origin.https_url("/a.bin"), None).json();
    let trusted = doctor(&origin.https_url("/a.bin"), Some(origin.ca_pem())).json();

    let (result, said) = check(&unknown, "TLS");
    assert!(result == "failure" && said.contains("(excused by BG_SSL_IGNORE_UNKNOWN_CA)"), "{said}");
    assert_eq!(unknown["jobs"][0]["error"]["name"], "ERROR_WINHTTP_SECURE_INVALID_CA");
    assert_eq!(check(&trusted, "TLS").0, "ok");
    // Nobody listens there; but the name is the same.
    assert_eq!(check(&doctor(&elsewhere, None).json(), "TLS").0, "not asked");
}

#[test]
fn credentials_in_urls_are_not_shown() {
    let moved =
        "play send \"HTTP/1.1 302 Found\\r\\nLocation: http://user:secret@127.0.0.1:1/\\r\\n\\r\\n\" then close";
    let origin = serve(Content::synthetic(9000, 1), &format!("/a.bin: {moved}"));
    let url = origin.url("/a.bin").replace("127.0.0.1", "user:secret@127.0.0.1");

    for how in ["--json", "--requests"] {
        let ended = ask(&url, &[how]);

        assert!(ended.stdout.contains("***@127.0.0.1:1/"), "{}", ended.stdout);
        assert!(!ended.stdout.contains("secret") && !ended.stderr.contains("secret"), "{}", ended.stdout);
    }
}

#[test]
fn wrong_urls_are_wrong_usage() {
    for (url, why) in [
        ("nonsense", "(the URL has to begin with http:// or https://)"),
        ("ftp://server/a", "(the URL has to begin with http:// or https://)"),
        ("http://server/with space", "(BITS takes no such URL)"),
        ("http://user:secret@ser ver/", "(BITS takes no such URL)"),
    ] {
        let ended = ask(url, &["--json"]);

        let shown = url.replace("user:secret", "***");
        ended.is_misused(&format!("bitsd: cannot ask {shown}: 0x80070057 E_INVALIDARG: argument not valid {why}"));
    }
}

#[test]
fn certificates_that_cannot_be_read_are_named() {
    ask("http://127.0.0.1:1/a", &["--ca", "/none.pem"]).fails("bitsd: cannot read /none.pem: [..]");
}

#[test]
fn nothing_that_a_server_says_reaches_the_terminal_as_it_is() {
    let origin = serve(Content::synthetic(9000, 1), "/a.bin: header server \"\u{9b}2J\"");

    let ended = ask(&origin.url("/a.bin"), &["--requests"]);

    assert!(!ended.stdout.chars().any(|c| c.is_control() && c != '\n'), "{}", ended.stdout);
}
