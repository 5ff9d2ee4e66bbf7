//! Keeps the queue: records, versions, redb.
