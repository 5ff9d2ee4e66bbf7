//! Switches for what the documentation leaves open.

use std::time::Duration;

use bits_world::{Decisions, Switch};

/// What the switches take that take words; the second is not usual.
const WORDS: &[(&str, [&str; 2])] = &[
    ("manager.create_job.type_undefined", ["E_NOTIMPL", "E_INVALIDARG"]),
    ("manager.enum_jobs.flags_undefined", ["E_NOTIMPL", "E_INVALIDARG"]),
    ("job.add_file_set.zero_count", ["E_INVALIDARG", "S_OK"]),
    ("struct.file_info.local_dirs_exist", ["ERROR_DIRECTORY", "ERROR_PATH_NOT_FOUND"]),
    ("job.add_file.duplicate_local", ["accepted", "refused"]),
    ("job.add_file.dest_exists", ["replaced", "refused"]),
    ("job.suspend.from_transferred", ["suspended", "stays"]),
    ("job.resume.from_transferred_no_files", ["stays", "queued"]),
    ("job.complete.none_transferred", ["BG_S_PARTIAL_COMPLETE", "S_OK"]),
    ("job.get_error_count.not_counted", ["counted", "not_counted"]),
    ("retry.timeout_error", ["last", "BG_E_NO_PROGRESS"]),
    ("sched.preempt", ["kept", "lost"]),
    ("users.remote_sessions", ["refused", "served"]),
    ("http.open.200_for_range", ["BG_E_INSUFFICIENT_RANGE_SUPPORT", "accepted"]),
    ("http.open.412", ["starts_over", "BG_E_HTTP_ERROR_412"]),
    ("http.status_classes", ["fatal", "transient"]),
    ("http.redirects_refused", ["BG_E_HTTP_ERROR", "HRESULT_FROM_WIN32"]),
    ("http.redirects_kept", ["request", "attempt"]),
    ("http_options.redirect_with_custom_headers", ["sent", "dropped"]),
    ("http_options.custom_headers.own", ["replaced", "repeated"]),
    ("http_options.custom_headers.reserved", ["ignored", "refused"]),
    ("http.content_coding", ["kept", "refused"]),
    ("http.head_refused", ["error", "GET"]),
    ("http.cookies", ["ignored", "kept"]),
    ("http_options.certificate_faults", ["each", "ERROR_WINHTTP_SECURE_FAILURE"]),
    ("job.set_proxy_settings.commas", ["refused", "separate"]),
    ("auth.digest.sha256", ["10.3", "never"]),
    ("job2.set_credentials.malformed", ["BG_E_INVALID_CREDENTIALS", "accepted"]),
    ("job2.set_credentials.missing_members", ["refused", "stored"]),
    ("http_options.redirect_with_credentials", ["withheld", "sent"]),
    ("http.url_credentials", ["answer", "ignored"]),
    ("passport.failure", ["BG_E_HTTP_ERROR_401", "ERROR_WINHTTP_LOGIN_FAILURE"]),
    ("http.spare_connections", ["reused", "closed"]),
];

const SECONDS: [&str; 3] = ["sched.slice_length", "callback.job_transferred.retry", "http.stall_timeout"];

#[test]
fn every_switch_can_be_set_and_changes_something() {
    for id in Decisions::IDS {
        let other = WORDS.iter().find(|(word, _)| word == id).map_or("7", |(_, words)| words[1]);
        let mut decisions = Decisions::default();

        decisions.set(id, other).unwrap();

        assert_ne!(decisions, Decisions::default(), "{id}");
    }
}

#[test]
fn a_word_is_one_of_two_and_the_first_is_usual() {
    for (id, [usual, other]) in WORDS {
        let mut decisions = Decisions::default();

        decisions.set(id, usual).unwrap();
        assert_eq!(decisions, Decisions::default(), "{id}");
        let error = decisions.set(id, "something else").unwrap_err();

        assert!(error.contains(id) && error.contains(usual) && error.contains(other), "{error}");
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
    for id in SECONDS {
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
