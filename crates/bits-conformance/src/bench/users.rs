//! Who calls.

use std::sync::Arc;

use bits_api::{Hresult, Manager};
use bits_service::{Client, Emulator, Impersonation, impersonate};
use bits_world::{Accounts, Logon, SessionId, Sid, Token, World};

use super::{Bench, Running};
use crate::claims::{Outcome, Stop};
use crate::machine;
use crate::provider::Capability;

impl Bench {
    /// Another program of the main client's user.
    pub(crate) fn another_client(&self) -> Result<Client, Stop> {
        self.can(Capability::Clients)?;
        let emulator = self.emulator()?;
        Ok(emulator.client_as("second.exe", self.main_token(emulator)))
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

    /// The manager, as LocalSystem has it.
    pub(crate) fn local_system(&self) -> Result<Arc<dyn Manager>, Stop> {
        self.service_account(Sid::LOCAL_SYSTEM)
    }

    /// The manager, as a service account has it.
    pub(crate) fn service_account(&self, sid: &'static str) -> Result<Arc<dyn Manager>, Stop> {
        self.can(Capability::ServiceAccount)?;
        self.manager_of(Token::service_account(sid))
    }

    /// The SID of the main client's user, as text.
    pub(crate) fn own_sid(&self) -> Result<String, Stop> {
        match self.running()? {
            Running::Emulator(_) => Ok(self.own_user()?.user.to_string()),
            Running::Windows(_) => {
                machine::own_sid().ok_or_else(|| Stop::Skipped("whoami does not tell who the user is".to_owned()))
            }
        }
    }

    /// A second standard user, who is logged on.
    pub(crate) fn other_token(&self) -> Result<Token, Stop> {
        self.can(Capability::SecondUser)?;
        Ok(self.emulator()?.user("other"))
    }

    /// An elevated administrator, who is logged on.
    pub(crate) fn administrator_token(&self) -> Result<Token, Stop> {
        self.can(Capability::Administrator)?;
        Ok(self.emulator()?.administrator("root"))
    }

    /// A user of that name who is not logged on.
    pub(crate) fn stranger(&self, name: &str) -> Result<Token, Stop> {
        self.can(Capability::SecondUser)?;
        Ok(Token::standard(Sid::of_name(name)))
    }

    /// The manager, as a program with that token has it.
    pub(crate) fn manager_as(&self, token: Token) -> Result<Arc<dyn Manager>, Stop> {
        self.can(Capability::Tokens)?;
        self.manager_of(token)
    }

    /// What a program with that token gets instead of a manager.
    pub(crate) fn activation_of(&self, token: Token) -> Result<Hresult, Stop> {
        self.can(Capability::Tokens)?;
        let activated = self.emulator()?.client_as("helper.exe", token).manager();
        Ok(activated.err().unwrap_or(Hresult::S_OK))
    }

    /// Impersonates that token on this thread, until the value is dropped.
    pub(crate) fn impersonate(&self, token: &Token) -> Result<Impersonation, Stop> {
        self.can(Capability::Tokens)?;
        Ok(impersonate(token.clone()))
    }

    /// Changes who is logged on, and how.
    pub(crate) fn change_sessions(&self, change: impl FnOnce(&mut World)) -> Outcome {
        self.can(Capability::World)?;
        self.emulator()?.change_world(change);
        Ok(())
    }

    /// What users have logged on with, and when it is shown, becomes something else.
    pub(crate) fn change_accounts(&self, change: impl FnOnce(&mut Accounts)) -> Outcome {
        self.change_sessions(|world| change(&mut world.accounts))
    }

    /// Logs a user on.
    pub(crate) fn open_session(&self, token: &Token, logon: Logon) -> Result<SessionId, Stop> {
        self.can(Capability::World)?;
        let mut opened = None;
        self.emulator()?.change_world(|world| opened = Some(world.open_session(token.user.clone(), logon)));
        opened.ok_or_else(|| Stop::Failed("the world was not changed".to_owned()))
    }

    /// The sessions of a user.
    pub(crate) fn sessions_of(&self, token: &Token) -> Result<Vec<SessionId>, Stop> {
        let mut found = Vec::new();
        self.change_sessions(|world| found.extend(world.sessions_of(&token.user).map(|(id, _)| id)))?;
        Ok(found)
    }

    /// Lets these users alone use the folder of the local files.
    pub(crate) fn folder_only_for(&self, users: &[&Token]) -> Outcome {
        let folder = self.data_folder();
        let users: Vec<Sid> = users.iter().map(|token| token.user.clone()).collect();
        self.change_sessions(|world| world.permissions.allow_only(folder, users))
    }

    /// The main client's user.
    pub(crate) fn own_token(&self) -> Result<Token, Stop> {
        self.can(Capability::Tokens)?;
        self.own_user()
    }

    fn own_user(&self) -> Result<Token, Stop> {
        Ok(self.main_token(self.emulator()?))
    }

    /// The program that cases are about.
    pub(super) fn main_client(&self, emulator: &Emulator) -> Client {
        emulator.client_as("updater.exe", self.main_token(emulator))
    }

    fn main_token(&self, emulator: &Emulator) -> Token {
        let name = Emulator::DEFAULT_USER;
        if self.limits.provider.is_elevated() { emulator.administrator(name) } else { emulator.user(name) }
    }

    fn manager_of(&self, token: Token) -> Result<Arc<dyn Manager>, Stop> {
        Ok(self.emulator()?.client_as("helper.exe", token).manager()?)
    }
}
