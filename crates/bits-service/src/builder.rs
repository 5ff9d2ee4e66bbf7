//! How an emulator is set up.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bits_api::{Guid, Hresult, Unknown};
use bits_engine::Config;
use bits_transfer::{GuardedDisk, HttpMover, LocalDisk};
use bits_wire::attempt::{Disk, Mover};
use bits_world::clock::{Clock, VirtualClock};
use bits_world::{Decisions, LocalStorage, Preset, Profile, Sid, UnknownPreset, World};

use crate::classes::Factory;
use crate::client::Client;
use crate::commands::{CommandLimits, Commands};
use crate::emulator::Emulator;
use crate::failure::StartError;
use crate::guids::Guids;
use crate::sim::{SimulatedMover, Simulation};

/// Sets up an [`Emulator`].
#[must_use]
pub struct Builder {
    clock: Clock,
    profile: Profile,
    preset: Option<Result<&'static Preset, UnknownPreset>>,
    world: World,
    is_logged_on: bool,
    seed: Option<u64>,
    scramble: Option<u64>,
    decisions: Vec<(String, String)>,
    state: Option<PathBuf>,
    trusted: Vec<String>,
    simulation: Option<Simulation>,
    clients: ClientCode,
}

/// What clients bring along: code that BITS starts by itself.
#[derive(Default)]
pub(crate) struct ClientCode {
    pub(crate) commands: Commands,
    pub(crate) factories: HashMap<Guid, Arc<Factory>>,
}

/// What lies beyond the service: the network and the disk.
pub(crate) enum Outside {
    /// Real sockets and files; trusts these PEM certificates beside the machine's roots.
    Real {
        trusted: Vec<String>,
        /// The file version of BITS' library.
        library: String,
    },
    Simulated(Simulation),
}

type Ends = (Arc<dyn Mover>, Arc<dyn Disk>);

impl Outside {
    /// Over HTTP only downloads are spoken.
    fn can_upload(&self) -> bool {
        matches!(self, Self::Simulated(_))
    }

    pub(crate) fn open(&self, clock: &Clock, config: &Config, storage: &LocalStorage) -> Result<Ends, String> {
        match self {
            Self::Real { trusted, library } => {
                let mover = HttpMover::new(clock.clone(), library, &config.decisions, trusted)?;
                let disk = GuardedDisk::new(LocalDisk, storage.clone());
                Ok((Arc::new(mover.on(storage.clone()).playing(config.profile)), Arc::new(disk)))
            }
            Self::Simulated(simulation) => {
                let disk = GuardedDisk::new(simulation.clone(), storage.clone());
                Ok((SimulatedMover::new(simulation, clock, &config.decisions, storage), Arc::new(disk)))
            }
        }
    }
}

impl Outside {
    /// Writes a local file.
    pub(crate) fn write(&self, path: &Path, content: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Real { .. } => std::fs::write(path, content),
            Self::Simulated(simulation) => {
                simulation.put_file(path, content.len() as u64);
                Ok(())
            }
        }
    }
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            clock: Clock::Virtual(VirtualClock::new()),
            profile: Profile::default(),
            preset: None,
            world: World::default(),
            is_logged_on: true,
            seed: None,
            scramble: None,
            decisions: Vec::new(),
            state: None,
            trusted: Vec::new(),
            simulation: None,
            clients: ClientCode::default(),
        }
    }

    /// Lives by this clock; without it, by a virtual clock of its own.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Plays this BITS, in the first Windows that had it.
    pub fn profile(mut self, profile: Profile) -> Self {
        (self.profile, self.preset) = (profile, None);
        self
    }

    /// Plays the BITS of a release of Windows, by a name such as `win10-22h2`, `server2012r2` or
    /// `xp-sp2`: [`Preset::all`] tells all of them. A name that is none is told by
    /// [`Builder::start`].
    pub fn preset(mut self, name: &str) -> Self {
        let preset = Preset::named(name);
        if let Ok(preset) = preset {
            self.profile = preset.profile;
        }
        self.preset = Some(preset);
        self
    }

    /// Changes the world before the start. It begins with a network and without drives: a local name
    /// such as `C:\a` gives ERROR_DIRECTORY until `world.drives.mount('C', folder)`. On Windows, the drives
    /// of the machine are there, but for those that `world.drives.unmount` takes away.
    pub fn world(mut self, change: impl FnOnce(&mut World)) -> Self {
        change(&mut self.world);
        self
    }

    /// Starts before the default user has logged on, as after a boot: the user's jobs in a state folder
    /// wait until [`Emulator::log_on`].
    pub fn before_logon(mut self) -> Self {
        self.is_logged_on = false;
        self
    }

    /// Makes identifiers, and the order where BITS promises none, reproducible.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Does by this seed what BITS may do and seldom does: enumerates jobs in another order each
    /// time, loses modifications, lets notifications of a job overtake each other, gives slices of
    /// other lengths. The same seed does the same; a client that is in order does not notice.
    pub fn scramble(mut self, seed: u64) -> Self {
        self.scramble = Some(seed);
        self
    }

    /// Takes another choice for an entry of `fixtures/decisions.toml` that has a switch.
    pub fn decision(mut self, id: &str, value: &str) -> Self {
        self.decisions.push((id.into(), value.into()));
        self
    }

    /// Keeps the queue in this folder, made when it is not there; without it, in memory.
    pub fn state_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.state = Some(folder.into());
        self
    }

    /// Trusts the certificates of this PEM text beside the machine's roots.
    pub fn trust(mut self, pem: impl Into<String>) -> Self {
        self.trusted.push(pem.into());
        self
    }

    /// Moves simulated files instead of real ones.
    pub fn simulated(mut self, simulation: &Simulation) -> Self {
        self.simulation = Some(simulation.clone());
        self
    }

    /// Registers a class for BITS_JOB_PROPERTY_NOTIFICATION_CLSID: when a job of that class has no
    /// live object to tell, `factory` makes one. It is given the program that was started for the
    /// object, with the token of the job's owner; the object is lost when that program ends.
    /// A class that is not registered gives `REGDB_E_CLASSNOTREG`.
    pub fn class(
        mut self,
        class: Guid,
        factory: impl Fn(Client) -> Result<Arc<dyn Unknown>, Hresult> + Send + Sync + 'static,
    ) -> Self {
        self.clients.factories.insert(class, Arc::new(factory));
        self
    }

    /// Really runs notification programs, as processes of this machine: within these limits, with
    /// the rights of this process, and only while the service runs. A path of Windows leads where
    /// the world's drives lead; nothing is searched. Without this, programs are only written down
    /// and played: see [`Commands`].
    pub fn run_commands(mut self, limits: CommandLimits) -> Self {
        self.clients.commands = Commands::real(limits);
        self
    }

    /// Starts the emulator.
    ///
    /// # Errors
    /// [`StartError`] for a queue that cannot be read, a certificate that is none, a decision or
    /// a preset that does not exist.
    pub fn start(mut self) -> Result<Emulator, StartError> {
        let mut decisions = Decisions::default();
        for (id, value) in &self.decisions {
            decisions.set(id, value).map_err(StartError::Decision)?;
        }
        let preset = self.preset.transpose()?;
        let library = preset.map_or(self.profile.library(), |preset| &preset.library).to_owned();
        let outside = match self.simulation {
            Some(simulation) => Outside::Simulated(simulation),
            None => Outside::Real { trusted: self.trusted, library },
        };
        let config = Config {
            profile: self.profile,
            decisions,
            seed: self.seed.unwrap_or_default(),
            scramble: self.scramble,
            uploads: outside.can_upload(),
        };
        if self.is_logged_on {
            self.world.log_on(Sid::of_name(Emulator::DEFAULT_USER));
        }
        Emulator::start_with(self.clock, config, outside, Guids::new(self.seed), self.clients, self.state, self.world)
    }
}
