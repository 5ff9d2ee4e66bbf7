//! Remote files, what befalls them, and local ones.

use std::path::PathBuf;
use std::sync::Arc;

use bits_api::{ErrorContext, FileTime, Hresult, Job};
use bits_service::{SimFailure, SimHold, Simulation};
use bits_wire::attempt::{Failure, Validators};
use bits_world::{StorageFault, Token};

use super::{Bench, Outside, simulated_folder};
use crate::claims::{Outcome, Stop, failed};
use crate::provider::Capability;

/// A remote file, with the local name that jobs of this bench give it.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) url: String,
    pub(crate) local: String,
}

impl Remote {
    /// Adds the file to a job.
    pub(crate) fn add_to(&self, job: &Arc<dyn Job>) -> Outcome {
        job.add_file(Some(&self.url), Some(&self.local))?;
        Ok(())
    }
}

/// What befalls the next attempt on a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    /// The server is there but not able to serve: status 503.
    Unavailable,
    /// There is no such file: status 404.
    NotFound,
    /// The connection breaks after so many bytes of the file.
    Breaks(u64),
    /// The server refuses the rest of the file, for good, after so many bytes: status 403.
    Refuses(u64),
}

impl Trouble {
    fn simulated(self) -> SimFailure {
        let (at, code, transient) = match self {
            Self::Unavailable => (None, Hresult::BG_E_HTTP_ERROR_503, true),
            Self::NotFound => (None, Hresult::BG_E_HTTP_ERROR_404, false),
            Self::Breaks(at) => (Some(at), Hresult::ERROR_WINHTTP_CONNECTION_ERROR, true),
            Self::Refuses(at) => (Some(at), Hresult::BG_E_HTTP_ERROR_403, false),
        };
        SimFailure { at, failure: Failure { code, context: ErrorContext::REMOTE_FILE, transient } }
    }
}

impl Bench {
    /// Serves a file of that size, which nobody looks into.
    pub(crate) fn serve(&self, name: &str, size: u64) -> Result<Remote, Stop> {
        let url = match &self.outside {
            Outside::Simulated(simulation) => {
                let url = format!("{}{name}", self.site()?);
                simulation.serve(&url, size);
                url
            }
            Outside::Real(real) => real.serve(name, size)?,
        };
        Ok(Remote { url, local: self.local(name) })
    }

    /// What the URLs of served files begin with, up to their names.
    pub(crate) fn site(&self) -> Result<String, Stop> {
        match &self.outside {
            Outside::Simulated(_) => Ok("http://files.example/".to_owned()),
            Outside::Real(real) => Ok(real.origin()?.url("/")),
        }
    }

    /// Serves a file of that size at a URL that no job of this bench has by itself.
    pub(crate) fn serve_at(&self, url: &str, size: u64) -> Outcome {
        self.can(Capability::Servers)?;
        self.simulation()?.serve(url, size);
        Ok(())
    }

    /// Puts another version in the place of a served file.
    pub(crate) fn replace(&self, file: &Remote, size: u64, modified: FileTime) -> Outcome {
        match &self.outside {
            Outside::Simulated(simulation) => {
                simulation.serve_version(&file.url, Validators { size, last_modified: Some(modified) });
                Ok(())
            }
            Outside::Real(real) => real.replace(file, size, modified),
        }
    }

    /// Lets this befall the next attempt on the file.
    pub(crate) fn trouble(&self, file: &Remote, trouble: Trouble) -> Outcome {
        match &self.outside {
            Outside::Simulated(simulation) => {
                simulation.fail_next(&file.url, trouble.simulated());
                Ok(())
            }
            Outside::Real(real) => real.trouble(file, trouble),
        }
    }

    /// Holds attempts on the file before the server has answered.
    pub(crate) fn hold_connecting(&self, file: &Remote) -> Outcome {
        match &self.outside {
            Outside::Simulated(simulation) => {
                simulation.hold(&file.url, SimHold::Connecting);
                Ok(())
            }
            Outside::Real(real) => real.hold_connecting(file),
        }
    }

    /// Holds attempts on the file when so many bytes have arrived.
    pub(crate) fn hold_at(&self, file: &Remote, bytes: u64) -> Outcome {
        match &self.outside {
            Outside::Simulated(simulation) => {
                simulation.hold(&file.url, SimHold::Transferring(bytes));
                Ok(())
            }
            Outside::Real(real) => real.hold_at(file, bytes),
        }
    }

    /// Lets attempts on the file go on.
    pub(crate) fn let_go(&self, file: &Remote) -> Outcome {
        match &self.outside {
            Outside::Simulated(simulation) => {
                simulation.let_go(&file.url);
                Ok(())
            }
            Outside::Real(real) => real.let_go(file),
        }
    }

    /// Lets attempts on the file go on until so many bytes have arrived.
    pub(crate) fn move_to(&self, file: &Remote, bytes: u64) -> Outcome {
        match &self.outside {
            Outside::Simulated(simulation) => {
                simulation.move_to(&file.url, bytes);
                Ok(())
            }
            Outside::Real(real) => real.hold_at(file, bytes),
        }
    }

    /// Lets these users alone read the remote file.
    pub(crate) fn readable_only_for(&self, file: &Remote, users: &[&Token]) -> Outcome {
        self.can(Capability::SecondUser)?;
        self.simulation()?.allow_only(&file.url, users.iter().map(|token| token.user.clone()));
        Ok(())
    }

    /// The URLs of all attempts, in the order in which they began.
    pub(crate) fn attempted(&self) -> Result<Vec<String>, Stop> {
        match &self.outside {
            Outside::Simulated(simulation) => Ok(simulation.started()),
            Outside::Real(real) => real.attempted(),
        }
    }

    pub(super) fn simulation(&self) -> Result<&Simulation, Stop> {
        match &self.outside {
            Outside::Simulated(simulation) => Ok(simulation),
            Outside::Real(_) if self.is_live() => Err(Capability::Servers.missing()),
            Outside::Real(_) => failed("this bench has real files, no simulated ones"),
        }
    }

    /// Lets this be wrong with a file or a folder of the drive, or with the whole of it (`""`).
    pub(crate) fn harm(&self, name: &str, fault: StorageFault) -> Outcome {
        self.can(Capability::Faults)?;
        let path = self.on_disk(name);
        self.emulator()?.change_world(|world| world.storage.set(path, fault));
        Ok(())
    }

    /// Nothing is wrong with it any more.
    pub(crate) fn mend(&self, name: &str) -> Outcome {
        let path = self.on_disk(name);
        self.emulator()?.change_world(|world| world.storage.mend(&path));
        Ok(())
    }

    /// Where a file or a folder of the drive is on this machine.
    pub(crate) fn on_disk(&self, name: &str) -> PathBuf {
        name.split('\\').filter(|part| !part.is_empty()).fold(self.data_folder(), |folder, part| folder.join(part))
    }

    /// A full local name.
    pub(crate) fn local(&self, name: &str) -> String {
        match &self.outside {
            Outside::Simulated(_) => format!(r"C:\{name}"),
            Outside::Real(real) => real.folder().join(name).to_string_lossy().into_owned(),
        }
    }

    /// The names of the local files and their lengths.
    pub(crate) fn local_files(&self) -> Result<Vec<(String, u64)>, Stop> {
        match &self.outside {
            Outside::Simulated(simulation) => Ok(simulation
                .local_files()
                .into_iter()
                .filter(|path| path.starts_with(simulated_folder()))
                .map(|path| {
                    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                    (name, simulation.local_length(&path).unwrap_or_default())
                })
                .collect()),
            Outside::Real(real) => real.files(),
        }
    }

    /// The length of the local file of that name, if it is there.
    pub(crate) fn local_length(&self, name: &str) -> Result<Option<u64>, Stop> {
        Ok(self.local_files()?.into_iter().find(|(file, _)| file == name).map(|(_, length)| length))
    }

    pub(super) fn data_folder(&self) -> PathBuf {
        match &self.outside {
            Outside::Simulated(_) => simulated_folder(),
            Outside::Real(real) => real.folder(),
        }
    }
}
