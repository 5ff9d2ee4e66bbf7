//! Servers that are looked up among the revoked, from the middle of a job on.

use bits_api::{FileInfo, JobState, SecurityFlags, Setting, Success};
use bits_wire::attempt::{AttemptEnd, Begin};

use super::house::{House, SERVER_BUSY, alice, seconds};
use crate::{FileIndex, JobKey};

/// A job whose first file is all there, and the half of its second, at these URLs.
fn half_done(urls: [&str; 2]) -> (House, JobKey) {
    let mut house = House::new();
    let job = house.empty_job(&alice());
    for (place, remote_name) in urls.into_iter().enumerate() {
        let local_name = format!(r"C:\{place}.bin");
        house.add(job, &[FileInfo { remote_name, local_name: &local_name }]).unwrap();
    }
    house.resume(job).unwrap();
    house.transfer_file(job);
    house.connected(job, 100);
    house.progress(job, 50);
    (house, job)
}

fn look_up(house: &mut House, job: JobKey) {
    assert_eq!(house.set(job, Setting::SecurityFlags, SecurityFlags::ENABLE_CRL_CHECK.bits()), Ok(Success::OK));
}

fn there(house: &House, job: JobKey) -> [u64; 2] {
    [0, 1].map(|place| house.engine.file_progress(&alice(), job, FileIndex(place)).unwrap().bytes_transferred)
}

const SECURE: [&str; 2] = ["https://example.org/1", "HTTPS://example.org/2"];

#[test]
fn the_file_of_which_a_part_is_there_starts_again_and_the_job_waits_for_its_turn() {
    let (mut house, job) = half_done(SECURE);
    house.holds_stops = true;

    look_up(&mut house, job);
    assert_eq!((house.state(job), there(&house, job)), (JobState::CONNECTING, [100, 0]));
    house.let_stop(&AttemptEnd::Stopped);

    let plan = house.plan(job);
    assert_eq!((plan.url.as_str(), plan.fetch.begin), (SECURE[1], Begin::Anew));
    assert!(plan.certificates.checks_revocation);
    house.transfer_file(job);
    assert_eq!((house.state(job), there(&house, job)), (JobState::TRANSFERRED, [100, 100]));
}

#[test]
fn a_job_that_does_not_run_starts_again_when_it_does() {
    let (mut house, job) = half_done(SECURE);
    house.fail(job, SERVER_BUSY);

    look_up(&mut house, job);
    assert_eq!((house.state(job), there(&house, job)), (JobState::TRANSIENT_ERROR, [100, 0]));
    house.restart(seconds(1));
    house.advance(seconds(600));

    assert_eq!(house.plan(job).fetch.begin, Begin::Anew);
}

#[test]
fn other_flags_and_files_without_certificates_start_nothing_again() {
    let (mut house, job) = half_done(SECURE);
    assert_eq!(house.set(job, Setting::SecurityFlags, SecurityFlags::IGNORE_UNKNOWN_CA.bits()), Ok(Success::OK));
    assert_eq!((house.state(job), there(&house, job)), (JobState::TRANSFERRING, [100, 50]));

    let (mut house, job) = half_done(["https://example.org/1", "http://example.org/2"]);
    look_up(&mut house, job);
    assert_eq!((house.state(job), there(&house, job)), (JobState::TRANSFERRING, [100, 50]));

    // Neither does asking for what is done already.
    let (mut house, job) = half_done(SECURE);
    look_up(&mut house, job);
    house.connected(job, 100);
    house.progress(job, 70);
    look_up(&mut house, job);
    assert_eq!((house.state(job), there(&house, job)), (JobState::TRANSFERRING, [100, 70]));
}
