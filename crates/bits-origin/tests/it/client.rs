//! A plain client: std sockets, rustls, and as little HTTP as will do.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bits_origin::{Content, Origin};
use bits_world::clock::{Clock, Ends};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// How long a test waits for what must come.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) fn origin() -> Origin {
    Origin::start(Clock::system()).unwrap()
}

pub(crate) fn origin_with(path: &str, content: Content) -> Origin {
    let origin = origin();
    origin.put(path, content);
    origin
}

trait ReadWrite: Read + Write + Send {}
impl<T: Read + Write + Send> ReadWrite for T {}

pub(crate) struct Client {
    stream: Box<dyn ReadWrite>,
    tcp: TcpStream,
    raw_read: Arc<AtomicU64>,
    read: Vec<u8>,
}

/// Counts what is read from the socket, below any encryption.
struct Counted {
    tcp: TcpStream,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.tcp.read(buf)?;
        self.count.fetch_add(count as u64, Ordering::SeqCst);
        Ok(count)
    }
}

impl Write for Counted {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.tcp.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status_line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn status(&self) -> u16 {
        self.status_line.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Client {
    pub(crate) fn connect(origin: &Origin) -> Self {
        let tcp = Self::tcp(origin.address());
        let counted = Counted { tcp: tcp.try_clone().unwrap(), count: Arc::default() };
        let raw_read = Arc::clone(&counted.count);
        Self { stream: Box::new(counted), tcp, raw_read, read: Vec::new() }
    }

    pub(crate) fn connect_tls(origin: &Origin, name: &'static str) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(origin.ca_pem().as_bytes()).unwrap()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let session = ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap()).unwrap();
        let tcp = Self::tcp(origin.https_address());
        let counted = Counted { tcp: tcp.try_clone().unwrap(), count: Arc::default() };
        let raw_read = Arc::clone(&counted.count);
        Self { stream: Box::new(StreamOwned::new(session, counted)), tcp, raw_read, read: Vec::new() }
    }

    fn tcp(address: SocketAddr) -> TcpStream {
        let tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(SOON)).unwrap();
        tcp
    }

    pub(crate) fn ends(&self) -> Ends {
        Ends { client: self.tcp.local_addr().unwrap(), server: self.tcp.peer_addr().unwrap() }
    }

    /// The socket below any encryption.
    pub(crate) fn raw(&self) -> TcpStream {
        self.tcp.try_clone().unwrap()
    }

    /// How many bytes have been read from that socket.
    pub(crate) fn raw_read(&self) -> u64 {
        self.raw_read.load(Ordering::SeqCst)
    }

    /// Goes away without a word.
    pub(crate) fn vanish(self) {
        self.tcp.shutdown(Shutdown::Both).unwrap();
    }

    /// Sends a request line and headers; the end of the head is added.
    pub(crate) fn send(&mut self, head: &str) -> &mut Self {
        self.stream.write_all(format!("{head}\r\n\r\n").as_bytes()).unwrap();
        self.stream.flush().unwrap();
        self
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: test")).answer()
    }

    pub(crate) fn get_range(&mut self, path: &str, range: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: test\r\nRange: {range}")).answer()
    }

    pub(crate) fn head(&mut self, path: &str) -> Answer {
        self.send(&format!("HEAD {path} HTTP/1.1\r\nHost: test")).answer_head()
    }

    /// The next answer with its whole body.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.answer_head();
        answer.body = if answer.header("transfer-encoding") == Some("chunked") {
            self.chunks()
        } else if let Some(length) = answer.header("content-length") {
            let length = length.parse().unwrap();
            self.bytes(length)
        } else {
            self.rest().unwrap()
        };
        answer
    }

    /// The head of the next answer.
    pub(crate) fn answer_head(&mut self) -> Answer {
        while !self.read.windows(4).any(|window| window == b"\r\n\r\n") {
            assert!(self.more().unwrap() > 0, "the origin closed before the end of the head: {:?}", self.read);
        }
        let end = self.read.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        let head: Vec<u8> = self.read.drain(..end).collect();
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let status_line = lines.next().unwrap().to_owned();
        let headers = lines.map(|line| line.split_once(": ").unwrap()).map(|(n, v)| (n.to_owned(), v.to_owned()));
        Answer { status_line, headers: headers.collect(), body: Vec::new() }
    }

    /// Exactly so many bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        while self.read.len() < length {
            let seen = self.read.len();
            assert!(self.more().unwrap() > 0, "the origin closed after {seen} of {length} bytes");
        }
        self.read.drain(..length).collect()
    }

    /// All that comes until the origin closes.
    pub(crate) fn rest(&mut self) -> io::Result<Vec<u8>> {
        while self.more()? > 0 {}
        Ok(std::mem::take(&mut self.read))
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = self.line();
            let length = usize::from_str_radix(&line, 16).unwrap();
            body.extend(self.bytes(length));
            assert_eq!(self.bytes(2), b"\r\n");
            if length == 0 {
                return body;
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.extend(self.bytes(1));
        }
        String::from_utf8(line).unwrap().trim_end().to_owned()
    }

    fn more(&mut self) -> io::Result<usize> {
        let mut chunk = [0; 16384];
        let count = self.stream.read(&mut chunk)?;
        self.read.extend(&chunk[..count]);
        Ok(count)
    }
}
