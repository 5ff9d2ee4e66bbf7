//! Origins as forward proxies: what goes through them, and what they do to it.

use std::sync::Arc;

use bits_origin::{Content, Fault, Origin, Outcome, Rule, Script};
use bits_world::clock::Clock;

use crate::client::{Client, origin, origin_with};

const BODY: &[u8] = b"what stands behind";

/// A server, and a proxy that finds it as `files.example:80`.
fn server_and_proxy() -> (Origin, Origin) {
    let (server, proxy) = (origin_with("/a", Content::bytes(BODY)), origin());
    proxy.reach("files.example:80", server.address());
    (server, proxy)
}

#[test]
fn a_request_goes_to_the_server_that_it_names() {
    let (server, proxy) = server_and_proxy();
    let mut client = Client::connect(&proxy);

    for _ in 0..2 {
        client.send(
            "GET http://FILES.example/a?b HTTP/1.1\r\nHost: files.example\r\nProxy-Connection: Keep-Alive\r\nX-Own: 1",
        );
        let answer = client.answer();
        assert_eq!((answer.status(), &answer.body[..]), (200, BODY));
        assert_eq!(answer.header("Via"), Some("1.1 bits-origin"));
    }

    let seen = proxy.journal();
    seen.count(2).methods(["GET", "GET"]).statuses([200, 200]).on_one_connection();
    assert_eq!((seen.nth(0).target.as_str(), seen.nth(0).path.as_str()), ("http://FILES.example/a?b", "/a?b"));
    assert_eq!(seen.nth(1).body_sent, BODY.len() as u64);
    let arrived = server.journal();
    arrived.count(2).nth(0).has_header("Via", "1.1 bits-origin").has_header("X-Own", "1");
    arrived.nth(0).has_header("Host", "files.example").lacks_header("Proxy-Connection");
    assert_eq!(arrived.nth(0).target, "/a?b");
}

#[test]
fn a_head_and_an_empty_file_leave_the_connection_as_it_is() {
    let (server, proxy) = server_and_proxy();
    server.put("/empty", Content::bytes(""));
    let mut client = Client::connect(&proxy);

    client.send("HEAD http://files.example/a HTTP/1.1");
    let head = client.answer_head();
    client.send("GET http://files.example/empty HTTP/1.1");
    let empty = client.answer();

    assert_eq!(head.header("Content-Length"), Some(BODY.len().to_string().as_str()));
    assert_eq!((empty.status(), empty.body.len()), (200, 0));
    proxy.journal().on_one_connection();
}

#[test]
fn its_own_files_a_proxy_serves_itself() {
    let proxy = origin_with("/a", Content::bytes(BODY));
    let mut client = Client::connect(&proxy);

    for host in [proxy.address().to_string(), format!("localhost:{}", proxy.address().port())] {
        client.send(&format!("GET http://{host}/a HTTP/1.1"));
        let answer = client.answer();
        assert_eq!((answer.status(), answer.header("Via")), (200, None));
    }
}

#[test]
fn a_server_that_is_not_there_is_a_bad_gateway() {
    let (server, proxy) = server_and_proxy();
    drop(server);
    let mut client = Client::connect(&proxy);

    for request in ["GET http://files.example/a HTTP/1.1", "CONNECT files.example:80 HTTP/1.1"] {
        client.send(request);
        assert_eq!(client.answer().status(), 502);
    }
}

#[test]
fn a_tunnel_carries_both_directions_until_one_ends() {
    let (server, proxy) = server_and_proxy();
    let mut client = Client::connect(&proxy);

    client.send("CONNECT files.example:80 HTTP/1.1\r\nHost: files.example:80");
    assert_eq!(client.answer_head().status(), 200);
    for _ in 0..2 {
        client.send("GET /a HTTP/1.1");
        assert_eq!(client.answer().body, BODY);
    }
    client.send("GET /a HTTP/1.1\r\nConnection: close");
    assert_eq!(client.answer().body, BODY);
    assert!(client.rest().unwrap().is_empty());

    proxy.journal().count(1).methods(["CONNECT"]).statuses([200]);
    assert_eq!(proxy.journal().nth(0).target, "files.example:80");
    assert_eq!(proxy.journal().nth(0).outcome, Outcome::Finished);
    server.journal().count(3).nth(0).lacks_header("Via");
}

#[test]
fn a_proxy_refuses_as_its_script_says() {
    let (server, proxy) = server_and_proxy();
    let text =
        "CONNECT files.example:80: status 407, header Proxy-Authenticate \"Basic\" once\nGET /a: status 403 once";
    proxy.script(Script::parse("refusals", text).unwrap());
    let mut client = Client::connect(&proxy);

    client.send("CONNECT files.example:80 HTTP/1.1");
    let tunnel = client.answer();
    client.send("GET http://files.example/a HTTP/1.1");
    let file = client.answer();

    assert_eq!((tunnel.status(), tunnel.header("Proxy-Authenticate")), (407, Some("Basic")));
    assert_eq!(file.status(), 403);
    assert!(server.journal().is_empty());
}

#[test]
fn what_a_script_takes_away_on_the_way_is_lost_for_the_other_end() {
    let (server, proxy) = server_and_proxy();
    let damage = Script::new()
        .rule(Rule::on("/a").numbers(1..=1).fault(Fault::IgnoreRange))
        .rule(Rule::on("/a").fault(Fault::Without("Content-Range".to_owned())));
    proxy.script(damage);
    let mut client = Client::connect(&proxy);
    let request = "GET http://files.example/a HTTP/1.1\r\nRange: bytes=0-3";

    client.send(request);
    let whole = client.answer();
    client.send(request);
    let stripped = client.answer();

    assert_eq!((whole.status(), &whole.body[..]), (200, BODY));
    server.journal().nth(0).lacks_header("Range");
    assert_eq!((stripped.status(), stripped.header("Content-Range"), &stripped.body[..]), (206, None, &BODY[..4]));
    server.journal().nth(1).has_header("Range", "bytes=0-3");
}

#[test]
fn a_cut_befalls_what_is_on_its_way() {
    for (script, length) in [("GET /a: close after 5 bytes", 5), ("CONNECT files.example:80: close after 5 bytes", 0)] {
        let (_server, proxy) = server_and_proxy();
        proxy.script(Script::parse("cut", script).unwrap());
        let mut client = Client::connect(&proxy);
        if length == 0 {
            client.send("CONNECT files.example:80 HTTP/1.1");
            assert_eq!(client.answer_head().status(), 200);
            client.send("GET /a HTTP/1.1");
            assert_eq!(client.rest().unwrap(), b"HTTP/");
        } else {
            client.send("GET http://files.example/a HTTP/1.1");
            assert_eq!(client.answer_head().status(), 200);
            assert_eq!(client.rest().unwrap(), BODY[..length]);
        }
        assert_eq!(proxy.journal().nth(0).body_sent, 5);
    }
}

#[test]
fn an_answer_without_a_length_ends_with_the_connection() {
    let (server, proxy) = server_and_proxy();
    server.put("/chunked", Content::bytes(BODY).chunked());
    let mut client = Client::connect(&proxy);

    client.send("GET http://files.example/chunked HTTP/1.1");
    let head = client.answer_head();
    let body = String::from_utf8(client.rest().unwrap()).unwrap();

    assert_eq!((head.header("Transfer-Encoding"), head.header("Connection")), (Some("chunked"), Some("close")));
    assert!(body.contains("what stands behind") && body.ends_with("0\r\n\r\n"), "{body:?}");
}

#[test]
fn many_proxies_may_stand_in_a_row() {
    let (server, last) = server_and_proxy();
    let first = Arc::new(Origin::start(Clock::system()).unwrap());
    first.reach(&last.address().to_string(), last.address());
    let mut client = Client::connect(&first);

    client.send(&format!("CONNECT {} HTTP/1.1", last.address()));
    assert_eq!(client.answer_head().status(), 200);
    client.send("GET http://files.example/a HTTP/1.1");

    assert_eq!(client.answer().body, BODY);
    server.journal().count(1);
}
