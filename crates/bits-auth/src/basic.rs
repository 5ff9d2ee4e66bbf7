//! Basic (RFC 7617): name and password as they are, in UTF-8.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bits_wire::Secret;
use bits_wire::auth::Login;
use zeroize::Zeroizing;

/// The value of Authorization; `None` for a name that cannot be told from the password.
pub(crate) fn credentials(login: &Login) -> Option<Secret> {
    let (user_name, password) = (login.user_name.expose(), login.password.expose());
    let has_control = |text: &str| text.contains(char::is_control);
    if user_name.contains(':') || has_control(user_name) || has_control(password) {
        return None;
    }
    let plain = Zeroizing::new(format!("{user_name}:{password}"));
    let mut value = Zeroizing::new(String::with_capacity("Basic ".len() + plain.len().div_ceil(3) * 4));
    value.push_str("Basic ");
    BASE64_STANDARD.encode_string(plain.as_bytes(), &mut value);
    Some(Secret::new(&value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(user_name: &str, password: &str) -> Option<String> {
        let login = Login { user_name: Secret::new(user_name), password: Secret::new(password) };
        credentials(&login).map(|value| value.expose().to_owned())
    }

    #[test]
    fn the_examples_of_the_rfc_come_out() {
        assert_eq!(shown("Aladdin", "open sesame").as_deref(), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        assert_eq!(shown("test", "123\u{a3}").as_deref(), Some("Basic dGVzdDoxMjPCow=="));
    }

    #[test]
    fn a_name_that_would_be_misread_is_not_sent() {
        assert_eq!(shown("a:b", "c"), None);
        assert_eq!(shown("a\n", "c"), None);
        assert_eq!(shown("a", "\u{7f}"), None);
        assert!(shown("a", "b:c").is_some());
    }
}
