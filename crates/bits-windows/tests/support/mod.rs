//! What the tests on the BITS of this machine share: jobs that clean up after themselves, and a server.
#![allow(dead_code, reason = "no test needs all of it")]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bits_api::{Guid, Job, JobState, JobType, Manager};

pub(crate) const NAME: &str = "bits-windows test";

/// How long to wait for what has to come. Nothing is asserted about the time that it takes.
pub(crate) const BOUND: Duration = Duration::from_mins(1);

pub(crate) fn manager() -> Arc<dyn Manager> {
    bits_windows::connect().expect("BITS is there").manager
}

/// A job that is gone when the test has ended, and its files with it.
pub(crate) struct OwnJob {
    pub(crate) job: Arc<dyn Job>,
    pub(crate) id: Guid,
    file: PathBuf,
}

impl OwnJob {
    pub(crate) fn new(manager: &Arc<dyn Manager>) -> Self {
        static FILES: AtomicU32 = AtomicU32::new(0);
        let created = manager.create_job(Some(NAME), JobType::DOWNLOAD).expect("a job");
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let file = std::env::temp_dir().join(format!("bits-windows-{}-{number}", std::process::id()));
        Self { job: created.job, id: created.id, file }
    }

    /// A job that is about to fetch a file from there.
    pub(crate) fn of(manager: &Arc<dyn Manager>, url: &str) -> Self {
        let own = Self::new(manager);
        own.job.add_file(Some(url), Some(own.path())).expect("a file");
        own
    }

    pub(crate) fn path(&self) -> &str {
        self.file.to_str().expect("a path in Unicode")
    }

    /// Waits until the job is in this state.
    pub(crate) fn wait_for(&self, state: JobState) {
        let end = Instant::now() + BOUND;
        while self.job.state() != Ok(state) {
            assert!(Instant::now() < end, "the job is {:?}, not {state}", self.job.state());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for OwnJob {
    fn drop(&mut self) {
        // Both may be gone: a test may have ended the job, and not every job gets as far as a file.
        _ = self.job.cancel();
        _ = std::fs::remove_file(&self.file);
    }
}

const MISSING: &str = "/missing";

/// A server of this machine that has one small file.
pub(crate) struct Server {
    address: SocketAddr,
    is_closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let (address, is_closing) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let closing = Arc::clone(&is_closing);
        let thread = thread::spawn(move || {
            for client in listener.incoming().take_while(|_| !closing.load(Ordering::Acquire)) {
                // A client that goes away is no matter of the server's.
                _ = client.and_then(|client| answer(&client));
            }
        });
        Self { address, is_closing, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/file", self.address)
    }

    /// Where there is no file.
    pub(crate) fn missing(&self) -> String {
        format!("http://{}{MISSING}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.is_closing.store(true, Ordering::Release);
        // The one that wakes the thread, so that it sees.
        _ = TcpStream::connect(self.address);
        _ = self.thread.take().map(JoinHandle::join);
    }
}

/// One request, one answer with validators and a length, as BITS wants it.
fn answer(mut client: &TcpStream) -> std::io::Result<()> {
    client.set_read_timeout(Some(BOUND))?;
    let mut head = BufReader::new(client).lines().map_while(Result::ok);
    let request = head.next().unwrap_or_default();
    head.take_while(|line| !line.is_empty()).for_each(drop);
    let status = if request.contains(MISSING) { "404 Not Found" } else { "200 OK" };
    let body = if request.starts_with("HEAD") { "" } else { "hello" };
    write!(
        client,
        "HTTP/1.1 {status}\r\nContent-Length: 5\r\nAccept-Ranges: bytes\r\nETag: \"1\"\r\n\
         Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\nConnection: close\r\n\r\n{body}"
    )
}
