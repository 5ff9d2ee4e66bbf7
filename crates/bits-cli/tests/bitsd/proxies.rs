//! `--proxy`: the way that jobs take.

use std::collections::BTreeSet;

use bits_origin::{Origin, Request};
use bits_world::clock::Clock;

use crate::support::{MIB, PATIENCE, Place};

fn proxy() -> Origin {
    Origin::start(Clock::system()).unwrap()
}

/// What was asked for, each thing once.
fn targets(server: &Origin) -> BTreeSet<String> {
    server.journal().iter().map(|request| request.target.clone()).collect()
}

/// Whether a proxy has passed it on.
fn came_by(request: &Request) -> bool {
    request.header("via").is_some()
}

#[test]
fn a_file_comes_through_the_proxy_that_is_named() {
    let (place, proxy) = (Place::new(), proxy());
    let url = place.serve("/a", 100);

    for list in [proxy.url(""), proxy.url("").replace("http://", ""), format!("http={}", proxy.url(""))] {
        place.get([&*url, "a", "--proxy", list.trim_end_matches('/')]).is_quiet_success();
    }

    assert_eq!(targets(&proxy), BTreeSet::from([url]));
    assert_eq!(targets(&place.origin), BTreeSet::from(["/a".to_owned()]));
}

#[test]
fn a_file_over_https_comes_through_a_tunnel() {
    let (place, proxy) = (Place::new(), proxy());
    place.serve("/a", 100);
    let (url, ca) = (place.origin.https_url("/a"), place.ca());

    place.get([&*url, "a", "--proxy", &proxy.url(""), "--ca", ca.to_str().unwrap()]).is_quiet_success();

    let authority = url.trim_start_matches("https://").trim_end_matches("/a");
    assert_eq!(targets(&proxy), BTreeSet::from([authority.to_owned()]));
}

#[test]
fn a_proxy_that_is_not_there_is_passed_over_for_the_next() {
    let (place, proxy) = (Place::new(), proxy());
    let url = place.serve("/a", 100);

    place.get([&*url, "a", "--proxy", &format!("127.0.0.1:1 {}", proxy.url(""))]).is_quiet_success();

    assert_eq!(targets(&proxy), BTreeSet::from([url]));
}

#[test]
fn no_proxy_leads_to_a_host_that_is_spared() {
    let (place, proxy) = (Place::new(), proxy());
    let url = place.serve("/a", 100);

    place.get([&*url, "a", "--proxy", &proxy.url(""), "--proxy-bypass", "<local> 127.0.0.1"]).is_quiet_success();

    assert!(proxy.journal().is_empty());
}

#[test]
fn a_list_that_bits_does_not_read_says_what_one_looks_like() {
    let place = Place::new();
    let url = place.serve("/a", 100);
    for arguments in [["--proxy", ""], ["--proxy", "socks=here:1"], ["--proxy", "here:port"]] {
        place.get([&*url, "a"].into_iter().chain(arguments)).fails(
            "bitsd: cannot download [..] to [..]: 0x8020003F BG_E_INVALID_PROXY_INFO: [..] \
             (BG_ERROR_CONTEXT_GENERAL_TRANSPORT); --proxy is HOST:PORT, or several with blanks between, [..]",
        );
    }
    assert!(place.origin.journal().is_empty() && place.files().is_empty());
}

#[test]
fn a_list_longer_than_bits_takes_is_wrong_usage() {
    let place = Place::new();
    let url = place.serve("/a", 100);

    place
        .get([&*url, "a", "--proxy", &"proxy ".repeat(700)])
        .is_misused("bitsd: cannot go through --proxy: 0x80200018 BG_E_PROXY_LIST_TOO_LARGE: [..]");
}

#[test]
fn a_proxy_has_no_user_in_its_url() {
    let place = Place::new();

    place
        .get(["http://server/a", "a", "--proxy", "http://joe:hunter2@proxy:8080"])
        .is_misused("bitsd: --proxy names hosts only: who logs in there is what --proxy-auth SCHEME:USER says");
}

#[test]
fn a_run_that_takes_up_a_job_keeps_its_proxy_until_it_is_told_otherwise() {
    let (place, proxy) = (Place::new(), proxy());
    let url = place.serve("/a", 8 * MIB);
    let state = place.aside("state");
    let command = [&*url, "a", "--state", state.to_str().unwrap()];
    // Of each answer 3 MiB arrive.
    let kill_at = |arrived: u64, more: &[&str]| {
        let gate = place.hold("/a", 3 * MIB);
        let run = place.start(command.iter().chain(more));
        place.wait_for_partial(arrived);
        run.kill();
        gate.open();
    };

    kill_at(3 * MIB, &["--proxy", &proxy.url("")]);
    kill_at(6 * MIB, &[]);
    // The job may go on with its proxy before it is told: held until it asks the server itself.
    let gate = place.hold("/a", 0);
    let run = place.start(command.into_iter().chain(["--no-proxy"]));
    let asks_itself = |request: &Request| request.header("range") == Some("bytes=6291456-8388607") && !came_by(request);
    place.origin.wait_until(PATIENCE, |journal| journal.iter().any(asks_itself)).unwrap();
    gate.open();
    run.end().is_quiet_success();

    assert_eq!(place.read("a").len() as u64, 8 * MIB);
    let gets = place.origin.journal().with_method("GET");
    let ways = |range: &str| -> Vec<_> {
        let gets = gets.iter().filter(|request| request.header("range").unwrap_or_default() == range);
        gets.map(came_by).collect()
    };
    assert_eq!((ways(""), ways("bytes=3145728-8388607")), (vec![true], vec![true]));
    assert_eq!(ways("bytes=6291456-8388607").last(), Some(&false));
}
