//! Heads of answers, one after the other, as a download judges them.

use std::path::PathBuf;

use bits_wire::attempt::AttemptPlan;
use bits_wire::download::{Answer, Ask, Download, Next, RANGE_LIMIT, Verdict};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};

use super::{first_line, plan};

/// The letters of a plan in the first line; then heads, an empty line between them: the status, and
/// a header a line. Each answer that is accepted comes whole.
///
/// # Panics
/// When more of a file is taken than there is or was asked for, or a request asks for what is not
/// there.
pub fn answers(data: &[u8]) {
    let (letters, mut rest) = first_line(data);
    let plan = plan(letters, "http://host/file", PathBuf::new());
    let mut download = Download::new(&plan, if letters.contains(&b'h') { 30 } else { 0 });
    while !rest.is_empty() {
        let Next::Ask(ask) = download.next() else { return };
        assert_can_be_asked(&ask, &download);
        let Some((status, version, headers)) = head(&mut rest) else { return };
        match download.judge(&ask, &Answer { version, status, headers: &headers }) {
            Err(failure) => {
                assert!(failure.code.is_failure());
                return;
            }
            Ok(Verdict::Body(length)) => {
                assert_fits(&plan, &download, length);
                download.received(length);
            }
            Ok(Verdict::Unbounded(limit)) => {
                assert_eq!(limit, plan.fetch.most);
                download.received(7);
                download.ended();
            }
            Ok(Verdict::Parts(_)) => {
                assert!(matches!(ask, Ask::Ranges { .. }));
                if download.has_other_size().is_err() {
                    return;
                }
            }
            Ok(_) => {}
        }
    }
}

fn assert_can_be_asked(ask: &Ask, download: &Download) {
    let size = download.known().map(|known| known.size);
    match ask {
        Ask::Range { first, last, .. } => {
            assert!(first <= last && size.is_some_and(|size| *last < size), "{first}-{last} of {size:?}");
            assert!(last - first < RANGE_LIMIT);
        }
        Ask::Ranges { spans, .. } => {
            assert!(spans.len() > 1 && spans.windows(2).all(|pair| pair[0].end < pair[1].start), "{spans:?}");
            assert!(spans.iter().all(|span| span.length() > 0));
            assert!(
                spans.last().is_some_and(|last| size.is_some_and(|size| last.end <= size)),
                "{spans:?} of {size:?}"
            );
        }
        _ => {}
    }
}

fn assert_fits(plan: &AttemptPlan, download: &Download, length: u64) {
    let known = download.known().expect("a file of which something comes is known");
    let total = plan.fetch.layout.total(known.size).expect("its parts are there");
    let have = download.have();
    assert!(have.checked_add(length).is_some_and(|then| then <= total), "{have} and {length} of {total}");
    assert!(plan.fetch.most.is_none_or(|most| total <= most));
    assert!(i64::try_from(known.size).is_ok());
}

/// The next head: status, version, headers.
fn head(rest: &mut &[u8]) -> Option<(StatusCode, Version, HeaderMap)> {
    let (line, mut after) = first_line(rest);
    let version = if line.ends_with(b"!") { Version::HTTP_10 } else { Version::HTTP_11 };
    let status = StatusCode::from_bytes(line.get(..3)?).ok()?;
    let mut headers = HeaderMap::new();
    while !after.is_empty() {
        let (line, next) = first_line(after);
        after = next;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        headers.append(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?);
    }
    *rest = after;
    Some((status, version, headers))
}
