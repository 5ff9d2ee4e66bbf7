//! An emulator, a folder that it downloads to, and an origin that can be any server of the table.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bits_api::{AuthCredentials, AuthScheme, AuthTarget, ErrorContext, Hresult, Job, JobState, JobType, Manager};
use bits_origin::{Content, Origin, Request};
use bits_servers::{At, FILE, Server};
use bits_service::Emulator;
use bits_world::Passport;
use bits_world::clock::{Clock, VirtualClock};
use tempfile::TempDir;

/// How long a test waits for what must come.
pub const SOON: Duration = Duration::from_secs(20);

/// Who a job is that has an account.
pub const USER_NAME: &str = r"EXAMPLE\zaphod";

/// What nobody is to learn who has not asked for it in the clear.
pub const PASSWORD: &str = "Xy7!kept-to-ourselves";

/// What stands at the destination before the job is complete.
const BEFORE: &[u8] = b"what was there before";

/// Where a job stands still: its state, and its error if it has one.
pub type Ending = (JobState, Option<(ErrorContext, Hresult)>);

/// The house.
pub struct House {
    /// The server.
    pub origin: Origin,
    /// The service.
    pub emulator: Emulator,
    manager: Arc<dyn Manager>,
    folder: TempDir,
}

impl House {
    /// A house with a server that serves [`FILE`] at every `/file…` that is asked for.
    ///
    /// # Panics
    /// When this machine gives no port or no folder.
    pub fn new() -> Self {
        let clock = Clock::Virtual(VirtualClock::new());
        let origin = Origin::start(clock.clone()).expect("an origin");
        let emulator = Emulator::builder().clock(clock).seed(7).trust(origin.ca_pem()).start().expect("an emulator");
        // Who may have any number of jobs.
        let administrator = emulator.administrator("administrator");
        let manager = emulator.client_as("updater.exe", administrator).manager().expect("a manager");
        let house = Self { origin, emulator, manager, folder: tempfile::tempdir().expect("a folder") };
        house.origin.journal_credentials();
        house.serve("/file");
        house
    }

    /// Serves [`FILE`] at `path`.
    pub fn serve(&self, path: &str) {
        self.origin.put(path, Content::bytes(FILE));
    }

    /// A suspended job for `path`, as `server` wants to be met; the name of its local file tells
    /// the path.
    ///
    /// # Panics
    /// When a call fails.
    pub fn job(&self, server: &Server, path: &str) -> Arc<dyn Job> {
        let job = self.manager.create_job(Some("hostile"), JobType::DOWNLOAD).expect("a job").job;
        let destination = self.destination(path);
        fs::write(&destination, BEFORE).expect("a file");
        server.meet(&job, &self.origin, path, &destination.to_string_lossy()).expect("a job for the server");
        self.sign_in_at(server);
        for scheme in server.schemes() {
            introduce(&job, scheme);
        }
        job
    }

    /// The origin is the nexus of Passport, or its login server where it plays no nexus.
    fn sign_in_at(&self, server: &Server) {
        let at = |path| if server.at == At::Https { self.origin.https_url(path) } else { self.origin.url(path) };
        let passport = if server.has_nexus() {
            Passport::nexus(&at("/nexus"))
        } else {
            Passport::login_server(&at("/login"), "Test.Net", 1)
        };
        self.emulator.change_world(|world| world.passport = passport.expect("a URL"));
    }

    fn destination(&self, path: &str) -> PathBuf {
        self.folder.path().join(path.trim_start_matches('/'))
    }

    /// Resumes a job unless it moves by itself, and lets time pass until it stands still, at most
    /// for `patience`.
    ///
    /// # Panics
    /// When the destination of `path` changes meanwhile, or something hangs.
    pub fn run(&self, job: &Arc<dyn Job>, path: &str, patience: Duration) -> Ending {
        let stands = [JobState::TRANSFERRED, JobState::ERROR, JobState::TRANSIENT_ERROR];
        // The error that it stands in waits for a new attempt, and that one's end is wanted.
        let errors = job.error_count().expect("a number of errors");
        let mut has_left = job.state() != Ok(JobState::TRANSIENT_ERROR);
        if has_left {
            job.resume().expect("the job is resumed");
        }
        let ended = self.emulator.run_until(
            || {
                self.assert_untouched(path);
                let state = job.state().expect("a state");
                has_left |= state != JobState::TRANSIENT_ERROR || job.error_count().is_ok_and(|count| count > errors);
                has_left && stands.contains(&state)
            },
            patience,
        );
        if let Err(stuck) = ended {
            panic!("{stuck}\n{}", self.origin.journal());
        }
        let error = job.error().ok().map(|error| error.error().expect("an error"));
        (job.state().expect("a state"), error)
    }

    fn assert_untouched(&self, path: &str) {
        let there = fs::read(self.destination(path)).expect("the destination");
        assert_eq!(there, BEFORE, "the destination is touched before Complete");
    }

    /// Lets the server behave from now on, and the job come to its end with these bytes.
    ///
    /// # Panics
    /// When it does not.
    pub fn mend(&self, job: &Arc<dyn Job>, path: &str, wanted: &[u8]) {
        self.origin.behave();
        for _ in 0..5 {
            if job.state() == Ok(JobState::TRANSFERRED) {
                break;
            }
            self.run(job, path, Duration::from_hours(2));
        }
        job.complete().unwrap_or_else(|code| {
            panic!("{code} by Complete in {:?}: {}", job.state(), self.emulator.explain(job.id().expect("an id")))
        });
        assert_eq!(fs::read(self.destination(path)).expect("the file"), wanted);
    }

    /// How often somebody was told who the job is.
    pub fn told(&self) -> usize {
        // A login server of Passport is first told nothing but what was asked for.
        let is_telling = |value: &str| !value.starts_with("Passport1.4 tname=");
        let tells = |request: &&Request| {
            ["authorization", "proxy-authorization"]
                .into_iter()
                .any(|name| request.header(name).is_some_and(is_telling))
        };
        self.origin.journal().iter().filter(tells).count()
    }

    /// The names in the folder.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn files(&self) -> Vec<String> {
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let entries = fs::read_dir(self.folder.path()).expect("the folder");
        let mut names: Vec<_> = entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// Gives a job the same account for server and proxy.
fn introduce(job: &Arc<dyn Job>, scheme: AuthScheme) {
    let job2 = Arc::clone(job).job2().expect("BITS 1.5");
    for target in [AuthTarget::SERVER, AuthTarget::PROXY] {
        let credentials = AuthCredentials { target, scheme, user_name: Some(USER_NAME), password: Some(PASSWORD) };
        job2.set_credentials(&credentials).expect("an account");
    }
}

impl Default for House {
    fn default() -> Self {
        Self::new()
    }
}
