//! Somebody else's token for some of a job's resources.

use std::any::Any;
use std::fmt::Debug;

use crate::{Answer, Hresult, Success, TokenFlags};

/// IBitsTokenOptions, had from a job (4.0; clauses `token.*`, `helper.*`).
///
/// Before Windows 10 1607 every method needs an administrator who calls on a job of an
/// administrator. Since then the owner may call too, as long as no helper token is an
/// administrator's. Who calls is who has asked for this interface: the helper need not have any
/// rights on the job. Refused with `E_ACCESSDENIED`.
pub trait TokenOptions: Any + Debug + Send + Sync {
    /// Chooses what the helper token is used for; with no flags it is not used. An attempt that
    /// runs goes on as it began (a decision).
    ///
    /// Since 4.0; clauses `token.set_helper_token_flags.*`.
    ///
    /// # Errors
    /// `E_NOTIMPL` for undefined bits (a decision); `E_ACCESSDENIED` see above;
    /// `BG_E_INVALID_STATE` in a final state (a decision).
    fn set_helper_token_flags(&self, flags: TokenFlags) -> Result<Success, Hresult>;

    /// What the helper token is used for; nothing when never set (a decision). Since 4.0; clauses
    /// `token.get_helper_token_flags.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` see above.
    fn helper_token_flags(&self) -> Result<TokenFlags, Hresult>;

    /// Gives the token that the calling thread impersonates to the job, in place of an earlier one.
    /// It is lost when its session ends, when the job's owner logs off, and with the service.
    ///
    /// Since 4.0; clauses `token.set_helper_token.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` see above; `CO_E_FAILEDTOIMPERSONATE` when the client's COM settings do not
    /// let BITS impersonate; `BG_E_INVALID_STATE` in a final state (a decision).
    fn set_helper_token(&self) -> Result<Success, Hresult>;

    /// Drops the helper token; the flags stay. Since 4.0; clauses `token.clear_helper_token.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` see above; `BG_E_INVALID_STATE` in a final state (a decision).
    fn clear_helper_token(&self) -> Result<Success, Hresult>;

    /// The SID of the helper token's user as text, or `None` without one, which is `S_OK` too (a
    /// decision). Since 4.0; clauses `token.get_helper_token_sid.*`.
    ///
    /// # Errors
    /// `E_ACCESSDENIED` see above.
    fn helper_token_sid(&self) -> Result<Answer<Option<String>>, Hresult>;
}
