//! Jobs that a test finds in the middle of their life.
//!
//! A seeded job is made by the calls that every client makes; its past goes on record and comes
//! back from there, as after a restart. So it is in no state that BITS could not have led it to.

use std::fmt;
use std::mem;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bits_api::{CreatedJob, ErrorContext, FileTime, Guid, Hresult, Job, JobState, JobType};
use bits_engine::{Cx, Engine, FileIndex, History, JobKey};
use bits_wire::attempt::Validators;

use crate::client::Client;
use crate::emulator::Inner;
use crate::faults::Hold;
use crate::service::Service;
use crate::timeline::What;

/// A job with a past: see [`Client::seed_job`](crate::Client::seed_job).
#[must_use]
pub struct Seed {
    name: String,
    state: JobState,
    age: Duration,
    idle: Option<Duration>,
    error: Option<(Hresult, ErrorContext)>,
    error_count: Option<u32>,
    files: Vec<SeedFile>,
    set_up: Vec<SetUp>,
}

type SetUp = Box<dyn FnOnce(&Arc<dyn Job>) -> Result<(), Hresult>>;

/// A file of a seeded job.
#[derive(Clone, Debug)]
#[must_use]
pub struct SeedFile {
    remote_name: String,
    local_name: String,
    arrived: Vec<u8>,
    /// What the server has told.
    size: Option<u64>,
    last_modified: Option<FileTime>,
}

/// Why a job could not be seeded.
#[derive(Clone, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SeedError {
    /// A call that makes the job was refused.
    #[error("{call} gave {code}")]
    Refused {
        /// Which call.
        call: &'static str,
        /// What it gave.
        code: Hresult,
    },
    /// No job can be like that.
    #[error("{0}")]
    Impossible(String),
    /// A temporary file could not be written.
    #[error("{0}")]
    File(String),
    /// A job that is to be active does not get its turn.
    #[error("the job stays in {state}: {why}")]
    NoTurn {
        /// Where it stays.
        state: JobState,
        /// Why.
        why: String,
    },
}

/// Tests unwrap; what they then print is meant for people.
impl fmt::Debug for SeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Seed {
    /// A job in `state`, any of the nine. One in CONNECTING or TRANSFERRING stays there until
    /// [`Emulator::let_go`](crate::Emulator::let_go), without a server; one in QUEUED gets its turn
    /// at once, unless another has it or its owner is not logged on; one in ACKNOWLEDGED or
    /// CANCELLED has left the queue, and its handle tells of it.
    pub fn new(state: JobState) -> Self {
        Self {
            name: "seeded".into(),
            state,
            age: Duration::ZERO,
            idle: None,
            error: None,
            error_count: None,
            files: Vec::new(),
            set_up: Vec::new(),
        }
    }

    /// The display name; without it, `seeded`.
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// The job was made so long ago, and nothing has happened to it since.
    pub fn age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// Bytes have moved, or a property has changed, so long ago.
    pub fn idle(mut self, idle: Duration) -> Self {
        self.idle = Some(idle);
        self
    }

    /// The job has failed with this. Without it one in ERROR has failed with 404, one in
    /// TRANSIENT_ERROR with 503.
    pub fn error(mut self, code: Hresult, context: ErrorContext) -> Self {
        self.error = Some((code, context));
        self
    }

    /// So many attempts have failed; without it, one if there is an error.
    pub fn error_count(mut self, count: u32) -> Self {
        self.error_count = Some(count);
        self
    }

    /// The job has this file too.
    pub fn file(mut self, file: SeedFile) -> Self {
        self.files.push(file);
        self
    }

    /// Does something with the job while it is still new: sets its priority, its callback.
    pub fn set_up(mut self, set_up: impl FnOnce(&Arc<dyn Job>) -> Result<(), Hresult> + 'static) -> Self {
        self.set_up.push(Box::new(set_up));
        self
    }
}

impl SeedFile {
    /// A file of which nothing is there yet, and of which no server was asked.
    pub fn new(remote_name: &str, local_name: &str) -> Self {
        Self {
            remote_name: remote_name.into(),
            local_name: local_name.into(),
            arrived: Vec::new(),
            size: None,
            last_modified: None,
        }
    }

    /// These bytes of a file of `size` bytes lie in the temporary file.
    pub fn part(mut self, arrived: impl Into<Vec<u8>>, size: u64) -> Self {
        self.arrived = arrived.into();
        self.size = Some(size);
        self
    }

    /// The whole of the file lies in the temporary file.
    pub fn whole(self, content: impl Into<Vec<u8>>) -> Self {
        let content = content.into();
        let size = content.len() as u64;
        self.part(content, size)
    }

    /// The time stamp that the server gave with the size. Without it, or when the server gives
    /// another one now, a part is thrown away and the file begins anew.
    pub fn last_modified(mut self, at: FileTime) -> Self {
        self.last_modified = Some(at);
        self
    }

    fn known(&self) -> Option<Validators> {
        self.size.map(|size| Validators { size, last_modified: self.last_modified })
    }

    fn is_whole(&self) -> bool {
        self.size == Some(self.arrived.len() as u64)
    }
}

impl Client {
    /// Makes a job in the middle of its life, as if it had lived up to here. It belongs to this
    /// client's user.
    ///
    /// # Errors
    /// [`SeedError`]; no job is left then.
    pub fn seed_job(&self, seed: Seed) -> Result<CreatedJob, SeedError> {
        let gone = refused("the service");
        let (inner, service) = self.running().map_err(gone)?;
        let created = self.manager().and_then(|manager| manager.create_job(Some(&seed.name), JobType::DOWNLOAD));
        let created = created.map_err(refused("CreateJob"))?;
        let seeding = Seeding { inner: &inner, service: &service, id: created.id, job: &created.job };
        if let Err(error) = seeding.carry_out(seed) {
            service.mover.let_go(created.id);
            // What is told is why the job is not as it should be.
            _ = created.job.cancel();
            return Err(error);
        }
        Ok(created)
    }
}

/// A job that is being given its past.
struct Seeding<'a> {
    inner: &'a Inner,
    service: &'a Service,
    id: Guid,
    job: &'a Arc<dyn Job>,
}

impl Seeding<'_> {
    fn carry_out(&self, mut seed: Seed) -> Result<(), SeedError> {
        for file in &seed.files {
            let added = self.job.add_file(Some(&file.remote_name), Some(&file.local_name));
            added.map_err(refused("AddFile"))?;
        }
        for set_up in mem::take(&mut seed.set_up) {
            set_up(self.job).map_err(refused("what sets the job up"))?;
        }
        let mut written = Vec::new();
        if let Err(error) = self.live_through(&seed, &mut written) {
            // A job that has lived through nothing yet has no files of its own.
            for path in written {
                _ = self.service.disk.delete(&path);
            }
            return Err(error);
        }
        self.log(on_record(seed.state));
        match seed.state {
            JobState::ACKNOWLEDGED => self.job.complete().map(drop).map_err(refused("Complete")),
            JobState::CANCELLED => self.job.cancel().map(drop).map_err(refused("Cancel")),
            JobState::CONNECTING | JobState::TRANSFERRING => self.reach(seed.state),
            _ => Ok(()),
        }
    }

    /// Gives the job its past, and tells which files were `written` for it.
    fn live_through(&self, seed: &Seed, written: &mut Vec<PathBuf>) -> Result<(), SeedError> {
        self.write(&seed.files, written)?;
        if let Some(hold) = hold(seed.state, &seed.files)? {
            self.inner.hold(self.id, hold);
        }
        let state = on_record(seed.state);
        let error = seed.error.or_else(|| usual_error(state));
        self.recast(&History {
            state,
            age: seed.age,
            idle: seed.idle.unwrap_or(seed.age),
            error,
            error_count: seed.error_count.unwrap_or(u32::from(error.is_some())),
            known: seed.files.iter().map(SeedFile::known).collect(),
        })
        .map_err(|error| on_the_way(seed.state, error))
    }

    /// Writes what is to have arrived of the files.
    fn write(&self, files: &[SeedFile], written: &mut Vec<PathBuf>) -> Result<(), SeedError> {
        for (index, file) in (0..).map(FileIndex).zip(files) {
            if file.size.is_some_and(|size| (file.arrived.len() as u64) > size) {
                let (name, arrived) = (&file.local_name, file.arrived.len());
                return Err(SeedError::Impossible(format!("{arrived} bytes of {name}, which is smaller")));
            }
            if file.arrived.is_empty() && !file.is_whole() {
                continue;
            }
            let drawn = self.with_key(|engine, cx, key| engine.draw_temporary(cx, key, index));
            let path = drawn.map_err(refused("the temporary file's name"))?;
            written.push(path.clone());
            let done = self.inner.write_file(&path, &file.arrived);
            done.map_err(|error| SeedError::File(format!("cannot write {}: {error}", path.display())))?;
        }
        Ok(())
    }

    fn recast(&self, history: &History) -> Result<(), SeedError> {
        let recast = self.with_key(|engine, cx, key| Ok(engine.recast(cx, key, history)));
        recast.map_err(refused("the service"))?.map_err(SeedError::Impossible)
    }

    fn with_key<T>(&self, call: impl FnOnce(&mut Engine, Cx<'_>, JobKey) -> Result<T, Hresult>) -> Result<T, Hresult> {
        self.service.call(|engine, cx| {
            let key = engine.key(self.id).ok_or(Hresult::BG_E_NOT_FOUND)?;
            call(engine, cx, key)
        })
    }

    /// Waits until the held attempt has come so far.
    fn reach(&self, state: JobState) -> Result<(), SeedError> {
        let is_on_its_way = |now| now == JobState::CONNECTING && now != state;
        self.service.wait_while(|| self.job.state().is_ok_and(is_on_its_way));
        match self.job.state() {
            Ok(now) if now == state => Ok(()),
            Ok(state) => {
                let why = self.inner.explain(self.id).to_string();
                Err(SeedError::NoTurn { state, why })
            }
            Err(code) => Err(refused("the service")(code)),
        }
    }

    fn log(&self, state: JobState) {
        if state != JobState::SUSPENDED {
            self.service.timeline.push(self.service.clock.now(), Some(self.id), What::Seeded { state });
        }
    }
}

fn refused(call: &'static str) -> impl Fn(Hresult) -> SeedError {
    move |code| SeedError::Refused { call, code }
}

/// The state on record of a job that is to come to `state`.
fn on_record(state: JobState) -> JobState {
    match state {
        JobState::CONNECTING | JobState::TRANSFERRING => JobState::QUEUED,
        JobState::ACKNOWLEDGED => JobState::TRANSFERRED,
        JobState::CANCELLED => JobState::SUSPENDED,
        other => other,
    }
}

/// What is impossible in the state on record is told as what it is: not the state that was asked for.
fn on_the_way(state: JobState, error: SeedError) -> SeedError {
    match error {
        SeedError::Impossible(why) if on_record(state) != state => {
            SeedError::Impossible(format!("on the way to {state}, {why}"))
        }
        other => other,
    }
}

fn usual_error(state: JobState) -> Option<(Hresult, ErrorContext)> {
    match state {
        JobState::ERROR => Some((Hresult::BG_E_HTTP_ERROR_404, ErrorContext::REMOTE_FILE)),
        JobState::TRANSIENT_ERROR => Some((Hresult::BG_E_HTTP_ERROR_503, ErrorContext::REMOTE_FILE)),
        _ => None,
    }
}

/// Where the attempts of a job that is to be active stand still.
fn hold(state: JobState, files: &[SeedFile]) -> Result<Option<Hold>, SeedError> {
    match state {
        JobState::CONNECTING => Ok(Some(Hold::Connecting)),
        JobState::TRANSFERRING => {
            let in_work = files.iter().find(|file| !file.is_whole());
            let known = in_work.and_then(|file| Some((file.known()?, file.arrived.len() as u64)));
            let (validators, have) = known.ok_or_else(|| {
                SeedError::Impossible(
                    "a job in TRANSFERRING has a file whose size is known and that is not whole: give it a part".into(),
                )
            })?;
            Ok(Some(Hold::Transferring { validators, have }))
        }
        _ => Ok(None),
    }
}
