//! Parts of files: what is fetched, what is kept of it, and what a restart leaves.

use bits_api::{JobState, LENGTH_TO_EOF, Setting, Success};
use bits_wire::attempt::{AttemptEnd, AttemptReport, Begin};

use bits_wire::layout;

use super::house::{House, alice, seconds};
use crate::{Event, FileIndex, JobKey};

/// An on-demand job with one file of which 20 bytes from 10 and 30 from 60 are asked for; the
/// first have arrived, and 5 of the others.
fn begun(house: &mut House) -> JobKey {
    let job = house.job(1);
    assert_eq!(house.switch_on(job, Setting::OnDemandMode), Ok(Success::OK));
    assert_eq!(house.request(job, 0, &[(10, 20), (60, 30)]), Ok(Success::OK));
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.connected(job, 100);
    house.progress(job, 25);
    job
}

#[test]
fn what_is_there_of_a_scattered_file_outlives_a_restart() {
    let mut house = House::new();
    let job = begun(&mut house);
    assert_eq!(house.filled(job, 0), [(10, 20), (60, 5)]);
    // As long as a file is that holds all of it.
    let temporary = house.plan(job).local;
    house.disk.files.get_mut().insert(temporary, 90);
    assert_eq!(house.suspend(job), Ok(Success::OK));

    house.restart(seconds(60));

    assert_eq!(house.filled(job, 0), [(10, 20), (60, 5)]);
    assert_eq!(house.resume(job), Ok(Success::OK));
    let layout = house.plan(job).fetch.layout;
    let pieces = layout.pieces(100).unwrap();
    assert_eq!(pieces.iter().map(|piece| (piece.remote.start, piece.remote.end)).collect::<Vec<_>>(), [(65, 90)]);
}

#[test]
fn what_has_come_of_a_range_outlives_a_service_that_stops_in_order() {
    let mut house = House::new();
    let job = begun(&mut house);
    house.progress(job, 30);
    let temporary = house.plan(job).local;
    house.disk.files.get_mut().insert(temporary, 90);

    house.tell(Event::Stopping);
    house.restart(seconds(60));

    assert_eq!(house.filled(job, 0), [(10, 20), (60, 10)]);
}

#[test]
fn what_was_asked_for_is_not_taken_down_again() {
    let mut house = House::new();
    let job = house.job(1);
    assert_eq!(house.switch_on(job, Setting::OnDemandMode), Ok(Success::OK));
    let unknown: [&[(u64, u64)]; 4] =
        [&[(10, 20)], &[(50, LENGTH_TO_EOF)], &[(12, 5), (50, LENGTH_TO_EOF)], &[(60, 10)]];
    for ranges in unknown {
        assert_eq!(house.request(job, 0, ranges), Ok(Success::OK));
    }
    let asked = |house: &House| house.engine.jobs[job].files[0].access.as_ref().unwrap().requested.len();
    // Whether 60 to 70 are in the file is not known, although all from 50 on was asked for.
    assert_eq!(asked(&house), 3);
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.connected(job, 100);
    let attempt = house.plan(job).attempt;

    for ranges in [&[(10, 20)][..], &[(55, 5), (95, LENGTH_TO_EOF)], &[(50, 50)]] {
        assert_eq!(house.request(job, 0, ranges), Ok(Success::OK));
    }

    assert_eq!((asked(&house), house.plan(job).attempt), (3, attempt));
    assert_eq!(house.request(job, 0, &[(29, 2)]), Ok(Success::OK));
    assert_eq!(asked(&house), 4);
    assert_ne!(house.plan(job).attempt, attempt);
}

#[test]
fn a_position_that_is_given_again_turns_nothing() {
    let mut house = House::new();
    let job = begun(&mut house);
    let move_to = |house: &mut House, offset| {
        let moved = house.now_result(|e, cx| e.update_download_position(cx, &alice(), job, FileIndex(0), offset));
        assert_eq!(moved, Ok(Success::OK));
        house.plan(job).attempt
    };
    let before = house.plan(job).attempt;

    let first = move_to(&mut house, 70);
    let again = move_to(&mut house, 70);

    assert_ne!(first, before);
    assert_eq!(again, first);
    assert_ne!(move_to(&mut house, 71), first);
}

#[test]
fn a_scattered_file_that_was_cut_off_begins_anew_after_a_restart() {
    let mut house = House::new();
    let job = begun(&mut house);
    assert_eq!(house.suspend(job), Ok(Success::OK));
    let temporary = house.engine.jobs[job].files[0].temporary.clone().unwrap();
    house.disk.files.get_mut().insert(temporary.path().to_owned(), 64);

    house.restart(seconds(60));

    assert_eq!(house.filled(job, 0), []);
    assert_eq!(house.resume(job), Ok(Success::OK));
    assert_eq!(house.plan(job).fetch.begin, Begin::Anew);
}

#[test]
fn a_scattered_file_that_has_changed_begins_anew_at_once() {
    let mut house = House::new();
    let job = begun(&mut house);

    house.report(job, AttemptReport::Ended(AttemptEnd::Changed));

    assert_eq!((house.state(job), house.filled(job, 0)), (JobState::TRANSFERRING, vec![]));
    let fetch = house.plan(job).fetch;
    let pieces = fetch.layout.pieces(100).unwrap();
    assert_eq!((fetch.begin, layout::length(&pieces)), (Begin::Anew, 50));
}

#[test]
fn a_file_that_is_never_the_same_is_given_up_for_a_while() {
    let mut house = House::new();
    let job = begun(&mut house);

    for _ in 0..4 {
        assert_eq!(house.state(job), JobState::TRANSFERRING);
        house.report(job, AttemptReport::Ended(AttemptEnd::Changed));
    }

    assert_eq!(house.state(job), JobState::TRANSIENT_ERROR);
}
