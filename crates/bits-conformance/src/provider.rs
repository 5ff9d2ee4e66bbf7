//! Where a Manager comes from, and what can be done around it.
//!
//! A case asks for what it does; where the provider cannot do it, the case is skipped with that
//! reason. The emulator with virtual time can do all of it; one that lives in real time talks to
//! the origin on loopback, and can do what a client can.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use bits_api::{Guid, Hresult, Manager};
use bits_world::Profile;
use bits_world::clock::{Clock, VirtualClock};
use serde::{Deserialize, Serialize};

use crate::bench::job_name;
use crate::claims::Stop;
use crate::ledger::Ledger;
use crate::machine::{self, Conditions};
use crate::{bounded, left_over};

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
    /// What on that machine may change what its BITS does.
    #[serde(default)]
    pub(crate) conditions: Conditions,
}

/// How long calls beside the cases may take: longer than Windows waits for a service to start.
const CALLS: Duration = Duration::from_secs(150);

/// How long others may hold a file that is to be deleted.
const FILES: Duration = Duration::from_secs(2);

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
    /// Whether the emulator's main client is an elevated administrator.
    is_elevated: bool,
    /// What the control before the run has found.
    conditions: OnceLock<Conditions>,
    /// Whether a call hangs, for good as it seems, or nobody answers any more.
    is_abandoned: AtomicBool,
}

impl Provider {
    /// Connects to that BITS, and does away with what a run that was ended has left there. `tell`
    /// is told what that was.
    ///
    /// # Errors
    /// In one line, why there is no such BITS here.
    pub(crate) fn open(kind: Kind, tell: impl FnMut(String) + Send + 'static) -> Result<Self, String> {
        match kind {
            Kind::Emulator | Kind::EmulatorLive => {
                let root =
                    tempfile::Builder::new().prefix("bits-emulated-").tempdir().map_err(|error| no_folder(&error))?;
                let bits = Profile::default().version().to_owned();
                Ok(Self { bits, ..Self::in_folder(kind, root, Ledger::default()) })
            }
            Kind::Windows => {
                let connect = || {
                    // Where something in this process was first, each object is secured alone.
                    _ = bits_windows::initialize_security();
                    bits_windows::connect()
                };
                let connection = bounded::call("connecting to BITS", CALLS, connect)?;
                let connection = connection.map_err(|error| error.to_string())?;
                let shared = Self::shared(connection.manager, &std::env::temp_dir(), tell)?;
                Ok(Self { bits: connection.version.to_string(), ..shared })
            }
        }
    }

    /// Real BITS behind `manager`, which was there before and outlives the run, with a folder in `parent`.
    fn shared(
        manager: Arc<dyn Manager>,
        parent: &Path,
        tell: impl FnMut(String) + Send + 'static,
    ) -> Result<Self, String> {
        let (asked, folders) = (Arc::clone(&manager), parent.to_owned());
        let clear_away = move || left_over::clear_away(&folders, &*asked, tell);
        bounded::call("clearing away what an earlier run has left", CALLS, clear_away)?;
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
            is_elevated: false,
            conditions: OnceLock::new(),
            is_abandoned: AtomicBool::new(false),
        }
    }

    /// Real BITS, as far as `manager` plays it.
    #[cfg(test)]
    pub(crate) fn of_manager(manager: Arc<dyn Manager>) -> Self {
        let root = tempfile::tempdir().expect("a folder");
        Self { manager: Some(manager), ..Self::in_folder(Kind::Windows, root, Ledger::default()) }
    }

    /// The emulator, whose main client is an elevated administrator, as where somebody runs the suite so on
    /// Windows.
    ///
    /// # Errors
    /// In one line, for real BITS, which sees who runs the suite.
    pub(crate) fn elevated(self) -> Result<Self, String> {
        if self.kind == Kind::Windows {
            return Err("real BITS sees who runs the suite: start it as an administrator instead".to_owned());
        }
        Ok(Self { is_elevated: true, ..self })
    }

    /// Whether the emulator's main client is an elevated administrator.
    pub(crate) fn is_elevated(&self) -> bool {
        self.is_elevated
    }

    /// Enters what the control before the run has found; what was entered first stays.
    pub(crate) fn note(&self, conditions: Conditions) {
        let _ = self.conditions.set(conditions);
    }

    /// Whether that can be done. In real time what a client can do is all there is, but who that client is and
    /// what the machine is told differs.
    pub(crate) fn has(&self, capability: Capability) -> bool {
        match capability {
            Capability::StandardUser => {
                !self.is_elevated && self.conditions.get().is_none_or(Conditions::is_standard_user)
            }
            Capability::DefaultPolicies => self.conditions.get().is_none_or(|found| found.policies.is_empty()),
            _ => !self.kind.is_live(),
        }
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
            conditions: self.conditions.get().cloned().unwrap_or_default(),
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

    /// Cancels what jobs the run has left, and deletes its files; a line for each thing that stays. Where jobs
    /// do, or may since a call has not come back, the folder does, so that the next run finds them.
    pub(crate) fn clear(self: &Arc<Self>) -> Vec<String> {
        let mut left = Vec::new();
        let is_abandoned = self.is_abandoned.load(Ordering::SeqCst);
        if !is_abandoned {
            let provider = Arc::clone(self);
            left.extend(bounded::call("cancelling what is left", CALLS, move || provider.cancel_jobs()).err());
        }
        let stays = self.manager.is_some() && (is_abandoned || !self.ledger.is_empty());
        // A folder cannot be deleted everywhere while a file in it is open.
        self.ledger.close();
        if let Some(root) = self.root.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let root = root.keep();
            if stays {
                left.push(format!("{} stays for the next run, which cancels what jobs there are", root.display()));
            } else if let Err(error) = bounded::patiently(FILES, || gone(&root)) {
                left.push(format!("{} stays behind: {error}", root.display()));
            }
        }
        for line in &left {
            eprintln!("bits-conformance: {line}");
        }
        // Of these it was told when they could not be cancelled.
        left.extend(self.ledger.left_behind());
        left
    }
}

/// Deletes the folder of a run; one that is gone is as good.
fn gone(folder: &Path) -> io::Result<()> {
    match left_over::delete(folder) {
        Err(error) if folder.exists() => Err(error),
        _ => Ok(()),
    }
}

fn no_folder(error: &io::Error) -> String {
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
    /// The main client is a standard user.
    StandardUser,
    /// No policy changes the defaults of BITS.
    DefaultPolicies,
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
            Self::StandardUser => {
                "whoever runs the suite is an administrator or a service, and BITS treats those in another way"
            }
            Self::DefaultPolicies => "policies of this machine change the defaults of BITS",
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
        let (tell, left) = channel();
        let tell = move |line| tell.send(line).expect("the test listens");
        let next = Arc::new(Provider::shared(Arc::clone(&manager), parent.path(), tell).expect("a run"));

        assert_eq!(names(&*manager), ["bits-conformance"]);
        let left: Vec<String> = left.try_iter().collect();
        assert!(matches!(&left[..], [line] if line.starts_with("deleted ")), "{left:?}");
        next.clear();
        assert_eq!(std::fs::read_dir(parent.path()).expect("the folder").count(), 0);
    }

    #[test]
    fn what_cannot_be_cancelled_is_told_with_the_folder_that_stays_for_the_next_run() {
        let emulator = Emulator::builder().clock(Clock::system()).start().expect("the emulator");
        let manager = emulator.client("suite.exe").manager().expect("a manager");
        let provider = Arc::new(Provider::of_manager(manager));
        let limits = Limits::of(Arc::clone(&provider));
        let bench = Bench::new(limits, None);
        let id = bench.new_job().and_then(|job| Ok(job.id()?)).expect("a job");
        emulator.stop();

        let left = provider.clear();

        std::fs::remove_dir_all(&provider.folder).expect("the folder has stayed");
        let tells = |what: &str| left.iter().any(|line| line.contains(what));
        assert!(tells(&id.to_string()) && tells("stays for the next run"), "{left:?}");
    }
}
