//! An emulator, a folder that it downloads to, and an origin that can be any server of the table.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bits_api::{
    AuthCredentials, AuthScheme, AuthTarget, ErrorContext, FileRange, Hresult, Job, JobPriority, JobPropertyId,
    JobPropertyValue, JobState, JobType, Manager, ProxyUsage,
};
use bits_origin::{Content, Origin, Request};
use bits_service::Emulator;
use bits_world::Passport;
use bits_world::clock::{Clock, VirtualClock};
use tempfile::TempDir;

use crate::servers::{At, Server};

/// What every good answer carries.
pub const FILE: &[u8] = b"0123456789";

/// How long a test waits for what must come.
pub const SOON: Duration = Duration::from_secs(20);

/// Who a job is that has an account.
pub const USER_NAME: &str = r"EXAMPLE\zaphod";

/// What nobody is to learn who has not asked for it in the clear.
pub const PASSWORD: &str = "Xy7!kept-to-ourselves";

/// A name under which only the origin as a proxy finds itself.
const BEHIND: &str = "files.example";

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
        house.origin.reach(&format!("{BEHIND}:80"), house.origin.address());
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
        let url = match server.at {
            // Behind a proxy it has another name, or it would be asked by itself.
            At::Proxy => format!("http://{BEHIND}{path}"),
            At::Tunnel => self.origin.https_url(path).replace("127.0.0.1", "localhost"),
            At::Http => self.origin.url(path),
            At::Https => self.origin.https_url(path),
            At::TlsToPlain => self.origin.url(path).replace("http:", "https:"),
            At::PlainToTls => self.origin.https_url(path).replace("https:", "http:"),
        };
        let job = self.good_job(&url, path, &server.ranges);
        let set = |id, value| job.clone().job5().and_then(|job| job.set_property(id, value)).map(drop);
        if matches!(server.at, At::Proxy | At::Tunnel) {
            let proxy = self.origin.address().to_string();
            job.set_proxy_settings(ProxyUsage::OVERRIDE, Some(&proxy), None).expect("a proxy");
        }
        self.sign_in_at(server);
        for scheme in server.schemes() {
            introduce(&job, scheme);
        }
        if server.background {
            job.set_priority(JobPriority::NORMAL).expect("a priority");
        }
        if server.dynamic {
            set(JobPropertyId::DYNAMIC_CONTENT, JobPropertyValue::Enable(true)).expect("dynamic content");
        }
        if let Some(most) = server.most {
            set(JobPropertyId::MAX_DOWNLOAD_SIZE, JobPropertyValue::Uint64(most)).expect("a limit");
        }
        if let Some(days) = server.days {
            let job4 = job.clone().job4().expect("BITS 3.0");
            job4.set_maximum_download_time(days * 24 * 3600).expect("a limit");
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

    /// A suspended foreground job for these ranges of `url`, or for all of it.
    fn good_job(&self, url: &str, path: &str, ranges: &[(u64, u64)]) -> Arc<dyn Job> {
        let job = self.manager.create_job(Some("hostile"), JobType::DOWNLOAD).expect("a job").job;
        job.set_priority(JobPriority::FOREGROUND).expect("a priority");
        let destination = self.destination(path);
        fs::write(&destination, BEFORE).expect("a file");
        let local = destination.to_string_lossy();
        if ranges.is_empty() {
            job.add_file(Some(url), Some(&local)).expect("a file of the job");
        } else {
            let range =
                |(initial_offset, length): &(u64, u64)| FileRange { initial_offset: *initial_offset, length: *length };
            let ranges: Vec<_> = ranges.iter().map(range).collect();
            let job3 = Arc::clone(&job).job3().expect("BITS 2.0");
            job3.add_file_with_ranges(Some(url), Some(&local), &ranges).expect("a file of the job");
        }
        job
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
