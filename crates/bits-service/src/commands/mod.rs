//! Notification programs: written down, and played by the author of a test or really run.

mod process;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bits_api::{Guid, Hresult};
use bits_engine::{CommandLine, CommandOutcome, Event, JobKey, LogEvent, Ticket};
use bits_world::clock::Now;
use bits_world::{Drives, Sid};

use crate::guarded::guarded;
use crate::running::{self, Running};
use crate::service::Service;
use crate::timeline::What;
pub use process::CommandLimits;
use process::Processes;

/// One run of a notification program.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct CommandRun {
    /// When it began.
    pub at: Now,
    /// The job whose end it is told of. The program itself is told nothing but its parameters.
    pub job: Guid,
    /// As whom it runs: the owner of the job.
    pub user: Sid,
    /// The program, as it was given.
    pub program: String,
    /// The whole command line, as it was given.
    pub parameters: Option<String>,
}

type Program = dyn Fn(&CommandRun) -> u32 + Send + Sync;

/// The notification programs of an emulator: what ran, and what runs of them come to.
///
/// Unless [`Builder::run_commands`](crate::Builder::run_commands) asks for it, no process is
/// started: a program that is given by a full path runs, does what [`Commands::act`] says, and
/// exits with 0 unless it was told otherwise. Any other is not found, since BITS searches no path.
/// Outlives restarts of the service.
#[derive(Clone, Default)]
pub struct Commands(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// The processes, where programs really run.
    processes: Option<Processes>,
}

#[derive(Default)]
struct State {
    runs: Vec<CommandRun>,
    running: usize,
    outcomes: VecDeque<CommandOutcome>,
    program: Option<Arc<Program>>,
}

impl Commands {
    /// Programs that really run, within these limits.
    pub(crate) fn real(limits: CommandLimits) -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), processes: Some(Processes::new(limits)) }))
    }

    /// Every run so far, oldest first; those that could not be started too.
    pub fn runs(&self) -> Vec<CommandRun> {
        self.lock().runs.clone()
    }

    /// How many programs run, or wait until others have ended.
    pub fn running(&self) -> usize {
        self.lock().running
    }

    /// Lets the next runs come to this, one after the other. Programs that really run do what they
    /// do.
    pub fn next(&self, outcomes: impl IntoIterator<Item = CommandOutcome>) {
        self.lock().outcomes.extend(outcomes);
    }

    /// Lets every program do this from now on; what it gives is the exit code. It runs on a thread
    /// of its own and may call BITS. [`Commands::next`] goes before its exit code. Programs that
    /// really run do what they do.
    pub fn act(&self, program: impl Fn(&CommandRun) -> u32 + Send + Sync + 'static) {
        self.lock().program = Some(Arc::new(program));
    }

    /// Kills the programs that run, if they do.
    pub(crate) fn stop(&self) {
        if let Some(processes) = &self.0.processes {
            processes.stop();
        }
    }

    /// How often the service was stopped so far.
    fn stops(&self) -> u64 {
        self.0.processes.as_ref().map_or(0, Processes::stops)
    }

    /// Begins a run, unless the service is stopped after so many stops; whoever has begun it
    /// carries it out.
    fn begin(&self, stops: u64, run: CommandRun, drives: Drives) -> impl FnOnce() -> Option<CommandOutcome> + use<> {
        let mut state = self.lock();
        state.runs.push(run.clone());
        state.running += 1;
        let this = self.clone();
        move || {
            let outcome = match &this.0.processes {
                Some(processes) => Self::run(processes, stops, &run, &drives),
                None => Some(this.play(&run)),
            };
            this.lock().running -= 1;
            outcome
        }
    }

    /// Really runs a program; `None` when the service has been stopped meanwhile.
    fn run(processes: &Processes, stops: u64, run: &CommandRun, drives: &Drives) -> Option<CommandOutcome> {
        let Ok(program) = drives.resolve(&run.program) else {
            return Some(CommandOutcome::NotStarted(Hresult::ERROR_FILE_NOT_FOUND));
        };
        let arguments = run.parameters.as_deref().map_or_else(Vec::new, process::arguments);
        processes.run(stops, &program, &arguments)
    }

    /// Plays one run.
    fn play(&self, run: &CommandRun) -> CommandOutcome {
        /// The exit code of a program that crashed.
        const CRASHED: u32 = 0xC000_0005;
        let (scripted, program) = {
            let mut state = self.lock();
            (state.outcomes.pop_front(), state.program.clone())
        };
        if !is_full_path(&run.program) {
            return CommandOutcome::NotStarted(Hresult::ERROR_FILE_NOT_FOUND);
        }
        if let Some(not_started @ CommandOutcome::NotStarted(_)) = scripted {
            return not_started;
        }
        let acted = program.map_or(Some(0), |program| guarded(|| program(run)));
        scripted.unwrap_or(CommandOutcome::Exited(acted.unwrap_or(CRASHED)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a program is named by where it is: with a drive, on a server, or by a native full path.
fn is_full_path(program: &str) -> bool {
    let on_drive = matches!(program.as_bytes(), [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic());
    on_drive || program.starts_with(r"\\") || std::path::Path::new(program).is_absolute()
}

/// Runs a program for `job`; its end comes back as an event. Never waits.
pub(crate) fn run(service: &Service, ticket: Ticket, job: JobKey, user: Sid, command: CommandLine) {
    // Before anything tells that the service still runs: a stop from here on is one more.
    let stops = service.commands.stops();
    let Some(id) = service.guid(job) else {
        return service.handle(Event::CommandEnded(ticket, CommandOutcome::NotStarted(Hresult::BG_E_NOT_FOUND)));
    };
    let CommandLine { program, parameters } = command;
    if service.with_core(|core| core.running.insert(ticket.0, Running::program())).is_none() {
        // It has been stopped meanwhile.
        return;
    }
    service.timeline.push(service.clock.now(), Some(id), What::Command { program: program.clone() });
    let owner = user.clone();
    let run = CommandRun { at: service.clock.now(), job: id, user, program: program.clone(), parameters };
    let carry_out = service.commands.begin(stops, run, service.world().drives.clone());
    let (weak, clock) = (service.weak(), service.clock.clone());
    let spawned = std::thread::Builder::new().name("bits-command".into()).spawn(move || {
        let _entered = running::enter(&weak, &clock, ticket);
        let outcome = carry_out();
        if let (Some(service), Some(outcome)) = (weak.upgrade(), outcome) {
            let event = failure(id, owner, &program, outcome).filter(|_| service.has_event_log());
            let what = What::CommandEnded { program, outcome };
            service.timeline.push_event(service.clock.now(), Some(id), what, event);
            service.ended(ticket, Event::CommandEnded(ticket, outcome));
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "no thread for a notification program");
        service.ended(ticket, Event::CommandEnded(ticket, CommandOutcome::NotStarted(Hresult::E_OUTOFMEMORY)));
    }
}

/// The event of a program that has failed.
fn failure(job: Guid, owner: Sid, program: &str, outcome: CommandOutcome) -> Option<LogEvent> {
    let program = program.to_owned();
    match outcome {
        CommandOutcome::Exited(0) => None,
        CommandOutcome::Exited(error) => Some(LogEvent::CommandFailed { job, owner, program, error }),
        CommandOutcome::NotStarted(error) => Some(LogEvent::CommandNotLaunched { job, owner, program, error }),
    }
}

#[cfg(test)]
mod tests {
    use super::is_full_path;

    #[test]
    fn a_program_is_named_by_where_it_is() {
        for full in [r"C:\tools\told.exe", "c:/told.exe", r"\\server\share\told.exe"] {
            assert!(is_full_path(full), "{full}");
        }
        for other in ["told.exe", r"tools\told.exe", "C:told.exe", "%system32%\\told.exe", ""] {
            assert!(!is_full_path(other), "{other}");
        }
    }
}
