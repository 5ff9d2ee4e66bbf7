//! A way to a server on which connections are counted and can be cut.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// A connection as a server knows it: its own port, and the client's.
pub(crate) type Ends = (u16, u16);

/// Passes on what comes in at a port of its own, until it is dropped.
pub(crate) struct Relay {
    port: u16,
    line: Arc<Line>,
}

struct Line {
    to: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Both ends of every connection.
    streams: Vec<TcpStream>,
    ends: Vec<Ends>,
    /// Bytes that the server has sent.
    carried: u64,
    /// At how many of them the connection is cut.
    cut: Option<u64>,
    was_cut: bool,
    is_closed: bool,
}

impl Relay {
    pub(crate) fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let line = Arc::new(Line { to: server, state: Mutex::default() });
        let held = Arc::clone(&line);
        thread::spawn(move || {
            for client in listener.incoming() {
                if held.state().is_closed {
                    break;
                }
                // What cannot be passed on is closed, as a server that is gone would.
                _ = client.and_then(|client| Line::connect(&held, client));
            }
        });
        Self { port, line }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The connections so far.
    pub(crate) fn connections(&self) -> Vec<Ends> {
        self.line.state().ends.clone()
    }

    /// Bytes that the server has sent so far.
    pub(crate) fn carried(&self) -> u64 {
        self.line.state().carried
    }

    /// Cuts the connection, once, when the server has sent so many more bytes.
    pub(crate) fn cut_after(&self, bytes: u64) {
        let mut state = self.line.state();
        state.cut = Some(state.carried + bytes);
    }

    /// Whether it has come to that.
    pub(crate) fn was_cut(&self) -> bool {
        self.line.state().was_cut
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let mut state = self.line.state();
        state.is_closed = true;
        for stream in state.streams.drain(..) {
            // It may have ended by itself.
            _ = stream.shutdown(Shutdown::Both);
        }
        drop(state);
        // Whoever listens looks up once more.
        _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(line: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let (server, ends) = unheard_of(&line.to)?;
        let mut state = line.state();
        state.ends.push(ends);
        state.streams.extend([client.try_clone()?, server.try_clone()?]);
        drop(state);
        let (up, down) = ((client.try_clone()?, server.try_clone()?), Arc::clone(line));
        thread::spawn(move || pass(up.0, up.1, |bytes| bytes));
        thread::spawn(move || pass(server, client, |bytes| down.carry(bytes)));
        Ok(())
    }

    /// How many of so many bytes of the server go on.
    fn carry(&self, bytes: usize) -> usize {
        let mut state = self.state();
        state.carried += bytes as u64;
        match state.cut {
            Some(cut) if state.carried > cut => {
                let too_many = state.carried - cut;
                (state.cut, state.was_cut) = (None, true);
                bytes - usize::try_from(too_many).expect("part of one buffer")
            }
            _ => bytes,
        }
    }
}

/// A connection whose ends no earlier one has had: logs tell them apart by nothing else.
fn unheard_of(server: &str) -> io::Result<(TcpStream, Ends)> {
    static KNOWN: Mutex<BTreeSet<Ends>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    // Those stay open until there is another.
    let mut used = Vec::new();
    loop {
        let stream = TcpStream::connect(server)?;
        let ends = (stream.peer_addr()?.port(), stream.local_addr()?.port());
        if known.insert(ends) {
            return Ok((stream, ends));
        }
        used.push(stream);
    }
}

/// Passes on until one of them ends, or `allowed` lets fewer bytes through.
fn pass(mut from: TcpStream, mut to: TcpStream, allowed: impl Fn(usize) -> usize) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let going = allowed(read);
        if to.write_all(&buffer[..going]).is_err() || going < read {
            break;
        }
    }
    for stream in [from, to] {
        // It may have ended by itself.
        _ = stream.shutdown(Shutdown::Both);
    }
}
