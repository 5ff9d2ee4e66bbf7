//! Jobs that begin in the middle of their life, and attempts that fail without a server.

mod support;

use std::time::Duration;

use bits_api::{ErrorContext, FileTime, Hresult, JobPriority, JobState, Success};
use bits_origin::{Content, Origin};
use bits_service::{Emulator, Fault, Reason, Seed, SeedError, SeedFile, SimHold, Suspender};
use bits_world::Network;
use support::{HOUR, Setup, URL};

const LOCAL: &str = r"C:\setup.exe";
const NINE: [JobState; 9] = [
    JobState::QUEUED,
    JobState::CONNECTING,
    JobState::TRANSFERRING,
    JobState::SUSPENDED,
    JobState::ERROR,
    JobState::TRANSIENT_ERROR,
    JobState::TRANSFERRED,
    JobState::ACKNOWLEDGED,
    JobState::CANCELLED,
];

/// A job in `state` with a file that fits it.
fn seed(state: JobState) -> Seed {
    let file = SeedFile::new(URL, LOCAL);
    let seed = Seed::new(state).file(match state {
        JobState::TRANSFERRED | JobState::ACKNOWLEDGED => file.whole("all of it"),
        _ => file.part("a bit", 1_000),
    });
    // Nobody gives it a turn by itself.
    if state == JobState::QUEUED { seed.set_up(|job| job.set_priority(JobPriority::LOW).map(drop)) } else { seed }
}

fn keep_the_slot(setup: &Setup) {
    setup.client.seed_job(high_and_held()).unwrap();
}

fn high_and_held() -> Seed {
    Seed::new(JobState::TRANSFERRING)
        .set_up(|job| job.set_priority(JobPriority::HIGH).map(drop))
        .file(SeedFile::new("http://updates.example/other", r"C:\other").part("", 10))
}

#[test]
fn a_job_is_seeded_in_any_of_the_nine_states() {
    for state in NINE {
        let setup = Setup::new();
        if state == JobState::QUEUED {
            keep_the_slot(&setup);
        }

        let job = setup.client.seed_job(seed(state)).unwrap().job;
        setup.emulator.settle().unwrap();

        assert_eq!(job.state(), Ok(state));
    }
}

#[test]
fn a_seeded_job_has_its_past() {
    let setup = Setup::new();
    let error = (Hresult::BG_E_HTTP_ERROR_403, ErrorContext::REMOTE_FILE);

    let seed = seed(JobState::ERROR)
        .named("from last week")
        .age(HOUR * 24 * 7)
        .idle(HOUR * 24)
        .error(error.0, error.1)
        .error_count(3);
    let job = setup.client.seed_job(seed).unwrap().job;

    let now = setup.emulator.clock().now().wall;
    let times = job.times().unwrap();
    assert_eq!(now.since(times.creation), HOUR * 24 * 7);
    assert_eq!(now.since(times.modification), HOUR * 24);
    assert_eq!(job.display_name().as_deref(), Ok("from last week"));
    assert_eq!(job.error().unwrap().error(), Ok((error.1, error.0)));
    assert_eq!(job.error_count(), Ok(3));
    assert_eq!(job.owner().unwrap(), setup.emulator.user("user").user.to_string());
    let progress = job.progress().unwrap();
    assert_eq!((progress.bytes_transferred, progress.bytes_total), (5, 1_000));
    assert_eq!(setup.network.local_files().len(), 1, "the temporary file");
}

#[test]
fn a_seeded_job_outlives_a_restart() {
    for state in [JobState::SUSPENDED, JobState::ERROR, JobState::TRANSIENT_ERROR, JobState::TRANSFERRED] {
        let setup = Setup::new();
        let id = setup.client.seed_job(seed(state).age(HOUR)).unwrap().id;

        setup.emulator.restart().unwrap();

        let job = setup.manager().job(id).unwrap();
        assert_eq!(job.state(), Ok(state));
        assert_eq!(setup.emulator.clock().now().wall.since(job.times().unwrap().creation), HOUR);
    }
}

#[test]
fn an_old_job_is_cancelled_when_its_ninety_days_are_over() {
    let setup = Setup::new();
    let job = setup.client.seed_job(seed(JobState::SUSPENDED).age(HOUR * 24 * 89)).unwrap().job;

    setup.emulator.advance(HOUR * 23).unwrap();
    assert_eq!(job.state(), Ok(JobState::SUSPENDED));
    setup.emulator.advance(HOUR * 2).unwrap();

    assert_eq!(job.state(), Ok(JobState::CANCELLED));
}

#[test]
fn a_seeded_retry_comes_when_its_delay_is_over() {
    let setup = Setup::new();
    let job = setup.client.seed_job(seed(JobState::TRANSIENT_ERROR)).unwrap().job;

    setup.emulator.advance(Duration::from_secs(599)).unwrap();
    assert_eq!(job.state(), Ok(JobState::TRANSIENT_ERROR));
    setup.emulator.advance(Duration::from_secs(2)).unwrap();

    assert_eq!(job.state(), Ok(JobState::TRANSFERRED));
}

#[test]
fn a_held_job_goes_on_when_it_is_let_go() {
    for state in [JobState::CONNECTING, JobState::TRANSFERRING] {
        let setup = Setup::new();
        let created = setup.client.seed_job(seed(state)).unwrap();
        setup.emulator.advance(HOUR).unwrap();
        assert_eq!(created.job.state(), Ok(state));

        setup.emulator.let_go(created.id);

        setup.emulator.wait_state(&created.job, JobState::TRANSFERRED, HOUR).unwrap();
    }
}

#[test]
fn a_held_job_can_be_suspended_and_cancelled() {
    for state in [JobState::CONNECTING, JobState::TRANSFERRING] {
        let setup = Setup::new();
        let job = setup.client.seed_job(seed(state)).unwrap().job;

        assert_eq!(job.suspend(), Ok(Success::OK));
        assert_eq!(job.resume(), Ok(Success::OK));
        setup.emulator.settle().unwrap();
        assert_eq!(job.state(), Ok(state));
        assert_eq!(job.cancel(), Ok(Success::OK));

        assert!(setup.network.local_files().is_empty());
    }
}

#[test]
fn what_no_job_can_have_been_through_is_refused_and_leaves_nothing() {
    let nothing_there = || SeedFile::new(URL, LOCAL);
    let disconnected = (Hresult::BG_E_NETWORK_DISCONNECTED, ErrorContext::GENERAL_QUEUE_MANAGER);
    let impossible: [(Seed, &str); 11] = [
        (Seed::new(JobState::QUEUED), "has files"),
        (Seed::new(JobState::QUEUED).file(nothing_there().whole("all")), "something left"),
        (Seed::new(JobState::TRANSFERRED).file(nothing_there()), "the whole of each file"),
        (Seed::new(JobState::CONNECTING), "to BG_JOB_STATE_CONNECTING, a job in BG_JOB_STATE_QUEUED has files"),
        (Seed::new(JobState::ACKNOWLEDGED).file(nothing_there()), "on the way to BG_JOB_STATE_ACKNOWLEDGED"),
        (seed(JobState::TRANSFERRED).error(disconnected.0, disconnected.1), "no error"),
        (seed(JobState::TRANSIENT_ERROR).error(disconnected.0, disconnected.1), "change the world"),
        (seed(JobState::ERROR).error(Hresult::S_OK, disconnected.1), "failure code"),
        (seed(JobState::SUSPENDED).idle(HOUR), "idle for longer"),
        (Seed::new(JobState::SUSPENDED).file(nothing_there().part("four", 3)), "smaller"),
        (Seed::new(JobState::TRANSFERRING).file(nothing_there()), "give it a part"),
    ];
    for (seed, why) in impossible {
        let setup = Setup::new();

        let error = setup.client.seed_job(seed).unwrap_err();

        assert!(matches!(&error, SeedError::Impossible(told) if told.contains(why)), "{error}");
        assert_eq!(format!("{error:?}"), error.to_string(), "what a test prints that unwraps");
        let jobs = setup.manager().enum_jobs(bits_api::EnumJobsFlags::empty()).unwrap();
        assert_eq!(jobs.count(), Ok(0));
        assert!(setup.network.local_files().is_empty());
    }
}

#[test]
fn a_seed_that_no_client_could_make_is_refused_with_the_call_and_its_code() {
    let setup = Setup::new();

    let error = setup.client.seed_job(Seed::new(JobState::SUSPENDED).file(SeedFile::new("not a url", LOCAL)));

    assert_eq!(error.unwrap_err(), SeedError::Refused { call: "AddFile", code: Hresult::E_INVALIDARG });
}

#[test]
fn a_job_that_gets_no_turn_says_why() {
    let setup = Setup::new();
    keep_the_slot(&setup);
    let error = setup.client.seed_job(seed(JobState::CONNECTING)).unwrap_err();
    assert!(error.to_string().contains("other") || error.to_string().contains("seeded"), "{error}");

    let setup = Setup::new();
    setup.emulator.change_world(|world| world.network = Network::Disconnected);
    let error = setup.client.seed_job(seed(JobState::CONNECTING)).unwrap_err();
    assert!(matches!(error, SeedError::NoTurn { state: JobState::TRANSIENT_ERROR, .. }), "{error}");
}

/// The same over real sockets and files.
struct Real {
    folder: tempfile::TempDir,
    emulator: Emulator,
    origin: Origin,
}

impl Real {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let emulator = Emulator::builder().world(|world| world.drives.mount('C', folder.path())).start().unwrap();
        let origin = Origin::start(emulator.clock().clone()).unwrap();
        Self { folder, emulator, origin }
    }

    fn read(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("setup.exe")).unwrap()
    }
}

#[test]
fn a_seeded_file_is_published_by_complete_without_a_server() {
    let real = Real::new();
    let seed = Seed::new(JobState::TRANSFERRED).file(SeedFile::new("http://nowhere.invalid/a", LOCAL).whole("MZ"));

    let job = real.emulator.client("test").seed_job(seed).unwrap().job;
    assert_eq!(job.complete(), Ok(Success::OK));

    assert_eq!(real.read(), b"MZ");
}

#[test]
fn a_seeded_part_is_gone_on_with_from_the_server() {
    let real = Real::new();
    let stamp = FileTime::from_unix_seconds(1_600_000_000);
    real.origin.put("/a", Content::bytes("abcdefgh").last_modified(stamp));
    for state in [JobState::SUSPENDED, JobState::TRANSFERRING] {
        let file = SeedFile::new(&real.origin.url("/a"), LOCAL).part("ABC", 8).last_modified(stamp);

        let created = real.emulator.client("test").seed_job(Seed::new(state).file(file)).unwrap();
        real.emulator.let_go(created.id);
        created.job.resume().unwrap();
        real.emulator.wait_state(&created.job, JobState::TRANSFERRED, HOUR).unwrap();
        created.job.complete().unwrap();

        assert_eq!(real.read(), b"ABCdefgh");
    }
}

#[test]
fn nobody_is_said_to_have_suspended_a_seeded_job() {
    let setup = Setup::new();

    let job = setup.client.seed_job(seed(JobState::SUSPENDED)).unwrap();

    let told = setup.emulator.explain(job.id);
    assert_eq!(told.reason, Reason::Suspended { by: Suspender::Unknown }, "{told}");
}

#[test]
fn the_next_attempt_fails_as_ordered_with_and_without_a_server() {
    let code = Hresult::BG_E_HTTP_ERROR_404;
    let context = ErrorContext::REMOTE_FILE;
    for url in ["http://nowhere.invalid/a".to_owned(), Real::new().origin.url("/a")] {
        let real = Real::new();
        let job =
            real.emulator.client("test").seed_job(Seed::new(JobState::SUSPENDED).file(SeedFile::new(&url, LOCAL)));
        let job = job.unwrap().job;
        real.emulator.fail_next(Fault::new(code, context));

        job.resume().unwrap();
        real.emulator.wait_state(&job, JobState::ERROR, HOUR).unwrap();

        assert_eq!(job.error().unwrap().error(), Ok((context, code)));
    }
}

#[test]
fn a_transient_fault_is_used_up_by_one_attempt() {
    let real = Real::new();
    real.origin.put("/a", Content::bytes("abc"));
    let job = real.emulator.client("test").manager().unwrap().create_job(Some("j"), bits_api::JobType::DOWNLOAD);
    let job = job.unwrap().job;
    job.add_file(Some(&real.origin.url("/a")), Some(LOCAL)).unwrap();
    real.emulator.fail_next(Fault::new(Hresult::BG_E_HTTP_ERROR_503, ErrorContext::REMOTE_FILE).transient());

    job.resume().unwrap();
    real.emulator.settle().unwrap();
    assert_eq!(job.state(), Ok(JobState::TRANSIENT_ERROR));
    real.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();

    assert_eq!(job.error_count(), Ok(1));
}

#[test]
fn a_fault_in_the_middle_leaves_what_has_arrived() {
    const SIZE: u64 = 8 << 20;
    let real = Real::new();
    real.origin.put("/a", Content::synthetic(SIZE, 1));
    let seed = Seed::new(JobState::SUSPENDED).file(SeedFile::new(&real.origin.url("/a"), LOCAL));
    let created = real.emulator.client("test").seed_job(seed).unwrap();
    let fault = Fault::new(Hresult::BG_E_HTTP_ERROR_404, ErrorContext::REMOTE_FILE).at(SIZE / 4);
    real.emulator.fail_next(fault.of_job(created.id));

    created.job.resume().unwrap();
    real.emulator.wait_state(&created.job, JobState::ERROR, HOUR).unwrap();
    let arrived = created.job.progress().unwrap().bytes_transferred;
    assert!((SIZE / 4..=SIZE).contains(&arrived), "{arrived}");

    created.job.resume().unwrap();
    real.emulator.wait_state(&created.job, JobState::TRANSFERRED, HOUR).unwrap();
}

#[test]
fn a_fault_whose_attempt_ends_with_the_service_meets_the_next_one() {
    for end in [Emulator::stop, Emulator::crash] {
        let setup = Setup::new();
        let job = setup.job();
        let id = job.id().unwrap();
        for code in [Hresult::BG_E_HTTP_ERROR_404, Hresult::BG_E_HTTP_ERROR_403] {
            setup.emulator.fail_next(Fault::new(code, ErrorContext::REMOTE_FILE).at(700));
        }
        setup.network.hold(URL, SimHold::Transferring(10));
        job.resume().unwrap();
        setup.emulator.settle().unwrap();

        end(&setup.emulator);
        setup.emulator.start().unwrap();
        setup.network.let_go(URL);
        let job = setup.manager().job(id).unwrap();
        setup.emulator.wait_state(&job, JobState::ERROR, HOUR).unwrap();

        assert_eq!(job.error().unwrap().error(), Ok((ErrorContext::REMOTE_FILE, Hresult::BG_E_HTTP_ERROR_404)));
    }
}

#[test]
fn a_fault_of_another_job_or_name_waits_for_it() {
    let setup = Setup::new();
    let other = setup.job().id().unwrap();
    let fault = || Fault::new(Hresult::BG_E_HTTP_ERROR_404, ErrorContext::REMOTE_FILE);
    setup.emulator.fail_next(fault().of_job(other));
    setup.emulator.fail_next(fault().of_url("http://updates.example/other"));
    // It comes no further than the end of the file.
    setup.emulator.fail_next(fault().of_url(URL).at(u64::MAX));

    let job = setup.job();
    job.resume().unwrap();
    setup.emulator.wait_state(&job, JobState::ERROR, HOUR).unwrap();

    assert_eq!(job.progress().unwrap().bytes_transferred, 4096);
    job.resume().unwrap();
    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();
}
