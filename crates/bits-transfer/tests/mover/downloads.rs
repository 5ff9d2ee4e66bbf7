//! Downloads that go well, and their requests.

use std::fs;

use crate::support::{Mill, STAMP, Server, content, line};
use bits_api::{FileTime, Hresult};
use bits_wire::attempt::{AttemptEnd, AttemptPlan, AttemptReport, Mover, ResponseHead, Urgency, Validators};

fn known(size: u64) -> Validators {
    Validators { size, last_modified: Some(FileTime::from_unix_seconds(784_111_777)) }
}

#[test]
fn a_foreground_file_is_asked_for_by_head_and_by_get_without_range() {
    let (server, mill) = (Server::of(content(3_000_000)), Mill::new());

    let outcome = mill.get(&server.url("/a?b=1"));

    assert_eq!(outcome.end, AttemptEnd::Done);
    assert_eq!(outcome.bytes, Some(content(3_000_000)));
    assert_eq!(outcome.connections(), [(known(3_000_000), 0)]);
    assert_eq!(outcome.progress().last(), Some(&3_000_000));
    assert_eq!(server.asked(), ["HEAD /a?b=1", "GET /a?b=1"]);
    let get = &server.requests()[1];
    assert_eq!(line(get, "Range"), None);
    assert_eq!(line(get, "User-Agent"), Some("Microsoft BITS/7.8"));
    assert_eq!(line(get, "Accept"), Some("*/*"));
    assert_eq!(line(get, "Accept-Encoding"), Some("identity"));
    assert_eq!(line(get, "Connection"), Some("Keep-Alive"));
    assert_eq!(line(get, "Host"), Some(server.address.to_string().as_str()));
}

#[test]
fn a_background_file_is_asked_for_by_range_on_its_stamp() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());

    let outcome = mill.run(AttemptPlan { urgency: Urgency::Background, ..mill.plan(&server.url("/a")) });

    assert_eq!(outcome.bytes, Some(content(1000)));
    let get = &server.requests()[1];
    assert_eq!(line(get, "Range"), Some("bytes=0-999"));
    assert_eq!(line(get, "If-Unmodified-Since"), Some(STAMP));
}

#[test]
fn a_known_file_goes_on_where_it_stopped_without_head() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());

    let outcome = mill.run(mill.resume(&server.url("/a"), &content(1000)[..400], known(1000)));

    assert_eq!(outcome.bytes, Some(content(1000)));
    assert_eq!(outcome.connections(), [(known(1000), 400)]);
    assert_eq!(server.asked(), ["GET /a"]);
    assert_eq!(line(&server.requests()[0], "Range"), Some("bytes=400-999"));
}

#[test]
fn the_rest_is_not_taken_from_another_place_of_the_file() {
    let mill = Mill::new();
    let server = Server::start(|mut peer| {
        peer.request();
        peer.send("HTTP/1.1 206 Partial\r\nContent-Length: 600\r\nContent-Range: bytes 399-998/1000\r\n\r\n");
        peer.send(&content(1000)[399..999]);
        peer.wait_for_close();
    });

    let outcome = mill.run(mill.resume(&server.url("/a"), &content(1000)[..400], known(1000)));

    assert_eq!(outcome.code(), Hresult::BG_E_INVALID_SERVER_RESPONSE);
    assert_eq!(outcome.bytes.as_deref(), Some(&content(1000)[..400]));
}

#[test]
fn a_complete_file_is_done_without_a_request() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());

    let outcome = mill.run(mill.resume(&server.url("/a"), &content(1000), known(1000)));

    assert_eq!(outcome.reports, [AttemptReport::Ended(AttemptEnd::Done)]);
    assert!(server.requests().is_empty());
}

#[test]
fn an_empty_file_is_made_without_get() {
    let (server, mill) = (Server::of(Vec::new()), Mill::new());

    let outcome = mill.get(&server.url("/a"));

    assert_eq!((outcome.end.clone(), outcome.bytes.clone()), (AttemptEnd::Done, Some(Vec::new())));
    assert_eq!(outcome.connections(), [(known(0), 0)]);
    assert_eq!(server.asked(), ["HEAD /a"]);
}

#[test]
fn a_file_of_which_nothing_is_known_is_somebody_elses() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    fs::write(mill.temporary(), "another's").unwrap();

    let outcome = mill.get(&server.url("/a"));

    assert_eq!(outcome.code(), Hresult(0x8007_0050));
    assert_eq!((outcome.bytes.as_deref(), server.requests()), (Some(&b"another's"[..]), vec![]));
}

#[test]
fn a_temporary_file_longer_than_the_file_starts_over() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());

    let outcome = mill.run(mill.resume(&server.url("/a"), &[0; 1001], known(1000)));

    assert_eq!(outcome.bytes, Some(content(1000)));
    assert_eq!(server.asked(), ["HEAD /a", "GET /a"]);
}

#[test]
fn a_file_that_changed_since_starts_over_without_an_error() {
    let new = content(700);
    let file = new.clone();
    let server = Server::start(move |mut peer| {
        while let Some(request) = peer.request() {
            match line(&request, "If-Unmodified-Since") {
                Some(_) => peer.send("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 5\r\n\r\nsorry"),
                None => peer.answer(&request, &file),
            };
        }
    });
    let mill = Mill::new();

    let outcome = mill.run(mill.resume(&server.url("/a"), &[9; 400], known(1000)));

    assert_eq!((outcome.end.clone(), outcome.bytes.clone()), (AttemptEnd::Done, Some(new)));
    assert_eq!(outcome.connections(), [(known(700), 0)]);
    assert_eq!(server.asked(), ["GET /a", "HEAD /a", "GET /a"]);
}

#[test]
fn nothing_is_written_before_the_file_is_on_record() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    let mut running = mill.start(mill.plan(&server.url("/a")));

    assert!(matches!(running.report(), AttemptReport::Connected { have: 0, .. }));
    assert!(!mill.temporary().exists());
    assert!(mill.mover.running().is_some());
    running.proceed();

    assert_eq!(running.end().bytes, Some(content(1000)));
}

#[test]
fn a_connection_that_was_closed_meanwhile_is_replaced() {
    // One file for each connection: the server closes it without a word.
    let server = Server::start(|mut peer| {
        for _ in 0..2 {
            let Some(request) = peer.request() else { return };
            peer.answer(&request, &content(1000));
        }
    });
    let mill = Mill::new();

    for _ in 0..5 {
        let outcome = mill.get(&server.url("/a"));
        assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Done, Some(content(1000))));
    }
}

#[test]
fn a_connection_that_the_server_ends_with_each_answer_is_replaced() {
    let server = Server::start(|mut peer| {
        let Some(request) = peer.request() else { return };
        peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\n");
        if request.starts_with("GET") {
            peer.send("hello");
        }
    });

    assert_eq!(Mill::new().get(&server.url("/a")).bytes, Some(b"hello".to_vec()));
}

#[test]
fn redirects_are_followed_also_to_another_server() {
    let target = Server::of(content(1000));
    let url = target.url("/real");
    let server = Server::start(move |mut peer| {
        while let Some(request) = peer.request() {
            let body = if request.starts_with("GET") { "moved" } else { "" };
            peer.send(format!("HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 5\r\n\r\n{body}"));
        }
    });

    assert_eq!(Mill::new().get(&server.url("/a")).bytes, Some(content(1000)));
    assert_eq!(target.asked(), ["HEAD /real", "GET /real"]);
}

#[test]
fn http_1_0_will_do_for_a_foreground_file() {
    let server = Server::start(|mut peer| {
        let Some(request) = peer.request() else { return };
        peer.send("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n");
        if request.starts_with("GET") {
            peer.send("hello");
        }
    });

    assert_eq!(Mill::new().get(&server.url("/a")).bytes, Some(b"hello".to_vec()));
}

#[test]
fn answers_with_1xx_before_them_are_taken() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.request() {
            peer.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
            peer.answer(&request, &content(1000));
        }
    });

    assert_eq!(Mill::new().get(&server.url("/a")).bytes, Some(content(1000)));
}

#[test]
fn the_head_of_every_answer_is_told_as_text() {
    let (server, mill) = (Server::of(content(100)), Mill::new());

    let outcome = mill.run(mill.plan(&server.url("/a")));

    assert_eq!(outcome.heads.len(), 2);
    for ResponseHead(text) in &outcome.heads {
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.ends_with("\r\n\r\n"), "{text}");
        assert!(text.contains("\r\nContent-Length: 100\r\n"), "{text}");
    }
}
