//! The heads of answers that a job keeps.

use bits_wire::attempt::{AttemptReport, ResponseHead};

use super::house::{House, alice};
use crate::FileIndex;

/// A head of 64 KiB, as large as one gets.
fn large_head() -> ResponseHead {
    ResponseHead("x".repeat(64 * 1024).into())
}

#[test]
fn a_job_of_many_files_keeps_the_latest_heads_only_also_over_a_restart() {
    let mut house = House::new();
    let job = house.job(100);
    house.resume(job).unwrap();
    for _ in 0..100 {
        // For its HEAD and for its GET.
        for _ in 0..2 {
            house.report(job, AttemptReport::Answered(large_head()));
        }
        house.transfer_file(job);
    }
    let kept = |house: &House| {
        let has_head = |file: &u32| house.engine.response_head(&alice(), job, FileIndex(*file)).unwrap().is_some();
        (0..100).filter(has_head).collect::<Vec<_>>()
    };
    let latest: Vec<u32> = (36..100).collect();

    assert_eq!(kept(&house), latest);
    assert_eq!(house.store[&job].1.values().filter(|file| file.details.head.is_some()).count(), latest.len());
    house.restart(std::time::Duration::ZERO);
    assert_eq!(kept(&house), latest);
}
