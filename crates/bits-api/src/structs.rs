//! The structures that BITS fills or reads.

use std::fmt;
use std::time::Duration;

use crate::Success;

/// BG_SIZE_UNKNOWN: the size of a file, or of a job, that is not determined yet.
pub const SIZE_UNKNOWN: u64 = u64::MAX;

/// BG_LENGTH_TO_EOF: a range that goes to the end of the file.
pub const LENGTH_TO_EOF: u64 = u64::MAX;

/// What a method gives beside a success code that is not always `S_OK`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Answer<T> {
    /// The code.
    pub code: Success,
    /// What came with it.
    pub value: T,
}

/// BG_FILE_RANGE: a part of a remote file (2.0; clauses `job3.file_range.*`).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize)]
pub struct FileRange {
    /// Offset of the first byte.
    pub initial_offset: u64,
    /// Number of bytes, or [`LENGTH_TO_EOF`].
    pub length: u64,
}

/// What GetPeerDownloadStats tells: file data, in bytes (4.0; clauses
/// `file4.get_peer_download_stats.*`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PeerDownloadStats {
    /// From the origin server.
    pub from_origin: u64,
    /// From peers.
    pub from_peers: u64,
}

/// BG_FILE_INFO: the two names of a file (1.0; clauses `struct.file_info.*`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FileInfo<'a> {
    /// URL of the file on the server; at most 2,200 UTF-16 units.
    pub remote_name: &'a str,
    /// Full path of the file on the client.
    pub local_name: &'a str,
}

/// BG_JOB_PROGRESS: sums over the files of a job (1.0; clauses `struct.job_progress.*`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct JobProgress {
    /// Bytes of all files, or [`SIZE_UNKNOWN`] while the size of one is not known.
    pub bytes_total: u64,
    /// Bytes moved so far.
    pub bytes_transferred: u64,
    /// Number of files.
    pub files_total: u32,
    /// Number of files that were fully moved, renamed or not.
    pub files_transferred: u32,
}

/// BG_JOB_REPLY_PROGRESS: how far the reply of an upload-reply job has come (1.5; clauses
/// `job2.reply_progress.*`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct JobReplyProgress {
    /// Size of the reply in bytes, or [`SIZE_UNKNOWN`] before it begins.
    pub bytes_total: u64,
    /// Bytes of the reply received so far.
    pub bytes_transferred: u64,
}

/// BG_FILE_PROGRESS: how far one file has come (1.0; clauses `struct.file_progress.*`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FileProgress {
    /// Size in bytes, or [`SIZE_UNKNOWN`].
    pub bytes_total: u64,
    /// Bytes moved so far.
    pub bytes_transferred: u64,
    /// Whether the file is available under its local name: for downloads, after Complete.
    pub completed: bool,
}

/// BG_JOB_TIMES: when a job was made, changed and done (1.0; clauses `struct.job_times.*`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct JobTimes {
    /// When the job was created.
    pub creation: FileTime,
    /// When a property, the state or the progress last changed.
    pub modification: FileTime,
    /// When the job last became TRANSFERRED; [`FileTime::ZERO`] before.
    pub transfer_completion: FileTime,
}

/// FILETIME: 100 ns units since 1601-01-01 00:00 UTC.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize)]
pub struct FileTime(pub u64);

impl FileTime {
    /// The zero FILETIME, which stands for "never".
    pub const ZERO: Self = Self(0);

    const UNITS_PER_SECOND: u64 = 10_000_000;
    const NANOS_PER_UNIT: u128 = 100;
    const UNIX_EPOCH_SECONDS: u64 = 11_644_473_600;

    /// The time `seconds` after 1970-01-01 00:00 UTC, at most the largest FILETIME.
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_add(Self::UNIX_EPOCH_SECONDS).saturating_mul(Self::UNITS_PER_SECOND))
    }

    /// Seconds since 1970-01-01 00:00 UTC, rounded down; negative before that day.
    pub const fn unix_seconds(self) -> i64 {
        (self.0 / Self::UNITS_PER_SECOND).cast_signed() - Self::UNIX_EPOCH_SECONDS.cast_signed()
    }

    /// This time plus `duration`, at most the largest FILETIME.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let units = duration.as_nanos() / Self::NANOS_PER_UNIT;
        Self(self.0.saturating_add(u64::try_from(units).unwrap_or(u64::MAX)))
    }

    /// The time from `earlier` to this one; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        let units = self.0.saturating_sub(earlier.0);
        Duration::new(units / Self::UNITS_PER_SECOND, u32::try_from(units % Self::UNITS_PER_SECOND).unwrap_or(0) * 100)
    }
}

impl From<std::time::SystemTime> for FileTime {
    fn from(time: std::time::SystemTime) -> Self {
        let epoch = Self::from_unix_seconds(0);
        match time.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => epoch.plus(after),
            Err(before) => {
                let units = before.duration().as_nanos() / Self::NANOS_PER_UNIT;
                Self(epoch.0.saturating_sub(u64::try_from(units).unwrap_or(u64::MAX)))
            }
        }
    }
}

impl fmt::Debug for FileTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileTime({})", self.0)
    }
}
