//! One connection, from its first byte to its end: reads requests, and rules what each is answered with.
//! How that goes out is [`sending`]'s, what holds it up is [`waiting`]'s.

mod forward;
mod passport;
mod sending;
mod waiting;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bits_world::clock::Line;
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::answer::Answer;
use crate::content::{Content, Reader};
use crate::fault::{Conduct, CutAt, Fault};
use crate::gate::GateAt;
use crate::guard::{Memory, Parting, Place, Post, Ruling};
use crate::head::{self, Head};
use crate::journal::{Cut, Entry, Outcome, Request};
use crate::shared::Shared;
use crate::socket::{Socket, Stream};

/// What is known of a connection before it has said anything.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// Where it has come in.
    pub(crate) server: SocketAddr,
    pub(crate) connection: u64,
    pub(crate) https: bool,
    /// The certificate that it has shown, as DER.
    pub(crate) certificate: Option<Arc<[u8]>>,
    /// What proofs are bound to there, with HTTPS.
    pub(crate) binding: Option<Vec<u8>>,
}

pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    peer: Peer,
    line: Option<Arc<Line>>,
    shared: Arc<Shared>,
    /// What was read and not yet used.
    read: BytesMut,
    /// What guards remember of it.
    memory: Memories,
}

/// What the guards of both posts remember of a connection.
#[derive(Default)]
struct Memories {
    server: Memory,
    proxy: Memory,
}

impl Memories {
    fn of(&mut self, post: Post) -> &mut Memory {
        match post {
            Post::Server => &mut self.server,
            Post::Proxy => &mut self.proxy,
        }
    }
}

/// Why an exchange, and with it the connection, ended early.
pub(crate) enum Stop {
    ClientGone,
    /// As the script wants it.
    Scripted(CutAt),
    /// The content could not be read.
    Content,
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::ClientGone
    }
}

impl Connection {
    pub(crate) fn new(stream: Box<dyn Stream>, peer: Peer, line: Option<Arc<Line>>, shared: Arc<Shared>) -> Self {
        Self { stream, peer, line, shared, read: BytesMut::new(), memory: Memories::default() }
    }

    /// Does what a script says of connections, before anything is read. What is encrypted is not
    /// served after that.
    pub(crate) async fn greet(mut self, faults: &[Fault]) {
        let conduct = Conduct::of(faults);
        let greeted = async {
            if let Some(delay) = conduct.delay {
                self.rest(delay).await?;
            }
            if let Some(cut) = conduct.cut {
                return Err(Stop::Scripted(cut));
            }
            self.play(conduct.play.unwrap_or_default()).await
        };
        match greeted.await {
            Ok(true) if !self.peer.https => self.serve().await,
            Ok(_) => self.close().await,
            Err(stop) => self.part(&stop).await,
        }
    }

    /// Serves requests until the connection ends.
    pub(crate) async fn serve(mut self) {
        while let Ok(Some(head)) = self.next_head().await {
            let (head, malformed) = match head {
                Ok(head) => (head, false),
                Err(error) => (Head { method: "(malformed)".into(), target: error, ..Head::default() }, true),
            };
            let entry = self.enter(&head);
            let outcome = if malformed { self.refuse(&head, &entry).await } else { self.exchange(head, &entry).await };
            match outcome {
                Ok(keep_alive) if keep_alive => {}
                Ok(_) => return self.close().await,
                Err(stop) => return self.stop(&stop, &entry).await,
            }
        }
    }

    /// The next request's head; `None` when the client has no more.
    async fn next_head(&mut self) -> io::Result<Option<Result<Head, String>>> {
        loop {
            while self.read.starts_with(b"\r\n") {
                self.read.advance(2);
            }
            if let Some(end) = head::end(&self.read) {
                return Ok(Some(head::parse(&self.read.split_to(end))));
            }
            if !head::can_begin(&self.read) {
                return Ok(Some(Err("what is no method, perhaps a handshake of TLS".into())));
            }
            if self.read.len() > head::MAX_HEAD {
                return Ok(Some(Err(format!("a head of more than {} bytes", head::MAX_HEAD))));
            }
            if self.stream.read_buf(&mut self.read).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn enter(&self, head: &Head) -> Entry {
        self.shared.recorder.enter(Request {
            number: 0,
            connection: self.peer.connection,
            https: self.peer.https,
            certificate: self.peer.certificate.clone(),
            peer: self.peer.address,
            at: self.shared.clock.now(),
            method: head.method.clone(),
            path: head.path().to_owned(),
            target: head.target.clone(),
            version: head.version.clone(),
            headers: head.headers.clone(),
            account: None,
            status: None,
            served: Vec::new(),
            body_sent: 0,
            outcome: Outcome::Answering,
        })
    }

    async fn refuse(&mut self, head: &Head, entry: &Entry) -> Result<bool, Stop> {
        let answer = Answer::bare(head, 400, false, self.shared.clock.now().wall);
        self.send(&answer, head, &Conduct::default(), None, entry).await?;
        Ok(false)
    }

    /// Answers one request; returns whether the connection stays.
    async fn exchange(&mut self, mut head: Head, entry: &Entry) -> Result<bool, Stop> {
        let faults = self.shared.faults_for(&head.method, head.path());
        let conduct = Conduct::of(&faults);
        self.pass_gates(&head, entry, |at| at == GateAt::RequestSeen).await?;
        if let Some(delay) = conduct.delay {
            self.sleep_until(self.shared.clock.now().monotonic.plus(delay)).await?;
        }
        if let Some(cut) = conduct.cut.filter(|cut| cut.after.is_none()) {
            return Err(Stop::Scripted(cut));
        }
        if let Some((None, file)) = conduct.change {
            self.shared.change_to(head.path(), file);
        }
        if let Some(instead) = conduct.instead {
            return self.send_instead(instead, entry).await;
        }
        if let Some(steps) = conduct.play {
            let stays = self.play(steps).await?;
            entry.with(|request| request.outcome = Outcome::Finished);
            return Ok(stays);
        }
        let is_status = faults.iter().any(|fault| matches!(fault, Fault::Status { .. }));
        let is_for_another = self.is_for_another(&head);
        let mut changes = Vec::new();
        if !is_status {
            let post = if is_for_another { Post::Proxy } else { Post::Server };
            match self.ruling_on(post, &head) {
                Some(Ruling::Stop(challenges)) => return self.ward_off(post, &challenges, &head, entry).await,
                Some(Ruling::Pass(account, said)) => {
                    entry.with(|request| request.account = Some(account));
                    changes.extend(said.map(|said| Fault::Header(post.info_header().to_owned(), said)));
                    let word = self.memory.of(post).last_word.take();
                    changes.extend(word.map(|word| Fault::Header(post.challenge_header().to_owned(), word)));
                }
                None => {}
            }
        }
        // A script has the last word.
        changes.extend(faults.iter().cloned());
        if !is_status && is_for_another {
            return self.forward(head, &changes, &conduct, entry).await;
        }
        let said = match self.by_passport(&head, is_status, entry).await? {
            Ok(said) => said,
            Err(stays) => return Ok(stays),
        };
        let mut content = self.shared.content_at(head.path());
        for change in &changes {
            change.prepare(&mut head, content.as_mut());
        }
        let mut answer = self.answer(&head, content.as_ref(), &changes);
        for (name, value) in &said {
            answer.add(name, value);
        }
        let reader = content.map(|content| Reader::open(&content.source)).transpose().map_err(|_| Stop::Content)?;
        self.send(&answer, &head, &conduct, reader, entry).await?;
        Ok(!answer.close)
    }

    fn ruling_on(&mut self, post: Post, head: &Head) -> Option<Ruling> {
        let Peer { connection, binding, .. } = &self.peer;
        let now = self.shared.clock.now().wall;
        let binding = binding.as_deref().filter(|_| post == Post::Server);
        let place = Place { connection: *connection, now, binding };
        self.shared.ruling_on(post, head, &place, self.memory.of(post))
    }

    /// Tells a client how to prove who it is.
    async fn ward_off(&mut self, post: Post, challenges: &[String], head: &Head, entry: &Entry) -> Result<bool, Stop> {
        let mut answer = Answer::bare(head, post.status(), false, self.shared.clock.now().wall);
        for challenge in challenges {
            answer.add(post.challenge_header(), challenge);
        }
        let parting = std::mem::take(&mut self.memory.of(post).parting);
        if parting == Parting::Announced {
            answer.set("Connection", "close");
        }
        self.send(&answer, head, &Conduct::default(), None, entry).await?;
        Ok(!answer.close && parting == Parting::Stays)
    }

    /// Whether we are asked for what another server has, as a proxy is.
    fn is_for_another(&self, head: &Head) -> bool {
        let is_own = |authority: &str| {
            let own = [self.peer.server.to_string(), format!("localhost:{}", self.peer.server.port())];
            own.iter().any(|own| own.eq_ignore_ascii_case(authority))
        };
        head.method == "CONNECT" || head.authority().is_some_and(|authority| !is_own(&authority))
    }

    fn answer(&self, head: &Head, content: Option<&Content>, faults: &[Fault]) -> Answer {
        let now = self.shared.clock.now().wall;
        let status = faults.iter().find_map(|fault| match fault {
            Fault::Status { code, retry_after } => Some((*code, *retry_after)),
            _ => None,
        });
        let http10 = faults.contains(&Fault::Http10) || content.is_some_and(|content| content.http10);
        let mut answer = match status {
            Some((code, _)) => Answer::bare(head, code, http10, now),
            None => Answer::to(head, content, now),
        };
        if let Some((_, Some(after))) = status {
            answer.set("Retry-After", &after.as_secs().to_string());
        }
        for fault in faults {
            fault.distort(&mut answer);
        }
        answer
    }

    /// What lies below any encryption.
    pub(crate) fn socket(&mut self) -> &mut Socket {
        self.stream.socket()
    }

    /// Ends the connection in good order.
    async fn close(mut self) {
        if self.stream.shutdown().await.is_ok() {
            Self::drain(&mut *self.stream).await;
        }
    }

    /// Ends the connection in the middle of an answer.
    async fn stop(self, stop: &Stop, entry: &Entry) {
        let cut = if matches!(stop, Stop::ClientGone) { Cut::Client } else { Cut::Origin };
        entry.with(|request| request.outcome = Outcome::Cut(cut));
        self.part(stop).await;
    }

    async fn part(mut self, stop: &Stop) {
        match stop {
            Stop::ClientGone => {}
            Stop::Scripted(CutAt { reset: true, .. }) => {
                if let Err(error) = self.stream.socket().reset_on_close() {
                    tracing::warn!(%error, "a scripted reset becomes a close");
                }
            }
            Stop::Scripted(_) | Stop::Content => {
                // Below TLS, which would say farewell.
                let socket = self.stream.socket();
                if socket.shutdown().await.is_ok() {
                    Self::drain(socket).await;
                }
            }
        }
    }

    /// Reads until the client closes too: a close with unread bytes would be a reset, which
    /// overtakes the answer.
    async fn drain(stream: &mut dyn Stream) {
        let mut scratch = [0; 4096];
        while matches!(stream.read(&mut scratch).await, Ok(1..)) {}
    }
}
