//! What a script can make go wrong.

use std::time::Duration;

use crate::answer::{self, Answer, Piece};
use crate::content::{Content, Framing, Stamp};
use crate::head::Head;
use crate::parts::Muddle;
use crate::play::Step;
use crate::synthetic::Synthetic;

/// One thing that goes wrong with an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// Answers with a bare status.
    Status {
        /// From 200 to 999.
        code: u16,
        /// The Retry-After header, in whole seconds.
        retry_after: Option<Duration>,
    },
    /// Resets the connection after so many bytes of body; `None`: before anything is answered.
    /// The client sees at most that many: a reset overtakes what is still on its way.
    Reset(Option<u64>),
    /// Closes the connection, without a farewell from TLS, after so many bytes of body; `None`:
    /// before anything is answered. The client sees exactly that many.
    Close(Option<u64>),
    /// Sends so many bytes of body a second of the origin's clock; at least 1.
    Slow(u64),
    /// Waits, on the origin's clock, before anything is answered.
    Delay(Duration),
    /// Sets a header, or replaces its value. The body stays as it was, whatever Content-Length
    /// then says.
    Header(String, String),
    /// Leaves a header out. Without Content-Length the body ends with the connection.
    Without(String),
    /// A Content-Range that begins and ends one byte later than what is sent.
    WrongContentRange,
    /// Serves the whole file with status 200, whatever range was asked.
    IgnoreRange,
    /// Muddles an answer to a request for several ranges.
    Parts(Muddle),
    /// Answers as an HTTP/1.0 server.
    Http10,
    /// Sends the body in chunks, without Content-Length.
    Chunked,
    /// Replaces the file by a synthetic one with a later stamp, for good. An answer that has
    /// begun goes on with the old bytes.
    Change {
        /// After so many bytes of body; `None`: before anything is answered, so that this
        /// request sees the new file.
        after: Option<u64>,
        /// The new file.
        to: Synthetic,
    },
    /// Answers with bytes that are no HTTP, and closes the connection.
    Garbage,
    /// Sends header lines until the client gives up.
    EndlessHeaders,
    /// Sends interim answers (102) until the client gives up.
    EndlessInterim,
    /// Does this in place of an answer; afterwards the connection is as if it had answered. The
    /// journal shows neither status nor bytes.
    Play(Vec<Step>),
}

impl Fault {
    /// Whether the fault can befall a connection before its first request.
    pub(crate) fn suits_connections(&self) -> bool {
        matches!(self, Self::Play(_) | Self::Delay(_) | Self::Reset(None) | Self::Close(None))
    }

    /// Whether the fault shows only in an answer that has a body.
    pub(crate) fn needs_body(&self) -> bool {
        matches!(
            self,
            Self::Reset(Some(_)) | Self::Close(Some(_)) | Self::Slow(_) | Self::Change { after: Some(_), .. }
        )
    }

    /// Changes what is asked and how the content is served, before there is an answer.
    pub(crate) fn prepare(&self, head: &mut Head, content: Option<&mut Content>) {
        match (self, content) {
            (Self::IgnoreRange, _) => head.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("range")),
            (Self::Parts(muddle), Some(content)) => content.muddles.push(muddle.clone()),
            (Self::Http10, Some(content)) => content.http10 = true,
            (Self::Chunked, Some(content)) => content.framing = Framing::Chunked,
            (Self::Without(name), Some(content)) if name.eq_ignore_ascii_case("content-length") => {
                content.framing = Framing::UntilClose;
            }
            (Self::Without(name), Some(content)) if name.eq_ignore_ascii_case("last-modified") => {
                content.stamp = Stamp::None;
            }
            _ => {}
        }
    }

    /// Changes the answer.
    pub(crate) fn distort(&self, answer: &mut Answer) {
        match self {
            Self::Header(name, value) => {
                answer.set(name, value);
                // Where a body ends is now in doubt, so that nothing may follow it.
                answer.close |= is_framing(name);
            }
            Self::Without(name) => {
                answer.remove(name);
                answer.close |= is_framing(name);
            }
            Self::WrongContentRange => shift_content_range(answer),
            _ => {}
        }
    }
}

fn is_framing(name: &str) -> bool {
    name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding")
}

fn shift_content_range(answer: &mut Answer) {
    let length = answer.content_length;
    if let [Piece::Part(part)] = &answer.body[..]
        && answer.status == 206
    {
        let shifted = answer::content_range(&(part.start + 1..part.end + 1), length);
        answer.set("Content-Range", &shifted);
    }
}

/// How an answer is sent, beyond what is sent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Conduct<'a> {
    pub(crate) delay: Option<Duration>,
    pub(crate) bytes_per_second: Option<u64>,
    pub(crate) cut: Option<CutAt>,
    pub(crate) change: Option<(Option<u64>, Synthetic)>,
    pub(crate) instead: Option<Instead>,
    pub(crate) play: Option<&'a [Step]>,
}

/// Where a connection is cut, and how.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct CutAt {
    /// Bytes of body; `None`: before the answer.
    pub(crate) after: Option<u64>,
    pub(crate) reset: bool,
}

/// What is sent instead of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Instead {
    Garbage,
    EndlessHeaders,
    EndlessInterim,
}

impl<'a> Conduct<'a> {
    pub(crate) fn of(faults: &'a [Fault]) -> Self {
        let mut conduct = Self::default();
        for fault in faults {
            match *fault {
                Fault::Play(ref steps) => conduct.play = Some(steps),
                Fault::Delay(delay) => conduct.delay = Some(delay),
                Fault::Slow(rate) => conduct.bytes_per_second = Some(rate.max(1)),
                Fault::Reset(after) => conduct.cut = Some(CutAt { after, reset: true }),
                Fault::Close(after) => conduct.cut = Some(CutAt { after, reset: false }),
                Fault::Change { after, to } => conduct.change = Some((after, to)),
                Fault::Garbage => conduct.instead = Some(Instead::Garbage),
                Fault::EndlessHeaders => conduct.instead = Some(Instead::EndlessHeaders),
                Fault::EndlessInterim => conduct.instead = Some(Instead::EndlessInterim),
                _ => {}
            }
        }
        conduct
    }
}
