//! IBitsTokenOptions over a running service.
//!
//! Access is that of whoever asked for the interface; the helper is whom the calling thread
//! impersonates.

use bits_api::{Answer, Hresult, Success, TokenFlags, TokenOptions};

use crate::job::JobHandle;

impl TokenOptions for JobHandle {
    fn set_helper_token_flags(&self, flags: TokenFlags) -> Result<Success, Hresult> {
        let token = &self.caller().token();
        self.service()?.mutate(self.caller(), "SetHelperTokenFlags", self.key(), |engine, cx| {
            engine.set_helper_token_flags(cx, token, self.key(), flags)
        })
    }

    fn helper_token_flags(&self) -> Result<TokenFlags, Hresult> {
        self.service()?.read(|engine| engine.helper_token_flags(&self.caller().token(), self.key()))
    }

    fn set_helper_token(&self) -> Result<Success, Hresult> {
        let (token, helper) = (&self.caller().token(), &self.caller().thread());
        self.service()?.mutate(self.caller(), "SetHelperToken", self.key(), |engine, cx| {
            engine.set_helper_token(cx, token, self.key(), helper)
        })
    }

    fn clear_helper_token(&self) -> Result<Success, Hresult> {
        let token = &self.caller().token();
        self.service()?.mutate(self.caller(), "ClearHelperToken", self.key(), |engine, cx| {
            engine.clear_helper_token(cx, token, self.key())
        })
    }

    fn helper_token_sid(&self) -> Result<Answer<Option<String>>, Hresult> {
        let sid = self.service()?.read(|engine| engine.helper_token_sid(&self.caller().token(), self.key()))?;
        Ok(Answer { code: Success::OK, value: sid.map(|sid| sid.to_string()) })
    }
}
