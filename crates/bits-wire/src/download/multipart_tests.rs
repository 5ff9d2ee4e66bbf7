//! Bodies of several parts, whole, in pieces and broken.

use proptest::prelude::*;

use super::*;

const TYPE: &str = "multipart/byteranges; boundary=B";

/// What a reader finds in a body that comes in pieces of so many bytes; data as it lies together.
fn read(body: &[u8], piece: usize) -> Result<Vec<String>, Malformed> {
    let mut reader = Multipart::of_type(TYPE).unwrap();
    let mut found: Vec<String> = Vec::new();
    let mut data = String::new();
    for mut input in body.chunks(piece) {
        while let Some(next) = reader.next(&mut input)? {
            let name = match next {
                Found::Data(bytes) => {
                    data += &String::from_utf8_lossy(bytes);
                    continue;
                }
                Found::Part { bytes: (first, last), size } => format!("{first}-{last} of {size:?}"),
                Found::End => "end".to_owned(),
            };
            found.extend((!data.is_empty()).then(|| std::mem::take(&mut data)));
            found.push(name);
        }
    }
    found.extend((!data.is_empty()).then_some(data));
    Ok(found)
}

/// A body of two parts, the second with these headers beside its range.
fn body(lead: &str, headers: &str) -> String {
    format!(
        "{lead}--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-2/9\r\n\r\nabc\r\n\
         --B\r\n{headers}Content-Range: bytes 5-6/9\r\n\r\nfg\r\n--B--"
    )
}

fn parts() -> Vec<String> {
    ["0-2 of Some(9)", "abc", "5-6 of Some(9)", "fg", "end"].map(str::to_owned).to_vec()
}

#[test]
fn a_body_is_read_the_same_however_it_comes() {
    let text = body("\r\n", "");
    for piece in 1..=text.len() {
        assert_eq!(read(text.as_bytes(), piece), Ok(parts()), "{piece}");
    }
}

/// Two parts as nginx 1.22, Apache 2.4 and Caddy 2 write them.
#[test]
fn bodies_of_the_servers_that_people_use_are_read() {
    let nginx = "\r\n--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-2/9\r\n\r\nabc\r\n\
                 --B\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-6/9\r\n\r\nfg\r\n--B--\r\n";
    let apache = "\r\n--B\r\nContent-range: bytes 0-2/9\r\n\r\nabc\r\n\
                  --B\r\nContent-range: bytes 5-6/9\r\n\r\nfg\r\n--B--\r\n";
    let caddy = "--B\r\nContent-Range: bytes 0-2/9\r\nContent-Type: \r\n\r\nabc\r\n\
                 --B\r\nContent-Range: bytes 5-6/9\r\nContent-Type: \r\n\r\nfg\r\n--B--\r\n";
    for text in [nginx, apache, caddy] {
        assert_eq!(read(text.as_bytes(), 11), Ok(parts()), "{text:?}");
    }
}

#[test]
fn what_follows_the_last_boundary_is_not_looked_at() {
    assert_eq!(read((body("", "") + "\r\nanything\n--B\r\n").as_bytes(), 7), Ok(parts()));
}

#[test]
fn two_empty_lines_may_come_first_and_no_more() {
    for lead in ["", "\r\n", "\r\n\r\n"] {
        assert_eq!(read(body(lead, "").as_bytes(), 5), Ok(parts()), "{lead:?}");
    }
    for lead in ["\r\n\r\n\r\n", "preamble\r\n", "\n", " \r\n"] {
        assert_eq!(read(body(lead, "").as_bytes(), 5), Err(Malformed), "{lead:?}");
    }
}

#[test]
fn other_headers_of_a_part_have_180_bytes_and_its_type_and_range_more() {
    let other = |length: usize| format!("X: {}\r\n", "x".repeat(length - "X: \r\n".len()));
    for good in [other(180), other(90) + &other(90), format!("Content-Type: {}\r\n", "t".repeat(900))] {
        assert_eq!(read(body("", &good).as_bytes(), 64), Ok(parts()), "{good}");
    }
    for bad in [other(181), other(90) + &other(91)] {
        assert_eq!(read(body("", &bad).as_bytes(), 64), Err(Malformed), "{bad}");
    }
}

#[test]
fn what_is_no_body_of_parts_is_refused() {
    let table = [
        "--C\r\n".to_owned(),
        "--B".to_owned() + "B\r\n",
        "--B\r\n\r\nabc".to_owned(),
        "--B\r\nno header\r\n".to_owned(),
        "--B\r\nContent-Range: bytes */9\r\n\r\n".to_owned(),
        "--B\r\nContent-Range: bytes 5-2/9\r\n\r\n".to_owned(),
        "--B\r\nContent-Range: lines 0-1/9\r\n\r\n".to_owned(),
        "--B\r\nContent-Range: bytes 0-1/9\nX: y\r\n".to_owned(),
        "--B\r\nContent-Range: bytes 0-1/9\r\nContent-Range: bytes 0-1/9\r\n\r\nab".to_owned(),
        "--B\r\nContent-Type: a\r\nContent-Type: a\r\n".to_owned(),
        format!("--B\r\nContent-Type: {}", "t".repeat(MOST_LINE)),
        body("", "").replace("abc\r\n", "abcd\r\n"),
        body("", "").replace("abc\r\n", "abc"),
        body("", "").replace("abc\r\n", "ab\r\n"),
        body("", "").replace("abc\r\n", "abc\r\n\r\n"),
    ];
    for text in table {
        assert_eq!(read(text.as_bytes(), 3), Err(Malformed), "{text:?}");
    }
}

#[test]
fn spaces_may_follow_a_boundary_and_none_may_be_missing() {
    assert_eq!(read(body("", "").replace("--B\r\n", "--B \t\r\n").as_bytes(), 4), Ok(parts()));
    assert_eq!(read(b"--B--", 2), Ok(vec!["end".to_owned()]));
}

#[test]
fn a_boundary_is_found_in_its_type() {
    let long = "b".repeat(70);
    let table = [
        ("multipart/byteranges; boundary=B", Some("B")),
        ("Multipart/ByteRanges;charset=x;BOUNDARY=\"a b:c\"", Some("a b:c")),
        ("multipart/byteranges; boundary=[lka9uw3et5vx=]", Some("[lka9uw3et5vx=]")),
        (&format!("multipart/byteranges; boundary={long}"), Some(long.as_str())),
        (&format!("multipart/byteranges; boundary={long}b"), None),
        ("multipart/byteranges; boundary=", None),
        ("multipart/byteranges; boundary=\"a \"", None),
        ("multipart/byteranges", None),
        ("multipart/mixed; boundary=B", None),
        ("application/octet-stream", None),
        ("", None),
    ];
    for (text, expected) in table {
        assert_eq!(boundary(text), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic_and_nothing_piles_up(
        bytes in prop::collection::vec(prop_oneof![Just(b'-'), Just(b'B'), Just(b'\r'), Just(b'\n'), any::<u8>()], 0..300),
        piece in 1_usize..40,
    ) {
        let mut reader = Multipart::of_type(TYPE).unwrap();
        'all: for mut input in bytes.chunks(piece) {
            loop {
                match reader.next(&mut input) {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(Malformed) => break 'all,
                }
            }
            prop_assert!(reader.line.len() <= MOST_LINE);
        }
    }
}
