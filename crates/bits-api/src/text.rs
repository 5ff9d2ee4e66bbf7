//! Strings as Windows counts them.
//!
//! Limits of BITS count UTF-16 code units, and a string that reaches BITS ends at its first NUL.
//! Rust strings may carry one inside; such a string is refused before any provider sees it.

use crate::Hresult;

/// The length of `text` in UTF-16 code units, without a terminator.
pub fn utf16_len(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Refuses an absent string and one with an interior NUL.
///
/// # Errors
/// `E_INVALIDARG` for `None` and for a string that contains NUL.
pub fn required(text: Option<&str>) -> Result<&str, Hresult> {
    match text {
        Some(text) if !text.contains('\0') => Ok(text),
        _ => Err(Hresult::E_INVALIDARG),
    }
}
