//! What a case works with: clients, jobs, remote files, time and world, in the words of the field.
//!
//! The bench starts its provider when the first thing is asked of it; what must stand before that
//! (the version, the network) is set up first.

mod callback;
mod certificates;
mod conditions;
mod files;
mod lifetime;
mod limits;
mod live;
mod notify;
mod parts;
mod peers;
mod probing;
mod proxies;
mod queue;
mod real;
mod shares;
mod transfers;
mod uploads;
mod users;
mod world;

use std::cell::{Cell, OnceCell};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use bits_api::{Guid, Hresult, Job, JobPriority, JobState, JobType, Manager};
use bits_service::{Client, CommandLimits, Emulator, Simulation};
use bits_world::Profile;
use bits_world::clock::Clock;

use crate::claims::{Claim, Claims, Outcome, Stop, failed};
use crate::expected::Measured;
use crate::falsify::Falsify;
use crate::ledger::PREFIX;
use crate::provider::{Capability, Kind};

pub(crate) use callback::{Recorder, Told};
pub(crate) use certificates::{client_certificate, shake_hands, told};
pub(crate) use files::{Remote, Trouble};
pub(crate) use limits::{GivenUp, Limits};
pub(crate) use parts::{pairs, ranges};

/// A name for jobs that no other program and no other run uses: by it, the next run knows a job that this
/// one has left before it knew of it.
pub(crate) fn job_name() -> &'static str {
    static NAME: LazyLock<String> = LazyLock::new(|| {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        format!("{PREFIX}{:x}-{:x}", std::process::id(), now.as_nanos())
    });
    &NAME
}

/// Time enough for anything that does not wait by itself.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// One case's own BITS and all around it.
pub(crate) struct Bench {
    limits: Limits,
    claims: Claims,
    clock: Clock,
    profile: Profile,
    preset: Option<&'static str>,
    decisions: Vec<(&'static str, &'static str)>,
    classes: notify::Classes,
    /// Whether notification programs are really started.
    starts_programs: bool,
    outside: Outside,
    /// Where the queue lies, if it is not in memory.
    queue: Option<tempfile::TempDir>,
    running: OnceCell<Running>,
    /// How long jobs have been given to come to rest.
    waited: Cell<Duration>,
    /// Goes last: nothing holds up any more what is cancelled then.
    own: live::Own,
}

/// What lies beyond the service.
enum Outside {
    /// Files without bytes.
    Simulated(Simulation),
    /// Real bytes over real sockets, into this folder.
    Real(real::Real),
}

/// The provider, once it has been started.
enum Running {
    Emulator(Playing),
    /// Real BITS, which was there before.
    Windows(Arc<dyn Manager>),
}

/// An emulator of this bench's own.
struct Playing {
    emulator: Emulator,
    client: Client,
}

impl Bench {
    /// A bench on which nothing has happened; one claim may be told to expect something else.
    pub(crate) fn new(limits: Limits, falsified: Option<usize>) -> Self {
        let clock = limits.provider.clock();
        let own = live::Own::new(&limits);
        let outside = if limits.provider.kind.is_live() {
            Outside::Real(real::Real::new(clock.clone(), own.folder()))
        } else {
            Outside::Simulated(Simulation::new())
        };
        Self {
            limits,
            claims: Claims::new(falsified),
            clock,
            profile: Profile::default(),
            preset: None,
            decisions: Vec::new(),
            classes: notify::Classes::default(),
            starts_programs: false,
            own,
            outside,
            queue: None,
            running: OnceCell::new(),
            waited: Cell::default(),
        }
    }

    /// The claims that were made; the provider is gone then.
    pub(crate) fn into_claims(self) -> Vec<Claim> {
        self.claims.into_made()
    }

    /// See [`Claims::returns`].
    pub(crate) fn returns(
        &mut self,
        names: impl crate::claims::Names,
        result: impl crate::claims::CallResult,
    ) -> Outcome {
        self.claims.returns(names, result)
    }

    /// See [`Claims::returns_in_turn`].
    pub(crate) fn returns_in_turn(&mut self, names: impl crate::claims::Names, got: &[Hresult]) -> Outcome {
        self.claims.returns_in_turn(names, got)
    }

    /// See [`Claims::value`].
    pub(crate) fn value(&mut self, names: impl crate::claims::Names, got: impl Measured) -> Outcome {
        self.claims.value(names, got)
    }

    /// See [`Claims::is`].
    pub(crate) fn is<T>(&mut self, names: impl crate::claims::Names, got: T, expected: T) -> Outcome
    where
        T: PartialEq + std::fmt::Debug + Falsify,
    {
        self.claims.is(names, got, expected)
    }

    /// See [`Claims::holds`].
    pub(crate) fn holds(&mut self, names: impl crate::claims::Names, what: &str, held: bool) -> Outcome {
        self.claims.holds(names, what, held)
    }

    /// Skips the case where the provider cannot do this; for what no function of the bench is asked for.
    pub(crate) fn needs(&self, capability: Capability) -> Outcome {
        self.can(capability)
    }

    /// Skips the case where the provider cannot do this.
    fn can(&self, capability: Capability) -> Outcome {
        if self.limits.lacks(capability) { Err(capability.missing()) } else { Ok(()) }
    }

    /// Whether time passes by itself.
    fn is_live(&self) -> bool {
        self.limits.provider.kind.is_live()
    }

    fn is_windows(&self) -> bool {
        self.limits.provider.kind == Kind::Windows
    }

    /// Another BITS on which nothing has happened; the claims stay, and what has been waited for jobs.
    pub(crate) fn start_over(&mut self) {
        let claims = std::mem::replace(&mut self.claims, Claims::new(None));
        let waited = Cell::new(self.waited.get());
        *self = Self { claims, waited, ..Self::new(self.limits.clone(), None) };
    }

    /// Plays this BITS from the start.
    pub(crate) fn play(&mut self, profile: Profile) -> Outcome {
        self.can(Capability::Versions)?;
        self.before_start("the version")?;
        self.profile = profile;
        Ok(())
    }

    /// Plays a release of Windows from the start.
    pub(crate) fn preset(&mut self, name: &'static str) -> Outcome {
        self.can(Capability::Versions)?;
        self.before_start("the release of Windows")?;
        self.preset = Some(name);
        Ok(())
    }

    /// Takes another choice where the documentation is silent.
    pub(crate) fn decide(&mut self, id: &'static str, value: &'static str) -> Outcome {
        self.can(Capability::Versions)?;
        self.before_start("a decision")?;
        self.decisions.push((id, value));
        Ok(())
    }

    fn before_start(&self, what: &str) -> Outcome {
        match self.running.get() {
            Some(_) => failed(format!("{what} must be set before the first call")),
            None => Ok(()),
        }
    }

    fn running(&self) -> Result<&Running, Stop> {
        if let Some(running) = self.running.get() {
            return Ok(running);
        }
        if let Outside::Real(real) = &self.outside {
            real.make_folders()?;
        }
        let running = match &self.limits.provider.manager {
            Some(manager) => Running::Windows(Arc::clone(manager)),
            None => Running::Emulator(self.play_emulator()?),
        };
        Ok(self.running.get_or_init(|| running))
    }

    fn play_emulator(&self) -> Result<Playing, Stop> {
        let emulator = self.start()?;
        let client = self.main_client(&emulator);
        Ok(Playing { emulator, client })
    }

    fn start(&self) -> Result<Emulator, Stop> {
        let folder = self.data_folder();
        let builder = Emulator::builder().clock(self.clock.clone()).profile(self.profile).seed(7).world(|world| {
            let is_simulated = matches!(self.outside, Outside::Simulated(_));
            if is_simulated {
                // Files without bytes are on no drive of this machine.
                ('A'..='Z').for_each(|letter| world.drives.unmount(letter));
            }
            // Where local names are those of this Windows, its drives are as they are.
            if is_simulated || !cfg!(windows) {
                world.drives.mount('C', folder);
            }
        });
        let builder = self.preset.iter().fold(builder, |builder, name| builder.preset(name));
        let builder = self.decisions.iter().fold(builder, |builder, (id, value)| builder.decision(id, value));
        let builder = self.classes.register(builder);
        let builder = if self.starts_programs { builder.run_commands(CommandLimits::default()) } else { builder };
        let builder = self.queue.iter().fold(builder, |builder, queue| builder.state_folder(queue.path()));
        let builder = match &self.outside {
            Outside::Simulated(simulation) => builder.simulated(simulation),
            Outside::Real(real) => real.trusted().into_iter().fold(builder, bits_service::Builder::trust),
        };
        builder.start().map_err(|error| Stop::Failed(format!("the emulator does not start: {error}")))
    }

    fn emulator(&self) -> Result<&Emulator, Stop> {
        match self.running()? {
            Running::Emulator(playing) => Ok(&playing.emulator),
            Running::Windows(_) => Err(Stop::Skipped("the emulator alone can do this".to_owned())),
        }
    }

    /// The manager, as the main client has it: a standard user who is logged on, where nothing else is asked for. On
    /// Windows it is whoever runs the suite.
    pub(crate) fn manager(&self) -> Result<Arc<dyn Manager>, Stop> {
        let manager = match self.running()? {
            Running::Emulator(playing) => playing.client.manager()?,
            Running::Windows(manager) => Arc::clone(manager),
        };
        if self.is_live() { Ok(self.own.noting(manager)) } else { Ok(manager) }
    }

    /// A new download job without files.
    pub(crate) fn new_job(&self) -> Result<Arc<dyn Job>, Stop> {
        new_job(&self.manager()?)
    }

    /// A new download job with one file, which is served and has `size` bytes.
    pub(crate) fn job_with_file(&self, size: u64) -> Result<(Arc<dyn Job>, Remote), Stop> {
        let job = self.new_job()?;
        let file = self.serve("a.bin", size)?;
        file.add_to(&job)?;
        Ok((job, file))
    }

    /// A job in that state, with one file of 1,000 bytes.
    pub(crate) fn job_in(&self, state: JobState) -> Result<(Arc<dyn Job>, Remote), Stop> {
        let (job, file) = self.job_with_file(1_000)?;
        self.bring(&job, &file, state)?;
        Ok((job, file))
    }

    /// Brings a suspended job whose only file is `file` into that state.
    pub(crate) fn bring(&self, job: &Arc<dyn Job>, file: &Remote, state: JobState) -> Outcome {
        match state {
            JobState::SUSPENDED => return Ok(()),
            JobState::QUEUED => self.block_background()?,
            JobState::CONNECTING => self.hold_connecting(file)?,
            JobState::TRANSFERRING => self.hold_at(file, 400)?,
            JobState::TRANSIENT_ERROR => self.trouble(file, Trouble::Unavailable)?,
            JobState::ERROR => self.trouble(file, Trouble::NotFound)?,
            JobState::CANCELLED => {
                job.cancel()?;
                return Ok(());
            }
            _ => {}
        }
        job.resume()?;
        if state == JobState::ACKNOWLEDGED {
            self.wait(job, JobState::TRANSFERRED, SOON)?;
            job.complete()?;
        }
        self.wait(job, state, SOON)
    }

    /// Keeps every background job below HIGH from its turn.
    pub(crate) fn block_background(&self) -> Outcome {
        let blocker = self.new_job()?;
        blocker.set_priority(JobPriority::HIGH)?;
        let file = self.serve("blocker.bin", 1_000)?;
        file.add_to(&blocker)?;
        self.hold_at(&file, 1)?;
        blocker.resume()?;
        self.wait(&blocker, JobState::TRANSFERRING, SOON)
    }

    /// The same job through a new manager, as after a restart.
    pub(crate) fn find(&self, id: Guid) -> Result<Arc<dyn Job>, Stop> {
        Ok(self.manager()?.job(id)?)
    }

    /// Waits until `job` is in `state`, at most for `within`.
    pub(crate) fn wait(&self, job: &Arc<dyn Job>, state: JobState, within: Duration) -> Outcome {
        self.may_wait(within)?;
        if self.is_live() {
            return self.wait_live(job, state, self.limits.patiently(within));
        }
        self.emulator()?.wait_state(job, state, within).map_err(|error| Stop::Failed(format!("{error:?}")))
    }

    /// A provider whose time cannot be moved really waits, but not longer than the user allows.
    fn may_wait(&self, within: Duration) -> Outcome {
        if self.limits.patiently(within) > self.limits.max_wait {
            self.can(Capability::VirtualTime).map_err(|_| {
                Stop::Skipped(format!("waits {within:?}, and --max-wait is {:?}", self.limits.max_wait))
            })?;
        }
        Ok(())
    }
}

/// A new download job without files.
pub(crate) fn new_job(manager: &Arc<dyn Manager>) -> Result<Arc<dyn Job>, Stop> {
    Ok(manager.create_job(Some(job_name()), JobType::DOWNLOAD)?.job)
}

/// Where simulated files lie.
fn simulated_folder() -> PathBuf {
    PathBuf::from("/simulated")
}
