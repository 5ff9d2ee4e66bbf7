//! Time, users' sessions, the network, policies, and the service itself.

use std::sync::Arc;
use std::time::Duration;

use bits_api::{FileTime, Job, JobState};
use bits_service::{Entry, What};
use bits_world::{Network, Passport, Policies};

use super::{Bench, Running};
use crate::claims::{Outcome, Stop};
use crate::provider::Capability;

impl Bench {
    /// The wall clock's time.
    pub(crate) fn now(&self) -> Result<FileTime, Stop> {
        self.can(Capability::VirtualTime)?;
        Ok(self.clock.now().wall)
    }

    /// Lets everything come to rest; no time passes.
    pub(crate) fn settle(&self) -> Outcome {
        if self.is_live() {
            return self.settle_live();
        }
        self.can(Capability::VirtualTime)?;
        self.emulator()?.settle().map_err(|error| Stop::Failed(format!("{error:?}")))
    }

    /// Lets that much time pass.
    pub(crate) fn advance(&self, duration: Duration) -> Outcome {
        self.can(Capability::VirtualTime)?;
        self.emulator()?.advance(duration).map_err(|error| Stop::Failed(format!("{error:?}")))
    }

    /// Sets the wall clock, as a user does.
    pub(crate) fn set_wall_clock(&self, wall: FileTime) -> Outcome {
        self.can(Capability::VirtualTime)?;
        match self.clock.as_virtual() {
            Some(clock) => clock.set_wall(wall),
            None => return Err(Capability::VirtualTime.missing()),
        }
        Ok(())
    }

    /// The main client's user logs off; so far only in the world, nobody has waited for it.
    pub(crate) fn log_off(&self) -> Outcome {
        self.can(Capability::World)?;
        let user = self.own_token()?.user;
        self.emulator()?.change_world(|world| world.log_off(&user));
        Ok(())
    }

    /// The main client's user logs on again.
    pub(crate) fn log_on(&self) -> Outcome {
        self.can(Capability::World)?;
        let user = self.own_token()?.user;
        self.emulator()?.change_world(|world| world.log_on(user));
        Ok(())
    }

    /// The network goes away.
    pub(crate) fn disconnect(&self) -> Outcome {
        self.set_network(Network::Disconnected)
    }

    /// The network loses its default gateway.
    pub(crate) fn lose_gateway(&self) -> Outcome {
        self.set_network(Network::NoGateway)
    }

    /// The network comes back.
    pub(crate) fn connect(&self) -> Outcome {
        self.set_network(Network::Connected)
    }

    fn set_network(&self, network: Network) -> Outcome {
        self.can(Capability::World)?;
        self.emulator()?.change_world(|world| world.network = network);
        Ok(())
    }

    /// An administrator changes policies.
    pub(crate) fn set_policies(&self, change: impl FnOnce(&mut Policies)) -> Outcome {
        self.can(Capability::World)?;
        self.emulator()?.change_world(|world| change(&mut world.policies));
        Ok(())
    }

    /// Passport signs in with the help of these servers.
    pub(crate) fn set_passport(&self, servers: Passport) -> Outcome {
        self.can(Capability::World)?;
        self.emulator()?.change_world(|world| world.passport = servers);
        Ok(())
    }

    /// The service stops and starts again; handles and callbacks are lost.
    pub(crate) fn restart_service(&self) -> Outcome {
        self.can(Capability::Restart)?;
        self.emulator()?.restart().map_err(|error| Stop::Failed(format!("the service does not start again: {error}")))
    }

    /// The main client's process ends.
    pub(crate) fn end_client(&self) -> Outcome {
        self.can(Capability::Clients)?;
        if let Running::Emulator(playing) = self.running()? {
            playing.client.exit();
        }
        Ok(())
    }

    /// Every state that the job has been in, in order, by Windows' name without its prefix.
    pub(crate) fn states_of(&self, job: &Arc<dyn Job>) -> Result<Vec<JobState>, Stop> {
        self.can(Capability::Timeline)?;
        let id = job.id()?;
        Ok(self.emulator()?.timeline().states(id))
    }

    /// The moments at which attempts of the job began, oldest first.
    pub(crate) fn attempts_of(&self, job: &Arc<dyn Job>) -> Result<Vec<FileTime>, Stop> {
        self.can(Capability::Timeline)?;
        let id = job.id()?;
        let started = |entry: &Entry| entry.job == Some(id) && matches!(entry.what, What::AttemptStarted { .. });
        let entries = self.emulator()?.timeline().entries();
        Ok(entries.iter().filter(|entry| started(entry)).map(|entry| entry.at.wall).collect())
    }
}
