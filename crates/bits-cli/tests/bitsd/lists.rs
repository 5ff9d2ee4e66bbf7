//! Many files: lists, shares, and parts of one file.

use std::fs;

use bits_origin::{Content, Gate};

use crate::support::{MIB, PATIENCE, Place};

impl Place {
    /// Serves files of these lengths; the list that names them as `0`, `1` and so on.
    fn list(&self, lengths: &[u64]) -> String {
        let lines =
            lengths.iter().enumerate().map(|(n, length)| format!("{} {n}\n", self.serve(&format!("/{n}"), *length)));
        let list = self.aside("list");
        fs::write(&list, lines.collect::<String>()).unwrap();
        list.into_os_string().into_string().unwrap()
    }

    #[track_caller]
    fn has_lengths(&self, lengths: &[u64]) {
        let names: Vec<String> = (0..lengths.len()).map(|n| n.to_string()).collect();
        assert_eq!(self.files(), names);
        let found: Vec<u64> = names.iter().map(|name| self.read(name).len() as u64).collect();
        assert_eq!(found, lengths);
    }

    /// How many connections the server has seen.
    fn connections(&self) -> u64 {
        self.origin.journal().iter().map(|request| request.connection).max().unwrap_or(0)
    }

    fn with_state<'a>(&self, list: &'a str, jobs: &'a str) -> [String; 6] {
        let state = self.aside("state").into_os_string().into_string().unwrap();
        ["--input".into(), list.into(), "--jobs".into(), jobs.into(), "--state".into(), state]
    }
}

#[test]
fn a_list_is_one_job_on_one_connection() {
    let place = Place::new();
    let lengths = [10, 0, 3 * MIB, 77];

    place.get(["--input", &place.list(&lengths)]).is_quiet_success();

    place.has_lengths(&lengths);
    assert_eq!(place.connections(), 1);
}

#[test]
fn a_list_is_dealt_out_to_jobs_that_run_at_the_same_time() {
    let place = Place::new();
    let lengths = [1000, 1001, 1002, 1003, 1004];
    let list = place.list(&lengths);
    let firsts = [0, 2, 4].map(|first| place.hold(&format!("/{first}"), 500));

    let run = place.start(["--input", &list, "--jobs", "3"]);
    for first in &firsts {
        first.wait_reached(PATIENCE).unwrap();
    }
    firsts.iter().for_each(Gate::open);
    run.end().is_quiet_success();

    place.has_lengths(&lengths);
    assert_eq!(place.connections(), 3);
}

#[test]
fn more_jobs_than_files_are_as_many_as_files() {
    let place = Place::new();

    place.get(["--input", &place.list(&[5, 6]), "--jobs", "40"]).is_quiet_success();

    place.has_lengths(&[5, 6]);
}

#[test]
fn bits_own_limit_of_files_in_a_job_keeps_nobody_from_a_longer_list() {
    let place = Place::new();
    let lengths = [1; 201];
    let list = place.list(&lengths);

    place.get(["--input", &list]).is_quiet_success();

    assert_eq!(place.files().len(), lengths.len());
}

#[test]
fn a_killed_list_is_taken_up_where_it_was() {
    let place = Place::new();
    let lengths = [100, 8 * MIB, 200, 300];
    let list = place.list(&lengths);
    let gate = place.hold("/1", 5 * MIB);
    let run = place.start(place.with_state(&list, "2"));
    place.wait_for_partial(5 * MIB);
    run.kill();
    gate.open();

    place.get(place.with_state(&list, "2")).is_quiet_success();

    place.has_lengths(&lengths);
    let asked = |n: u64| place.origin.journal().requests_to(&format!("/{n}")).with_method("GET");
    asked(0).count(1);
    assert_eq!(asked(1).iter().last().unwrap().header("range"), Some("bytes=5242880-8388607"));
}

#[test]
fn the_first_error_ends_it_all_and_names_the_file() {
    let place = Place::new();
    let list = place.list(&[10, 20, 8 * MIB]);
    place.script("GET /1: status 404");
    let _held = place.hold("/2", MIB);

    place
        .get(["--input", &list, "--jobs", "2"])
        .fails("bitsd: line 2 of [..]list: cannot download http://[..]/1 to [..]1: 0x80190194 [..]");

    assert!(place.files().is_empty(), "{:?}", place.files());
}

#[test]
fn a_name_that_bits_does_not_take_is_found_among_many() {
    let place = Place::new();
    let list = place.aside("list");
    fs::write(&list, "http://server/a a\nhttp://server/^ b\nhttp://server/c c\n").unwrap();

    place.get(["--input", list.to_str().unwrap()]).is_misused(
        "bitsd: line 2 of [..]list: cannot download http://server/^ to [..]b: 0x80070057 E_INVALIDARG: [..]",
    );
}

#[test]
fn what_is_no_list_is_refused() {
    let place = Place::new();
    let list = place.aside("list");
    let name = list.to_str().unwrap();
    place.get(["--input", name]).fails("bitsd: cannot read [..]list: [..]");
    for (text, why) in [
        ("\n\n", "bitsd: [..]list lists nothing to download"),
        (
            "\nhttp://server/a\n",
            "bitsd: line 2 of [..]list is not a URL and a FILE with a blank between: http://server/a",
        ),
        (
            "http://server/a a\nhttp://server/b b\nhttp://server/c ./a\n",
            "bitsd: lines 1 and 3 of [..]list have the same FILE: [..]a",
        ),
    ] {
        fs::write(&list, text).unwrap();
        place.get(["--input", name]).is_misused(why);
    }
    fs::write(&list, b"\xff\xfea\0").unwrap();
    place.get(["--input", name]).is_misused("bitsd: [..]list is no text in UTF-8 ([..])");
    place.get(["--input", "-"]).is_misused("bitsd: standard input lists nothing to download");
}

#[test]
fn a_list_may_begin_with_a_mark_as_windows_writes_it() {
    let place = Place::new();
    let list = place.aside("list");
    fs::write(&list, format!("\u{feff}{} 0\r\n", place.serve("/a", 10))).unwrap();

    place.get(["--input", list.to_str().unwrap()]).is_quiet_success();

    place.has_lengths(&[10]);
}

#[test]
fn ranges_lie_one_behind_the_other_in_the_file() {
    let place = Place::new();
    let bytes: Vec<u8> = (0..=255).collect();
    place.origin.put("/a", Content::bytes(bytes.clone()));

    place.get([&*place.origin.url("/a"), "a", "--ranges", "100-109,0-0,250-"]).is_quiet_success();

    assert_eq!(place.read("a"), [&bytes[100..110], &bytes[..1], &bytes[250..]].concat());
}

#[test]
fn ranges_that_overlap_are_wrong_usage() {
    let place = Place::new();
    let url = place.serve("/a", 100);

    place.get([&*url, "a", "--ranges", "0-9,5-20"]).is_misused(
        "bitsd: cannot download [..]/a to [..]a: 0x8020002C BG_E_OVERLAPPING_RANGES: ranges overlap or repeat",
    );

    assert!(place.origin.journal().is_empty());
}
