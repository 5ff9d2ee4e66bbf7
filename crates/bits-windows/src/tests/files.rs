//! Every method of every interface of a file, and of the error that names one.

use bits_api::{
    Answer, ErrorContext, File, FilePropertyId, FilePropertyValue, FileRange, Hresult, JobError, LENGTH_TO_EOF,
    LanguageId, Success,
};
use windows::Win32::Networking::BackgroundIntelligentTransferService as bits;
use windows::core::{GUID, Interface};

use super::{Call, OK, Row, failures_come_back, results_come_back, seen, success_codes_come_back, text};
use crate::UNKNOWN_TYPE;
use crate::fakes::{FakeError, FakeFile, FakeService};

const HEADERS: FilePropertyId = FilePropertyId::HTTP_RESPONSE_HEADERS;
const RANGES: [FileRange; 2] =
    [FileRange { initial_offset: 61, length: 62 }, FileRange { initial_offset: 63, length: LENGTH_TO_EOF }];

const FILE: &[Row<dyn File>] = &[
    (|f| text(f.remote_name()), "GetRemoteName", "url 1"),
    (|f| text(f.local_name()), "GetLocalName", "path 1"),
    (
        |f| seen(f.progress()),
        "GetProgress",
        "FileProgress { bytes_total: 18446744073709551615, bytes_transferred: 8589934592, completed: true }",
    ),
    (
        |f| seen(f.file2()?.file_ranges()),
        "GetFileRanges",
        "Answer { code: 0x00000000 S_OK, value: [FileRange { initial_offset: 11, length: 12 }, \
         FileRange { initial_offset: 13, length: 18446744073709551615 }] }",
    ),
    (|f| seen(f.file2()?.set_remote_name(Some("new"))), r#"SetRemoteName("new")"#, OK),
    (|f| seen(f.file2()?.set_remote_name(None)), "SetRemoteName(null)", OK),
    (|f| text(f.file3()?.temporary_name()), "GetTemporaryName", "a temporary file"),
    (|f| seen(f.file3()?.set_validation_state(true)), "SetValidationState(1)", OK),
    (|f| seen(f.file3()?.set_validation_state(false)), "SetValidationState(0)", OK),
    (|f| seen(f.file3()?.validation_state()), "GetValidationState", "true"),
    (|f| seen(f.file3()?.is_downloaded_from_peer()), "IsDownloadedFromPeer", "false"),
    (
        |f| seen(f.file4()?.peer_download_stats()),
        "GetPeerDownloadStats",
        "PeerDownloadStats { from_origin: 21, from_peers: 22 }",
    ),
    (
        |f| seen(f.file5()?.property(HEADERS)),
        "GetProperty(1)",
        r#"Answer { code: 0x00000000 S_OK, value: String(Some("A: b\r\n")) }"#,
    ),
    (
        |f| seen(f.file5()?.set_property(HEADERS, FilePropertyValue::String(Some("C: d".to_owned())))),
        r#"SetProperty(1, "C: d")"#,
        OK,
    ),
    (|f| seen(f.file5()?.set_property(FilePropertyId(7), FilePropertyValue::String(None))), "SetProperty(7, null)", OK),
    (|f| seen(f.file6()?.update_download_position(1 << 33)), "UpdateDownloadPosition(8589934592)", OK),
    (|f| seen(f.file6()?.request_file_ranges(&RANGES)), "RequestFileRanges(61+62 63+18446744073709551615)", OK),
    (|f| seen(f.file6()?.request_file_ranges(&[])), "RequestFileRanges()", OK),
    (|f| seen(f.file6()?.filled_file_ranges().map(|ranges| ranges.len())), "GetFilledFileRanges", "3"),
];

const ERROR: &[Row<dyn JobError>] = &[
    (|e| seen(e.error()), "GetError", "(BG_ERROR_CONTEXT_REMOTE_FILE, 0x80190194 BG_E_HTTP_ERROR_404)"),
    (|e| seen(e.file().map(|_| ())), "GetFile", "()"),
    (|e| text(e.description(LanguageId(0x0407))), "GetErrorDescription(0x407)", "not there"),
    (|e| text(e.context_description(LanguageId(0x0409))), "GetErrorContextDescription(0x409)", "the remote file"),
    (|e| text(e.protocol()), "GetProtocol", "http"),
];

#[test]
fn arguments_go_through_and_results_come_back() {
    results_come_back(FILE, FakeFile::of);
    results_come_back(ERROR, FakeError::of);
}

#[test]
fn success_codes_come_through() {
    success_codes_come_back(FILE, FakeFile::of);
}

#[test]
fn failures_come_through_and_what_came_with_them_is_freed() {
    failures_come_back(FILE, FakeFile::of);
    failures_come_back(ERROR, FakeError::of);
}

#[test]
fn the_file_of_an_error_is_the_one_that_bits_names() {
    let error = FakeError::of(&FakeService::answering(Hresult::S_OK));

    assert_eq!(error.file().unwrap().remote_name().as_deref(), Ok("url 5"));
    assert_eq!(error.error().unwrap().0, ErrorContext::REMOTE_FILE);
}

#[test]
fn a_file_without_ranges_says_so_by_its_code() {
    let file = FakeFile::of(&FakeService::answering(Hresult::S_FALSE));

    let ranges = file.file2().unwrap().file_ranges().unwrap();

    assert_eq!((ranges.code, ranges.value.len()), (Success::FALSE, 2));
}

/// Null where BITS has nothing to tell; the fake leaves every place as it was.
#[test]
fn a_string_that_bits_does_not_hand_out_is_absent_or_empty() {
    let file = FakeFile::of(&FakeService::answering(Hresult::S_FALSE));
    let error = FakeError::of(&FakeService::answering(Hresult::S_FALSE));

    let absent = Answer { code: Success::FALSE, value: FilePropertyValue::String(None) };
    assert_eq!(file.file5().unwrap().property(HEADERS), Ok(absent));
    assert_eq!(file.remote_name().as_deref(), Ok(""));
    assert_eq!(error.protocol().as_deref(), Ok(""));
    assert_eq!(error.file().unwrap_err(), Hresult::E_UNEXPECTED);
}

#[test]
fn a_property_of_which_nobody_knows_the_type_is_not_read() {
    let service = FakeService::answering(Hresult::S_OK);
    let file = FakeFile::of(&service);

    let value = file.file5().unwrap().property(FilePropertyId(2));

    assert_eq!(value, Err(UNKNOWN_TYPE));
    assert_eq!(service.heard(), ["GetProperty(2)"]);
}

#[test]
fn a_string_with_a_nul_inside_is_refused_before_com() {
    let service = FakeService::answering(Hresult::S_OK);
    let file = FakeFile::of(&service).file5().unwrap();

    let url = file.set_remote_name(Some("a\0b"));
    let property = file.set_property(HEADERS, FilePropertyValue::String(Some("a\0b".to_owned())));

    assert_eq!([url, property], [Err(Hresult::E_INVALIDARG); 2]);
    assert_eq!(service.heard(), [""; 0]);
}

/// The later interfaces in the order in which they came.
const INTERFACES: [(GUID, Call<dyn File>); 5] = [
    (bits::IBackgroundCopyFile2::IID, |f| f.file2().map(|_| "2.0".into())),
    (bits::IBackgroundCopyFile3::IID, |f| f.file3().map(|_| "3.0".into())),
    (bits::IBackgroundCopyFile4::IID, |f| f.file4().map(|_| "4.0".into())),
    (bits::IBackgroundCopyFile5::IID, |f| f.file5().map(|_| "5.0".into())),
    (bits::IBackgroundCopyFile6::IID, |f| f.file6().map(|_| "10.1".into())),
];

#[test]
fn an_interface_that_this_bits_does_not_have_is_absent() {
    for there in 0..=INTERFACES.len() {
        let known = INTERFACES[..there].iter().map(|(id, _)| *id).collect();
        let file = FakeFile::of_older(&FakeService::answering(Hresult::S_OK), known);

        let found = INTERFACES.map(|(_, query)| query(&*file));

        assert!(found[..there].iter().all(Result::is_ok), "the first {there}: {found:?}");
        assert!(found[there..].iter().all(|one| *one == Err(Hresult::E_NOINTERFACE)), "the first {there}: {found:?}");
    }
}
