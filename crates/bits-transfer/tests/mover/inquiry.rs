//! Single questions to a server.

use std::iter;
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use bits_transfer::{Inquirer, Reply, Rest};
use bits_wire::download::{Ask, Fault, Request, Target};
use bits_world::Decisions;

use crate::support::{PATIENCE, Server, content};

fn inquirer(patience: Duration) -> Inquirer {
    Inquirer::new(&Decisions::default(), &[], patience).unwrap()
}

/// Asks for all of `/a`, and reads at most `most` bytes.
fn ask(inquirer: &mut Inquirer, server: &Server, most: usize) -> Result<Reply, Fault> {
    let target = Target::parse(&format!("http://{}/a", server.address)).unwrap();
    inquirer.ask(&target, &Request::new(&Ask::Whole, &target, "7.8"), most)
}

#[test]
fn a_body_is_read_up_to_where_it_is_wanted() {
    let file = content(100_000);
    let server = Server::of(file.clone());
    let mut inquirer = inquirer(PATIENCE);

    for (most, rest) in [(0, Rest::Unread), (1000, Rest::Unread), (100_000, Rest::Nothing), (200_000, Rest::Nothing)] {
        let reply = ask(&mut inquirer, &server, most).unwrap();

        assert_eq!((reply.body.as_slice(), reply.rest), (&file[..most.min(100_000)], rest), "{most}");
    }
}

#[test]
fn one_connection_serves_as_long_as_bodies_are_read_and_nobody_hangs_up() {
    let server = Server::start(|mut peer| {
        let file = peer.number.to_string();
        while let Some(request) = peer.request() {
            peer.answer(&request, file.as_bytes());
        }
    });
    let mut inquirer = inquirer(PATIENCE);
    let mut number = |most| ask(&mut inquirer, &server, most).unwrap().body;

    assert_eq!([number(9), number(9), number(0), number(9)], [&b"0"[..], b"0", b"", b"1"]);
    inquirer.hang_up();
    assert_eq!(ask(&mut inquirer, &server, 9).unwrap().body, b"2");
}

#[test]
fn a_body_that_breaks_off_is_told_with_what_came() {
    let server = Server::start(|mut peer| {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    });

    let reply = ask(&mut inquirer(PATIENCE), &server, 100).unwrap();

    assert_eq!((reply.body.as_slice(), reply.rest), (&b"abc"[..], Rest::Broken(Fault::ConnectionEnded)));
}

#[test]
fn silence_ends_with_patience_before_an_answer_and_within_one() {
    let patience = Duration::from_millis(200);
    let mute = Server::start(|mut peer| peer.wait_for_close());
    let tired = Server::start(|mut peer| {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
        peer.wait_for_close();
    });

    assert_eq!(ask(&mut inquirer(patience), &mute, 100).unwrap_err(), Fault::Timeout);
    // On a busy machine the answer may come late: whoever is more patient sees it begin.
    let mut longer = iter::successors(Some(patience), |patience| Some(*patience * 2)).take_while(|one| *one < PATIENCE);
    let reply = longer.find_map(|patience| ask(&mut inquirer(patience), &tired, 100).ok()).unwrap();
    assert_eq!(reply.rest, Rest::Broken(Fault::Timeout));
}

#[test]
fn addresses_are_tried_one_by_one() {
    let server = Server::start(|mut peer| peer.wait_for_close());
    let inquirer = inquirer(PATIENCE);
    let origin = |url: &str| Target::parse(url).unwrap().origin().clone();

    let here = inquirer.try_addresses(&origin(&format!("http://{}/", server.address))).unwrap();
    let deaf = inquirer.try_addresses(&origin("http://127.0.0.1:1/")).unwrap();
    let nowhere = inquirer.try_addresses(&origin("http://server.invalid/"));
    // As many as this machine has, in its order.
    let port = server.address.port();
    let several = inquirer.try_addresses(&origin(&format!("http://localhost:{port}/"))).unwrap();
    let known: Vec<SocketAddr> = ("localhost", port).to_socket_addrs().unwrap().collect();

    assert_eq!((here.len(), here[0].address, &here[0].refusal), (1, server.address, &None));
    assert!(deaf.len() == 1 && deaf[0].refusal.is_some(), "{deaf:?}");
    assert!(nowhere.is_err_and(|why| !why.is_empty()));
    assert_eq!(several.iter().map(|tried| tried.address).collect::<Vec<_>>(), known);
}

#[test]
fn a_server_without_tls_shakes_no_hands() {
    let server = Server::start(|mut peer| {
        peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
        peer.wait_for_close();
    });
    let target = Target::parse(&format!("https://{}/", server.address)).unwrap();

    let (fault, why) = inquirer(PATIENCE).shake_hands(target.origin(), false).unwrap_err();

    assert!(fault == Fault::Tls && why.contains("does not speak TLS"), "{fault:?}: {why}");
}
