//! Looking at the journal, and asserting what it must say.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::head;
use crate::journal::Request;

/// The requests that an origin has seen up to a moment, or a selection of them.
///
/// The assertions panic with the whole journal, readably, when they do not hold.
///
/// ```
/// # use bits_origin::{Content, Origin};
/// # use bits_world::clock::Clock;
/// # use std::io::{Read, Write};
/// let origin = Origin::start(Clock::system())?;
/// origin.put("/a.bin", Content::bytes(vec![7; 100]));
/// # let mut client = std::net::TcpStream::connect(origin.address())?;
/// # client.write_all(b"GET /a.bin HTTP/1.1\r\nRange: bytes=0-9\r\nConnection: close\r\n\r\n")?;
/// # client.read_to_end(&mut Vec::new())?;
/// // … a client fetches the first ten bytes …
/// let journal = origin.journal();
/// journal.requests_to("/a.bin").count(1).methods(["GET"]).statuses([206]).on_one_connection();
/// journal.requests_to("/a.bin").nth(0).has_header("range", "bytes=0-9").lacks_header("If-Range");
/// assert_eq!(journal.requests_to("/a.bin").body_bytes_sent(), 10);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Journal {
    all: Arc<[Request]>,
    selected: Vec<usize>,
    what: String,
}

impl Journal {
    pub(crate) fn new(all: Vec<Request>) -> Self {
        let selected = (0..all.len()).collect();
        Self { all: all.into(), selected, what: "requests".into() }
    }

    /// The requests to `path`; one without a query stands for all its queries.
    #[must_use]
    pub fn requests_to(&self, path: &str) -> Self {
        self.select(&format!("to {path}"), |request| head::is_to(path, &request.path))
    }

    /// The requests with this method.
    #[must_use]
    pub fn with_method(&self, method: &str) -> Self {
        self.select(&format!("by {method}"), |request| request.method == method)
    }

    /// The requests for which `wanted` holds; `what` names them in failures.
    #[must_use]
    pub fn select(&self, what: &str, wanted: impl Fn(&Request) -> bool) -> Self {
        let selected = self.selected.iter().copied().filter(|index| wanted(&self.all[*index])).collect();
        Self { all: Arc::clone(&self.all), selected, what: format!("{} {what}", self.what) }
    }

    /// The selected requests in the order in which they were seen.
    pub fn iter(&self) -> impl Iterator<Item = &Request> {
        self.selected.iter().map(|index| &self.all[*index])
    }

    /// How many are selected.
    pub fn len(&self) -> usize {
        self.selected.len()
    }

    /// Whether none is selected.
    pub fn is_empty(&self) -> bool {
        self.selected.is_empty()
    }

    /// Bytes of body that were sent in answer to the selected requests.
    pub fn body_bytes_sent(&self) -> u64 {
        self.iter().map(|request| request.body_sent).sum()
    }

    /// Asserts how many are selected.
    #[track_caller]
    pub fn count(&self, expected: usize) -> &Self {
        self.check("count", &self.len(), &expected)
    }

    /// Asserts the methods, in order.
    #[track_caller]
    pub fn methods<const N: usize>(&self, expected: [&str; N]) -> &Self {
        self.check(
            "methods",
            &self.iter().map(|request| request.method.as_str()).collect::<Vec<_>>(),
            &expected.to_vec(),
        )
    }

    /// Asserts the statuses of the answers, in order; 0 stands for none.
    #[track_caller]
    pub fn statuses<const N: usize>(&self, expected: [u16; N]) -> &Self {
        self.check(
            "statuses",
            &self.iter().map(|request| request.status.unwrap_or(0)).collect::<Vec<_>>(),
            &expected.to_vec(),
        )
    }

    /// Asserts that all came on one connection.
    #[track_caller]
    pub fn on_one_connection(&self) -> &Self {
        let mut connections: Vec<_> = self.iter().map(|request| request.connection).collect();
        connections.dedup();
        self.check("number of connections", &connections.len(), &1)
    }

    /// The selected request at `index`, counted from 0; asserts that there is one.
    #[track_caller]
    pub fn nth(&self, index: usize) -> Nth<'_> {
        match self.selected.get(index) {
            Some(at) => Nth { journal: self, index, request: &self.all[*at] },
            None => panic!("there is no number {index} among the {} {}\n{self}", self.len(), self.what),
        }
    }

    #[track_caller]
    fn check<T: fmt::Debug + PartialEq>(&self, what: &str, seen: &T, expected: &T) -> &Self {
        assert!(seen == expected, "{what} of the {}: expected {expected:?}, saw {seen:?}\n{self}", self.what);
        self
    }
}

/// Prints every request that the origin has seen; the selected ones have a mark.
impl fmt::Display for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the origin saw {} requests:", self.all.len())?;
        self.all.iter().enumerate().try_for_each(|(index, request)| {
            let mark = if self.selected.contains(&index) { "->" } else { "  " };
            write!(f, "{mark} {request}")
        })
    }
}

/// One request of a [`Journal`], to assert things about.
#[derive(Clone, Copy, Debug)]
pub struct Nth<'a> {
    journal: &'a Journal,
    index: usize,
    request: &'a Request,
}

impl Nth<'_> {
    /// Asserts the first value of a header; its name in any case.
    #[track_caller]
    pub fn has_header(&self, name: &str, value: &str) -> &Self {
        self.check(&format!("header {name}"), self.request.header(name), Some(value))
    }

    /// Asserts that a header is absent.
    #[track_caller]
    pub fn lacks_header(&self, name: &str) -> &Self {
        self.check(&format!("header {name}"), self.request.header(name), None)
    }

    #[track_caller]
    fn check(&self, what: &str, seen: Option<&str>, expected: Option<&str>) -> &Self {
        let Self { journal, index, request } = self;
        assert!(
            seen == expected,
            "{what} of number {index} (#{}) of the {}: expected {expected:?}, saw {seen:?}\n{journal}",
            request.number,
            journal.what,
        );
        self
    }
}

impl Deref for Nth<'_> {
    type Target = Request;

    fn deref(&self) -> &Request {
        self.request
    }
}
