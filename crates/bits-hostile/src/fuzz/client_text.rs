//! Text of clients and of test authors.

use bits_origin::Script;
use bits_wire::download::{Ask, Request, Target};
use bits_wire::{CustomHeaders, redacted};
use bits_world::Decisions;
use url::Url;

use super::ways::assert_is_clean;

/// What a client gives SetCustomHeaders.
///
/// # Panics
/// When it brings a line of its own into a request, or takes one of BITS' away.
pub fn custom_headers(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(custom) = CustomHeaders::parse(text) else { return };
    let target = Target::parse("http://host/file").expect("a URL");
    let plain = Request::new(&Ask::Size, &target, "7.8");
    let request = plain.clone().with_custom(&custom, &Decisions::default());
    for (name, value) in &request.headers {
        assert!(!value.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "{name}");
    }
    for name in plain.headers.keys() {
        assert!(request.headers.contains_key(name), "{name} is gone");
    }
    for name in ["host", "connection"] {
        assert_eq!(request.headers.get_all(name).iter().count(), 1, "{name}");
    }
}

/// A remote name.
///
/// # Panics
/// When it makes a request that is none, or shows a password.
pub fn remote_names(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let shown = redacted(text);
    if let Ok(target) = Target::parse(text) {
        assert_is_clean(&target);
    }
    let Ok(url) = Url::parse(text) else { return };
    if let Some(password) = url.password()
        && password.len() > 3
        && password.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.matches(password).count() == 1
        && url.has_host()
    {
        assert!(!shown.contains(password), "{shown}");
    }
}

/// A script for the origin: it is read or refused.
pub fn scripts(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = Script::parse("fuzz", text);
    }
}
