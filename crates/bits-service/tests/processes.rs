//! Notification programs that really run.

#![cfg(unix)]

mod support;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use bits_api::Job;
use bits_service::{CommandLimits, CommandOutcome, What};
use support::Setup;

fn real(change: impl FnOnce(&mut CommandLimits)) -> Setup {
    let mut limits = CommandLimits::default();
    change(&mut limits);
    Setup::with(|builder| builder.run_commands(limits))
}

/// A job that has been resumed, and runs this script of the shell when it is transferred.
fn job_that_runs(setup: &Setup, script: &str) -> Arc<dyn Job> {
    let job = setup.job();
    let parameters = format!("sh -c \"{}\" sh 'one' \"two three\"", script.replace('"', "\\\""));
    job.job2().unwrap().set_notify_cmd_line(Some("/bin/sh"), Some(&parameters)).unwrap();
    job.resume().unwrap();
    job
}

/// How the programs of the emulator have ended.
fn outcomes(setup: &Setup) -> Vec<CommandOutcome> {
    let entries = setup.emulator.timeline().entries().into_iter();
    entries
        .filter_map(|entry| if let What::CommandEnded { outcome, .. } = entry.what { Some(outcome) } else { None })
        .collect()
}

/// Waits for something that another process does.
fn wait_for(mut there: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !there() {
        assert!(Instant::now() < deadline, "it does not come");
        std::thread::yield_now();
    }
}

fn make_fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_program_gets_its_arguments_and_its_exit_code_counts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("told");
    let setup = real(|_| ());

    job_that_runs(&setup, &format!("printf '%s|%s' \"$1\" \"$2\" > {}; exit 7", file.display()));
    setup.emulator.settle().unwrap();

    assert_eq!(std::fs::read_to_string(file).unwrap(), "'one'|two three");
    assert_eq!(outcomes(&setup), [CommandOutcome::Exited(7)]);
}

#[test]
fn a_program_that_is_not_there_is_not_started() {
    let setup = real(|_| ());
    for program in ["sh", "/nowhere/told"] {
        let job = setup.job();
        job.job2().unwrap().set_notify_cmd_line(Some(program), None).unwrap();
        job.resume().unwrap();
        setup.emulator.settle().unwrap();
    }

    let not_found = CommandOutcome::NotStarted(bits_api::Hresult::ERROR_FILE_NOT_FOUND);
    assert_eq!(outcomes(&setup), [not_found; 2]);
}

#[test]
fn a_program_that_takes_too_long_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    make_fifo(&fifo);
    let setup = real(|limits| limits.time = Duration::from_millis(50));

    job_that_runs(&setup, &format!("exec cat {}", fifo.display()));
    setup.emulator.settle().unwrap();

    assert_eq!(outcomes(&setup), [CommandOutcome::Exited(1_460)]);
}

#[test]
fn a_program_waits_until_another_one_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let [fifo, begun, second] = ["fifo", "begun", "second"].map(|name| folder.path().join(name));
    make_fifo(&fifo);
    let setup = real(|limits| limits.at_once = 1);

    job_that_runs(&setup, &format!("touch {}; cat {}", begun.display(), fifo.display()));
    wait_for(|| begun.exists());
    job_that_runs(&setup, &format!("touch {}", second.display()));
    wait_for(|| setup.emulator.commands().running() == 2);
    let second_had_begun = second.exists();
    std::fs::write(&fifo, "go").unwrap();
    setup.emulator.settle().unwrap();

    assert_eq!((second_had_begun, second.exists()), (false, true));
    assert_eq!((outcomes(&setup).len(), setup.emulator.commands().running()), (2, 0));
}

#[test]
fn no_program_outlives_the_emulator() {
    let folder = tempfile::tempdir().unwrap();
    let [fifo, pid] = ["fifo", "pid"].map(|name| folder.path().join(name));
    make_fifo(&fifo);
    let setup = real(|_| ());
    job_that_runs(&setup, &format!("echo $$ > {0}.new; mv {0}.new {0}; exec cat {1}", pid.display(), fifo.display()));
    wait_for(|| pid.exists());

    drop(setup);

    let pid = std::fs::read_to_string(pid).unwrap();
    assert!(!Command::new("kill").args(["-0", pid.trim()]).status().unwrap().success());
}

#[test]
fn what_a_program_has_started_is_killed_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    make_fifo(&fifo);
    let setup = real(|_| ());
    job_that_runs(&setup, &format!("(echo begun; exec sleep 60) > {}; true", fifo.display()));
    let mut held = BufReader::new(File::open(&fifo).unwrap());
    assert_eq!(held.read_line(&mut String::new()).unwrap(), 6);

    drop(setup);

    let (sender, released) = mpsc::channel();
    std::thread::spawn(move || sender.send(held.read_to_end(&mut Vec::new()).is_ok()));
    assert_eq!(released.recv_timeout(Duration::from_secs(20)), Ok(true));
}
