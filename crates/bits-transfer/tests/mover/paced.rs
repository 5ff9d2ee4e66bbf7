//! Limits of bandwidth: how many bytes are there at which moment, who shares a limit, and what a
//! server notices of it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bits_wire::attempt::{AttemptEnd, AttemptPlan, AttemptReport, ChainId, Fetch, Mover, Urgency};
use bits_world::Decisions;
use bits_world::clock::VirtualClock;

use crate::parked::{Seat, seat, seat_of};
use crate::support::{Mill, Running, Server, content, line};
use crate::tls;

const SECOND: Duration = Duration::from_secs(1);

/// 1,000 bytes a second.
const SLOW: Option<u32> = Some(8);

/// A plan under a limit; several on one seat have a chain and a file of their own.
fn limited(seat: &Seat, url: &str, limit: Option<u32>) -> AttemptPlan {
    let plan = seat.0.plan(url);
    let number = plan.attempt.0;
    AttemptPlan { limit, chain: ChainId(number), local: seat.0.folder.path().join(format!("BIT{number}.tmp")), ..plan }
}

/// Begins an attempt that comes to its limit.
fn begun<'a>(clock: &VirtualClock, seat: &'a Seat, plan: AttemptPlan) -> Running<'a> {
    let mut running = seat.0.start(plan);
    running.until(|report| matches!(report, AttemptReport::Connected { .. }));
    clock.settle().unwrap();
    running
}

/// How much is there, by what was reported since the last time.
fn have(running: &mut Running<'_>) -> Option<u64> {
    let progress = |report: &AttemptReport| match report {
        AttemptReport::Progress { have } => Some(*have),
        _ => None,
    };
    running.pending().iter().filter_map(progress).next_back()
}

#[test]
fn bytes_arrive_as_time_passes_to_the_byte() {
    let clock = VirtualClock::new();
    let (server, seat) = (Server::of(content(10_000)), seat(&clock));
    let mut running = begun(&clock, &seat, limited(&seat, &server.url("/a"), SLOW));

    assert_eq!(have(&mut running), None);
    for (passes, there) in [(SECOND, 1_000), (SECOND * 5 / 2, 3_500), (SECOND / 1000, 3_501), (SECOND * 6, 9_501)] {
        clock.advance(passes).unwrap();
        assert_eq!(have(&mut running), Some(there));
    }
    clock.advance(Duration::from_millis(498)).unwrap();
    assert_eq!(running.pending().last(), Some(&AttemptReport::Progress { have: 9_999 }));
    clock.advance(SECOND / 1000).unwrap();

    let outcome = running.end();
    assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Done, Some(content(10_000))));
}

#[test]
fn another_limit_counts_from_its_moment_on() {
    let clock = VirtualClock::new();
    let (server, seat) = (Server::of(content(1_000_000)), seat(&clock));
    let mut running = begun(&clock, &seat, limited(&seat, &server.url("/a"), SLOW));

    // The first comes in the middle of what was read at once.
    for (limit, passes, there) in [
        (SLOW, SECOND / 2, 500),
        (Some(80), SECOND, 10_500),
        (Some(4), SECOND * 2, 11_500),
        (Some(800), SECOND, 111_500),
    ] {
        seat.0.mover.limit(running.id, limit);
        clock.advance(passes).unwrap();
        assert_eq!(have(&mut running), Some(there), "{limit:?}");
    }
    seat.0.mover.limit(running.id, None);

    assert_eq!(running.end().bytes, Some(content(1_000_000)));
}

#[test]
fn a_limit_comes_to_a_transfer_that_had_none() {
    let clock = VirtualClock::new();
    let (order, told) = channel::<usize>();
    let told = Mutex::new(told);
    let server = Server::start(move |mut peer| {
        while let Some(request) = peer.request() {
            if request.starts_with("HEAD") {
                peer.answer(&request, &content(5_000));
                continue;
            }
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
            let mut sent = 0;
            for bytes in told.lock().unwrap().iter() {
                peer.send(&content(5_000)[sent..sent + bytes]);
                sent += bytes;
            }
        }
    });
    let seat = seat(&clock);
    let mut running = seat.0.start(limited(&seat, &server.url("/a"), None));
    running.until(|report| matches!(report, AttemptReport::Connected { .. }));
    order.send(2_000).unwrap();
    running.until(|report| *report == AttemptReport::Progress { have: 2_000 });

    seat.0.mover.limit(running.id, SLOW);
    order.send(3_000).unwrap();
    clock.advance(SECOND * 2).unwrap();
    assert_eq!(have(&mut running), Some(4_000));
    clock.advance(SECOND).unwrap();

    assert_eq!(running.end().bytes, Some(content(5_000)));
}

#[test]
fn files_one_after_the_other_are_no_faster_than_one() {
    let clock = VirtualClock::new();
    let (server, seat) = (Server::of(content(100)), seat(&clock));

    for _ in 0..20 {
        let mut running = begun(&clock, &seat, limited(&seat, &server.url("/a"), SLOW));
        clock.advance(SECOND * 99 / 1000).unwrap();
        assert_eq!(have(&mut running), Some(99));
        clock.advance(SECOND / 1000).unwrap();
        assert_eq!(running.end().end, AttemptEnd::Done);
        // Nobody waits for bytes meanwhile: none gather.
        clock.advance(SECOND).unwrap();
    }
}

#[test]
fn attempts_at_the_same_time_share_one_limit() {
    let clock = VirtualClock::new();
    let (server, seat) = (Server::of(content(100_000)), seat(&clock));
    let mut all: Vec<_> = (0..4).map(|_| begun(&clock, &seat, limited(&seat, &server.url("/a"), SLOW))).collect();

    clock.advance(SECOND * 20).unwrap();

    let there: Vec<u64> = all.iter_mut().map(|running| have(running).unwrap()).collect();
    assert_eq!(there.iter().sum::<u64>(), 20_000, "{there:?}");
    // None is ahead of another by more than one turn.
    assert!(there.iter().max().unwrap() - there.iter().min().unwrap() <= 1024, "{there:?}");
}

#[test]
fn without_a_limit_nobody_waits_for_those_who_have_one() {
    let clock = VirtualClock::new();
    let (server, seat) = (Server::of(content(1_000_000)), seat(&clock));
    let slow = begun(&clock, &seat, limited(&seat, &server.url("/a"), Some(2)));

    let fast = begun(&clock, &seat, limited(&seat, &server.url("/a"), None));

    assert_eq!(fast.end().bytes, Some(content(1_000_000)));
    slow.stop();
    assert_eq!(slow.end().end, AttemptEnd::Stopped);
}

#[test]
fn an_attempt_that_waits_for_bytes_stops_at_once_and_makes_way() {
    let clock = VirtualClock::new();
    let (server, seat) = (Server::of(content(10_000)), seat(&clock));
    let first = begun(&clock, &seat, limited(&seat, &server.url("/a"), SLOW));
    let mut second = begun(&clock, &seat, limited(&seat, &server.url("/a"), SLOW));
    clock.advance(SECOND / 10).unwrap();

    first.stop();
    let outcome = first.end();
    assert_eq!((outcome.end.clone(), outcome.bytes.map(|bytes| bytes.len())), (AttemptEnd::Stopped, Some(100)));
    clock.advance(SECOND).unwrap();

    assert_eq!(have(&mut second), Some(1_000));
}

#[test]
fn a_limit_of_nothing_holds_an_attempt_until_it_is_lifted() {
    let clock = VirtualClock::new();
    let (send, told) = channel::<()>();
    let told = Mutex::new(told);
    let server = Server::start(move |mut peer| {
        while let Some(request) = peer.request() {
            if request.starts_with("HEAD") {
                peer.answer(&request, &content(1_000));
                continue;
            }
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            peer.send(&content(1_000)[..500]);
            let _ = told.lock().unwrap().recv();
            peer.send(&content(1_000)[500..]);
        }
    });
    let seat = seat(&clock);
    let mut running = seat.0.start(limited(&seat, &server.url("/a"), Some(0)));
    running.until(|report| matches!(report, AttemptReport::Connected { .. }));

    // Far longer than a server may be silent: but it is we who do not read.
    clock.advance(Decisions::default().stall_timeout() * 3).unwrap();
    assert_eq!(running.pending(), []);
    seat.0.mover.limit(running.id, None);
    running.until(|report| *report == AttemptReport::Progress { have: 500 });
    send.send(()).unwrap();

    let outcome = running.end();
    assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Done, Some(content(1_000))));
}

#[test]
fn what_may_not_pass_yet_stays_with_the_server() {
    const SIZE: usize = 256 * 1024 * 1024;
    let clock = VirtualClock::new();
    let (accepted, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (counted, over) = (Arc::clone(&accepted), Arc::clone(&is_over));
    let server = Server::wrapped(
        move |stream| Some(Box::new(stream)),
        move |mut peer| {
            while let Some(request) = peer.request() {
                peer.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n"));
                while request.starts_with("GET") && !over.load(Ordering::SeqCst) && peer.send([7; 8_192]) {
                    counted.fetch_add(8_192, Ordering::SeqCst);
                }
            }
        },
    );
    let seat = seat(&clock);
    let running = begun(&clock, &seat, limited(&seat, &server.url("/a"), SLOW));

    // Nothing is read between two deadlines, and everything that a reader would take is taken.
    clock.advance(SECOND * 100).unwrap();

    let (accepted, there) = (accepted.load(Ordering::SeqCst), std::fs::metadata(&running.temporary).unwrap().len());
    assert_eq!(there, 100_000);
    // What the system keeps for the two ends of a connection; the rest was never sent.
    assert!(accepted < SIZE / 4, "{accepted} bytes");
    is_over.store(true, Ordering::SeqCst);
    running.stop();
}

#[test]
fn a_slow_background_attempt_asks_for_one_stretch_after_the_other() {
    let clock = VirtualClock::new();
    let (server, seat) = (Server::of(content(150_000)), seat(&clock));
    let plan = AttemptPlan { urgency: Urgency::Background, ..limited(&seat, &server.url("/a"), SLOW) };
    let mut running = begun(&clock, &seat, plan);

    clock.advance(SECOND * 100).unwrap();
    assert_eq!(have(&mut running), Some(100_000));
    clock.advance(SECOND * 50).unwrap();

    assert_eq!(running.end().bytes, Some(content(150_000)));
    let requests = server.requests();
    let ranges: Vec<_> = requests.iter().filter_map(|request| line(request, "Range")).collect();
    assert_eq!(ranges, ["bytes=0-65535", "bytes=65536-131071", "bytes=131072-149999"]);
}

#[test]
fn under_tls_a_limit_counts_the_bytes_of_the_file() {
    let clock = VirtualClock::new();
    let issuer = tls::issuer();
    let server = tls::server(tls::settings(&issuer, &tls::good()), |peer| peer.serve(&content(100_000)));
    let seat = seat_of(&clock, &[issuer.pem()]);
    let mut running = begun(&clock, &seat, limited(&seat, &tls::url(&server), SLOW));

    clock.advance(SECOND * 30).unwrap();
    assert_eq!(have(&mut running), Some(30_000));
    clock.advance(SECOND * 70).unwrap();

    assert_eq!(running.end().bytes, Some(content(100_000)));
}

#[test]
fn a_server_that_keeps_us_busy_leaves_others_their_turn() {
    let crumbs = Server::start(|mut peer| {
        if peer.request().is_some() {
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            while peer.send("1\r\n7\r\n".repeat(10_000)) {}
        }
    });
    let (good, mill) = (Server::of(content(1_000)), Mill::new());
    // One chain is one worker.
    let plan = |url: String, name: &str| AttemptPlan { local: mill.folder.path().join(name), ..mill.plan(&url) };
    let mut busy = ["BIT1.tmp", "BIT2.tmp", "BIT3.tmp"].map(|name| {
        let fetch = Fetch { dynamic: true, ..Fetch::default() };
        mill.start(AttemptPlan { fetch, ..plan(crumbs.url("/a"), name) })
    });
    for busy in &mut busy {
        busy.until(|report| matches!(report, AttemptReport::Progress { .. }));
    }

    for number in 0..5 {
        let outcome = mill.run(plan(good.url("/a"), &format!("good{number}.tmp")));
        assert_eq!(outcome.end, AttemptEnd::Done);
    }

    for busy in &mut busy {
        assert!(!busy.pending().iter().any(|report| matches!(report, AttemptReport::Ended(_))));
        busy.stop();
        busy.until(|report| *report == AttemptReport::Ended(AttemptEnd::Stopped));
    }
}
