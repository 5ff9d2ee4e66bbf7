//! Scripted faults, as a client meets them.

use std::io;
use std::path::Path;

use bits_origin::{Content, Cut, Origin, Outcome, Script, ScriptError, Synthetic};

use crate::client::{Client, SOON, origin_with};

const LENGTH: u64 = 400_000;

fn origin_playing(script: &str) -> Origin {
    let origin = origin_with("/a", Content::synthetic(LENGTH, 1));
    origin.script(Script::parse("test", script).unwrap());
    origin
}

fn bytes(to: u64) -> Vec<u8> {
    Synthetic::new(LENGTH, 1).bytes(0..to)
}

#[test]
fn refusals_are_counted_and_then_it_behaves() {
    let origin = origin_playing("first 2 requests of /a: status 503 retry-after 10 min");
    let mut client = Client::connect(&origin);
    let refused = client.head("/a");
    assert_eq!((refused.status(), refused.header("retry-after")), (503, Some("600")));
    assert_eq!(client.get("/a").status(), 503);
    assert_eq!(client.get("/a").body, bytes(LENGTH));
    origin.journal().statuses([503, 503, 200]).on_one_connection();
}

#[test]
fn a_close_lets_exactly_the_named_bytes_through() {
    for after in [0, 1, 300_000, LENGTH - 1] {
        let origin = origin_playing(&format!("/a: close after {after} bytes once"));
        let mut client = Client::connect(&origin);
        let head = client.send("GET /a HTTP/1.1").answer_head();
        assert_eq!(head.header("content-length"), Some("400000"));
        assert_eq!(client.rest().unwrap(), bytes(after));
        let journal = origin.journal();
        assert_eq!((journal.body_bytes_sent(), &journal.nth(0).outcome), (after, &Outcome::Cut(Cut::Origin)));
        assert_eq!(Client::connect(&origin).get("/a").body, bytes(LENGTH), "once only");
    }
}

#[test]
fn under_tls_a_close_comes_without_farewell() {
    let origin = origin_playing("/a: close after 1000 bytes");
    let mut client = Client::connect_tls(&origin, "localhost");
    client.send("GET /a HTTP/1.1").answer_head();
    assert_eq!(client.bytes(1000), bytes(1000));
    assert_eq!(client.rest().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn a_reset_is_a_reset() {
    let origin = origin_playing("/a: reset after 1000 bytes");
    let mut client = Client::connect(&origin);
    client.send("GET /a HTTP/1.1");
    assert_eq!(client.rest().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(origin.journal().body_bytes_sent(), 1000);
}

#[test]
fn a_connection_can_end_before_anything_is_answered() {
    let origin = origin_playing("request 1 of /a: close\nrequest 2 of /a: reset");
    assert_eq!(Client::connect(&origin).send("GET /a HTTP/1.1").rest().unwrap(), b"");
    let reset = Client::connect(&origin).send("GET /a HTTP/1.1").rest().unwrap_err();
    assert_eq!(reset.kind(), io::ErrorKind::ConnectionReset);
    origin.journal().statuses([0, 0]);
}

#[test]
fn ranges_can_be_ignored_or_answered_with_the_wrong_one() {
    let origin = origin_playing("request 1 of /a: ignore range\nrequest 2 of /a: wrong content-range");
    let mut client = Client::connect(&origin);
    let whole = client.get_range("/a", "bytes=10-19");
    assert_eq!((whole.status(), whole.body.len(), whole.header("accept-ranges")), (200, 400_000, Some("bytes")));
    let wrong = client.get_range("/a", "bytes=10-19");
    assert_eq!((wrong.status(), wrong.header("content-range")), (206, Some("bytes 11-20/400000")));
    assert_eq!(wrong.body, Synthetic::new(LENGTH, 1).bytes(10..20));
}

#[test]
#[expect(clippy::single_range_in_vec_init, reason = "a list of one range is what is meant")]
fn answers_in_several_parts_can_be_muddled() {
    let table = [
        ("parts merged", vec![0..6]),
        ("parts reversed", vec![4..6, 0..2]),
        ("parts repeated", vec![0..2, 0..2, 4..6]),
        ("parts dropped", vec![0..2]),
        ("parts first", vec![0..2]),
        ("parts lines 3, parts header x \"y\"", vec![0..2, 4..6]),
    ];
    for (muddle, served) in table {
        let origin = origin_playing(&format!("/a: {muddle}"));

        Client::connect(&origin).get_range("/a", "bytes=0-1,4-5");

        assert_eq!(origin.journal().iter().next().unwrap().served, served, "{muddle}");
    }
}

#[test]
fn lengths_can_disagree_and_be_absent() {
    let script = r#"
        HEAD /a: header content-length "999"
        request 1 of GET /a: without content-length
        request 2 of GET /a: chunked
        request 3 of GET /a: header Content-Length "500000"
    "#;
    let origin = origin_playing(script);
    assert_eq!(Client::connect(&origin).head("/a").header("content-length"), Some("999"));

    let unknown = Client::connect(&origin).get("/a");
    assert_eq!((unknown.header("content-length"), unknown.header("transfer-encoding")), (None, None));
    assert_eq!(unknown.body, bytes(LENGTH));

    let chunked = Client::connect(&origin).get("/a");
    assert_eq!((chunked.header("transfer-encoding"), &chunked.body), (Some("chunked"), &bytes(LENGTH)));

    let mut client = Client::connect(&origin);
    assert_eq!(client.send("GET /a HTTP/1.1").answer_head().header("content-length"), Some("500000"));
    assert_eq!(client.rest().unwrap(), bytes(LENGTH), "the connection ends where the file does");
}

#[test]
fn headers_can_be_left_out() {
    let origin =
        origin_playing("/a: without last-modified, without etag, without accept-ranges, header X-Odd \"a, b\"");
    let answer = Client::connect(&origin).get("/a");
    assert!(["last-modified", "etag", "accept-ranges"].iter().all(|name| answer.header(name).is_none()));
    assert_eq!(answer.header("x-odd"), Some("a, b"));
}

#[test]
fn an_old_server_can_be_played() {
    let origin = origin_playing("/a: http/1.0, status 403");
    let mut client = Client::connect(&origin);
    assert_eq!(client.get("/a").status_line, "HTTP/1.0 403 Forbidden");
    assert_eq!(client.rest().unwrap(), b"");
}

#[test]
fn a_file_can_change_before_and_in_the_middle_of_an_answer() {
    let origin =
        origin_playing("request 2 of /a: change to 10 bytes seed 5\nrequest 4 of /a: change after 4 bytes to 3 bytes");
    let mut client = Client::connect(&origin);
    let old = client.get("/a");
    let new = client.get("/a");
    assert_eq!(new.body, Synthetic::new(10, 5).bytes(0..10));
    assert_ne!(old.header("last-modified"), new.header("last-modified"));
    assert_eq!(client.get("/a").header("etag"), new.header("etag"), "changed once, for good");
    assert_eq!(client.get("/a").body, new.body, "what has begun goes on with the old bytes");
    assert_eq!(client.get("/a").body.len(), 3);
}

#[test]
fn garbage_is_no_http() {
    let origin = origin_playing("/a: garbage");
    let answer = Client::connect(&origin).send("GET /a HTTP/1.1").rest().unwrap();
    assert!(!answer.starts_with(b"HTTP/"));
}

#[test]
fn endless_heads_go_on_until_the_client_gives_up() {
    for (script, start) in [("endless headers", "HTTP/1.1 200 OK\r\nX-"), ("endless interim", "HTTP/1.1 102 ")] {
        let origin = origin_playing(&format!("/a: {script}"));
        let mut client = Client::connect(&origin);
        client.send("GET /a HTTP/1.1");
        let seen = client.bytes(1 << 20);
        assert!(seen.starts_with(start.as_bytes()) && !seen.windows(5).any(|window| window == b"\r\n\r\nX"));
        client.vanish();
        origin.wait_until(SOON, |journal| journal.nth(0).outcome == Outcome::Cut(Cut::Client)).unwrap();
    }
}

#[test]
fn a_file_that_shrinks_while_it_is_served_cuts_the_answer_off() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a");
    std::fs::write(&file, vec![1; 2_000_000]).unwrap();
    let origin = crate::client::origin();
    origin.put_folder("/", folder.path());
    let gate = origin.gate("/a", bits_origin::GateAt::Byte(1000));
    let mut client = Client::connect(&origin);
    client.send("GET /a HTTP/1.1").answer_head();
    gate.wait_reached(SOON).unwrap();
    std::fs::File::options().write(true).open(&file).unwrap().set_len(1500).unwrap();
    gate.open();
    assert_eq!(client.rest().unwrap().len(), 1000);
    assert_eq!(origin.journal().nth(0).outcome, Outcome::Cut(Cut::Origin));
}

#[test]
fn a_mistake_in_a_script_is_named_with_line_and_column() {
    for (text, expected) in [
        ("first requests of /a: status 503", "t:1:7: expected a number from 1 on, found `requests`"),
        ("\n# fine\nfirst 0 requests of /a: reset", "t:3:7: expected a number from 1 on, found `0`"),
        ("first 2 requests /a: reset", "t:1:18: expected `of`, found `/a`"),
        ("/a reset", "t:1:4: expected `:`, found `reset`"),
        ("/a:", "t:1:4: expected a fault, found the end of the line"),
        ("/a: explode", "t:1:5: expected a fault (status, reset"),
        ("/a: status 99", "t:1:12: expected a status from 200 to 599, found `99`"),
        ("/a: status 503 retry-after 5", "t:1:29: expected a unit (ms, s, min, h), found the end of the line"),
        ("/a: reset after 5 parsecs", "t:1:19: expected a unit (byte, bytes, KiB, MiB, GiB, TiB), found `parsecs`"),
        ("/a: reset after 99999999 TiB", "t:1:26: a size as large as this does not fit"),
        ("/a: slow 0 bytes/s", "t:1:12: a rate of 0 would never end"),
        ("/a: reset, ", "t:1:12: expected a fault, found the end of the line"),
        ("/a: reset once more", "t:1:16: expected the end of the line, found `more`"),
        ("/a: reset 3", "t:1:12: expected `times`, found the end of the line"),
        ("/a: header X: y", "t:1:13: expected a value in quotation marks, found `:`"),
        ("/a: header X \"y", "t:1:14: this quotation mark has no partner"),
        ("/a: header ä \"y\"", "t:1:12: expected the name of a header, found `ä`"),
        ("a: reset", "t:1:1: expected a path that begins with a slash, found `a`"),
        ("0% of requests of /a: reset", "t:1:1: expected a share from 1% to 100%, found `0%`"),
        ("requests 5 to 3 of /a: reset", "t:1:15: requests 5 to 3 are none"),
        ("seed x", "t:1:6: expected a number, found `x`"),
        ("/a: endless patience", "t:1:13: expected `headers` or `interim`, found `patience`"),
    ] {
        let error = Script::parse("t", text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{text:?}: {error}");
    }
}

#[test]
fn the_scripts_of_the_project_can_be_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/scripts");
    let scripts: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| Script::load(entry.unwrap().path())).collect();
    assert!(scripts.len() >= 5);
    for script in scripts {
        assert_ne!(script.unwrap(), Script::new());
    }
    assert!(
        matches!(Script::load("/no/such/script"), Err(ScriptError::Read { path, .. }) if path == "/no/such/script")
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_reader_of_scripts_panic(text in "([a-z0-9/%:,\"#]{0,6}[ \n]){0,12}", any in ".*") {
        for text in [text, any] {
            if let Err(error) = Script::parse("t", &text) {
                let ScriptError::Syntax { line, column, .. } = error else { panic!("{error}") };
                let columns = text.lines().nth(line - 1).unwrap().chars().count() + 1;
                proptest::prop_assert!((1..=columns).contains(&column));
            }
        }
    }
}
