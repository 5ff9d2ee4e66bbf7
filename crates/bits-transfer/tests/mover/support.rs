//! A server whose bytes a test writes itself, and attempts against it.

use std::fs;
use std::io::{BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bits_api::Hresult;
use bits_transfer::HttpMover;
use bits_wire::attempt::{
    AttemptEnd, AttemptId, AttemptPlan, AttemptReport, ChainId, Failure, Fetch, Identities, Mover, ResponseHead,
    Urgency, Validators, Vetting, Work,
};
use bits_wire::certificates::Certificates;
use bits_wire::download::CertificateFaults;
use bits_wire::proxy::Proxying;
use bits_world::clock::{Clock, Ends};
use bits_world::{Decisions, Sid};
use tempfile::TempDir;

/// How long a test waits before it calls a hang a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Last-Modified of what [`Peer::serve`] serves.
pub(crate) const STAMP: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// Bytes that differ at every place.
pub(crate) fn content(length: usize) -> Vec<u8> {
    (0..length).map(|n| u8::try_from((n * 31 + n / 251) % 256).unwrap()).collect()
}

/// Anything that bytes go through.
pub(crate) trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// The server's end of one connection.
pub(crate) struct Peer {
    /// Which connection, from 0.
    pub(crate) number: usize,
    /// The client's address.
    pub(crate) ends: Ends,
    wire: BufReader<Box<dyn Wire>>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Peer {
    /// The next request, or `None` when the client closes.
    pub(crate) fn request(&mut self) -> Option<String> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            if self.wire.read(&mut byte).ok()? == 0 {
                return None;
            }
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        self.seen.lock().unwrap().push(head.clone());
        Some(head)
    }

    /// Waits for one byte.
    pub(crate) fn byte(&mut self) {
        let _ = self.wire.read(&mut [0]);
    }

    /// Sends bytes as they are; a client that has gone is no error.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let wire = self.wire.get_mut();
        wire.write_all(bytes.as_ref()).and_then(|()| wire.flush()).is_ok()
    }

    /// Waits until the client closes.
    pub(crate) fn wait_for_close(&mut self) {
        let mut rest = Vec::new();
        let _ = self.wire.read_to_end(&mut rest);
    }

    /// Answers one request for `file` as a good server does.
    pub(crate) fn answer(&mut self, request: &str, file: &[u8]) -> bool {
        let ranges = line(request, "Range").map_or_else(Vec::new, spans);
        let (status, extra, body) = match ranges[..] {
            [] => ("200 OK", String::new(), file.to_vec()),
            [(first, last)] => {
                let range = format!("Content-Range: bytes {first}-{last}/{}\r\n", file.len());
                ("206 Partial Content", range, file[first..=last].to_vec())
            }
            _ => {
                let kind = "Content-Type: multipart/byteranges; boundary=B\r\n".to_owned();
                ("206 Partial Content", kind, multipart(file, &ranges))
            }
        };
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nLast-Modified: {STAMP}\r\n{extra}\r\n");
        self.send(head) && (request.starts_with("HEAD") || self.send(body))
    }

    /// Serves `file` as a good server does, for as long as the client asks.
    pub(crate) fn serve(mut self, file: &[u8]) {
        while let Some(request) = self.request() {
            self.answer(&request, file);
        }
    }
}

/// First and last byte of each part that a Range header asks for.
pub(crate) fn spans(range: &str) -> Vec<(usize, usize)> {
    let parts = range.strip_prefix("bytes=").unwrap().split(',').map(|part| part.split_once('-').unwrap());
    parts.map(|(first, last)| (first.parse().unwrap(), last.parse().unwrap())).collect()
}

/// These parts of `file` as a body of several parts.
pub(crate) fn multipart(file: &[u8], parts: &[(usize, usize)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (first, last) in parts {
        let range = format!("\r\n--B\r\nContent-Range: bytes {first}-{last}/{}\r\n\r\n", file.len());
        body.extend([range.as_bytes(), &file[*first..=*last]].concat());
    }
    body.extend(b"\r\n--B--\r\n");
    body
}

/// The value of a header in a request.
pub(crate) fn line<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().filter_map(|line| line.split_once(": ")).find(|(n, _)| *n == name).map(|(_, value)| value)
}

/// A server on a port of its own.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Lets `script` speak on every connection, each in its own thread.
    pub(crate) fn start(script: impl Fn(Peer) + Send + Sync + 'static) -> Self {
        Self::wrapped(|stream| Some(Box::new(stream)), script)
    }

    /// The same, through what `wrap` makes of a connection.
    pub(crate) fn wrapped(
        wrap: impl Fn(TcpStream) -> Option<Box<dyn Wire>> + Send + Sync + 'static,
        script: impl Fn(Peer) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let journal = Arc::clone(&seen);
        let both = Arc::new((wrap, script));
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (both, seen) = (Arc::clone(&both), Arc::clone(&journal));
                std::thread::spawn(move || {
                    let Ok(stream) = stream else { return };
                    let ends = Ends { client: stream.peer_addr().unwrap(), server: address };
                    if let Some(wire) = both.0(stream) {
                        both.1(Peer { number, ends, wire: BufReader::new(wire), seen });
                    }
                });
            }
        });
        Self { address, seen }
    }

    /// A good server of one file.
    pub(crate) fn of(file: Vec<u8>) -> Self {
        Self::start(move |peer| peer.serve(&file))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests so far, as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// The first lines of all requests so far, without the version.
    pub(crate) fn asked(&self) -> Vec<String> {
        let first = |request: &String| request.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
        self.requests().iter().map(first).collect()
    }
}

/// A mover with a folder to write to.
pub(crate) struct Mill {
    pub(crate) mover: HttpMover,
    pub(crate) folder: TempDir,
    next: AtomicU64,
}

/// An attempt under way.
pub(crate) struct Running<'a> {
    mill: &'a Mill,
    pub(crate) id: AttemptId,
    pub(crate) temporary: PathBuf,
    reports: Receiver<AttemptReport>,
    heads: Arc<Mutex<Vec<ResponseHead>>>,
    seen: Vec<AttemptReport>,
}

/// An attempt that is over.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) end: AttemptEnd,
    /// All but the heads of answers.
    pub(crate) reports: Vec<AttemptReport>,
    pub(crate) heads: Vec<ResponseHead>,
    pub(crate) bytes: Option<Vec<u8>>,
}

impl Mill {
    pub(crate) fn new() -> Self {
        Self::with(Clock::system(), &[])
    }

    pub(crate) fn with(clock: Clock, trusted: &[String]) -> Self {
        Self::of(clock, &Decisions::default(), trusted)
    }

    /// A mill with another choice where the documentation is silent.
    pub(crate) fn deciding(id: &str, value: &str) -> Self {
        let mut decisions = Decisions::default();
        decisions.set(id, value).unwrap();
        Self::of(Clock::system(), &decisions, &[])
    }

    fn of(clock: Clock, decisions: &Decisions, trusted: &[String]) -> Self {
        let mover = HttpMover::new(clock, "7.8", decisions, trusted).unwrap();
        Self { mover, folder: tempfile::tempdir().unwrap(), next: AtomicU64::new(1) }
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.folder.path().join("BIT1.tmp")
    }

    /// A plan for a new foreground file.
    pub(crate) fn plan(&self, url: &str) -> AttemptPlan {
        AttemptPlan {
            limit: None,
            custom_headers: None,
            logins: Arc::default(),
            certificates: Certificates::default(),
            vetting: Vetting::Unwanted,
            attempt: AttemptId(self.next.fetch_add(1, Ordering::SeqCst)),
            chain: ChainId(1),
            work: Work::Download,
            url: url.to_owned(),
            local: self.temporary(),
            identities: Identities { local: Sid::of_account(1), network: Sid::of_account(1) },
            fetch: Fetch::default(),
            proxying: Proxying::default(),
            urgency: Urgency::Foreground,
            known: None,
        }
    }

    /// A plan that goes on with what the temporary file holds.
    pub(crate) fn resume(&self, url: &str, held: &[u8], known: Validators) -> AttemptPlan {
        fs::write(self.temporary(), held).unwrap();
        AttemptPlan { known: Some(known), ..self.plan(url) }
    }

    pub(crate) fn start(&self, plan: AttemptPlan) -> Running<'_> {
        let (sender, reports): (Sender<AttemptReport>, _) = channel();
        let sender = Mutex::new(sender);
        let (id, temporary) = (plan.attempt, plan.local.clone());
        let heads: Arc<Mutex<Vec<ResponseHead>>> = Arc::default();
        let told = Arc::clone(&heads);
        self.mover.start(
            plan,
            Arc::new(move |_, report| match report {
                AttemptReport::Answered(head) => told.lock().unwrap().push(head),
                report => _ = sender.lock().unwrap().send(report),
            }),
        );
        Running { mill: self, id, temporary, reports, heads, seen: Vec::new() }
    }

    /// Carries a plan out, with every record made at once.
    pub(crate) fn run(&self, plan: AttemptPlan) -> Outcome {
        self.start(plan).end()
    }

    /// Fetches a new file; one that is done gives its temporary name back.
    pub(crate) fn get(&self, url: &str) -> Outcome {
        self.get_excusing(url, CertificateFaults::empty())
    }

    /// The same for a job that takes no offence at these faults of a certificate.
    pub(crate) fn get_excusing(&self, url: &str, excused: CertificateFaults) -> Outcome {
        let outcome = self
            .run(AttemptPlan { certificates: Certificates { excused, ..Certificates::default() }, ..self.plan(url) });
        if outcome.end == AttemptEnd::Done {
            fs::remove_file(self.temporary()).unwrap();
        }
        outcome
    }
}

impl Running<'_> {
    /// The next report.
    pub(crate) fn report(&mut self) -> AttemptReport {
        let report = self.reports.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            panic!("attempt {:?} hangs; reported so far: {:?}; {:?}", self.id, self.seen, self.mill.mover.running())
        });
        self.seen.push(report.clone());
        report
    }

    /// The reports that have come and were not taken yet.
    pub(crate) fn pending(&mut self) -> Vec<AttemptReport> {
        let reports: Vec<AttemptReport> = self.reports.try_iter().collect();
        self.seen.extend(reports.iter().cloned());
        reports
    }

    /// What else is told until nobody is left who could tell anything.
    pub(crate) fn last_words(&mut self) -> Vec<AttemptReport> {
        let mut reports = Vec::new();
        loop {
            match self.reports.recv_timeout(PATIENCE) {
                Ok(report) => reports.push(report),
                Err(RecvTimeoutError::Disconnected) => return reports,
                Err(RecvTimeoutError::Timeout) => panic!("attempt {:?} does not end: {reports:?}", self.id),
            }
        }
    }

    pub(crate) fn proceed(&self) {
        self.mill.mover.proceed(self.id);
    }

    pub(crate) fn stop(&self) {
        self.mill.mover.stop(self.id);
    }

    /// Takes reports up to, and with, the one that `found` tells.
    pub(crate) fn until(&mut self, found: impl Fn(&AttemptReport) -> bool) -> AttemptReport {
        loop {
            let report = self.report();
            if matches!(report, AttemptReport::Connected { .. }) {
                self.proceed();
            }
            if found(&report) {
                return report;
            }
            assert!(!matches!(report, AttemptReport::Ended(_)), "ended too early: {:?}", self.seen);
        }
    }

    /// Goes on to the end.
    pub(crate) fn end(mut self) -> Outcome {
        let AttemptReport::Ended(end) = self.until(|report| matches!(report, AttemptReport::Ended(_))) else {
            unreachable!("`until` found an end")
        };
        Outcome {
            end,
            reports: self.seen,
            heads: self.heads.lock().unwrap().clone(),
            bytes: fs::read(&self.temporary).ok(),
        }
    }
}

impl Outcome {
    /// The failure with which it ended.
    pub(crate) fn failure(&self) -> Failure {
        match self.end {
            AttemptEnd::Failed(failure) => failure,
            _ => panic!("it did not fail: {:?}", self.reports),
        }
    }

    pub(crate) fn code(&self) -> Hresult {
        self.failure().code
    }

    /// What `Connected` told, each time.
    pub(crate) fn connections(&self) -> Vec<(Validators, u64)> {
        let connected = |report: &AttemptReport| match report {
            AttemptReport::Connected { validators, have } => Some((*validators, *have)),
            _ => None,
        };
        self.reports.iter().filter_map(connected).collect()
    }

    /// What `Progress` told.
    pub(crate) fn progress(&self) -> Vec<u64> {
        let progress = |report: &AttemptReport| match report {
            AttemptReport::Progress { have } => Some(*have),
            _ => None,
        };
        self.reports.iter().filter_map(progress).collect()
    }
}
