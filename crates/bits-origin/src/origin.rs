//! The origin itself: its thread, its two ports, and what a test says to it.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use bits_world::clock::{Clock, Ends, Line};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use crate::connection::{Connection, Peer};
use crate::content::Content;
use crate::gate::{Barrier, Gate, GateAt};
use crate::guard::{Guard, Passport, end_point};
use crate::issuer::ListFlaw;
use crate::journal::{Hook, TimedOut};
use crate::requests::Journal;
use crate::script::Script;
use crate::shared::Shared;
use crate::socket::{Socket, Stream};
use crate::tls::{Flaw, Handshake, Host, Tls};

/// An HTTP and HTTPS server on loopback that a test owns.
///
/// It runs on a thread of its own and can be used from any thread, inside and outside async code.
/// Dropping it closes all its connections and joins that thread.
///
/// ```
/// use bits_origin::{Content, GateAt, Origin, Script};
/// use bits_world::clock::{Clock, VirtualClock};
///
/// let clock = VirtualClock::new();
/// let origin = Origin::start(Clock::Virtual(clock))?;
/// origin.put("/a.bin", Content::bytes(vec![1, 2, 3]));
/// origin.put("/big.bin", Content::synthetic(3 << 40, 42));
/// origin.script(Script::parse("flaky", "first 2 requests of /a.bin: status 503").unwrap());
/// let gate = origin.gate("/big.bin", GateAt::Byte(1 << 20));
///
/// assert!(origin.url("/a.bin").starts_with("http://127.0.0.1:"));
/// assert!(origin.https_url("/a.bin").starts_with("https://127.0.0.1:"));
/// gate.open();
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Origin {
    shared: Arc<Shared>,
    http: SocketAddr,
    https: SocketAddr,
    tls: Tls,
    host: Arc<Mutex<Host>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Origin {
    /// Starts an origin on two free ports of 127.0.0.1. Its certificate is for `127.0.0.1` and
    /// `localhost`, from an authority of its own; see [`Origin::ca_pem`].
    ///
    /// # Errors
    /// Those of binding a port, making keys, or starting a thread.
    pub fn start(clock: Clock) -> io::Result<Self> {
        let tls = Tls::new(clock.clone())?;
        let (http, https) = (listen()?, listen()?);
        let addresses = (http.local_addr()?, https.local_addr()?);
        let shared = Shared::new(clock);
        let host = Arc::new(Mutex::new(tls.acceptor(&Handshake::default())?));
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let acceptor = Acceptor { shared: Arc::clone(&shared), connections: Arc::default() };
        let present = Arc::clone(&host);
        let thread = std::thread::Builder::new().name("bits-origin".into()).spawn(move || {
            let serve = async {
                tokio::select! {
                    _ = stopped => Ok(()),
                    result = acceptor.accept(http, None) => result,
                    result = acceptor.accept(https, Some(&present)) => result,
                }
            };
            if let Err(error) = runtime.block_on(serve) {
                tracing::error!(%error, "the origin stops");
            }
            // Dropping the runtime drops every connection.
        })?;
        let (http, https) = addresses;
        Ok(Self { shared, http, https, tls, host, stop: Some(stop), thread: Some(thread) })
    }

    /// Serves `content` at `path`, which begins with a slash. A request with a query finds it
    /// too, unless there is a content at the path with that query.
    pub fn put(&self, path: &str, content: Content) {
        self.shared.put(path, content);
    }

    /// Puts a new version of the file at `path`: its ETag differs, and its stamp is a minute later
    /// unless `content` brings one. Answers that have begun go on with the old version.
    pub fn change(&self, path: &str, content: Content) {
        self.shared.change(path, content);
    }

    /// Serves the files of a folder below `prefix`, with their own time stamps. No path and no
    /// link leads out of the folder.
    pub fn put_folder(&self, prefix: &str, folder: impl Into<PathBuf>) {
        self.shared.put_folder(prefix, folder.into());
    }

    /// The HTTP URL of `path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }

    /// The HTTPS URL of `path`.
    pub fn https_url(&self, path: &str) -> String {
        format!("https://{}{path}", self.https)
    }

    /// Where HTTP is served.
    pub fn address(&self) -> SocketAddr {
        self.http
    }

    /// Where HTTPS is served.
    pub fn https_address(&self) -> SocketAddr {
        self.https
    }

    /// The authority that clients of HTTPS have to trust, as PEM.
    pub fn ca_pem(&self) -> &str {
        self.tls.ca_pem()
    }

    /// Shakes hands like that from the next connection on.
    ///
    /// # Errors
    /// Those of making a certificate.
    pub fn shake_hands(&self, handshake: &Handshake) -> io::Result<()> {
        let host = self.tls.acceptor(handshake)?;
        *self.host.lock().unwrap_or_else(PoisonError::into_inner) = host;
        Ok(())
    }

    /// The authority of the certificate that clients of HTTPS are shown at present revokes it.
    pub fn revoke(&self) {
        self.host.lock().unwrap_or_else(PoisonError::into_inner).revoke();
    }

    /// What each authority of this origin has revoked so far, as DER: good ones, of the clock's time
    /// and a year from then on, or all with this flaw.
    ///
    /// # Errors
    /// Those of making a list.
    pub fn revocation_lists(&self, flaw: Option<ListFlaw>) -> io::Result<Vec<Vec<u8>>> {
        self.tls.revocation_lists(flaw)
    }

    /// The certificate that clients of HTTPS are shown at present, as DER.
    pub fn certificate(&self) -> Vec<u8> {
        self.host.lock().unwrap_or_else(PoisonError::into_inner).certificate.to_vec()
    }

    /// How many handshakes have come to their end so far: the client's last message was seen.
    pub fn handshakes(&self) -> u64 {
        self.shared.handshakes.load(Ordering::SeqCst)
    }

    /// A certificate for a client, and its key, as PEM: of an organization, a unit and a common name,
    /// as far as they are given, from the authority that the origin itself believes.
    ///
    /// # Errors
    /// Those of making a certificate.
    pub fn client_certificate(&self, subject: &[&str], flaws: &[Flaw]) -> io::Result<String> {
        self.tls.client(subject, flaws)
    }

    /// Holds the requests to `path` from now on, until the gate is opened or dropped.
    #[must_use = "a dropped gate is open"]
    pub fn gate(&self, path: &str, at: GateAt) -> Gate {
        self.add_gate(None, path, at)
    }

    /// Like [`Origin::gate`], for the requests with one method.
    #[must_use = "a dropped gate is open"]
    pub fn gate_method(&self, method: &str, path: &str, at: GateAt) -> Gate {
        self.add_gate(Some(method), path, at)
    }

    fn add_gate(&self, method: Option<&str>, path: &str, at: GateAt) -> Gate {
        let barrier = Barrier::new(method, path, at);
        self.shared.add_barrier(Arc::clone(&barrier));
        barrier.gate(&self.shared.recorder)
    }

    /// Lets go wrong what `script` says, counted from now on. Of several scripts, the first that
    /// has something to say about a request decides.
    pub fn script(&self, script: Script) {
        self.shared.perform(script);
    }

    /// Forgets all scripts: from now on every request is answered well. Answers that have begun go
    /// on as they would.
    pub fn behave(&self) {
        self.shared.behave();
    }

    /// Guards what is at `path`, where a `*` at its end stands for anything; of several guards of a
    /// path, the last that was posted stands there.
    pub fn guard(&self, path: &str, guard: Guard) {
        self.shared.guard(path, guard);
    }

    /// As a forward proxy, guards the way to every other server.
    pub fn guard_proxy(&self, guard: Guard) {
        self.shared.guard_proxy(guard);
    }

    /// Guards what is at `path`, where a `*` at its end stands for anything, by Passport alone, and is
    /// its nexus and its login server too.
    pub fn guard_by_passport(&self, path: &str, passport: Passport) {
        self.shared.guard_by_passport(path, passport);
    }

    /// Dismisses all guards.
    pub fn dismiss_guards(&self) {
        self.shared.dismiss_guards();
    }

    /// Keeps in the journal, from now on, what clients say to prove who they are. Without this, it
    /// holds the name of the scheme alone.
    pub fn journal_credentials(&self) {
        self.shared.recorder.keep_credentials();
    }

    /// How many connections are open. [`Origin::wait_until`] looks again when one closes.
    pub fn connections(&self) -> usize {
        self.shared.connections()
    }

    /// As a forward proxy, finds a server at this address: what is asked for under `authority`, such
    /// as `files.example:80`, goes there. Any other name is looked up.
    pub fn reach(&self, authority: &str, server: SocketAddr) {
        self.shared.set_host(authority, server);
    }

    /// Every request that was seen so far. No client has seen a byte that is not counted here.
    pub fn journal(&self) -> Journal {
        self.shared.recorder.snapshot()
    }

    /// Waits until `predicate` holds for the journal, looking whenever it changes, and returns
    /// that journal. Blocks the thread for at most `within` of real time.
    ///
    /// # Errors
    /// [`TimedOut`] with the journal when it did not.
    pub fn wait_until(&self, within: Duration, predicate: impl FnMut(&Journal) -> bool) -> Result<Journal, TimedOut> {
        self.shared.recorder.wait_until(within, predicate)
    }

    /// Tells `hook` of each request when it is seen, before anything is answered. It runs on the
    /// origin's thread and must not wait for an answer of this origin.
    pub fn on_request(&self, hook: Hook) {
        self.shared.recorder.add_hook(hook);
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        drop(self.stop.take());
        let Some(thread) = self.thread.take() else { return };
        // A hook that drops the last reference runs on the thread itself, which then ends alone.
        if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
            tracing::error!("the origin's thread has panicked");
        }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origin").field("http", &self.http).field("https", &self.https).finish_non_exhaustive()
    }
}

fn listen() -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Takes connections and starts a task for each.
struct Acceptor {
    shared: Arc<Shared>,
    connections: Arc<AtomicU64>,
}

impl Acceptor {
    /// Between a failed accept and the next.
    const PAUSE: Duration = Duration::from_millis(10);

    async fn accept(&self, listener: TcpListener, tls: Option<&Mutex<Host>>) -> io::Result<()> {
        let server = listener.local_addr()?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            match listener.accept().await {
                Ok((tcp, address)) => {
                    let host = tls.map(|tls| tls.lock().unwrap_or_else(PoisonError::into_inner).clone());
                    self.start(tcp, server, address, host);
                }
                // A connection that was given up before it was taken, or no descriptor left just now.
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::time::sleep(Self::PAUSE).await;
                }
            }
        }
    }

    fn start(&self, tcp: TcpStream, server: SocketAddr, address: SocketAddr, host: Option<Host>) {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let binding = host.as_ref().map(|host| end_point(&Sha256::digest(&host.certificate)));
        let peer = Peer { address, server, connection, https: host.is_some(), certificate: None, binding };
        let tls = host.map(|host| host.acceptor);
        let shared = Arc::clone(&self.shared);
        let open = shared.open_connection();
        let ends = Ends { client: address, server };
        let line = shared.clock.as_virtual().map(|clock| Line::open(clock, ends));
        let exchanges = serve(tcp, peer, tls, line.clone(), shared);
        let task = async move {
            exchanges.await;
            drop(open);
        };
        match line {
            Some(line) => tokio::spawn(line.activity().watch(task)),
            None => tokio::spawn(task),
        };
    }
}

async fn serve(tcp: TcpStream, mut peer: Peer, tls: Option<TlsAcceptor>, line: Option<Arc<Line>>, shared: Arc<Shared>) {
    if let Err(error) = tcp.set_nodelay(true) {
        tracing::debug!(%error, "the connection is gone already");
    }
    let socket = Socket::new(tcp, line.clone());
    let faults = shared.faults_for_connection();
    if !faults.is_empty() {
        return Connection::new(Box::new(socket), peer, line, shared).greet(&faults).await;
    }
    let stream: Box<dyn Stream> = match tls {
        None => Box::new(socket),
        Some(tls) => match tls.accept(socket).await {
            Ok(stream) => {
                shared.handshakes.fetch_add(1, Ordering::SeqCst);
                let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                peer.certificate = shown.map(|certificate| Arc::from(certificate.as_ref()));
                Box::new(stream)
            }
            Err(error) => {
                tracing::debug!(%error, connection = peer.connection, "the handshake failed");
                return;
            }
        },
    };
    Connection::new(stream, peer, line, shared).serve().await;
}
