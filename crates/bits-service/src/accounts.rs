//! The accounts of the emulated machine, by name.

use std::collections::BTreeMap;

use bits_world::{Sid, Token};

/// Who has an account.
#[derive(Default)]
pub(crate) struct Accounts(BTreeMap<String, Sid>);

impl Accounts {
    /// The account of that name; made when it is not there. Tells whether it is new.
    pub(crate) fn sid(&mut self, name: &str) -> (Sid, bool) {
        if let Some(sid) = self.0.get(name) {
            return (sid.clone(), false);
        }
        let sid = Sid::of_account(u32::try_from(self.0.len()).unwrap_or(u32::MAX - 1000));
        self.0.insert(name.into(), sid.clone());
        (sid, true)
    }

    pub(crate) fn standard(&mut self, name: &str) -> (Token, bool) {
        let (sid, new) = self.sid(name);
        (Token::standard(sid), new)
    }

    pub(crate) fn administrator(&mut self, name: &str) -> (Token, bool) {
        let (sid, new) = self.sid(name);
        (Token::administrator(sid), new)
    }
}
