//! Who calls.

use std::sync::Arc;

use bits_api::Manager;
use bits_service::Client;
use bits_world::{Sid, Token};

use super::Bench;
use crate::claims::Stop;
use crate::provider::Capability;

impl Bench {
    /// Another program of the main client's user.
    pub(crate) fn another_client(&self) -> Result<Client, Stop> {
        self.can(Capability::Clients)?;
        Ok(self.emulator()?.client("second.exe"))
    }

    /// The manager, as a second standard user has it.
    pub(crate) fn other_user(&self) -> Result<Arc<dyn Manager>, Stop> {
        self.can(Capability::SecondUser)?;
        self.manager_of(self.emulator()?.user("other"))
    }

    /// The manager, as an administrator has it.
    pub(crate) fn administrator(&self) -> Result<Arc<dyn Manager>, Stop> {
        self.can(Capability::Administrator)?;
        self.manager_of(self.emulator()?.administrator("root"))
    }

    /// The manager, as LocalSystem has it, which is no administrator's token here.
    pub(crate) fn local_system(&self) -> Result<Arc<dyn Manager>, Stop> {
        self.service_account(Sid::LOCAL_SYSTEM)
    }

    /// The manager, as a service account has it.
    pub(crate) fn service_account(&self, sid: &'static str) -> Result<Arc<dyn Manager>, Stop> {
        self.can(Capability::ServiceAccount)?;
        self.manager_of(Token::standard(Sid::new(sid)))
    }

    /// The SID of the main client's user, as text.
    pub(crate) fn own_sid(&self) -> Result<String, Stop> {
        Ok(self.own_token()?.user.to_string())
    }

    pub(super) fn own_token(&self) -> Result<Token, Stop> {
        Ok(self.emulator()?.user(bits_service::Emulator::DEFAULT_USER))
    }

    fn manager_of(&self, token: Token) -> Result<Arc<dyn Manager>, Stop> {
        Ok(self.emulator()?.client_as("helper.exe", token).manager()?)
    }
}
