//! Switches for what the documentation leaves open.

use std::time::Duration;

use bits_world::{Decisions, Switch};

#[test]
fn every_switch_can_be_set_and_changes_something() {
    for id in Decisions::IDS {
        let mut decisions = Decisions::default();

        decisions.set(id, "7").unwrap();

        assert_ne!(decisions, Decisions::default(), "{id}");
    }
}

#[test]
fn a_duration_is_given_in_seconds() {
    let mut decisions = Decisions::default();

    decisions.set("sched.slice_length", "90").unwrap();

    assert_eq!(decisions.time_slice(), Duration::from_secs(90));
}

#[test]
fn a_value_that_is_no_duration_is_refused_and_changes_nothing() {
    for id in Decisions::IDS {
        for value in ["", "0", "-1", "1.5", "soon", "1s", " 1", "18446744073709551616"] {
            let mut decisions = Decisions::default();

            let error = decisions.set(id, value).unwrap_err();

            assert!(error.contains(id) && error.contains(&format!("{value:?}")), "{error}");
            assert_eq!(error.lines().count(), 1);
            assert_eq!(decisions, Decisions::default());
        }
    }
}

#[test]
fn an_unknown_decision_is_refused_with_those_that_exist() {
    let error = Decisions::default().set("sched.slice", "1").unwrap_err();

    assert!(error.contains("\"sched.slice\""), "{error}");
    for id in Decisions::IDS {
        assert!(error.contains(id), "{error}");
    }
}

#[test]
fn what_has_decided_something_is_noted_also_by_a_clone() {
    let decisions = Decisions::default();
    decisions.time_slice();
    assert!(decisions.touched().is_empty(), "a slice decides something when it ends");

    decisions.clone().note(Switch::StallTimeout);
    decisions.notify_retry();
    decisions.notify_retry();

    assert_eq!(decisions.touched(), ["callback.job_transferred.retry", "http.stall_timeout"]);
}
