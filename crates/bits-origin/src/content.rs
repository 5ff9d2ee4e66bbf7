//! What an origin serves at a path.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

use bits_api::FileTime;
use bytes::Bytes;

use crate::parts::Muddle;
use crate::synthetic::{self, Synthetic};

/// A remote file and the manners of the server that serves it.
///
/// A well-behaved server is the default: Content-Length, Last-Modified, ETag, ranges, HTTP/1.1.
///
/// ```
/// use bits_origin::Content;
///
/// let plain = Content::bytes("hello");
/// let awkward = Content::synthetic(5 << 40, 1).without_ranges().without_last_modified().http10();
/// assert_eq!(plain.length() + awkward.length(), 5 + (5 << 40));
/// ```
#[derive(Clone, Debug)]
pub struct Content {
    pub(crate) source: Source,
    pub(crate) stamp: Stamp,
    pub(crate) etag: bool,
    pub(crate) ranges: bool,
    pub(crate) framing: Framing,
    pub(crate) http10: bool,
    /// What becomes of answers in several parts.
    pub(crate) muddles: Vec<Muddle>,
    pub(crate) head_status: Option<u16>,
    /// Beside GET and HEAD.
    pub(crate) method: Option<String>,
    /// Counts the versions of the file at one path; part of its ETag.
    pub(crate) version: u64,
}

/// Where the bytes come from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Memory(Bytes),
    Synthetic(Synthetic),
    File { path: PathBuf, length: u64 },
}

/// What a file says about its last change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stamp {
    /// Chosen by the origin: [`Content::DEFAULT_STAMP`], later with each change.
    Default,
    At(FileTime),
    None,
}

/// How a client learns where the body ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Framing {
    Length,
    Chunked,
    UntilClose,
}

impl Content {
    /// Last-Modified of a file for which nothing else was said: 2025-01-01 00:00 UTC.
    pub const DEFAULT_STAMP: FileTime = FileTime::from_unix_seconds(1_735_689_600);

    /// A file from memory.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::new(Source::Memory(bytes.into()))
    }

    /// A file of `length` bytes that is not held in memory; see [`Synthetic`].
    pub fn synthetic(length: u64, seed: u64) -> Self {
        Self::new(Source::Synthetic(Synthetic::new(length, seed)))
    }

    pub(crate) fn file(path: PathBuf, length: u64, modified: Option<FileTime>) -> Self {
        let stamp = modified.map_or(Stamp::None, Stamp::At);
        Self { stamp, ..Self::new(Source::File { path, length }) }
    }

    fn new(source: Source) -> Self {
        Self {
            source,
            stamp: Stamp::Default,
            etag: true,
            ranges: true,
            framing: Framing::Length,
            http10: false,
            muddles: Vec::new(),
            head_status: None,
            method: None,
            version: 1,
        }
    }

    /// Says when the file was last changed; HTTP carries whole seconds.
    #[must_use]
    pub fn last_modified(self, stamp: FileTime) -> Self {
        Self { stamp: Stamp::At(stamp), ..self }
    }

    /// Leaves Last-Modified out.
    #[must_use]
    pub fn without_last_modified(self) -> Self {
        Self { stamp: Stamp::None, ..self }
    }

    /// Leaves the ETag out.
    #[must_use]
    pub fn without_etag(self) -> Self {
        Self { etag: false, ..self }
    }

    /// Ignores Range and leaves Accept-Ranges out.
    #[must_use]
    pub fn without_ranges(self) -> Self {
        Self { ranges: false, ..self }
    }

    /// Sends the body in chunks, without Content-Length.
    #[must_use]
    pub fn chunked(self) -> Self {
        Self { framing: Framing::Chunked, ..self }
    }

    /// Ends the body by closing the connection, without Content-Length.
    #[must_use]
    pub fn until_close(self) -> Self {
        Self { framing: Framing::UntilClose, ..self }
    }

    /// Answers as an HTTP/1.0 server: that version, no chunks, no keep-alive.
    #[must_use]
    pub fn http10(self) -> Self {
        Self { http10: true, ..self }
    }

    /// Answers HEAD with `status`, as servers do whose URLs are signed for GET only.
    #[must_use]
    pub fn refuse_head(self, status: u16) -> Self {
        Self { head_status: Some(status), ..self }
    }

    /// Answers requests by `method` as those by GET, beside those.
    #[must_use]
    pub fn also_by(self, method: &str) -> Self {
        Self { method: Some(method.to_owned()), ..self }
    }

    /// Length in bytes.
    pub fn length(&self) -> u64 {
        match &self.source {
            Source::Memory(bytes) => bytes.len() as u64,
            Source::Synthetic(file) => file.length(),
            Source::File { length, .. } => *length,
        }
    }

    /// SHA-256 of the bytes in lower-case hexadecimal.
    ///
    /// # Errors
    /// Those of reading a file of a folder.
    pub fn sha256(&self) -> io::Result<String> {
        match &self.source {
            Source::Memory(bytes) => Ok(synthetic::sha256(bytes)),
            Source::Synthetic(file) => Ok(file.sha256()),
            Source::File { path, .. } => Ok(synthetic::sha256(&std::fs::read(path)?)),
        }
    }

    /// The time stamp that clients see.
    pub(crate) fn stamp(&self) -> Option<FileTime> {
        match self.stamp {
            Stamp::Default => Some(Self::DEFAULT_STAMP),
            Stamp::At(stamp) => Some(stamp),
            Stamp::None => None,
        }
    }

    pub(crate) fn etag_value(&self) -> Option<String> {
        let stamp = self.stamp().map_or(0, |stamp| stamp.0);
        self.etag.then(|| format!("\"{:x}-{stamp:x}-{:x}\"", self.length(), self.version))
    }
}

/// Reads a content piece by piece.
pub(crate) enum Reader {
    Memory(Bytes),
    Synthetic(Synthetic),
    File(File),
}

impl Reader {
    pub(crate) fn open(source: &Source) -> io::Result<Self> {
        Ok(match source {
            Source::Memory(bytes) => Self::Memory(bytes.clone()),
            Source::Synthetic(file) => Self::Synthetic(*file),
            Source::File { path, .. } => Self::File(File::open(path)?),
        })
    }

    /// The bytes of `range`, which lies within the content; fewer when a file has shrunk.
    pub(crate) fn read(&mut self, range: Range<u64>) -> io::Result<Bytes> {
        let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(range.start).map_err(io::Error::other)?;
                Ok(bytes.slice(start..start + length))
            }
            Self::Synthetic(file) => Ok(file.bytes(range).into()),
            Self::File(file) => {
                let mut bytes = Vec::with_capacity(length);
                file.seek(SeekFrom::Start(range.start))?;
                file.take(length as u64).read_to_end(&mut bytes)?;
                Ok(bytes.into())
            }
        }
    }
}
