//! Bodies of several parts.

use bits_wire::download::{Found, Multipart};

use super::first_line;

/// What stands in a body, its data put together.
#[derive(Debug, PartialEq)]
enum Event {
    Part((u64, u64), Option<u64>),
    Data(Vec<u8>),
    End,
    Malformed,
}

/// The Content-Type in the first line; then the body.
///
/// # Panics
/// When the same body is something else where it comes in other pieces, or data comes that was not
/// announced.
pub fn multipart(data: &[u8]) {
    let (content_type, body) = first_line(data);
    let Ok(content_type) = std::str::from_utf8(content_type) else { return };
    let Some(reader) = Multipart::of_type(content_type) else { return };
    let whole = read(reader.clone(), body.len().max(1), body);
    for size in [1, 2, 7] {
        assert_eq!(read(reader.clone(), size, body), whole, "in pieces of {size}");
    }
    let mut announced = 0;
    let mut sent = 0;
    for event in &whole {
        match event {
            Event::Part((first, last), size) => {
                assert!(first <= last);
                assert_eq!(sent, announced, "a part that begins before the last one is over");
                assert!(size.is_none_or(|size| i64::try_from(size).is_ok()));
                (announced, sent) = ((last - first).saturating_add(1), 0);
            }
            Event::Data(data) => {
                sent += data.len() as u64;
                assert!(sent <= announced);
            }
            Event::End | Event::Malformed => {}
        }
    }
}

/// Reads a body that comes in pieces of `size` bytes.
fn read(mut reader: Multipart, size: usize, body: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    for mut piece in body.chunks(size) {
        loop {
            match reader.next(&mut piece) {
                Err(_) => {
                    events.push(Event::Malformed);
                    return events;
                }
                Ok(None) => break,
                Ok(Some(Found::Data(data))) => {
                    assert!(!data.is_empty());
                    match events.last_mut() {
                        Some(Event::Data(before)) => before.extend_from_slice(data),
                        _ => events.push(Event::Data(data.to_vec())),
                    }
                }
                Ok(Some(Found::Part { bytes, size })) => events.push(Event::Part(bytes, size)),
                Ok(Some(Found::End)) => events.push(Event::End),
            }
        }
    }
    events
}
