//! What a scramble changes, and what it must not.

use std::collections::BTreeSet;

use bits_api::{Hresult, JobPriority, NotifyFlags, Setting, Success};
use bits_world::Profile;

use super::house::{House, SLICE, config, seconds};
use crate::{Config, JobKey, Notification};

fn scrambled(seed: u64) -> House {
    House::with(Config { scramble: Some(seed), ..config(Profile::default()) })
}

/// The methods that are told of a job with two files and a hundred changes.
fn told_of(house: &mut House) -> Vec<Notification> {
    let job = house.job(2);
    let all = NotifyFlags::JOB_MODIFICATION | NotifyFlags::FILE_TRANSFERRED | NotifyFlags::JOB_TRANSFERRED;
    house.listen(job, all);
    assert_eq!(house.set(job, Setting::MinimumRetryDelay, 60), Ok(Success::OK));
    let mut told = Vec::new();
    let hear = |house: &mut House, told: &mut Vec<Notification>| {
        while let Some(call) = house.told.pop() {
            told.push(call.what.clone());
            house.returns(&call, Hresult::S_OK);
        }
    };
    for delay in 0..100 {
        assert_eq!(house.set(job, Setting::MinimumRetryDelay, 60 + delay), Ok(Success::OK));
        house.advance(seconds(1));
        hear(house, &mut told);
    }
    assert_eq!(house.resume(job), Ok(Success::OK));
    house.transfer_file(job);
    house.transfer_file(job);
    for _ in 0..10 {
        house.advance(seconds(1));
        hear(house, &mut told);
    }
    told
}

fn modifications(told: &[Notification]) -> usize {
    told.iter().filter(|told| **told == Notification::JobModification).count()
}

#[test]
fn a_scramble_loses_modifications_and_nothing_else() {
    let all = modifications(&told_of(&mut House::new()));
    for seed in 1..20 {
        let told = told_of(&mut scrambled(seed));
        let ends: Vec<_> = told.iter().filter(|told| **told != Notification::JobModification).collect();
        assert_eq!(ends.len(), 3, "{ends:?}");
        assert_eq!(ends[2], &Notification::JobTransferred);
        assert!((all / 2..all).contains(&modifications(&told)), "{} of {all}", modifications(&told));
    }
}

#[test]
fn the_same_scramble_does_the_same_again() {
    for seed in [1, 2] {
        assert_eq!(told_of(&mut scrambled(seed)), told_of(&mut scrambled(seed)));
    }
    assert_ne!(told_of(&mut scrambled(1)), told_of(&mut scrambled(2)));
}

#[test]
fn the_same_jobs_are_enumerated_in_another_order_each_time() {
    let mut house = scrambled(3);
    let jobs: Vec<JobKey> = (0..10).map(|_| house.job(1)).collect();
    let orders: BTreeSet<Vec<JobKey>> = (0..10).map(|_| house.in_queue()).collect();
    assert!(orders.len() > 5);
    for mut order in orders {
        order.sort_unstable();
        assert_eq!(order, jobs);
    }
}

#[test]
fn slices_have_other_lengths_within_bounds() {
    let mut house = scrambled(4);
    let jobs = [0, 1].map(|_| house.resumed_job(JobPriority::NORMAL));
    let mut lengths = BTreeSet::new();
    let mut since = house.now.monotonic;
    let mut running = house.engine.slot;
    for _ in 0..300 {
        house.advance(seconds(10));
        if std::mem::replace(&mut running, house.engine.slot) != house.engine.slot {
            lengths.insert(house.now.monotonic.since(since).as_secs());
            since = house.now.monotonic;
        }
    }
    assert!(lengths.len() > 3, "{lengths:?}");
    let slice = SLICE.as_secs();
    assert!(lengths.iter().all(|length| (slice / 2..=slice * 3 / 2 + 10).contains(length)), "{lengths:?}");
    assert!(jobs.contains(&house.engine.slot.expect("a job that runs")));
}
