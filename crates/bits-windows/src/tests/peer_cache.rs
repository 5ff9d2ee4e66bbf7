//! Every method of the peer cache, its records and its peers.

use bits_api::{Answer, Guid, Hresult, Peer, PeerCacheAdministration, PeerCacheFlags, PeerCacheRecord, Success};

use super::{OK, Row, failures_come_back, results_come_back, seen, success_codes_come_back, text};
use crate::fakes::{FakeManager, FakePeer, FakeRecord, FakeService};

const ID: Guid = Guid::from_u128(0x0102_0304_0506_0708_090A_0B0C_0D0E_0F10);

const ADMINISTRATION: &[Row<dyn PeerCacheAdministration>] = &[
    (|a| seen(a.maximum_cache_size()), "GetMaximumCacheSize", "Answer { code: 0x00000000 S_OK, value: 41 }"),
    (|a| seen(a.set_maximum_cache_size(43)), "SetMaximumCacheSize(43)", OK),
    (|a| seen(a.maximum_content_age()), "GetMaximumContentAge", "Answer { code: 0x00000000 S_OK, value: 42 }"),
    (|a| seen(a.set_maximum_content_age(44)), "SetMaximumContentAge(44)", OK),
    (
        |a| seen(a.configuration_flags().map(|flags| (flags.code, flags.value.bits()))),
        "GetConfigurationFlags",
        "(0x00000000 S_OK, 2147483650)",
    ),
    (
        |a| seen(a.set_configuration_flags(PeerCacheFlags::from_bits_retain(0x8000_0001))),
        "SetConfigurationFlags(0x80000001)",
        OK,
    ),
    (
        |a| seen(a.enum_records()?.value.ok_or(Hresult::E_FAIL)?.next(1)?.items[0].file_size()),
        "EnumRecords",
        "1099511627777",
    ),
    (
        |a| seen(a.record(ID)?.value.ok_or(Hresult::E_FAIL)?.file_size()),
        "GetRecord(01020304-0506-0708-090A-0B0C0D0E0F10)",
        "1099511627785",
    ),
    (|a| seen(a.clear_records()), "ClearRecords", OK),
    (|a| seen(a.delete_record(ID)), "DeleteRecord(01020304-0506-0708-090A-0B0C0D0E0F10)", OK),
    (|a| seen(a.delete_url(Some("url"))), r#"DeleteUrl("url")"#, OK),
    (|a| seen(a.delete_url(None)), "DeleteUrl(null)", OK),
    (|a| text(a.enum_peers()?.value.ok_or(Hresult::E_FAIL)?.next(1)?.items[0].peer_name()), "EnumPeers", "peer 1"),
    (|a| seen(a.clear_peers()), "ClearPeers", OK),
    (|a| seen(a.discover_peers()), "DiscoverPeers", OK),
];

const RECORD: &[Row<dyn PeerCacheRecord>] = &[
    (|r| seen(r.id()), "GetId", "11112222-3333-4444-5555-666677778888"),
    (|r| text(r.origin_url()), "GetOriginUrl", "an origin"),
    (|r| seen(r.file_size()), "GetFileSize", "1099511627777"),
    (|r| seen(r.file_modification_time()), "GetFileModificationTime", "FileTime(6442450946)"),
    (|r| seen(r.last_access_time()), "GetLastAccessTime", "FileTime(12884901892)"),
    (|r| seen(r.is_file_validated()), "IsFileValidated", OK),
    (|r| seen(r.file_ranges()), "GetFileRanges", "[FileRange { initial_offset: 51, length: 52 }]"),
];

const PEER: &[Row<dyn Peer>] = &[
    (|p| text(p.peer_name()), "GetPeerName", "peer 1"),
    (|p| seen(p.is_authenticated()), "IsAuthenticated", "true"),
    (|p| seen(p.is_available()), "IsAvailable", "false"),
];

#[test]
fn arguments_go_through_and_results_come_back() {
    results_come_back(ADMINISTRATION, FakeManager::peer_cache);
    results_come_back(RECORD, FakeRecord::of);
    results_come_back(PEER, FakePeer::of);
}

#[test]
fn success_codes_come_through() {
    success_codes_come_back(ADMINISTRATION, FakeManager::peer_cache);
    success_codes_come_back(RECORD, FakeRecord::of);
}

#[test]
fn failures_come_through_and_what_came_with_them_is_freed() {
    failures_come_back(ADMINISTRATION, FakeManager::peer_cache);
    failures_come_back(RECORD, FakeRecord::of);
    failures_come_back(PEER, FakePeer::of);
}

/// As since BITS 4.0: nothing is there, and the code says that nothing was done.
#[test]
fn a_cache_that_is_gone_says_so_by_its_code() {
    const NOTHING: Answer<u32> = Answer { code: Success::FALSE, value: 0 };
    let cache = FakeManager::peer_cache(&FakeService::answering(Hresult::S_FALSE));

    assert_eq!(cache.maximum_cache_size(), Ok(NOTHING));
    assert_eq!(cache.maximum_content_age(), Ok(NOTHING));
    assert_eq!(cache.configuration_flags(), Ok(Answer { code: Success::FALSE, value: PeerCacheFlags::empty() }));
    let records = cache.enum_records().unwrap();
    assert_eq!((records.code, records.value.is_none()), (Success::FALSE, true));
    let record = cache.record(ID).unwrap();
    assert_eq!((record.code, record.value.is_none()), (Success::FALSE, true));
    let peers = cache.enum_peers().unwrap();
    assert_eq!((peers.code, peers.value.is_none()), (Success::FALSE, true));
    assert_eq!(cache.clear_peers(), Ok(Success::FALSE));
}

#[test]
fn a_url_with_a_nul_inside_is_refused_before_com() {
    let service = FakeService::answering(Hresult::S_OK);

    assert_eq!(FakeManager::peer_cache(&service).delete_url(Some("a\0b")), Err(Hresult::E_INVALIDARG));
    assert_eq!(service.heard(), [""; 0]);
}
