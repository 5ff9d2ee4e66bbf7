//! Basic as a server sees it.

use super::Account;

/// Whose name and password these are.
pub(super) fn recognize<'a>(proof: &str, accounts: &'a [Account]) -> Option<&'a Account> {
    let plain = decoded(proof.trim())?;
    let (user_name, password) = plain.split_once(':')?;
    accounts.iter().find(|account| account.user_name == user_name && account.password == password)
}

/// Text from Base64 (RFC 4648), read bit by bit: the client's library is not asked.
fn decoded(text: &str) -> Option<String> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
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
    String::from_utf8(bytes).ok()
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
}
