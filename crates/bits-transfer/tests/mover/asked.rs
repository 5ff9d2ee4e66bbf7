//! An application that thinks: nobody hurries it, and nobody asks it twice at the same time.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bits_api::Hresult;
use bits_wire::attempt::{AttemptEnd, AttemptPlan, Failure, PresentedServer, Vetter, Vetting};
use bits_world::Decisions;
use bits_world::clock::VirtualClock;

use crate::parked::seat_of;
use crate::support::{Mill, PATIENCE, content};
use crate::tls::{good, issuer, server, settings, url};

/// An application that says when it is asked, and answers when it is told to.
#[derive(Debug)]
struct Application {
    asked: Mutex<Sender<()>>,
    answer: Mutex<Receiver<()>>,
    has_ended: AtomicBool,
    /// Learns that it is asked, as it does of everything that somebody waits for.
    clock: Arc<VirtualClock>,
}

/// Who asks it for one attempt.
#[derive(Debug)]
struct Asker {
    application: Arc<Application>,
    asks: AtomicBool,
}

/// The test's side of it.
struct Thoughts {
    asked: Receiver<()>,
    answer: Sender<()>,
    application: Arc<Application>,
}

impl Thoughts {
    fn new(clock: &Arc<VirtualClock>) -> Self {
        let ((asked, hears), (answer, waits)) = (channel(), channel());
        let (asked, answers) = (Mutex::new(asked), Mutex::new(waits));
        let (has_ended, clock) = (AtomicBool::new(false), Arc::clone(clock));
        let application = Arc::new(Application { asked, answer: answers, has_ended, clock });
        Self { asked: hears, answer, application }
    }

    fn plan(&self, mill: &Mill, url: &str) -> AttemptPlan {
        let asker = Asker { application: Arc::clone(&self.application), asks: AtomicBool::new(false) };
        AttemptPlan { vetting: Vetting::By(Arc::new(asker)), ..mill.plan(url) }
    }
}

impl Vetter for Asker {
    fn vet(&self, _server: &PresentedServer<'_>) -> Result<(), Failure> {
        self.asks.store(true, SeqCst);
        self.application.clock.changed();
        self.application.asked.lock().unwrap().send(()).unwrap();
        self.application.answer.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        self.asks.store(false, SeqCst);
        Ok(())
    }

    fn is_asking(&self) -> bool {
        self.asks.load(SeqCst)
    }

    fn is_gone(&self) -> bool {
        self.application.has_ended.load(SeqCst)
    }

    fn client(&self) -> Option<u64> {
        Some(1)
    }
}

/// Longer than any server may be silent.
fn long() -> Duration {
    Decisions::default().stall_timeout() * 3
}

#[test]
fn an_application_may_think_for_longer_than_a_server_may_be_silent() {
    let issuer = issuer();
    let server = server(settings(&issuer, &good()), |peer| peer.serve(&content(1000)));
    let clock = VirtualClock::new();
    let seat = seat_of(&clock, &[issuer.pem()]);
    let thoughts = Thoughts::new(&clock);
    let mut running = seat.0.start(thoughts.plan(&seat.0, &url(&server)));
    thoughts.asked.recv_timeout(PATIENCE).unwrap();

    clock.advance(long()).unwrap();

    assert_eq!(running.pending(), []);
    thoughts.answer.send(()).unwrap();
    let outcome = running.end();
    assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Done, Some(content(1000))));
}

#[test]
fn an_application_that_has_ended_is_waited_for_like_a_server() {
    let issuer = issuer();
    let server = server(settings(&issuer, &good()), |peer| peer.serve(&content(1000)));
    let clock = VirtualClock::new();
    let seat = seat_of(&clock, &[issuer.pem()]);
    let thoughts = Thoughts::new(&clock);
    let running = seat.0.start(thoughts.plan(&seat.0, &url(&server)));
    thoughts.asked.recv_timeout(PATIENCE).unwrap();

    thoughts.application.has_ended.store(true, SeqCst);
    clock.advance(long()).unwrap();

    assert_eq!(running.end().code(), Hresult::ERROR_WINHTTP_TIMEOUT);
    thoughts.answer.send(()).unwrap();
}

#[test]
fn an_attempt_waits_for_what_an_earlier_one_has_asked() {
    let issuer = issuer();
    let server = server(settings(&issuer, &good()), |peer| peer.serve(&content(1000)));
    let clock = VirtualClock::new();
    let seat = seat_of(&clock, &[issuer.pem()]);
    let thoughts = Thoughts::new(&clock);
    let first = seat.0.start(thoughts.plan(&seat.0, &url(&server)));
    thoughts.asked.recv_timeout(PATIENCE).unwrap();
    first.stop();
    assert_eq!(first.end().end, AttemptEnd::Stopped);

    let second = seat.0.start(thoughts.plan(&seat.0, &url(&server)));
    // It has come as far as it can when the clock finds nothing more that runs.
    clock.advance(long()).unwrap();
    assert!(thoughts.asked.try_recv().is_err(), "it is asked twice at the same time");
    thoughts.answer.send(()).unwrap();
    thoughts.asked.recv_timeout(PATIENCE).unwrap();
    thoughts.answer.send(()).unwrap();

    let outcome = second.end();
    assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Done, Some(content(1000))));
}
