//! Whose BITS downloads: the emulator in this process, or the service of this Windows.

use std::fmt;
use std::mem::{Discriminant, discriminant};
use std::sync::Arc;

use bits_api::{Guid, Hresult, Job, JobState, Manager};
use bits_service::{CommandLimits, Emulator, Reason, What};
use bits_world::Sid;
use clap::ValueEnum;

use crate::{Doing, Failure, told};

/// Who the command line asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Provider {
    /// An emulator in this process
    Emulator,
    /// The BITS service of this Windows
    Windows,
}

/// A BITS that runs.
pub(super) enum Service {
    Emulator(Emulator),
    Windows(Arc<dyn Manager>),
}

/// Why a job does not move.
pub(super) struct Why {
    pub(super) kind: Kind,
    text: String,
}

/// As far as a person wants to be told of a new one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Reason(Discriminant<Reason>),
    /// With the error, where the job has one.
    State(JobState, Option<Hresult>),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Service {
    /// The service of this Windows, which is started if need be.
    pub(super) fn of_windows() -> Result<Self, Failure> {
        // Where something in this process was first, each object is secured alone.
        _ = bits_windows::initialize_security();
        let connection = bits_windows::connect().map_err(|error| Failure::Failed(error.to_string()))?;
        Ok(Self::Windows(connection.manager))
    }

    pub(super) fn manager(&self) -> Result<Arc<dyn Manager>, Failure> {
        match self {
            // The limits of BITS on files and jobs are there to keep users from each other.
            Self::Emulator(emulator) => {
                let user = emulator.administrator(Emulator::DEFAULT_USER);
                emulator.client_as("bitsd", user).manager().doing("cannot connect")
            }
            Self::Windows(manager) => Ok(Arc::clone(manager)),
        }
    }

    /// Lets the jobs run.
    pub(super) fn open(&self) {
        if let Self::Emulator(emulator) = self {
            emulator.log_on(&Sid::of_name(Emulator::DEFAULT_USER));
        }
    }

    /// Whether the queue has jobs of this program only, one run at a time.
    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Emulator(_))
    }

    /// Why a job that stands still does; `None` when it cannot be known.
    pub(super) fn why_idle(&self, job: &Arc<dyn Job>) -> Option<Why> {
        match self {
            Self::Emulator(emulator) => {
                let why = emulator.explain(job.id().ok()?);
                Some(Why { kind: Kind::Reason(discriminant(&why.reason)), text: why.to_string() })
            }
            Self::Windows(_) => {
                let state = job.state().ok()?;
                let words = in_words(state)?;
                let error = (state == JobState::TRANSIENT_ERROR).then(|| job.error().and_then(|error| error.error()));
                Some(match error {
                    Some(Ok((context, code))) => {
                        let text = format!("{words}; it failed with {} ({context})", told(code));
                        Why { kind: Kind::State(state, Some(code)), text }
                    }
                    // It may have been mended meanwhile.
                    Some(Err(_)) | None => Why { kind: Kind::State(state, None), text: words.to_owned() },
                })
            }
        }
    }

    /// Why the service has gone, if `code` says that it has and that is known: the last that an emulator
    /// told, or what such a code means on Windows.
    pub(super) fn why_unavailable(&self, code: Hresult) -> Option<String> {
        let Self::Emulator(emulator) = self else {
            return bits_windows::advice(code).map(|advice| format!("{code}: {advice}"));
        };
        let told_last = emulator.timeline().entries().into_iter().rev().find_map(|entry| match entry.what {
            What::Service(text) => Some(text),
            _ => None,
        });
        told_last.filter(|_| code == Hresult::RPC_S_SERVER_UNAVAILABLE).map(|text| format!("{}: {text}", told(code)))
    }

    /// Lets the notification programs of jobs in the state folder come to their end, which is not
    /// far: they would be killed with the emulator.
    pub(super) fn let_programs_end(&self) -> Result<(), Failure> {
        let Self::Emulator(emulator) = self else { return Ok(()) };
        let commands = emulator.commands();
        emulator.run_until(|| commands.running() == 0, CommandLimits::default().time).doing("cannot wait")?;
        Ok(())
    }
}

/// What is told of jobs that could not be cancelled, if there is something to tell.
pub(super) fn left_behind(provider: Provider, jobs: &[(Guid, Hresult)]) -> Option<String> {
    match provider {
        Provider::Emulator => {
            // Of a service that has gone the failure tells already.
            let (_, code) = jobs.iter().find(|(_, code)| *code != Hresult::RPC_S_SERVER_UNAVAILABLE)?;
            Some(format!("the job cannot be cancelled: {}", told(*code)))
        }
        Provider::Windows => {
            let is_there = |code| !matches!(code, Hresult::BG_E_NOT_FOUND | Hresult::BG_E_INVALID_STATE);
            let left: Vec<_> = jobs.iter().filter(|(_, code)| is_there(*code)).collect();
            let (_, code) = left.first()?;
            let ids = left.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>().join(", ");
            Some(format!("what could not be cancelled remains in the queue of Windows: {ids} ({})", told(*code)))
        }
    }
}

/// What a state says of a job that stands still; nothing of one that is at its end.
fn in_words(state: JobState) -> Option<&'static str> {
    match state {
        JobState::QUEUED => Some("the job waits for its turn, for the network or for its user to log on"),
        JobState::CONNECTING => Some("the job waits for the server"),
        JobState::TRANSFERRING => Some("the job transfers, and nothing comes"),
        JobState::SUSPENDED => Some("somebody has suspended the job"),
        JobState::TRANSIENT_ERROR => Some("the last attempt has failed; BITS will try again"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bits_api::{ErrorContext, JobType};
    use bits_service::{SimFailure, Simulation};

    use super::*;

    const ID: Guid = Guid::from_u128(7);

    #[test]
    fn a_job_that_a_lost_service_of_windows_keeps_is_named() {
        for code in [Hresult::RPC_S_SERVER_UNAVAILABLE, Hresult::RPC_E_DISCONNECTED, Hresult::E_ACCESSDENIED] {
            let told = left_behind(Provider::Windows, &[(ID, code)]).unwrap();
            assert!(told.contains(&ID.to_string()) && told.contains("queue of Windows"), "{told}");
        }
    }

    #[test]
    fn of_a_job_that_is_gone_and_of_an_emulator_that_is_nothing_is_told() {
        assert_eq!(left_behind(Provider::Windows, &[(ID, Hresult::BG_E_NOT_FOUND)]), None);
        assert_eq!(left_behind(Provider::Emulator, &[(ID, Hresult::RPC_S_SERVER_UNAVAILABLE)]), None);
        assert!(left_behind(Provider::Emulator, &[(ID, Hresult::E_ACCESSDENIED)]).is_some());
    }

    #[test]
    fn a_job_of_windows_that_will_be_tried_again_says_what_it_failed_with() {
        let simulation = Simulation::new();
        let builder = Emulator::builder().simulated(&simulation).world(|world| world.drives.mount('C', "/"));
        let emulator = builder.start().unwrap();
        let manager = emulator.client("bitsd").manager().unwrap();
        let job = manager.create_job(Some("a"), JobType::DOWNLOAD).unwrap().job;
        simulation.serve("http://server/a", 10);
        let (code, context) = (Hresult::BG_E_HTTP_ERROR_503, ErrorContext::REMOTE_FILE);
        simulation.fail_next(
            "http://server/a",
            SimFailure { at: None, failure: bits_service::Failure { code, context, transient: true } },
        );
        job.add_file(Some("http://server/a"), Some(r"C:\a")).unwrap();
        job.resume().unwrap();
        emulator.wait_state(&job, JobState::TRANSIENT_ERROR, Duration::from_mins(1)).unwrap();

        let why = Service::Windows(manager).why_idle(&job).unwrap();

        assert_eq!(why.kind, Kind::State(JobState::TRANSIENT_ERROR, Some(code)));
        let text = why.to_string();
        assert!(text.contains("BG_E_HTTP_ERROR_503") && text.contains("BG_ERROR_CONTEXT_REMOTE_FILE"), "{text}");
    }

    #[test]
    fn a_service_of_windows_that_is_lost_is_told_with_what_can_be_done() {
        let emulator = Emulator::builder().start().unwrap();
        let service = Service::Windows(emulator.client("bitsd").manager().unwrap());

        let why = service.why_unavailable(Hresult::RPC_S_SERVER_UNAVAILABLE).unwrap();

        assert!(why.contains("RPC_S_SERVER_UNAVAILABLE") && why.contains("its jobs are kept"), "{why}");
        assert_eq!(service.why_unavailable(Hresult::BG_E_EMPTY), None);
    }
}
