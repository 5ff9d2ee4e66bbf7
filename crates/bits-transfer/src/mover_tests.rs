//! Connections that jobs have left and that say nothing any more. The clock is one that only the test
//! moves, so that it knows how long they are waited for.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::Waker;
use std::thread;
use std::time::Duration;

use bits_wire::attempt::{Fetch, Identities, Urgency, Work};
use bits_wire::certificates::Certificates;
use bits_wire::download::{Ask, Fault, Request, Target};
use bits_wire::proxy::Proxying;
use bits_world::Sid;
use bits_world::clock::VirtualClock;
use tempfile::TempDir;
use tokio::runtime::Builder;

use super::*;
use crate::link::{Aim, Counsel, Link};
use crate::parties::Parties;
use crate::spares;

/// Longer than anything here takes.
const BOUND: Duration = Duration::from_secs(20);
const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";

/// The server's end of a connection.
struct Peer {
    wire: BufReader<TcpStream>,
    /// Tells the test of every request, by its method.
    asked: Sender<String>,
}

impl Peer {
    /// Whether another request comes; it is told.
    fn is_asked(&mut self) -> Option<String> {
        let mut lines = self.wire.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty());
        let first = lines.next()?;
        lines.for_each(drop);
        let method = first.split(' ').next()?.to_owned();
        self.asked.send(method.clone()).ok()?;
        Some(method)
    }

    fn say(&mut self, bytes: &str) {
        self.wire.get_mut().write_all(bytes.as_bytes()).unwrap();
    }

    /// Serves a file of four bytes to so many requests.
    fn serve(&mut self, requests: usize) {
        for _ in 0..requests {
            let Some(method) = self.is_asked() else { return };
            self.say(HEAD);
            if method == "GET" {
                self.say("file");
            }
        }
    }
}

/// A server whose connections follow `script`, each by its number; and what it is asked.
fn server(script: impl Fn(usize, Peer) + Send + Sync + 'static) -> (Target, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/file", listener.local_addr().unwrap());
    let (asked, requests) = channel();
    let script = Arc::new(script);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let (script, asked) = (Arc::clone(&script), asked.clone());
            let wire = BufReader::new(stream.unwrap());
            thread::spawn(move || script(number, Peer { wire, asked }));
        }
    });
    (Target::parse(&url).unwrap(), requests)
}

/// A mover that keeps connections although its clock is virtual.
fn mover(clock: &Arc<VirtualClock>) -> HttpMover {
    let decisions = Decisions::default();
    let mut mover = HttpMover::new(Clock::Virtual(Arc::clone(clock)), "7.8", &decisions, &[]).unwrap();
    Arc::get_mut(&mut mover.shared).unwrap().network.spares = Some(Spares::new(&decisions));
    mover
}

/// Starts the job of this number, which has one file; returns its end once there is one.
fn start(mover: &HttpMover, number: u64, url: &Target, folder: &TempDir) -> Receiver<AttemptEnd> {
    let plan = AttemptPlan {
        attempt: AttemptId(number),
        chain: ChainId(0),
        work: Work::Download,
        url: url.to_string(),
        local: folder.path().join(number.to_string()),
        limit: None,
        custom_headers: None,
        logins: Arc::default(),
        certificates: Certificates::default(),
        vetting: Vetting::Unwanted,
        identities: Identities { local: Sid::of_account(1), network: Sid::of_account(1) },
        fetch: Fetch::default(),
        proxying: Proxying::default(),
        urgency: Urgency::Foreground,
        known: None,
    };
    let (tell, end) = channel();
    let (tell, shared) = (Mutex::new(tell), Arc::downgrade(&mover.shared));
    let reports: Reports = Arc::new(move |attempt, report| match report {
        AttemptReport::Connected { .. } => {
            shared.upgrade().unwrap().signal(attempt, |signals| signals.proceeds += 1);
        }
        AttemptReport::Ended(end) => tell.lock().unwrap().send(end).unwrap(),
        _ => {}
    });
    mover.start(plan, reports);
    end
}

#[test]
fn a_connection_that_was_left_and_says_nothing_is_replaced_within_moments() {
    let (url, requests) = server(|number, mut peer| match number {
        0 => {
            peer.serve(2);
            // The path dies; the client learns nothing of it.
            while peer.is_asked().is_some() {}
        }
        _ => peer.serve(2),
    });
    let (clock, folder) = (VirtualClock::new(), tempfile::tempdir().unwrap());
    let mover = mover(&clock);
    let asked = || requests.recv_timeout(BOUND).unwrap();
    let first = start(&mover, 1, &url, &folder);
    assert_eq!(first.recv_timeout(BOUND), Ok(AttemptEnd::Done));
    assert_eq!([asked(), asked()], ["HEAD", "GET"]);
    mover.release(ChainId(0));

    let second = start(&mover, 2, &url, &folder);
    assert_eq!(asked(), "HEAD");
    clock.skip(spares::SILENCE);

    assert_eq!(second.recv_timeout(BOUND), Ok(AttemptEnd::Done));
    assert_eq!([asked(), asked()], ["HEAD", "GET"]);
    assert_eq!(fs::read(folder.path().join("2")).unwrap(), b"file");
}

/// What becomes of HEAD on a connection that `taken` gives, when the server has told `part` of its answer
/// and time has passed.
fn asked_on(taken: impl FnOnce(Link) -> Link, part: &'static str, passes: Duration) -> Option<(Fault, bool)> {
    let (url, _requests) = server(move |_, mut peer| {
        peer.serve(1);
        let _ = peer.is_asked();
        peer.say(part);
        let _ = peer.is_asked();
    });
    let clock = VirtualClock::new();
    let mover = mover(&clock);
    let network = &mover.shared.network;
    let aim = Aim::straight_to(url.origin());
    let request = Request::new(&Ask::Size, &url, "7.8");
    Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let parties = Parties::new(&aim, network.manner);
        let link = Link::open(network, &aim, parties, &Counsel::default(), |_| (), &|_, _| ()).await;
        let mut link = link.unwrap();
        link.ask(network, &request, &url).await.unwrap();
        let mut link = taken(link);
        let (meter, before) = (Arc::clone(link.meter()), link.meter().read());
        let mut answer = Box::pin(link.ask(network, &request, &url));
        let come = poll_fn(|cx| match answer.as_mut().poll(cx) {
            Poll::Pending if meter.read() == before + part.len() as u64 => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
            Poll::Ready(_) => panic!("nothing is to end before time has passed"),
        });
        tokio::time::timeout(BOUND, come).await.unwrap();
        clock.skip(passes);
        match answer.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop())) {
            Poll::Pending => None,
            Poll::Ready(answer) => answer.err().map(|none| (none.fault, none.repeatable)),
        }
    })
}

#[test]
fn only_a_connection_of_somebody_else_is_given_up_for_moments_of_silence() {
    assert_eq!(asked_on(Link::handed_over, "", spares::SILENCE), Some((Fault::Timeout, true)));
    assert_eq!(asked_on(|own| own, "", spares::SILENCE), None);
}

#[test]
fn a_left_connection_on_which_an_answer_has_begun_is_waited_for_like_any_other() {
    let (begun, stall) = ("HTTP/1.1 102 Processing\r\n\r\n", Decisions::default().stall_timeout());

    assert_eq!(asked_on(Link::handed_over, begun, spares::SILENCE), None);
    assert_eq!(asked_on(Link::handed_over, begun, stall), Some((Fault::Timeout, false)));
}
