//! Ways to give credentials, as servers name them and as BITS does.

/// The schemes that the values of WWW-Authenticate or Proxy-Authenticate offer, each once.
pub(crate) fn schemes(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut schemes: Vec<String> = Vec::new();
    for value in values {
        for part in outside_quotes(&value) {
            let mut words = part.split_ascii_whitespace();
            let Some(first) = words.next() else { continue };
            // `realm="x"` and `realm = "x"` go on with the challenge before.
            let is_parameter = first.contains('=') || words.next().is_some_and(|word| word.starts_with('='));
            let is_token = first.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
            if !is_parameter && is_token && !schemes.iter().any(|known| known.eq_ignore_ascii_case(first)) {
                schemes.push(first.to_owned());
            }
        }
    }
    schemes
}

/// The parts between commas, but for those in quotes.
fn outside_quotes(value: &str) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    value
        .split(|c: char| {
            let (was_escaped, was_quoted) = (std::mem::take(&mut escaped), quoted);
            match c {
                '\\' if quoted && !was_escaped => escaped = true,
                '"' if !was_escaped => quoted = !quoted,
                _ => {}
            }
            c == ',' && !was_quoted
        })
        .collect()
}

/// What a client of BITS gives SetCredentials for a scheme; `None` when BITS does not know it.
pub(crate) fn fitting(scheme: &str) -> Option<&'static str> {
    const FITTING: [(&str, &str); 5] = [
        ("basic", "BG_AUTH_SCHEME_BASIC"),
        ("digest", "BG_AUTH_SCHEME_DIGEST"),
        ("ntlm", "BG_AUTH_SCHEME_NTLM"),
        ("negotiate", "BG_AUTH_SCHEME_NEGOTIATE"),
        ("passport1.4", "BG_AUTH_SCHEME_PASSPORT"),
    ];
    FITTING.iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name)).map(|(_, fitting)| *fitting)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Vec<String> {
        schemes(values.iter().map(|value| (*value).to_owned()))
    }

    #[test]
    fn schemes_are_found_in_one_header_and_in_several() {
        let table: [(&[&str], &[&str]); 7] = [
            (&["Basic realm=\"a\""], &["Basic"]),
            (&["Negotiate", "NTLM"], &["Negotiate", "NTLM"]),
            (&["Negotiate, NTLM, Basic realm=\"a, Bearer\""], &["Negotiate", "NTLM", "Basic"]),
            (&["Digest realm=\"a\", qop=\"auth\", nonce=\"x\", algorithm=MD5"], &["Digest"]),
            (&["Digest realm = \"a\\\", Basic\", nonce = x", "digest realm=b"], &["Digest"]),
            (&["Passport1.4 da-status=failed"], &["Passport1.4"]),
            (&["", ",,", "\"", "ü"], &[]),
        ];
        for (values, expected) in table {
            assert_eq!(of(values), expected, "{values:?}");
        }
    }

    #[test]
    fn bits_knows_five_schemes() {
        assert_eq!(fitting("NEGOTIATE"), Some("BG_AUTH_SCHEME_NEGOTIATE"));
        assert_eq!(fitting("Bearer"), None);
    }
}
