//! Basic as a server sees it.

use super::Account;

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Whose name and password these are.
pub(super) fn recognize<'a>(proof: &str, accounts: &'a [Account]) -> Option<&'a Account> {
    let plain = String::from_utf8(decoded(proof.trim())?).ok()?;
    let (user_name, password) = plain.split_once(':')?;
    accounts.iter().find(|account| account.user_name == user_name && account.password == password)
}

/// What is written in Base64 (RFC 4648), read bit by bit: the client's library is not asked.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = LETTERS.iter().position(|known| *known == letter)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(bytes)
}

/// The same in Base64.
pub(super) fn encoded(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | usize::from(chunk.get(at).copied().unwrap_or_default()));
        for letter in 0..4 {
            let is_there = letter <= chunk.len();
            text.push(if is_there { LETTERS[bits >> (18 - 6 * letter) & 63].into() } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_password_both_count() {
        let known = [Account { user_name: "Aladdin".into(), password: "open sesame".into() }];
        let found = |proof| recognize(proof, &known).map(|account| account.user_name.as_str());

        assert_eq!(found("QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), Some("Aladdin"));
        assert_eq!(found("QWxhZGRpbjpvcGVuIHNlc2FtZT=="), Some("Aladdin"), "what the last letter has beyond a byte");
        assert_eq!(found("QWxhZGRpbjpvcGVuIHNlc2Ft"), None);
        assert_eq!(found("no Base64!"), None);
        assert_eq!(found(""), None);
    }

    #[test]
    fn base_64_is_that_of_the_rfc() {
        for (plain, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(encoded(plain.as_bytes()), text);
            assert_eq!(decoded(text).unwrap(), plain.as_bytes());
        }
    }
}
