//! Parts of a remote file, and files that are written where they will stay.

use std::fs;

use bits_api::{FileRange, FileTime, Hresult, LENGTH_TO_EOF, SIZE_UNKNOWN};
use bits_wire::attempt::{AttemptEnd, AttemptPlan, AttemptReport, Begin, Fetch, Urgency, Validators};
use bits_wire::layout::Layout;
use bits_wire::spans::{Span, Spans};

use crate::support::{Mill, Server, content, line, multipart};

const KNOWN: Validators = Validators { size: 1000, last_modified: Some(FileTime::from_unix_seconds(784_111_777)) };

fn ranges(ranges: &[(u64, u64)]) -> Vec<FileRange> {
    ranges
        .iter()
        .map(|(initial_offset, length)| FileRange { initial_offset: *initial_offset, length: *length })
        .collect()
}

fn fetching(fetch: Fetch, plan: AttemptPlan) -> AttemptPlan {
    AttemptPlan { fetch, urgency: Urgency::Background, ..plan }
}

fn asked_ranges(server: &Server) -> Vec<String> {
    server.requests().iter().filter_map(|request| line(request, "Range").map(str::to_owned)).collect()
}

fn scattered(held: &[(u64, u64)], wanted: &[(u64, u64)], rest_from: Option<u64>) -> Fetch {
    let held: Spans = held.iter().map(|(start, end)| Span::new(*start, *end)).collect();
    let begin = if held.is_empty() { Begin::Anew } else { Begin::GoOn };
    Fetch { layout: Layout::Scattered { held, wanted: ranges(wanted), rest_from }, begin, ..Fetch::default() }
}

#[test]
fn parts_are_written_one_behind_the_other() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    let layout = Layout::Parts(ranges(&[(100, 50), (900, LENGTH_TO_EOF), (20, 10)]));

    let outcome = mill.run(fetching(Fetch { layout, ..Fetch::default() }, mill.plan(&server.url("/a"))));

    let all = content(1000);
    assert_eq!(outcome.end, AttemptEnd::Done);
    assert_eq!(outcome.bytes.unwrap(), [&all[100..150], &all[900..], &all[20..30]].concat());
    assert_eq!(asked_ranges(&server), ["bytes=100-149,900-999", "bytes=20-29"]);
}

#[test]
fn parts_go_on_in_the_middle_of_one() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    let all = content(1000);
    let layout = Layout::Parts(ranges(&[(100, 50), (900, 100)]));
    let plan = mill.resume(&server.url("/a"), &[&all[100..150], &all[900..930]].concat(), KNOWN);

    let outcome = mill.run(fetching(Fetch { layout, ..Fetch::default() }, plan));

    assert_eq!(outcome.bytes.unwrap(), [&all[100..150], &all[900..]].concat());
    assert_eq!(asked_ranges(&server), ["bytes=930-999"]);
}

/// The answer to a range, with this Content-Type and body; HEAD is answered well.
fn answering(kind: &'static str, body: Vec<u8>) -> Server {
    Server::start(move |mut peer| {
        let file = content(1000);
        while let Some(request) = peer.request() {
            if request.starts_with("HEAD") {
                peer.answer(&request, &file);
                continue;
            }
            let length = body.len();
            let head =
                format!("HTTP/1.1 206 Partial Content\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
            peer.send([head.as_bytes(), &body].concat());
        }
    })
}

pub(crate) fn parts_of_a_new_file(mill: &Mill, server: &Server) -> AttemptPlan {
    let layout = Layout::Parts(ranges(&[(100, 50), (900, 100)]));
    fetching(Fetch { layout, ..Fetch::default() }, mill.plan(&server.url("/a")))
}

const MULTIPART: &str = "multipart/byteranges; boundary=B";

#[test]
fn parts_other_than_those_asked_for_are_no_answer() {
    let file = content(1000);
    let good = multipart(&file, &[(100, 149), (900, 999)]);
    let cut = good.len() - "--B--\r\n".len();
    let table = [
        ("text/plain", good.clone(), Hresult::BG_E_INSUFFICIENT_RANGE_SUPPORT),
        ("multipart/byteranges", good.clone(), Hresult::BG_E_INVALID_SERVER_RESPONSE),
        (MULTIPART, good[..cut].to_vec(), Hresult::BG_E_INVALID_SERVER_RESPONSE),
        (MULTIPART, multipart(&file, &[(100, 149)]), Hresult::BG_E_INVALID_SERVER_RESPONSE),
        (MULTIPART, multipart(&file, &[(900, 999), (100, 149)]), Hresult::BG_E_INVALID_SERVER_RESPONSE),
        (MULTIPART, multipart(&file, &[(100, 999)]), Hresult::BG_E_INVALID_SERVER_RESPONSE),
        (MULTIPART, multipart(&file[..999], &[(100, 149), (900, 998)]), Hresult::BG_E_INVALID_SERVER_RESPONSE),
    ];
    for (kind, body, code) in table {
        let (server, mill) = (answering(kind, body), Mill::new());

        let outcome = mill.run(parts_of_a_new_file(&mill, &server));

        assert_eq!((outcome.code(), outcome.failure().transient), (code, false), "{kind}");
    }
}

#[test]
fn parts_that_came_before_a_break_stay() {
    let file = content(1000);
    let broken = Server::start(move |mut peer| {
        let file = content(1000);
        let head = peer.request().unwrap();
        peer.answer(&head, &file);
        let body = multipart(&file, &[(100, 149), (900, 999)]);
        let length = body.len();
        peer.request();
        peer.send(format!(
            "HTTP/1.1 206 Partial Content\r\nContent-Type: {MULTIPART}\r\nContent-Length: {length}\r\n\r\n"
        ));
        peer.send(&body[..length - 70]);
    });
    let mill = Mill::new();

    let outcome = mill.run(parts_of_a_new_file(&mill, &broken));

    assert_eq!((outcome.code(), outcome.failure().transient), (Hresult::ERROR_WINHTTP_CONNECTION_ERROR, true));
    assert_eq!(outcome.progress().last(), Some(&89));
    assert_eq!(outcome.bytes.unwrap(), [&file[100..150], &file[900..939]].concat());
}

/// Two parts of which the second is ten bytes shorter than it says.
fn short_second_part(first: (usize, usize), second: (usize, usize)) -> Vec<u8> {
    let mut body = multipart(&content(1000), &[first, second]);
    let end = body.len() - "\r\n--B--\r\n".len();
    body.drain(end - 10..end);
    body
}

#[test]
fn a_part_that_is_not_what_it_said_is_taken_back() {
    let (server, mill) = (answering(MULTIPART, short_second_part((100, 149), (900, 999))), Mill::new());

    let outcome = mill.run(parts_of_a_new_file(&mill, &server));

    assert_eq!(outcome.code(), Hresult::BG_E_INVALID_SERVER_RESPONSE);
    assert_eq!(outcome.connections(), [(KNOWN, 0), (KNOWN, 50)]);
    assert_eq!(outcome.bytes.unwrap(), content(1000)[100..150]);
}

#[test]
fn a_scattered_part_that_is_not_what_it_said_leaves_nothing_behind() {
    let (server, mill) = (answering(MULTIPART, short_second_part((50, 99), (600, 699))), Mill::new());
    let plan = fetching(scattered(&[], &[(50, 50), (600, 100)], None), mill.plan(&server.url("/a")));

    assert_eq!(mill.run(plan).end, AttemptEnd::Changed);
}

#[test]
fn a_part_of_another_size_than_was_known_starts_the_parts_over() {
    let old = Validators { size: 2000, last_modified: KNOWN.last_modified };
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    let plan = AttemptPlan { known: Some(old), ..parts_of_a_new_file(&mill, &server) };

    let outcome = mill.run(plan);

    assert_eq!((outcome.end, outcome.bytes.unwrap().len()), (AttemptEnd::Done, 150));
    assert_eq!(server.asked(), ["GET /a", "HEAD /a", "GET /a"]);
}

/// Several servers behind one name: one of them has another version of the file, and is met once.
#[test]
fn a_file_that_seemed_to_have_changed_is_counted_from_its_beginning() {
    let server = Server::start(|mut peer| {
        let (file, mut asked) = (content(1000), 0);
        while let Some(request) = peer.request() {
            asked += u32::from(request.starts_with("GET"));
            if (asked, request.starts_with("GET")) == (2, true) {
                peer.send("HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n");
            } else {
                peer.answer(&request, &file);
            }
        }
    });
    let (mill, all) = (Mill::new(), content(1000));
    let layout = Layout::Parts(ranges(&[(100, 50), (900, 100), (20, 10)]));

    let outcome = mill.run(fetching(Fetch { layout, ..Fetch::default() }, mill.plan(&server.url("/a"))));

    assert_eq!(outcome.connections(), [(KNOWN, 0), (KNOWN, 0)]);
    assert_eq!((&outcome.end, outcome.progress().last()), (&AttemptEnd::Done, Some(&160)));
    assert_eq!(outcome.bytes.unwrap(), [&all[100..150], &all[900..], &all[20..30]].concat());
}

#[test]
fn a_part_of_another_size_leaves_scattered_parts_behind() {
    let old = Validators { size: 2000, last_modified: KNOWN.last_modified };
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    let plan = mill.resume(&server.url("/a"), &content(1000)[..100], old);

    let outcome = mill.run(fetching(scattered(&[(0, 100)], &[(200, 10), (300, 10)], None), plan));

    assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Changed, Some(content(1000)[..100].to_vec())));
}

#[test]
fn a_part_that_the_file_has_not_is_an_invalid_range() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    let layout = Layout::Parts(ranges(&[(990, 11)]));

    let outcome = mill.run(fetching(Fetch { layout, ..Fetch::default() }, mill.plan(&server.url("/a"))));

    assert_eq!((outcome.failure().code, outcome.failure().transient), (Hresult::BG_E_INVALID_RANGE, false));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn scattered_parts_go_to_their_own_places_and_what_is_there_stays() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    let all = content(1000);

    let first = mill.run(fetching(scattered(&[], &[(600, 100), (50, 50)], None), mill.plan(&server.url("/a"))));

    assert_eq!((&first.end, first.connections()), (&AttemptEnd::Done, vec![(KNOWN, 0)]));
    assert_eq!(
        first.bytes.as_ref().map(|bytes| (bytes[600..] == all[600..700], bytes[50..100] == all[50..100])),
        Some((true, true))
    );
    let plan = AttemptPlan { known: Some(KNOWN), ..mill.plan(&server.url("/a")) };
    let second = mill.run(fetching(scattered(&[(50, 100), (600, 700)], &[(590, 20)], Some(0)), plan));
    assert_eq!((second.end, second.bytes), (AttemptEnd::Done, Some(all)));
    let expected = ["bytes=600-699", "bytes=50-99", "bytes=590-599", "bytes=0-49,100-589,700-999"];
    assert_eq!(asked_ranges(&server), expected);
}

#[test]
fn scattered_parts_of_a_file_that_has_changed_or_was_cut_off_are_not_gone_on_with() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    let old = Validators { last_modified: Some(FileTime::from_unix_seconds(1_000)), ..KNOWN };
    for (known, there) in [(old, 100), (KNOWN, 99)] {
        let plan = mill.resume(&server.url("/a"), &content(1000)[..there], known);

        let outcome = mill.run(fetching(scattered(&[(0, 100)], &[], Some(0)), plan));

        assert_eq!(outcome.reports, [AttemptReport::Ended(AttemptEnd::Changed)]);
    }
}

#[test]
fn a_file_above_the_limit_is_refused_before_its_first_byte() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());

    let outcome = mill.run(fetching(Fetch { most: Some(999), ..Fetch::default() }, mill.plan(&server.url("/a"))));

    assert_eq!(outcome.failure().code, Hresult::BG_E_MAX_DOWNLOAD_SIZE_LIMIT_REACHED);
    assert_eq!((server.asked(), outcome.bytes), (vec!["HEAD /a".to_owned()], None));
}

#[test]
fn a_direct_file_replaces_what_was_there_and_needs_no_record_of_it() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    fs::write(mill.temporary(), content(2000)).unwrap();

    let outcome = mill.run(fetching(Fetch { direct: true, ..Fetch::default() }, mill.plan(&server.url("/a"))));

    assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Done, Some(content(1000))));
}

#[test]
fn a_file_that_is_thrown_away_is_fetched_from_its_beginning() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    let plan = mill.resume(&server.url("/a"), &[7; 1000], KNOWN);

    let outcome = mill.run(fetching(Fetch { begin: Begin::Anew, ..Fetch::default() }, plan));

    assert_eq!(outcome.connections(), [(KNOWN, 0)]);
    assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Done, Some(content(1000))));
}

#[test]
fn dynamic_content_is_asked_for_as_a_whole_and_always_from_its_beginning() {
    let (server, mill) = (Server::of(content(1000)), Mill::new());
    let plan = mill.resume(&server.url("/a"), &[7; 400], KNOWN);

    let outcome = mill.run(fetching(Fetch { dynamic: true, ..Fetch::default() }, plan));

    assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Done, Some(content(1000))));
    assert_eq!((server.asked(), asked_ranges(&server)), (vec!["GET /a".to_owned()], vec![]));
}

#[test]
fn dynamic_content_that_is_fetched_again_has_a_size_again() {
    let server = Server::start(|mut peer| {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    });
    let (mill, known) = (Mill::new(), Validators { size: 3, last_modified: None });
    let plan = mill.resume(&server.url("/a"), b"old", known);

    let outcome = mill.run(fetching(Fetch { dynamic: true, begin: Begin::Anew, ..Fetch::default() }, plan));

    let unknown = Validators { size: SIZE_UNKNOWN, last_modified: None };
    assert_eq!(outcome.connections(), [(unknown, 0), (known, 3)]);
    assert_eq!((outcome.end, outcome.bytes), (AttemptEnd::Done, Some(b"abc".to_vec())));
}
