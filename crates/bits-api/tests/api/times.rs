//! FILETIME arithmetic.

use std::time::{Duration, UNIX_EPOCH};

use bits_api::FileTime;
use proptest::prelude::*;

#[test]
fn the_unix_epoch_is_its_well_known_filetime() {
    assert_eq!(FileTime::from_unix_seconds(0).0, 116_444_736_000_000_000);
    assert_eq!(FileTime::from(UNIX_EPOCH), FileTime::from_unix_seconds(0));
}

#[test]
fn seconds_are_rounded_down_and_negative_before_1970() {
    assert_eq!(FileTime(FileTime::from_unix_seconds(5).0 + 9_999_999).unix_seconds(), 5);
    assert_eq!(FileTime(FileTime::from_unix_seconds(0).0 - 1).unix_seconds(), -1);
    assert_eq!(FileTime::ZERO.unix_seconds(), -11_644_473_600);
}

#[test]
fn a_system_time_keeps_its_hundred_nanoseconds() {
    let time = UNIX_EPOCH + Duration::new(1, 234_567_899);

    assert_eq!(FileTime::from(time).0 - FileTime::from_unix_seconds(0).0, 12_345_678);
}

#[test]
fn a_system_time_before_1970_lies_before_the_epoch() {
    let hour_before = UNIX_EPOCH.checked_sub(Duration::from_hours(1)).expect("a time before 1970");

    assert_eq!(FileTime::from(hour_before).unix_seconds(), -3600);
}

#[test]
fn what_is_too_late_for_a_filetime_becomes_the_latest() {
    assert_eq!(FileTime::from_unix_seconds(u64::MAX), FileTime(u64::MAX));
    assert_eq!(FileTime(1).plus(Duration::MAX), FileTime(u64::MAX));
}

#[test]
fn no_time_has_passed_since_a_later_moment() {
    assert_eq!(FileTime(1).since(FileTime(2)), Duration::ZERO);
}

proptest! {
    #[test]
    fn plus_and_since_undo_each_other(start in any::<u64>(), units in any::<u64>()) {
        let start = FileTime(start);
        let passed = Duration::from_nanos(100) * 1_000 * u32::try_from(units % 1_000_000_000).unwrap();
        let later = start.plus(passed);

        prop_assert!(later >= start);
        if later != FileTime(u64::MAX) {
            prop_assert_eq!(later.since(start), passed);
        }
    }

    #[test]
    fn seconds_come_back(seconds in 0..1_000_000_000_000_u64) {
        prop_assert_eq!(FileTime::from_unix_seconds(seconds).unix_seconds(), seconds.cast_signed());
    }

    #[test]
    fn no_filetime_overflows(any in any::<u64>(), other in any::<u64>()) {
        let (a, b) = (FileTime(any), FileTime(other));
        let (early, late) = (a.min(b), a.max(b));

        prop_assert_eq!(early.plus(late.since(early)), late);
        prop_assert!(early.unix_seconds() <= late.unix_seconds());
    }
}
