//! The judgement of answers, as tables.

use std::sync::Arc;

use bits_api::{ErrorContext, FileRange, FileTime};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;
use bits_world::Sid;

use crate::attempt::{AttemptId, ChainId, Fetch, Identities, Vetting, Work};
use crate::certificates::Certificates;
use crate::proxy::Proxying;

const STAMP: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const LATER: &str = "Mon, 07 Nov 1994 08:49:37 GMT";

/// [`STAMP`], as it is known.
const KNOWN: Option<FileTime> = Some(FileTime::from_unix_seconds(784_111_777));

/// Header lines.
type Lines<'a> = &'a [(&'static str, &'static str)];
type Judged = Result<Verdict, Hresult>;

/// The plan for a whole file of which `known` is known.
fn plan(urgency: Urgency, known: Option<Validators>) -> AttemptPlan {
    AttemptPlan {
        attempt: AttemptId(1),
        chain: ChainId(1),
        url: "http://host/a".into(),
        work: Work::Download,
        local: "/a.tmp".into(),
        identities: Identities { local: Sid::of_account(1), network: Sid::of_account(1) },
        fetch: Fetch::default(),
        custom_headers: None,
        logins: Arc::default(),
        certificates: Certificates::default(),
        vetting: Vetting::Unwanted,
        limit: None,
        proxying: Proxying::default(),
        urgency,
        known,
    }
}

fn download_of(urgency: Urgency, known: Option<Validators>, held: u64) -> Download {
    Download::new(&plan(urgency, known), held)
}

/// The download of parts of a file, by their first byte and their length.
fn download_of_parts(parts: &[(u64, u64)], known: Option<Validators>, held: u64) -> Download {
    let parts =
        parts.iter().map(|(initial_offset, length)| FileRange { initial_offset: *initial_offset, length: *length });
    let fetch = Fetch { layout: Layout::Parts(parts.collect()), ..Fetch::default() };
    Download::new(&AttemptPlan { fetch, ..plan(Urgency::Background, known) }, held)
}

fn file(size: u64) -> Validators {
    Validators { size, last_modified: KNOWN }
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    lines.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect()
}

/// Judges an answer to whatever `download` asks next.
fn judge(download: &mut Download, status: u16, lines: &[(&'static str, &str)]) -> Result<Verdict, Failure> {
    judge_version(download, Version::HTTP_11, status, lines)
}

fn judge_version(
    download: &mut Download,
    version: Version,
    status: u16,
    lines: &[(&'static str, &str)],
) -> Result<Verdict, Failure> {
    let Next::Ask(ask) = download.next() else { panic!("nothing to ask: {download:?}") };
    let headers = headers(lines);
    download.judge(&ask, &Answer { version, status: StatusCode::from_u16(status).unwrap(), headers: &headers })
}

/// A download whose HEAD was answered with `size`.
fn learned(urgency: Urgency, size: u64) -> Download {
    let mut download = download_of(urgency, None, 0);
    let size = size.to_string();
    assert_eq!(judge(&mut download, 200, &[("content-length", &size), ("last-modified", STAMP)]), Ok(Verdict::Learned));
    download
}

fn range(first: u64, last: u64) -> Next {
    Next::Ask(Ask::Range { first, last, unmodified_since: KNOWN })
}

#[test]
fn what_is_asked_depends_on_urgency_size_and_progress() {
    use Urgency::{Background, Foreground};
    let gb2 = RANGE_LIMIT;
    let table = [
        (Foreground, None, 0, Next::Ask(Ask::Size)),
        (Background, None, 0, Next::Ask(Ask::Size)),
        (Foreground, None, 50, Next::Ask(Ask::Size)),
        (Foreground, Some(file(100)), 0, Next::Ask(Ask::Whole)),
        (Background, Some(file(100)), 0, range(0, 99)),
        (Foreground, Some(file(100)), 40, range(40, 99)),
        (Background, Some(file(100)), 40, range(40, 99)),
        (Foreground, Some(file(100)), 100, Next::Done),
        (Foreground, Some(file(0)), 0, Next::Done),
        (Background, Some(file(100)), 101, Next::Ask(Ask::Size)),
        (Foreground, Some(file(gb2 - 1)), 0, Next::Ask(Ask::Whole)),
        (Foreground, Some(file(gb2)), 0, range(0, gb2 - 1)),
        (Foreground, Some(file(gb2 + 1)), 0, range(0, gb2 - 1)),
        (Foreground, Some(file(gb2 + 1)), gb2, range(gb2, gb2)),
        (Background, Some(file(3 * gb2)), 5, range(5, gb2 + 4)),
    ];
    for (urgency, known, held, expected) in table {
        assert_eq!(download_of(urgency, known, held).next(), expected, "{urgency:?} {known:?} {held}");
    }
}

#[test]
fn a_slow_download_asks_for_what_a_server_has_patience_for() {
    let size = RANGE_LIMIT * 2;
    let table = [(None, RANGE_LIMIT), (Some(1), 65_536), (Some(80), 300_000), (Some(u32::MAX), RANGE_LIMIT)];
    for (kilobits, length) in table {
        let mut download = download_of(Urgency::Background, Some(file(size)), 5);
        download.set_speed(kilobits);
        assert_eq!(download.next(), range(5, length + 4), "{kilobits:?}");
    }
    let mut unstamped = download_of(Urgency::Background, None, 0);
    unstamped.set_speed(Some(80));
    judge(&mut unstamped, 200, &[("content-length", "1000000")]).unwrap();
    assert_eq!(unstamped.next(), Next::Ask(Ask::Range { first: 0, last: 999_999, unmodified_since: None }));
}

#[test]
fn without_a_time_stamp_a_broken_download_starts_from_zero() {
    let known = Some(Validators { size: 100, last_modified: None });

    let broken = download_of(Urgency::Background, known, 40);
    assert_eq!((broken.have(), broken.next()), (0, Next::Ask(Ask::Size)));
    let finished = download_of(Urgency::Background, known, 100);
    assert_eq!((finished.have(), finished.next()), (100, Next::Done));
}

#[test]
fn an_empty_file_needs_no_get() {
    let download = learned(Urgency::Background, 0);

    assert_eq!(download.next(), Next::Done);
}

#[test]
fn head_must_give_the_size() {
    let table: [(Version, Lines<'_>, Hresult, bool); 6] = [
        (Version::HTTP_11, &[], Hresult::BG_E_MISSING_FILE_SIZE, false),
        (Version::HTTP_10, &[], Hresult::BG_E_INSUFFICIENT_HTTP_SUPPORT, false),
        (Version::HTTP_11, &[("transfer-encoding", "chunked")], Hresult::BG_E_MISSING_FILE_SIZE, false),
        (
            Version::HTTP_11,
            &[("transfer-encoding", "chunked"), ("content-length", "5")],
            Hresult::BG_E_INVALID_SERVER_RESPONSE,
            false,
        ),
        (
            Version::HTTP_11,
            &[("content-length", "5"), ("content-length", "6")],
            Hresult::ERROR_WINHTTP_INVALID_SERVER_RESPONSE,
            true,
        ),
        (
            Version::HTTP_11,
            &[("content-length", "18446744073709551616")],
            Hresult::ERROR_WINHTTP_INVALID_SERVER_RESPONSE,
            true,
        ),
    ];
    for (version, lines, code, transient) in table {
        let mut download = download_of(Urgency::Background, None, 0);
        let failure = judge_version(&mut download, version, 200, lines).unwrap_err();
        assert_eq!(failure, Failure { code, context: ErrorContext::REMOTE_FILE, transient }, "{lines:?}");
    }
}

#[test]
fn a_refused_head_shows_its_status_without_falling_back_to_get() {
    for status in [403, 404, 405, 501] {
        let mut download = download_of(Urgency::Foreground, None, 0);
        let failure = judge(&mut download, status, &[("content-length", "5")]).unwrap_err();
        assert_eq!(failure, status_failure(StatusCode::from_u16(status).unwrap()));
    }
}

#[test]
fn a_whole_file_must_have_the_length_that_head_told() {
    let table: [(u16, Lines<'_>, Judged); 7] = [
        (200, &[("content-length", "100")], Ok(Verdict::Body(100))),
        (200, &[("content-length", "100"), ("last-modified", STAMP)], Ok(Verdict::Body(100))),
        (200, &[("content-length", "99"), ("last-modified", STAMP)], Err(Hresult::BG_E_INVALID_SERVER_RESPONSE)),
        (200, &[("content-length", "99"), ("last-modified", LATER)], Ok(Verdict::StartOver)),
        (200, &[], Err(Hresult::BG_E_MISSING_FILE_SIZE)),
        (206, &[("content-length", "100")], Err(Hresult::BG_E_INVALID_SERVER_RESPONSE)),
        (503, &[("content-length", "100")], Err(Hresult::BG_E_HTTP_ERROR_503)),
    ];
    for (status, lines, expected) in table {
        let mut download = learned(Urgency::Foreground, 100);
        assert_eq!(judge(&mut download, status, lines).map_err(|f| f.code), expected, "{status} {lines:?}");
    }
}

#[test]
fn a_range_must_be_answered_by_just_that_range() {
    let length = ("content-length", "100");
    let table: [(u16, Lines<'_>, Judged); 12] = [
        (206, &[length, ("content-range", "bytes 0-99/100")], Ok(Verdict::Body(100))),
        (206, &[length, ("content-range", "bytes 0-99/*")], Ok(Verdict::Body(100))),
        (206, &[length], Err(Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT)),
        (206, &[("content-range", "bytes 0-99/100")], Err(Hresult::BG_E_MISSING_FILE_SIZE)),
        (206, &[length, ("content-range", "bytes 1-100/100")], Err(Hresult::BG_E_INVALID_SERVER_RESPONSE)),
        (206, &[length, ("content-range", "bytes 0-98/100")], Err(Hresult::BG_E_INVALID_SERVER_RESPONSE)),
        (206, &[length, ("content-range", "bytes */100")], Err(Hresult::BG_E_INVALID_SERVER_RESPONSE)),
        (206, &[length, ("content-range", "bytes 0-99/200")], Err(Hresult::BG_E_INVALID_SERVER_RESPONSE)),
        (
            206,
            &[("content-length", "99"), ("content-range", "bytes 0-99/100")],
            Err(Hresult::BG_E_INVALID_SERVER_RESPONSE),
        ),
        (200, &[length], Err(Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT)),
        (412, &[], Ok(Verdict::StartOver)),
        (416, &[("content-range", "bytes */100")], Err(Hresult::BG_E_HTTP_ERROR_416)),
    ];
    for (status, lines, expected) in table {
        let mut download = learned(Urgency::Background, 100);
        assert_eq!(judge(&mut download, status, lines).map_err(|f| f.code), expected, "{status} {lines:?}");
    }
}

#[test]
fn a_resumed_file_that_has_changed_starts_over() {
    let changed: [(u16, Lines<'_>); 4] = [
        (412, &[]),
        (416, &[("content-range", "bytes */30")]),
        (206, &[("content-length", "60"), ("content-range", "bytes 40-99/100"), ("last-modified", LATER)]),
        (206, &[("content-length", "160"), ("content-range", "bytes 40-199/200"), ("last-modified", STAMP)]),
    ];
    for (status, lines) in changed {
        let mut download = download_of(Urgency::Background, Some(file(100)), 40);
        assert_eq!(judge(&mut download, status, lines), Ok(Verdict::StartOver), "{status} {lines:?}");
        assert_eq!((download.have(), download.known(), download.next()), (0, None, Next::Ask(Ask::Size)));
    }
}

#[test]
fn a_file_that_never_stays_the_same_fails_for_a_while() {
    let mut download = download_of(Urgency::Background, Some(file(100)), 40);
    for _ in 0..Download::MAX_START_OVERS {
        assert_eq!(judge(&mut download, 412, &[]), Ok(Verdict::StartOver));
        let head = [("content-length", "100"), ("last-modified", STAMP)];
        assert_eq!(judge(&mut download, 200, &head), Ok(Verdict::Learned));
    }

    let failure = judge(&mut download, 412, &[]).unwrap_err();
    assert_eq!((failure.code, failure.transient), (Hresult::BG_E_REMOTE_FILE_CHANGED, true));
}

/// The choices with one of them another than usual.
fn deciding(id: &str, value: &str) -> Decisions {
    let mut decisions = Decisions::default();
    decisions.set(id, value).unwrap();
    decisions
}

/// A download that asks by GET where HEAD is refused, after HEAD was refused.
fn without_head(urgency: Urgency, status: u16) -> Download {
    let mut download = download_of(urgency, None, 0).by(&deciding("http.head_refused", "GET"));
    assert_eq!(judge(&mut download, status, &[("content-length", "5")]), Ok(Verdict::AskOtherwise));
    assert_eq!(download.next(), Next::Ask(Ask::FirstByte));
    download
}

#[test]
fn where_head_is_refused_the_size_may_be_learned_by_get_where_that_was_decided() {
    let first_of = |range: &'static str| [("content-range", range), ("content-length", "1"), ("last-modified", STAMP)];
    for status in [403, 405, 501] {
        let mut download = without_head(Urgency::Background, status);
        assert_eq!(judge(&mut download, 206, &first_of("bytes 0-0/100")), Ok(Verdict::Learned));
        assert_eq!((download.known(), download.next()), (Some(file(100)), range(0, 99)));
    }
    let mut whole = without_head(Urgency::Foreground, 403);
    assert_eq!(judge(&mut whole, 200, &[("content-length", "100")]), Ok(Verdict::Learned));
    assert_eq!(whole.next(), Next::Ask(Ask::Whole));
    let mut empty = without_head(Urgency::Background, 403);
    assert_eq!(judge(&mut empty, 416, &[("content-range", "bytes */0")]), Ok(Verdict::Learned));
    assert_eq!(empty.next(), Next::Done);
}

#[test]
fn what_a_get_of_the_first_byte_must_tell() {
    let table: [(u16, Lines<'_>, Hresult); 5] = [
        (403, &[], Hresult::BG_E_HTTP_ERROR_403),
        (206, &[("content-length", "1")], Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT),
        (206, &[("content-range", "bytes 0-0/*")], Hresult::BG_E_MISSING_FILE_SIZE),
        (206, &[("content-range", "bytes 1-1/5")], Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT),
        (416, &[("content-range", "bytes */5")], Hresult::BG_E_HTTP_ERROR_416),
    ];
    for (status, lines, code) in table {
        let failure = judge(&mut without_head(Urgency::Background, 403), status, lines).unwrap_err();
        assert_eq!((failure.code, failure.transient), (code, false), "{status} {lines:?}");
    }
}

#[test]
fn coded_content_is_kept_unless_that_was_decided_otherwise() {
    let refused = deciding("http.content_coding", "refused");
    let usual = Decisions::default();
    let head = [("content-length", "100"), ("content-encoding", "gzip")];

    assert_eq!(judge(&mut learned(Urgency::Foreground, 100).by(&usual), 200, &head), Ok(Verdict::Body(100)));
    let failure = judge(&mut learned(Urgency::Foreground, 100).by(&refused), 200, &head).unwrap_err();
    assert_eq!((failure.code, failure.transient), (Hresult::BG_E_INVALID_SERVER_RESPONSE, false));
    for decisions in [usual, refused] {
        assert_eq!(decisions.touched(), ["http.content_coding"]);
    }
}

#[test]
fn a_range_that_is_the_whole_file_may_be_answered_by_200_where_that_was_decided() {
    let accepted = deciding("http.open.200_for_range", "accepted");
    let head = [("content-length", "100"), ("last-modified", STAMP)];

    let mut whole = learned(Urgency::Background, 100).by(&accepted);
    assert_eq!(judge(&mut whole, 200, &head), Ok(Verdict::Body(100)));
    assert_eq!(accepted.touched(), ["http.open.200_for_range"]);

    let mut rest = download_of(Urgency::Background, Some(file(100)), 40).by(&accepted);
    assert_eq!(judge(&mut rest, 200, &head).unwrap_err().code, Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT);
}

#[test]
fn a_condition_that_no_longer_holds_may_be_an_error_where_that_was_decided() {
    let mut download =
        download_of(Urgency::Background, Some(file(100)), 40).by(&deciding("http.open.412", "BG_E_HTTP_ERROR_412"));

    let failure = judge(&mut download, 412, &[]).unwrap_err();

    assert_eq!((failure.code, failure.transient), (Hresult::BG_E_HTTP_ERROR_412, false));
}

#[test]
fn a_412_without_a_condition_is_an_error() {
    let mut download = learned(Urgency::Foreground, 100);

    assert_eq!(judge(&mut download, 412, &[]).unwrap_err().code, Hresult::BG_E_HTTP_ERROR_412);
}

#[test]
fn a_stamp_that_only_get_gives_is_learned() {
    let mut download = download_of(Urgency::Foreground, None, 0);
    assert_eq!(judge(&mut download, 200, &[("content-length", "100")]), Ok(Verdict::Learned));

    let lines = [("content-length", "100"), ("last-modified", STAMP)];
    assert_eq!(judge(&mut download, 200, &lines), Ok(Verdict::Body(100)));
    assert_eq!(download.known(), Some(file(100)));
}

#[test]
fn http_1_0_will_do_where_it_gives_what_bits_needs() {
    let length = ("content-length", "100");
    let table: [(Urgency, u16, Lines<'_>, Judged); 5] = [
        (Urgency::Foreground, 200, &[length], Ok(Verdict::Body(100))),
        (Urgency::Foreground, 200, &[], Err(Hresult::BG_E_INSUFFICIENT_HTTP_SUPPORT)),
        (Urgency::Background, 206, &[length, ("content-range", "bytes 0-99/100")], Ok(Verdict::Body(100))),
        (Urgency::Background, 206, &[length], Err(Hresult::BG_E_INSUFFICIENT_HTTP_SUPPORT)),
        (Urgency::Background, 200, &[length], Err(Hresult::BG_E_INSUFFICIENT_HTTP_SUPPORT)),
    ];
    for (urgency, status, lines, expected) in table {
        let mut download = learned(urgency, 100);
        let verdict = judge_version(&mut download, Version::HTTP_10, status, lines);
        assert_eq!(verdict.map_err(|f| f.code), expected, "{urgency:?} {status} {lines:?}");
    }
}

#[test]
fn two_gigabytes_at_a_time_the_end_is_reached() {
    let mut download = learned(Urgency::Foreground, 2 * RANGE_LIMIT + 1);
    let mut lengths = Vec::new();
    while let Next::Ask(Ask::Range { first, last, .. }) = download.next() {
        lengths.push(last - first + 1);
        download.received(last - first + 1);
    }

    assert_eq!(lengths, [RANGE_LIMIT, RANGE_LIMIT, 1]);
    assert_eq!(download.next(), Next::Done);
}

/// First and last byte of what is asked for next; nothing of what is not asked for by range.
fn asked_spans(download: &Download) -> Vec<(u64, u64)> {
    match download.next() {
        Next::Ask(Ask::Range { first, last, .. }) => vec![(first, last)],
        Next::Ask(Ask::Ranges { spans, .. }) => spans.iter().map(|span| (span.start, span.end - 1)).collect(),
        _ => vec![],
    }
}

#[test]
fn parts_are_asked_for_together_while_they_ascend() {
    let parts = [(24, 17), (111, 39), (83, 7), (90, 10), (200, 1)];
    let mut download = download_of_parts(&parts, Some(file(1000)), 0);

    assert_eq!(asked_spans(&download), [(24, 40), (111, 149)]);
    download.received(20);
    assert_eq!((asked_spans(&download), download.position()), (vec![(114, 149)], 20));
    download.received(36);
    assert_eq!(asked_spans(&download), [(83, 99), (200, 200)]);
    download.received(18);
    assert_eq!(download.next(), Next::Done);
}

#[test]
fn parts_of_a_request_have_two_gigabytes_in_all() {
    let download = download_of_parts(&[(0, 10), (100, RANGE_LIMIT), (u64::from(u32::MAX), 1)], Some(file(1 << 40)), 0);

    assert_eq!(asked_spans(&download), [(0, 9), (100, RANGE_LIMIT + 89)]);
}

#[test]
fn so_many_parts_are_asked_for_at_once_as_was_decided() {
    let parts: Vec<_> = (0..250).map(|n| (n * 2, 1)).collect();
    for (decisions, most) in [(Decisions::default(), 20), (deciding("http.ranges_per_request", "1"), 1)] {
        let download = download_of_parts(&parts, Some(file(1000)), 0).by(&decisions);

        assert_eq!(asked_spans(&download).len(), most);
        assert_eq!(decisions.touched(), ["http.ranges_per_request"]);
    }
}

#[test]
fn several_ranges_must_be_answered_by_several_parts_or_the_first_of_them() {
    let multipart = ("content-type", "multipart/byteranges; boundary=B");
    let length = ("content-length", "10");
    let invalid = Err(Hresult::BG_E_INVALID_SERVER_RESPONSE);
    let table: [(u16, Lines<'_>, Judged); 9] = [
        (206, &[multipart], Err(Hresult::BG_E_MISSING_FILE_SIZE)),
        (206, &[("content-type", "multipart/byteranges"), length], invalid.clone()),
        (206, &[("content-range", "bytes 0-9/1000"), length], Ok(Verdict::Body(10))),
        (206, &[("content-range", "bytes 0-99/1000"), ("content-length", "100")], invalid.clone()),
        (206, &[("content-range", "bytes 50-59/1000"), length], invalid),
        (206, &[length], Err(Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT)),
        (200, &[("content-length", "1000")], Err(Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT)),
        (412, &[], Ok(Verdict::StartOver)),
        (206, &[multipart, length, ("last-modified", LATER)], Ok(Verdict::StartOver)),
    ];
    for (status, lines, expected) in table {
        let mut download = download_of_parts(&[(0, 10), (50, 10)], Some(file(1000)), 0);
        let judged = judge(&mut download, status, lines).map_err(|failure| failure.code);
        assert_eq!(judged, expected, "{status} {lines:?}");
    }
    let mut download = download_of_parts(&[(0, 10), (50, 10)], Some(file(1000)), 0);
    assert!(matches!(judge(&mut download, 206, &[multipart, length]), Ok(Verdict::Parts(_))));
}

fn any_headers() -> impl Strategy<Value = HeaderMap> {
    let name = prop_oneof![
        Just("content-length"),
        Just("content-range"),
        Just("last-modified"),
        Just("transfer-encoding"),
        Just("location"),
        Just("content-type"),
    ];
    let value = prop_oneof![
        any::<u64>().prop_map(|n| n.to_string()),
        Just("100".to_owned()),
        Just("bytes 0-99/100".to_owned()),
        Just("bytes */7".to_owned()),
        (any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(a, b, c)| format!("bytes {a}-{b}/{c}")),
        Just(STAMP.to_owned()),
        Just("chunked".to_owned()),
        Just("multipart/byteranges; boundary=B".to_owned()),
        "[ -~]{0,20}",
    ];
    proptest::collection::vec((name, value), 0..6).prop_map(|lines| {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
        }
        map
    })
}

proptest! {
    /// Whatever a server answers: no panic, no body that does not fit the file, and an end.
    #[test]
    fn any_course_of_answers_is_judged(
        background: bool,
        without_head: bool,
        known in proptest::option::of((any::<u64>(), proptest::option::of(any::<u64>()))),
        held: u64,
        parts in proptest::collection::vec((0_u64..200, 1_u64..50), 0..4),
        answers in proptest::collection::vec((prop_oneof![Just(200_u16), Just(206), Just(403), Just(412), Just(416), 100..=999_u16], any_headers(), any::<bool>()), 1..12),
    ) {
        let urgency = if background { Urgency::Background } else { Urgency::Foreground };
        let known = known.map(|(size, stamp)| Validators { size, last_modified: stamp.map(FileTime) });
        let mut download = if parts.is_empty() {
            download_of(urgency, known, held)
        } else {
            download_of_parts(&parts, known, held)
        };
        download = download.by(&if without_head { deciding("http.head_refused", "GET") } else { Decisions::default() });
        for (status, headers, old) in answers {
            let Next::Ask(ask) = download.next() else { break };
            let version = if old { Version::HTTP_10 } else { Version::HTTP_11 };
            let status = StatusCode::from_u16(status).unwrap();
            match download.judge(&ask, &Answer { version, status, headers: &headers }) {
                Ok(Verdict::Body(length)) => {
                    prop_assert!(length > 0);
                    prop_assert!(download.have() + length <= download.known().unwrap().size);
                    download.received(length);
                }
                Ok(Verdict::Parts(_)) => {
                    prop_assert!(matches!(ask, Ask::Ranges { .. }), "nobody asked for parts");
                    download.received(1);
                }
                Ok(Verdict::StartOver) => prop_assert_eq!(download.have(), 0),
                Ok(Verdict::Learned) => prop_assert!(download.known().is_some()),
                Ok(Verdict::AskOtherwise) => prop_assert!(ask == Ask::Size && without_head),
                Ok(Verdict::Unbounded(_)) => prop_assert!(false, "only dynamic content has no length"),
                Err(failure) => prop_assert!(failure.code.is_failure()),
            }
        }
    }
}

#[path = "assembled_tests.rs"]
mod assembled;
