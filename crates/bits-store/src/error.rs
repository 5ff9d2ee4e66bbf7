//! What can be wrong with a store: each says what, where, and how to mend it.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use bits_engine::{FileIndex, JobKey};

/// Why the queue could not be opened, kept or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The state folder cannot be used.
    #[error("the state folder {folder} cannot be used: {source}; name a folder that can be written to")]
    Folder {
        /// Which folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another store holds the folder.
    #[error(
        "the state folder {folder} is in use by another emulator, of this process or another; \
         stop that one or name another folder"
    )]
    InUse {
        /// Which folder.
        folder: PathBuf,
    },
    /// The file was not made by a store.
    #[error("{file} is not a queue of bits-emulator ({what}); move it away or name another state folder")]
    NotAStore {
        /// Which file.
        file: PathBuf,
        /// How that shows.
        what: String,
    },
    /// A newer version made the file.
    #[error(
        "{file} has format {found}, made by a newer bits-emulator; this one reads formats up to \
         {known}: use the newer one or name another state folder"
    )]
    Newer {
        /// Which file.
        file: PathBuf,
        /// The format of the file.
        found: u32,
        /// The newest format that this version reads.
        known: u32,
    },
    /// The file was made by a store and cannot be read any more.
    #[error("the queue in {file} is damaged ({what}); move the file away to begin with an empty queue")]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// How that shows.
        what: String,
    },
    /// The keys of the queue's secrets cannot be read, made or destroyed.
    #[error(
        "the keys {file} of the queue's credentials cannot be used: {source}; make the file readable and \
         writable, or move it away to go on without the credentials"
    )]
    Key {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system failed.
    #[error("the queue in {file} cannot be read or written: {source}")]
    Storage {
        /// Which file.
        file: PathBuf,
        /// What the system said.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A change that no engine makes: a file of a job that is not on record.
    #[error("file {} of job {} cannot be kept: the job is not on record", file.0, job.0)]
    FileWithoutJob {
        /// The job that is missing.
        job: JobKey,
        /// The file that belongs to it.
        file: FileIndex,
    },
}
