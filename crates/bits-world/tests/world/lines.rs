//! When a connection waits for nothing but the clock or the test.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bits_world::clock::{Ends, Line, VirtualClock};

/// A connection from that port to one server.
fn client(port: u16) -> Ends {
    Ends { client: SocketAddr::from(([127, 0, 0, 1], port)), server: SocketAddr::from(([127, 0, 0, 1], 80)) }
}

/// Lets the task that serves `line` come to rest.
fn rest(line: &Line) {
    let mut task = pin!(line.activity().watch(poll_fn(|_| Poll::<()>::Pending)));
    assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[test]
fn a_held_request_with_every_byte_read_is_parked() {
    let clock = VirtualClock::new();
    let line = Line::open(&clock, client(1));
    line.activity().add_bytes(40);
    rest(&line);

    let hold = line.hold();

    assert!(clock.is_parked(client(1), 40));
    drop(hold);
    assert!(!clock.is_parked(client(1), 40), "nobody holds the request");
}

#[test]
fn bytes_on_their_way_keep_a_held_request_moving() {
    let clock = VirtualClock::new();
    let line = Line::open(&clock, client(1));
    line.activity().add_bytes(40);
    rest(&line);
    let _hold = line.hold();

    assert!(!clock.is_parked(client(1), 39));
    line.activity().add_bytes(2);
    assert!(!clock.is_parked(client(1), 40));
    assert!(clock.is_parked(client(1), 42));
}

#[test]
fn an_origin_that_still_works_keeps_a_held_request_moving() {
    let clock = VirtualClock::new();
    let line = Line::open(&clock, client(1));
    let _hold = line.hold();

    assert!(!clock.is_parked(client(1), 0), "its task has not been polled yet");
    rest(&line);
    assert!(clock.is_parked(client(1), 0));
}

#[test]
fn a_request_is_held_until_the_last_hold_is_dropped() {
    let clock = VirtualClock::new();
    let line = Line::open(&clock, client(1));
    rest(&line);
    let (first, second) = (line.hold(), line.hold());

    drop(first);
    assert!(clock.is_parked(client(1), 0));
    drop(second);
    assert!(!clock.is_parked(client(1), 0));
}

#[test]
fn a_connection_that_no_origin_serves_is_not_parked() {
    let clock = VirtualClock::new();
    let line = Line::open(&clock, client(1));
    rest(&line);
    let hold = line.hold();

    assert!(!clock.is_parked(client(2), 0));
    drop((hold, line));
    assert!(!clock.is_parked(client(1), 0));
}

#[test]
fn a_new_connection_from_a_used_address_outlives_the_old_one() {
    let clock = VirtualClock::new();
    let old = Line::open(&clock, client(1));
    let new = Line::open(&clock, client(1));
    rest(&new);
    let _hold = new.hold();

    drop(old);

    assert!(clock.is_parked(client(1), 0));
    assert_eq!(Arc::strong_count(&new), 2, "the line and its hold: looking left nothing behind");
}

#[test]
fn connections_of_one_client_port_to_two_servers_are_told_apart() {
    let clock = VirtualClock::new();
    let first = client(1);
    let second = Ends { server: SocketAddr::from(([127, 0, 0, 1], 443)), ..first };
    let held = Line::open(&clock, first);
    let busy = Line::open(&clock, second);
    rest(&held);
    rest(&busy);
    let _hold = held.hold();

    assert!(clock.is_parked(first, 0));
    assert!(!clock.is_parked(second, 0));
}
