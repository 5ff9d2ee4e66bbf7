//! Origins on a virtual clock: what is parked, and what takes time.

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bits_origin::{Content, GateAt, Origin, Outcome, Script};
use bits_world::clock::{Clock, Ends, Monotonic, Participant, VirtualClock};

use crate::client::{Client, SOON};

const LENGTH: u64 = 1_000_000;
const OVERHEAD: u64 = 2000;

/// A client that reads whatever comes and is otherwise as an emulator: it has settled when it has
/// read everything and the origin holds its request.
struct Attempt {
    clock: Arc<VirtualClock>,
    ends: Ends,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    read: u64,
    ended: bool,
}

impl Participant for Attempt {
    fn next_deadline(&self) -> Option<Monotonic> {
        None
    }

    fn tick(&self) {}

    fn running(&self) -> Option<String> {
        let progress = self.progress.lock().unwrap();
        let settled = progress.ended || self.clock.is_parked(self.ends, progress.read);
        (!settled).then(|| format!("reading, {} bytes so far", progress.read))
    }

    fn explain(&self) -> String {
        "a client that reads".into()
    }
}

struct Running {
    attempt: Arc<Attempt>,
    thread: JoinHandle<()>,
}

impl Running {
    fn start(clock: &Arc<VirtualClock>, mut client: Client) -> Self {
        client.send("GET /a HTTP/1.1\r\nConnection: close");
        let mut tcp = client.raw();
        let attempt = Arc::new(Attempt {
            clock: Arc::clone(clock),
            ends: client.ends(),
            progress: Mutex::new(Progress { read: client.raw_read(), ended: false }),
        });
        clock.join(Arc::downgrade(&attempt) as _);
        let shared = Arc::clone(&attempt);
        let thread = std::thread::spawn(move || {
            let mut chunk = [0; 8192];
            while let Ok(count @ 1..) = tcp.read(&mut chunk) {
                shared.progress.lock().unwrap().read += count as u64;
                shared.clock.changed();
            }
            shared.progress.lock().unwrap().ended = true;
            shared.clock.changed();
        });
        Self { attempt, thread }
    }

    fn read(&self) -> u64 {
        self.attempt.progress.lock().unwrap().read
    }

    fn ended(&self) -> bool {
        self.attempt.progress.lock().unwrap().ended
    }
}

fn origin(clock: &Arc<VirtualClock>) -> Origin {
    let origin = Origin::start(Clock::Virtual(Arc::clone(clock))).unwrap();
    origin.put("/a", Content::synthetic(LENGTH, 1));
    origin
}

#[test]
fn a_client_at_a_gate_is_parked_once_it_has_read_all_that_was_sent() {
    for tls in [false, true] {
        let clock = VirtualClock::new();
        let origin = origin(&clock);
        let gate = origin.gate("/a", GateAt::Byte(700_000));
        let client = if tls { Client::connect_tls(&origin, "localhost") } else { Client::connect(&origin) };
        let running = Running::start(&clock, client);

        clock.settle().unwrap();
        let held = gate.wait_reached(Duration::ZERO).unwrap();
        assert_eq!(held.outcome, Outcome::Held(GateAt::Byte(700_000)));
        assert!((700_000..700_000 + OVERHEAD + 700_000 / 100).contains(&running.read()), "{}", running.read());
        assert!(!running.ended());

        gate.open();
        clock.settle().unwrap();
        assert!(running.ended());
        running.thread.join().unwrap();
        origin.journal().statuses([200]);
        assert_eq!(origin.journal().body_bytes_sent(), LENGTH);
        assert_eq!(clock.now().monotonic, Monotonic::default(), "settling moves no time");
    }
}

#[test]
fn a_client_of_a_proxy_is_parked_when_the_server_behind_holds_it() {
    let clock = VirtualClock::new();
    let server = origin(&clock);
    let proxy = Origin::start(Clock::Virtual(Arc::clone(&clock))).unwrap();
    proxy.reach("files.example:80", server.address());
    let gate = server.gate("/a", GateAt::Byte(700_000));
    let mut client = Client::connect(&proxy);
    client.send("CONNECT files.example:80 HTTP/1.1").answer_head();
    let running = Running::start(&clock, client);

    clock.settle().unwrap();
    assert_eq!(gate.wait_reached(Duration::ZERO).unwrap().outcome, Outcome::Held(GateAt::Byte(700_000)));
    assert!((700_000..700_000 + OVERHEAD).contains(&running.read()), "{}", running.read());
    gate.open();
    clock.settle().unwrap();

    assert!(running.ended());
    running.thread.join().unwrap();
    assert_eq!(proxy.journal().nth(0).outcome, Outcome::Finished);
}

#[test]
fn a_delay_takes_exactly_its_virtual_time() {
    let clock = VirtualClock::new();
    let origin = origin(&clock);
    origin.script(Script::parse("delay", "/a: delay 10 min").unwrap());
    let running = Running::start(&clock, Client::connect(&origin));
    clock.settle().unwrap();
    clock.advance(Duration::from_millis(599_999)).unwrap();
    assert_eq!((running.read(), origin.journal().nth(0).status), (0, None));
    clock.advance(Duration::from_millis(1)).unwrap();
    assert!(running.ended());
    assert_eq!(origin.journal().nth(0).outcome, Outcome::Finished);
}

#[test]
fn a_slow_answer_keeps_to_its_rate() {
    let clock = VirtualClock::new();
    let origin = origin(&clock);
    origin.script(Script::parse("slow", "/a: slow 1000 bytes/s").unwrap());
    let running = Running::start(&clock, Client::connect(&origin));
    clock.settle().unwrap();
    clock.advance(Duration::from_mins(1)).unwrap();
    let sent = origin.journal().body_bytes_sent();
    assert_eq!(sent, 60_250, "a quarter of a second's worth goes ahead");
    assert!(running.read() > sent);
    assert!(clock.run_until(|| running.ended(), Duration::from_secs(1000)).unwrap());
    assert_eq!(clock.now().monotonic, Monotonic(Duration::from_millis(999_750)));
}

#[test]
fn a_play_drips_waits_and_hangs_in_virtual_time() {
    let clock = VirtualClock::new();
    let origin = origin(&clock);
    origin.script(Script::parse("play", "/a: play drip \"abc\" every 1 min then wait 1 h then hang").unwrap());
    let running = Running::start(&clock, Client::connect(&origin));
    clock.settle().unwrap();
    let mut read = Vec::new();
    for _ in 0..3 {
        read.push(running.read());
        clock.advance(Duration::from_mins(1)).unwrap();
    }
    assert_eq!((read, running.read()), (vec![0, 1, 2], 3));
    clock.advance(Duration::from_hours(24)).unwrap();
    assert_eq!((running.read(), running.ended()), (3, false));
}

#[test]
fn a_client_that_leaves_during_a_delay_is_noticed() {
    let clock = VirtualClock::new();
    let origin = origin(&clock);
    origin.script(Script::parse("delay", "/a: delay 10 h").unwrap());
    let mut client = Client::connect(&origin);
    client.send("GET /a HTTP/1.1");
    origin.wait_until(SOON, |journal| journal.len() == 1).unwrap();
    client.vanish();
    origin.wait_until(SOON, |journal| matches!(journal.nth(0).outcome, Outcome::Cut(_))).unwrap();
}

#[test]
fn the_date_is_that_of_the_virtual_wall() {
    let clock = VirtualClock::new();
    let origin = origin(&clock);
    clock.advance(Duration::from_hours(24)).unwrap();
    assert_eq!(Client::connect(&origin).head("/a").header("date"), Some("Fri, 02 Jan 2026 00:00:00 GMT"));
    assert_eq!(origin.journal().nth(0).at.monotonic, Monotonic(Duration::from_hours(24)));
}
