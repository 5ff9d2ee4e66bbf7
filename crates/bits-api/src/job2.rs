//! Replies, command lines and credentials.

use crate::Job;

/// IBackgroundCopyJob2 (1.5; clauses `job2.*`).
pub trait Job2: Job {}
