//! IBitsTokenOptions: somebody else's token for some of a job's resources.
//!
//! The helper is whom the calling thread impersonates, which every call takes along
//! ([`crate::impersonation`]).

use bits_api::{Answer, Hresult, Success, TokenFlags, TokenOptions};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;

use crate::job::JobHandle;

impl TokenOptions for JobHandle {
    fn set_helper_token_flags(&self, flags: TokenFlags) -> Result<Success, Hresult> {
        self.as_token_options()?.call(|table| table.SetHelperTokenFlags, (bits::BG_TOKEN(flags.bits()),))
    }

    fn helper_token_flags(&self) -> Result<TokenFlags, Hresult> {
        let flags: bits::BG_TOKEN = self.as_token_options()?.read(|table| table.GetHelperTokenFlags)?;
        Ok(TokenFlags::from_bits_retain(flags.0))
    }

    fn set_helper_token(&self) -> Result<Success, Hresult> {
        self.as_token_options()?.call(|table| table.SetHelperToken, ())
    }

    fn clear_helper_token(&self) -> Result<Success, Hresult> {
        self.as_token_options()?.call(|table| table.ClearHelperToken, ())
    }

    fn helper_token_sid(&self) -> Result<Answer<Option<String>>, Hresult> {
        self.as_token_options()?.coded_text(|table| table.GetHelperTokenSid)
    }
}
