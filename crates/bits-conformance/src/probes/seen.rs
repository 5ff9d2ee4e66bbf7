//! What a probe saw: a short text in the words of the field.

use std::fmt::Write;
use std::sync::Arc;

use bits_api::{
    Answer, CreatedJob, ErrorContext, FileProgress, FilePropertyValue, FileRange, FileTime, Guid, Hresult, JobProgress,
    JobReplyProgress, ReplyDataError, SIZE_UNKNOWN, Success,
};

use crate::claims::{CallResult, Stop};

/// What a probe saw.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Seen(String);

impl Seen {
    /// Nothing so far.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds what came of `what`.
    pub(crate) fn and(mut self, what: &str, came: impl Tell) -> Self {
        if !self.0.is_empty() {
            self.0.push_str("; ");
        }
        _ = write!(self.0, "{what}: {}", came.tell());
        self
    }

    /// Adds all of another.
    pub(crate) fn and_all(mut self, other: &Self) -> Self {
        if !self.0.is_empty() {
            self.0.push_str("; ");
        }
        self.0 += &other.0;
        self
    }

    /// All of it, in one line.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// The whole answer of a probe that asks for one thing.
#[expect(clippy::unnecessary_wraps, reason = "a probe ends with it")]
pub(super) fn seen(came: impl Tell) -> Result<Seen, Stop> {
    Ok(Seen(came.tell()))
}

/// The code of a call, whatever else it hands out.
pub(super) fn code(result: impl CallResult) -> Hresult {
    result.code()
}

/// Something that can be told without what changes from run to run: of an object its being there,
/// of an identifier and a time whether it is set.
pub(crate) trait Tell {
    fn tell(&self) -> String;
}

impl<T: Tell + ?Sized> Tell for &T {
    fn tell(&self) -> String {
        (*self).tell()
    }
}

impl Tell for Hresult {
    fn tell(&self) -> String {
        self.name().map_or_else(|| self.to_string(), Into::into)
    }
}

impl Tell for Success {
    fn tell(&self) -> String {
        self.hresult().tell()
    }
}

impl<T: Tell> Tell for Result<T, Hresult> {
    fn tell(&self) -> String {
        self.as_ref().map_or_else(Tell::tell, Tell::tell)
    }
}

impl<T: Tell> Tell for Result<T, ReplyDataError> {
    fn tell(&self) -> String {
        self.as_ref().map_or_else(|error| error.code.tell(), Tell::tell)
    }
}

impl<T: Tell> Tell for Answer<T> {
    fn tell(&self) -> String {
        format!("{}, {}", self.code.tell(), self.value.tell())
    }
}

impl Tell for FilePropertyValue {
    fn tell(&self) -> String {
        match self {
            Self::String(None) => "NULL".to_owned(),
            Self::String(Some(text)) => text.tell(),
            other => format!("{other:?}"),
        }
    }
}

impl<T: ?Sized> Tell for Arc<T> {
    fn tell(&self) -> String {
        Hresult::S_OK.tell()
    }
}

impl Tell for CreatedJob {
    fn tell(&self) -> String {
        Hresult::S_OK.tell()
    }
}

impl<T: Tell> Tell for Option<T> {
    fn tell(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), Tell::tell)
    }
}

impl<T: Tell> Tell for [T] {
    fn tell(&self) -> String {
        format!("[{}]", self.iter().map(Tell::tell).collect::<Vec<_>>().join(", "))
    }
}

impl<T: Tell> Tell for Vec<T> {
    fn tell(&self) -> String {
        self.as_slice().tell()
    }
}

impl Tell for str {
    fn tell(&self) -> String {
        format!("{self:?}")
    }
}

/// Words of the probe itself, which stand without quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words(pub(super) &'static str);

impl Tell for Words {
    fn tell(&self) -> String {
        self.0.to_owned()
    }
}

impl Tell for String {
    fn tell(&self) -> String {
        self.as_str().tell()
    }
}

impl Tell for Guid {
    fn tell(&self) -> String {
        if *self == Self::from_u128(0) { "the zero GUID" } else { "a GUID" }.to_owned()
    }
}

impl Tell for FileTime {
    fn tell(&self) -> String {
        if *self == Self::ZERO { "the zero FILETIME" } else { "a time" }.to_owned()
    }
}

impl Tell for (ErrorContext, Hresult) {
    fn tell(&self) -> String {
        format!("{} {}", self.0, self.1.tell())
    }
}

impl Tell for FileRange {
    fn tell(&self) -> String {
        format!("{}+{}", self.initial_offset, size(self.length))
    }
}

impl Tell for JobProgress {
    fn tell(&self) -> String {
        let (bytes, files) = (size(self.bytes_total), self.files_total);
        format!("{} of {bytes} bytes, {} of {files} files", self.bytes_transferred, self.files_transferred)
    }
}

impl Tell for JobReplyProgress {
    fn tell(&self) -> String {
        format!("{} of {} bytes", self.bytes_transferred, size(self.bytes_total))
    }
}

impl Tell for FileProgress {
    fn tell(&self) -> String {
        let completed = if self.completed { ", completed" } else { "" };
        format!("{} of {} bytes{completed}", self.bytes_transferred, size(self.bytes_total))
    }
}

fn size(bytes: u64) -> String {
    if bytes == SIZE_UNKNOWN { "unknown".to_owned() } else { bytes.to_string() }
}

macro_rules! displayed {
    ($($type:ty),* $(,)?) => {
        $(impl Tell for $type {
            fn tell(&self) -> String {
                self.to_string()
            }
        })*
    };
}

displayed!(bool, u32, u64, usize, ErrorContext, bits_api::JobState, bits_api::JobType, bits_api::JobPriority,);

macro_rules! shown {
    ($($type:ty),* $(,)?) => {
        $(impl Tell for $type {
            fn tell(&self) -> String {
                format!("{self:?}")
            }
        })*
    };
}

shown!(
    bits_api::NotifyFlags,
    bits_api::FileAclFlags,
    bits_api::PeerCachingFlags,
    bits_api::SecurityFlags,
    bits_api::TokenFlags,
    bits_api::JobPropertyValue,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_is_one_line_with_the_names_of_windows() {
        let refused: Result<Success, Hresult> = Err(Hresult::BG_E_EMPTY);
        let seen = Seen::new().and("Resume", refused).and("name", "a\nb").and("GUID", Guid::from_u128(0));
        assert_eq!(seen.into_text(), r#"Resume: BG_E_EMPTY; name: "a\nb"; GUID: the zero GUID"#);
    }
}
