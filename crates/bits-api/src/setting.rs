//! The plain settings of a job.

/// A property of a job that is only stored and read back.
///
/// Providers implement [`Job::get`](crate::Job::get) and [`Job::set`](crate::Job::set) once for
/// all of them; the named getters and setters of [`Job`](crate::Job) are the documented way in.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Setting {
    /// Text, at most 256 UTF-16 units.
    DisplayName,
    /// Text, at most 1,024 UTF-16 units.
    Description,
    /// A BG_JOB_PRIORITY.
    Priority,
    /// A set of BG_NOTIFY_* bits.
    NotifyFlags,
    /// Seconds.
    MinimumRetryDelay,
    /// Seconds.
    NoProgressTimeout,
}

/// The value of a [`Setting`].
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A string; `None` is NULL.
    Text(Option<String>),
    /// A ULONG or an enumeration.
    Number(u32),
}
