//! Files put together from parts over connections that break at any byte.

use std::collections::BTreeMap;
use std::ops::Range;

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE};
use proptest::prelude::*;

use super::*;
use crate::download::Arrival;
use crate::spans::Spans;

/// The file that is served.
const SIZE: u64 = 400;

fn byte(at: u64) -> u8 {
    u8::try_from(at * 31 % 251).unwrap()
}

fn bytes(range: Range<u64>) -> Vec<u8> {
    range.map(byte).collect()
}

/// Status, headers and body of a good server's answer.
fn served(ask: &Ask) -> (u16, HeaderMap, Vec<u8>) {
    let range = |first: u64, last: u64| format!("bytes {first}-{last}/{SIZE}");
    let (status, kind, body) = match ask {
        Ask::Size => (200, None, Vec::new()),
        Ask::Whole | Ask::FirstByte => (200, None, bytes(0..SIZE)),
        Ask::Range { first, last, .. } => (206, Some((CONTENT_RANGE, range(*first, *last))), bytes(*first..last + 1)),
        Ask::Ranges { spans, .. } => {
            let mut body = Vec::new();
            for Span { start, end } in spans {
                body.extend(format!("\r\n--B\r\nContent-Range: {}\r\n\r\n", range(*start, end - 1)).into_bytes());
                body.extend(bytes(*start..*end));
            }
            body.extend(b"\r\n--B--\r\n");
            (206, Some((CONTENT_TYPE, "multipart/byteranges; boundary=B".to_owned())), body)
        }
    };
    let length = if *ask == Ask::Size { SIZE } else { body.len() as u64 };
    let mut headers = headers(&[("last-modified", STAMP)]);
    headers.insert(CONTENT_LENGTH, length.into());
    if let Some((name, value)) = kind {
        headers.insert(name, HeaderValue::try_from(value).unwrap());
    }
    (status, headers, body)
}

/// What is there of a file, and what was fetched of it.
#[derive(Default)]
struct Local {
    bytes: BTreeMap<u64, u8>,
    /// Along the pieces.
    have: u64,
    place: u64,
}

impl Local {
    fn take(&mut self, data: &[u8]) {
        for byte in data {
            assert_eq!(self.bytes.insert(self.place, *byte), None, "byte {} was fetched twice", self.place);
            self.place += 1;
            self.have += 1;
        }
    }
}

/// Carries an attempt on until so many bytes of bodies have come; returns whether that was all.
fn attempt(mut download: Download, local: &mut Local, mut allowed: usize, piece: usize) -> bool {
    while let Next::Ask(ask) = download.next() {
        let (status, headers, body) = served(&ask);
        let status = StatusCode::from_u16(status).unwrap();
        let verdict = download.judge(&ask, &Answer { version: Version::HTTP_11, status, headers: &headers }).unwrap();
        let come = &body[..body.len().min(allowed)];
        allowed -= come.len();
        local.place = download.position();
        match verdict {
            Verdict::Learned => {}
            Verdict::Body(length) => {
                assert_eq!(length, body.len() as u64);
                local.take(come);
                download.received(come.len() as u64);
            }
            Verdict::Parts(mut parts) => {
                let before = local.have;
                for mut input in come.chunks(piece) {
                    while let Some(arrival) = parts.next(&mut input).unwrap() {
                        match arrival {
                            Arrival::Place(place) => local.place = place,
                            Arrival::Data(data) => local.take(data),
                            Arrival::OtherSize => panic!("the size never changes"),
                            Arrival::End => break,
                        }
                    }
                }
                download.received(local.have - before);
            }
            verdict => panic!("a good server gets {verdict:?} for {ask:?}"),
        }
        if come.len() < body.len() {
            return false;
        }
    }
    true
}

/// Fetches over connections that break when so many bytes of bodies have come, and then over a good
/// one; `layout` tells what to fetch when that is there.
fn fetched(cuts: &[usize], piece: usize, ranges_a_request: &str, layout: impl Fn(&Local) -> Layout) -> Local {
    let mut local = Local::default();
    let decisions = deciding("http.ranges_per_request", ranges_a_request);
    let mut plan = plan(Urgency::Background, None);
    for allowed in cuts.iter().copied().chain([usize::MAX]) {
        plan.fetch.layout = layout(&local);
        let held = if plan.fetch.layout.is_sequential() { local.have } else { 0 };
        let is_all = attempt(Download::new(&plan, held).by(&decisions), &mut local, allowed, piece);
        plan.known = Some(file(SIZE));
        if is_all {
            return local;
        }
    }
    panic!("the last connection does not break");
}

/// Ranges of the file that neither touch nor overlap, in any order.
fn apart() -> impl Strategy<Value = Vec<FileRange>> {
    prop::collection::vec((0_u64..5, 1_u64..30), 1..12)
        .prop_map(|steps| {
            let mut end = 0;
            let next = |(gap, length): (u64, u64)| {
                let initial_offset = end + gap;
                end = initial_offset + length;
                FileRange { initial_offset, length }
            };
            steps.into_iter().map(next).collect::<Vec<_>>()
        })
        .prop_shuffle()
}

fn all_of(ranges: &[FileRange]) -> Vec<u8> {
    ranges.iter().flat_map(|range| bytes(range.initial_offset..range.initial_offset + range.length)).collect()
}

proptest! {
    #[test]
    fn parts_are_put_together_in_their_order_and_no_byte_comes_twice(
        ranges in apart(),
        cuts in prop::collection::vec(0_usize..300, 0..8),
        piece in 1_usize..60,
        ranges_a_request in 1_u32..5,
    ) {
        let local = fetched(&cuts, piece, &ranges_a_request.to_string(), |_| Layout::Parts(ranges.clone()));

        let expected = all_of(&ranges);
        prop_assert!(local.bytes.keys().copied().eq(0..expected.len() as u64));
        prop_assert_eq!(local.bytes.into_values().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_was_asked_for_is_put_to_its_place_and_no_byte_comes_twice(
        wanted in apart(),
        cuts in prop::collection::vec(0_usize..300, 0..8),
        piece in 1_usize..60,
        ranges_a_request in 1_u32..5,
        rest_from in prop::option::of(0..SIZE),
    ) {
        let layout = |local: &Local| Layout::Scattered {
            held: local.bytes.keys().map(|at| Span::new(*at, at + 1)).collect::<Spans>(),
            wanted: wanted.clone(),
            rest_from,
        };
        let local = fetched(&cuts, piece, &ranges_a_request.to_string(), layout);

        prop_assert!(local.bytes.iter().all(|(at, found)| *found == byte(*at)));
        let expected: Spans = match rest_from {
            Some(_) => [Span::new(0, SIZE)].into_iter().collect(),
            None => wanted.iter().filter_map(|range| Span::of(*range, SIZE)).collect(),
        };
        let there: Spans = local.bytes.keys().map(|at| Span::new(*at, at + 1)).collect();
        prop_assert_eq!(there, expected);
    }
}
