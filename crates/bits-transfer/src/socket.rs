//! The bytes of one connection: counted, and bounded until the head of an answer is complete.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use bits_world::clock::{Clock, Ends};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

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

    /// From now on the head of an answer is awaited.
    pub(crate) fn expect_head(&self) {
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

    /// Takes `bytes` off what may come before the head is complete.
    fn spend(&self, bytes: usize) {
        let budget = self.head_budget.load(Ordering::Relaxed);
        if budget != Self::UNBOUNDED {
            self.head_budget.store(budget.saturating_sub(bytes as u64), Ordering::Relaxed);
        }
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
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
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

/// What HTTP is spoken over.
pub(crate) struct Stream {
    pub(crate) layer: Layer,
    pub(crate) meter: Arc<Meter>,
}

/// In the clear, or under TLS.
pub(crate) enum Layer {
    Plain(Metered),
    Tls(Box<TlsStream<Metered>>),
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
        self.meter.spend(buf.filled().len() - before);
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
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.layer {
            Layer::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Layer::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
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
