//! Notification programs of jobs that an earlier run has left.

use std::fs;
use std::time::Duration;

use bits_api::{Hresult, JobState, JobType};
use bits_service::{CommandOutcome, Emulator, Simulation};
use bits_world::clock::{Clock, VirtualClock};

use crate::support::Place;

/// Leaves a failed job in the state folder whose program could not be run.
fn leave_job_with_program(place: &Place, script: &str) {
    // Of today: the next run would cancel a job that nothing has happened to for months.
    let clock = VirtualClock::new();
    clock.set_wall(Clock::system().now().wall);
    let builder = Emulator::builder().simulated(&Simulation::new()).state_folder(place.aside("state"));
    let builder = builder.clock(Clock::Virtual(clock));
    let emulator = builder.world(|world| world.drives.mount('C', "/c")).start().unwrap();
    emulator.commands().next([CommandOutcome::NotStarted(Hresult::ERROR_FILE_NOT_FOUND)]);
    let job = emulator.client("another").manager().unwrap().create_job(Some("left"), JobType::DOWNLOAD).unwrap().job;
    job.add_file(Some("http://example.org/left"), Some("/nowhere/left")).unwrap();
    let parameters = format!("sh -c \"{script}\"");
    job.job2().unwrap().set_notify_cmd_line(Some("/bin/sh"), Some(&parameters)).unwrap();
    job.resume().unwrap();
    emulator.wait_state(&job, JobState::ERROR, Duration::from_secs(1)).unwrap();
    emulator.settle().unwrap();
}

#[test]
fn notification_programs_of_the_queue_are_run() {
    let place = Place::new();
    let told = place.aside("told");
    leave_job_with_program(&place, &format!("echo told > {}", told.display()));
    let url = place.serve("/a", 100);

    place.get_with_state(&url, "a").is_quiet_success();

    assert_eq!(fs::read_to_string(told).unwrap(), "told\n");
}
