//! The plain settings of a job.

use std::any::Any;
use std::fmt::Debug;

use crate::{Guid, Hresult, Success};

/// A property of a job that is only stored and read back.
///
/// The named getters and setters of the interfaces are the documented way in.
// The order is on record in stores: new ones go to the end.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize)]
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
    /// A set of BG_COPY_FILE_* bits (2.0).
    FileAclFlags,
    /// A set of BG_SSL_* and BG_HTTP_REDIRECT_POLICY_* bits (2.5).
    SecurityFlags,
    /// A set of BG_JOB_ENABLE_PEERCACHING_* and BG_JOB_DISABLE_BRANCH_CACHE bits (3.0).
    PeerCachingFlags,
    /// Seconds (3.0).
    MaximumDownloadTime,
    /// A set of BITS_COST_STATE_* bits (5.0).
    CostFlags,
    /// A class identifier; the null GUID is none (5.0).
    NotificationClsid,
    /// Whether content without the HTTP requirements of BITS is accepted (5.0).
    DynamicContent,
    /// Whether data go straight into the destination (5.0).
    HighPerformance,
    /// Bytes (5.0).
    MaxDownloadSize,
    /// A BG_AUTH_TARGET, or 0 for none (5.0).
    UseStoredCredentials,
    /// Milliseconds (10.1).
    MinimumNotificationInterval,
    /// Whether only ranges that were asked for are downloaded (10.1).
    OnDemandMode,
    /// The HTTP method of transfers (10.2).
    HttpMethod,
}

/// The value of a [`Setting`].
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A string; `None` is NULL.
    Text(Option<String>),
    /// A ULONG or an enumeration.
    Number(u32),
    /// A BOOL.
    Enable(bool),
    /// A UINT64.
    Long(u64),
    /// A GUID.
    Guid(Guid),
}

impl Value {
    pub(crate) fn text(self) -> Result<String, Hresult> {
        match self {
            Self::Text(text) => Ok(text.unwrap_or_default()),
            _ => Err(Hresult::E_UNEXPECTED),
        }
    }

    pub(crate) fn number(&self) -> Result<u32, Hresult> {
        match self {
            Self::Number(number) => Ok(*number),
            _ => Err(Hresult::E_UNEXPECTED),
        }
    }
}

/// What the interfaces of a job rest on: a provider implements the plain settings here once, the
/// named getters and setters of [`Job`](crate::Job) and its later versions are provided.
pub trait Settings: Any + Debug + Send + Sync {
    /// Reads a plain setting.
    ///
    /// # Errors
    /// `E_NOTIMPL` for a setting that this provider does not have.
    fn get(&self, setting: Setting) -> Result<Value, Hresult>;

    /// Replaces a plain setting.
    ///
    /// # Errors
    /// Those of the named setter; `E_INVALIDARG` when the value has the wrong type.
    fn set(&self, setting: Setting, value: Value) -> Result<Success, Hresult>;
}
