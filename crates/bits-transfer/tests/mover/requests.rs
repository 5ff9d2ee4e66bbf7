//! What requests carry, where redirects lead them, and what is told of answers.

use bits_api::Hresult;
use bits_wire::Secret;
use bits_wire::attempt::{AttemptEnd, AttemptPlan, AttemptReport, Fetch, ResponseHead};
use bits_wire::download::{Follow, RedirectPolicy};

use crate::support::{Mill, Outcome, Peer, Server, content, line};

/// Sends whoever asks for anything but `/file` there, by 302; `extra` lines are in every redirect.
fn sends_to_file(mut peer: Peer, extra: &str) {
    while let Some(request) = peer.request() {
        if request.split(' ').nth(1) == Some("/file") {
            peer.answer(&request, &content(1_000));
        } else {
            peer.send(format!("HTTP/1.1 302 Found\r\nLocation: /file\r\nContent-Length: 0\r\n{extra}\r\n"));
        }
    }
}

fn plan_with(mill: &Mill, url: &str, headers: &str) -> AttemptPlan {
    AttemptPlan { custom_headers: Some(Secret::new(headers)), ..mill.plan(url) }
}

fn redirected(outcome: &Outcome) -> Vec<String> {
    let url = |report: &AttemptReport| match report {
        AttemptReport::Redirected { url } => Some(url.clone()),
        _ => None,
    };
    outcome.reports.iter().filter_map(url).collect()
}

#[test]
fn custom_headers_keep_the_spelling_of_their_names_on_every_request() {
    let (server, mill) = (Server::of(content(1_000)), Mill::new());

    mill.run(plan_with(&mill, &server.url("/a"), "MyHeader_1: one\r\nx-lower: host: 2\r\nETAG: 3\r\n"));

    assert_eq!(server.requests().len(), 2);
    for request in server.requests() {
        let tail = "MyHeader_1: one\r\nx-lower: host: 2\r\nETAG: 3\r\n\r\n";
        assert!(request.ends_with(tail), "{request}");
        assert!(request.contains("\r\nUser-Agent: Microsoft BITS/7.8\r\nHost: "), "{request}");
    }
}

#[test]
fn custom_headers_as_long_as_may_be_arrive_whole() {
    let (server, mill) = (Server::of(content(1_000)), Mill::new());
    let value = "v".repeat(16_000);

    let outcome = mill.run(plan_with(&mill, &server.url("/a"), &format!("x-Long: {value}\r\nx-Last: 1")));

    assert_eq!(outcome.bytes, Some(content(1_000)));
    for request in server.requests() {
        assert_eq!(line(&request, "x-Long"), Some(value.as_str()));
        assert_eq!(line(&request, "x-Last"), Some("1"));
    }
}

#[test]
fn what_says_where_a_request_goes_and_ends_is_not_the_clients() {
    let (server, mill) = (Server::of(content(1_000)), Mill::new());
    let headers = "Host: elsewhere\r\nRange: bytes=5-6\r\nContent-Length: 7\r\nConnection: close\r\nX-Own: 1";

    let outcome = mill.run(plan_with(&mill, &server.url("/a"), headers));

    assert_eq!(outcome.bytes, Some(content(1_000)));
    for request in server.requests() {
        let address = server.address.to_string();
        let lines = ["Host", "Range", "Content-Length", "Connection", "X-Own"].map(|name| line(&request, name));
        assert_eq!(lines, [Some(address.as_str()), None, None, Some("Keep-Alive"), Some("1")]);
    }
}

#[test]
fn a_clients_user_agent_takes_the_place_of_bits_own_or_stands_beside_it() {
    let agents = |mill: Mill| {
        let server = Server::of(content(1_000));
        mill.run(plan_with(&mill, &server.url("/a"), "User-Agent: mine"));
        let request = server.requests().remove(0);
        let agents = request.lines().filter_map(|line| line.strip_prefix("User-Agent: "));
        agents.map(str::to_owned).collect::<Vec<_>>()
    };

    assert_eq!(agents(Mill::new()), ["mine"]);
    assert_eq!(agents(Mill::deciding("http_options.custom_headers.own", "repeated")), ["Microsoft BITS/7.8", "mine"]);
}

#[test]
fn custom_headers_go_along_to_another_server_unless_that_was_decided_otherwise() {
    let carried = |mill: Mill| {
        let other = Server::of(content(1_000));
        let target = other.url("/file");
        let first = Server::start(move |mut peer| {
            while peer.request().is_some() {
                peer.send(format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"));
            }
        });
        mill.run(plan_with(&mill, &first.url("/a"), "X-Token: t"));
        [first, other].map(|server| server.requests().iter().all(|request| line(request, "X-Token").is_some()))
    };

    assert_eq!(carried(Mill::new()), [true, true]);
    assert_eq!(carried(Mill::deciding("http_options.redirect_with_custom_headers", "dropped")), [true, false]);
}

#[test]
fn each_request_is_redirected_anew_unless_that_was_decided_otherwise() {
    let asked = |mill: Mill| {
        let server = Server::start(|peer| sends_to_file(peer, ""));
        let outcome = mill.run(mill.plan(&server.url("/short")));
        assert_eq!(outcome.bytes, Some(content(1_000)));
        server.asked()
    };

    assert_eq!(asked(Mill::new()), ["HEAD /short", "HEAD /file", "GET /short", "GET /file"]);
    let kept = Mill::deciding("http.redirects_kept", "attempt");
    assert_eq!(asked(kept), ["HEAD /short", "HEAD /file", "GET /file"]);
}

#[test]
fn the_new_name_is_told_before_the_file_is_known_and_asked_from_then_on() {
    let (server, mill) = (Server::start(|peer| sends_to_file(peer, "")), Mill::new());
    let redirects = RedirectPolicy { follow: Follow::Reporting, ..RedirectPolicy::default() };
    let plan = mill.plan(&server.url("/short"));

    let outcome = mill.run(AttemptPlan { fetch: Fetch { redirects, ..Fetch::default() }, ..plan });

    let first = &outcome.reports[0];
    assert_eq!(*first, AttemptReport::Redirected { url: server.url("/file") });
    assert_eq!(redirected(&outcome).len(), 1);
    assert_eq!(server.asked(), ["HEAD /short", "HEAD /file", "GET /file"]);
}

#[test]
fn a_redirect_that_the_policy_refuses_tells_its_target_and_fails() {
    let (server, mill) = (Server::start(|peer| sends_to_file(peer, "")), Mill::new());
    let redirects = RedirectPolicy { follow: Follow::Never, ..RedirectPolicy::default() };
    let plan = mill.plan(&server.url("/short"));

    let outcome = mill.run(AttemptPlan { fetch: Fetch { redirects, ..Fetch::default() }, ..plan });

    assert_eq!(outcome.code(), Hresult::BG_E_HTTP_ERROR_302);
    assert_eq!((redirected(&outcome), outcome.bytes), (vec![server.url("/file")], None));
    assert_eq!(server.asked(), ["HEAD /short"]);
}

#[test]
fn a_method_of_the_client_gives_way_to_get_where_a_redirect_asks_for_that() {
    for (status, method) in [(302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")] {
        let server = Server::start(move |mut peer| {
            while let Some(request) = peer.request() {
                if request.contains(" /file ") {
                    peer.answer(&request, &content(1_000));
                } else {
                    peer.send(format!("HTTP/1.1 {status} X\r\nLocation: /file\r\nContent-Length: 0\r\n\r\n"));
                }
            }
        });
        let mill = Mill::new();
        let fetch = Fetch { method: Some("POST".to_owned()), dynamic: true, ..Fetch::default() };

        let outcome = mill.run(AttemptPlan { fetch, ..mill.plan(&server.url("/short")) });

        assert_eq!(outcome.bytes, Some(content(1_000)));
        assert_eq!(server.asked(), ["POST /short".to_owned(), format!("{method} /file")]);
    }
}

#[test]
fn a_method_of_the_client_is_not_sent_twice_when_a_connection_breaks_before_the_answer() {
    let server = Server::start(|mut peer| {
        let Some(request) = peer.request() else { return };
        peer.answer(&request, &content(1_000));
        // The next request on this connection is heard, and never answered.
        peer.request();
    });
    let mill = Mill::new();
    let asked_by = |method: &str| {
        let fetch = Fetch { method: Some(method.to_owned()), dynamic: true, ..Fetch::default() };
        let outcome = mill.run(AttemptPlan { fetch, ..mill.plan(&server.url("/a")) });
        if outcome.end == AttemptEnd::Done {
            std::fs::remove_file(mill.temporary()).unwrap();
        }
        outcome
    };

    assert_eq!(asked_by("POST").end, AttemptEnd::Done);
    assert_eq!(asked_by("POST").code(), Hresult::ERROR_WINHTTP_CONNECTION_ERROR);
    assert_eq!(server.asked(), ["POST /a"; 2]);
}

#[test]
fn cookies_are_told_again_only_where_that_was_decided() {
    let told = |mill: Mill| {
        let server = Server::start(|peer| sends_to_file(peer, "Set-Cookie: id=7; Path=/\r\n"));
        mill.run(mill.plan(&server.url("/short")));
        let requests = server.requests();
        requests.iter().map(|request| line(request, "Cookie").map(str::to_owned)).collect::<Vec<_>>()
    };

    assert_eq!(told(Mill::new()), [None, None, None, None]);
    let again = Some("id=7".to_owned());
    assert_eq!(told(Mill::deciding("http.cookies", "kept")), [None, again.clone(), again.clone(), again]);
}

#[test]
fn a_server_that_redirects_to_itself_with_a_cookie_is_understood_where_cookies_are_kept() {
    let end = |mill: Mill| {
        let server = Server::start(|mut peer| {
            while let Some(request) = peer.request() {
                if line(&request, "Cookie") == Some("seen=1") {
                    peer.answer(&request, &content(1_000));
                } else {
                    peer.send("HTTP/1.1 302 Found\r\nLocation: /a\r\nSet-Cookie: seen=1\r\nContent-Length: 0\r\n\r\n");
                }
            }
        });
        mill.run(mill.plan(&server.url("/a")))
    };

    assert_eq!(end(Mill::new()).code(), Hresult::ERROR_WINHTTP_REDIRECT_FAILED);
    assert_eq!(end(Mill::deciding("http.cookies", "kept")).bytes, Some(content(1_000)));
}

#[test]
fn where_head_is_refused_get_asks_instead_where_that_was_decided() {
    let served = |mill: Mill| {
        let server = Server::start(|mut peer| {
            while let Some(request) = peer.request() {
                if request.starts_with("HEAD") {
                    peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n");
                } else {
                    peer.answer(&request, &content(1_000));
                }
            }
        });
        (mill.run(mill.plan(&server.url("/a"))), server.asked())
    };

    let (outcome, asked) = served(Mill::new());
    assert_eq!((outcome.code(), asked.len()), (Hresult::BG_E_HTTP_ERROR_403, 1));
    let (outcome, asked) = served(Mill::deciding("http.head_refused", "GET"));
    assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Done, Some(content(1_000))));
    assert_eq!(asked, ["HEAD /a", "GET /a", "GET /a"]);
}

#[test]
fn coded_content_is_kept_as_it_comes_unless_that_was_decided_otherwise() {
    let outcome = |mill: Mill| {
        let server = Server::start(|mut peer| {
            while let Some(request) = peer.request() {
                peer.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\n");
                if request.starts_with("GET") {
                    peer.send([0x1F, 0x8B, 8, 0, 0]);
                }
            }
        });
        mill.run(mill.plan(&server.url("/a")))
    };

    assert_eq!(outcome(Mill::new()).bytes, Some(vec![0x1F, 0x8B, 8, 0, 0]));
    let refused = outcome(Mill::deciding("http.content_coding", "refused"));
    assert_eq!(refused.code(), Hresult::BG_E_INVALID_SERVER_RESPONSE);
}

#[test]
fn heads_are_told_as_the_server_has_spelled_them_without_interim_ones() {
    const HEAD: &str =
        "HTTP/1.1 200 Quite Fine\r\ncontent-LENGTH: 5\r\nX-odd-name_1:no blank\r\nx-two: 1\r\nx-Two: 2\r\n\r\n";
    let server = Server::start(|mut peer| {
        while let Some(request) = peer.request() {
            peer.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
            // Head and body in one go.
            peer.send(if request.starts_with("GET") { format!("{HEAD}hello") } else { HEAD.to_owned() });
        }
    });

    let outcome = Mill::new().get(&server.url("/a"));

    assert_eq!(outcome.heads, [ResponseHead(HEAD.into()), ResponseHead(HEAD.into())]);
}
