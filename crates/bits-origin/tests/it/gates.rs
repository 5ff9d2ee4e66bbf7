//! Holding requests.

use std::time::Duration;

use bits_origin::{Content, Cut, GateAt, Outcome, Synthetic};

use crate::client::{Client, SOON, origin_with};

const LENGTH: u64 = 1_000_000;

fn big() -> Content {
    Content::synthetic(LENGTH, 1)
}

#[test]
fn a_request_is_held_before_it_is_answered_and_sees_what_changed_meanwhile() {
    let origin = origin_with("/a", Content::bytes("old"));
    let gate = origin.gate("/a", GateAt::RequestSeen);
    let mut client = Client::connect(&origin);
    client.send("GET /a HTTP/1.1");
    let held = gate.wait_reached(SOON).unwrap();
    assert_eq!((held.outcome, held.status), (Outcome::Held(GateAt::RequestSeen), None));
    origin.change("/a", Content::bytes("new"));
    gate.open();
    assert_eq!(client.answer().body, b"new");
    assert_eq!(client.get("/a").body, b"new", "an open gate lets later requests pass");
}

#[test]
fn an_answer_is_held_after_its_head() {
    for tls in [false, true] {
        let origin = origin_with("/a", big());
        let gate = origin.gate("/a", GateAt::HeadersSent);
        let mut client = if tls { Client::connect_tls(&origin, "localhost") } else { Client::connect(&origin) };
        assert_eq!(client.head("/a").status(), 200, "an answer without a body passes");
        client.send("GET /a HTTP/1.1");
        assert_eq!(gate.wait_reached(SOON).unwrap().body_sent, 0);
        assert_eq!(client.answer_head().status(), 200);
        drop(gate);
        assert_eq!(client.bytes(1_000_000), Synthetic::new(LENGTH, 1).bytes(0..LENGTH));
    }
}

#[test]
fn an_answer_is_held_after_exactly_the_byte() {
    for (tls, chunked) in [(false, false), (true, false), (false, true)] {
        for at in [0, 1, 300_001, LENGTH] {
            let origin = origin_with("/a", if chunked { big().chunked() } else { big() });
            let gate = origin.gate("/a", GateAt::Byte(at));
            let mut client = if tls { Client::connect_tls(&origin, "127.0.0.1") } else { Client::connect(&origin) };
            client.send("GET /a HTTP/1.1");
            let reader = std::thread::spawn(move || client.answer().body);
            let held = gate.wait_reached(SOON).unwrap();
            assert_eq!((held.body_sent, held.outcome), (at, Outcome::Held(GateAt::Byte(at))));
            gate.open();
            assert_eq!(reader.join().unwrap(), Synthetic::new(LENGTH, 1).bytes(0..LENGTH));
            let journal = origin.wait_until(SOON, |journal| journal.nth(0).outcome == Outcome::Finished).unwrap();
            assert_eq!(journal.body_bytes_sent(), LENGTH);
        }
    }
}

#[test]
fn gates_stand_one_behind_the_other() {
    let origin = origin_with("/a", big());
    let gates =
        [GateAt::RequestSeen, GateAt::HeadersSent, GateAt::Byte(10), GateAt::Byte(20)].map(|at| origin.gate("/a", at));
    let mut client = Client::connect(&origin);
    client.send("GET /a HTTP/1.1");
    for gate in &gates {
        gate.wait_reached(SOON).unwrap();
        gate.open();
    }
    assert_eq!(client.answer().body.len(), 1_000_000);
}

#[test]
fn a_gate_at_a_byte_of_the_file_holds_what_carries_it() {
    let origin = origin_with("/a", Content::bytes("0123456789"));
    let gate = origin.gate("/a", GateAt::OfFile(6));
    let mut client = Client::connect(&origin);
    assert_eq!(client.get_range("/a", "bytes=7-8").body, b"78");
    assert_eq!(client.get_range("/a", "bytes=20-").status(), 416);
    client.send("GET /a HTTP/1.1\r\nRange: bytes=4-9");
    let held = gate.wait_reached(SOON).unwrap();
    assert_eq!((held.body_sent, held.served.first().cloned()), (2, Some(4..10)));
    gate.open();
    assert_eq!(client.answer().body, b"456789");
}

#[test]
fn what_is_no_longer_held_is_so_in_the_journal_at_once() {
    let origin = origin_with("/a", big());
    let gate = origin.gate("/a", GateAt::RequestSeen);
    let mut client = Client::connect(&origin);
    client.send("GET /a HTTP/1.1");
    gate.wait_reached(SOON).unwrap();
    gate.open();
    assert!(!matches!(origin.journal().nth(0).outcome, Outcome::Held(_)));
}

#[test]
fn a_gate_is_for_its_path_and_method_alone() {
    let origin = origin_with("/a", big());
    origin.put("/b", big());
    let gate = origin.gate_method("GET", "/a", GateAt::RequestSeen);
    let mut client = Client::connect(&origin);
    assert_eq!(client.get("/b").status(), 200);
    assert_eq!(client.head("/a").status(), 200);
    client.send("GET /a HTTP/1.1");
    assert_eq!(gate.wait_reached(SOON).unwrap().method, "GET");
}

#[test]
fn a_client_that_leaves_while_it_is_held_is_noticed() {
    for (tls, at) in
        [(false, GateAt::RequestSeen), (true, GateAt::RequestSeen), (false, GateAt::Byte(5)), (true, GateAt::Byte(5))]
    {
        let origin = origin_with("/a", Content::bytes("0123456789"));
        let gate = origin.gate("/a", at);
        let mut client = if tls { Client::connect_tls(&origin, "localhost") } else { Client::connect(&origin) };
        client.send("GET /a HTTP/1.1");
        gate.wait_reached(SOON).unwrap();
        client.vanish();
        origin.wait_until(SOON, |journal| journal.nth(0).outcome == Outcome::Cut(Cut::Client)).unwrap();
    }
}

#[test]
fn what_a_client_sends_while_it_is_held_is_kept() {
    let origin = origin_with("/a", Content::bytes("abc"));
    let gate = origin.gate("/a", GateAt::RequestSeen);
    let mut client = Client::connect(&origin);
    client.send("GET /a HTTP/1.1");
    gate.wait_reached(SOON).unwrap();
    client.send("GET /a?second HTTP/1.1");
    gate.open();
    assert_eq!((client.answer().body, client.answer().body), (b"abc".to_vec(), b"abc".to_vec()));
}

#[test]
fn waiting_in_vain_ends_with_the_journal() {
    let origin = origin_with("/a", big());
    let gate = origin.gate("/a", GateAt::Byte(LENGTH + 1));
    Client::connect(&origin).get("/a");
    let error = gate.wait_reached(Duration::ZERO).unwrap_err().to_string();
    assert!(error.contains("/a, Byte(1000001)") && error.contains("GET /a HTTP/1.1 -> 200"), "{error}");
}

#[test]
fn an_origin_with_held_requests_can_be_dropped() {
    let origin = origin_with("/a", big());
    let gate = origin.gate("/a", GateAt::RequestSeen);
    let mut client = Client::connect(&origin);
    client.send("GET /a HTTP/1.1");
    gate.wait_reached(SOON).unwrap();
    drop(origin);
    assert!(
        client.rest().is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset) || client.rest().is_ok()
    );
}
