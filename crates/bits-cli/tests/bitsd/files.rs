//! Downloads that succeed.

use std::fs;

use bits_origin::Content;

use crate::support::{MIB, Place};

#[test]
fn a_file_comes_over_http_without_a_word() {
    let place = Place::new();
    let url = place.serve("/a.bin", 3 * MIB);

    place.get([&*url, "a.bin"]).is_quiet_success();

    assert_eq!(place.files(), ["a.bin"]);
    assert_eq!(place.read("a.bin").len() as u64, 3 * MIB);
}

#[test]
fn a_file_comes_over_https_from_a_server_that_the_user_vouches_for() {
    let place = Place::new();
    place.origin.put("/a.bin", Content::bytes("secret"));
    let ca = place.ca();

    place.get([&*place.origin.https_url("/a.bin"), "a.bin", "--ca", ca.to_str().unwrap()]).is_quiet_success();

    assert_eq!(place.read("a.bin"), b"secret");
}

#[test]
fn an_empty_file_is_a_file() {
    let place = Place::new();
    let url = place.serve("/empty", 0);

    place.get([&*url, "empty"]).is_quiet_success();

    assert_eq!((place.files(), place.read("empty")), (vec!["empty".to_owned()], Vec::new()));
}

#[test]
fn a_background_job_asks_for_ranges_and_a_foreground_job_does_not() {
    let place = Place::new();
    let url = place.serve("/a", 100);

    place.get([&*url, "a"]).is_quiet_success();
    for priority in ["high", "normal", "low"] {
        place.get([&*url, "a", "--priority", priority]).is_quiet_success();
    }

    let gets = place.origin.journal().with_method("GET");
    let ranges: Vec<_> = gets.iter().map(|request| request.header("range")).collect();
    assert_eq!(ranges, [None, Some("bytes=0-99"), Some("bytes=0-99"), Some("bytes=0-99")]);
}

#[test]
fn an_existing_file_is_replaced_when_the_new_one_is_complete() {
    let place = Place::new();
    let url = place.serve("/a", 2 * MIB);
    fs::write(place.folder().join("a"), "old").unwrap();
    let gate = place.hold("/a", MIB);

    let run = place.start([&*url, "a"]);
    place.wait_for_partial(MIB);
    assert_eq!(place.read("a"), b"old");
    gate.open();
    run.end().is_quiet_success();

    assert_eq!((place.files(), place.read("a").len() as u64), (vec!["a".to_owned()], 2 * MIB));
}

#[test]
fn an_existing_file_outlives_a_download_that_fails() {
    let place = Place::new();
    let url = place.serve("/a", 2 * MIB);
    fs::write(place.folder().join("a"), "old").unwrap();
    place.script("GET /a: close after 1 MiB");

    assert_eq!(place.get([&*url, "a"]).code, Some(1));

    assert_eq!((place.files(), place.read("a")), (vec!["a".to_owned()], b"old".to_vec()));
}

#[test]
fn file_may_lead_through_parent_folders() {
    let place = Place::new();
    let url = place.serve("/a", 10);
    fs::create_dir(place.folder().join("sub")).unwrap();

    place.get([&*url, "sub/../a"]).is_quiet_success();

    assert_eq!(place.files(), ["a", "sub"]);
}

#[test]
fn two_downloads_into_one_folder_do_not_meet() {
    let place = Place::new();
    let (first, second) = (place.serve("/first", 2 * MIB), place.serve("/second", 3 * MIB));
    let gate = place.hold("/first", MIB);

    let run = place.start([&*first, "first"]);
    place.wait_for_partial(MIB);
    place.get([&*second, "second"]).is_quiet_success();
    gate.open();
    run.end().is_quiet_success();

    assert_eq!(place.files(), ["first", "second"]);
    assert_eq!((place.read("first").len() as u64, place.read("second").len() as u64), (2 * MIB, 3 * MIB));
}
