//! Servers that BITS refuses, that lie, break off, or never come to an end.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use bits_api::{ErrorContext, Hresult};
use bits_wire::attempt::{AttemptEnd, AttemptPlan, Failure, Urgency};

use crate::support::{Mill, Outcome, PATIENCE, Peer, STAMP, Server, content};

/// What becomes of a foreground download from a server that answers every HEAD well, for 10
/// bytes, and every GET with `answer`, and then closes.
fn get_answered_with(answer: &'static str) -> Outcome {
    Mill::new().get(&answering(answer).url("/a"))
}

fn range_answered_with(answer: &'static str) -> Outcome {
    let mill = Mill::new();
    mill.run(AttemptPlan { urgency: Urgency::Background, ..mill.plan(&answering(answer).url("/a")) })
}

fn answering(answer: &'static str) -> Server {
    Server::start(move |mut peer| {
        while let Some(request) = peer.request() {
            if request.starts_with("HEAD") {
                peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nLast-Modified: {STAMP}\r\n\r\n"));
            } else {
                peer.send(answer);
                return;
            }
        }
    })
}

/// What becomes of a download from a server that answers HEAD with `answer` and then closes.
fn head_answered_with(answer: &'static str) -> Outcome {
    let server = Server::start(move |mut peer| {
        if peer.request().is_some() {
            peer.send(answer);
        }
    });
    Mill::new().get(&server.url("/a"))
}

fn fatal(code: Hresult) -> Failure {
    Failure { code, context: ErrorContext::REMOTE_FILE, transient: false }
}

fn transient(code: Hresult) -> Failure {
    Failure { code, context: ErrorContext::REMOTE_FILE, transient: true }
}

#[test]
fn head_must_be_an_answer_that_gives_the_size() {
    let table = [
        ("HTTP/1.1 200 OK\r\n\r\n", fatal(Hresult::BG_E_MISSING_FILE_SIZE)),
        ("HTTP/1.0 200 OK\r\n\r\n", fatal(Hresult::BG_E_INSUFFICIENT_HTTP_SUPPORT)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", fatal(Hresult::BG_E_MISSING_FILE_SIZE)),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n", fatal(Hresult::BG_E_HTTP_ERROR_404)),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", fatal(Hresult::BG_E_HTTP_ERROR_403)),
        ("HTTP/1.1 503 Busy\r\n\r\n", transient(Hresult::BG_E_HTTP_ERROR_503)),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            transient(Hresult::ERROR_WINHTTP_INVALID_SERVER_RESPONSE),
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            transient(Hresult::ERROR_WINHTTP_INVALID_SERVER_RESPONSE),
        ),
        ("SSH-2.0-OpenSSH\r\n\r\n", transient(Hresult::ERROR_WINHTTP_INVALID_SERVER_RESPONSE)),
        ("\0\x01\x02garbage\r\n\r\n", transient(Hresult::ERROR_WINHTTP_INVALID_SERVER_RESPONSE)),
        ("HTTP/1.1 200 OK\r\nContent-Le", transient(Hresult::ERROR_WINHTTP_CONNECTION_ERROR)),
        ("", transient(Hresult::ERROR_WINHTTP_CONNECTION_ERROR)),
    ];
    for (answer, failure) in table {
        let outcome = head_answered_with(answer);
        assert_eq!(outcome.end, AttemptEnd::Failed(failure), "{answer:?}");
        assert_eq!((outcome.connections().len(), outcome.bytes), (0, None), "{answer:?}");
    }
}

#[test]
fn get_must_be_answered_by_the_file_that_head_told_of() {
    let table = [
        ("HTTP/1.1 200 OK\r\n\r\n0123456789", fatal(Hresult::BG_E_MISSING_FILE_SIZE)),
        ("HTTP/1.0 200 OK\r\n\r\n0123456789", fatal(Hresult::BG_E_INSUFFICIENT_HTTP_SUPPORT)),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
            fatal(Hresult::BG_E_MISSING_FILE_SIZE),
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
            fatal(Hresult::BG_E_INVALID_SERVER_RESPONSE),
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n012345678", fatal(Hresult::BG_E_INVALID_SERVER_RESPONSE)),
        ("HTTP/1.1 206 Partial\r\nContent-Length: 10\r\n\r\n", fatal(Hresult::BG_E_INVALID_SERVER_RESPONSE)),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 10, 11\r\n\r\n0123456789",
            transient(Hresult::ERROR_WINHTTP_INVALID_SERVER_RESPONSE),
        ),
        ("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", transient(Hresult::BG_E_HTTP_ERROR_500)),
        ("HTTP/1.1 429 Slow down\r\n\r\n", fatal(Hresult::from_http_status(429))),
    ];
    for (answer, failure) in table {
        let outcome = get_answered_with(answer);
        assert_eq!(outcome.end, AttemptEnd::Failed(failure), "{answer:?}");
        assert_eq!((outcome.connections().len(), outcome.bytes), (0, None), "{answer:?}");
    }
}

#[test]
fn a_range_must_be_answered_by_that_range() {
    let table = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT),
        ("HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", Hresult::BG_E_INSUFFICIENT_HTTP_SUPPORT),
        ("HTTP/1.1 206 Partial\r\nContent-Length: 10\r\n\r\n", Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT),
        ("HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-9/10\r\n\r\n0123456789", Hresult::BG_E_MISSING_FILE_SIZE),
        (
            "HTTP/1.1 206 Partial\r\nContent-Length: 9\r\nContent-Range: bytes 1-9/10\r\n\r\n",
            Hresult::BG_E_INVALID_SERVER_RESPONSE,
        ),
        (
            "HTTP/1.1 206 Partial\r\nContent-Length: 10\r\nContent-Range: bytes 0-9/99\r\n\r\n",
            Hresult::BG_E_INVALID_SERVER_RESPONSE,
        ),
    ];
    for (answer, code) in table {
        assert_eq!(range_answered_with(answer).end, AttemptEnd::Failed(fatal(code)), "{answer:?}");
    }
}

#[test]
fn a_body_that_ends_early_keeps_what_came() {
    let outcome = get_answered_with("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");

    assert_eq!(outcome.failure(), transient(Hresult::ERROR_WINHTTP_CONNECTION_ERROR));
    assert_eq!(outcome.bytes.as_deref(), Some(&b"0123"[..]));
    assert_eq!(outcome.progress().last(), Some(&4));
}

#[test]
fn bytes_beyond_the_length_are_not_taken() {
    let outcome = get_answered_with("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789 and more");

    assert_eq!(outcome.end, AttemptEnd::Done);
    assert_eq!(outcome.bytes.as_deref(), Some(&b"0123456789"[..]));
}

#[test]
fn a_connection_with_bytes_left_over_is_not_asked_again() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.request() {
            peer.answer(&request, b"good");
            if request.starts_with("GET") {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
            }
        }
    });
    let mill = Mill::new();

    for _ in 0..20 {
        assert_eq!(mill.get(&server.url("/a")).bytes.as_deref(), Some(&b"good"[..]));
    }
}

#[test]
fn what_comes_on_a_connection_that_lies_still_is_no_answer_and_no_error() {
    let (asked, told) = channel();
    let (sent, received) = channel();
    let (told, sent) = (Mutex::new(told), Mutex::new(sent));
    let server = Server::start(move |mut peer| {
        for _ in 0..2 {
            let Some(request) = peer.request() else { return };
            peer.answer(&request, b"good");
        }
        if told.lock().unwrap().recv().is_ok() {
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
            sent.lock().unwrap().send(()).unwrap();
        }
        peer.wait_for_close();
    });
    let mill = Mill::new();

    assert_eq!(mill.get(&server.url("/a")).bytes.as_deref(), Some(&b"good"[..]));
    asked.send(()).unwrap();
    received.recv_timeout(PATIENCE).unwrap();
    assert_eq!(mill.get(&server.url("/a")).bytes.as_deref(), Some(&b"good"[..]));
}

/// Sends `part` until the client has enough.
fn flood(mut peer: Peer, part: &[u8]) {
    let Some(_) = peer.request() else { return };
    peer.send("HTTP/1.1 ");
    let part: Vec<u8> = part.iter().copied().cycle().take(part.len() * 100).collect();
    while peer.send(&part) {}
}

#[test]
fn a_head_without_end_is_cut_off() {
    let floods = [
        &b"100 Continue\r\n\r\nHTTP/1.1 "[..],
        b"200 OK\r\nX: y\r\nX: z\r\nHTTP/1.1: ",
        b"200 ",
        b"200 OK\r\nX: ",
        b"\r\n",
    ];
    for part in floods {
        let server = Server::start(move |peer| flood(peer, part));
        let outcome = Mill::new().get(&server.url("/a"));
        let text = String::from_utf8_lossy(part);
        assert_eq!(outcome.failure(), transient(Hresult::ERROR_WINHTTP_INVALID_SERVER_RESPONSE), "{text:?}");
    }
}

#[test]
fn a_redirect_in_a_circle_fails() {
    let server = Server::start(|mut peer| {
        while peer.request().is_some() {
            peer.send("HTTP/1.1 301 Moved\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n");
        }
    });

    assert_eq!(Mill::new().get(&server.url("/a")).code(), Hresult::ERROR_WINHTTP_REDIRECT_FAILED);
}

#[test]
fn a_redirect_with_a_long_body_is_followed_on_another_connection() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.request() {
            if request.starts_with("GET /a ") {
                peer.send("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 100000000\r\n\r\n");
                while peer.send([0; 4096]) {}
                return;
            }
            peer.answer(&request, &content(1000));
        }
    });

    assert_eq!(Mill::new().get(&server.url("/a")).bytes, Some(content(1000)));
    assert_eq!(server.asked(), ["HEAD /a", "GET /a", "GET /b"]);
}

#[test]
fn a_file_that_changes_with_every_answer_fails_for_a_while() {
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.request() {
            if request.starts_with("HEAD") {
                peer.answer(&request, &content(1000));
            } else {
                peer.send("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n");
            }
        }
    });
    let mill = Mill::new();

    let outcome = mill.run(AttemptPlan { urgency: Urgency::Background, ..mill.plan(&server.url("/a")) });

    assert_eq!(outcome.failure(), transient(Hresult::BG_E_REMOTE_FILE_CHANGED));
}

#[test]
fn nobody_at_the_address_is_no_connection() {
    // Taken, so that nobody else listens there either.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();

    let outcome = Mill::new().get(&format!("http://{address}/a"));

    assert_eq!(outcome.failure(), transient(Hresult::ERROR_WINHTTP_CANNOT_CONNECT));
}

#[test]
fn a_remote_name_that_is_no_url_fails() {
    assert_eq!(Mill::new().get("ftp://host/a").failure(), fatal(Hresult::E_INVALIDARG));
}
