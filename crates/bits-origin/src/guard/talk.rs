//! Exchanges of several messages, by which a connection becomes known: NTLM, alone and in Negotiate.

use bits_api::FileTime;

use super::basic::{decoded, encoded};
use super::ntlm::{Challenged, Refusal, Terms};
use super::spnego::{self, Own, Spnego};
use super::{Guard, Ruling, Scheme};

/// What a guard does wrong in an exchange of several messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Slip {
    /// It closes the connection, and says so, when it asks who somebody is.
    ClosesWhenAsking,
    /// It closes the connection, and says so, with its challenge.
    ClosesAfterChallenge,
    /// It hangs up after its challenge.
    HangsUp,
    /// It has forgotten its challenge when the answer comes.
    Forgets,
    /// Its challenge points to what is not in it.
    Lies,
    /// Its last word in Negotiate is signed with a key that nobody shares.
    SignsWrongly,
}

/// Where a guard looks at a request.
pub(crate) struct Place<'a> {
    /// The number of the connection.
    pub(crate) connection: u64,
    pub(crate) now: FileTime,
    /// What clients bind their proofs to there.
    pub(crate) binding: Option<&'a [u8]>,
}

/// What a post remembers of a connection.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    stage: Stage,
    /// What is said along with the answer to whom is let in.
    pub(crate) last_word: Option<String>,
    /// What becomes of the connection after the answer.
    pub(crate) parting: Parting,
}

/// How far an exchange is.
#[derive(Debug, Default)]
enum Stage {
    #[default]
    Silent,
    Ntlm(Challenged),
    Negotiate(Spnego),
    Known {
        realm: String,
        account: String,
    },
}

/// How a connection ends with an answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Parting {
    /// It does not.
    #[default]
    Stays,
    Announced,
    Unannounced,
}

/// What a message comes to.
enum Reply {
    Challenge(Stage, Vec<u8>),
    Welcome(String, Option<Vec<u8>>),
}

impl Memory {
    /// The account that the connection is known by.
    pub(super) fn known_to(&self, own: &str) -> Option<&str> {
        match &self.stage {
            Stage::Known { realm, account } if realm == own => Some(account),
            _ => None,
        }
    }
}

impl Guard {
    /// Goes on with an exchange, or begins it anew.
    pub(super) fn talk(&mut self, scheme: Scheme, said: &str, place: &Place<'_>, memory: &mut Memory) -> Ruling {
        let stage = std::mem::take(&mut memory.stage);
        let said = decoded(said.trim()).ok_or("no Base64");
        match said.and_then(|said| self.reply(scheme, &said, stage, place)) {
            Ok(Reply::Challenge(stage, token)) => {
                memory.stage = stage;
                if self.has_slipped(Slip::ClosesAfterChallenge) {
                    memory.parting = Parting::Announced;
                }
                if self.has_slipped(Slip::HangsUp) {
                    memory.parting = Parting::Unannounced;
                }
                Ruling::Stop(vec![format!("{} {}", scheme.name(), encoded(&token))])
            }
            Ok(Reply::Welcome(account, word)) => {
                memory.last_word = word.map(|word| format!("{} {}", scheme.name(), encoded(&word)));
                memory.stage = Stage::Known { realm: self.realm.clone(), account: account.clone() };
                Ruling::Pass(account, None)
            }
            Err(refusal) => {
                tracing::debug!(refusal, connection = place.connection, "a guard lets nobody pass");
                self.stop(false, memory)
            }
        }
    }

    fn reply(&mut self, scheme: Scheme, said: &[u8], stage: Stage, place: &Place<'_>) -> Result<Reply, Refusal> {
        let nonce = nonce(place);
        let (realm, wants_binding) = (self.realm.clone(), self.wants_binding);
        let own = Own { name: &realm, nonce, now: place.now };
        let is_bare = scheme == Scheme::Ntlm || Challenged::begins(said);
        let stage = match stage {
            Stage::Ntlm(_) | Stage::Negotiate(_) if !begins(said) && self.has_slipped(Slip::Forgets) => Stage::Silent,
            stage => stage,
        };
        match stage {
            Stage::Ntlm(challenged) if !Challenged::begins(said) => {
                let terms = Terms { accounts: &self.accounts, binding: place.binding, wants_binding };
                Ok(Reply::Welcome(challenged.check(said, &terms)?.account, None))
            }
            Stage::Negotiate(Spnego::Agreed { mechanisms }) if !begins(said) => {
                let (token, _) = spnego::answer(said)?;
                let (spnego, token) = Spnego::challenge(mechanisms, &token, &own)?;
                Ok(Reply::Challenge(Stage::Negotiate(spnego), token))
            }
            Stage::Negotiate(Spnego::Challenged { mechanisms, challenged }) if !begins(said) => {
                let (token, signature) = spnego::answer(said)?;
                let terms = Terms { accounts: &self.accounts, binding: place.binding, wants_binding };
                let (account, mut word) = Spnego::end(&mechanisms, &challenged, &token, signature.as_deref(), &terms)?;
                if self.has_slipped(Slip::SignsWrongly)
                    && let Some(last) = word.last_chunk_mut::<8>()
                {
                    // The end of the signature: its number, and of its code the last bytes.
                    last.fill(0x55);
                }
                Ok(Reply::Welcome(account, Some(word)))
            }
            _ if is_bare => {
                let mut challenged = Challenged::new(said, own.name, own.nonce, own.now)?;
                if self.has_slipped(Slip::Lies) {
                    challenged.lie();
                }
                let token = challenged.message().to_vec();
                Ok(Reply::Challenge(Stage::Ntlm(challenged), token))
            }
            _ => {
                let (spnego, token) = Spnego::begin(said, &own)?;
                Ok(Reply::Challenge(Stage::Negotiate(spnego), token))
            }
        }
    }
}

/// Whether a message is the first of an exchange.
fn begins(said: &[u8]) -> bool {
    Challenged::begins(said) || said.first() == Some(&spnego::APPLICATION)
}

/// Eight bytes of which no connection has the same.
fn nonce(place: &Place<'_>) -> [u8; 8] {
    let told = [place.connection.to_le_bytes(), place.now.0.to_le_bytes()].concat();
    md5::compute(told).0.first_chunk().copied().unwrap_or_default()
}
