//! Whole exchanges: bytes on real connections of loopback, up to the end of an attempt.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bits_api::{Hresult, ProxySettings, ProxyUsage, SIZE_UNKNOWN};
use bits_transfer::HttpMover;
use bits_wire::attempt::{AttemptEnd, AttemptId, AttemptReport, Mover};
use bits_wire::download::{Follow, RedirectPolicy};
use bits_wire::proxy::Proxying;
use bits_world::clock::Clock;
use bits_world::{Decisions, Proxies, Sid};
use tempfile::TempDir;

use super::{first_line, plan};

/// Between what is said on one connection and on the next.
const SEPARATOR: u8 = 0x1e;

/// A mover, and a server that says on each connection what the input has for it, and closes.
struct Bench {
    mover: HttpMover,
    folder: TempDir,
    server: SocketAddr,
    answers: Sender<Vec<Vec<u8>>>,
    attempts: u64,
}

/// The letters of a plan in the first line, `t` for TLS and `x` for a proxy; then what the server
/// says on each connection, a byte 30 between them. No redirect is followed: it could lead anywhere.
///
/// # Panics
/// When the attempt panics, ends without a code, hangs, or is done with another file than it was
/// told of.
pub fn exchanges(data: &[u8]) {
    static BENCH: OnceLock<Mutex<Bench>> = OnceLock::new();
    let mut bench = BENCH.get_or_init(|| Mutex::new(Bench::open())).lock().unwrap_or_else(PoisonError::into_inner);
    let (letters, rest) = first_line(data);
    bench.answers.send(rest.split(|byte| *byte == SEPARATOR).map(<[u8]>::to_vec).collect()).expect("the server");

    let scheme = if letters.contains(&b't') { "https" } else { "http" };
    let local = bench.folder.path().join("BIT1.tmp");
    let mut plan = plan(letters, &format!("{scheme}://{}/file", bench.server), local.clone());
    bench.attempts += 1;
    plan.attempt = AttemptId(bench.attempts);
    // There is nothing of it yet.
    plan.known = None;
    plan.fetch.redirects = RedirectPolicy { follow: Follow::Never, to_plain: false };
    if letters.contains(&b'x') {
        plan.proxying = bench.through_itself();
    }
    let (attempt, chain, layout) = (plan.attempt, plan.chain, plan.fetch.layout.clone());
    let (sender, reports) = channel();
    let sender = Mutex::new(sender);
    let tell = move |_, report| _ = sender.lock().unwrap_or_else(PoisonError::into_inner).send(report);
    bench.mover.start(plan, Arc::new(tell));
    let mut size = None;
    loop {
        match reports.recv_timeout(Duration::from_secs(20)).expect("the attempt hangs") {
            AttemptReport::Connected { validators, .. } => {
                size = Some(validators.size);
                bench.mover.proceed(attempt);
            }
            AttemptReport::Ended(AttemptEnd::Failed(failure)) => {
                assert!(failure.code.is_failure() && failure.code != Hresult::E_UNEXPECTED, "{failure:?}");
                break;
            }
            AttemptReport::Ended(AttemptEnd::Done) if layout.is_sequential() => {
                let there = std::fs::metadata(&local).expect("the file of an attempt that is done").len();
                let told = size.filter(|size| *size != SIZE_UNKNOWN).and_then(|size| layout.total(size));
                assert_eq!(told, Some(there));
                break;
            }
            AttemptReport::Ended(_) => break,
            _ => {}
        }
    }
    bench.mover.release(chain);
    let _ = std::fs::remove_file(local);
}

impl Bench {
    fn open() -> Self {
        let mover = HttpMover::new(Clock::system(), "7.8", &Decisions::default(), &[]).expect("a mover");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = listener.local_addr().expect("a bound port");
        let (answers, inputs) = channel();
        std::thread::spawn(move || serve(&listener, &inputs));
        Self { mover, folder: tempfile::tempdir().expect("a folder"), server, answers, attempts: 0 }
    }

    fn through_itself(&self) -> Proxying {
        let list = Some(self.server.to_string());
        let settings = ProxySettings { usage: ProxyUsage::OVERRIDE, list, bypass_list: None };
        let proxying = Proxying::of_job(&settings, &Proxies::default(), &Sid::of_account(1), &Decisions::default());
        proxying.expect("a list of one proxy")
    }
}

/// Says on each connection what is next; without anything left, it closes at once.
fn serve(listener: &TcpListener, inputs: &Receiver<Vec<Vec<u8>>>) {
    let mut left = Vec::new().into_iter();
    for stream in listener.incoming() {
        if let Some(input) = inputs.try_iter().last() {
            left = input.into_iter();
        }
        if let (Ok(stream), Some(answer)) = (stream, left.next()) {
            say(stream, &answer);
        }
    }
}

/// Waits for the client to speak, says all, and closes when the client has heard it or has gone.
fn say(mut stream: TcpStream, answer: &[u8]) {
    let mut scratch = [0; 4096];
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let has_spoken = matches!(stream.read(&mut scratch), Ok(1..));
    if has_spoken && stream.write_all(answer).is_ok() && stream.shutdown(Shutdown::Write).is_ok() {
        while matches!(stream.read(&mut scratch), Ok(1..)) {}
    }
}
