//! Bytes of a test's own, as a client meets them.

use std::io;

use bits_origin::{Content, Cut, Origin, Outcome, Script, ScriptError, Step};

use crate::client::{Client, SOON, origin_with};

fn origin_playing(script: &str) -> Origin {
    let origin = origin_with("/a", Content::bytes("0123456789"));
    origin.script(Script::parse("test", script).unwrap());
    origin
}

#[test]
fn a_play_sends_its_bytes_and_the_connection_goes_on() {
    let origin = origin_playing(
        r#"GET /a: play send "HTTP/1.1 299 Odd\r\nContent-Length: 3\r\n\r\n" then send "\x41\0\\" once"#,
    );
    let mut client = Client::connect(&origin);

    let odd = client.get("/a");

    assert_eq!((odd.status_line.as_str(), &odd.body[..]), ("HTTP/1.1 299 Odd", &b"A\0\\"[..]));
    assert_eq!(client.get("/a").body, b"0123456789");
    let journal = origin.journal();
    assert_eq!((journal.nth(0).status, &journal.nth(0).outcome), (None, &Outcome::Finished));
    journal.on_one_connection();
}

#[test]
fn a_play_repeats_its_bytes_so_often_or_until_the_client_goes() {
    let origin = origin_playing("request 1 of /a: play repeat \"ab\" 3 times then close\n/a: play repeat \"flood\"");

    assert_eq!(Client::connect(&origin).send("GET /a HTTP/1.1").rest().unwrap(), b"ababab");
    let mut client = Client::connect(&origin);
    assert_eq!(client.send("GET /a HTTP/1.1").bytes(10_000), b"flood".repeat(2000));
    drop(client);

    origin.wait_until(SOON, |journal| journal.nth(1).outcome == Outcome::Cut(Cut::Client)).unwrap();
}

#[test]
fn a_connection_can_be_played_with_before_it_has_asked() {
    let origin = origin_playing(
        "connection 1: play send \"early\" then close\nconnections 2 to 3: reset\n\
         connections: play repeat \"hello \" 2 times",
    );

    assert_eq!(Client::connect(&origin).rest().unwrap(), b"early");
    for _ in 0..2 {
        assert_eq!(Client::connect(&origin).rest().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    }
    let mut client = Client::connect(&origin);
    assert_eq!(client.bytes(12), b"hello hello ");
    assert_eq!(client.get("/a").body, b"0123456789");
}

#[test]
fn under_tls_a_play_may_speak_below_it_and_leave_with_or_without_a_farewell() {
    let origin = origin_playing(
        "request 1 of /a: play send \"x\" then leave\nrequest 2 of /a: play send \"x\" then close\n\
         /a: play below \"no record\"",
    );
    let mut ends = Vec::new();
    for _ in 0..3 {
        let mut client = Client::connect_tls(&origin, "localhost");
        ends.push(client.send("GET /a HTTP/1.1").rest().map_err(|error| error.kind()));
    }

    assert_eq!(ends, [Ok(b"x".to_vec()), Err(io::ErrorKind::UnexpectedEof), Err(io::ErrorKind::InvalidData)]);
}

#[test]
fn plays_have_a_text_and_its_mistakes_have_a_place() {
    let step = |text: &str| format!("/a: play {text}");
    for (text, place, found) in [
        (step(r#"send """#), 15, "nothing to send"),
        (step(r#"send "\q""#), 15, r"`\q`"),
        (step(r#"send "\x4""#), 15, r"`\x4`"),
        (step(r#"drip "a""#), 18, "`every`"),
        (step("dance"), 10, "`send`"),
        (step(r#"send "a" then"#), 23, "`send`"),
        ("connections: status 500".to_owned(), 21, "not a connection"),
        ("connection 0: reset".to_owned(), 12, "a number from 1 on"),
    ] {
        let error = Script::parse("test", &text).unwrap_err();
        assert!(error.to_string().contains(found), "{error}");
        assert!(matches!(error, ScriptError::Syntax { column, .. } if column == place), "{error}");
    }
    let mean = Script::parse("test", "/a: play drip \"ab\" every 1 min then wait 2 s then hang").unwrap();
    let (drip, wait) = (std::time::Duration::from_mins(1), std::time::Duration::from_secs(2));
    let steps = vec![Step::Drip("ab".into(), drip), Step::Wait(wait), Step::Hang];
    assert_eq!(mean, Script::new().rule(bits_origin::Rule::on("/a").fault(bits_origin::Fault::Play(steps))));
}
