//! Proxies: what the world says of them, and which way attempts have gone.

use bits_world::{InternetSettings, Proxies, ProxyScript, Token};

use super::{Bench, Remote};
use crate::claims::{Outcome, Stop};
use crate::provider::Capability;

impl Bench {
    /// What is set of proxies, and what detection finds, becomes something else.
    pub(crate) fn set_proxies(&self, change: impl FnOnce(&mut Proxies)) -> Outcome {
        self.can(Capability::World)?;
        self.change_sessions(|world| change(&mut world.proxies))
    }

    /// The main client's user sets proxies.
    pub(crate) fn set_own_proxies(&self, settings: InternetSettings) -> Outcome {
        self.set_proxies_of(&self.own_token()?, settings)
    }

    /// A user, or a service account, sets proxies.
    pub(crate) fn set_proxies_of(&self, whose: &Token, settings: InternetSettings) -> Outcome {
        self.set_proxies(|proxies| _ = proxies.users.insert(whose.user.clone(), settings))
    }

    /// Detection finds a script with this answer for every host.
    pub(crate) fn detect(&self, answer: &str) -> Outcome {
        self.set_proxies(|proxies| proxies.detected = Some(ProxyScript::answering(answer)))
    }

    /// Nobody can reach a proxy any more.
    pub(crate) fn sink_proxy(&self, host: &str, port: u16) -> Outcome {
        self.simulation()?.sink_proxy(host, port);
        Ok(())
    }

    /// A file of 1,000 bytes at any URL.
    pub(crate) fn file_at(&self, url: &str) -> Result<Remote, Stop> {
        self.can(Capability::Servers)?;
        let remote = Remote { url: url.to_owned(), local: self.local("a.bin") };
        self.simulation()?.serve(&remote.url, 1_000);
        Ok(remote)
    }

    /// The ways of all attempts that have reached somebody, as scripts write them, oldest first.
    pub(crate) fn ways(&self) -> Result<Vec<String>, Stop> {
        Ok(self.simulation()?.ways().iter().map(|(_, way)| way.to_string()).collect())
    }
}
