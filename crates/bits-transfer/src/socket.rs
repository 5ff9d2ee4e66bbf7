//! The bytes of one connection: counted, and bounded until the head of an answer is complete.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bits_wire::attempt::ResponseHead;
use bits_world::clock::{Clock, Ends};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::heads::{Tape, respell};
use crate::vetted::Held;
use crate::watchdog::Pulse;

/// What is known of a connection from outside.
#[derive(Debug)]
pub(crate) struct Meter {
    /// Our end.
    pub(crate) ends: Ends,
    /// When something last moved.
    pub(crate) pulse: Pulse,
    clock: Clock,
    read: AtomicU64,
    write_blocked: AtomicBool,
    /// Bytes, decrypted, that may still come before the head of the answer is complete.
    head_budget: AtomicU64,
    /// So many bytes, decrypted, are taken at once.
    most_at_once: AtomicUsize,
    /// The heads of the exchange that awaits one.
    heads: Mutex<Heads>,
}

/// What is known of the heads of one exchange.
#[derive(Debug, Default)]
struct Heads {
    /// The names in the request that have a spelling of their own, until it is sent.
    spelled: Option<Arc<[Box<str>]>>,
    answer: Tape,
}

impl Meter {
    /// How many bytes may come until a head is complete, heads of 1xx answers included. WinHTTP's
    /// own bound.
    pub(crate) const HEAD_LIMIT: u64 = 64 * 1024;
    const UNBOUNDED: u64 = u64::MAX;

    pub(crate) fn new(ends: Ends, clock: Clock) -> Arc<Self> {
        Arc::new(Self {
            ends,
            pulse: Pulse::new(&clock),
            clock,
            read: AtomicU64::new(0),
            write_blocked: AtomicBool::new(false),
            head_budget: AtomicU64::new(Self::UNBOUNDED),
            most_at_once: AtomicUsize::new(usize::MAX),
            heads: Mutex::default(),
        })
    }

    /// Bytes read from the socket since the connection was made.
    pub(crate) fn read(&self) -> u64 {
        self.read.load(Ordering::SeqCst)
    }

    /// Whether the last write is waiting for the other end.
    pub(crate) fn is_write_blocked(&self) -> bool {
        self.write_blocked.load(Ordering::SeqCst)
    }

    /// From now on the head of an answer is awaited, to a request with names that are `spelled` so.
    pub(crate) fn expect_head(&self, spelled: &Arc<[Box<str>]>) {
        let spelled = (!spelled.is_empty()).then(|| Arc::clone(spelled));
        *self.heads() = Heads { spelled, answer: Tape::default() };
        self.head_budget.store(Self::HEAD_LIMIT, Ordering::Relaxed);
    }

    /// Whether nothing has come since [`Meter::expect_head`].
    pub(crate) fn is_silent(&self) -> bool {
        self.head_budget.load(Ordering::Relaxed) == Self::HEAD_LIMIT
    }

    /// The head is complete: the rest is body.
    pub(crate) fn head_done(&self) {
        self.head_budget.store(Self::UNBOUNDED, Ordering::Relaxed);
    }

    /// From now on at most so many bytes are taken at once: the rest waits with the server.
    pub(crate) fn read_at_most(&self, bytes: usize) {
        self.most_at_once.store(bytes, Ordering::Relaxed);
    }

    /// The head of the last answer, as it came: told once.
    pub(crate) fn take_head(&self) -> ResponseHead {
        std::mem::take(&mut self.heads().answer).text()
    }

    /// Takes `bytes` off what may come before the head is complete, and writes them down; once it
    /// is, nothing is looked at.
    fn spend(&self, bytes: &[u8]) {
        let budget = self.head_budget.load(Ordering::Relaxed);
        if budget == Self::UNBOUNDED {
            return;
        }
        self.heads().answer.take_in(bytes);
        self.head_budget.store(budget.saturating_sub(bytes.len() as u64), Ordering::Relaxed);
    }

    /// What goes out in place of `bytes`, where they are a head with names of another spelling.
    fn respelled(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        // Between the head and the next one there is nothing to look at.
        if self.head_budget.load(Ordering::Relaxed) == Self::UNBOUNDED {
            return None;
        }
        let spelled = self.heads().spelled.clone()?;
        let mut head = bytes.to_vec();
        respell(&mut head, &spelled);
        Some(head)
    }

    /// So much of a head of `length` bytes has gone out.
    fn sent(&self, count: usize, length: usize) {
        if count == length {
            self.heads().spelled = None;
        }
    }

    fn heads(&self) -> MutexGuard<'_, Heads> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The head of an answer is too long.
#[derive(Debug)]
pub(crate) struct EndlessHead;

impl std::fmt::Display for EndlessHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the head of the answer exceeds {} bytes", Meter::HEAD_LIMIT)
    }
}

impl std::error::Error for EndlessHead {}

/// A TCP connection whose bytes are counted.
#[derive(Debug)]
pub(crate) struct Metered {
    stream: TcpStream,
    meter: Arc<Meter>,
}

impl Metered {
    pub(crate) fn new(stream: TcpStream, meter: Arc<Meter>) -> Self {
        Self { stream, meter }
    }

    fn note_write(&self, polled: &Poll<io::Result<usize>>) {
        self.meter.write_blocked.store(polled.is_pending(), Ordering::SeqCst);
        if polled.is_ready() {
            self.meter.pulse.beat(&self.meter.clock);
        }
    }
}

impl AsyncRead for Metered {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        let count = buf.filled().len() - before;
        self.meter.read.fetch_add(count as u64, Ordering::SeqCst);
        self.meter.pulse.beat(&self.meter.clock);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = match Pin::new(&mut self.stream).poll_write(cx, buf) {
            // Why the other end listens no more is told to whoever reads: an alert, an early answer,
            // or that there is nothing.
            Poll::Ready(Err(error)) if is_closed(&error) => Poll::Ready(Ok(buf.len())),
            polled => polled,
        };
        self.note_write(&polled);
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Whether the other end has closed the connection.
fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)
}

/// What HTTP is spoken over.
pub(crate) struct Stream {
    pub(crate) layer: Layer,
    pub(crate) meter: Arc<Meter>,
}

/// In the clear, or under TLS.
pub(crate) enum Layer {
    Plain(Metered),
    Tls(Box<TlsStream<Held<Metered>>>),
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.meter.head_budget.load(Ordering::Relaxed) == 0 {
            return Poll::Ready(Err(io::Error::other(EndlessHead)));
        }
        let before = buf.filled().len();
        let most = self.meter.most_at_once.load(Ordering::Relaxed);
        if most < buf.remaining() {
            let mut part = ReadBuf::new(buf.initialize_unfilled_to(most));
            ready!(self.layer.poll_read(cx, &mut part))?;
            let count = part.filled().len();
            buf.advance(count);
        } else {
            ready!(self.layer.poll_read(cx, buf))?;
        }
        self.meter.spend(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl Layer {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Some(head) = self.meter.respelled(buf) else { return self.layer.poll_write(cx, buf) };
        let count = ready!(self.layer.poll_write(cx, &head))?;
        self.meter.sent(count, head.len());
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.layer {
            Layer::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Layer::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.layer {
            Layer::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Layer::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
