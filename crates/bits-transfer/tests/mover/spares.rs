//! Connections that jobs have left.

use std::fs;
use std::sync::Arc;

use bits_api::{AuthScheme, AuthTarget};
use bits_wire::Secret;
use bits_wire::attempt::{AttemptPlan, ChainId, Fetch, Mover};
use bits_wire::auth::{Login, Logins};
use bits_world::clock::{Clock, VirtualClock};

use crate::support::{Mill, Peer, Server};

/// Serves ten bytes at any path: the number of the connection.
fn counted(peer: Peer) {
    let number = u8::try_from(peer.number).unwrap();
    peer.serve(&[number; 10]);
}

#[test]
fn the_files_of_a_job_share_a_connection_that_no_other_uses_meanwhile() {
    let (server, mill) = (Server::start(counted), Mill::new());

    for path in ["/a", "/b", "/c"] {
        assert_eq!(mill.get(&server.url(path)).bytes, Some(vec![0; 10]));
    }
    let other = AttemptPlan { chain: ChainId(2), ..mill.plan(&server.url("/e")) };
    assert_eq!(mill.run(other).bytes, Some(vec![1; 10]));
}

#[test]
fn a_connection_that_a_job_has_left_serves_the_next() {
    let (server, mill) = (Server::start(counted), Mill::new());

    for path in ["/a", "/b", "/c"] {
        assert_eq!(mill.get(&server.url(path)).bytes, Some(vec![0; 10]));
        mill.mover.release(ChainId(1));
    }
}

/// Each job has a connection of its own.
#[track_caller]
fn connects_anew(mill: &Mill) {
    let server = Server::start(counted);

    for number in 0..3 {
        assert_eq!(mill.get(&server.url("/a")).bytes, Some(vec![number; 10]));
        mill.mover.release(ChainId(1));
    }
}

#[test]
fn on_a_virtual_clock_each_job_connects_anew() {
    connects_anew(&Mill::with(Clock::Virtual(VirtualClock::new()), &[]));
}

#[test]
fn where_that_was_decided_each_job_connects_anew() {
    connects_anew(&Mill::deciding("http.spare_connections", "closed"));
}

/// Jobs of nobody share a connection; each that `known` says something of has one of its own.
#[track_caller]
fn serves_nobody_else(known: impl Fn(AttemptPlan) -> AttemptPlan) {
    let (server, mill) = (Server::start(counted), Mill::new());
    let plan = || mill.plan(&server.url("/a"));

    for (plan, number) in [(plan(), 0), (known(plan()), 1), (plan(), 0), (known(plan()), 2)] {
        assert_eq!(mill.run(plan).bytes, Some(vec![number; 10]));
        fs::remove_file(mill.temporary()).unwrap();
        mill.mover.release(ChainId(1));
    }
}

#[test]
fn a_connection_of_a_job_with_credentials_serves_nobody_else() {
    let login = || Login { user_name: Secret::new("user"), password: Secret::new("password") };
    let logins = || [((AuthTarget::SERVER, AuthScheme::BASIC), login())].into_iter().collect::<Logins>();

    serves_nobody_else(|plan| AttemptPlan { logins: Arc::new(logins()), ..plan });
}

#[test]
fn a_connection_of_a_job_that_says_who_it_is_in_a_header_serves_nobody_else() {
    let header = || Some(Secret::new("Authorization: Negotiate YII="));

    serves_nobody_else(|plan| AttemptPlan { custom_headers: header(), ..plan });
}

#[test]
fn nothing_but_head_is_asked_first_on_a_connection_that_was_left() {
    for method in ["GET", "POST"] {
        let (server, mill) = (Server::start(counted), Mill::new());
        mill.get(&server.url("/a"));
        mill.mover.release(ChainId(1));

        let plan = mill.plan(&server.url("/b"));
        let fetch = Fetch { dynamic: true, method: Some(method.into()), ..Fetch::default() };
        let outcome = mill.run(AttemptPlan { fetch, ..plan });

        assert_eq!(outcome.bytes, Some(vec![1; 10]), "{method}");
    }
}
