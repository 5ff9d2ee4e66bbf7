//! What each verb loses: the table, row by row and thing by thing.

mod support;

use std::fmt::Write;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use bits_api::{ErrorContext, Guid, Hresult, Job, JobPriority, JobState, Success};
use bits_service::{Client, Emulator, Fate, Fault, Loss, SimHold, StartError, Thing, Verb, impersonate};
use support::{HOUR, Recorder, Setup, URL};

const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn every_verb_loses_what_the_table_says() {
    for row in Loss::TABLE {
        for thing in Loss::THINGS {
            let happened = match thing {
                Thing::Handles => handles(row.verb, Emulator::DEFAULT_USER),
                Thing::OtherHandles => handles(row.verb, "other"),
                Thing::Callbacks => callbacks(row.verb),
                Thing::RunningCallback => running_callback(row.verb),
                Thing::HelperTokens => helper_tokens(row.verb),
                Thing::Attempts => attempts(row.verb),
                Thing::Timers => timers(row.verb),
                Thing::Sessions => sessions(row.verb),
                Thing::UnsavedNames => unsaved_names(row.verb),
                Thing::Jobs => jobs(row.verb),
                // The driver's own tests show it: here everything is on record at once.
                Thing::PendingChanges if [Verb::ServiceCrashed, Verb::SystemRestore].contains(&row.verb) => Fate::Lost,
                _ => Fate::Kept,
            };
            assert_eq!(happened, row.fate(thing), "{:?}: {thing:?}", row.verb);
        }
    }
}

#[test]
fn the_table_is_the_one_in_the_documentation() {
    let heads = ["its handles", "others' handles", "callbacks", "running callback"];
    let heads = [
        &heads[..],
        &["helper tokens", "attempts", "timers", "sessions", "unsaved names", "answered changes", "pending changes"],
    ]
    .concat();
    let mut expected = format!("| | {} |\n", heads.join(" | "));
    expected.push_str(&"|---".repeat(Loss::THINGS.len() + 1));
    expected.push_str("|\n");
    for row in Loss::TABLE {
        write!(expected, "| {:?} |", row.verb).unwrap();
        for thing in Loss::THINGS {
            write!(expected, " {} |", row.fate(thing)).unwrap();
        }
        expected.push('\n');
    }
    let documented = include_str!("../src/losses.md");
    assert!(documented.contains(&expected), "src/losses.md is to have this table:\n{expected}");
}

/// Does it to the setup's client, or to its user.
fn perform(verb: Verb, setup: &Setup) {
    let emulator = &setup.emulator;
    let user = emulator.user(Emulator::DEFAULT_USER).user;
    match verb {
        Verb::ClientExits => setup.client.exit(),
        Verb::ClientKilled => setup.client.kill(),
        Verb::ServiceStopped => emulator.stop(),
        Verb::ServiceCrashed => emulator.crash(),
        Verb::ServiceDisabled => emulator.disable(),
        Verb::Reboot => emulator.reboot().unwrap(),
        Verb::SystemRestore => emulator.system_restore().unwrap(),
        Verb::Logoff => emulator.log_off(&user),
        Verb::Lock => emulator.lock(&user),
        Verb::UserSwitch => emulator.switch_user(&emulator.user("other").user),
        Verb::Sleep => emulator.sleep(MINUTE).unwrap(),
        Verb::WallClockJump => later_by_the_wall(emulator, HOUR),
        other => panic!("a verb without a test: {other:?}"),
    }
}

/// The service runs and the user is there again.
fn bring_back(setup: &Setup) -> Client {
    setup.emulator.enable().unwrap();
    setup.emulator.log_on(&setup.emulator.user(Emulator::DEFAULT_USER).user);
    setup.emulator.client("fresh.exe")
}

fn later_by_the_wall(emulator: &Emulator, by: Duration) {
    emulator.set_wall_clock(emulator.clock().now().wall.plus(by)).unwrap();
}

fn find(client: &Client, id: Guid) -> Option<Arc<dyn Job>> {
    client.manager().unwrap().job(id).ok()
}

fn again(client: &Client, id: Guid) -> Arc<dyn Job> {
    client.manager().unwrap().job(id).unwrap()
}

fn handles(verb: Verb, of: &str) -> Fate {
    let setup = Setup::new();
    let theirs = setup.emulator.client_as("other.exe", setup.emulator.user(of)).manager().unwrap();
    let job = match of {
        Emulator::DEFAULT_USER => setup.job(),
        _ => theirs.create_job(Some("theirs"), bits_api::JobType::DOWNLOAD).unwrap().job,
    };

    perform(verb, &setup);

    job.state().map_or_else(Fate::Dead, |_| Fate::Kept)
}

fn callbacks(verb: Verb) -> Fate {
    let setup = Setup::new();
    let callback = Recorder::content();
    let job = setup.job();
    job.set_notify_interface(Some(callback.object())).unwrap();
    setup.network.hold(URL, SimHold::Transferring(10));
    job.resume().unwrap();
    setup.emulator.settle().unwrap();

    perform(verb, &setup);
    drop(bring_back(&setup));
    setup.network.let_go(URL);
    setup.emulator.settle().unwrap();

    if callback.calls() == ["JobTransferred"] { Fate::Kept } else { Fate::Lost }
}

/// BITS keeps a callback that has answered, and drops one that has not.
fn running_callback(verb: Verb) -> Fate {
    let setup = Setup::new();
    let (began, has_begun) = mpsc::channel();
    let (answer, may_answer) = mpsc::channel();
    let may_answer = Mutex::new(may_answer);
    let callback = Recorder::new(move |_, _| {
        began.send(()).unwrap();
        may_answer.lock().unwrap().recv().unwrap();
        Ok(Success::OK)
    });
    let job = setup.job();
    let id = job.id().unwrap();
    job.set_notify_interface(Some(callback.object())).unwrap();
    job.resume().unwrap();
    has_begun.recv().unwrap();

    std::thread::scope(|scope| {
        let performed = scope.spawn(|| perform(verb, &setup));
        // A machine goes to sleep when everything has come to rest.
        if verb != Verb::Sleep {
            performed.join().unwrap();
        }
        answer.send(()).unwrap();
    });
    let client = bring_back(&setup);
    setup.emulator.settle().unwrap();

    let callback = find(&client, id).and_then(|job| job.notify_interface().unwrap());
    if callback.is_some() { Fate::Kept } else { Fate::Lost }
}

fn helper_tokens(verb: Verb) -> Fate {
    let setup = Setup::new();
    let job = setup.job();
    let id = job.id().unwrap();
    let options = job.token_options().unwrap();
    let helper = impersonate(setup.emulator.user("helper"));
    options.set_helper_token().unwrap();
    drop(helper);

    perform(verb, &setup);
    let client = bring_back(&setup);

    let sid = find(&client, id).and_then(|job| job.token_options().unwrap().helper_token_sid().unwrap().value);
    if sid.is_some() { Fate::Kept } else { Fate::Lost }
}

fn attempts(verb: Verb) -> Fate {
    let setup = Setup::new();
    let job = setup.job();
    let id = job.id().unwrap();
    setup.network.hold(URL, SimHold::Transferring(10));
    job.resume().unwrap();
    setup.emulator.settle().unwrap();

    perform(verb, &setup);
    let client = bring_back(&setup);
    setup.emulator.settle().unwrap();

    let Some(job) = find(&client, id) else { return Fate::Lost };
    assert_eq!(job.progress().unwrap().bytes_transferred, 10, "what had arrived is there");
    let began = setup.network.started().len();
    setup.network.let_go(URL);
    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();
    if began == 1 { Fate::Kept } else { Fate::Interrupted }
}

fn timers(verb: Verb) -> Fate {
    let setup = Setup::new();
    let job = setup.job();
    let id = job.id().unwrap();
    setup.emulator.fail_next(Fault::new(Hresult::BG_E_HTTP_ERROR_503, ErrorContext::REMOTE_FILE).transient());
    job.resume().unwrap();
    setup.emulator.settle().unwrap();

    perform(verb, &setup);
    // The retry is due in ten minutes.
    later_by_the_wall(&setup.emulator, HOUR);
    if verb == Verb::Reboot {
        setup.emulator.reboot().unwrap();
    }
    let client = bring_back(&setup);
    setup.emulator.advance(MINUTE).unwrap();

    match find(&client, id).map(|job| job.state().unwrap()) {
        None => Fate::Lost,
        Some(JobState::TRANSIENT_ERROR) => Fate::Kept,
        Some(_) => Fate::ByWallClock,
    }
}

fn sessions(verb: Verb) -> Fate {
    let setup = Setup::new();
    let user = setup.emulator.user(Emulator::DEFAULT_USER).user;

    perform(verb, &setup);

    let mut is_logged_on = false;
    setup.emulator.change_world(|world| is_logged_on = world.is_logged_on(&user));
    if is_logged_on { Fate::Kept } else { Fate::Lost }
}

fn unsaved_names(verb: Verb) -> Fate {
    const MOVED: &str = "http://mirror.example/setup.exe";
    let file_of = |job: &Arc<dyn Job>| job.enum_files().unwrap().next(1).unwrap().items.remove(0);
    let setup = Setup::new();
    let job = setup.job();
    let id = job.id().unwrap();
    file_of(&job).file2().unwrap().set_remote_name(Some(MOVED)).unwrap();

    perform(verb, &setup);
    let client = bring_back(&setup);

    let name = find(&client, id).map(|job| file_of(&job).remote_name().unwrap());
    if name.as_deref() == Some(MOVED) { Fate::Kept } else { Fate::Lost }
}

fn jobs(verb: Verb) -> Fate {
    let setup = Setup::new();
    let job = setup.job();
    let id = job.id().unwrap();
    job.set_priority(JobPriority::LOW).unwrap();

    perform(verb, &setup);
    let client = bring_back(&setup);

    if find(&client, id).is_some_and(|job| job.priority() == Ok(JobPriority::LOW)) { Fate::Kept } else { Fate::Lost }
}

#[test]
fn a_disabled_service_says_so_at_activation_and_cannot_be_started() {
    let setup = Setup::new();
    let (manager, job) = (setup.manager(), setup.job());

    setup.emulator.disable();

    assert_eq!(setup.client.manager().err(), Some(Hresult::ERROR_SERVICE_DISABLED));
    assert_eq!(Hresult::ERROR_SERVICE_DISABLED.0, 0x8007_0422);
    assert_eq!(job.state(), Err(Hresult::RPC_S_SERVER_UNAVAILABLE));
    assert_eq!(manager.job(Guid::from_u128(1)).err(), Some(Hresult::RPC_S_SERVER_UNAVAILABLE));
    assert!(matches!(setup.emulator.start(), Err(StartError::Disabled)));
    setup.emulator.reboot().unwrap();
    assert_eq!(setup.emulator.client("fresh.exe").manager().err(), Some(Hresult::ERROR_SERVICE_DISABLED));

    setup.emulator.enable().unwrap();
    assert!(setup.emulator.client("fresh.exe").manager().is_ok());
}

#[test]
fn a_restore_point_leaves_the_temporary_files_of_a_queue_that_is_gone() {
    let state = tempfile::tempdir().unwrap();
    for setup in [Setup::new(), Setup::with(|builder| builder.state_folder(state.path()))] {
        let job = setup.job();
        setup.network.hold(URL, SimHold::Transferring(10));
        job.resume().unwrap();
        setup.emulator.settle().unwrap();

        setup.emulator.system_restore().unwrap();

        let left = setup.emulator.leftovers().unwrap();
        assert_eq!((left.jobs.len(), left.files), (0, setup.network.local_files()));
        assert_eq!(setup.network.local_files().len(), 1);
        assert!(setup.emulator.client("fresh.exe").manager().is_ok());
    }
}

#[test]
fn a_sleeping_machine_judges_once_when_it_wakes() {
    let setup = Setup::new();
    let job = setup.job();
    // Every attempt fails, and each would be tried again after ten minutes.
    for _ in 0..20 {
        setup.emulator.fail_next(Fault::new(Hresult::BG_E_HTTP_ERROR_503, ErrorContext::REMOTE_FILE).transient());
    }
    job.resume().unwrap();
    setup.emulator.settle().unwrap();
    let before = setup.emulator.clock().now();

    setup.emulator.sleep(HOUR).unwrap();

    let after = setup.emulator.clock().now();
    assert_eq!((after.monotonic.since(before.monotonic), after.wall.since(before.wall)), (HOUR, HOUR));
    assert_eq!(job.error_count(), Ok(2), "one attempt before, one on waking");
}

#[test]
fn a_wall_clock_that_jumps_is_looked_at_at_once() {
    let setup = Setup::new();
    let job = setup.job();

    later_by_the_wall(&setup.emulator, HOUR * 24 * 91);
    setup.emulator.advance(Duration::from_millis(1)).unwrap();

    assert_eq!(job.state(), Ok(JobState::CANCELLED));
}

#[test]
fn jobs_of_a_user_who_is_switched_away_or_locked_go_on() {
    let setup = Setup::new();
    let job = setup.job();
    let user = setup.emulator.user(Emulator::DEFAULT_USER).user;

    setup.emulator.switch_user(&setup.emulator.user("other").user);
    setup.emulator.lock(&user);
    job.resume().unwrap();

    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();
}

#[test]
fn after_a_reboot_a_job_waits_for_its_owner() {
    let setup = Setup::new();
    let job = setup.job();
    let id = job.id().unwrap();
    setup.network.hold(URL, SimHold::Transferring(10));
    job.resume().unwrap();
    setup.emulator.settle().unwrap();

    setup.emulator.reboot().unwrap();
    setup.network.let_go(URL);
    let root = setup.emulator.client_as("root.exe", setup.emulator.administrator("root"));
    let job = again(&root, id);
    setup.emulator.advance(HOUR).unwrap();
    assert_eq!(job.state(), Ok(JobState::QUEUED));

    setup.emulator.log_on(&setup.emulator.user(Emulator::DEFAULT_USER).user);
    setup.emulator.wait_state(&job, JobState::TRANSFERRED, HOUR).unwrap();
}
