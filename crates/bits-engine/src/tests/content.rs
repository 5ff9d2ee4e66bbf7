//! What clients say of the content of files.

use bits_api::{JobState, Success};
use bits_wire::attempt::{AttemptEnd, AttemptReport};

use super::house::{House, alice};
use crate::{FileIndex, FileStage, JobKey};

fn stages(house: &House, job: JobKey) -> Vec<FileStage> {
    house.store[&job].1.values().map(|file| file.stage).collect()
}

fn have(house: &House, job: JobKey) -> Vec<u64> {
    let of = |file| house.engine.file_progress(&alice(), job, FileIndex(file)).expect("the progress").bytes_transferred;
    vec![of(0), of(1)]
}

/// The first file is refused while the second is on its way; the attempt at it ends like this.
fn refused_under_way(end: &AttemptEnd) -> (House, JobKey) {
    let mut house = House::new();
    let job = house.job(2);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.transfer_file(job);
    house.connected(job, 100);
    house.progress(job, 100);
    house.holds_stops = true;
    assert_eq!(house.judge(job, 0, false), Ok(Success::OK));
    assert_eq!(house.state(job), JobState::ERROR);
    house.let_stop(end);
    house.holds_stops = false;
    (house, job)
}

#[test]
fn an_attempt_that_ends_after_an_earlier_file_was_refused_counts_for_its_own_file() {
    let (mut house, job) = refused_under_way(&AttemptEnd::Done);
    assert_eq!(stages(&house, job), [FileStage::Pending, FileStage::Transferred]);
    assert_eq!(have(&house, job), [0, 100]);

    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.plan(job).url, "https://example.org/0/0");
    house.connected(job, 100);
    house.progress(job, 100);
    house.report(job, AttemptReport::Ended(AttemptEnd::Done));
    assert_eq!(house.state(job), JobState::TRANSFERRED);
}

#[test]
fn an_attempt_that_was_stopped_for_a_refused_file_leaves_its_own_as_it_is() {
    let (house, job) = refused_under_way(&AttemptEnd::Stopped);
    assert_eq!(stages(&house, job), [FileStage::Pending, FileStage::Pending]);
    assert_eq!(have(&house, job), [0, 100]);
}
