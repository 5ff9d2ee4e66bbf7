//! The origin as a forward proxy: requests for other servers go there, and tunnels lead there.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bits_world::clock::{Ends, Line, Relay};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};

use super::sending::{Body, Mark, to_usize};
use super::{Connection, Stop};
use crate::answer::Answer;
use crate::content::Framing;
use crate::fault::{Conduct, Fault};
use crate::head::{self, Head, ResponseHead};
use crate::journal::{Entry, Outcome};
use crate::shared::Shared;

/// What both directions are told of us.
const VIA: (&str, &str) = ("Via", "1.1 bits-origin");

/// Headers that are for the next hop alone.
const OF_ONE_HOP: [&str; 8] = [
    "Connection",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "TE",
    "Trailer",
    "Upgrade",
];

/// The connection to a server behind us.
struct Behind {
    stream: TcpStream,
    /// Tells a virtual clock that the client waits for that server.
    relay: Option<Relay>,
}

impl Behind {
    /// Connects to a server by its host and port; `line` is the connection of the client.
    async fn reach(shared: &Shared, line: Option<&Arc<Line>>, authority: &str) -> io::Result<Self> {
        let addresses: Vec<SocketAddr> = match shared.host(authority) {
            Some(address) => vec![address],
            None => lookup_host(authority).await?.collect(),
        };
        let stream = TcpStream::connect(&addresses[..]).await?;
        let ends = Ends { client: stream.local_addr()?, server: stream.peer_addr()? };
        Ok(Self { stream, relay: line.map(|line| line.relay(ends)) })
    }

    /// Reads more into `buffer`; 0 at the end.
    async fn read(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        let count = self.stream.read_buf(buffer).await?;
        if let Some(relay) = &self.relay {
            relay.add_read(count);
        }
        Ok(count)
    }

    /// Reads the head of an answer; what has come of the body stays in `buffer`.
    async fn read_head(&mut self, buffer: &mut BytesMut) -> Result<ResponseHead, Stop> {
        loop {
            if let Some(end) = head::end(buffer) {
                return head::parse_response(&buffer.split_to(end)).map_err(|_| Stop::Content);
            }
            if buffer.len() > head::MAX_HEAD || self.read(buffer).await? == 0 {
                return Err(Stop::Content);
            }
        }
    }
}

impl Connection {
    /// Carries a request, or a whole connection, to the server that it names; returns whether the
    /// connection stays. A server that cannot be reached is status 502.
    pub(super) async fn forward(
        &mut self,
        mut head: Head,
        faults: &[Fault],
        conduct: &Conduct<'_>,
        entry: &Entry,
    ) -> Result<bool, Stop> {
        let authority = head.authority().unwrap_or_default();
        let Ok(mut behind) = Behind::reach(&self.shared, self.line.as_ref(), &authority).await else {
            let answer = Answer::bare(&head, 502, false, self.shared.clock.now().wall);
            self.send(&answer, &head, conduct, None, entry).await?;
            return Ok(!answer.close);
        };
        if head.method == "CONNECT" {
            return self.tunnel(&head, behind, conduct, entry).await;
        }
        for fault in faults {
            fault.prepare(&mut head, None);
        }
        behind.stream.write_all(&request_to_server(&head)).await?;
        let mut rest = BytesMut::new();
        let said = behind.read_head(&mut rest).await?;
        let total = said.body_length(&head.method);
        let mut answer = answer_of(&said, &head, total);
        answer.http10 = faults.contains(&Fault::Http10);
        answer.close |= answer.http10;
        for fault in faults {
            fault.distort(&mut answer);
        }
        entry.with(|request| request.status = Some(answer.status));
        if total == Some(0) {
            self.write(&answer.head_bytes(), Mark::LAST, entry).await?;
            return Ok(!answer.close);
        }
        self.write(&answer.head_bytes(), Mark::HEAD, entry).await?;
        let due = self.shared.clock.now().monotonic;
        let total = total.unwrap_or(u64::MAX);
        let mut body = Body { head: &head, conduct, entry, due, first: None, sent: 0, total, chunked: false };
        self.pass_on(&mut behind, rest, &mut body).await?;
        entry.with(|request| request.outcome = Outcome::Finished);
        Ok(!answer.close)
    }

    /// Sends what comes from a server, with everything that gates and scripts do to it.
    async fn pass_on(&mut self, behind: &mut Behind, mut read: BytesMut, body: &mut Body<'_>) -> Result<(), Stop> {
        while body.sent < body.total {
            if read.is_empty() && behind.read(&mut read).await? == 0 {
                return if body.total == u64::MAX { Ok(()) } else { Err(Stop::Content) };
            }
            self.send_on(read.split().freeze(), body).await?;
        }
        Ok(())
    }

    async fn send_on(&mut self, mut bytes: Bytes, body: &mut Body<'_>) -> Result<(), Stop> {
        while !bytes.is_empty() {
            self.at_byte(body).await?;
            self.sleep_until(body.due).await?;
            let take = self.stretch(body).min(bytes.len() as u64);
            let now = bytes.split_to(to_usize(take));
            self.write_body(&now, body).await?;
        }
        Ok(())
    }

    /// Grants a tunnel: from now on both ends speak to each other.
    async fn tunnel(
        &mut self,
        head: &Head,
        mut behind: Behind,
        conduct: &Conduct<'_>,
        entry: &Entry,
    ) -> Result<bool, Stop> {
        entry.with(|request| request.status = Some(200));
        self.write(b"HTTP/1.1 200 Connection established\r\n\r\n", Mark::HEAD, entry).await?;
        let due = self.shared.clock.now().monotonic;
        let mut body = Body { head, conduct, entry, due, first: None, sent: 0, total: u64::MAX, chunked: false };
        let mut down = BytesMut::new();
        loop {
            if !self.read.is_empty() {
                behind.stream.write_all(&self.read.split()).await?;
            }
            tokio::select! {
                read = self.stream.read_buf(&mut self.read) => {
                    if !matches!(read, Ok(1..)) {
                        break;
                    }
                }
                read = behind.read(&mut down) => {
                    if !matches!(read, Ok(1..)) {
                        break;
                    }
                    self.send_on(down.split().freeze(), &mut body).await?;
                }
            }
        }
        entry.with(|request| request.outcome = Outcome::Finished);
        Ok(false)
    }
}

/// The request as the server behind us gets it: each has a connection of its own.
fn request_to_server(head: &Head) -> Vec<u8> {
    let mut text = format!("{} {} HTTP/1.1\r\n", head.method, head.path());
    let own = [VIA, ("Connection", "close")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    for (name, value) in through(&head.headers).chain(&own) {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    text += "\r\n";
    // As it was read, each character is a byte.
    text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()
}

/// The answer as our client gets it. Where its body ends with the server's connection, and where
/// its end shows only in the body, ours ends too.
fn answer_of(said: &ResponseHead, asked: &Head, total: Option<u64>) -> Answer {
    let mut headers: Vec<_> = through(&said.headers).cloned().collect();
    headers.push((VIA.0.to_owned(), VIA.1.to_owned()));
    let close = total.is_none() || asked.wants_close();
    let (framing, content_length) = (Framing::Length, 0);
    let mut answer =
        Answer { http10: false, status: said.status, headers, body: vec![], content_length, framing, close };
    if close {
        answer.set("Connection", "close");
    }
    answer
}

fn through(headers: &[(String, String)]) -> impl Iterator<Item = &(String, String)> {
    headers.iter().filter(|(name, _)| !OF_ONE_HOP.iter().any(|own| own.eq_ignore_ascii_case(name)))
}
