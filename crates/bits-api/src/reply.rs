//! Why a reply was not handed out.

use crate::Hresult;

/// What GetReplyData gives when it fails: beside the code, the length of a reply that is too large
/// (1.5; clauses `job2.get_reply_data.*`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReplyDataError {
    /// The code.
    pub code: Hresult,
    /// The size of the reply in bytes, with `BG_E_TOO_LARGE`; else 0.
    pub length: u64,
}

impl From<Hresult> for ReplyDataError {
    fn from(code: Hresult) -> Self {
        Self { code, length: 0 }
    }
}

impl From<ReplyDataError> for Hresult {
    fn from(error: ReplyDataError) -> Self {
        error.code
    }
}
