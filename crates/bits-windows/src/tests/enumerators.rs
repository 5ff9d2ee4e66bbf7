//! Walking: all four enumerators go the same way.

use std::sync::Arc;

use bits_api::{Enumerator, File, Hresult, Job, Peer, PeerCacheRecord, Success};

use crate::enumerator::Walk;
use crate::fakes::{FakeCareless, FakeFiles, FakeJobs, FakePeers, FakeRecords, FakeService};
use crate::proxy::Proxy;

fn jobs(service: &Arc<FakeService>) -> Arc<dyn Enumerator<dyn Job>> {
    Walk::arc(Proxy::new(FakeJobs::interface(service)))
}

fn files(service: &Arc<FakeService>) -> Arc<dyn Enumerator<dyn File>> {
    Walk::arc(Proxy::new(FakeFiles::interface(service)))
}

fn records(service: &Arc<FakeService>) -> Arc<dyn Enumerator<dyn PeerCacheRecord>> {
    Walk::arc(Proxy::new(FakeRecords::interface(service)))
}

fn peers(service: &Arc<FakeService>) -> Arc<dyn Enumerator<dyn Peer>> {
    Walk::arc(Proxy::new(FakePeers::interface(service)))
}

/// Walks over seven items that are told apart by `name`, and leaves nothing behind.
fn is_walked<T: ?Sized + 'static>(
    make: fn(&Arc<FakeService>) -> Arc<dyn Enumerator<T>>,
    name: impl Fn(&T) -> String,
    names: [&str; 7],
) {
    let service = FakeService::answering(Hresult::S_OK);
    let walk = make(&service);
    let next = |count| {
        let fetched = walk.next(count).unwrap();
        let found: Vec<_> = fetched.items.iter().map(|item| name(item)).collect();
        (fetched.success, found.join(" "))
    };

    assert_eq!(walk.count(), Ok(7));
    assert_eq!(next(2), (Success::OK, names[..2].join(" ")));
    assert_eq!(walk.skip(2), Ok(Success::OK));
    let twin = walk.clone_enumerator().unwrap();
    assert_eq!(next(0), (Success::OK, String::new()));
    assert_eq!(next(u32::MAX), (Success::FALSE, names[4..].join(" ")));
    assert_eq!(next(1), (Success::FALSE, String::new()));
    assert_eq!(twin.skip(4), Ok(Success::FALSE));
    assert_eq!(walk.reset(), Ok(Success::OK));
    assert_eq!(next(7), (Success::OK, names.join(" ")));

    drop((walk, twin));
    assert_eq!((service.outstanding(), Arc::strong_count(&service)), (0, 1), "what was handed out is let go of");
}

#[test]
fn jobs_are_walked() {
    is_walked(jobs, |job| job.error_count().unwrap().to_string(), ["63"; 7]);
}

#[test]
fn files_are_walked() {
    let names = ["url 1", "url 2", "url 3", "url 4", "url 5", "url 6", "url 7"];
    is_walked(files, |file| file.remote_name().unwrap(), names);
}

#[test]
fn records_are_walked() {
    let size = |record: &dyn PeerCacheRecord| (record.file_size().unwrap() - (1 << 40)).to_string();
    is_walked(records, size, ["1", "2", "3", "4", "5", "6", "7"]);
}

#[test]
fn peers_are_walked() {
    let names = ["peer 1", "peer 2", "peer 3", "peer 4", "peer 5", "peer 6", "peer 7"];
    is_walked(peers, |peer| peer.peer_name().unwrap(), names);
}

#[test]
fn more_than_there_can_be_is_not_asked_for() {
    let service = FakeService::answering(Hresult::S_OK);
    let walk = files(&service);

    walk.next(u32::MAX).unwrap();

    assert_eq!(service.heard(), ["GetCount", "Next(8)"]);
}

#[test]
fn next_is_asked_for_a_bounded_number_when_nobody_knows_how_many_there_are() {
    let service = FakeService::answering(Hresult::RPC_S_SERVER_UNAVAILABLE);
    let walk = files(&service);

    let answers = [walk.next(3), walk.next(u32::MAX)].map(Result::unwrap_err);

    assert_eq!(answers, [Hresult::RPC_S_SERVER_UNAVAILABLE; 2]);
    assert_eq!(service.heard(), ["GetCount", "Next(3)", "GetCount", "Next(65536)"]);
}

#[test]
fn failures_come_through() {
    let service = FakeService::answering(Hresult::RPC_S_SERVER_UNAVAILABLE);
    let walk = files(&service);
    let gone = Hresult::RPC_S_SERVER_UNAVAILABLE;

    assert_eq!(walk.next(1).unwrap_err(), gone);
    assert_eq!(walk.skip(1), Err(gone));
    assert_eq!(walk.reset(), Err(gone));
    assert_eq!(walk.clone_enumerator().unwrap_err(), gone);
    assert_eq!(walk.count(), Err(gone));
}

#[test]
fn items_that_come_with_a_failure_or_are_not_counted_are_let_go_of() {
    for (counted, code, seen) in [
        (3, Hresult::BG_E_INVALID_STATE, Err(Hresult::BG_E_INVALID_STATE)),
        (1, Hresult::S_FALSE, Ok(1)),
        (0, Hresult::S_FALSE, Ok(0)),
    ] {
        let service = FakeService::answering(Hresult::S_OK);
        let walk = Walk::arc(Proxy::new(FakeCareless::interface(&service, counted, code)));

        let fetched = walk.next(3);

        assert_eq!(fetched.map(|fetched| fetched.items.len()), seen);
        drop(walk);
        assert_eq!(Arc::strong_count(&service), 1, "{counted} counted, {code}: an item is left behind");
    }
}
