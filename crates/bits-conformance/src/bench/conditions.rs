//! What of the machine and its network holds jobs back.

use std::time::Duration;

use bits_world::{NetworkCost, Power, Uplink, Volume, World};

use super::Bench;
use crate::claims::{Outcome, Stop};
use crate::provider::Capability;

impl Bench {
    /// The network costs something else.
    pub(crate) fn set_cost(&self, cost: NetworkCost) -> Outcome {
        self.change(|world| world.cost = cost)
    }

    /// The machine knows this of its way to the network.
    pub(crate) fn set_uplink(&self, uplink: Uplink) -> Outcome {
        self.change(|world| world.uplink = Some(uplink))
    }

    /// The machine runs on something else, or otherwise.
    pub(crate) fn set_power(&self, change: impl FnOnce(&mut Power)) -> Outcome {
        self.change(|world| change(&mut world.power))
    }

    /// A game begins or ends.
    pub(crate) fn set_game_mode(&self, is_on: bool) -> Outcome {
        self.change(|world| world.game_mode = is_on)
    }

    /// A disk check locks the volume of all local names, or ends.
    pub(crate) fn set_locked(&self, is_locked: bool) -> Outcome {
        self.change(|world| world.drives.set_locked(Volume::new('C'), is_locked))
    }

    /// The machine sleeps for so long; what is due meanwhile happens when it wakes.
    pub(crate) fn sleep(&self, duration: Duration) -> Outcome {
        self.can(Capability::VirtualTime)?;
        self.emulator()?.sleep(duration).map_err(|error| Stop::Failed(format!("{error:?}")))
    }

    fn change(&self, change: impl FnOnce(&mut World)) -> Outcome {
        self.can(Capability::World)?;
        self.emulator()?.change_world(change);
        Ok(())
    }
}
