//! Where a Manager comes from, and what can be done around it.
//!
//! A case asks for what it does; where the provider cannot do it, the case is skipped with that
//! reason. The emulator with virtual time can do all of it; one that lives in real time talks to
//! the origin on loopback, and can do what a client can.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bits_api::{Guid, Hresult, Manager};
use bits_world::Profile;
use bits_world::clock::{Clock, VirtualClock};
use serde::{Deserialize, Serialize};

use crate::bench::job_name;
use crate::claims::Stop;
use crate::ledger::Ledger;
use crate::{left_over, machine};

/// Which BITS the cases are run on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// The emulator, whose time the cases move.
    Emulator,
    /// The emulator in real time: the cases as they run on Windows, on any system.
    EmulatorLive,
    /// The BITS of this Windows.
    Windows,
}

impl Kind {
    /// Whether time passes by itself, and bytes go over loopback.
    pub(crate) fn is_live(self) -> bool {
        self != Self::Emulator
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Emulator => "emulator",
            Self::EmulatorLive => "emulator-live",
            Self::Windows => "windows",
        })
    }
}

/// What a report tells of, beside its cases.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct About {
    /// As on the command line.
    pub(crate) provider: String,
    /// The version of BITS.
    pub(crate) bits: String,
    /// The operating system and its version.
    pub(crate) system: String,
    /// The version of the suite.
    pub(crate) suite: String,
    /// When the run began, as HTTP writes it.
    pub(crate) date: String,
}

/// The BITS that the cases of a run share, or each start for themselves.
pub(crate) struct Provider {
    pub(crate) kind: Kind,
    /// Its version, in words.
    bits: String,
    /// Of real BITS, which is there before the first case.
    pub(crate) manager: Option<Arc<dyn Manager>>,
    /// The jobs of this run, where they would outlive it.
    pub(crate) ledger: Arc<Ledger>,
    folder: PathBuf,
    /// Deletes the folder with the value.
    root: Mutex<Option<tempfile::TempDir>>,
    benches: AtomicU64,
    /// Whether a call hangs, for good as it seems, or nobody answers any more.
    is_abandoned: AtomicBool,
}

impl Provider {
    /// Connects to that BITS, and does away with what a run that was ended has left there. `tell`
    /// is told what that was.
    ///
    /// # Errors
    /// In one line, why there is no such BITS here.
    pub(crate) fn open(kind: Kind, tell: impl FnMut(String)) -> Result<Self, String> {
        match kind {
            Kind::Emulator | Kind::EmulatorLive => {
                let root =
                    tempfile::Builder::new().prefix("bits-emulated-").tempdir().map_err(|error| no_folder(&error))?;
                let bits = Profile::default().version().to_owned();
                Ok(Self { bits, ..Self::in_folder(kind, root, Ledger::default()) })
            }
            Kind::Windows => {
                // Where something in this process was first, each object is secured alone.
                _ = bits_windows::initialize_security();
                let connection = bits_windows::connect().map_err(|error| error.to_string())?;
                let shared = Self::shared(connection.manager, &std::env::temp_dir(), tell)?;
                Ok(Self { bits: connection.version.to_string(), ..shared })
            }
        }
    }

    /// Real BITS behind `manager`, which was there before and outlives the run, with a folder in `parent`.
    fn shared(manager: Arc<dyn Manager>, parent: &Path, tell: impl FnMut(String)) -> Result<Self, String> {
        left_over::clear_away(parent, &*manager, tell);
        let (root, record) = left_over::new_folder(parent).map_err(|error| no_folder(&error))?;
        let ledger = Ledger::in_file(record, job_name()).map_err(|error| no_folder(&error))?;
        Ok(Self { manager: Some(manager), ..Self::in_folder(Kind::Windows, root, ledger) })
    }

    fn in_folder(kind: Kind, root: tempfile::TempDir, ledger: Ledger) -> Self {
        Self {
            kind,
            bits: String::new(),
            manager: None,
            ledger: Arc::new(ledger),
            folder: root.path().to_owned(),
            root: Mutex::new(Some(root)),
            benches: AtomicU64::new(0),
            is_abandoned: AtomicBool::new(false),
        }
    }

    /// Real BITS, as far as `manager` plays it.
    #[cfg(test)]
    pub(crate) fn of_manager(manager: Arc<dyn Manager>) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        Self { manager: Some(manager), ..Self::in_folder(Kind::Windows, root, Ledger::default()) }
    }

    /// Whether it can do more than a client can: a capability is what real BITS does not offer.
    pub(crate) fn is_capable(&self) -> bool {
        !self.kind.is_live()
    }

    /// The time that it lives by.
    pub(crate) fn clock(&self) -> Clock {
        if self.kind.is_live() { Clock::system() } else { Clock::Virtual(VirtualClock::new()) }
    }

    /// What a report says of it.
    pub(crate) fn about(&self) -> About {
        About {
            provider: self.kind.to_string(),
            bits: self.bits.clone(),
            system: machine::system(),
            suite: env!("CARGO_PKG_VERSION").to_owned(),
            date: httpdate::fmt_http_date(SystemTime::now()),
        }
    }

    /// A number for a bench, and a folder of that number in which nothing is yet.
    pub(crate) fn number(&self) -> (u64, PathBuf) {
        let number = self.benches.fetch_add(1, Ordering::Relaxed);
        (number, self.folder.join(number.to_string()))
    }

    /// Cancels what jobs the run has left so far.
    pub(crate) fn cancel_jobs(&self) {
        if let Some(manager) = &self.manager {
            self.ledger.clear_all(&**manager);
        }
    }

    /// The code by which real BITS, which was there before, shows that it has ended: each call gets it from
    /// then on.
    pub(crate) fn lost(&self) -> Option<Hresult> {
        let code = self.manager.as_ref()?.job(Guid::from_u128(0)).err()?;
        bits_windows::is_lost(code).then_some(code)
    }

    /// Asks nothing of it any more, since a call hangs or the service has ended.
    pub(crate) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::SeqCst);
    }

    /// Cancels what jobs the run has left, and deletes its files. Where jobs stay, or may since a call has
    /// not come back, the folder does, so that the next run finds them.
    pub(crate) fn clear(&self) {
        let is_abandoned = self.is_abandoned.load(Ordering::SeqCst);
        if !is_abandoned {
            self.cancel_jobs();
        }
        let stays = self.manager.is_some() && (is_abandoned || !self.ledger.is_empty());
        // A folder cannot be deleted everywhere while a file in it is open.
        self.ledger.close();
        let Some(root) = self.root.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        if stays {
            eprintln!(
                "bits-conformance: {} stays for the next run, which cancels what jobs there are",
                root.keep().display()
            );
        } else if let Err(error) = left_over::delete(&root.keep()) {
            eprintln!("bits-conformance: {} stays behind: {error}", self.folder.display());
        }
    }
}

fn no_folder(error: &std::io::Error) -> String {
    format!("there is no folder for files: {error}")
}

/// Something that not every provider can do.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Capability {
    /// Time can be moved.
    VirtualTime,
    /// Several cases may run at once.
    Parallel,
    /// There is a second standard user.
    SecondUser,
    /// There is an administrator.
    Administrator,
    /// A service account can call.
    ServiceAccount,
    /// Programs can call with any token.
    Tokens,
    /// Users log off and on, the network goes away, policies change.
    World,
    /// The service can be restarted.
    Restart,
    /// Clients can be ended.
    Clients,
    /// An older BITS can be played.
    Versions,
    /// Disks that refuse to delete or to rename.
    Faults,
    /// Every state that a job goes through is on record, however short.
    Timeline,
    /// A server certificate can be made a trusted one.
    TrustedRoot,
    /// Notification programs are played, and classes are made by the suite.
    ClientCode,
    /// Servers have any name, and do anything at any moment.
    Servers,
    /// There is a server that takes uploads.
    Uploads,
    /// Nothing goes on between two calls of a case.
    Lockstep,
}

impl Capability {
    /// The reason for skipping a case.
    pub(crate) fn missing(self) -> Stop {
        let what = match self {
            Self::VirtualTime => "time cannot be moved",
            Self::Parallel => "cases cannot run at once",
            Self::SecondUser => "there is no second user",
            Self::Administrator => "there is no administrator",
            Self::ServiceAccount => "no service account can call",
            Self::Tokens => "tokens cannot be made up",
            Self::World => "users, network and policies cannot be changed",
            Self::Restart => "the service cannot be restarted",
            Self::Clients => "clients cannot be ended",
            Self::Versions => "there is one version of BITS only",
            Self::Faults => "disks have no faults",
            Self::Timeline => "short states are not on record",
            Self::TrustedRoot => "no certificate can be made a trusted one",
            Self::ClientCode => "notification programs and classes cannot be played",
            Self::Servers => "there is no server that can be made to do this",
            Self::Lockstep => "what goes on between two calls cannot be held up",
            Self::Uploads => "there is no server that takes uploads",
        };
        Stop::Skipped(what.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    use bits_api::{CreatedJob, EnumJobs, EnumJobsFlags, Job, JobType, LanguageId, PeerCacheAdministration};
    use bits_service::Emulator;

    use super::*;
    use crate::bench::{Bench, Limits};

    /// A BITS that makes jobs, and then does not come back.
    #[derive(Debug)]
    struct Hanging {
        manager: Arc<dyn Manager>,
        made: Mutex<Sender<()>>,
        end: Mutex<Receiver<()>>,
    }

    impl Manager for Hanging {
        fn create_job(&self, display_name: Option<&str>, job_type: JobType) -> Result<CreatedJob, Hresult> {
            let created = self.manager.create_job(display_name, job_type);
            self.made.lock().expect("one tells").send(()).expect("the test waits");
            // Comes when the test ends.
            _ = self.end.lock().expect("one waits").recv();
            created
        }

        fn job(&self, id: Guid) -> Result<Arc<dyn Job>, Hresult> {
            self.manager.job(id)
        }

        fn enum_jobs(&self, flags: EnumJobsFlags) -> Result<Arc<EnumJobs>, Hresult> {
            self.manager.enum_jobs(flags)
        }

        fn peer_cache_administration(&self) -> Result<Arc<dyn PeerCacheAdministration>, Hresult> {
            self.manager.peer_cache_administration()
        }

        fn error_description(&self, code: Hresult, language: LanguageId) -> Result<String, Hresult> {
            self.manager.error_description(code, language)
        }
    }

    fn names(manager: &dyn Manager) -> Vec<String> {
        let jobs = manager.enum_jobs(EnumJobsFlags::empty()).expect("the queue").next(u32::MAX).expect("jobs").items;
        jobs.iter().map(|job| job.display_name().expect("a name")).collect()
    }

    #[test]
    fn a_job_whose_call_has_not_come_back_is_cancelled_by_the_next_run() {
        let parent = tempfile::tempdir().expect("a folder");
        let emulator = Emulator::builder().start().expect("an emulator");
        let manager = emulator.client("updater.exe").manager().expect("a manager");
        manager.create_job(Some("bits-conformance"), JobType::DOWNLOAD).expect("somebody else's job");
        let ((told, made), (_end, end)) = (channel(), channel());
        let hanging = Hanging { manager: Arc::clone(&manager), made: Mutex::new(told), end: Mutex::new(end) };
        let ended = Arc::new(Provider::shared(Arc::new(hanging), parent.path(), |_| {}).expect("a run"));
        let limits = Limits::of(Arc::clone(&ended));
        thread::spawn(move || Bench::new(limits, None).new_job().map(drop));
        made.recv().expect("a job");
        assert_eq!(names(&*manager).len(), 2);

        ended.abandon();
        ended.clear();
        let mut left = Vec::new();
        let next = Provider::shared(Arc::clone(&manager), parent.path(), |line| left.push(line)).expect("a run");

        assert_eq!(names(&*manager), ["bits-conformance"]);
        assert!(matches!(&left[..], [line] if line.starts_with("deleted ")), "{left:?}");
        next.clear();
        assert_eq!(std::fs::read_dir(parent.path()).expect("the folder").count(), 0);
    }
}
