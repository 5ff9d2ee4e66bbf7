//! The one line that chooses between real BITS and the emulator.

use std::fmt;
use std::sync::Arc;

use bits_api::{Hresult, Manager};
use bits_service::{Emulator, StartError};
use bits_windows::ConnectError;
use bits_world::clock::Clock;

use crate::real::Real;

/// Whose BITS a program uses.
///
/// The default is real BITS on Windows and the emulator elsewhere:
///
/// ```no_run
/// use bits_emulator::Provider;
/// use bits_emulator::api::JobType;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let bits = Provider::default().start()?;
///
/// let job = bits.manager()?.create_job(Some("update"), JobType::DOWNLOAD)?.job;
/// # job.cancel()?;
/// # Ok(())
/// # }
/// ```
///
/// A test hands its own emulator to the same program: [`Bits::from`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Provider {
    /// The BITS service of this machine. Its jobs are the user's, beside those of other programs.
    Windows,
    /// An emulator of this process: real time, real servers, absolute names of this system's files.
    /// The queue is in memory, and ends with the value that [`Provider::start`] returns; of a job that is neither
    /// completed nor cancelled by then, what has arrived stays behind, in a file BITxxxx.tmp beside the one that
    /// it was to become.
    Emulator,
}

impl Default for Provider {
    fn default() -> Self {
        if cfg!(windows) { Self::Windows } else { Self::Emulator }
    }
}

impl Provider {
    /// Connects to the service, or starts the emulator.
    ///
    /// # Errors
    /// [`ProviderError::Connect`] when there is no BITS; [`ProviderError::Start`] when the emulator
    /// does not start.
    pub fn start(self) -> Result<Bits, ProviderError> {
        match self {
            Self::Windows => {
                let connect = || bits_windows::connect().map(|connection| connection.manager);
                Real::by(connect).map(|real| Bits(Source::Windows(real))).map_err(ProviderError::Connect)
            }
            Self::Emulator => {
                Emulator::builder().clock(Clock::system()).start().map(Bits::from).map_err(ProviderError::Start)
            }
        }
    }
}

/// A BITS that a program uses, whosever it is. An emulator ends with the value.
#[derive(Debug)]
pub struct Bits(Source);

enum Source {
    Windows(Real),
    Emulator(Emulator),
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Windows(_) => "Windows",
            Self::Emulator(_) => "Emulator",
        })
    }
}

impl Bits {
    /// The entry point, as this process has it.
    ///
    /// Real BITS may be restarted under a program: by an update, an administrator, or because it had nothing
    /// to do. All objects that were had before are lost then, as their codes tell
    /// ([`is_lost`](bits_windows::is_lost)). Whoever asks here again is connected anew, and finds his jobs by
    /// their ids ([`Manager::job`]); that is why asking here makes a short call. Nothing else is done
    /// anew: whether a call was carried out in which the service ended, only a look at the job tells.
    ///
    /// # Errors
    /// Those of the connection: `RPC_S_SERVER_UNAVAILABLE` when the emulator was stopped, or real BITS is
    /// just restarting; `ERROR_SERVICE_DISABLED` (both as HRESULT); what [`advice`](bits_windows::advice()) knows.
    pub fn manager(&self) -> Result<Arc<dyn Manager>, Hresult> {
        match &self.0 {
            Source::Windows(real) => real.manager(),
            Source::Emulator(emulator) => emulator.client("program").manager(),
        }
    }
}

impl From<Emulator> for Bits {
    fn from(emulator: Emulator) -> Self {
        Self(Source::Emulator(emulator))
    }
}

/// Why there is no BITS.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProviderError {
    /// There is no connection to the service of this machine.
    Connect(ConnectError),
    /// The emulator does not start.
    Start(StartError),
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => error.fmt(f),
            Self::Start(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ProviderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect(error) => Some(error),
            Self::Start(error) => Some(error),
        }
    }
}
