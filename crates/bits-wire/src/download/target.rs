//! Where a request goes.

use std::fmt;

use bits_api::Hresult;
use http::uri::PathAndQuery;
use url::{Host, Url};

use super::fatal;
use crate::attempt::Failure;

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scheme {
    /// HTTP over TCP.
    Http,
    /// HTTP over TLS.
    Https,
}

/// The server end of a connection: requests to one origin may share one.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Origin {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A remote name, taken apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    url: Url,
    path: PathAndQuery,
    origin: Origin,
}

impl Target {
    /// Takes a remote name apart. Credentials and a fragment in it are never sent.
    ///
    /// # Errors
    /// `E_INVALIDARG` for what is no URL of HTTP or HTTPS.
    pub fn parse(remote_name: &str) -> Result<Self, Failure> {
        Url::parse(remote_name).ok().and_then(Self::from_url).ok_or(fatal(Hresult::E_INVALIDARG))
    }

    /// The server of a remote name, as a URL; `None` for what leads to none of HTTP.
    pub fn server_of(remote_name: &str) -> Option<String> {
        Self::parse(remote_name).ok().map(|target| target.url.origin().ascii_serialization())
    }

    /// The server.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Path and query, as the request line has them.
    pub fn path_and_query(&self) -> &PathAndQuery {
        &self.path
    }

    /// The value of the Host header: the port only where it is not the scheme's own.
    pub fn host_header(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Where the value of a Location header leads from here, if it leads to an HTTP server.
    pub fn join(&self, location: &str) -> Option<Self> {
        self.url.join(location).ok().and_then(Self::from_url)
    }

    fn from_url(mut url: Url) -> Option<Self> {
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        let host = match url.host()? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let port = url.port_or_known_default()?;
        url.set_fragment(None);
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Some(Self { url, path: path.parse().ok()?, origin: Origin { scheme, host, port } })
    }
}

/// The URL, without credentials and fragment.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_remote_name_is_taken_apart() {
        let target = Target::parse("https://user:secret@Example.com/a%20b/c?d=e#f").unwrap();

        assert_eq!(target.origin(), &Origin { scheme: Scheme::Https, host: "example.com".into(), port: 443 });
        assert_eq!(target.path_and_query(), "/a%20b/c?d=e");
        assert_eq!(target.host_header(), "example.com");
        assert_eq!(target.to_string(), "https://example.com/a%20b/c?d=e");
    }

    #[test]
    fn a_port_of_its_own_is_part_of_the_host_header() {
        let target = Target::parse("http://[::1]:8080").unwrap();

        assert_eq!(target.origin(), &Origin { scheme: Scheme::Http, host: "::1".into(), port: 8080 });
        assert_eq!(target.host_header(), "[::1]:8080");
        assert_eq!(target.path_and_query(), "/");
    }

    proptest! {
        #[test]
        fn any_url_can_be_requested(rest in "\\PC{0,40}", host in "[a-z0-9.:\\[\\]@-]{1,12}") {
            let plain = Target::parse(&format!("http://host/{rest}"));
            prop_assert!(plain.is_ok());
            for target in plain.into_iter().chain(Target::parse(&format!("https://{host}/?{rest}"))) {
                prop_assert!(target.path_and_query().as_str().starts_with('/'));
                prop_assert!(!target.host_header().is_empty());
            }
        }
    }

    #[test]
    fn what_is_no_http_url_is_an_invalid_argument() {
        let endless = format!("http://host/{}", "a".repeat(70_000));
        for name in [&endless, "", "a.bin", "ftp://host/a", "file:///a", "http://", r"\\server\share\a"] {
            assert_eq!(Target::parse(name).unwrap_err().code, Hresult::E_INVALIDARG, "{name}");
        }
    }
}
