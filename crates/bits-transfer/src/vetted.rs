//! Handshakes in which an application has its say, after the system's own checks and before our
//! Finished.
//!
//! The handshake itself runs where all others do. Once the server has shown that its certificate is
//! its own, the application is asked on a thread that may block, and nothing is written until it has
//! answered: rustls goes on, and what it would send, the client's certificate and our Finished
//! first, waits in its buffer and is thrown away when the server is declined. The async thread never
//! waits for an application.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bits_wire::attempt::{Failure, PresentedServer, Vetter};
use bits_wire::download::Fault;
use bits_world::clock::Clock;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::askers::{self, Asker};
use crate::turns::{Coming, Floor, Turn};
use crate::verifier::declined;
use crate::watchdog::within;

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
pub(crate) struct Say {
    vetter: Arc<dyn Vetter>,
    /// Name and port of the server.
    endpoint: String,
    turn: Arc<Turn>,
    standing: Mutex<Standing>,
}

impl fmt::Debug for Say {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Say").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// How far it has come.
enum Standing {
    /// There is nothing to ask about yet.
    Early,
    /// The server has shown whose the certificate is that is still to be judged.
    Shown,
    /// These certificates have no fault; whose they are is not shown yet. Meanwhile somebody was
    /// called who will ask.
    Judged(Vec<Vec<u8>>, Option<Asker>),
    /// The same of certificates that the application has taken before.
    Known,
    /// About these certificates, once it has answered what an earlier attempt has asked.
    Next(Vec<Vec<u8>>, Coming),
    Asked(oneshot::Receiver<Verdict>),
    Answered(Verdict),
    /// Nobody could be called to ask, or whoever asked has ended without an answer.
    Lost,
}

impl Say {
    /// The say of whom `vetter` asks about the server at `endpoint`.
    pub(crate) fn new(vetter: Arc<dyn Vetter>, endpoint: String, turn: Arc<Turn>) -> Arc<Self> {
        Arc::new(Self { vetter, endpoint, turn, standing: Mutex::new(Standing::Early) })
    }

    /// The system has found no fault in these certificates.
    pub(crate) fn judged(&self, chain: Vec<Vec<u8>>) {
        let mut standing = self.standing();
        *standing = match (&*standing, self.has_taken(&chain)) {
            (Standing::Shown, true) => Standing::Answered(Ok(())),
            (Standing::Shown, false) => self.ask(chain, None),
            (_, true) => Standing::Known,
            (_, false) => Standing::Judged(chain, askers::call()),
        };
    }

    /// The server has shown that its certificate is its own.
    pub(crate) fn shown(&self) {
        let mut standing = self.standing();
        match &mut *standing {
            Standing::Judged(chain, asker) => *standing = self.ask(std::mem::take(chain), asker.take()),
            Standing::Known => *standing = Standing::Answered(Ok(())),
            Standing::Early => *standing = Standing::Shown,
            _ => {}
        }
    }

    /// Asks the application when it is its turn.
    fn ask(&self, chain: Vec<Vec<u8>>, asker: Option<Asker>) -> Standing {
        match self.turn.take(&self.vetter) {
            Ok(floor) => self.ask_now(chain, floor, asker),
            Err(coming) => Standing::Next(chain, coming),
        }
    }

    fn has_taken(&self, chain: &[Vec<u8>]) -> bool {
        let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
        self.vetter.has_taken(&PresentedServer { endpoint: &self.endpoint, chain: &chain })
    }

    /// Asks the application, unless its last answer was about this server: whoever has the floor knows
    /// that no other is on its way.
    fn ask_now(&self, chain: Vec<Vec<u8>>, floor: Floor, asker: Option<Asker>) -> Standing {
        if self.has_taken(&chain) {
            return Standing::Answered(Ok(()));
        }
        let Some(asker) = asker.or_else(askers::call) else { return Standing::Lost };
        let (vetter, endpoint) = (Arc::clone(&self.vetter), self.endpoint.clone());
        let (tell, answer) = oneshot::channel();
        asker.ask(Box::new(move || {
            let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
            let verdict = vetter.vet(&PresentedServer { endpoint: &endpoint, chain: &chain });
            drop(floor);
            // Nobody may wait any more.
            let _ = tell.send(verdict);
        }));
        Standing::Asked(answer)
    }

    /// Waits for the answer, if the application was asked.
    fn poll_answer(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut standing = self.standing();
        if let Standing::Next(chain, coming) = &mut *standing {
            let floor = ready!(coming.as_mut().poll(cx));
            *standing = self.ask_now(std::mem::take(chain), floor, None);
        }
        if let Standing::Asked(answer) = &mut *standing {
            let told = ready!(Pin::new(answer).poll(cx));
            *standing = told.map_or(Standing::Lost, Standing::Answered);
        }
        Poll::Ready(match &*standing {
            Standing::Early | Standing::Shown | Standing::Judged(..) | Standing::Known | Standing::Answered(Ok(())) => {
                Ok(())
            }
            Standing::Answered(Err(failure)) => Err(io::Error::other(declined(*failure))),
            Standing::Next(..) | Standing::Asked(_) | Standing::Lost => {
                Err(io::Error::other("the application gives no answer"))
            }
        })
    }

    /// Whether it is the application that is waited for, and it may answer yet.
    fn is_open(&self) -> bool {
        match &*self.standing() {
            Standing::Next(..) => !self.turn.is_in_vain(),
            Standing::Asked(_) => !self.vetter.is_gone(),
            _ => false,
        }
    }

    fn is_taken(&self) -> bool {
        matches!(*self.standing(), Standing::Answered(Ok(())))
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a handshake for as long as the server is silent for less than `patience` before it is asked
/// about, and after that; how long the application thinks about it is the application's own affair.
pub(crate) async fn in_time<T>(
    clock: &Clock,
    patience: Duration,
    say: Option<Arc<Say>>,
    handshake: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    let mut handshake = pin!(handshake);
    let is_open = || say.as_ref().is_some_and(|say| say.is_open());
    loop {
        let was_open = is_open();
        let until_turned = poll_fn(|cx| {
            if let Poll::Ready(shaken) = handshake.as_mut().poll(cx) {
                return Poll::Ready(shaken.map(Some));
            }
            // The handshake itself may wait for more of the server, and not look at the answer.
            if let Some(say) = &say {
                let _ = say.poll_answer(cx);
            }
            if is_open() == was_open { Poll::Pending } else { Poll::Ready(Ok(None)) }
        });
        match within(clock, patience, until_turned).await {
            Ok(Some(shaken)) => return Ok(shaken),
            Ok(None) => {}
            Err(Fault::Timeout) if was_open && is_open() => {}
            Err(fault) => return Err(fault),
        }
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
    use std::sync::mpsc::{Receiver, Sender, channel};

    use bits_wire::attempt::Vetting;
    use tokio::runtime::Builder;

    use super::*;
    use crate::turns::Turns;

    /// Longer than anything here takes.
    const BOUND: Duration = Duration::from_secs(20);

    /// An application that takes every server, and answers when it is told to.
    #[derive(Debug)]
    struct Application {
        questions: AtomicUsize,
        has_taken: AtomicBool,
        orders: Mutex<Receiver<()>>,
    }

    /// Who asks it for one attempt. The answer to `other` comes right behind the look of this number,
    /// from 1.
    #[derive(Debug)]
    struct Client {
        application: Arc<Application>,
        look: AtomicUsize,
        other: Option<(usize, Arc<Open>)>,
    }

    /// A question that is open until somebody lets it be answered.
    #[derive(Debug)]
    struct Open {
        say: Arc<Say>,
        order: Mutex<Option<Sender<()>>>,
    }

    impl Open {
        fn let_answer(&self) {
            if let Some(order) = self.order.lock().unwrap().take() {
                order.send(()).unwrap();
                answer_to(&self.say).unwrap();
            }
        }
    }

    impl Vetter for Client {
        fn vet(&self, _server: &PresentedServer<'_>) -> Verdict {
            self.application.questions.fetch_add(1, SeqCst);
            self.application.orders.lock().unwrap().recv_timeout(BOUND).unwrap();
            self.application.has_taken.store(true, SeqCst);
            Ok(())
        }

        fn has_taken(&self, _server: &PresentedServer<'_>) -> bool {
            let has_taken = self.application.has_taken.load(SeqCst);
            let look = self.look.fetch_add(1, SeqCst) + 1;
            if let Some((number, open)) = &self.other
                && look == *number
            {
                open.let_answer();
            }
            has_taken
        }

        fn client(&self) -> Option<u64> {
            Some(1)
        }
    }

    fn answer_to(say: &Say) -> io::Result<()> {
        Builder::new_current_thread().build().unwrap().block_on(poll_fn(|cx| say.poll_answer(cx)))
    }

    /// The say in a handshake that has come to its signature.
    fn shown(turns: &Turns, application: &Arc<Application>, other: Option<(usize, Arc<Open>)>) -> Arc<Say> {
        let client = Client { application: Arc::clone(application), look: AtomicUsize::new(0), other };
        let vetter: Arc<dyn Vetter> = Arc::new(client);
        let turn = turns.of(&Vetting::By(Arc::clone(&vetter)));
        let say = Say::new(vetter, "server.example:443".to_owned(), turn);
        say.judged(vec![b"certificate".to_vec()]);
        say.shown();
        say
    }

    #[test]
    fn an_answer_that_comes_between_two_looks_is_not_asked_for_again() {
        for number in 1..=3 {
            let (order, orders) = channel();
            let (questions, has_taken, orders) = (AtomicUsize::new(0), AtomicBool::new(false), Mutex::new(orders));
            let application = Arc::new(Application { questions, has_taken, orders });
            let turns = Turns::default();
            let say = shown(&turns, &application, None);
            let open = Arc::new(Open { say, order: Mutex::new(Some(order.clone())) });

            let second = shown(&turns, &application, Some((number, Arc::clone(&open))));
            // It has not looked as often as that, and waits for its turn.
            open.let_answer();
            // It would be asked once more, and answer that, too.
            order.send(()).unwrap();

            answer_to(&second).unwrap();
            assert_eq!(application.questions.load(SeqCst), 1, "answered behind look {number}");
        }
    }
}
