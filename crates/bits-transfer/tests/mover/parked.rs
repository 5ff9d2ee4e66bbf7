//! Virtual time: when an attempt counts as parked, and how long a server may be silent.

use std::future::pending;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Waker};
use std::time::Duration;

use bits_api::Hresult;
use bits_wire::attempt::{AttemptEnd, AttemptPlan, AttemptReport, Mover};
use bits_world::Decisions;
use bits_world::clock::{Clock, Hold, Line, Monotonic, Participant, VirtualClock};

use crate::parts::parts_of_a_new_file;
use crate::proxies::through;
use crate::support::{Mill, PATIENCE, Peer, Server, content, multipart};

/// Lets the clock ask a mill what still runs, as the service does.
pub(crate) struct Seat(pub(crate) Mill);

impl Participant for Seat {
    fn next_deadline(&self) -> Option<Monotonic> {
        None
    }

    fn tick(&self) {}

    fn running(&self) -> Option<String> {
        self.0.mover.running()
    }

    fn explain(&self) -> String {
        "a mover alone".to_owned()
    }
}

/// A server's end that says what it has written and whether it holds a request.
struct Held {
    peer: Peer,
    line: Arc<Line>,
    hold: Option<Hold>,
}

impl Held {
    fn new(clock: &Arc<VirtualClock>, peer: Peer) -> Self {
        let line = Line::open(clock, peer.ends);
        // Its task does nothing that the clock would have to wait for.
        let mut rest = Box::pin(line.activity().watch(pending::<()>()));
        assert!(rest.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        Self { peer, line, hold: None }
    }

    fn send(&mut self, bytes: &[u8]) {
        // Counted first: the client tells the clock when it has read them.
        self.line.activity().add_bytes(bytes.len());
        self.peer.send(bytes);
    }

    /// Holds once the client has begun to speak, whatever it says.
    fn hello(&mut self) {
        self.peer.byte();
        self.hold_for_good();
    }

    /// Holds until the client gives up.
    fn hold_for_good(&mut self) {
        self.hold = Some(self.line.hold());
        self.peer.wait_for_close();
    }
}

pub(crate) fn seat(clock: &Arc<VirtualClock>) -> Arc<Seat> {
    seat_of(clock, &[])
}

/// A seat of a mill that trusts these certificates.
pub(crate) fn seat_of(clock: &Arc<VirtualClock>, trusted: &[String]) -> Arc<Seat> {
    let seat = Arc::new(Seat(Mill::with(Clock::Virtual(Arc::clone(clock)), trusted)));
    clock.join(Arc::downgrade(&seat) as Weak<dyn Participant>);
    seat
}

/// A server that answers HEAD, and of the answer to GET sends `part`, then holds.
fn holding_after(clock: &Arc<VirtualClock>, part: &'static [u8]) -> Server {
    let clock = Arc::clone(clock);
    Server::start(move |peer| {
        let mut held = Held::new(&clock, peer);
        while let Some(request) = held.peer.request() {
            if request.starts_with("HEAD") {
                held.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            } else {
                held.send(part);
                return held.hold_for_good();
            }
        }
    })
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_server_that_never_answers_is_given_up_when_its_time_is_over() {
    let clock = VirtualClock::new();
    let (server, seat) = (holding_after(&clock, b""), seat(&clock));
    let mut running = seat.0.start(seat.0.plan(&server.url("/a")));

    clock.advance(Decisions::default().stall_timeout().saturating_sub(SECOND)).unwrap();
    assert_eq!(running.pending(), []);
    clock.advance(SECOND).unwrap();

    assert_eq!(running.end().code(), Hresult::ERROR_WINHTTP_TIMEOUT);
}

#[test]
fn what_a_server_never_adds_behind_the_last_part_is_given_up_when_its_time_is_over() {
    let (clock, file) = (VirtualClock::new(), content(1000));
    let (clock_of_server, body) = (Arc::clone(&clock), multipart(&file, &[(100, 149), (900, 999)]));
    let server = Server::start(move |peer| {
        let mut held = Held::new(&clock_of_server, peer);
        while let Some(request) = held.peer.request() {
            if request.starts_with("HEAD") {
                held.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            } else {
                let kind = "Content-Type: multipart/byteranges; boundary=B";
                let length = body.len() + 10;
                let answer = format!("HTTP/1.1 206 Partial Content\r\n{kind}\r\nContent-Length: {length}\r\n\r\n");
                held.send(&[answer.as_bytes(), &body].concat());
                return held.hold_for_good();
            }
        }
    });
    let seat = seat(&clock);
    let mut running = seat.0.start(parts_of_a_new_file(&seat.0, &server));
    running.until(|report| *report == AttemptReport::Progress { have: 150 });

    clock.advance(Decisions::default().stall_timeout()).unwrap();

    let outcome = running.end();
    assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Done, Some([&file[100..150], &file[900..]].concat())));
}

#[test]
fn a_handshake_that_never_ends_is_given_up_when_its_time_is_over() {
    let clock = VirtualClock::new();
    let clock_of_server = Arc::clone(&clock);
    let server = Server::start(move |peer| Held::new(&clock_of_server, peer).hello());
    let seat = seat(&clock);
    let mut running = seat.0.start(seat.0.plan(&server.url("/a").replace("http:", "https:")));

    clock.advance(Decisions::default().stall_timeout().saturating_sub(SECOND)).unwrap();
    assert_eq!(running.pending(), []);
    clock.advance(SECOND).unwrap();

    assert_eq!(running.end().code(), Hresult::ERROR_WINHTTP_TIMEOUT);
}

#[test]
fn a_proxy_that_grants_no_tunnel_is_given_up_when_its_time_is_over() {
    let clock = VirtualClock::new();
    let (proxy, seat) = (holding_after(&clock, b""), seat(&clock));
    let proxying = through(&proxy.address.to_string(), "");
    let mut running = seat.0.start(AttemptPlan { proxying, ..seat.0.plan("https://files.example/a") });

    clock.advance(Decisions::default().stall_timeout().saturating_sub(SECOND)).unwrap();
    assert_eq!(running.pending(), []);
    clock.advance(SECOND).unwrap();

    assert_eq!(running.end().code(), Hresult::ERROR_WINHTTP_TIMEOUT);
    assert_eq!(proxy.asked(), ["CONNECT files.example:443"]);
}

#[test]
fn a_server_that_only_promises_an_answer_is_given_up_all_the_same() {
    let clock = VirtualClock::new();
    let (order, orders) = channel::<()>();
    let (done, told) = channel();
    let (clock_of_server, ends) = (Arc::clone(&clock), Mutex::new((orders, done)));
    let server = Server::start(move |peer| {
        let mut held = Held::new(&clock_of_server, peer);
        held.peer.request().unwrap();
        held.hold = Some(held.line.hold());
        let (orders, done) = &*ends.lock().unwrap();
        while orders.recv().is_ok() {
            held.send(b"HTTP/1.1 102 Processing\r\n\r\n");
            done.send(()).unwrap();
        }
    });
    let seat = seat(&clock);
    let running = seat.0.start(seat.0.plan(&server.url("/a")));
    let half = Decisions::default().stall_timeout() / 2;

    clock.advance(half).unwrap();
    order.send(()).unwrap();
    told.recv_timeout(PATIENCE).unwrap();
    clock.advance(half).unwrap();

    assert_eq!(running.end().code(), Hresult::ERROR_WINHTTP_TIMEOUT);
}

#[test]
fn a_body_that_stops_shows_each_byte_and_is_given_up_when_its_time_is_over() {
    let clock = VirtualClock::new();
    let part = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n0123456789";
    let (server, seat) = (holding_after(&clock, part), seat(&clock));
    let mut running = seat.0.start(seat.0.plan(&server.url("/a")));
    running.until(|report| matches!(report, AttemptReport::Connected { .. }));

    clock.settle().unwrap();
    assert_eq!(running.pending(), [AttemptReport::Progress { have: 10 }]);
    clock.advance(Decisions::default().stall_timeout().saturating_sub(SECOND)).unwrap();
    assert_eq!(running.pending(), []);
    clock.advance(SECOND).unwrap();

    let outcome = running.end();
    assert!(outcome.failure().transient);
    assert_eq!(outcome.code(), Hresult::ERROR_WINHTTP_TIMEOUT);
    assert_eq!(outcome.bytes.as_deref(), Some(&b"0123456789"[..]));
}

#[test]
fn an_attempt_that_waits_for_its_record_still_runs() {
    let clock = VirtualClock::new();
    let (server, seat) = (Server::of(content(10)), seat(&clock));
    let mut running = seat.0.start(seat.0.plan(&server.url("/a")));

    assert!(matches!(running.report(), AttemptReport::Connected { .. }));

    assert!(seat.0.mover.running().unwrap().contains("on record"));
    running.stop();
    running.report();
    clock.settle().unwrap();
}
