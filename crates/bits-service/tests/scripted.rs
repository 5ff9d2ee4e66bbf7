//! Callbacks and notification programs that follow a script.

mod support;

use std::time::Duration;

use bits_api::{Hresult, JobState, Success};
use bits_service::{CallbackCall, CommandOutcome, Latch, ScriptedCallback};
use support::{HOUR, Setup};

/// A job that tells `callback` of its end; it has been resumed.
fn resumed_job(setup: &Setup, callback: &ScriptedCallback) -> std::sync::Arc<dyn bits_api::Job> {
    let job = setup.job();
    job.set_notify_interface(Some(callback.object())).unwrap();
    job.resume().unwrap();
    job
}

#[test]
fn a_script_is_followed_step_by_step() {
    let setup = Setup::new();
    let callback = ScriptedCallback::new();
    callback.fail(2, Hresult::E_FAIL);
    callback.panic();
    callback.answer(Ok(Success::FALSE));
    callback.act(|job| job.complete());

    let job = resumed_job(&setup, &callback);
    setup.emulator.advance(HOUR).unwrap();

    assert_eq!(callback.calls(), vec![CallbackCall::JobTransferred { job: job.id().unwrap() }; 5]);
    assert_eq!(job.state(), Ok(JobState::ACKNOWLEDGED));
}

#[test]
fn time_passes_while_a_callback_hangs() {
    let setup = Setup::new();
    let callback = ScriptedCallback::new();
    let latch = callback.hang();

    let job = resumed_job(&setup, &callback);
    setup.emulator.advance(HOUR).unwrap();
    assert_eq!((latch.waiting(), callback.calls().len()), (1, 1));
    latch.open();
    setup.emulator.advance(HOUR).unwrap();

    assert_eq!((latch.waiting(), callback.calls().len()), (0, 1));
    assert_eq!(job.state(), Ok(JobState::TRANSFERRED));
}

#[test]
fn four_hanging_callbacks_hold_up_the_fifth_until_one_returns() {
    let setup = Setup::new();
    let callback = ScriptedCallback::new();
    let latches: Vec<_> = (0..4).map(|_| callback.hang()).collect();

    for _ in 0..5 {
        resumed_job(&setup, &callback);
    }
    setup.emulator.advance(HOUR).unwrap();
    assert_eq!(callback.calls().len(), 4);
    latches[2].open();
    setup.emulator.settle().unwrap();

    assert_eq!(callback.calls().len(), 5);
}

#[test]
fn an_emulator_goes_although_a_callback_hangs() {
    let setup = Setup::new();
    let callback = ScriptedCallback::new();
    let latch = callback.hang();
    let job = resumed_job(&setup, &callback);
    setup.emulator.settle().unwrap();

    drop(setup);

    assert_eq!(job.state(), Err(Hresult::RPC_S_SERVER_UNAVAILABLE));
    latch.open();
}

#[test]
fn a_program_is_written_down_and_plays_its_part() {
    let setup = Setup::new();
    let (commands, latch) = (setup.emulator.commands(), Latch::new());
    let gate = latch.clone();
    commands.act(move |_| {
        gate.wait();
        0
    });
    commands.next([CommandOutcome::NotStarted(Hresult::E_ACCESSDENIED), CommandOutcome::Exited(3)]);
    let job = setup.job();
    job.job2().unwrap().set_notify_cmd_line(Some(r"C:\told.exe"), Some("told.exe 1")).unwrap();
    job.set_minimum_retry_delay(60).unwrap();

    job.resume().unwrap();
    setup.emulator.advance(HOUR).unwrap();
    assert_eq!((commands.runs().len(), latch.waiting()), (2, 1));
    latch.open();
    setup.emulator.advance(HOUR).unwrap();

    let runs = commands.runs();
    assert_eq!(runs.len(), 3);
    assert_eq!(runs[1].at.monotonic.since(runs[0].at.monotonic), Duration::from_mins(1));
    assert_eq!(runs[2].parameters.as_deref(), Some("told.exe 1"));
}

#[test]
fn a_program_that_panics_has_crashed_and_runs_again() {
    let setup = Setup::new();
    setup.emulator.commands().act(|_| panic!("a bug of the program"));
    let job = setup.job();
    job.job2().unwrap().set_notify_cmd_line(Some(r"C:\told.exe"), None).unwrap();

    job.resume().unwrap();
    setup.emulator.advance(Duration::from_mins(11)).unwrap();

    assert_eq!(setup.emulator.commands().runs().len(), 2);
}

#[test]
fn a_scrambled_emulator_enumerates_its_jobs_in_another_order_each_time() {
    let setup = Setup::with(|builder| builder.scramble(1));
    let jobs: Vec<_> = (0..8).map(|_| setup.job()).collect();
    let enumerated = || {
        let found = setup.manager().enum_jobs(bits_api::EnumJobsFlags::empty()).unwrap().next(8).unwrap().items;
        found.iter().map(|job| job.id().unwrap()).collect::<Vec<_>>()
    };

    let orders: std::collections::BTreeSet<_> = (0..8).map(|_| enumerated()).collect();

    assert!(orders.len() > 1);
    assert!(orders.iter().all(|order| jobs.iter().all(|job| order.contains(&job.id().unwrap()))));
}
