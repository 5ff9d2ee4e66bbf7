//! Jobs that are given a past.

use std::time::Duration;

use bits_api::{JobState, Success};
use bits_wire::attempt::AttemptEnd;

use super::house::House;
use crate::History;

fn queued() -> History {
    History {
        state: JobState::QUEUED,
        age: Duration::ZERO,
        idle: Duration::ZERO,
        error: None,
        error_count: 0,
        known: vec![None],
    }
}

#[test]
fn a_job_whose_attempt_has_not_ended_gets_no_past() {
    let mut house = House::new();
    house.holds_stops = true;
    let job = house.job(1);
    assert_eq!((house.resume(job), house.suspend(job)), (Ok(Success::OK), Ok(Success::OK)));

    let refused = house.act(|engine, cx| engine.recast(cx, job, &queued()));
    assert_eq!(refused, Err("an attempt of the job has not ended yet".to_owned()));
    house.let_stop(&AttemptEnd::Stopped);
    assert_eq!(house.state(job), JobState::SUSPENDED);

    assert_eq!(house.act(|engine, cx| engine.recast(cx, job, &queued())), Ok(()));
    assert_eq!(house.state(job), JobState::CONNECTING);
}
