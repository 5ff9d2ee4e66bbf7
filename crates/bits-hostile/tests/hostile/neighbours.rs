//! Good jobs beside bad ones, and what is left of both.

use std::sync::Arc;
use std::time::Duration;

use bits_api::{Job, JobPriority, JobState};
use bits_hostile::house::{House, SOON};
use bits_servers::{At, Server};

/// The servers of the table that can be played at any path.
fn bad() -> Vec<Server> {
    Server::all().into_iter().filter(|server| server.at == At::Http && !server.is_of_connections()).collect()
}

/// A foreground job that runs at each bad server, and the path of its file.
fn beside_all_bad_servers(house: &House) -> Vec<(Arc<dyn Job>, String)> {
    let at_one = |(number, server): (usize, Server)| {
        let path = format!("/bad{number}");
        house.serve(&path);
        house.origin.script(server.script_at(&path));
        let job = house.job(&server, &path);
        job.set_priority(JobPriority::FOREGROUND).unwrap();
        job.resume().unwrap();
        (job, path)
    };
    bad().into_iter().enumerate().map(at_one).collect()
}

#[test]
fn a_foreground_job_is_done_at_once_beside_all_bad_servers() {
    let house = House::new();
    let jobs = beside_all_bad_servers(&house);
    assert!(jobs.len() > 100);
    let good = house.job(&Server::good(), "/file");
    let start = house.emulator.clock().now().monotonic;

    let (state, _) = house.run(&good, "/file", Duration::from_secs(1));

    assert_eq!(state, JobState::TRANSFERRED);
    assert_eq!(house.emulator.clock().now().monotonic, start);
    good.complete().unwrap();
    let hanging =
        jobs.iter().filter(|(job, _)| [JobState::CONNECTING, JobState::TRANSFERRING].contains(&job.state().unwrap()));
    assert!(hanging.count() > 4);
}

#[test]
fn a_background_job_has_its_turn_beside_servers_that_hang() {
    let house = House::new();
    let hangs = Server::named("falls silent in the body").for_background(true);
    for number in 0..10 {
        let path = format!("/bad{number}");
        house.serve(&path);
        house.origin.script(hangs.script_at(&path));
        house.job(&hangs, &path).resume().unwrap();
    }
    let good = house.job(&Server::good().for_background(true), "/file");

    house.run(&good, "/file", Duration::from_hours(2));

    assert_eq!(good.state(), Ok(JobState::TRANSFERRED));
}

#[test]
fn nothing_is_left_of_jobs_that_are_cancelled_beside_bad_servers() {
    let house = House::new();
    let jobs = beside_all_bad_servers(&house);
    house.emulator.settle().unwrap();
    assert!(house.files().len() > jobs.len(), "some have temporary files");

    for (job, _) in &jobs {
        // Some are done already.
        let _ = job.cancel();
    }
    house.emulator.settle().unwrap();

    let mut named: Vec<_> = jobs.iter().map(|(_, path)| path.trim_start_matches('/').to_owned()).collect();
    named.sort();
    assert_eq!(house.files(), named);
    let closed = house.origin.wait_until(SOON, |_| house.origin.connections() == 0);
    assert!(closed.is_ok(), "{} connections are still open", house.origin.connections());
}
