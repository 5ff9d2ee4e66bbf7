//! Ctrl-C and its kin.

use bits_origin::{Gate, GateAt};

use crate::support::{Ended, MIB, PATIENCE, Place};

/// Sends `signal` to a run whose server is held, and waits for its end.
fn interrupt(place: &Place, url: &str, signal: &str, held: impl FnOnce()) -> Ended {
    let run = place.start([url, "a", "--state", place.aside("state").to_str().unwrap()]);
    held();
    run.signal(signal);
    run.end()
}

/// A second run finds neither a job nor a file of the first.
#[track_caller]
fn goes_from_the_start(place: &Place, url: &str, gate: &Gate) {
    assert!(place.files().is_empty(), "{:?}", place.files());
    gate.open();
    place.get([url, "a", "--state", place.aside("state").to_str().unwrap()]).is_quiet_success();
    assert_eq!(place.read("a").len() as u64, 3 * MIB);
    let last = place.origin.journal().with_method("GET").iter().last().cloned().unwrap();
    assert_eq!(last.header("range"), None);
}

#[test]
fn an_interrupted_download_is_cancelled_and_leaves_nothing() {
    for signal in ["INT", "TERM", "HUP"] {
        let place = Place::new();
        let url = place.serve("/a", 3 * MIB);
        let gate = place.hold("/a", MIB);

        let ended = interrupt(&place, &url, signal, || place.wait_for_partial(MIB));

        assert_eq!(ended.code, Some(130), "{ended:?}");
        ended.says("bitsd: interrupted");
        goes_from_the_start(&place, &url, &gate);
    }
}

#[test]
fn a_server_that_does_not_answer_can_be_given_up() {
    let place = Place::new();
    let url = place.serve("/a", 3 * MIB);
    let gate = place.origin.gate("/a", GateAt::RequestSeen);

    let ended = interrupt(&place, &url, "INT", || drop(gate.wait_reached(PATIENCE).unwrap()));

    assert_eq!(ended.code, Some(130), "{ended:?}");
    goes_from_the_start(&place, &url, &gate);
}

#[test]
fn a_download_that_waits_says_why_when_it_is_asked() {
    let place = Place::new();
    let url = place.serve("/a", 3 * MIB);
    let gate = place.origin.gate("/a", GateAt::RequestSeen);

    let mut run = place.start([&url, "a", "--explain"]);
    let said = run.next_line();
    gate.open();

    assert_eq!(said, format!("bitsd: the job is connecting for file 1 of 1, {url}"));
    assert_eq!(run.end().code, Some(0));
}
