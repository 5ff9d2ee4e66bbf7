//! What a user of the library does, through its front door only.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bits_emulator::api::{Hresult, Job, JobPriority, JobState, JobType, SIZE_UNKNOWN, Success};
use bits_emulator::origin::{Content, GateAt, Origin, Script};
use bits_emulator::world::clock::Clock;
use bits_emulator::world::{InternetSettings, Network};
use bits_emulator::{Builder, Emulator, What, log_requests};

const HOUR: Duration = Duration::from_hours(1);
/// Longer than anything here takes in real time.
const PATIENCE: Duration = Duration::from_secs(20);
const MIB: u64 = 1024 * 1024;

/// An emulator and an origin on one virtual clock, and drive C in a folder of its own.
struct Setup {
    folder: tempfile::TempDir,
    emulator: Emulator,
    origin: Origin,
}

impl Setup {
    fn new() -> Self {
        Self::of(Emulator::builder())
    }

    fn of(builder: Builder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let emulator = builder.world(|world| world.drives.mount('C', folder.path())).start().unwrap();
        let origin = Origin::start(emulator.clock().clone()).unwrap();
        log_requests(&emulator, &origin);
        Self { folder, emulator, origin }
    }

    fn job(&self, path: &str, file: &str) -> Arc<dyn Job> {
        let manager = self.emulator.client("updater.exe").manager().unwrap();
        let job = manager.create_job(Some("story"), JobType::DOWNLOAD).unwrap().job;
        job.add_file(Some(&self.origin.url(path)), Some(&format!(r"C:\{file}"))).unwrap();
        job
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(self.folder.path()).unwrap().map(|e| name(&e.unwrap().path())).collect();
        names.sort();
        names
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn nothing_is_seen_of_a_file_before_complete_but_its_temporary_file() {
    let setup = Setup::new();
    setup.origin.put("/a.bin", Content::synthetic(3 * MIB, 1));
    let job = setup.job("/a.bin", "a.bin");

    job.resume().unwrap();
    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();
    let before = setup.files();
    job.complete().unwrap();

    let temporary = before.iter().filter_map(|name| name.strip_prefix("BIT")?.strip_suffix(".tmp"));
    assert_eq!((before.len(), temporary.count()), (1, 1), "{before:?}");
    assert_eq!(setup.files(), ["a.bin"]);
}

#[test]
fn a_job_is_connecting_until_the_server_answers_and_transferring_while_bytes_come() {
    let setup = Setup::new();
    setup.origin.put("/a.bin", Content::synthetic(3 * MIB, 1));
    let asked = setup.origin.gate_method("HEAD", "/a.bin", GateAt::RequestSeen);
    let half = setup.origin.gate_method("GET", "/a.bin", GateAt::Byte(MIB));
    let job = setup.job("/a.bin", "a.bin");

    job.resume().unwrap();
    setup.emulator.settle().unwrap();
    assert_eq!(job.state(), Ok(JobState::CONNECTING));
    assert_eq!(job.progress().unwrap().bytes_total, SIZE_UNKNOWN);

    asked.open();
    setup.emulator.settle().unwrap();
    assert_eq!(job.state(), Ok(JobState::TRANSFERRING));
    let progress = job.progress().unwrap();
    assert_eq!((progress.bytes_transferred, progress.bytes_total), (MIB, 3 * MIB));

    half.open();
    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();
}

#[test]
fn a_broken_download_goes_on_where_it_broke() {
    let setup = Setup::new();
    setup.origin.put("/a.bin", Content::synthetic(3 * MIB, 1));
    setup.origin.script(Script::parse("story", "GET /a.bin: close after 1 MiB once").unwrap());
    let job = setup.job("/a.bin", "a.bin");

    job.resume().unwrap();
    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();
    job.complete().unwrap();

    assert_eq!(job.error_count(), Ok(1));
    let journal = setup.origin.journal().requests_to("/a.bin").with_method("GET");
    journal.nth(1).has_header("range", &format!("bytes={MIB}-{}", 3 * MIB - 1));
    assert_eq!(journal.body_bytes_sent(), 3 * MIB);
}

#[test]
fn fourteen_days_of_refusals_end_in_error_and_leave_no_file_after_cancel() {
    let setup = Setup::new();
    setup.origin.put("/a.bin", Content::synthetic(MIB, 1));
    setup.origin.script(Script::parse("story", "/a.bin: status 503").unwrap());
    let job = setup.job("/a.bin", "a.bin");

    job.resume().unwrap();
    setup.emulator.wait_state(&job, JobState::ERROR, 15 * 24 * HOUR).unwrap();

    let (_, code) = job.error().unwrap().error().unwrap();
    assert_eq!(code, Hresult::BG_E_HTTP_ERROR_503);
    assert!(job.error_count().unwrap() > 2000, "{}", job.error_count().unwrap());
    assert_eq!(job.cancel(), Ok(Success::OK));
    assert!(setup.files().is_empty());
}

#[test]
fn a_job_waits_for_its_network_and_its_owner() {
    let setup = Setup::new();
    setup.origin.put("/a.bin", Content::synthetic(MIB, 1));
    let job = setup.job("/a.bin", "a.bin");
    let owner = setup.emulator.user(Emulator::DEFAULT_USER).user;

    setup.emulator.change_world(|world| world.network = Network::Disconnected);
    job.resume().unwrap();
    setup.emulator.advance(HOUR).unwrap();
    assert_eq!(job.state(), Ok(JobState::TRANSIENT_ERROR));

    setup.emulator.change_world(|world| world.log_off(&owner));
    setup.emulator.change_world(|world| world.network = Network::Connected);
    setup.emulator.advance(HOUR).unwrap();
    assert_eq!(job.state(), Ok(JobState::QUEUED));

    setup.emulator.change_world(|world| world.log_on(owner.clone()));
    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();
}

#[test]
fn a_user_behind_a_proxy_downloads_through_it_until_it_is_taken_away() {
    let setup = Setup::new();
    setup.origin.put("/a.bin", Content::synthetic(MIB, 1));
    let proxy = Origin::start(setup.emulator.clock().clone()).unwrap();
    let user = setup.emulator.user(Emulator::DEFAULT_USER).user;
    let settings = InternetSettings::proxies(proxy.address().to_string());
    setup.emulator.change_world(|world| _ = world.proxies.users.insert(user.clone(), settings));

    let behind = setup.job("/a.bin", "behind.bin");
    behind.resume().unwrap();
    setup.emulator.wait_state(&behind, JobState::TRANSFERRED, HOUR).unwrap();
    setup.emulator.change_world(|world| _ = world.proxies.users.remove(&user));
    let straight = setup.job("/a.bin", "straight.bin");
    straight.resume().unwrap();
    setup.emulator.wait_state(&straight, JobState::TRANSFERRED, HOUR).unwrap();

    proxy.journal().methods(["HEAD", "GET"]);
    let seen = setup.origin.journal();
    seen.count(4).nth(1).has_header("Via", "1.1 bits-origin");
    seen.nth(2).lacks_header("Via");
}

#[test]
fn a_restarted_service_takes_its_queue_from_the_state_folder() {
    let (state, drive) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let start = || {
        let builder = Emulator::builder().state_folder(state.path());
        builder.world(|world| world.drives.mount('C', drive.path())).start().unwrap()
    };
    let first = start();
    let job = first.client("a.exe").manager().unwrap().create_job(Some("kept"), JobType::DOWNLOAD).unwrap();
    job.job.set_priority(JobPriority::LOW).unwrap();
    drop(first);

    let second = start();
    let found = second.client("b.exe").manager().unwrap().job(job.id).unwrap();

    assert_eq!(found.display_name().as_deref(), Ok("kept"));
    assert_eq!(found.priority(), Ok(JobPriority::LOW));
    assert_eq!(job.job.state(), Err(Hresult::RPC_S_SERVER_UNAVAILABLE));
}

/// Whether jobs of one small file, one after the other and on real time, come to share a connection. What
/// one has left serves only those that the same thread of ours carries out: that may be the fifth.
fn small_jobs_share_connections(builder: Builder) -> bool {
    let setup = Setup::of(builder.clock(Clock::system()));
    setup.origin.put("/a", Content::bytes("small"));
    let mut connections = BTreeSet::new();
    let shares = (0..12).any(|number| {
        let job = setup.job("/a", &format!("{number}"));
        job.resume().unwrap();
        setup.emulator.wait_state(&job, JobState::TRANSFERRED, PATIENCE).unwrap();
        job.complete().unwrap();
        !connections.insert(setup.origin.journal().with_method("GET").nth(number).connection)
    });
    assert!(setup.emulator.decisions_touched().contains(&"http.spare_connections"));
    shares
}

#[test]
fn a_small_job_goes_on_with_the_connection_of_another_unless_that_was_decided_otherwise() {
    assert!(small_jobs_share_connections(Emulator::builder()));
    assert!(!small_jobs_share_connections(Emulator::builder().decision("http.spare_connections", "closed")));
}

#[test]
fn the_timeline_tells_calls_transitions_attempts_and_requests() {
    let setup = Setup::new();
    setup.origin.put("/a.bin", Content::bytes(vec![1, 2, 3]));
    let job = setup.job("/a.bin", "a.bin");
    job.resume().unwrap();
    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();

    let entries = setup.emulator.timeline().entries();
    let has = |wanted: fn(&What) -> bool| entries.iter().any(|entry| wanted(&entry.what));

    assert!(has(|what| matches!(what, What::Call { method: "Resume", result: Hresult::S_OK, .. })));
    assert!(has(|what| matches!(what, What::Transition { to: JobState::TRANSFERRED, .. })));
    assert!(has(|what| matches!(what, What::AttemptStarted { .. })));
    assert!(has(|what| matches!(what, What::Request { line } if line.starts_with("HEAD /a.bin"))));
}

#[test]
fn a_password_in_a_url_is_neither_in_the_timeline_nor_in_an_explanation() {
    let setup = Setup::new();
    let with_password = setup.origin.url("/a.bin").replace("http://", "http://user:hunter2@");
    let manager = setup.emulator.client("updater.exe").manager().unwrap();
    let job = manager.create_job(Some("story"), JobType::DOWNLOAD).unwrap().job;
    job.add_file(Some(&with_password), Some(r"C:\a.bin")).unwrap();

    job.resume().unwrap();
    let error = setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap_err().to_string();

    assert!(error.contains("/a.bin"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}
