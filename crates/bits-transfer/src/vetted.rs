//! Handshakes in which an application has its say, after the system's own checks and before our
//! Finished.
//!
//! The handshake itself runs where all others do. Once the server has shown that its certificate is
//! its own, the application is asked on a thread that may block, and nothing is written until it has
//! answered: rustls goes on, and what it would send, the client's certificate and our Finished
//! first, waits in its buffer and is thrown away when the server is declined. The async thread never
//! waits for an application.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bits_wire::attempt::{Failure, PresentedServer, Vetter};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::askers;
use crate::verifier::declined;

/// The application that is not there.
#[derive(Debug)]
pub(crate) struct Nobody;

impl Vetter for Nobody {
    fn vet(&self, _server: &PresentedServer<'_>) -> Result<(), Failure> {
        Err(Failure::NO_VETTER)
    }
}

type Verdict = Result<(), Failure>;

/// Between a handshake and its application.
#[derive(Debug)]
pub(crate) struct Say {
    vetter: Arc<dyn Vetter>,
    /// Name and port of the server.
    endpoint: String,
    standing: Mutex<Standing>,
}

/// How far it has come.
#[derive(Debug)]
enum Standing {
    /// There is nothing to ask about yet.
    Early,
    /// The server has shown whose the certificate is that is still to be judged.
    Shown,
    /// These certificates have no fault; whose they are is not shown yet.
    Judged(Vec<Vec<u8>>),
    Asked(oneshot::Receiver<Verdict>),
    Answered(Verdict),
    /// Whoever was asked has ended without an answer.
    Lost,
}

impl Say {
    /// The say of whom `vetter` asks about the server at `endpoint`.
    pub(crate) fn new(vetter: Arc<dyn Vetter>, endpoint: String) -> Arc<Self> {
        Arc::new(Self { vetter, endpoint, standing: Mutex::new(Standing::Early) })
    }

    /// The system has found no fault in these certificates.
    pub(crate) fn judged(&self, chain: Vec<Vec<u8>>) {
        let mut standing = self.standing();
        *standing = match *standing {
            Standing::Shown => self.ask(chain),
            _ => Standing::Judged(chain),
        };
    }

    /// The server has shown that its certificate is its own.
    pub(crate) fn shown(&self) {
        let mut standing = self.standing();
        match &mut *standing {
            Standing::Judged(chain) => *standing = self.ask(std::mem::take(chain)),
            Standing::Early => *standing = Standing::Shown,
            _ => {}
        }
    }

    /// Asks the application, unless it has taken this server before.
    fn ask(&self, chain: Vec<Vec<u8>>) -> Standing {
        let (vetter, endpoint) = (Arc::clone(&self.vetter), self.endpoint.clone());
        let parts: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
        if vetter.has_taken(&PresentedServer { endpoint: &endpoint, chain: &parts }) {
            return Standing::Answered(Ok(()));
        }
        let (tell, answer) = oneshot::channel();
        let asked = askers::ask(Box::new(move || {
            let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
            let verdict = vetter.vet(&PresentedServer { endpoint: &endpoint, chain: &chain });
            // Nobody may wait any more.
            let _ = tell.send(verdict);
        }));
        if asked { Standing::Asked(answer) } else { Standing::Lost }
    }

    /// Waits for the answer, if the application was asked.
    fn poll_answer(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut standing = self.standing();
        if let Standing::Asked(answer) = &mut *standing {
            let Poll::Ready(told) = Pin::new(answer).poll(cx) else { return Poll::Pending };
            *standing = told.map_or(Standing::Lost, Standing::Answered);
        }
        Poll::Ready(match &*standing {
            Standing::Early | Standing::Shown | Standing::Judged(_) | Standing::Answered(Ok(())) => Ok(()),
            Standing::Answered(Err(failure)) => Err(io::Error::other(declined(*failure))),
            Standing::Asked(_) | Standing::Lost => Err(io::Error::other("the application gives no answer")),
        })
    }

    fn is_taken(&self) -> bool {
        matches!(*self.standing(), Standing::Answered(Ok(())))
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shakes hands with the server `name`, and goes on only when `say`, if there is one, takes it.
/// Whoever ceases to wait for it ends the handshake, but not the application.
pub(crate) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    config: Arc<ClientConfig>,
    say: Option<Arc<Say>>,
    name: ServerName<'static>,
    stream: S,
) -> io::Result<TlsStream<Held<S>>> {
    let held = Held { stream, say: say.clone() };
    let connected = TlsConnector::from(config).connect(name, held).await;
    let Some(say) = say else { return connected };
    // A server that was asked about and declined is that, whatever else has become of it meanwhile.
    poll_fn(|cx| say.poll_answer(cx)).await?;
    let mut stream = connected?;
    if !say.is_taken() {
        return Err(io::Error::other("the application was not asked"));
    }
    stream.get_mut().0.say = None;
    Ok(stream)
}

/// A stream to which nothing is written while an application is asked, nor after it has declined.
#[derive(Debug)]
pub(crate) struct Held<S> {
    stream: S,
    /// `None` once there is nothing more to ask.
    say: Option<Arc<Say>>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Held<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Held<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(say) = &self.say {
            ready!(say.poll_answer(cx))?;
        }
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
