//! What a well-behaved origin serves, and what its journal says.

use std::sync::{Arc, Mutex};

use bits_api::FileTime;
use bits_origin::{Content, Cut, Outcome, Synthetic};
use bits_world::clock::Clock;
use proptest::prelude::*;

use crate::client::{Client, SOON, origin, origin_with};

#[test]
fn a_file_comes_with_length_stamp_etag_and_date() {
    let origin = origin_with("/a", Content::bytes("hello").last_modified(FileTime::from_unix_seconds(1_000_000_000)));
    let answer = Client::connect(&origin).get("/a");
    assert_eq!((answer.status_line.as_str(), answer.body.as_slice()), ("HTTP/1.1 200 OK", b"hello".as_slice()));
    assert_eq!(answer.header("Content-Length"), Some("5"));
    assert_eq!(answer.header("Last-Modified"), Some("Sun, 09 Sep 2001 01:46:40 GMT"));
    assert_eq!(answer.header("Accept-Ranges"), Some("bytes"));
    assert!(answer.header("ETag").unwrap().starts_with('"'));
    assert!(answer.header("Date").unwrap().ends_with("GMT"));
}

#[test]
fn https_is_served_to_whoever_trusts_the_authority() {
    let origin = origin_with("/a", Content::synthetic(300_000, 1));
    for name in ["localhost", "127.0.0.1"] {
        let answer = Client::connect_tls(&origin, name).get("/a");
        assert_eq!(answer.body, Synthetic::new(300_000, 1).bytes(0..300_000));
    }
    let journal = origin.journal();
    journal.count(2).statuses([200, 200]);
    assert!(journal.iter().all(|request| request.https && request.outcome == Outcome::Finished));
    assert_eq!(journal.body_bytes_sent(), 600_000);
}

#[test]
fn requests_of_one_client_share_its_connection() {
    let origin = origin_with("/a", Content::bytes(vec![1; 1000]));
    let mut client = Client::connect(&origin);
    client.head("/a");
    client.get("/a");
    client.get_range("/a", "bytes=10-19");
    Client::connect(&origin).get("/nothing");
    let journal = origin.journal();
    journal.count(4).methods(["HEAD", "GET", "GET", "GET"]).statuses([200, 200, 206, 404]);
    let to_a = journal.requests_to("/a");
    to_a.count(3).on_one_connection();
    to_a.nth(1).lacks_header("Range").has_header("host", "test");
    let ranged = to_a.nth(2);
    ranged.has_header("range", "bytes=10-19");
    assert_eq!((ranged.served.first(), ranged.body_sent), (Some(&(10..20)), 10));
    assert_eq!(ranged.peer, client.ends().client);
}

#[test]
fn a_file_of_zero_bytes_is_served() {
    let origin = origin_with("/empty", Content::bytes(""));
    let mut client = Client::connect(&origin);
    let answer = client.get("/empty");
    assert_eq!((answer.status(), answer.header("content-length"), answer.body.len()), (200, Some("0"), 0));
    assert_eq!(client.get_range("/empty", "bytes=0-").status(), 416);
    origin.put("/chunked", Content::bytes("").chunked());
    assert_eq!(client.head("/chunked").header("transfer-encoding"), Some("chunked"));
    assert_eq!(client.get("/chunked").body, b"");
    origin.journal().statuses([200, 416, 200, 200]).on_one_connection();
    assert!(origin.journal().iter().all(|request| request.outcome == Outcome::Finished && request.served.is_empty()));
}

#[test]
fn terabytes_are_served_from_any_offset_without_being_held() {
    let length = 8 << 40;
    let origin = origin_with("/big", Content::synthetic(length, 9));
    let mut client = Client::connect(&origin);
    assert_eq!(client.head("/big").header("content-length"), Some("8796093022208"));
    let answer = client.get_range("/big", "bytes=-1000");
    assert_eq!(answer.body, Synthetic::new(length, 9).bytes(length - 1000..length));
    assert_eq!(answer.header("content-range"), Some("bytes 8796093021208-8796093022207/8796093022208"));
}

#[test]
fn several_ranges_come_as_parts() {
    let origin = origin_with("/a", Content::bytes("0123456789"));
    let answer = Client::connect(&origin).get_range("/a", "bytes=0-1,5-6");
    let boundary = answer.header("content-type").unwrap().strip_prefix("multipart/byteranges; boundary=").unwrap();
    let part = |range: &str, bytes: &str| {
        format!(
            "\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {range}/10\r\n\r\n{bytes}"
        )
    };
    let expected = format!("{}{}\r\n--{boundary}--\r\n", part("0-1", "01"), part("5-6", "56"));
    assert_eq!(String::from_utf8(answer.body).unwrap(), expected);
    assert_eq!(origin.journal().nth(0).served, [0..2, 5..7]);
}

#[test]
fn a_folder_is_served_with_its_own_stamps_and_nothing_beside_it() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("files");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.txt"), "inside").unwrap();
    std::fs::write(outer.path().join("secret"), "outside").unwrap();
    let origin = origin();
    origin.put_folder("/files/", &folder);
    let mut client = Client::connect(&origin);
    assert_eq!(client.get("/files/a.txt").body, b"inside");
    assert_eq!(client.get_range("/files/a.txt?x=y", "bytes=2-3").body, b"si");
    for path in ["/files/../secret", "/files/%2e%2e/secret", "/files", "/files/", "/filesa.txt", "/secret"] {
        assert_eq!(client.get(path).status(), 404, "{path}");
    }
}

#[test]
fn a_changed_file_has_another_etag_and_a_later_stamp() {
    let origin = origin_with("/a", Content::bytes("one"));
    let mut client = Client::connect(&origin);
    let old = client.get("/a");
    origin.change("/a", Content::bytes("two"));
    let new = client.get("/a");
    assert_eq!(new.body, b"two");
    assert_ne!(new.header("etag"), old.header("etag"));
    assert_eq!(old.header("last-modified"), Some("Wed, 01 Jan 2025 00:00:00 GMT"));
    assert_eq!(new.header("last-modified"), Some("Wed, 01 Jan 2025 00:01:00 GMT"));
    let since = old.header("last-modified").unwrap();
    let refused = client.send(&format!("GET /a HTTP/1.1\r\nIf-Unmodified-Since: {since}")).answer();
    assert_eq!(refused.status(), 412);
}

#[test]
fn awkward_servers_can_be_played() {
    let origin = origin();
    origin.put("/norange", Content::bytes("abc").without_ranges().without_etag().without_last_modified());
    origin.put("/chunked", Content::synthetic(600_000, 2).chunked());
    origin.put("/endless", Content::bytes("until the end").until_close());
    origin.put("/old", Content::bytes("old").http10());
    origin.put("/getonly", Content::bytes("signed").refuse_head(403));
    let mut client = Client::connect(&origin);

    let answer = client.get_range("/norange", "bytes=1-1");
    assert_eq!((answer.status(), answer.body.as_slice()), (200, b"abc".as_slice()));
    assert!(["accept-ranges", "etag", "last-modified"].iter().all(|name| answer.header(name).is_none()));

    let answer = client.get("/chunked");
    assert_eq!(answer.header("content-length"), None);
    assert_eq!(answer.body, Synthetic::new(600_000, 2).bytes(0..600_000));

    assert_eq!(client.head("/getonly").status(), 403);
    assert_eq!(client.get("/getonly").body, b"signed");

    let answer = client.get("/endless");
    assert_eq!((answer.header("content-length"), answer.body.as_slice()), (None, b"until the end".as_slice()));

    let mut client = Client::connect(&origin);
    let answer = client.get("/old");
    assert_eq!((answer.status_line.as_str(), answer.body.as_slice()), ("HTTP/1.0 200 OK", b"old".as_slice()));
    assert_eq!(client.rest().unwrap(), b"", "an HTTP/1.0 server closes");
}

#[test]
fn other_methods_are_refused_and_bad_heads_too() {
    let origin = origin_with("/a", Content::bytes("abc"));
    let answer = Client::connect(&origin).send("DELETE /a HTTP/1.1").answer();
    assert_eq!((answer.status(), answer.header("allow")), (405, Some("GET, HEAD")));
    let mut client = Client::connect(&origin);
    let answer = client.send("nonsense").answer();
    assert_eq!((answer.status(), answer.header("connection")), (400, Some("close")));
    assert_eq!(client.rest().unwrap(), b"");
    assert_eq!(origin.journal().nth(1).method, "(malformed)");
}

#[test]
fn headers_are_kept_as_they_were_spelled_and_ordered() {
    let origin = origin_with("/a", Content::bytes("abc"));
    Client::connect(&origin).send("GET /a HTTP/1.1\r\nzz: 1\r\nHOST: x\r\nAccept-Encoding:identity").answer();
    let journal = origin.journal();
    let seen = journal.nth(0);
    let names: Vec<_> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["zz", "HOST", "Accept-Encoding"]);
}

#[test]
fn a_failed_assertion_prints_the_journal() {
    let origin = origin_with("/a", Content::bytes("abc"));
    Client::connect(&origin).get_range("/a", "bytes=1-");
    let journal = origin.journal();
    let panic = std::panic::catch_unwind(|| journal.requests_to("/a").nth(0).lacks_header("range").status).unwrap_err();
    let message = panic.downcast::<String>().unwrap();
    for part in [
        "header range",
        "expected None",
        "GET /a HTTP/1.1 -> 206, 2 bytes of body of [1..3], Finished",
        "Range: bytes=1-",
    ] {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
}

#[test]
fn hooks_are_told_of_each_request() {
    let origin = origin_with("/a", Content::bytes("abc"));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    origin
        .on_request(Arc::new(move |request| log.lock().unwrap().push(format!("{} {}", request.method, request.path))));
    let mut client = Client::connect(&origin);
    client.head("/a");
    client.get("/a");
    assert_eq!(*seen.lock().unwrap(), ["HEAD /a", "GET /a"]);
}

#[test]
fn a_hook_that_panics_costs_one_connection() {
    let origin = origin_with("/a", Content::bytes("abc"));
    origin.on_request(Arc::new(|request| assert_ne!(request.path, "/panic")));
    let mut client = Client::connect(&origin);
    assert_eq!(client.send("GET /panic HTTP/1.1").rest().unwrap(), b"");
    assert_eq!(Client::connect(&origin).get("/a").body, b"abc");
    assert_eq!(origin.journal().nth(0).outcome, Outcome::Cut(Cut::Shutdown));
}

#[test]
fn a_client_that_leaves_in_the_middle_is_noticed() {
    let origin = origin_with("/big", Content::synthetic(1 << 40, 1));
    let mut client = Client::connect(&origin);
    client.send("GET /big HTTP/1.1").answer_head();
    client.bytes(100_000);
    client.vanish();
    let journal =
        origin.wait_until(SOON, |journal| journal.iter().any(|r| matches!(r.outcome, Outcome::Cut(_)))).unwrap();
    assert!(journal.body_bytes_sent() >= 100_000);
}

#[test]
fn a_dropped_origin_closes_its_connections_also_inside_async_code() {
    let origin = origin_with("/big", Content::synthetic(1 << 40, 1));
    let mut idle = Client::connect(&origin);
    idle.get("/nothing");
    let mut busy = Client::connect(&origin);
    busy.send("GET /big HTTP/1.1").answer_head();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async move { drop(origin) });
    assert_eq!(idle.rest().unwrap_or_default(), b"");
    assert!(busy.rest().is_ok_and(|bytes| bytes.len() < 1 << 30) || busy.rest().is_err());
}

#[test]
fn an_origin_may_be_dropped_by_its_own_hook() {
    let origin = origin_with("/a", Content::bytes("abc"));
    let mut client = Client::connect(&origin);
    let owner = Arc::new(Mutex::new(None));
    let holder = Arc::clone(&owner);
    origin.on_request(Arc::new(move |_| drop(holder.lock().unwrap().take())));
    *owner.lock().unwrap() = Some(origin);
    client.send("GET /a HTTP/1.1");
    // Whether the answer still gets out is open; that the connection ends is not.
    let _ = client.rest();
    assert!(owner.lock().unwrap().is_none());
}

#[test]
fn many_origins_live_side_by_side() {
    let origins: Vec<_> = (0..20).map(|n| origin_with("/a", Content::bytes(vec![n]))).collect();
    let bodies: Vec<_> = origins.iter().map(|origin| Client::connect(origin).get("/a").body).collect();
    assert_eq!(bodies, (0..20).map(|n| vec![n]).collect::<Vec<_>>());
    assert!(origins.iter().all(|origin| origin.journal().len() == 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_range_carries_the_bytes_that_it_names(length in 1_u64..700_000, a in 0_u64..700_000, b in 0_u64..700_000) {
        let origin = bits_origin::Origin::start(Clock::system()).unwrap();
        origin.put("/a", Content::synthetic(length, 4));
        let (first, last) = (a.min(b), a.max(b));
        let answer = Client::connect(&origin).get_range("/a", &format!("bytes={first}-{last}"));
        if first < length {
            let end = (last + 1).min(length);
            let range = format!("bytes {first}-{}/{length}", end - 1);
            prop_assert_eq!(answer.header("content-range"), Some(range.as_str()));
            prop_assert_eq!(answer.body, Synthetic::new(length, 4).bytes(first..end));
        } else {
            let range = format!("bytes */{length}");
            prop_assert_eq!((answer.status(), answer.header("content-range")), (416, Some(range.as_str())));
        }
    }
}

#[test]
fn a_handshake_of_tls_on_the_plain_port_is_a_bad_request() {
    let origin = origin();
    let mut client = Client::connect(&origin);
    let mut tcp = client.raw();

    std::io::Write::write_all(&mut tcp, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03").unwrap();

    assert_eq!(client.answer_head().status(), 400);
    assert_eq!(origin.journal().nth(0).method, "(malformed)");
}
