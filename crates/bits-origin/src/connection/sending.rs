//! What goes out: an answer's head and body, with everything that gates and scripts do to it on the way.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bits_world::clock::Monotonic;
use tokio::io::AsyncWriteExt;

use super::{Connection, Stop};
use crate::answer::{Answer, Piece};
use crate::content::{Framing, Reader};
use crate::fault::{Conduct, Instead};
use crate::gate::GateAt;
use crate::head::Head;
use crate::journal::{Entry, Outcome, Request};

/// The most body that is read and written in one go.
const CHUNK: u64 = 256 * 1024;

impl Connection {
    pub(super) async fn send(
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
    pub(super) async fn at_byte(&mut self, body: &Body<'_>) -> Result<(), Stop> {
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
    pub(super) fn stretch(&self, body: &Body<'_>) -> u64 {
        let barriers = self.shared.barriers_for(&body.head.method, body.head.path());
        let gates = barriers.iter().filter_map(|barrier| body.place_of(barrier.at()));
        let Conduct { cut, change, bytes_per_second, .. } = body.conduct;
        let cut = cut.and_then(|cut| cut.after);
        let change = change.and_then(|(after, _)| after);
        let events = gates.chain(cut).chain(change).filter(|at| *at > body.sent).map(|at| at - body.sent);
        // A quarter of a second at a time, so that slow answers are smooth and yet few steps.
        let pace = bytes_per_second.map(|rate| (rate / 4).max(1));
        events.chain(pace).min().unwrap_or(CHUNK).min(CHUNK)
    }

    pub(super) async fn write_body(&mut self, bytes: &[u8], body: &mut Body<'_>) -> Result<(), Stop> {
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

    pub(super) async fn send_instead(&mut self, instead: Instead, entry: &Entry) -> Result<bool, Stop> {
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

    pub(super) async fn write(&mut self, bytes: &[u8], mark: Mark, entry: &Entry) -> io::Result<()> {
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

    /// Sends bytes that are no answer.
    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }
}

/// The body of an answer while it is sent.
pub(super) struct Body<'a> {
    pub(super) head: &'a Head,
    pub(super) conduct: &'a Conduct<'a>,
    pub(super) entry: &'a Entry,
    /// When the next bytes may go.
    pub(super) due: Monotonic,
    /// Where in the file it begins, if it is one part of it.
    pub(super) first: Option<u64>,
    pub(super) sent: u64,
    pub(super) total: u64,
    pub(super) chunked: bool,
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
pub(super) struct Mark {
    body: bool,
    last: bool,
}

impl Mark {
    pub(super) const HEAD: Self = Self { body: false, last: false };
    pub(super) const LAST: Self = Self { body: false, last: true };

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
pub(super) fn to_usize(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
