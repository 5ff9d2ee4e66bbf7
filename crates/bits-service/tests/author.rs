//! What helps the author of a test: assertions on the timeline, leftovers, touched decisions.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bits_api::{ErrorContext, Hresult, JobState, SecurityFlags, Success};
use bits_origin::{Content, Origin, Script};
use bits_service::{Emulator, Fault, Seed, SeedFile, SimHold};
use bits_world::StorageFault;
use support::{HOUR, Recorder, Setup, URL};

const LIFE: [JobState; 6] = [
    JobState::SUSPENDED,
    JobState::QUEUED,
    JobState::CONNECTING,
    JobState::TRANSFERRING,
    JobState::TRANSFERRED,
    JobState::ACKNOWLEDGED,
];

/// What a failed assertion says.
fn failure(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).unwrap_err();
    panic.downcast_ref::<String>().expect("it panics with a text").clone()
}

/// A setup with a job that has lived its life under a callback.
fn lived() -> (Setup, bits_api::Guid) {
    let setup = Setup::new();
    let job = setup.job();
    job.set_notify_interface(Some(Recorder::content().object())).unwrap();
    job.resume().unwrap();
    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();
    job.complete().unwrap();
    (setup, job.id().unwrap())
}

#[test]
fn a_timeline_that_is_as_expected_passes() {
    let (setup, job) = lived();
    let timeline = setup.emulator.timeline();

    timeline.assert_states(job, &LIFE);
    timeline.assert_callbacks(job, &["JobTransferred"]);
    timeline.assert_in_order(
        job,
        &["CreateJob", "QUEUED → CONNECTING", "callback JobTransferred", "updater.exe: Complete"],
    );
    timeline.assert_in_order(job, &[]);
}

#[test]
fn the_timeline_tells_where_a_redirect_has_led() {
    let setup = Setup::new();
    setup.network.redirect(URL, 302, "http://user:secret@mirror.example/setup.exe");
    setup.network.serve("http://mirror.example/setup.exe", 10);
    let job = setup.job();
    job.http_options().unwrap().set_security_flags(SecurityFlags::REDIRECT_POLICY_ALLOW_REPORT).unwrap();

    job.resume().unwrap();
    setup.emulator.settle().unwrap();

    let id = job.id().unwrap();
    let steps = ["begins: http://updates.example", "redirected: http://mirror.example/setup.exe", "→ TRANSFERRED"];
    setup.emulator.timeline().assert_in_order(id, &steps);
}

#[test]
fn states_that_differ_are_told_with_the_first_difference_and_the_timeline() {
    let (setup, job) = lived();
    let timeline = setup.emulator.timeline();
    let mut wrong = LIFE;
    wrong[3] = JobState::ERROR;

    let told = failure(|| timeline.assert_states(job, &wrong));

    assert!(told.contains("number 4: expected \"ERROR\", got \"TRANSFERRING\""), "{told}");
    assert!(told.contains("updater.exe: CreateJob"), "{told}");
    let short = failure(|| timeline.assert_states(job, &LIFE[..5]));
    assert!(short.contains("number 6: expected nothing, got \"ACKNOWLEDGED\""), "{short}");
    let long = failure(|| timeline.assert_callbacks(job, &["JobTransferred", "JobError"]));
    assert!(long.contains("number 2: expected \"JobError\", got nothing"), "{long}");
}

#[test]
fn a_line_that_is_missing_is_told_with_where_it_was_looked_for() {
    let (setup, job) = lived();
    let timeline = setup.emulator.timeline();

    let told = failure(|| timeline.assert_in_order(job, &["callback JobTransferred", "CreateJob"]));
    assert!(told.contains("\"CreateJob\" (text 2 of 2) does not come after \"callback JobTransferred\""), "{told}");
    // One line is there for one text.
    let twice = failure(|| timeline.assert_in_order(job, &["QUEUED → CONNECTING", "QUEUED → CONNECTING"]));
    assert!(twice.contains("text 2 of 2"), "{twice}");
    let never = failure(|| timeline.assert_in_order(job, &["JobError"]));
    assert!(never.contains("does not come at all"), "{never}");
}

#[test]
fn after_complete_and_cancel_nothing_is_left() {
    let (setup, _) = lived();
    let job = setup.job();
    setup.network.hold(URL, SimHold::Transferring(10));
    job.resume().unwrap();
    setup.emulator.settle().unwrap();
    job.cancel().unwrap();

    assert!(setup.emulator.leftovers().unwrap().is_empty());
    drop(setup.emulator.no_leftovers());
}

#[test]
fn a_job_in_the_queue_is_left_with_its_temporary_file_also_while_the_service_is_stopped() {
    let setup = Setup::new();
    let file = SeedFile::new(URL, r"C:\setup.exe").part("a bit", 100);
    let id = setup.client.seed_job(Seed::new(JobState::ERROR).named("forgotten").file(file)).unwrap().id;

    let left = setup.emulator.leftovers().unwrap();
    setup.emulator.stop();
    let left_when_stopped = setup.emulator.leftovers().unwrap();

    assert_eq!(left, left_when_stopped);
    let jobs: Vec<_> = left.jobs.iter().map(|job| (job.id, job.name.as_str(), job.state)).collect();
    assert_eq!(jobs, [(id, "forgotten", JobState::ERROR)]);
    assert_eq!(left.jobs[0].owner, setup.emulator.user("user").user);
    assert_eq!(left.files, setup.network.local_files());
    assert_eq!(left.files.len(), 1);
    setup.emulator.start().unwrap();
    assert_eq!(setup.manager().job(id).unwrap().state(), Ok(JobState::ERROR), "looking changes nothing");
}

#[test]
fn the_queue_of_a_folder_can_be_looked_at_while_the_service_is_stopped() {
    let state = tempfile::tempdir().unwrap();
    let setup = Setup::with(|builder| builder.state_folder(state.path()));
    let id = setup.job().id().unwrap();

    setup.emulator.stop();

    assert_eq!(setup.emulator.leftovers().unwrap().jobs[0].id, id);
    setup.emulator.start().unwrap();
}

#[test]
fn a_file_that_could_not_be_deleted_is_left_until_somebody_deletes_it() {
    let setup = Setup::new();
    let file = SeedFile::new(URL, r"C:\setup.exe").part("a bit", 100);
    let job = setup.client.seed_job(Seed::new(JobState::SUSPENDED).file(file)).unwrap().job;
    setup.emulator.change_world(|world| world.storage.set("/drive-c", StorageFault::Pinned));
    assert_eq!(job.cancel(), Ok(Success::UNABLE_TO_DELETE_FILES));

    setup.emulator.restart().unwrap();

    let left = setup.emulator.leftovers().unwrap();
    assert_eq!((left.jobs.len(), left.files), (0, setup.network.local_files()));
    let told = failure(|| drop(setup.emulator.no_leftovers()));
    assert!(told.contains("has not cleaned up") && told.contains("BIT"), "{told}");
}

#[test]
fn a_guard_names_what_is_left_but_is_silent_in_a_test_that_fails_anyway() {
    let setup = Setup::new();
    setup.job();

    let told = failure(|| drop(setup.emulator.no_leftovers()));
    assert!(told.contains("(\"update\")") && told.contains("BG_JOB_STATE_SUSPENDED"), "{told}");

    let own = catch_unwind(AssertUnwindSafe(|| {
        let _guard = setup.emulator.no_leftovers();
        panic!("{}", "its own failure");
    }));
    assert_eq!(own.unwrap_err().downcast_ref::<String>().unwrap(), "its own failure");
}

/// What becomes of a background job, usually and by another decision, against a real server.
fn by_decision(id: &str, other: &str, origin: impl Fn(&Origin)) -> [(JobState, Hresult); 2] {
    [None, Some(other)].map(|choice| {
        let folder = tempfile::tempdir().unwrap();
        let builder = Emulator::builder().world(|world| world.drives.mount('C', folder.path()));
        let builder = choice.into_iter().fold(builder, |builder, value| builder.decision(id, value));
        let emulator = builder.start().unwrap();
        let server = Origin::start(emulator.clock().clone()).unwrap();
        server.put("/a", Content::bytes("the file"));
        origin(&server);
        let seed = Seed::new(JobState::SUSPENDED).file(SeedFile::new(&server.url("/a"), r"C:\a"));
        let job = emulator.client("test").seed_job(seed).unwrap().job;

        job.resume().unwrap();
        emulator.settle().unwrap();

        assert!(emulator.decisions_touched().contains(&id), "{:?}", emulator.decisions_touched());
        let error = job.error().and_then(|error| error.error()).map_or(Hresult::S_OK, |(_, code)| code);
        (job.state().unwrap(), error)
    })
}

fn script(server: &Origin, rules: &str) {
    server.script(Script::parse("test", rules).unwrap());
}

#[test]
fn decisions_about_answers_hold_over_the_wire() {
    assert_eq!(
        by_decision("http.status_classes", "transient", |server| script(server, "/a: status 429")),
        [(JobState::ERROR, Hresult(0x8019_01AD)), (JobState::TRANSIENT_ERROR, Hresult(0x8019_01AD))]
    );
    assert_eq!(
        by_decision("http.open.200_for_range", "accepted", |server| {
            server.put("/a", Content::bytes("the file").without_ranges());
        }),
        [(JobState::ERROR, Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT), (JobState::TRANSFERRED, Hresult::S_OK)]
    );
}

#[test]
fn a_test_can_tell_which_decisions_it_hangs_on() {
    let setup = Setup::new();
    let callback = Recorder::new(|_, _| Err(Hresult::E_FAIL));
    let job = setup.job();
    job.set_notify_interface(Some(callback.object())).unwrap();
    assert_eq!(setup.emulator.decisions_touched(), [""; 0]);

    setup.emulator.fail_next(Fault::new(Hresult::BG_E_HTTP_ERROR_404, ErrorContext::REMOTE_FILE));
    job.resume().unwrap();
    setup.emulator.settle().unwrap();

    assert!(setup.emulator.decisions_touched().contains(&"callback.job_transferred.retry"));
    assert!(!setup.emulator.decisions_touched().contains(&"http.stall_timeout"));
}
