//! `--state`: a queue that outlives the program.

use std::fs;

use bits_origin::{Content, Synthetic};

use crate::support::{Ended, MIB, Place};

const LENGTH: u64 = 8 * MIB;
const HALF: u64 = 5 * MIB;

impl Place {
    pub(crate) fn get_with_state(&self, url: &str, file: &str) -> Ended {
        self.get([url, file, "--state", self.aside("state").to_str().unwrap()])
    }

    /// Kills a run that has fetched a part of `path`; returns the URL.
    fn interrupted(&self, path: &str, file: &str) -> String {
        let url = self.serve(path, LENGTH);
        let gate = self.hold(path, HALF);
        let run = self.start([&*url, file, "--state", self.aside("state").to_str().unwrap()]);
        self.wait_for_partial(HALF);
        run.kill();
        gate.open();
        url
    }

    /// The ranges that were asked for, run by run.
    fn ranges(&self, path: &str) -> Vec<Option<String>> {
        let gets = self.origin.journal().requests_to(path).with_method("GET");
        gets.iter().map(|request| request.header("range").map(str::to_owned)).collect()
    }

    #[track_caller]
    fn has(&self, name: &str) {
        let expected = Content::synthetic(LENGTH, LENGTH).sha256().unwrap();
        assert_eq!(Content::bytes(self.read(name)).sha256().unwrap(), expected);
    }
}

#[test]
fn a_killed_run_is_taken_up_where_it_was() {
    let place = Place::new();
    let url = place.interrupted("/a", "a");

    place.get_with_state(&url, "a").is_quiet_success();

    assert_eq!(place.ranges("/a"), [None, Some("bytes=5242880-8388607".to_owned())]);
    assert_eq!(place.files(), ["a"]);
    place.has("a");
}

#[test]
fn a_killed_run_is_taken_up_in_the_middle_of_a_range() {
    let place = Place::new();
    let url = place.serve("/a", LENGTH);
    let gate = place.hold("/a", 3 * MIB);
    let state = place.aside("state");
    let command = [&*url, "a", "--state", state.to_str().unwrap(), "--ranges", "0-1048575,2097152-6291455,7340032-"];
    let run = place.start(command);
    // Two of the ranges come in one answer, with headers between them.
    place.wait_for_partials(2 * MIB, |found| found > 2 * MIB);
    run.kill();
    gate.open();
    let there = place.partials()[0];

    place.get(command).is_quiet_success();

    let all = "bytes=0-1048575,2097152-6291455,7340032-8388607".to_owned();
    let missing = format!("bytes={}-6291455,7340032-8388607", MIB + there);
    assert_eq!(place.ranges("/a"), [Some(all), Some(missing)]);
    let bytes = Synthetic::new(LENGTH, LENGTH).bytes(0..LENGTH);
    let part = |from: u64, to: u64| &bytes[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()];
    assert!(place.read("a") == [part(0, MIB), part(2 * MIB, 6 * MIB), part(7 * MIB, LENGTH)].concat());
}

#[test]
fn without_state_a_killed_run_is_not_taken_up() {
    let place = Place::new();
    let url = place.serve("/a", LENGTH);
    let gate = place.hold("/a", HALF);
    let run = place.start([&url, "a"]);
    place.wait_for_partial(HALF);
    run.kill();
    gate.open();

    place.get([&url, "a"]).is_quiet_success();

    assert_eq!(place.ranges("/a"), [None, None]);
    place.has("a");
}

#[test]
fn another_file_is_another_download_and_the_first_waits_for_its_turn() {
    let place = Place::new();
    let url = place.interrupted("/a", "first");

    place.get_with_state(&url, "second").is_quiet_success();
    place.has("second");
    assert!(!place.folder().join("first").exists());
    assert_eq!(place.ranges("/a"), [None, None]);

    place.get_with_state(&url, "first").is_quiet_success();
    place.has("first");
    assert_eq!(place.files(), ["first", "second"]);
    assert_eq!(place.ranges("/a"), [None, None, Some("bytes=5242880-8388607".to_owned())]);
}

#[test]
fn another_url_is_another_download() {
    let place = Place::new();
    place.interrupted("/a", "file");
    let other = place.serve("/b", 100);

    place.get_with_state(&other, "file").is_quiet_success();

    assert_eq!(place.read("file").len(), 100);
}

#[test]
fn a_download_that_failed_leaves_no_job() {
    let place = Place::new();
    let url = place.serve("/a", LENGTH);
    place.script("GET /a: close after 1 MiB once");
    assert_eq!(place.get_with_state(&url, "a").code, Some(1));
    assert!(place.files().is_empty());

    place.get_with_state(&url, "a").is_quiet_success();

    assert_eq!(place.ranges("/a"), [None, None]);
    place.has("a");
}

#[test]
fn a_folder_serves_one_program_at_a_time() {
    let place = Place::new();
    let url = place.serve("/a", LENGTH);
    let gate = place.hold("/a", HALF);
    let state = place.aside("state");
    let run = place.start([&*url, "a", "--state", state.to_str().unwrap()]);
    place.wait_for_partial(HALF);

    place.get_with_state(&url, "b").fails("bitsd: the state folder [..]state is in use by another emulator, [..]");

    gate.open();
    run.end().is_quiet_success();
    assert_eq!(place.files(), ["a"]);
}

#[test]
fn what_is_no_folder_cannot_keep_a_queue() {
    let place = Place::new();
    let url = place.serve("/a", 10);
    fs::write(place.aside("state"), "a file").unwrap();

    place.get_with_state(&url, "a").fails("bitsd: the state folder [..]state cannot be used: [..]");

    assert!(place.files().is_empty());
}

#[test]
fn what_is_no_queue_is_left_alone() {
    let place = Place::new();
    let url = place.serve("/a", 10);
    let queue = place.aside("state").join("queue.redb");
    fs::create_dir(place.aside("state")).unwrap();
    fs::write(&queue, "a shopping list").unwrap();

    place.get_with_state(&url, "a").fails("bitsd: [..]queue.redb is not a queue of bits-emulator ([..]); [..]");

    assert_eq!(fs::read(queue).unwrap(), b"a shopping list");
    assert!(place.files().is_empty());
}
