//! Proxies: what they are told, and what becomes of their answers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use std::sync::Arc;
use std::thread;

use bits_api::{AuthScheme, AuthTarget, ErrorContext, Hresult, ProxySettings, ProxyUsage};
use bits_wire::Secret;
use bits_wire::attempt::{AttemptEnd, AttemptPlan, Failure};
use bits_wire::auth::{Login, Logins};
use bits_wire::proxy::Proxying;
use bits_world::{Decisions, Proxies, ProxyScript, Sid};

use crate::support::{Mill, Peer, Server, Wire, content, line};
use crate::tls;

/// By a list of proxies, but for some hosts.
pub(crate) fn through(list: &str, bypass: &str) -> Proxying {
    let settings = ProxySettings {
        usage: ProxyUsage::OVERRIDE,
        list: Some(list.to_owned()),
        bypass_list: Some(bypass.to_owned()),
    };
    Proxying::of_job(&settings, &Proxies::default(), &Sid::of_account(1), &Decisions::default()).unwrap()
}

/// As a script says.
fn as_answered(answer: &str) -> Proxying {
    let settings = ProxySettings { usage: ProxyUsage::AUTODETECT, ..ProxySettings::default() };
    let proxies = Proxies { detected: Some(ProxyScript::answering(answer)), ..Proxies::default() };
    Proxying::of_job(&settings, &proxies, &Sid::of_account(1), &Decisions::default()).unwrap()
}

fn by(proxying: Proxying, plan: AttemptPlan) -> AttemptPlan {
    AttemptPlan { proxying, ..plan }
}

/// An address at which nobody listens.
fn deaf() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A proxy whose bytes a test writes: it reads what asks for a tunnel, says `greeting`, and stands
/// for the server behind it.
fn tunnel_saying(greeting: &'static str) -> (Server, Mill) {
    let issuer = tls::issuer();
    let config = tls::settings(&issuer, &tls::good());
    let wrap = move |mut stream: TcpStream| {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).ok()? > 0 {
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        assert!(head.starts_with("CONNECT 127.0.0.1:9 HTTP/1.1\r\n") && !head.contains("X-Own"), "{head}");
        stream.write_all(greeting.as_bytes()).ok()?;
        Some(Box::new(tls::accept(&config, stream)?) as Box<dyn Wire>)
    };
    (Server::wrapped(wrap, |peer| peer.serve(&content(1000))), tls::trusting(&issuer))
}

/// What becomes of a download over HTTPS through a proxy with that answer to CONNECT.
fn failure_after(greeting: &'static str) -> Failure {
    let (proxy, mill) = tunnel_saying(greeting);
    mill.run(by(through(&proxy.address.to_string(), ""), mill.plan("https://127.0.0.1:9/a"))).failure()
}

fn of_remote_file(code: u32, transient: bool) -> Failure {
    Failure { code: Hresult(code), context: ErrorContext::REMOTE_FILE, transient }
}

#[test]
fn a_proxy_is_asked_for_the_whole_url_and_to_keep_its_connection() {
    let (proxy, mill) = (Server::of(content(1000)), Mill::new());

    let outcome = mill.run(by(through(&proxy.address.to_string(), ""), mill.plan("http://files.example/a?b=c")));

    assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Done, Some(content(1000))));
    assert_eq!(proxy.asked(), ["HEAD http://files.example/a?b=c", "GET http://files.example/a?b=c"]);
    for request in proxy.requests() {
        assert_eq!(line(&request, "Proxy-Connection"), Some("Keep-Alive"));
        assert_eq!(line(&request, "Connection"), None);
        assert_eq!(line(&request, "Host"), Some("files.example"));
    }
}

#[test]
fn a_connection_serves_whatever_its_proxy_reaches_and_no_other_route() {
    let counted = |peer: Peer| {
        let number = u8::try_from(peer.number).unwrap();
        peer.serve(&[number; 10]);
    };
    let (proxy, mill) = (Server::start(counted), Mill::new());
    let (address, itself) = (proxy.address.to_string(), proxy.url("/d"));
    let steps = [
        (through(&address, ""), "http://one.example/a", 0),
        (through(&address, ""), "http://two.example/b", 0),
        (through(&address, "two.example"), "http://one.example/c", 0),
        (Proxying::default(), itself.as_str(), 1),
        (as_answered(&format!("PROXY {address}")), "http://one.example/e", 2),
        (as_answered(&format!("PROXY {address}; DIRECT")), "http://one.example/f", 3),
    ];

    for (proxying, url, connection) in steps {
        let outcome = mill.run(by(proxying, mill.plan(url)));
        assert_eq!(outcome.bytes, Some(vec![connection; 10]), "{url}");
        std::fs::remove_file(mill.temporary()).unwrap();
    }
}

#[test]
fn https_goes_through_a_tunnel() {
    for greeting in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 OK\r\nProxy-Agent: old\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n",
    ] {
        let (proxy, mill) = tunnel_saying(greeting);
        let through_it = || through(&proxy.address.to_string(), "");

        let plan = by(through_it(), mill.plan("https://127.0.0.1:9/a"));
        let outcome = mill.run(AttemptPlan { custom_headers: Some(Secret::new("X-Own: 1")), ..plan });

        assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Done, Some(content(1000))), "{greeting}");
        assert_eq!(proxy.asked(), ["HEAD /a", "GET /a"]);
        assert_eq!(line(&proxy.requests()[0], "Connection"), Some("Keep-Alive"));
        assert_eq!(line(&proxy.requests()[0], "X-Own"), Some("1"));
    }
}

#[test]
fn a_refused_tunnel_fails_as_the_status_says() {
    let refusals = [
        ("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", of_remote_file(0x8019_0197, false)),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nnever", of_remote_file(0x8019_0193, false)),
        ("HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\n\r\n", of_remote_file(0x8019_012E, false)),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", of_remote_file(0x8019_01F6, true)),
        ("HTTP/1.0 504 Gateway Timeout\r\n\r\n", of_remote_file(0x8019_01F8, true)),
    ];
    for (answer, failure) in refusals {
        assert_eq!(failure_after(answer), failure, "{answer}");
    }
}

#[test]
fn nonsense_in_place_of_a_tunnel_is_a_response_that_cannot_be_understood() {
    let endless = format!("HTTP/1.1 200 OK\r\n{}", "X-Endless: and so on\r\n".repeat(10_000)).leak();
    for answer in ["SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nhello", endless] {
        assert_eq!(failure_after(answer), of_remote_file(0x8007_2F78, true), "{answer:.30}");
    }
}

#[test]
fn a_proxy_that_hangs_up_has_ended_the_connection() {
    let (proxy, mill) = (Server::start(|mut peer| _ = peer.request()), Mill::new());
    for url in ["http://files.example/a", "https://files.example/a"] {
        let outcome = mill.run(by(through(&proxy.address.to_string(), ""), mill.plan(url)));

        assert_eq!(outcome.failure(), of_remote_file(0x8007_2EFE, true), "{url}");
    }
    let first: Vec<_> = proxy.asked();
    assert_eq!(first, ["HEAD http://files.example/a", "CONNECT files.example:443"]);
}

#[test]
fn a_proxy_that_is_not_there_gives_way_to_the_next() {
    let (proxy, mill) = (Server::of(content(10)), Mill::new());
    let list = format!("http=nowhere.invalid:1 http={} http={}", deaf(), proxy.address);

    let outcome = mill.run(by(through(&list, ""), mill.plan("http://files.example/a")));

    assert_eq!(outcome.bytes, Some(content(10)));
}

#[test]
fn after_the_last_proxy_only_a_script_leads_straight() {
    let (server, mill) = (Server::of(content(10)), Mill::new());
    let dead = deaf();

    let listed = mill.run(by(through(&dead.to_string(), ""), mill.plan(&server.url("/a"))));
    let unknown = mill.run(by(through("nowhere.invalid", ""), mill.plan(&server.url("/a"))));
    let answered = mill.run(by(as_answered(&format!("PROXY {dead}; DIRECT")), mill.plan(&server.url("/a"))));

    assert_eq!(listed.failure(), of_remote_file(0x8007_2EFD, true));
    assert_eq!(unknown.failure(), of_remote_file(0x8007_2EE7, true));
    assert_eq!(answered.bytes, Some(content(10)));
}

#[test]
fn the_answer_of_a_proxy_that_was_reached_counts() {
    let first = Server::start(|mut peer| {
        peer.request();
        peer.send("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    });
    let (second, mill) = (Server::of(content(10)), Mill::new());
    let list = format!("{} {}", first.address, second.address);

    for url in ["http://files.example/a", "https://files.example/a"] {
        let outcome = mill.run(by(through(&list, ""), mill.plan(url)));

        assert_eq!(outcome.failure(), of_remote_file(0x8019_01F7, true), "{url}");
    }
    assert!(second.asked().is_empty());
}

#[test]
fn a_redirect_is_routed_anew() {
    let (server, mill) = (Server::of(content(10)), Mill::new());
    let there = format!("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", server.url("/b"));
    let proxy = Server::start(move |mut peer| while peer.request().is_some_and(|_| peer.send(&there)) {});

    let proxying = through(&proxy.address.to_string(), "127.0.0.1");
    let outcome = mill.run(by(proxying, mill.plan("http://files.example/a")));

    assert_eq!(outcome.bytes, Some(content(10)));
    assert_eq!(proxy.asked(), ["HEAD http://files.example/a", "GET http://files.example/a"]);
    assert_eq!(server.asked(), ["HEAD /b", "GET /b"]);
}

#[test]
fn a_script_with_nonsense_for_an_answer_is_an_invalid_argument() {
    let mill = Mill::new();

    let outcome = mill.run(by(as_answered("PROXY :::"), mill.plan("http://files.example/a")));

    let context = ErrorContext::GENERAL_TRANSPORT;
    assert_eq!(outcome.failure(), Failure { code: Hresult::E_INVALIDARG, context, transient: true });
}

/// A proxy that asks the first comer by `challenge`, and is gone.
fn asking_once(challenge: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        drop(listener);
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
            head.push(byte[0]);
        }
        let answer = format!(
            "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: {challenge}\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        );
        let _ = stream.write_all(answer.as_bytes());
    });
    address
}

#[test]
fn a_proxy_that_has_not_asked_hears_nothing_of_what_another_one_was_told() {
    let schemes = [
        ("Basic realm=x", AuthScheme::BASIC),
        ("Digest realm=x, nonce=y, qop=\"auth\"", AuthScheme::DIGEST),
        ("NTLM", AuthScheme::NTLM),
    ];
    for (challenge, scheme) in schemes {
        for url in ["http://127.0.0.1:9/a", "https://127.0.0.1:9/a"] {
            let (first, mill) = (asking_once(challenge), Mill::new());
            let second = Server::start(|mut peer| {
                peer.request();
                peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
            });
            let login = Login { user_name: Secret::new("user"), password: Secret::new("password") };
            let logins: Logins = [((AuthTarget::PROXY, scheme), login)].into_iter().collect();

            let plan = by(through(&format!("{first} {}", second.address), ""), mill.plan(url));
            let outcome = mill.run(AttemptPlan { logins: Arc::new(logins), ..plan });

            assert_eq!(outcome.code(), Hresult::from_http_status(403), "{challenge} {url}");
            assert_eq!(line(&second.requests()[0], "Proxy-Authorization"), None, "{challenge} {url}");
        }
    }
}
