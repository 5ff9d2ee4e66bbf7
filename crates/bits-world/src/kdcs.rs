//! Where Kerberos finds the key distribution centres.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The key distribution centres (KDCs) that the machine knows, one for each realm.
///
/// ```
/// use bits_world::Kdcs;
///
/// let mut kdcs = Kdcs::default();
/// kdcs.set("CORP.EXAMPLE", "dc1.corp.example".parse()?);
/// assert_eq!(kdcs.of("corp.example").map(ToString::to_string), Some("dc1.corp.example:88".to_owned()));
/// assert_eq!(kdcs.of("ELSEWHERE.EXAMPLE"), None);
/// # Ok::<(), bits_world::NoKdc>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Kdcs {
    /// By the realm in capitals, as Windows writes realms.
    realms: BTreeMap<String, Kdc>,
    /// Whom all other realms have.
    others: Option<Kdc>,
}

/// A KDC: its host, a name or an address without brackets, and the TCP port.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Kdc {
    host: String,
    port: u16,
}

/// What is no address of a KDC.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NoKdc(String);

impl fmt::Display for NoKdc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no KDC: HOST or HOST:PORT is wanted, with [brackets] around an IPv6 address", self.0)
    }
}

impl std::error::Error for NoKdc {}

impl Kdcs {
    /// Sets the KDC of a realm; case does not count.
    pub fn set(&mut self, realm: &str, kdc: Kdc) {
        self.realms.insert(realm.to_uppercase(), kdc);
    }

    /// Sets the KDC of every realm that has none of its own.
    pub fn set_for_others(&mut self, kdc: Kdc) {
        self.others = Some(kdc);
    }

    /// Forgets the KDC of a realm.
    pub fn forget(&mut self, realm: &str) {
        self.realms.remove(&realm.to_uppercase());
    }

    /// The KDC of a realm; case does not count. Nobody has one for the realm without a name.
    pub fn of(&self, realm: &str) -> Option<&Kdc> {
        let realm = realm.to_uppercase();
        self.realms.get(&realm).or(self.others.as_ref()).filter(|_| !realm.is_empty())
    }
}

impl Kdc {
    /// Where Kerberos listens (RFC 4120, 7.2.3.1).
    pub const PORT: u16 = 88;

    /// Its name, or its address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Kdc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// `HOST` or `HOST:PORT`; an IPv6 address stands in brackets.
impl FromStr for Kdc {
    type Err = NoKdc;

    fn from_str(text: &str) -> Result<Self, NoKdc> {
        let no_kdc = || NoKdc(text.to_owned());
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(no_kdc)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| no_kdc())?;
                (host, port)
            }
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let is_part_of_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
        if host.is_empty() || !(text.starts_with('[') || host.chars().all(is_part_of_name)) {
            return Err(no_kdc());
        }
        let port = match port.strip_prefix(':') {
            Some(port) if port.bytes().all(|digit| digit.is_ascii_digit()) => port.parse().map_err(|_| no_kdc())?,
            None if port.is_empty() => Self::PORT,
            _ => return Err(no_kdc()),
        };
        if port == 0 { Err(no_kdc()) } else { Ok(Self { host: host.to_owned(), port }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kdc(text: &str) -> Kdc {
        text.parse().unwrap()
    }

    #[test]
    fn a_kdc_is_a_host_and_perhaps_a_port() {
        for (text, shown) in [
            ("dc1.corp.example", "dc1.corp.example:88"),
            ("127.0.0.1:8088", "127.0.0.1:8088"),
            ("[::1]", "[::1]:88"),
            ("[::1]:1", "[::1]:1"),
        ] {
            assert_eq!(kdc(text).to_string(), shown);
        }
        for text in
            ["", ":88", "dc:", "dc:0", "dc:65536", "dc:+1", "::1", "[::1", "[]:88", "[dc]:88", "tcp://dc", "d c"]
        {
            assert_eq!(text.parse::<Kdc>(), Err(NoKdc(text.to_owned())));
        }
    }

    #[test]
    fn a_realm_has_its_own_kdc_or_that_of_all_others() {
        let mut kdcs = Kdcs::default();
        kdcs.set("Corp.Example", kdc("one"));
        assert_eq!(kdcs.of("other"), None);

        kdcs.set_for_others(kdc("two"));
        assert_eq!(kdcs.of("CORP.example"), Some(&kdc("one")));
        assert_eq!(kdcs.of("other"), Some(&kdc("two")));
        assert_eq!(kdcs.of(""), None);

        kdcs.forget("corp.example");
        assert_eq!(kdcs.of("corp.example"), Some(&kdc("two")));
    }
}
