//! One connection: reads requests, and carries out the answers with everything that gates and
//! scripts do to them.

mod forward;
mod passport;

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bits_world::clock::{Clock, Line, Monotonic};
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::answer::{Answer, Piece};
use crate::content::{Content, Framing, Reader};
use crate::fault::{Conduct, CutAt, Fault, Instead};
use crate::gate::{Barrier, GateAt};
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
    /// The most body that is read and written in one go.
    const CHUNK: u64 = 256 * 1024;

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

    async fn send(
        &mut self,
        answer: &Answer,
        head: &Head,
        conduct: &Conduct<'_>,
        reader: Option<Reader>,
        entry: &Entry,
    ) -> Result<(), Stop> {
        entry.with(|request| {
            request.status = Some(answer.status);
            request.served = answer.served();
        });
        let total = answer.body.iter().map(Piece::length).sum();
        let chunked = answer.framing == Framing::Chunked;
        // An empty file in chunks still has an end to send; an answer to HEAD has not.
        if answer.body.is_empty() || (total == 0 && !chunked) {
            return Ok(self.write(&answer.head_bytes(), Mark::LAST, entry).await?);
        }
        self.write(&answer.head_bytes(), Mark::HEAD, entry).await?;
        self.pass_gates(head, entry, |at| at == GateAt::HeadersSent).await?;
        let due = self.shared.clock.now().monotonic;
        let first = match &answer.body[..] {
            [Piece::Part(part)] => Some(part.start),
            _ => None,
        };
        let mut body = Body { head, conduct, entry, due, first, sent: 0, total, chunked };
        let mut reader = reader;
        for piece in &answer.body {
            self.send_piece(piece, reader.as_mut(), &mut body).await?;
        }
        match self.at_byte(&body).await {
            // Held at the very end, the client has all that it wanted and may leave.
            Err(Stop::ClientGone) if !chunked => {}
            passed => passed?,
        }
        if chunked {
            self.write(b"0\r\n\r\n", Mark::LAST, entry).await?;
        }
        entry.with(|request| request.outcome = Outcome::Finished);
        Ok(())
    }

    async fn send_piece(
        &mut self,
        piece: &Piece,
        mut reader: Option<&mut Reader>,
        body: &mut Body<'_>,
    ) -> Result<(), Stop> {
        let length = piece.length();
        let mut done = 0;
        while done < length {
            self.at_byte(body).await?;
            self.sleep_until(body.due).await?;
            let take = self.stretch(body).min(length - done);
            let bytes = match (piece, &mut reader) {
                (Piece::Text(text), _) => text.slice(to_usize(done)..to_usize(done + take)),
                (Piece::Part(part), Some(reader)) => {
                    reader.read(part.start + done..part.start + done + take).map_err(|_| Stop::Content)?
                }
                (Piece::Part(_), None) => return Err(Stop::Content),
            };
            if bytes.len() as u64 != take {
                return Err(Stop::Content);
            }
            self.write_body(&bytes, body).await?;
            done += take;
        }
        Ok(())
    }

    /// Does what has to happen when as many bytes of body as now have been sent.
    async fn at_byte(&mut self, body: &Body<'_>) -> Result<(), Stop> {
        self.pass_gates(body.head, body.entry, |at| body.place_of(at) == Some(body.sent)).await?;
        match body.conduct.change {
            Some((Some(after), file)) if after == body.sent => self.shared.change_to(body.head.path(), file),
            _ => {}
        }
        match body.conduct.cut {
            Some(cut) if cut.after == Some(body.sent) => Err(Stop::Scripted(cut)),
            _ => Ok(()),
        }
    }

    /// How many bytes may be sent before something else has to happen.
    fn stretch(&self, body: &Body<'_>) -> u64 {
        let barriers = self.shared.barriers_for(&body.head.method, body.head.path());
        let gates = barriers.iter().filter_map(|barrier| body.place_of(barrier.at()));
        let Conduct { cut, change, bytes_per_second, .. } = body.conduct;
        let cut = cut.and_then(|cut| cut.after);
        let change = change.and_then(|(after, _)| after);
        let events = gates.chain(cut).chain(change).filter(|at| *at > body.sent).map(|at| at - body.sent);
        // A quarter of a second at a time, so that slow answers are smooth and yet few steps.
        let pace = bytes_per_second.map(|rate| (rate / 4).max(1));
        events.chain(pace).min().unwrap_or(Self::CHUNK).min(Self::CHUNK)
    }

    async fn write_body(&mut self, bytes: &[u8], body: &mut Body<'_>) -> Result<(), Stop> {
        if let Some(rate) = body.conduct.bytes_per_second {
            let nanos = bytes.len() as u128 * Duration::from_secs(1).as_nanos() / u128::from(rate);
            let takes = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            body.due = self.shared.clock.now().monotonic.plus(takes);
        }
        body.sent += bytes.len() as u64;
        if body.chunked {
            self.write(format!("{:x}\r\n", bytes.len()).as_bytes(), Mark::HEAD, body.entry).await?;
        }
        let last = body.sent == body.total && !body.chunked && !self.something_follows(body);
        self.write(bytes, Mark { body: true, last }, body.entry).await?;
        if body.chunked {
            self.write(b"\r\n", Mark::HEAD, body.entry).await?;
        }
        Ok(())
    }

    /// Whether a gate or a cut waits at the very end of the body.
    fn something_follows(&self, body: &Body<'_>) -> bool {
        let barriers = self.shared.barriers_for(&body.head.method, body.head.path());
        barriers.iter().any(|barrier| body.place_of(barrier.at()) == Some(body.total))
            || body.conduct.cut.is_some_and(|cut| cut.after == Some(body.total))
    }

    async fn send_instead(&mut self, instead: Instead, entry: &Entry) -> Result<bool, Stop> {
        match instead {
            Instead::Garbage => {
                self.write(b"\x00\x15\xffthis is no HTTP\r\n\r\n\xfe\r\n", Mark::LAST, entry).await?;
                Ok(false)
            }
            Instead::EndlessHeaders => {
                self.write(b"HTTP/1.1 200 OK\r\n", Mark::HEAD, entry).await?;
                loop {
                    self.write(&b"X-Endless: and so on\r\n".repeat(100), Mark::HEAD, entry).await?;
                }
            }
            Instead::EndlessInterim => loop {
                self.write(&b"HTTP/1.1 102 Processing\r\n\r\n".repeat(100), Mark::HEAD, entry).await?;
            },
        }
    }

    async fn write(&mut self, bytes: &[u8], mark: Mark, entry: &Entry) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let stream = &mut self.stream;
            let count = poll_fn(|cx| {
                entry.with(|request| {
                    let written = Pin::new(&mut **stream).poll_write(cx, rest);
                    if let Poll::Ready(Ok(count)) = written {
                        mark.note(request, count, count == rest.len());
                    }
                    written
                })
            })
            .await?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            rest = &rest[count..];
        }
        self.stream.flush().await
    }

    /// Waits at each gate on `head`'s way whose place satisfies `here`.
    async fn pass_gates(&mut self, head: &Head, entry: &Entry, here: impl Fn(GateAt) -> bool) -> Result<(), Stop> {
        for barrier in self.shared.barriers_for(&head.method, head.path()) {
            if here(barrier.at()) {
                self.wait_at(&barrier, entry).await?;
            }
        }
        Ok(())
    }

    async fn wait_at(&mut self, barrier: &Barrier, entry: &Entry) -> Result<(), Stop> {
        let hold = self.line.as_ref().map(Line::hold);
        entry.with(|request| request.outcome = Outcome::Held(barrier.at()));
        barrier.reach(entry.request());
        self.while_connected(barrier.opened()).await?;
        entry.with(|request| request.outcome = Outcome::Answering);
        drop(hold);
        Ok(())
    }

    /// Waits for nothing but the client's end.
    pub(crate) async fn hang(&mut self) -> Result<(), Stop> {
        let _hold = self.line.as_ref().map(Line::hold);
        self.while_connected(std::future::pending()).await
    }

    /// Waits so long on the origin's clock, but not longer than the client does.
    pub(crate) async fn rest(&mut self, time: Duration) -> Result<(), Stop> {
        self.sleep_until(self.shared.clock.now().monotonic.plus(time)).await
    }

    /// Sends bytes that are no answer.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// What lies below any encryption.
    pub(crate) fn socket(&mut self) -> &mut Socket {
        self.stream.socket()
    }

    async fn sleep_until(&mut self, until: Monotonic) -> Result<(), Stop> {
        let shared = Arc::clone(&self.shared);
        let now = shared.clock.now().monotonic;
        if until <= now {
            return Ok(());
        }
        match &shared.clock {
            Clock::Virtual(clock) => {
                let _hold = self.line.as_ref().map(Line::hold);
                self.while_connected(clock.sleep_until(until)).await
            }
            Clock::System(_) => self.while_connected(tokio::time::sleep(until.since(now))).await,
        }
    }

    /// Waits for `event`, but not longer than the client does.
    async fn while_connected<T>(&mut self, event: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::select! {
            biased;
            result = event => Ok(result),
            () = Self::hang_up(&mut *self.stream, &mut self.read) => Err(Stop::ClientGone),
        }
    }

    /// Returns when the client has gone; what it says meanwhile is kept.
    async fn hang_up(stream: &mut dyn Stream, read: &mut BytesMut) {
        while read.len() <= head::MAX_HEAD {
            match stream.read_buf(read).await {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
        std::future::pending::<()>().await;
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

/// The body of an answer while it is sent.
struct Body<'a> {
    head: &'a Head,
    conduct: &'a Conduct<'a>,
    entry: &'a Entry,
    /// When the next bytes may go.
    due: Monotonic,
    /// Where in the file it begins, if it is one part of it.
    first: Option<u64>,
    sent: u64,
    total: u64,
    chunked: bool,
}

impl Body<'_> {
    /// After how many bytes of it a gate holds it, if it does.
    fn place_of(&self, at: GateAt) -> Option<u64> {
        match at {
            GateAt::Byte(at) => Some(at),
            GateAt::OfFile(at) => at.checked_sub(self.first?),
            GateAt::RequestSeen | GateAt::HeadersSent => None,
        }
    }
}

/// What bytes mean to the journal.
#[derive(Clone, Copy)]
struct Mark {
    body: bool,
    last: bool,
}

impl Mark {
    const HEAD: Self = Self { body: false, last: false };
    const LAST: Self = Self { body: false, last: true };

    fn note(self, request: &mut Request, count: usize, all: bool) {
        if self.body {
            request.body_sent += count as u64;
        }
        if self.last && all {
            request.outcome = Outcome::Finished;
        }
    }
}

/// For lengths within something that is in memory.
fn to_usize(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
