//! Digest as a server sees it (RFC 2069, RFC 2617, RFC 7616), and strict: what these forbid is refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Account, Verdict};

/// How a guard asks for Digest: MD5 and quality of protection `auth`, unless it is told otherwise.
///
/// ```
/// use bits_origin::{Digest, Guard, Scheme};
///
/// let digest = Digest::new().algorithm("SHA-256").opaque("kept").good_for(2);
/// let guard = Guard::new("vault").offers(Scheme::Digest(digest)).knows("name", "password");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Digest {
    algorithm: Option<&'static str>,
    qop: Option<&'static str>,
    opaque: Option<&'static str>,
    domain: Option<&'static str>,
    is_utf8: bool,
    hides_user: bool,
    uses: u32,
    renews: bool,
}

impl Digest {
    /// Without any option.
    #[expect(clippy::new_without_default, reason = "an option less is an option too")]
    pub const fn new() -> Self {
        Self {
            algorithm: None,
            qop: Some("auth"),
            opaque: None,
            domain: None,
            is_utf8: false,
            hides_user: false,
            uses: u32::MAX,
            renews: false,
        }
    }

    /// Names the algorithm: MD5, MD5-sess, SHA-256, SHA-256-sess, or one that this guard does not know
    /// itself.
    #[must_use]
    pub const fn algorithm(self, algorithm: &'static str) -> Self {
        Self { algorithm: Some(algorithm), ..self }
    }

    /// Offers these qualities of protection, with commas between them; of them it knows `auth`.
    #[must_use]
    pub const fn qop(self, qop: &'static str) -> Self {
        Self { qop: Some(qop), ..self }
    }

    /// Offers no quality of protection, as in RFC 2069.
    #[must_use]
    pub const fn without_qop(self) -> Self {
        Self { qop: None, ..self }
    }

    /// Wants this back.
    #[must_use]
    pub const fn opaque(self, opaque: &'static str) -> Self {
        Self { opaque: Some(opaque), ..self }
    }

    /// Says that the password is good for these places.
    #[must_use]
    pub const fn domain(self, domain: &'static str) -> Self {
        Self { domain: Some(domain), ..self }
    }

    /// Says that it takes names for UTF-8.
    #[must_use]
    pub const fn utf8(self) -> Self {
        Self { is_utf8: true, ..self }
    }

    /// Wants the hash of a name in place of the name.
    #[must_use]
    pub const fn hiding_users(self) -> Self {
        Self { hides_user: true, ..self }
    }

    /// Takes so many answers to a nonce; one more is stale.
    #[must_use]
    pub const fn good_for(self, uses: u32) -> Self {
        Self { uses, ..self }
    }

    /// Tells with each answer the nonce that it wants next (Authentication-Info).
    #[must_use]
    pub const fn renewing(self) -> Self {
        Self { renews: true, ..self }
    }

    /// A challenge with a new nonce.
    pub(super) fn challenge(&self, realm: &str, is_stale: bool, ledger: &mut Ledger) -> String {
        let mut text = format!("Digest realm=\"{}\", nonce=\"{}\"", escaped(realm), ledger.issue());
        let named = [("qop", self.qop), ("opaque", self.opaque), ("domain", self.domain)];
        for (name, value) in named {
            if let Some(value) = value {
                let _ = write!(text, ", {name}=\"{}\"", escaped(value));
            }
        }
        if let Some(algorithm) = self.algorithm {
            let _ = write!(text, ", algorithm={algorithm}");
        }
        let flags = [(self.is_utf8, "charset=UTF-8"), (self.hides_user, "userhash=true"), (is_stale, "stale=true")];
        for (is_set, flag) in flags {
            if is_set {
                text += ", ";
                text += flag;
            }
        }
        text
    }

    /// What to make of `proof` with a request of `method` for `target`.
    pub(super) fn judge<'a>(
        &self,
        proof: &str,
        (method, target): (&str, &str),
        realm: &str,
        accounts: &'a [Account],
        ledger: &mut Ledger,
    ) -> Verdict<'a> {
        let Some(shown) = Shown::read(proof) else { return Verdict::Wrong };
        let Some(account) = self.recognize(&shown, method, target, realm, accounts) else { return Verdict::Wrong };
        let count = shown.plain("nc").map_or(Some(None), |count| u32::from_str_radix(count, 16).ok().map(Some));
        match count {
            Some(count) if ledger.may_be_used(shown.quoted("nonce").unwrap_or_default(), count, self.uses) => {
                Verdict::Right(account, self.renews.then(|| format!("nextnonce=\"{}\"", ledger.issue())))
            }
            Some(_) => Verdict::Stale,
            None => Verdict::Wrong,
        }
    }

    /// Whose proof this is, be the nonce old or new.
    fn recognize<'a>(
        &self,
        shown: &Shown,
        method: &str,
        target: &str,
        realm: &str,
        accounts: &'a [Account],
    ) -> Option<&'a Account> {
        let algorithm = self.algorithm.unwrap_or("MD5");
        let hash = match algorithm {
            "MD5" | "MD5-sess" => md5_of,
            "SHA-256" | "SHA-256-sess" => sha256_of,
            _ => return None,
        };
        let uri = shown.quoted("uri")?;
        // Whoever comes through a proxy has asked that for a whole URL.
        let is_asked = uri == target || (path_of(uri) == Some(target)) || path_of(target) == Some(uri);
        let repeats = shown.quoted("realm")? == realm
            && shown.quoted("opaque") == self.opaque
            && shown.plain("algorithm").unwrap_or("MD5") == algorithm
            && !shown.quoted.contains_key("algorithm");
        if !is_asked || !repeats {
            return None;
        }
        let nonce = shown.quoted("nonce")?;
        let middle = match (self.qop, shown.plain("qop")) {
            (None, None) if !shown.has("nc") && !shown.has("cnonce") => nonce.to_owned(),
            (Some(offered), Some("auth")) if offered.split(',').any(|qop| qop.trim() == "auth") => {
                let count = shown.plain("nc").filter(|count| count.len() == 8)?;
                format!("{nonce}:{count}:{}:auth", shown.quoted("cnonce")?)
            }
            _ => return None,
        };
        let is_his = |account: &&Account| {
            let secret = hash(&format!("{}:{realm}:{}", account.user_name, account.password));
            let secret = match (self.algorithm, shown.quoted("cnonce")) {
                (Some("MD5-sess" | "SHA-256-sess"), Some(own)) => hash(&format!("{secret}:{nonce}:{own}")),
                _ => secret,
            };
            let request = hash(&format!("{method}:{uri}"));
            shown.quoted("response") == Some(&hash(&format!("{secret}:{middle}:{request}")))
        };
        accounts.iter().filter(|account| self.is_named(shown, account, realm, hash)).find(is_his)
    }

    /// Whether an account is named in the way that was asked for.
    fn is_named(&self, shown: &Shown, account: &Account, realm: &str, hash: fn(&str) -> String) -> bool {
        if self.hides_user {
            let hidden = hash(&format!("{}:{realm}", account.user_name));
            return shown.plain("userhash") == Some("true") && shown.quoted("username") == Some(&hidden);
        }
        match (shown.quoted("username"), shown.plain("username*")) {
            (Some(name), None) => name == account.user_name,
            (None, Some(name)) if self.is_utf8 => {
                name.strip_prefix("UTF-8''").and_then(percent_decoded).is_some_and(|name| name == account.user_name)
            }
            _ => false,
        }
    }
}

/// The nonces that were given out.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    /// How often each was answered to, and the highest count.
    answers: BTreeMap<String, (u32, u32)>,
}

impl Ledger {
    /// A new nonce; it has letters that mean something elsewhere in a header.
    fn issue(&mut self) -> String {
        let nonce = format!("{:08x}, /+=", self.answers.len() + 1);
        self.answers.insert(nonce.clone(), (0, 0));
        nonce
    }

    /// Counts an answer; returns whether it may be taken. The count is `None` where none is wanted.
    fn may_be_used(&mut self, nonce: &str, count: Option<u32>, most: u32) -> bool {
        let Some((uses, highest)) = self.answers.get_mut(nonce) else { return false };
        if *uses >= most || count.is_some_and(|count| count <= *highest) {
            return false;
        }
        *uses += 1;
        *highest = count.unwrap_or(0);
        true
    }
}

/// The parameters of a proof: each once, those with quotes apart from those without.
#[derive(Debug, Default)]
struct Shown {
    quoted: BTreeMap<String, String>,
    plain: BTreeMap<String, String>,
}

impl Shown {
    /// Reads a proof letter by letter; `None` for what is none.
    fn read(proof: &str) -> Option<Self> {
        // As it was read, each character is a byte.
        let bytes: Option<Vec<u8>> = proof.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
        let text = String::from_utf8(bytes?).ok()?;
        let mut letters = text.trim().chars().peekable();
        let mut shown = Self::default();
        loop {
            let name: String = std::iter::from_fn(|| letters.next_if(|c| *c != '=' && *c != ',')).collect();
            if letters.next() != Some('=') || shown.has(&name) || name.contains([' ', '"']) || name.is_empty() {
                return None;
            }
            let (values, value) = if letters.next_if_eq(&'"').is_some() {
                (&mut shown.quoted, between_quotes(&mut letters)?)
            } else {
                (&mut shown.plain, std::iter::from_fn(|| letters.next_if(|c| !", \"".contains(*c))).collect())
            };
            values.insert(name, value);
            match letters.next() {
                None => return Some(shown),
                Some(',') => while letters.next_if_eq(&' ').is_some() {},
                Some(_) => return None,
            }
        }
    }

    fn quoted(&self, name: &str) -> Option<&str> {
        self.quoted.get(name).map(String::as_str)
    }

    fn plain(&self, name: &str) -> Option<&str> {
        self.plain.get(name).map(String::as_str)
    }

    fn has(&self, name: &str) -> bool {
        self.quoted.contains_key(name) || self.plain.contains_key(name)
    }
}

/// The rest of a quoted string, without its backslashes; `None` when it has no end.
fn between_quotes(letters: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut text = String::new();
    loop {
        match letters.next()? {
            '"' => return Some(text),
            '\\' => text.push(letters.next()?),
            letter => text.push(letter),
        }
    }
}

/// The path of a whole URL.
fn path_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://").filter(|_| !url.starts_with('/'))?;
    Some(rest.find('/').map_or("/", |slash| &rest[slash..]))
}

pub(super) fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| matches!(c, '"' | '\\').then_some('\\').into_iter().chain([c])).collect()
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

fn md5_of(text: &str) -> String {
    format!("{:x}", md5::compute(text))
}

fn sha256_of(text: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    hash.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
