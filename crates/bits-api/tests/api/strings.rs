//! Strings as Windows counts them.

use bits_api::{Hresult, text};

#[test]
fn characters_beyond_the_basic_plane_count_twice() {
    for (string, units) in [("", 0), ("abc", 3), ("é", 1), ("日本", 2), ("🦀", 2), ("a🦀b", 4)] {
        assert_eq!(text::utf16_len(string), units, "{string}");
    }
}

#[test]
fn an_absent_string_is_an_invalid_argument() {
    assert_eq!(text::required(None), Err(Hresult::E_INVALIDARG));
}

#[test]
fn a_string_with_a_nul_inside_is_an_invalid_argument() {
    for string in ["\0", "a\0", "\0a", "a\0b"] {
        assert_eq!(text::required(Some(string)), Err(Hresult::E_INVALIDARG), "{string:?}");
    }
}

#[test]
fn any_other_string_passes_unchanged() {
    for string in ["", " ", "a", "日本 🦀", "\r\n"] {
        assert_eq!(text::required(Some(string)), Ok(string));
    }
}
